#include "invariants/ladder_fixture.hpp"

#include <gtest/gtest.h>

/// L2: each rung breaks when a restart finds what it should not.
namespace raftlab::invariants {
namespace {

using raft::HardState;
using raft::Index;
using raft::NodeId;
using raft::ReadSeq;
using raft::Term;

class LadderRecovery : public LadderTest {};

TEST_F(LadderRecovery, HoldsWhenEverythingAcknowledgedIsThere) {
  lead_and_commit();
  crash(n(2));
  restart(n(2), n(2).state.hard, Index(2));
  expect_sound();
  EXPECT_GT(ladder_.evaluations(Rung::R1), 0U);
  EXPECT_GT(ladder_.evaluations(Rung::R2), 0U);
  EXPECT_GT(ladder_.evaluations(Rung::R3), 0U);
}

TEST_F(LadderRecovery, HoldsForEachPrefixOfTheRest) {
  lead_and_commit();
  propose(n(1));
  propose(n(1));
  const Ladder before = ladder_;
  const FakeNode node = n(1);
  for (const Index last : {Index(2), Index(3), Index(4)}) {
    ladder_ = before;
    n(1) = node;
    crash(n(1));
    restart(n(1), node.state.hard, last);
    expect_sound();
  }
}

TEST_F(LadderRecovery, HoldsWhenARewritingDidNotGetThrough) {
  lead_and_commit();
  propose(n(1));
  const FakeNode node = n(1);
  crash(n(1));
  restart(n(1), node.state.hard, Index(3));  // as it stood in the cache
  crash(n(1));
  restart(n(1), node.state.hard, Index(2));  // what the power loss left
  expect_sound();
}

TEST_F(LadderRecovery, R1BreaksWhenAWriteThatTheCoreWasToldOfIsGone) {
  lead_and_commit();
  const HardState hard = n(2).state.hard;
  crash(n(2));
  restart(n(2), hard, Index(1));
  expect_root(Rung::R1);
  EXPECT_TRUE(fired(Rung::R3));
}

TEST_F(LadderRecovery, R6BreaksWhenAnOlderImageIsPutBack) {
  lead_and_commit();
  const HardState hard = n(2).state.hard;
  crash(n(2));
  restart(n(2), hard, Index(1));  // all of it was there, and more since
  EXPECT_GT(ladder_.evaluations(Rung::R6), 0U);
  EXPECT_TRUE(fired(Rung::R6)) << told_text();
}

TEST_F(LadderRecovery, R6HoldsForWhatWasNeverThere) {
  lead_and_commit();
  const Index last = n(2).log.last_id().index;
  crash(n(2));
  restart(n(2), HardState{Term(7), NodeId(3)}, last);  // wrong, but not old
  expect_root(Rung::R1);
  EXPECT_FALSE(fired(Rung::R6)) << told_text();
}

TEST_F(LadderRecovery, R1BreaksWhenEntriesSurviveAHardStateBeforeThem) {
  elect(1, 2);
  take(n(3), n(1), Index{});  // hard state and entry in one write
  crash(n(3));
  restart(n(3), HardState{Term(2), id(3)}, Index(2));
  expect_root(Rung::R1);
}

TEST_F(LadderRecovery, R1BreaksWhenATruncationIsUndone) {
  elect(1, 2);
  take(n(3), n(1), Index{});
  sync(n(3));
  const FakeNode old = n(3);
  take(n(3), pretender(2, 3, n(2), Index(1)), Index{});
  sync(n(3));
  const HardState hard = n(3).state.hard;
  crash(n(3));
  n(3).log = old.log;
  restart(n(3), hard, Index(2));
  expect_root(Rung::R1);
}

/// The vote was released before it was durable, and the power loss took it.
TEST_F(LadderRecovery, R2BreaksWhenAReleasedVoteIsGone) {
  stand(n(1));
  step(n(2), received(n(1), n(2), raft::RequestVote{n(1).log.last_id(), false, false}), [&](FakeTurn& turn) {
    grant_now(n(2), n(1));
    send(turn, n(2), 1, raft::VoteReply{false, true});
  });
  crash(n(2));
  restart(n(2), HardState{Term(1), NodeId{}}, Index(1));
  EXPECT_GT(ladder_.evaluations(Rung::R2), 0U);
  EXPECT_FALSE(fired(Rung::R1)) << told_text();
  expect_above(Rung::R2, Rung::N18);
}

TEST_F(LadderRecovery, R3BreaksWhenAReleasedAcknowledgementIsGone) {
  elect(1, 2);
  const raft::AppendEntries append = append_for(n(1), n(2), Index{});
  step(n(2), received(n(1), n(2), append), [&](FakeTurn& turn) {
    take_now(n(2), n(1), append, turn);
    send(turn, n(2), 1, raft::AppendReply{Index(2), ReadSeq{}});
  });
  const HardState hard = n(2).state.hard;
  crash(n(2));
  restart(n(2), hard, Index(1));
  EXPECT_FALSE(fired(Rung::R1)) << told_text();
  expect_above(Rung::R3, Rung::N18);
}

TEST_F(LadderRecovery, R3HoldsWhenALaterWriteTruncated) {
  elect(1, 2);
  take(n(3), n(1), Index{});
  sync(n(3), [&](FakeTurn& turn) { send(turn, n(3), 1, raft::AppendReply{Index(2), ReadSeq{}}); });
  take(n(3), pretender(2, 3, n(2), Index(1)), Index{});
  sync(n(3));
  const HardState hard = n(3).state.hard;
  crash(n(3));
  restart(n(3), hard, Index(2));
  expect_sound();
}

TEST_F(LadderRecovery, R7BreaksWhenTheCoreIsToldBeforeTheDiskIsDone) {
  elect(1, 2);
  take(n(2), n(1), Index{});
  told(n(2));
  expect_root(Rung::R7);
}

/// kill -9, restart from the page cache: recovered is not durable.
TEST_F(LadderRecovery, R7BreaksWhenRecoveredCountsAsDurable) {
  elect(1, 2);
  take(n(2), n(1), Index{});
  const FakeNode node = n(2);
  crash(n(2));
  raft::Recovered found = recovered(node, node.state.hard, Index(2));
  found.durable = Index(2);
  start(n(2), 2, found);
  expect_root(Rung::R7);
}

}  // namespace
}  // namespace raftlab::invariants
