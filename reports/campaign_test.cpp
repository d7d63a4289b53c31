#include "reports/campaign.hpp"

#include "reports/fabricated.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace raftlab::reports
