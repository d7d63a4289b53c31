#include "invariants/ladder_fixture.hpp"

#include <gtest/gtest.h>

/// L3 and L4: each rung breaks when the cluster or its history is broken.
namespace raftlab::invariants {
namespace {

using raft::HardState;
using raft::Index;
using raft::NodeId;
using raft::ReadSeq;
using raft::Term;
using raft::Tick;

class LadderCluster : public LadderTest {};

TEST_F(LadderCluster, G1BreaksWhenTwoLeadOneTerm) {
  elect(1, 2);
  stand(n(3));
  win(n(3), n(2));  // which had voted for n1
  expect_root(Rung::G1);
  EXPECT_TRUE(fired(Rung::G8));
  EXPECT_TRUE(fired(Rung::E1));
}

TEST_F(LadderCluster, G2BreaksWhenAMessageCarriesAnotherTerm) {
  elect(1, 2);
  step(n(2), received(n(1), n(2), raft::Heartbeat{}), [&](FakeTurn& turn) {
    follow_now(n(2), n(1));
    turn.out.messages.push_back({id(2), id(1), Term(1), raft::HeartbeatReply{}});
  });
  expect_root(Rung::G2);
}

TEST_F(LadderCluster, G2BreaksWhenAMessageSpeaksForAnother) {
  elect(1, 2);
  step(n(2), received(n(1), n(2), raft::Heartbeat{}), [&](FakeTurn& turn) {
    follow_now(n(2), n(1));
    turn.out.messages.push_back({id(3), id(1), Term(2), raft::HeartbeatReply{}});
  });
  expect_root(Rung::G2);
}

TEST_F(LadderCluster, G2BreaksWhenAnAcknowledgementIsOfATermThatIsNotDurable) {
  lead_and_commit();
  stand(n(3));
  stand(n(3));
  const raft::AppendEntries empty{{Term(2), Index(2)}, Index{}, {}, {}};
  step(n(2), received(n(3), n(2), empty), [&](FakeTurn& turn) {
    follow_now(n(2), n(3));
    send(turn, n(2), 3, raft::AppendReply{Index(2), ReadSeq{}});
  });
  expect_root(Rung::G2);
}

TEST_F(LadderCluster, G3BreaksWhenTwoLogsHaveDifferentEntriesOfOneTerm) {
  lead_and_commit();
  propose(n(1), 4, 1);
  take(n(3), pretender(1, 2, n(1), Index(2)), Index{});
  expect_root(Rung::G3);
  EXPECT_TRUE(fired(Rung::E3));
}

/// logcabin #160: an append that skips an index; the entries themselves are right.
TEST_F(LadderCluster, G3BreaksWhenLogsAgreeAtKButNotBelow) {
  lead_and_commit();
  propose(n(1), 4, 1);
  propose(n(1), 4, 2);
  FakeNode skipping = pretender(1, 2, n(1), Index(2), 2);  // the second command where the first should be
  skipping.log.append(Term(2), raft::EntryKind::command, std::vector<std::byte>(4, std::byte(2)));
  take(n(3), skipping, Index{});
  expect_root(Rung::G3);
}

TEST_F(LadderCluster, G4BreaksWhenTwoNodesCommitDifferentEntries) {
  lead_and_commit();
  take(n(3), pretender(2, 3, n(3), Index(1)), Index(2));
  expect_root(Rung::G4);
  EXPECT_TRUE(fired(Rung::E4));
}

/// A log that left the others has marks of its own, so that what follows is seen too.
TEST_F(LadderCluster, G4BreaksAboveABrokenLogMatching) {
  lead_and_commit();
  propose(n(1), 4, 1);
  sync(n(1));
  replicate(n(1), n(2));
  take(n(3), pretender(1, 2, n(1), Index(2)), Index(3));
  expect_above(Rung::G4, Rung::G3);
  EXPECT_TRUE(fired(Rung::E4));
}

TEST_F(LadderCluster, G5BreaksWhenALeaderCommitsWithoutAQuorumOnDisk) {
  elect(1, 2);
  acknowledge(n(1), n(2), Index(2));  // n2 never had it
  expect_root(Rung::G5);
  EXPECT_TRUE(fired(Rung::G14));
}

TEST_F(LadderCluster, G5BreaksWhenTheQuorumHeldAnotherVersion) {
  elect(1, 2);
  take(n(2), pretender(3, 3, n(2), Index(1)), Index{});
  sync(n(2));
  acknowledge(n(1), n(2), Index(2));
  expect_root(Rung::G5);
}

TEST_F(LadderCluster, G5CountsWhatADiskOnceHeld) {
  elect(1, 2);
  take(n(2), n(1), Index{});
  sync(n(2));
  take(n(2), pretender(3, 3, n(2), Index(1)), Index{});
  sync(n(2));
  acknowledge(n(1), n(2), Index(2));  // late, and still true
  expect_sound();
}

TEST_F(LadderCluster, G6BreaksWhenALaterLeaderLacksWhatAnEarlierOneCommits) {
  elect(1, 2);
  take(n(2), n(1), Index{});
  sync(n(2));
  stand(n(3));
  stand(n(3));
  win(n(3), n(2));  // n2 did not vote, as G13 says
  EXPECT_FALSE(fired(Rung::G6));
  acknowledge(n(1), n(2), Index(2));
  expect_root(Rung::G6);
  EXPECT_TRUE(fired(Rung::E5));
}

TEST_F(LadderCluster, G7BreaksWhenALogIsLongerInATermThanItsLeader) {
  lead_and_commit();
  take(n(3), pretender(1, 2, n(1), Index(2)), Index{});
  expect_root(Rung::G7);
}

TEST_F(LadderCluster, G8BreaksWhenATermThatHasEntriesIsWon) {
  lead_and_commit();
  crash(n(1));
  stand(n(3));
  win(n(3), n(2));
  expect_root(Rung::G8);
}

TEST_F(LadderCluster, G9BreaksWhenTheWinnerLacksACommittedEntry) {
  lead_and_commit();
  stand(n(3));
  stand(n(3));
  win(n(3), n(2));
  expect_above(Rung::G9, Rung::G6);
  EXPECT_TRUE(fired(Rung::E5));
}

TEST_F(LadderCluster, G10BreaksWhenStoresDiffer) {
  ladder_.store_digest(id(1), Index(1), 77);
  ladder_.store_digest(id(2), Index(1), 77);
  expect_sound();
  ladder_.store_digest(id(3), Index(1), 78);
  expect_root(Rung::G10);
}

TEST_F(LadderCluster, G10BreaksWhenAnotherEntryIsHandedToApply) {
  lead_and_commit();
  const FakeNode other = pretender(1, 2, n(1), Index(1));
  step(n(1), Tick{}, [&](FakeTurn& turn) {
    n(1).log.slices(Index(1), Index(1), turn.out.apply);
    turn.out.apply.push_back(other.log.slice_from(Index(2), 100));
    n(1).state.handed = Index(2);
  });
  expect_root(Rung::G10);
}

TEST_F(LadderCluster, G14BreaksWhenAMatchIsAboveWhatThePeerEverSynced) {
  lead_and_commit();
  acknowledge(n(1), n(3), Index(2));
  expect_root(Rung::G14);
}

// ---- The history -----------------------------------------------------------------------------------------------

/// The own vote was not durable: after the crash the term is run again.
TEST_F(LadderCluster, E1BreaksWhenATermIsWonAgainAfterACrash) {
  stand(n(1));
  grant(n(2), n(1));
  win(n(1), n(2));
  const HardState hard = n(1).state.hard;
  crash(n(1));
  restart(n(1), hard, Index(1));
  sync(n(1));
  step(n(1), raft::Campaign{}, [&](FakeTurn&) { n(1).state.role = raft::Role::candidate; });
  win(n(1), n(2));
  expect_root(Rung::E1);
}

TEST_F(LadderCluster, E2BreaksWhenANodeVotesAgainAfterACrash) {
  stand(n(1));
  stand(n(3));
  step(n(2), received(n(1), n(2), raft::RequestVote{n(1).log.last_id(), false, false}), [&](FakeTurn& turn) {
    grant_now(n(2), n(1));
    send(turn, n(2), 1, raft::VoteReply{false, true});
  });
  crash(n(2));
  restart(n(2), HardState{Term(1), NodeId{}}, Index(1));
  sync(n(2));
  grant(n(2), n(3));
  EXPECT_GT(ladder_.evaluations(Rung::E2), 0U);
  expect_above(Rung::E2, Rung::N18);
}

TEST_F(LadderCluster, E3BreaksWhenAnEntryOfOneIndexAndTermReturnsDifferent) {
  elect(1, 2);
  propose(n(1), 4, 1);
  const HardState hard = n(1).state.hard;
  crash(n(1));
  restart(n(1), hard, Index(2));
  sync(n(1));
  take(n(1), pretender(2, 2, n(1), Index(2)), Index{});
  expect_root(Rung::E3);
}

TEST_F(LadderCluster, E4BreaksWhenACommittedEntryReturnsDifferent) {
  lead_and_commit();
  crash(n(1));
  crash(n(2));
  take(n(3), pretender(2, 3, n(3), Index(1)), Index(2));
  expect_root(Rung::E4);
}

TEST_F(LadderCluster, E5BreaksWhenAnElectionOfLongAgoLackedWhatIsCommittedNow) {
  elect(1, 2);
  take(n(2), n(1), Index{});
  sync(n(2));
  stand(n(3));
  stand(n(3));
  win(n(3), n(2));
  crash(n(3));
  acknowledge(n(1), n(2), Index(2));
  expect_above(Rung::E5, Rung::G13);  // n2 did not vote
  EXPECT_GT(ladder_.evaluations(Rung::E5), 0U);
}

// ---- The full scan agrees --------------------------------------------------------------------------------------

TEST_F(LadderCluster, TheFullScanFindsNothingThatTheStepsDidNot) {
  lead_and_commit();
  replicate(n(1), n(3));
  ladder_.finish();
  for (FakeNode& node : nodes_) ladder_.scan(node.view());
  expect_sound();
  take(n(3), pretender(2, 3, n(1), Index(1)), Index{});
  ladder_.finish();
  expect_root(Rung::D6);
}

}  // namespace
}  // namespace raftlab::invariants
