#include "invariants/ladder_fixture.hpp"

#include <gtest/gtest.h>

/// What the rungs say of snapshots: each breaks when it should, and none breaks on what is right.
namespace raftlab::invariants {
namespace {

using raft::Index;
using raft::LogId;
using raft::NodeId;
using raft::ReadSeq;
using raft::SnapshotStored;
using raft::SnapshotTaken;
using raft::Term;
using raft::Tick;

class LadderSnapshot : public LadderTest {
 protected:
  static constexpr LogId at5{Term(2), Index(5)};
  static raft::SnapshotReply installed(std::uint64_t last) { return {Index(last), 0, true}; }
  /// n3 has an entry of a term 1 that nobody else has, on its disk.
  void give_n3_a_stray_entry() {
    take(n(3), pretender(2, 3, n(3), Index(1)), Index{});
    sync(n(3));
  }
};

TEST_F(LadderSnapshot, HoldsForSnapshotsThatAreTakenSentInstalledAndRecovered) {
  lead_and_compact();
  sync(n(1));
  ladder_.snapshot(id(3), at5, configuration_, 0);
  install(n(3), at5);
  sync(n(3), [&](FakeTurn& turn) { send(turn, n(3), 1, installed(5)); });
  restored(n(3));
  step(n(1), received(n(3), n(1), installed(5)), [&](FakeTurn&) {
    n(1).peer(3).match = Index(5);
    n(1).peer(3).become_replicate();
  });
  replicate(n(1), n(3));
  apply_all(n(3));
  take_snapshot(n(3), Index(6), Index(6));
  sync(n(3));
  crash(n(3));
  restart(n(3), n(3).state.hard, Index(6));
  sync(n(3));
  elect(2, 3);
  for (FakeNode& node : nodes_) ladder_.scan(node.view());
  ladder_.finish();
  expect_sound();
  for (const Rung rung : {Rung::D15, Rung::G11, Rung::R3, Rung::N12})
    EXPECT_GT(ladder_.evaluations(rung), 0U);
}

TEST_F(LadderSnapshot, HoldsWhenTheSuffixOfAMatchingLogStays) {
  lead_and_compact();
  sync(n(1));
  take(n(3), uncompacted(), Index{});
  install(n(3), at5);
  EXPECT_EQ(n(3).log.last(), Index(6));
  sync(n(3));
  expect_sound();
}

TEST_F(LadderSnapshot, HoldsForACrashBeforeAnInstallIsDurable) {
  lead_and_compact();
  give_n3_a_stray_entry();
  const FakeNode before = n(3);
  install(n(3), at5);
  const FakeNode after = n(3);
  const Ladder ladder = ladder_;
  crash(n(3));
  n(3) = before;
  restart(n(3), before.state.hard, Index(2));
  expect_sound();
  ladder_ = ladder;
  n(3) = after;
  crash(n(3));
  restart(n(3), after.state.hard, Index(5));
  expect_sound();
}

TEST_F(LadderSnapshot, N1BreaksWhenTheBaseIsAboveTheSnapshot) {
  lead_and_compact();
  step(n(1), SnapshotTaken{at5}, [&](FakeTurn& turn) {
    n(1).log.compact(Index(6));
    turn.checkpoint_due = true;
  });
  expect_root(Rung::N1);
}

TEST_F(LadderSnapshot, N1BreaksWhenASnapshotCoversWhatIsNotApplied) {
  lead_and_compact();
  take_snapshot(n(2), Index(5), Index(4));
  expect_root(Rung::N1);
}

TEST_F(LadderSnapshot, N1HoldsWhileAnInstalledSnapshotIsRestored) {
  lead_and_compact();
  install(n(3), at5);
  step(n(3), Tick{});
  expect_sound();
}

TEST_F(LadderSnapshot, N2BreaksWhenTheLogDoesNotBeginBehindItsBase) {
  lead_and_compact();
  raft::Log gap(LogId{Term(2), Index(4)});
  raft::Slice six = raft::Slice::make(Index(6), 4, 64);
  ASSERT_TRUE(six.append(Term(2), raft::EntryKind::command, std::vector<std::byte>(2, std::byte(3))));
  // The entry of index 5 is missing.
  n(1).log = raft::Log(LogId{Term(2), Index(5)});
  n(1).log.append(six);
  n(1).derives_last = false;
  step(n(1), Tick{});
  ladder_.scan(n(1).view());
  EXPECT_TRUE(fired(Rung::N2)) << told_text();
  expect_above(Rung::N2, Rung::N1);  // nor is the base that which it says
}

TEST_F(LadderSnapshot, N3BreaksWhenASnapshotHasAnotherTermThanTheLog) {
  lead_and_compact();
  apply_all(n(1));
  const LogId wrong{Term(1), Index(6)};
  step(n(1), SnapshotTaken{wrong},
       [&](FakeTurn& turn) { start_behind(n(1), wrong, configuration_, Index(4), turn); });
  expect_root(Rung::N3);
  EXPECT_TRUE(fired(Rung::G11));
}

TEST_F(LadderSnapshot, N5BreaksWhenTheRunsBehindTheBaseAreWrong) {
  lead_and_compact();
  sync(n(1));
  raft::Log other(n(1).log.base());
  other.append(Term(2), raft::EntryKind::command, std::vector<std::byte>(2));
  other.append(Term(3), raft::EntryKind::command, std::vector<std::byte>(2));
  n(1).log = other;
  n(1).derives_last = false;
  step(n(1), Tick{});
  expect_root(Rung::N5);
}

TEST_F(LadderSnapshot, N9BreaksWhenASnapshotForgetsTheConfiguration) {
  lead_and_compact();
  apply_all(n(1));
  step(n(1), SnapshotTaken{{Term(2), Index(6)}}, [&](FakeTurn& turn) {
    take_snapshot_now(n(1), Index(6), Index(4), turn);
    n(1).configurations.clear();
    n(1).configurations.push_back({Index(6), raft::voters_up_to(2)});
  });
  expect_root(Rung::N9);
}

TEST_F(LadderSnapshot, N12BreaksWhenAPeerIsSentWhatIsCompactedAway) {
  lead_and_compact();
  apply_all(n(1));
  step(n(1), SnapshotTaken{{Term(2), Index(6)}}, [&](FakeTurn& turn) {
    take_snapshot_now(n(1), Index(6), Index(6), turn);
    n(1).peer(3).become_probe(Index(3));
  });
  expect_root(Rung::N12);
}

TEST_F(LadderSnapshot, N12BreaksWhenASnapshotIsSentThatTheLeaderDoesNotHave) {
  lead_and_compact();
  sync(n(1));
  step(n(1), Tick{}, [&](FakeTurn&) { n(1).peer(3).become_snapshot({Term(2), Index(6)}); });
  expect_root(Rung::N12);
}

TEST_F(LadderSnapshot, N12BreaksWhenAppendsAreInFlightToWhoWaitsForASnapshot) {
  lead_and_compact();
  sync(n(1));
  step(n(1), Tick{}, [&](FakeTurn&) { n(1).peer(3).window.add(Index(5), 0); });
  expect_root(Rung::N12);
}

TEST_F(LadderSnapshot, N12BreaksWhenThePeerHoldsMoreThanTheSnapshotThatItIsSent) {
  lead_and_compact();
  sync(n(1));
  replicate(n(1), n(2));
  take(n(3), uncompacted(), Index{});
  sync(n(3));
  step(n(1), received(n(3), n(1), raft::AppendReply{Index(6), ReadSeq{}}),
       [&](FakeTurn&) { n(1).peer(3).match = Index(6); });
  expect_root(Rung::N12);
}

TEST_F(LadderSnapshot, N17BreaksWhenACompactionIsNotWritten) {
  lead_and_compact();
  apply_all(n(1));
  n(1).writes_itself = false;
  take_snapshot(n(1), Index(6), Index(6));
  expect_root(Rung::N17);
}

TEST_F(LadderSnapshot, N17BreaksWhenACheckpointLeavesEntriesOut) {
  lead_and_compact();
  apply_all(n(1));
  step(
      n(1), SnapshotTaken{{Term(2), Index(6)}},
      [&](FakeTurn& turn) { take_snapshot_now(n(1), Index(6), Index(4), turn); },
      [&](FakeTurn& turn) { turn.out.write.entries.clear(); });
  expect_root(Rung::N17);
}

TEST_F(LadderSnapshot, N18BreaksWhenASnapshotIsAcknowledgedBeforeItsCheckpointIsDurable) {
  lead_and_compact();
  install(n(3), at5, [&](FakeTurn& turn) { send(turn, n(3), 1, installed(5)); });
  expect_root(Rung::N18);
}

/// The log is reset in memory, and the entries that an append would acknowledge are only under the snapshot.
TEST_F(LadderSnapshot, N18BreaksWhenAnAppendBelowASnapshotIsAcknowledgedBeforeItsCheckpointIsDurable) {
  lead_and_compact();
  install(n(3), at5);
  step(n(3), received(n(1), n(3), raft::AppendEntries{}), [&](FakeTurn& turn) {
    send(turn, n(3), 1, raft::AppendReply{Index(5), ReadSeq{}});
  });
  expect_root(Rung::N18);
}

TEST_F(LadderSnapshot, N18BreaksWhenASnapshotIsSentByWhoDoesNotLead) {
  lead_and_compact();
  step(n(2), Tick{}, {}, [&](FakeTurn& turn) { turn.out.chunks_to_send.push_back({id(3), Term(2), {}, 0}); });
  expect_root(Rung::N18);
}

TEST_F(LadderSnapshot, N19BreaksWhenWhatStandsBehindASnapshotIsHandedBeforeItIsDurable) {
  lead_and_compact();
  install(n(3), at5);
  const raft::AppendEntries append = append_for(n(1), n(3), Index(6));
  step(n(3), received(n(1), n(3), append), [&](FakeTurn& turn) {
    take_now(n(3), n(1), append, turn);
    n(3).log.slices(Index(6), Index(6), turn.out.apply);
    n(3).state.handed = Index(6);
  });
  expect_root(Rung::N19);
}

TEST_F(LadderSnapshot, D5BreaksWhenTheSnapshotFalls) {
  lead_and_compact();
  step(n(1), SnapshotTaken{{Term(2), Index(4)}}, [&](FakeTurn& turn) {
    n(1).state.snapshot = {Term(2), Index(4)};
    n(1).configurations.front().index = Index(4);
    turn.checkpoint_due = true;
  });
  EXPECT_TRUE(fired(Rung::D5)) << told_text();
}

TEST_F(LadderSnapshot, D6BreaksWhenAnInstallCutsWhatIsCommitted) {
  lead_and_compact();
  take(n(3), uncompacted(), Index(6));
  install(n(3), {Term(2), Index(9)}, [&](FakeTurn& turn) { turn.truncated_from = Index(3); });
  EXPECT_TRUE(fired(Rung::D6)) << told_text();
}

TEST_F(LadderSnapshot, D7BreaksWhenALeaderThrowsItsLogAwayForASnapshot) {
  lead_and_commit();
  propose(n(1));
  const LogId other{Term(1), Index(3)};
  step(n(1), SnapshotStored{other, configuration_},
       [&](FakeTurn& turn) { install_now(n(1), other, configuration_, turn); });
  EXPECT_TRUE(fired(Rung::D7)) << told_text();
}

TEST_F(LadderSnapshot, D12HoldsWhenAnEarlierAcknowledgementLeavesWhileAnInstallIsOnItsWay) {
  lead_and_compact();
  take(n(3), uncompacted(), Index{});
  sync(n(3));
  install(n(3), at5, [&](FakeTurn& turn) {
    n(3).state.durable = Index(1);
    send(turn, n(3), 1, raft::AppendReply{Index(3), ReadSeq{}});
  });
  EXPECT_FALSE(fired(Rung::D12)) << told_text();
  EXPECT_FALSE(fired(Rung::N18)) << told_text();
}

TEST_F(LadderSnapshot, D15BreaksWhenASnapshotIsInstalledBelowTheCommitIndex) {
  lead_and_compact();
  take(n(2), n(1), Index(6));
  step(n(2), SnapshotStored{at5, configuration_}, [&](FakeTurn& turn) {
    start_behind(n(2), at5, configuration_, Index{}, turn);
    turn.out.restore = at5;
    turn.installed = true;
  });
  EXPECT_TRUE(fired(Rung::D15)) << told_text();
}

TEST_F(LadderSnapshot, D15BreaksWhenAMatchingSuffixIsDropped) {
  lead_and_compact();
  take(n(3), uncompacted(), Index{});
  step(n(3), SnapshotStored{at5, configuration_}, [&](FakeTurn& turn) {
    turn.truncated_from = Index(6);
    n(3).log = raft::Log(at5);
    install_now(n(3), at5, configuration_, turn);
  });
  expect_root(Rung::D15);
}

TEST_F(LadderSnapshot, D15BreaksWhenALogStaysThatDoesNotMatch) {
  lead_and_compact();
  take(n(3), uncompacted(), Index{});
  install(n(2), {Term(1), Index(7)}, [&](FakeTurn&) { n(2).log = n(3).log; });
  EXPECT_TRUE(fired(Rung::D15)) << told_text();
}

TEST_F(LadderSnapshot, D15BreaksWhenCommitDoesNotMoveToTheSnapshot) {
  lead_and_compact();
  install(n(3), at5, [&](FakeTurn&) { n(3).state.handed = Index(4); });
  expect_above(Rung::D15, Rung::D15);
}

TEST_F(LadderSnapshot, D15BreaksWhenASnapshotComesFromNowhere) {
  lead_and_compact();
  apply_all(n(1));
  step(n(1), Tick{}, [&](FakeTurn& turn) { take_snapshot_now(n(1), Index(6), Index(4), turn); });
  expect_root(Rung::D15);
}

TEST_F(LadderSnapshot, D16BreaksWhenTheStateMachineIsNotRestored) {
  lead_and_compact();
  install(n(3), at5, [&](FakeTurn& turn) { turn.out.restore.reset(); });
  expect_root(Rung::D16);
}

TEST_F(LadderSnapshot, D16BreaksWhenApplyingDoesNotStartBehindTheSnapshot) {
  lead_and_compact();
  install(n(3), at5);
  sync(n(3));
  restored(n(3));
  propose(n(1));
  const raft::AppendEntries append = append_for(n(1), n(3), Index(6));
  step(n(3), received(n(1), n(3), append), [&](FakeTurn& turn) { take_now(n(3), n(1), append, turn); });
  ASSERT_EQ(n(3).log.last(), Index(7));
  sync(n(3), [&](FakeTurn& turn) {
    n(3).state.commit = Index(6);
    n(3).log.slices(Index(7), Index(7), turn.out.apply);
    n(3).state.handed = Index(6);
  });
  EXPECT_TRUE(fired(Rung::D16)) << told_text();
}

TEST_F(LadderSnapshot, R1BreaksWhenACheckpointIsHalfThere) {
  lead_and_compact();
  const raft::LogId base = n(1).log.base();
  crash(n(1));
  raft::Recovered found =
      recovered(n(1), n(1).state.hard, Index(5));  // the entry behind the snapshot is missing
  EXPECT_EQ(found.base, base);
  start(n(1), 1, found);
  expect_root(Rung::R1);
}

TEST_F(LadderSnapshot, R1BreaksWhenTheLogFromBeforeADurableCheckpointReturns) {
  lead_and_commit();
  for (int i = 0; i < 4; ++i) propose(n(1), 2, i);
  sync(n(1));
  replicate(n(1), n(2));
  apply_all(n(1));
  const FakeNode old = n(1);
  take_snapshot(n(1), Index(5), Index(4));
  sync(n(1));
  crash(n(1));
  n(1) = old;
  restart(n(1), old.state.hard, Index(6));
  expect_root(Rung::R1);
}

TEST_F(LadderSnapshot, R3BreaksWhenAnAcknowledgedSnapshotIsGone) {
  lead_and_compact();
  const FakeNode before = n(3);
  install(n(3), at5, [&](FakeTurn& turn) { send(turn, n(3), 1, installed(5)); });
  crash(n(3));
  n(3) = before;
  restart(n(3), before.state.hard, Index(1));
  EXPECT_FALSE(fired(Rung::R1)) << told_text();
  expect_above(Rung::R3, Rung::N18);
}

TEST_F(LadderSnapshot, R3HoldsWhenASnapshotIsInstalledOverAnAcknowledgedEntry) {
  lead_and_compact();
  take(n(3), pretender(2, 3, n(3), Index(1)), Index{});
  sync(n(3), [&](FakeTurn& turn) { send(turn, n(3), 2, raft::AppendReply{Index(2), ReadSeq{}}); });
  const FakeNode before = n(3);
  install(n(3), at5);
  crash(n(3));
  n(3) = before;
  restart(n(3), before.state.hard, Index(2));
  expect_sound();
}

TEST_F(LadderSnapshot, R5BreaksWhenAReplayGivesAnotherStore) {
  lead_and_commit();
  apply_all(n(1));
  ladder_.store_digest(id(1), Index(2), 77);
  crash(n(1));
  restart(n(1), n(1).state.hard, Index(2));
  ladder_.store_digest(id(1), Index(1), 5);
  EXPECT_EQ(ladder_.evaluations(Rung::R5), 0U);  // nothing to compare with
  ladder_.store_digest(id(1), Index(2), 77);
  expect_sound();
  EXPECT_EQ(ladder_.evaluations(Rung::R5), 1U);
  ladder_.store_digest(id(1), Index(2), 78);
  expect_root(Rung::R5);
  EXPECT_TRUE(fired(Rung::G10));
}

TEST_F(LadderSnapshot, R5BreaksWhenARestoredStoreIsNotThatOfItsIndex) {
  lead_and_compact();
  ladder_.store_digest(id(1), Index(5), 77);
  install(n(3), at5);
  ladder_.store_digest(id(3), Index(5), 78);
  expect_root(Rung::R5);
}

TEST_F(LadderSnapshot, R7BreaksWhenDCoversAnInstallThatIsNotOnDisk) {
  lead_and_compact();
  install(n(3), at5);
  told(n(3));
  expect_root(Rung::R7);
}

TEST_F(LadderSnapshot, G3SeesThroughACompaction) {
  lead_and_compact();
  sync(n(1));
  install(n(3), at5);
  sync(n(3));
  FakeNode other = n(3);
  other.id = id(1);
  other.log.append(Term(2), raft::EntryKind::command, std::vector<std::byte>(2, std::byte(99)));
  take(n(3), other, Index{});
  expect_root(Rung::G3);
}

TEST_F(LadderSnapshot, G4BreaksWhenASnapshotIsNotWhatWasCommitted) {
  lead_and_compact();
  const LogId wrong{Term(1), Index(5)};
  install(n(3), wrong);
  EXPECT_TRUE(fired(Rung::E4)) << told_text();
  EXPECT_TRUE(fired(Rung::G11)) << told_text();
}

TEST_F(LadderSnapshot, G5CountsASnapshotOverTheEntry) {
  lead_and_commit();
  for (int i = 0; i < 4; ++i) propose(n(1), 2, i);
  sync(n(1));
  replicate(n(1), n(2));
  take(n(2), n(1), Index(6));
  apply_all(n(2));
  take_snapshot(n(2), Index(6), Index(6));
  sync(n(2));
  crash(n(1));
  restart(n(1), n(1).state.hard, Index(6));
  sync(n(1));
  elect(2, 1);
  replicate(n(2), n(1));
  EXPECT_EQ(n(2).state.commit, Index(7));
  expect_sound();
}

TEST_F(LadderSnapshot, G7CountsASnapshotOfTheTerm) {
  lead_and_compact();
  install(n(3), {Term(2), Index(9)});
  EXPECT_TRUE(fired(Rung::G7)) << told_text();
}

TEST_F(LadderSnapshot, G11BreaksWhenASnapshotIsAboveEveryCommitIndex) {
  lead_and_compact();
  step_down(n(1));
  install(n(3), {Term(2), Index(9)});
  expect_root(Rung::G11);
}

TEST_F(LadderSnapshot, G11BreaksWhenASnapshotHasAnotherConfiguration) {
  lead_and_compact();
  step(n(3), SnapshotStored{at5, raft::voters_up_to(2)},
       [&](FakeTurn& turn) { install_now(n(3), at5, raft::voters_up_to(2), turn); });
  expect_root(Rung::G11);
}

TEST_F(LadderSnapshot, G11BreaksWhenTheContentOfASnapshotIsNotTheStore) {
  lead_and_compact();
  ladder_.store_digest(id(1), Index(5), 77);
  ladder_.snapshot(id(1), at5, configuration_, 77);
  ladder_.snapshot(id(2), at5, configuration_, 0);
  expect_sound();
  ladder_.snapshot(id(3), at5, configuration_, 78);
  expect_root(Rung::G11);
}

TEST_F(LadderSnapshot, G14CountsASnapshotOverTheEntry) {
  lead_and_compact();
  sync(n(1));
  install(n(3), at5);
  step(n(1), received(n(3), n(1), installed(5)), [&](FakeTurn&) {
    n(1).peer(3).match = Index(5);
    n(1).peer(3).become_replicate();
  });
  expect_root(Rung::G14);  // its disk has none
}

}  // namespace
}  // namespace raftlab::invariants
