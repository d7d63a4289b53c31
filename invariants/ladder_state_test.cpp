#include "invariants/ladder_fixture.hpp"

#include <gtest/gtest.h>

/// L0: each rung breaks when its state is broken.
namespace raftlab::invariants {
namespace {

using raft::Applied;
using raft::Index;
using raft::NodeId;
using raft::ReadSeq;
using raft::Term;
using raft::Tick;

class LadderState : public LadderTest {};

TEST_F(LadderState, N1BreaksWhenMoreIsAppliedThanHanded) {
  lead_and_commit();
  step(n(2), Applied{Index(1)}, [&](FakeTurn&) { n(2).state.applied = Index(1); });
  expect_root(Rung::N1);
}

TEST_F(LadderState, N1BreaksWhenCommitIsBehindTheEnd) {
  step(n(2), Tick{}, [&](FakeTurn&) { n(2).state.durable = Index(2); });
  expect_root(Rung::N1);
}

TEST_F(LadderState, N2BreaksWhenTheStateNamesAnotherEnd) {
  n(2).derives_last = false;
  step(n(2), Tick{}, [&](FakeTurn&) { n(2).state.last.index = Index(2); });
  expect_root(Rung::N2);
}

TEST_F(LadderState, N2BreaksWhenADeltaLeavesAHole) {
  lead_and_commit();
  step(n(1), raft::Propose{}, [&](FakeTurn& turn) {
    propose_now(n(1), turn, raft::EntryKind::command, 0);
    propose_now(n(1), turn, raft::EntryKind::command, 0);  // the delta names the second only
  });
  expect_root(Rung::N2);
}

TEST_F(LadderState, N3BreaksWhenATermFalls) {
  lead_and_commit();
  raft::Log other;
  other.append(Term(1), raft::EntryKind::configuration, raft::encode(configuration_));
  other.append(Term(1), raft::EntryKind::noop, {});
  other.append(Term(1), raft::EntryKind::noop, {});
  step(n(2), Tick{}, [&](FakeTurn& turn) {
    n(2).log = other;
    turn.appended_from = Index(3);
  });
  expect_root(Rung::N3);
}

TEST_F(LadderState, N4BreaksWhenTheTermIsBelowTheLogs) {
  lead_and_commit();
  step(n(2), Tick{}, [&](FakeTurn&) { n(2).state.hard.term = Term(1); });
  expect_root(Rung::N4);
}

TEST_F(LadderState, N5BreaksWhenTheIndexOfTermRunsIsNotThatOfTheEntries) {
  lead_and_commit();
  propose(n(1));
  raft::Log other;
  other.append(Term(1), raft::EntryKind::configuration, raft::encode(configuration_));
  other.append(Term(1), raft::EntryKind::noop, {});
  other.append(Term(2), raft::EntryKind::noop, {});
  step(n(1), Tick{}, [&](FakeTurn&) { n(1).log = other; });
  expect_root(Rung::N5);
}

TEST_F(LadderState, N6BreaksWhenALeaderDidNotVoteForItself) {
  elect(1, 2);
  step(n(1), Tick{}, [&](FakeTurn&) { n(1).state.leader = NodeId{}; });
  expect_root(Rung::N6);
}

TEST_F(LadderState, N6BreaksWhenAVoterHasNoDeadlineWithinTwoTimeouts) {
  step(n(2), Tick{}, [&](FakeTurn&) { n(2).state.deadline_ticks = 21; });
  expect_root(Rung::N6);
}

TEST_F(LadderState, N6BreaksWhenAFollowerFollowsItself) {
  step(n(2), Tick{}, [&](FakeTurn&) { n(2).state.leader = id(2); });
  expect_root(Rung::N6);
}

TEST_F(LadderState, N7BreaksWhenANonVoterStands) {
  nodes_.emplace_back();
  start(n(4), 4, raft::bootstrap(configuration_));
  step(n(4), raft::Campaign{}, [&](FakeTurn&) { stand_now(n(4)); });
  expect_root(Rung::N7);
}

TEST_F(LadderState, N8BreaksWhenEntryOneIsNoConfiguration) {
  raft::Recovered found;
  found.hard.term = Term(1);
  raft::Slice entry = raft::Slice::make(Index(1), 1, 8);
  ASSERT_TRUE(entry.append(Term(1), raft::EntryKind::command, {}));
  found.entries.push_back(entry);
  nodes_.emplace_back();
  start(n(4), 4, found);
  expect_root(Rung::N8);
}

TEST_F(LadderState, N9BreaksWhenAConfigurationIsMissing) {
  n(2).configurations.pop_back();
  step(n(2), Tick{});
  expect_root(Rung::N9);
}

TEST_F(LadderState, N9BreaksInTheScanWhenAConfigurationHasOtherVoters) {
  n(2).configurations.back().configuration.voters.pop_back();
  step(n(2), Tick{});
  ladder_.scan(n(2).view());
  expect_root(Rung::N9);
}

TEST_F(LadderState, N12BreaksWhenNextIsNotAboveMatch) {
  lead_and_commit();
  step(n(1), Tick{}, [&](FakeTurn&) { n(1).peer(2).next = n(1).peer(2).match; });
  expect_root(Rung::N12);
}

TEST_F(LadderState, N12BreaksWhenNextIsBehindTheEnd) {
  lead_and_commit();
  step(n(1), Tick{}, [&](FakeTurn&) { n(1).peer(3).next = n(1).log.last().plus(2); });
  expect_root(Rung::N12);
}

TEST_F(LadderState, N12BreaksWhenAMemberIsNotTracked) {
  elect(1, 2);
  step(n(1), Tick{}, [&](FakeTurn&) { n(1).peers.pop_back(); });
  expect_root(Rung::N12);
}

TEST_F(LadderState, N12BreaksWhenTheOwnMatchIsNotDurable) {
  elect(1, 2);
  step(n(1), raft::Propose{}, [&](FakeTurn& turn) {
    propose_now(n(1), turn, raft::EntryKind::command, 0);
    n(1).peer(1).match = n(1).log.last();
    n(1).peer(1).next = n(1).log.last().next();
  });
  expect_root(Rung::N12);
}

TEST_F(LadderState, N12BreaksWhenAProbeHasAWindow) {
  elect(1, 2);
  step(n(1), Tick{}, [&](FakeTurn&) { n(1).peer(3).window.add(Index(1), 0); });
  expect_root(Rung::N12);
}

TEST_F(LadderState, N12BreaksWhenTheWindowIsTooLong) {
  lead_and_commit();
  for (int i = 0; i < 5; ++i) propose(n(1), 0);
  step(n(1), Tick{}, [&](FakeTurn&) {
    for (std::uint64_t at = 3; at <= 7; ++at) n(1).peer(2).window.add(Index(at), 0);
    n(1).peer(2).next = Index(8);
  });
  ladder_.scan(n(1).view());
  expect_root(Rung::N12);
}

TEST_F(LadderState, N13BreaksWhenAQuorumHoldsMoreThanIsCommitted) {
  elect(1, 2);
  take(n(2), n(1), Index{});
  sync(n(2));
  step(n(1), received(n(2), n(1), raft::AppendReply{Index(2), ReadSeq{}}),
       [&](FakeTurn&) { acknowledge_now(n(1), 2, Index(2)); });
  expect_root(Rung::N13);
}

TEST_F(LadderState, N14BreaksWhenANonVotersVoteCounts) {
  stand(n(1));
  step(n(1), Tick{}, [&](FakeTurn&) { n(1).granted = {id(1), id(9)}; });
  expect_root(Rung::N14);
}

TEST_F(LadderState, N14BreaksWhenAVoteCountsTwice) {
  stand(n(1));
  step(n(1), Tick{}, [&](FakeTurn&) { n(1).granted = {id(1), id(1)}; });
  expect_root(Rung::N14);
}

TEST_F(LadderState, N14BreaksWhenAVoteIsGrantedAndRefused) {
  stand(n(1));
  step(n(1), Tick{}, [&](FakeTurn&) { n(1).refused = {id(1)}; });
  expect_root(Rung::N14);
}

TEST_F(LadderState, N14BreaksWhenAWinnerStillStands) {
  stand(n(1));
  step(n(1), Tick{}, [&](FakeTurn&) { n(1).granted = {id(1), id(2)}; });
  expect_root(Rung::N14);
}

TEST_F(LadderState, N14BreaksWhenALoserStillStands) {
  stand(n(1));
  step(n(1), Tick{}, [&](FakeTurn&) { n(1).refused = {id(2), id(3)}; });
  expect_root(Rung::N14);
}

TEST_F(LadderState, N15BreaksWhenUncommittedBytesLeak) {
  lead_and_commit();
  propose(n(1), 4);
  sync(n(1));
  take(n(2), n(1), Index(2));
  sync(n(2));
  step(n(1), received(n(2), n(1), raft::AppendReply{Index(3), ReadSeq{}}), [&](FakeTurn& turn) {
    acknowledge_now(n(1), 2, Index(3));
    commit_now(n(1), turn);
    n(1).uncommitted_bytes += 4;
  });
  expect_root(Rung::N15);
}

TEST_F(LadderState, N15BreaksBeyondTheLimitAndOneEntry) {
  elect(1, 2);
  for (int i = 0; i < 4; ++i) propose(n(1), 17);
  expect_sound();
  propose(n(1), 17);
  expect_root(Rung::N15);
}

TEST_F(LadderState, N16BreaksWhenAReadWaitsForWhatIsNotCommitted) {
  lead_and_commit();
  step(n(1), raft::Read{}, [&](FakeTurn&) { n(1).reads.push_back({1, ReadSeq(1), Index(3)}); });
  expect_root(Rung::N16);
}

TEST_F(LadderState, N16BreaksWhenAReadIsAcceptedBeforeTheTermHasCommitted) {
  elect(1, 2);
  step(n(1), raft::Read{}, [&](FakeTurn&) { n(1).reads.push_back({1, ReadSeq(1), Index(0)}); });
  expect_root(Rung::N16);
}

TEST_F(LadderState, N16BreaksWhenARoundIsConfirmedThatWasNotIssued) {
  lead_and_commit();
  step(n(1), raft::Read{}, [&](FakeTurn&) {
    n(1).reads.push_back({1, ReadSeq(1), Index(2)});
    n(1).state.read_confirmed = ReadSeq(1);
  });
  expect_root(Rung::N16);
}

TEST_F(LadderState, N16BreaksWhenAReadIsServedBeforeItsIndexIsApplied) {
  lead_and_commit();
  step(n(1), Tick{}, [&](FakeTurn& turn) { turn.out.reads.push_back({1, Index(2)}); });
  expect_root(Rung::N16);
}

TEST_F(LadderState, N17BreaksWhenATermIsNotWritten) {
  n(2).writes_itself = false;
  step(n(2), raft::Campaign{}, [&](FakeTurn&) { stand_now(n(2)); });
  expect_root(Rung::N17);
}

TEST_F(LadderState, N17BreaksWhenAnEntryIsNotWritten) {
  elect(1, 2);
  n(1).writes_itself = false;
  propose(n(1));
  expect_root(Rung::N17);
}

TEST_F(LadderState, N17BreaksWhenAWriteCarriesOtherEntries) {
  elect(1, 2);
  n(1).writes_itself = false;
  step(
      n(1), raft::Propose{}, [&](FakeTurn& turn) { propose_now(n(1), turn, raft::EntryKind::command, 4, 1); },
      [&](FakeTurn& turn) {
        n(1).state.issued = n(1).state.issued.next();
        turn.out.write.seq = n(1).state.issued;
        turn.out.write.entries = {pretender(1, 2, n(1), Index(2)).log.slice_from(Index(3), 100)};
      });
  expect_root(Rung::N17);
}

TEST_F(LadderState, N18BreaksWhenAVoteIsRequestedBeforeItIsDurable) {
  step(n(1), raft::Campaign{}, [&](FakeTurn& turn) {
    stand_now(n(1));
    send(turn, n(1), 2, raft::RequestVote{n(1).log.last_id(), false, false});
  });
  expect_root(Rung::N18);
}

TEST_F(LadderState, N18BreaksWhenAVoteRequestAdvertisesAnEntryThatIsNotDurable) {
  lead_and_commit();
  step(n(3), raft::Campaign{}, [&](FakeTurn&) { stand_now(n(3)); });
  sync(n(3));
  const raft::LogId not_on_disk = n(1).log.last_id();
  step(n(3), Tick{}, [&](FakeTurn& turn) {
    send(turn, n(3), 2, raft::RequestVote{not_on_disk, false, false});
  });
  expect_root(Rung::N18);
}

TEST_F(LadderState, N18BreaksWhenAVoteIsGrantedBeforeItIsDurable) {
  stand(n(1));
  step(n(2), received(n(1), n(2), raft::RequestVote{n(1).log.last_id(), false, false}), [&](FakeTurn& turn) {
    grant_now(n(2), n(1));
    send(turn, n(2), 1, raft::VoteReply{false, true});
  });
  expect_root(Rung::N18);
}

TEST_F(LadderState, N18BreaksWhenAnAppendIsAcknowledgedBeforeItIsDurable) {
  elect(1, 2);
  const raft::AppendEntries append = append_for(n(1), n(2), Index{});
  step(n(2), received(n(1), n(2), append), [&](FakeTurn& turn) {
    take_now(n(2), n(1), append, turn);
    send(turn, n(2), 1, raft::AppendReply{Index(2), ReadSeq{}});
  });
  expect_root(Rung::N18);
}

/// ABA: the disk holds index 2, but of the log before the truncation.
TEST_F(LadderState, N18BreaksWhenAnAcknowledgementMeansAnotherVersionOfTheLog) {
  elect(1, 2);
  take(n(3), n(1), Index{});
  sync(n(3));
  const FakeNode other = pretender(2, 3, n(2), Index(1));
  const raft::AppendEntries append = append_for(other, n(3), Index{});
  step(n(3), received(other, n(3), append), [&](FakeTurn& turn) { take_now(n(3), other, append, turn); });
  ladder_.durable(id(3), raft::WriteSeq(2));  // an old write
  step(n(3), Tick{}, [&](FakeTurn& turn) { send(turn, n(3), 2, raft::AppendReply{Index(2), ReadSeq{}}); });
  expect_root(Rung::N18);
}

TEST_F(LadderState, N18BreaksWhenALeaderSpeaksBeforeItsOwnVoteIsDurable) {
  lead_and_commit();
  step(n(1), raft::Campaign{}, {}, [&](FakeTurn& turn) {
    turn.out.messages.push_back({id(1), id(2), n(1).term().next(), raft::Heartbeat{Index{}, ReadSeq{}}});
  });
  expect_root(Rung::N18);
  EXPECT_TRUE(fired(Rung::G2));
}

TEST_F(LadderState, N18BreaksWhenANodeLeadsBeforeItsOwnVoteIsDurable) {
  step(n(1), raft::Campaign{}, [&](FakeTurn&) { stand_now(n(1)); });
  win(n(1), n(2));
  expect_root(Rung::N18);
}

TEST_F(LadderState, N18HoldsForWhatNeedsNoDisk) {
  elect(1, 2);
  step(n(3), received(n(1), n(3), raft::Heartbeat{}), [&](FakeTurn& turn) {
    follow_now(n(3), n(1));
    send(turn, n(3), 1, raft::HeartbeatReply{});
    send(turn, n(3), 1, raft::AppendReject{});
    send(turn, n(3), 2, raft::VoteReply{false, false});
  });
  expect_sound();
}

TEST_F(LadderState, N19BreaksWhenAnIndexIsHandedTwice) {
  lead_and_commit();
  const auto hand = [&](FakeTurn& turn) {
    n(1).log.slices(Index(1), Index(2), turn.out.apply);
    n(1).state.handed = Index(2);
  };
  step(n(1), Tick{}, hand);
  expect_sound();
  step(n(1), Tick{}, hand);
  expect_root(Rung::N19);
}

TEST_F(LadderState, N19BreaksWhenWhatIsHandedIsNotDurable) {
  lead_and_commit();
  propose(n(1));
  const raft::AppendEntries append = append_for(n(1), n(2), Index(2));
  step(n(2), received(n(1), n(2), append), [&](FakeTurn& turn) {
    take_now(n(2), n(1), append, turn);
    n(2).log.slices(Index(1), Index(3), turn.out.apply);
    n(2).state.handed = Index(3);
  });
  EXPECT_TRUE(fired(Rung::N19)) << told_text();
  expect_above(Rung::N19, Rung::N1);  // handed <= C is broken as well
}

TEST_F(LadderState, N19BreaksWhenACommittedIndexIsHandedBeforeItIsDurable) {
  lead_and_commit();
  const raft::AppendEntries append = append_for(n(1), n(3), Index(2));
  step(n(3), received(n(1), n(3), append), [&](FakeTurn& turn) {
    take_now(n(3), n(1), append, turn);
    n(3).log.slices(Index(1), Index(2), turn.out.apply);
    n(3).state.handed = Index(2);
  });
  expect_root(Rung::N19);
}

}  // namespace
}  // namespace raftlab::invariants
