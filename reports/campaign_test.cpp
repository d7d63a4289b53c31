#include "reports/campaign.hpp"

#include "reports/fabricated.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace raftlab::reports {
namespace {

using simulator::Fault;
using simulator::Verdict;

/// A seed in which everything that was drawn has fired.
SeedReport good(std::uint64_t seed) {
  SeedReport report = holding(seed);
  report.result.fired[static_cast<std::size_t>(Fault::pause)] = 1;
  return report;
}

TEST(Campaign, HoldsWhenAllSeedsHold) {
  Campaign campaign;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) campaign.add(good(seed));
  EXPECT_EQ(campaign.verdict(), Verdict::holds);
  EXPECT_TRUE(campaign.reasons().empty());
  EXPECT_EQ(campaign.totals().committed, 81'200U);
}

TEST(Campaign, IsInconclusiveAboveFivePercent) {
  Campaign campaign;
  for (std::uint64_t seed = 1; seed <= 19; ++seed) campaign.add(good(seed));
  campaign.add(inconclusive(20));
  SeedReport last = inconclusive(21);
  // 1 of 20 is 5 %, which is not more.
  EXPECT_EQ(campaign.tally(Fault::pause).fired, 19U);
  EXPECT_EQ(campaign.verdict(), Verdict::holds);
  campaign.add(last);
  EXPECT_EQ(campaign.verdict(), Verdict::inconclusive);
  ASSERT_EQ(campaign.reasons().size(), 1U);
  EXPECT_EQ(campaign.reasons()[0], "2 of 21 seeds are inconclusive, more than 5 %");
  ASSERT_EQ(campaign.inconclusive_examples().size(), 2U);
  EXPECT_EQ(campaign.inconclusive_examples()[0].seed, 20U);
}

TEST(Campaign, OneInconclusiveSeedAloneIsInconclusive) {
  Campaign campaign;
  campaign.add(inconclusive(1));
  EXPECT_EQ(campaign.verdict(), Verdict::inconclusive);
}

TEST(Campaign, IsInconclusiveWhenAFaultKindDrawnInTwentySeedsFiredInNone) {
  Campaign campaign;
  for (std::uint64_t seed = 1; seed <= 19; ++seed) campaign.add(holding(seed));
  EXPECT_EQ(campaign.verdict(), Verdict::holds);
  campaign.add(holding(20));
  EXPECT_EQ(campaign.verdict(), Verdict::inconclusive);
  ASSERT_EQ(campaign.reasons().size(), 1U);
  EXPECT_EQ(campaign.reasons()[0], "pause was drawn in 20 seeds and fired in none");
  campaign.add(good(21));
  EXPECT_EQ(campaign.verdict(), Verdict::holds);
}

TEST(Campaign, AViolationWins) {
  Campaign campaign;
  campaign.add(inconclusive(1));
  campaign.add(violated(2));
  campaign.add(inconclusive(3));
  EXPECT_EQ(campaign.verdict(), Verdict::violated);
  EXPECT_TRUE(campaign.reasons().empty());
}

TEST(Campaign, WithoutASeedNothingIsKnown) { EXPECT_EQ(Campaign().verdict(), Verdict::inconclusive); }

TEST(Campaign, CountsWhatWasEvaluated) {
  Campaign campaign;
  SeedReport report = good(1);
  report.result.evaluations[static_cast<std::size_t>(invariants::Rung::E2)] = 0;
  campaign.add(report);
  ASSERT_EQ(campaign.rungs_idle().size(), 1U);
  EXPECT_STREQ(campaign.rungs_idle()[0]->id, "E2");
  campaign.add(good(2));
  EXPECT_TRUE(campaign.rungs_idle().empty());
}

TEST(Campaign, NamesTheFirstOfTheSlowestSeeds) {
  Campaign campaign;
  SeedReport slow = good(2);
  slow.cpu_ns = 500'000'000;
  campaign.add(good(1));
  campaign.add(slow);
  slow.seed = 3;
  campaign.add(slow);
  EXPECT_EQ(campaign.slowest_seed(), 2U);
}

TEST(Campaign, FivePercentOfManySeedsAreAllowed) {
  Campaign campaign;
  for (std::uint64_t seed = 1; seed <= 950; ++seed) campaign.add(good(seed));
  for (std::uint64_t seed = 951; seed <= 1'000; ++seed) campaign.add(inconclusive(seed));
  EXPECT_EQ(campaign.verdict(), Verdict::holds);
  campaign.add(inconclusive(1'001));
  EXPECT_EQ(campaign.verdict(), Verdict::inconclusive);
  EXPECT_EQ(campaign.reasons().at(0), "51 of 1,001 seeds are inconclusive, more than 5 %");
}

TEST(Campaign, SaysWhyWithoutASeed) {
  EXPECT_EQ(Campaign().reasons(), std::vector<std::string>{"no seed was run to its end"});
}

TEST(Campaign, AFaultKindThatFiredOnceInManySeedsIsEnough) {
  Campaign campaign;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) campaign.add(holding(seed));
  EXPECT_EQ(campaign.verdict(), Verdict::inconclusive);
  campaign.add(good(501));
  EXPECT_EQ(campaign.verdict(), Verdict::holds);
}

TEST(Campaign, EveryFaultKindThatNeverFiredIsNamed) {
  Campaign campaign;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SeedReport report = holding(seed);
    report.profile.rate(Fault::bit_rot) = 1;
    report.profile.rate(Fault::clock_drift) = seed == 1 ? 0 : 1;  // in 19 seeds only
    campaign.add(report);
  }
  EXPECT_EQ(campaign.reasons(), (std::vector<std::string>{"bit_rot was drawn in 20 seeds and fired in none",
                                                          "pause was drawn in 20 seeds and fired in none"}));
}

TEST(Campaign, AFaultThatFiredWithoutBeingDrawnIsNotAmongTheDrawnKinds) {
  Campaign campaign;
  SeedReport report = good(1);
  report.result.fired[static_cast<std::size_t>(Fault::span)] = 4;
  campaign.add(report);
  EXPECT_EQ(campaign.fault_kinds_drawn(), 2U);
  EXPECT_EQ(campaign.fault_kinds_fired(), 2U);
  EXPECT_EQ(campaign.tally(Fault::span).fired, 4U);
  EXPECT_EQ(campaign.tally(Fault::span).drawn, 0U);
}

TEST(Campaign, AViolationWinsOverASilentFault) {
  Campaign campaign;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) campaign.add(holding(seed));
  campaign.add(violated(31));
  EXPECT_EQ(campaign.verdict(), Verdict::violated);
  EXPECT_TRUE(campaign.reasons().empty());
}

TEST(Campaign, CountsEachVerdict) {
  Campaign campaign;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) campaign.add(good(seed));
  for (std::uint64_t seed = 4; seed <= 5; ++seed) campaign.add(violated(seed));
  campaign.add(inconclusive(6));
  EXPECT_EQ(campaign.holds(), 3U);
  EXPECT_EQ(campaign.violated(), 2U);
  EXPECT_EQ(campaign.inconclusive(), 1U);
  EXPECT_EQ(campaign.seeds(), 6U);
}

