#include "invariants/ladder_fixture.hpp"

#include <gtest/gtest.h>

/// L1: each rung breaks when a delta breaks it.
namespace raftlab::invariants {
namespace {

using raft::HardState;
using raft::Index;
using raft::NodeId;
using raft::ReadSeq;
using raft::Role;
using raft::Term;
using raft::Tick;

class LadderDelta : public LadderTest {};
class LadderDeltaPreVote : public LadderTest {
 protected:
  LadderDeltaPreVote() : LadderTest(3, true) {}
};

TEST_F(LadderDelta, D1BreaksWhenTheTermFalls) {
  step(n(2), raft::Campaign{}, [&](FakeTurn&) { stand_now(n(2)); });
  step(n(2), Tick{}, [&](FakeTurn&) {
    n(2).state.hard = HardState{Term(1), NodeId{}};
    n(2).state.role = Role::follower;
  });
  expect_root(Rung::D1);
}

TEST_F(LadderDelta, D2BreaksWhenAVoteIsForgotten) {
  elect(1, 2);
  step(n(2), Tick{}, [&](FakeTurn&) { n(2).state.hard.voted_for = NodeId{}; });
  expect_root(Rung::D2);
}

TEST_F(LadderDelta, D2BreaksWhenAVoteIsGivenTwice) {
  elect(1, 2);
  const raft::RequestVote request{n(3).log.last_id(), false, false};
  step(n(2), raft::Receive{{id(3), id(2), Term(2), request}},
       [&](FakeTurn&) { n(2).state.hard.voted_for = id(3); });
  expect_root(Rung::D2);
  EXPECT_TRUE(fired(Rung::D14));
}

TEST_F(LadderDelta, D3BreaksWhenTheLeaderOfATermChanges) {
  elect(1, 2);
  step(n(3), received(n(1), n(3), raft::Heartbeat{}), [&](FakeTurn&) { follow_now(n(3), n(1)); });
  step(n(3), Tick{}, [&](FakeTurn&) { n(3).state.leader = id(2); });
  expect_root(Rung::D3);
}

TEST_F(LadderDelta, D4BreaksWhenAFollowerLeadsAtOnce) {
  step(n(1), Tick{}, [&](FakeTurn& turn) {
    n(1).state.hard = HardState{Term(2), id(1)};
    lead_now(n(1), turn);
  });
  expect_above(Rung::D4, Rung::N18);  // nor is its vote durable
}

TEST_F(LadderDelta, D4BreaksWhenALeaderGoesOnInANewTerm) {
  elect(1, 2);
  step(n(1), Tick{}, [&](FakeTurn&) { n(1).state.hard = HardState{Term(3), id(1)}; });
  expect_above(Rung::D4, Rung::N18);  // nor is its vote durable
}

TEST_F(LadderDelta, D4BreaksWhenALeaderBecomesACandidate) {
  elect(1, 2);
  step(n(1), raft::Campaign{}, [&](FakeTurn&) { stand_now(n(1)); });
  expect_root(Rung::D4);
}

TEST_F(LadderDeltaPreVote, D4BreaksWhenAFollowerStandsWithoutAPreVote) {
  step(n(1), raft::Campaign{}, [&](FakeTurn&) { stand_now(n(1)); });
  expect_root(Rung::D4);
}

TEST_F(LadderDeltaPreVote, D4LetsAFollowerStandWhenItsLeaderSaysSo) {
  step(n(1), raft::Receive{{id(2), id(1), Term(1), raft::TimeoutNow{}}}, [&](FakeTurn&) { stand_now(n(1)); });
  expect_sound();
}

TEST_F(LadderDelta, D5BreaksWhenTheCommitIndexFalls) {
  lead_and_commit();
  replicate(n(1), n(3));
  step(n(3), Tick{}, [&](FakeTurn&) { n(3).state.commit = Index(1); });
  expect_root(Rung::D5);
}

TEST_F(LadderDelta, D5BreaksWhenReadRoundsFallWithinATerm) {
  lead_and_commit();
  step(n(1), Tick{}, [&](FakeTurn&) { n(1).state.read_issued = ReadSeq(3); });
  step(n(1), Tick{}, [&](FakeTurn&) { n(1).state.read_issued = ReadSeq(2); });
  expect_root(Rung::D5);
}

TEST_F(LadderDelta, D6BreaksWhenACommittedEntryIsOverwritten) {
  lead_and_commit();
  replicate(n(1), n(3));
  ASSERT_EQ(n(3).state.commit, Index(2));
  take(n(3), pretender(2, 3, n(1), Index(1)), Index{});
  expect_root(Rung::D6);
}

TEST_F(LadderDelta, D6BreaksInTheScanWhenACommittedEntryChangedWithoutADelta) {
  lead_and_commit();
  propose(n(1));
  raft::Log other;
  other.append(Term(1), raft::EntryKind::configuration, raft::encode(configuration_));
  other.append(Term(2), raft::EntryKind::command, std::vector<std::byte>(1));
  other.append(Term(2), raft::EntryKind::command, std::vector<std::byte>(4, std::byte(7)));
  n(1).log = other;
  step(n(1), Tick{});
  expect_sound();
  ladder_.scan(n(1).view());
  EXPECT_TRUE(fired(Rung::D6)) << told_text();
}

TEST_F(LadderDelta, D7BreaksWhenALeaderCutsItsLog) {
  lead_and_commit();
  propose(n(1), 0);
  step(n(1), Tick{}, [&](FakeTurn& turn) {
    n(1).log.truncate(Index(3));
    turn.truncated_from = Index(3);
  });
  expect_root(Rung::D7);
}

TEST_F(LadderDelta, D8BreaksWhenALogIsCutWithoutAConflict) {
  elect(1, 2);
  replicate(n(1), n(2));
  propose(n(1));
  take(n(2), n(1), Index(2));
  // The same append again: nothing conflicts, and yet the log is cut.
  raft::AppendEntries again = append_for(n(1), n(3), Index(2));
  step(n(2), received(n(1), n(2), again), [&](FakeTurn& turn) {
    n(2).log.truncate(Index(3));
    n(2).log.append(again.entries.sub(Index(3), Index(3)));
    turn.truncated_from = turn.appended_from = Index(3);
  });
  expect_root(Rung::D8);
}

TEST_F(LadderDelta, D8BreaksWhenALogIsCutByNothing) {
  elect(1, 2);
  take(n(3), n(1), Index{});
  step(n(3), Tick{}, [&](FakeTurn& turn) {
    n(3).log.truncate(Index(2));
    turn.truncated_from = Index(2);
  });
  expect_root(Rung::D8);
}

TEST_F(LadderDelta, D9BreaksWhenAMatchIndexFalls) {
  lead_and_commit();
  step(n(1), received(n(2), n(1), raft::AppendReply{Index(1), ReadSeq{}}),
       [&](FakeTurn&) { n(1).peer(2).match = Index(1); });
  expect_root(Rung::D9);
}

/// Figure 8 of the paper.
TEST_F(LadderDelta, D10BreaksWhenALeaderCommitsAnOlderTermByCounting) {
  elect(1, 2);  // index 2 of term 2, on n1 only
  step_down(n(1));
  stand(n(1));
  grant(n(3), n(1));
  step(n(1), received(n(3), n(1), raft::VoteReply{false, true}),
       [&](FakeTurn& turn) { lead_now(n(1), turn); });
  ASSERT_EQ(n(1).term(), Term(3));
  raft::AppendEntries append = append_for(n(1), n(2), Index{});
  append.entries = append.entries.sub(Index(2), Index(2));
  step(n(2), received(n(1), n(2), append), [&](FakeTurn& turn) { take_now(n(2), n(1), append, turn); });
  sync(n(2));
  sync(n(1));
  expect_sound();
  step(n(1), received(n(2), n(1), raft::AppendReply{Index(2), ReadSeq{}}), [&](FakeTurn& turn) {
    acknowledge_now(n(1), 2, Index(2));
    commit_to(n(1), turn, Index(2));
  });
  expect_root(Rung::D10);
}

TEST_F(LadderDelta, D11BreaksWhenAFollowerCommitsBeyondWhatTheAppendCovers) {
  lead_and_commit();
  propose(n(1));
  raft::AppendEntries append = append_for(n(1), n(3), Index(2));
  step(n(3), received(n(1), n(3), append), [&](FakeTurn& turn) {
    take_now(n(3), n(1), append, turn);
    n(3).state.commit = Index(3);
  });
  expect_root(Rung::D11);
}

/// An empty append says nothing about a stale suffix (scylla #9965, copycat #265).
TEST_F(LadderDelta, D11BreaksWhenAnEmptyAppendCommitsAStaleSuffix) {
  elect(1, 2);
  take(n(3), n(1), Index{});
  sync(n(3));
  stand(n(2));
  const raft::AppendEntries empty{{Term(1), Index(1)}, Index(2), {}, {}};
  step(n(3), received(n(2), n(3), empty), [&](FakeTurn&) {
    follow_now(n(3), n(2));
    n(3).state.commit = Index(2);
  });
  expect_root(Rung::D11);
}

TEST_F(LadderDelta, D11BreaksWhenACommitMovesWithoutAMessage) {
  lead_and_commit();
  step(n(2), Tick{}, [&](FakeTurn&) { n(2).state.commit = Index(2); });
  expect_root(Rung::D11);
}

TEST_F(LadderDelta, D11BreaksWhenAHeartbeatCarriesMoreThanTheMatch) {
  lead_and_commit();
  step(n(1), Tick{}, [&](FakeTurn& turn) { send(turn, n(1), 3, raft::Heartbeat{Index(2), ReadSeq{}}); });
  expect_root(Rung::D11);
}

/// CCF #6001: the acknowledgement names the end of the log instead of the end of the append.
TEST_F(LadderDelta, D12BreaksWhenMoreIsAcknowledgedThanWasAccepted) {
  elect(1, 2);
  take(n(3), n(1), Index{});
  sync(n(3));
  stand(n(2));
  const raft::AppendEntries empty{{Term(1), Index(1)}, Index{}, {}, {}};
  step(n(3), received(n(2), n(3), empty), [&](FakeTurn&) { follow_now(n(3), n(2)); });
  sync(n(3), [&](FakeTurn& turn) { send(turn, n(3), 2, raft::AppendReply{Index(2), ReadSeq{}}); });
  expect_root(Rung::D12);
}

TEST_F(LadderDelta, D13BreaksWhenAPreVoteRestartsTheTimer) {
  step(n(2), Tick{}, [&](FakeTurn&) { n(2).state.elapsed_ticks = 5; });
  step(n(2), raft::Receive{{id(3), id(2), Term(2), raft::RequestVote{n(3).log.last_id(), true, false}}},
       [&](FakeTurn&) { n(2).state.elapsed_ticks = 0; });
  expect_root(Rung::D13);
}

TEST_F(LadderDelta, D13BreaksWhenAPreVoteRaisesTheTerm) {
  step(n(2), raft::Receive{{id(3), id(2), Term(2), raft::RequestVote{n(3).log.last_id(), true, false}}},
       [&](FakeTurn&) { n(2).state.hard.term = Term(2); });
  expect_root(Rung::D13);
}

TEST_F(LadderDelta, D14BreaksWhenAVoteGoesToAnOlderLog) {
  lead_and_commit();
  stand(n(3));  // term 2, as the others
  stand(n(3));
  step(n(2), Tick{}, [&](FakeTurn&) { n(2).state.elapsed_ticks = 12; });
  step(n(2), received(n(3), n(2), raft::RequestVote{n(3).log.last_id(), false, false}),
       [&](FakeTurn&) { grant_now(n(2), n(3)); });
  expect_root(Rung::D14);
}

TEST_F(LadderDelta, D14BreaksWhenAVoteGoesAgainstALease) {
  lead_and_commit();
  replicate(n(1), n(3));
  stand(n(3));
  n(2).state.elapsed_ticks = 9;
  step(n(2), raft::Applied{});
  step(n(2), received(n(3), n(2), raft::RequestVote{n(3).log.last_id(), false, false}),
       [&](FakeTurn&) { grant_now(n(2), n(3)); });
  expect_root(Rung::D14);
}

TEST_F(LadderDelta, D14LetsATransferPassTheLease) {
  lead_and_commit();
  replicate(n(1), n(3));
  stand(n(3));
  step(n(2), received(n(3), n(2), raft::RequestVote{n(3).log.last_id(), false, true}),
       [&](FakeTurn&) { grant_now(n(2), n(3)); });
  expect_sound();
}

TEST_F(LadderDelta, D14BreaksWhenAVoteGoesToWhoDidNotAsk) {
  step(n(2), Tick{}, [&](FakeTurn&) { n(2).state.hard = HardState{Term(2), id(3)}; });
  expect_root(Rung::D14);
}

/// daos-stack/raft #70: a leader grants a PreVote.
TEST_F(LadderDelta, D14BreaksWhenALeaderGrantsAPreVote) {
  lead_and_commit();
  step(n(1), raft::Receive{{id(2), id(1), Term(3), raft::RequestVote{n(2).log.last_id(), true, false}}},
       [&](FakeTurn& turn) {
         turn.out.messages.push_back({id(1), id(2), Term(3), raft::VoteReply{true, true}});
       });
  expect_root(Rung::D14);
}

TEST_F(LadderDelta, D16BreaksWhenApplyingSkipsAnIndex) {
  lead_and_commit();
  step(n(1), Tick{}, [&](FakeTurn& turn) {
    n(1).log.slices(Index(2), Index(2), turn.out.apply);
    n(1).state.handed = Index(2);
  });
  expect_root(Rung::D16);
}

TEST_F(LadderDelta, D17BreaksWhenACoreBelievesAWriteThatNobodyConfirmed) {
  step(n(2), raft::Campaign{}, [&](FakeTurn&) { stand_now(n(2)); });
  step(n(2), Tick{}, [&](FakeTurn&) { n(2).state.written = n(2).state.issued; });
  expect_root(Rung::D17);
}

TEST_F(LadderDelta, D17BreaksWhenAWriteNumberComesAgain) {
  n(2).writes_itself = false;
  step(
      n(2), raft::Campaign{}, [&](FakeTurn&) { stand_now(n(2)); },
      [&](FakeTurn& turn) {
        turn.out.write.seq = raft::WriteSeq(1);
        turn.out.write.hard = n(2).state.hard;
      });
  expect_root(Rung::D17);
}

TEST_F(LadderDelta, D17BreaksWhenDFallsWithoutATruncation) {
  lead_and_commit();
  step(n(2), Tick{}, [&](FakeTurn&) { n(2).state.durable = Index(1); });
  expect_root(Rung::D17);
}

TEST_F(LadderDelta, D19BreaksWhenAFaultyNodeSpeaks) {
  n(2).faulty = true;
  raft::Output output;
  output.fault = raft::Fault::write_failed;
  observe(n(2), {raft::WriteFailed{}}, output);
  observe(n(2), {Tick{}}, output);
  expect_sound();
  output.messages.push_back({id(2), id(1), Term(1), raft::HeartbeatReply{}});
  observe(n(2), {Tick{}}, output);
  expect_root(Rung::D19);
}

TEST_F(LadderDelta, D19BreaksWhenAFaultIsForgotten) {
  n(2).faulty = true;
  raft::Output output;
  output.fault = raft::Fault::write_failed;
  observe(n(2), {raft::WriteFailed{}}, output);
  output.fault.reset();
  observe(n(2), {Tick{}}, output);
  expect_root(Rung::D19);
}

TEST_F(LadderDelta, D21BreaksWhenATickBelowTheDeadlineSpeaks) {
  step(n(2), Tick{}, [&](FakeTurn& turn) {
    n(2).state.elapsed_ticks = 1;
    send(turn, n(2), 1, raft::VoteReply{false, false});
  });
  expect_root(Rung::D21);
}

}  // namespace
}  // namespace raftlab::invariants
