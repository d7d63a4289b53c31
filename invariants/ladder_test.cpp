#include "invariants/ladder.hpp"

#include "invariants/ladder_fixture.hpp"

#include <gtest/gtest.h>

namespace raftlab::invariants {
namespace {

using raft::Index;

class LadderItself : public LadderTest {};

TEST_F(LadderItself, SaysNothingAboutACorrectElectionAndReplication) {
  elect(1, 2);
  for (int round = 0; round < 3; ++round) {
    propose(n(1));
    sync(n(1));
    replicate(n(1), n(2));
    replicate(n(1), n(3));
  }
  EXPECT_EQ(n(1).state.commit, Index(5));
  elect(3, 2);
  replicate(n(3), n(2));
  replicate(n(3), n(1));
  EXPECT_EQ(n(3).state.commit, Index(6));
  for (FakeNode& node : nodes_) ladder_.scan(node.view());
  ladder_.finish();
  expect_sound();
}

TEST_F(LadderItself, SaysNothingWhenAFollowerLosesWhatWasNeverCommitted) {
  lead_and_commit();
  propose(n(1), 4, 1);
  sync(n(1));
  elect(2, 3);  // without n1's last entry
  replicate(n(2), n(3));
  replicate(n(2), n(1));
  propose(n(2));
  sync(n(2));
  replicate(n(2), n(1));
  EXPECT_EQ(n(1).log.last(), n(2).log.last());
  ladder_.finish();
  expect_sound();
}

TEST_F(LadderItself, KeepsTheFirstFindingOfARungAndNamesTheLowestAsRoot) {
  EXPECT_FALSE(ladder_.broken());
  EXPECT_FALSE(ladder_.root());
  ladder_.at(10, 1000);
  ladder_.report(Rung::G4, id(2), "first");
  ladder_.at(20, 2000);
  ladder_.report(Rung::G4, id(3), "second");
  ladder_.report(Rung::N18, id(1), "the root");
  ASSERT_EQ(ladder_.findings().size(), 2U);
  EXPECT_EQ(ladder_.findings()[0].text, "first");
  EXPECT_EQ(ladder_.findings()[0].step, 10U);
  EXPECT_EQ(ladder_.findings()[0].time_ns, 1000);
  EXPECT_EQ(ladder_.root()->rung, Rung::N18);
  EXPECT_EQ(ladder_.root()->step, 20U);
}

TEST_F(LadderItself, CountsWhatOthersEvaluate) {
  ladder_.evaluated(Rung::E8);
  ladder_.evaluated(Rung::E8, 4);
  EXPECT_EQ(ladder_.evaluations(Rung::E8), 5U);
  EXPECT_EQ(ladder_.evaluations(Rung::V1), 0U);
}

TEST_F(LadderItself, IsAValue) {
  elect(1, 2);
  Ladder copy = ladder_;
  replicate(n(1), n(2));
  EXPECT_GT(ladder_.evaluations(Rung::D10), copy.evaluations(Rung::D10));
  copy.report(Rung::N0, id(1), "only in the copy");
  expect_sound();
}

TEST(Rungs, HaveIdentifiersThatMatchTheirNames) {
  ASSERT_EQ(rungs().size(), rung_count);
  for (const RungInfo& rung : rungs()) {
    const std::string id = rung.id;
    const std::string levels = "NDRGEV";
    EXPECT_EQ(levels.find(id[0]), static_cast<std::size_t>(rung.level)) << id;
    EXPECT_NE(std::string(rung.name), "");
    EXPECT_NE(std::string(rung.sentence), "");
  }
  EXPECT_STREQ(info(Rung::G3).id, "G3");
  EXPECT_STREQ(info(Rung::G3).name, "log-matching");
  EXPECT_STREQ(info(Rung::V10).id, "V10");
  EXPECT_STREQ(info(Rung::N0).id, "N0");
}

}  // namespace
}  // namespace raftlab::invariants
