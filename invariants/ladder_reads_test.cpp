#include "invariants/ladder_fixture.hpp"

#include <gtest/gtest.h>

/// Reads at cores, and the promises on which leases rest: each rule is broken on purpose.
namespace raftlab::invariants {
namespace {

using raft::Index;
using raft::ReadSeq;
using raft::Tick;

class LadderReads : public LadderTest {
 protected:
  void serve(FakeNode& node, std::uint64_t tag, std::uint64_t index) {
    step(node, raft::Applied{}, [&](FakeTurn& turn) { turn.out.reads.push_back({tag, Index(index)}); });
  }
};

TEST_F(LadderReads, N16BreaksWhenAReadIsForwardedToNobody) {
  step(n(2), raft::Read{1}, [&](FakeTurn&) { n(2).forwarded.push_back({1, ReadSeq(1)}); });
  expect_root(Rung::N16);
}

TEST_F(LadderReads, N16BreaksWhenAFollowerAnswersAReadIndex) {
  lead_and_commit();
  step(n(2), Tick{}, [&](FakeTurn& turn) { send(turn, n(2), 3, raft::ReadIndexReply{1, 1, Index(1)}); });
  expect_root(Rung::N16);
}

TEST_F(LadderReads, N16BreaksWhenAReadIndexIsNotCommitted) {
  lead_and_commit();
  step(n(1), Tick{}, [&](FakeTurn& turn) { send(turn, n(1), 3, raft::ReadIndexReply{1, 1, Index(9)}); });
  expect_root(Rung::N16);
}

TEST_F(LadderReads, ARefusalIsNoReadIndex) {
  lead_and_commit();
  step(n(2), raft::Campaign{}, [&](FakeTurn& turn) { send(turn, n(2), 3, raft::ReadIndexReply{}); });
  expect_sound();
}

TEST_F(LadderReads, E9BreaksWhenAReadSeesLessThanWasCommittedWhenItWasAsked) {
  lead_and_commit();
  step(n(2), raft::Read{7});
  serve(n(2), 7, 0);
  expect_root(Rung::E9);
}

TEST_F(LadderReads, E10BreaksWhenALeaseReadDoes) {
  lead_and_commit();
  step(n(2), raft::Read{7, raft::ReadMode::lease});
  serve(n(2), 7, 0);
  expect_root(Rung::E10);
}

TEST_F(LadderReads, AReadThatWasAskedBeforeTheCommitMaySeeLess) {
  elect(1, 2);
  step(n(2), raft::Read{7});
  serve(n(2), 7, 0);
  expect_sound();
}

TEST_F(LadderReads, ARejectedReadIsForgotten) {
  lead_and_commit();
  step(n(2), raft::Read{7}, [&](FakeTurn& turn) {
    turn.out.rejected.push_back({7, raft::Rejection::not_leader, id(1)});
  });
  serve(n(2), 7, 0);
  expect_sound();
}

class LadderPromises : public LadderTest {
 protected:
  LadderPromises() : LadderTest(3, false, 50, true) {}
  void pass(FakeNode& node, int ticks) {
    for (; ticks > 0; --ticks) step(node, Tick{});
  }
};

TEST_F(LadderPromises, D14BreaksWhenANodeThatHasJustStartedVotes) {
  stand(n(1));
  pass(n(2), 19);
  grant(n(2), n(1));
  expect_root(Rung::D14);
}

TEST_F(LadderPromises, D14HoldsAfterTwoElectionTimeouts) {
  stand(n(1));
  pass(n(2), 20);
  grant(n(2), n(1));
  expect_sound();
}

TEST_F(LadderPromises, D14BreaksWhenAVoterForgetsItsLeaderWithTheTerm) {
  pass(n(2), 20);
  elect(1, 2);
  const raft::AppendEntries append = append_for(n(1), n(2), Index{});
  step(n(2), received(n(1), n(2), append), [&](FakeTurn& turn) {
    follow_now(n(2), n(1));
    take_now(n(2), n(1), append, turn);
  });
  stand(n(3));  // term 2, as the others
  stand(n(3));
  step(n(2), received(n(3), n(2), raft::AppendReply{}), [&](FakeTurn&) {
    n(2).state.hard = raft::HardState{n(3).term(), raft::NodeId{}};
    n(2).state.leader = raft::NodeId{};
  });
  pass(n(2), 9);
  step(n(2), received(n(3), n(2), raft::RequestVote{raft::LogId{raft::Term(3), Index(9)}, false, false}),
       [&](FakeTurn&) { grant_now(n(2), n(3)); });
  expect_root(Rung::D14);
}

TEST_F(LadderPromises, ACandidateThatTheLeaderSentIsExcepted) {
  stand(n(1));
  step(n(2), received(n(1), n(2), raft::RequestVote{n(1).log.last_id(), false, true}),
       [&](FakeTurn&) { grant_now(n(2), n(1)); });
  expect_sound();
}

}  // namespace
}  // namespace raftlab::invariants
