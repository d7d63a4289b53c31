#include "simulator/run.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

namespace raftlab::simulator::testing {
namespace {

/// Three nodes that are cut apart again and again, clients that read under leases, and clocks that drift.
Profile of_leases(std::uint32_t told_ppm) {
  Profile profile;
  profile.nodes = 3;
  profile.leases = true;
  profile.lease_drift_ppm = told_ppm;
  profile.heartbeat_ticks = 2;
  profile.clock_drift_ppm = 400'000;
  profile.rate(Fault::clock_drift) = million;
  profile.rate(Fault::partition_isolate) = 250'000;
  profile.rate(Fault::process_kill) = 5'000;
  profile.partition_ns_max = 400 * millisecond;
  profile.fault_phase_ns = 60 * second;
  profile.clients = 8;
  profile.read_ppm = 950'000;
  profile.stale_read_ppm = 0;
  profile.lease_read_ppm = 950'000;
  profile.think_ns_max = 10 * millisecond;
  return profile;
}

constexpr std::uint64_t seeds = 12;

TEST(LeasesSim, HoldWhileClocksKeepToTheBound) {
  std::uint64_t judged = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    RandomChooser chooser{Seed(seed)};
    const RunResult result = run(of_leases(drift_apart_ppm(400'000)), chooser, {});
    ASSERT_EQ(result.verdict, Verdict::holds)
        << "seed " << seed << ": " << (root(result) != nullptr ? root(result)->text : result.reason);
    judged += result.evaluations[static_cast<std::size_t>(invariants::Rung::E10)];
  }
  EXPECT_GT(judged, 0U);
}

/// Without a bound that is kept, leases are no better than stale reads, and the ladder must say so: by E10, and by nothing that
/// does not rest on clocks.
TEST(LeasesSim, AreFoundToBeStaleWhereClocksDriftFurtherApart) {
  bool found = false;
  for (std::uint64_t seed = 1; seed <= seeds && !found; ++seed) {
    RandomChooser chooser{Seed(seed)};
    const RunResult result = run(of_leases(0), chooser, {});
    if (result.verdict != Verdict::violated) continue;
    ASSERT_EQ(root(result)->rung, invariants::Rung::E10) << root(result)->text;
    found = true;
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace raftlab::simulator::testing