TEST(Campaign, KeepsTheFirstThreeInconclusiveSeedsAsExamples) {
  Campaign campaign;
  for (std::uint64_t seed = 11; seed <= 15; ++seed) campaign.add(inconclusive(seed));
  ASSERT_EQ(campaign.inconclusive_examples().size(), 3U);
  EXPECT_EQ(campaign.inconclusive_examples()[2].seed, 13U);
  EXPECT_EQ(campaign.inconclusive_examples()[2].reason, "nothing was committed");
}

TEST(Campaign, WithChecksOffNoRungIsEvaluated) {
  Campaign campaign;
  SeedReport report = good(1);
  report.result.evaluations.clear();
  campaign.add(report);
  EXPECT_EQ(campaign.rungs_evaluated(), 0U);
  EXPECT_EQ(campaign.verdict(), Verdict::holds);
}

TEST(Campaign, SumsEverythingThatSeedsHave) {
  Campaign campaign;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) campaign.add(good(seed));
  const Campaign::Totals& totals = campaign.totals();
  EXPECT_EQ(totals.steps, 123'540U);
  EXPECT_EQ(totals.virtual_ns, 64'500'000'000);
  EXPECT_EQ(totals.cpu_ns, 370'370'367);
  EXPECT_EQ(totals.messages, 90'000U);
  EXPECT_EQ(totals.committed, 2'436U);
  EXPECT_EQ(totals.elections, 21U);
  EXPECT_EQ(totals.ok, 2'400U);
  EXPECT_EQ(totals.failed, 36U);
  EXPECT_EQ(totals.unknown, 15U);
}

TEST(Campaign, ASeedThatTookNoTimeIsTheSlowestOfNone) {
  Campaign campaign;
  SeedReport report = good(9);
  report.cpu_ns = 0;
  campaign.add(report);
  EXPECT_EQ(campaign.slowest_seed(), 9U);
  EXPECT_EQ(campaign.slowest_cpu_ns(), 0);
}

TEST(Campaign, TellsMarksFromTheRarestOn) {
  using simulator::Mark;
  Campaign campaign;
  SeedReport report = good(1);
  report.result.marks[static_cast<std::size_t>(Mark::figure_8)] = 7;
  report.result.marks[static_cast<std::size_t>(Mark::two_leaders)] = 1;
  campaign.add(report);
  report.seed = 2;
  report.result.marks[static_cast<std::size_t>(Mark::figure_8)] = 0;
  campaign.add(report);
  EXPECT_EQ(campaign.marks_reached(), (std::vector{Mark::figure_8, Mark::two_leaders}));
  EXPECT_EQ(campaign.tally(Mark::figure_8).fired, 7U);
  EXPECT_EQ(campaign.tally(Mark::two_leaders).seeds, 2U);
  EXPECT_TRUE(campaign.marks_missed().empty()) << "too short to expect them";
}

TEST(Campaign, OfFiveHundredSeedsMissesWhatNeverFiredAndHoldsAllTheSame) {
  using simulator::Mark;
  Campaign campaign;
  SeedReport report = good(1);
  report.result.marks.fill(1);
  report.result.marks[static_cast<std::size_t>(Mark::figure_8)] = 0;
  for (std::uint64_t seed = 1; seed <= marks_seeds_min; ++seed) campaign.add(report);
  EXPECT_EQ(campaign.marks_missed(), std::vector{Mark::figure_8});
  EXPECT_EQ(campaign.verdict(), Verdict::holds);

  Campaign without_checks;
  report.result.evaluations.clear();
  for (std::uint64_t seed = 1; seed <= marks_seeds_min; ++seed) without_checks.add(report);
  EXPECT_TRUE(without_checks.marks_missed().empty());
}

}  // namespace
}  // namespace raftlab::reports
