#include "simulator/marks.hpp"

#include "simulator/run.hpp"
#include "simulator/test_support.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace raftlab::simulator::testing {
namespace {

TEST(Marks, HaveNamesOfTheirOwnAndASentence) {
  std::set<std::string> names;
  for (const MarkInfo& mark : marks()) {
    EXPECT_TRUE(names.insert(mark.name).second) << mark.name;
    EXPECT_FALSE(std::string(mark.sentence).empty());
    EXPECT_EQ(&info(mark.mark), &mark);
  }
  EXPECT_EQ(names.size(), mark_count);
}

TEST(MarksSim, AQuietRunComesByNone) {
  RandomChooser chooser{Seed(1)};
  const RunResult result = run(quiet_profile(3), chooser, {});
  for (const MarkInfo& mark : marks()) {
    // Its disk may well be slower than those of two others.
    if (mark.mark == Mark::commit_before_own_disk || mark.mark == Mark::election_without_winner) continue;
    EXPECT_EQ(result.marks[static_cast<std::size_t>(mark.mark)], 0U) << mark.name;
  }
}

/// A follower gives its question up for the same reason as a leader gives up a transfer.
TEST(MarksSim, AReadThatIsGivenUpIsNoTransfer) {
  Profile profile = quiet_profile(5);
  profile.rate(Fault::message_loss) = 400'000;
  profile.read_ppm = profile.follower_read_ppm = million;
  RandomChooser chooser{Seed(1)};
  const RunResult result = run(profile, chooser, {});
  EXPECT_EQ(result.marks[static_cast<std::size_t>(Mark::transfer_timed_out)], 0U);
}

TEST(MarksSim, NothingIsCountedWithChecksOff) {
  RandomChooser chooser{Seed(3)};
  RunOptions off;
  off.checks = false;
  Profile profile = draw_profile(chooser, 5);
  profile.fault_phase_ns = 3 * second;
  EXPECT_EQ(run(profile, chooser, off).marks, MarkCounts{});
}

/// A third of the seeds as they are drawn, a third where members and leaders change all the time, a third with a snapshot each
/// few entries.
Profile profile_of(std::uint64_t seed, Chooser& chooser) {
  if (seed % 3 == 0) return draw_profile(chooser, 0);
  Profile profile = draw_profile(chooser, 5);
  profile.pre_vote = profile.check_quorum = true;
  if (seed % 3 == 1) {
    profile.spares = 1;
    profile.promotion_lag_entries_max = 3;
    profile.delay_ns_max = profile.delay_ns_min + 15 * millisecond;
    profile.rate(Fault::reconfigure) = profile.rate(Fault::transfer) = 400'000;
  } else {
    profile.snapshot_entries = 5;
    profile.tail_entries = seed % 2 == 0 ? 0 : 12;
    profile.snapshot_part_bytes = 64;
    profile.snapshot_chunk_bytes = seed % 4 == 0 ? 96 : 32;
    profile.spares = profile.replacements = 0;
    profile.rate(Fault::message_loss) = 50'000;
    profile.rate(Fault::message_late) = 30'000;
    profile.rate(Fault::partition_isolate) = profile.rate(Fault::power_loss) = 20'000;
    profile.rate(Fault::snapshot_rot) = 30'000;
  }
  return profile;
}

/// The campaign goes on until every mark has fired, which must be soon.
TEST(MarksSim, ASmallCampaignComesByEveryMark) {
  constexpr std::uint64_t seeds_max = 300;
  MarkCounts sum{};
  const auto missed = [&] {
    std::string names;
    for (const MarkInfo& mark : marks()) {
      if (sum[static_cast<std::size_t>(mark.mark)] == 0) names += std::string(" ") + mark.name;
    }
    return names;
  };
  for (std::uint64_t seed = 1; seed <= seeds_max && !missed().empty(); ++seed) {
    RandomChooser chooser{Seed(seed)};
    const RunResult result = run(profile_of(seed, chooser), chooser, {});
    EXPECT_TRUE(result.findings.empty()) << seed << ": " << result.findings[0].text;
    for (std::size_t i = 0; i < mark_count; ++i) sum[i] += result.marks[i];
  }
  EXPECT_EQ(missed(), "");
}

}  // namespace
}  // namespace raftlab::simulator::testing
