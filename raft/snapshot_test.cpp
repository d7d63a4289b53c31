#include "raft/core_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// §7 of the paper, chapter 5 of the thesis: what a snapshot means for the log, and who gets one.
namespace raftlab::raft {
namespace {

using namespace testing;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Options with_tail(std::uint64_t entries, Options options = plain()) {
  options.limits.tail_entries = entries;
  return options;
}

/// Everything that is committed is applied, and the core knows.
void apply_all(Driver& driver) { driver.step(Applied{driver.state().handed}); }

/// Leader of term 2 of three nodes; entries up to `last` are committed and applied, `tail` entries stay behind a snapshot.
Driver leader_up_to(std::uint64_t last, std::uint64_t tail) {
  Driver leader = leader_of(3, with_tail(tail));
  while (leader.state().last.index < Index(last)) leader.propose("x");
  leader.settle();
  leader.acknowledge_all(2);
  leader.acknowledge_all(3);
  apply_all(leader);
  return leader;
}

/// The leader's peer asks for what is compacted away: it refuses an append because it holds nothing from `last` on.
void refuse(Driver& leader, std::uint32_t peer, std::uint64_t last) {
  leader.receive(peer, 2, HeartbeatReply{});  // the probe is out, or goes out with this
  const Index asked = leader.peer(peer).next.previous();
  leader.receive(peer, 2, AppendReject{asked, id(last == 0 ? 0 : 1, last), ReadSeq{}});
}

/// A leader of term 2 whose log starts behind 20, and node 3, which has entry 1 only.
Driver leader_ahead_of_3() {
  Driver leader(with_tail(0), recovered(3, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
  leader.lead();
  leader.acknowledge_all(2);
  apply_all(leader);
  leader.step(SnapshotTaken{id(1, 20)});
  leader.settle();
  refuse(leader, 3, 1);
  return leader;
}

InstallSnapshot chunk(LogId last, std::uint64_t offset = 0) {
  return InstallSnapshot{last, offset, 100, 7, bytes("0123456789")};
}

// ---- Taking ----------------------------------------------------------------------------------------------------

TEST(SnapshotTakenRule, WhatTheSnapshotCoversIsCompactedAwayButForATail) {
  Driver leader = leader_up_to(20, 5);
  leader.step(SnapshotTaken{id(2, 18)});
  EXPECT_EQ(leader.state().snapshot, id(2, 18));
  EXPECT_EQ(leader.state().base, id(2, 13));
  EXPECT_EQ(leader.log().first(), Index(14));
  EXPECT_EQ(leader.log().last(), Index(20));
}

TEST(SnapshotTakenRule, TheTailIsBoundedByBytesToo) {
  Options options = with_tail(100);
  options.limits.tail_bytes = 3;  // of one byte each
  Driver leader = leader_of(1, options);
  for (int i = 0; i < 10; ++i) leader.propose("x");
  leader.settle();
  apply_all(leader);
  leader.step(SnapshotTaken{leader.state().last});
  EXPECT_EQ(leader.state().base.index, Index(leader.state().last.index.value() - 3));
}

TEST(SnapshotTakenRule, TheWriteRestatesEverything) {
  Driver leader = leader_up_to(20, 5);
  leader.step(std::vector<Input>{SnapshotTaken{id(2, 18)}, Propose{9, bytes("new")}});
  const Write& write = leader.out.write;
  ASSERT_TRUE(write.seq);
  ASSERT_TRUE(write.checkpoint);
  EXPECT_EQ(write.checkpoint->snapshot, id(2, 18));
  EXPECT_EQ(write.checkpoint->base, id(2, 13));
  EXPECT_EQ(write.checkpoint->configuration, voters_up_to(3));
  EXPECT_EQ(write.hard, (HardState{Term(2), node(1)}));
  EXPECT_EQ(write.truncate_from, Index{});
  ASSERT_THAT(write.entries, Not(IsEmpty()));
  EXPECT_EQ(write.entries.front().first_index(), Index(14));
  EXPECT_EQ(write.entries.back().last_index(), Index(21));
}

TEST(SnapshotTakenRule, WhatWasDurableStaysSoAndOnlyWhatIsNewWaits) {
  Driver leader = leader_up_to(20, 5);
  leader.step(std::vector<Input>{SnapshotTaken{id(2, 18)}, Propose{9, bytes("new")}});
  EXPECT_EQ(leader.state().durable, Index(20));
  leader.settle();
  EXPECT_EQ(leader.state().durable, Index(21));
}

TEST(SnapshotTakenRule, OneThatIsOlderThanThePresentOneIsOfNoUse) {
  Driver leader = leader_up_to(20, 0);
  leader.step(SnapshotTaken{id(2, 18)});
  for (const LogId last : {id(2, 18), id(2, 17), id(1, 1)}) {
    leader.step(SnapshotTaken{last});
    EXPECT_EQ(leader.state().snapshot, id(2, 18));
    EXPECT_FALSE(leader.out.write.seq);
  }
}

TEST(SnapshotTakenRule, OneOfWhatWasNotAppliedOrIsNotInTheLogIsRefused) {
  Driver leader = leader_up_to(20, 0);
  leader.propose("not applied");
  for (const LogId last : {id(2, 21), id(2, 22), id(1, 20)}) {
    const std::uint64_t dropped = leader.view().dropped;
    leader.step(SnapshotTaken{last});
    EXPECT_EQ(leader.state().snapshot, LogId{});
    EXPECT_EQ(leader.view().dropped, dropped + 1);
  }
}

TEST(SnapshotTakenRule, TheConfigurationsUpToItBecomeOne) {
  Driver leader = leader_up_to(20, 0);
  leader.step(SnapshotTaken{id(2, 18)});
  const auto configurations = leader.view().configurations;
  ASSERT_THAT(configurations, SizeIs(1));
  EXPECT_EQ(configurations[0].index, Index(18));
  EXPECT_EQ(configurations[0].configuration, voters_up_to(3));
}

TEST(SnapshotTakenRule, PeersInTheTailAreServedFromTheLog) {
  Driver leader = leader_up_to(20, 5);
  leader.step(SnapshotTaken{id(2, 20)});
  leader.settle();
  EXPECT_EQ(leader.log().entry(Index(16)).id, id(2, 16));
  EXPECT_EQ(leader.log().term_at(Index(15)), Term(2)) << "the base";
  EXPECT_EQ(leader.log().term_at(Index(14)), Term(0));
}

// ---- Recovery --------------------------------------------------------------------------------------------------

TEST(SnapshotRecovery, ANodeStartsBehindItsSnapshot) {
  Recovered recovered;
  recovered.hard.term = Term(3);
  recovered.snapshot = id(2, 8);
  recovered.base = id(2, 5);
  recovered.snapshot_configuration = voters_up_to(3);
  recovered.entries.push_back(entries(6, {2, 2, 2, 3, 3}));
  const Driver node(plain(), recovered);
  EXPECT_EQ(node.state().commit, Index(8));
  EXPECT_EQ(node.state().applied, Index(8));
  EXPECT_EQ(node.state().handed, Index(8));
  EXPECT_EQ(node.state().snapshot, id(2, 8));
  EXPECT_EQ(node.state().base, id(2, 5));
  EXPECT_EQ(node.state().last, id(3, 10));
  ASSERT_THAT(node.view().configurations, SizeIs(1));
}

TEST(SnapshotRecovery, ASnapshotThatTheLogDoesNotHoldIsRefused) {
  Recovered recovered;
  recovered.hard.term = Term(3);
  recovered.base = id(2, 5);
  recovered.snapshot_configuration = voters_up_to(3);
  recovered.entries.push_back(entries(6, {2, 2, 2}));
  for (const LogId snapshot : {id(2, 9), id(3, 8), id(2, 4), id(1, 5)}) {
    recovered.snapshot = snapshot;
    const auto result = Core::recover(plain(), recovered);
    ASSERT_TRUE(std::holds_alternative<RecoverError>(result)) << snapshot;
    EXPECT_EQ(std::get<RecoverError>(result), RecoverError::gap);
  }
}

TEST(SnapshotRecovery, ConfigurationsInTheTailAreInTheSnapshotsAlready) {
  Recovered recovered;
  recovered.hard.term = Term(2);
  recovered.snapshot = id(1, 2);
  recovered.snapshot_configuration = voters_up_to(5);
  Slice tail = Slice::make(Index(1), 3, 4096);
  ASSERT_TRUE(tail.append(Term(1), EntryKind::configuration, encode(voters_up_to(3))));
  ASSERT_TRUE(tail.append(Term(1), EntryKind::configuration, encode(voters_up_to(5))));
  ASSERT_TRUE(tail.append(Term(2), EntryKind::configuration, encode(voters_up_to(4))));
  recovered.entries.push_back(tail);
  const Driver node(plain(), recovered);
  ASSERT_THAT(node.view().configurations, SizeIs(2));
  EXPECT_EQ(node.view().configurations[0], (ConfigurationAt{Index(2), voters_up_to(5)}));
  EXPECT_EQ(node.view().configurations[1], (ConfigurationAt{Index(3), voters_up_to(4)}));
}

// ---- Leader ----------------------------------------------------------------------------------------------------

TEST(SnapshotLeader, WhoNeedsWhatIsCompactedAwayGetsTheSnapshot) {
  Driver leader = leader_ahead_of_3();
  EXPECT_EQ(leader.peer(3).state, ProgressState::snapshot);
  EXPECT_EQ(leader.peer(3).snapshot, id(1, 20));
  ASSERT_THAT(leader.out.chunks_to_send, SizeIs(1));
  EXPECT_EQ(leader.out.chunks_to_send[0].peer, node(3));
  EXPECT_EQ(leader.out.chunks_to_send[0].last, id(1, 20));
  EXPECT_EQ(leader.out.chunks_to_send[0].offset, 0U);
  EXPECT_EQ(leader.out.chunks_to_send[0].term, Term(2));
}

TEST(SnapshotLeader, OneChunkIsOutAtATime) {
  Driver leader = leader_ahead_of_3();
  leader.propose("more");
  EXPECT_THAT(leader.out.chunks_to_send, IsEmpty());
  leader.receive(3, 2, SnapshotReply{Index(20), 40, false});
  ASSERT_THAT(leader.out.chunks_to_send, SizeIs(1));
  EXPECT_EQ(leader.out.chunks_to_send[0].offset, 40U);
  leader.receive(3, 2, SnapshotReply{Index(20), 40, false});
  EXPECT_THAT(leader.out.chunks_to_send, IsEmpty()) << "a duplicate";
}

TEST(SnapshotLeader, ALostChunkIsSentAgainAfterTheNextSignOfLife) {
  Driver leader = leader_ahead_of_3();
  leader.receive(3, 2, HeartbeatReply{});
  ASSERT_THAT(leader.out.chunks_to_send, SizeIs(1));
  EXPECT_EQ(leader.out.chunks_to_send[0].offset, 0U);
}

TEST(SnapshotLeader, APeerThatLostWhatItHadStartsAgain) {
  Driver leader = leader_ahead_of_3();
  leader.receive(3, 2, SnapshotReply{Index(20), 40, false});
  leader.receive(3, 2, SnapshotReply{Index(20), 0, false});
  ASSERT_THAT(leader.out.chunks_to_send, SizeIs(1));
  EXPECT_EQ(leader.out.chunks_to_send[0].offset, 0U);
}

TEST(SnapshotLeader, AnAnswerAboutAnotherSnapshotCountsNothing) {
  Driver leader = leader_ahead_of_3();
  leader.receive(3, 2, SnapshotReply{Index(19), 40, true});
  EXPECT_EQ(leader.peer(3).state, ProgressState::snapshot);
  EXPECT_EQ(leader.peer(3).match, Index(0));
}

TEST(SnapshotLeader, AnInstalledSnapshotCountsAsAMatch) {
  Driver leader = leader_ahead_of_3();
  leader.receive(3, 2, SnapshotReply{Index(20), 0, true});
  EXPECT_EQ(leader.peer(3).match, Index(20));
  EXPECT_EQ(leader.peer(3).state, ProgressState::replicate);
  const auto append = leader.one<AppendEntries>(3);
  ASSERT_TRUE(append);
  EXPECT_EQ(append->prev, id(1, 20));
}

TEST(SnapshotLeader, APeerThatTheLogReachesAgainNeedsNoSnapshot) {
  // snapshot_succeed_via_app_resp_behind: the peer has got beyond the base in another way.
  Driver leader = leader_ahead_of_3();
  leader.receive(3, 2, AppendReply{Index(20), ReadSeq{}});
  EXPECT_EQ(leader.peer(3).state, ProgressState::replicate);
  EXPECT_EQ(leader.peer(3).match, Index(20));
}

TEST(SnapshotLeader, ALateRefusalDoesNotEndTheTransfer) {
  Driver leader = leader_ahead_of_3();
  leader.receive(3, 2, AppendReject{Index(20), id(1, 1), ReadSeq{}});
  EXPECT_EQ(leader.peer(3).state, ProgressState::snapshot);
}

TEST(SnapshotLeader, ANewerSnapshotDoesNotInterruptATransfer) {
  Driver leader = leader_ahead_of_3();
  leader.propose("more");
  leader.settle();
  leader.acknowledge_all(2);
  apply_all(leader);
  leader.step(SnapshotTaken{leader.state().last});
  EXPECT_EQ(leader.peer(3).snapshot, id(1, 20));
  leader.receive(3, 2, SnapshotReply{Index(20), 0, true});
  EXPECT_EQ(leader.peer(3).state, ProgressState::snapshot) << "and then it gets the newer one";
  EXPECT_EQ(leader.peer(3).snapshot, leader.state().snapshot);
}

TEST(SnapshotLeader, OneThatCannotBeSentIsReplacedAfterTheNextSignOfLife) {
  Driver leader = leader_ahead_of_3();
  leader.receive(3, 2, SnapshotReply{Index(20), 40, false});
  leader.step(SnapshotFailed{id(1, 20)});
  EXPECT_THAT(leader.out.chunks_to_send, IsEmpty()) << "no busy loop";
  leader.receive(3, 2, HeartbeatReply{});
  ASSERT_THAT(leader.out.chunks_to_send, SizeIs(1));
  EXPECT_EQ(leader.out.chunks_to_send[0].offset, 0U);
}

TEST(SnapshotLeader, HeartbeatsGoOnDuringATransfer) {
  Driver leader = leader_ahead_of_3();
  leader.tick(5);
  const auto heartbeat = leader.one<Heartbeat>(3);
  ASSERT_TRUE(heartbeat);
  EXPECT_EQ(heartbeat->commit, Index(0)) << "the peer is not known to hold anything";
}

// ---- Follower --------------------------------------------------------------------------------------------------

TEST(SnapshotFollower, AChunkOfWhatIsNewIsStoredAndAnswered) {
  Driver follower = settled(plain(), recovered(3, {}, 2));
  follower.receive(2, 2, chunk(id(2, 9)));
  ASSERT_THAT(follower.out.chunks_to_store, SizeIs(1));
  EXPECT_EQ(follower.out.chunks_to_store[0].from, node(2));
  EXPECT_EQ(follower.out.chunks_to_store[0].chunk, chunk(id(2, 9)));
  EXPECT_EQ(follower.state().leader, node(2));
  follower.step(ChunkStored{node(2), id(2, 9), 10});
  EXPECT_EQ(follower.one<SnapshotReply>(2), (SnapshotReply{Index(9), 10, false}));
}

TEST(SnapshotFollower, AnOlderTermIsToldTheNewOne) {
  Driver follower = settled(plain(), recovered(3, {}, 3));
  follower.receive(2, 2, chunk(id(2, 9)));
  EXPECT_THAT(follower.out.chunks_to_store, IsEmpty());
  ASSERT_THAT(follower.sent, SizeIs(1));
  EXPECT_EQ(follower.sent[0].term, Term(3));
}

TEST(SnapshotFollower, ASnapshotOfWhatIsCommittedHereIsNotStored) {
  Driver follower = settled(plain(), recovered(3, {1, 1, 1}, 2));
  follower.exchange(2, 2, AppendEntries{id(1, 4), Index(4), ReadSeq{}, {}});
  for (const std::uint64_t last : {2U, 3U, 4U}) {
    follower.sent.clear();
    follower.exchange(2, 2, chunk(id(1, last)));
    EXPECT_THAT(follower.out.chunks_to_store, IsEmpty());
    EXPECT_EQ(follower.one<AppendReply>(2), (AppendReply{Index(4), ReadSeq{}}));
  }
}

TEST(SnapshotFollower, ALogThatDisagreesGoesAndStartsBehindTheSnapshot) {
  Driver follower = settled(plain(), recovered(3, {1, 1, 1}, 3));
  follower.receive(2, 3, chunk(id(2, 9)));
  follower.step(SnapshotStored{id(2, 9), voters_up_to(5)});
  EXPECT_EQ(follower.state().snapshot, id(2, 9));
  EXPECT_EQ(follower.state().base, id(2, 9));
  EXPECT_EQ(follower.state().last, id(2, 9));
  EXPECT_EQ(follower.state().commit, Index(9));
  EXPECT_EQ(follower.state().handed, Index(9));
  EXPECT_EQ(follower.out.restore, id(2, 9));
  EXPECT_EQ(follower.out.lost_from, Index(1)) << "nothing was committed here";
  ASSERT_TRUE(follower.out.write.checkpoint);
  EXPECT_EQ(follower.out.write.checkpoint->base, id(2, 9));
  EXPECT_EQ(follower.out.write.checkpoint->configuration, voters_up_to(5));
  EXPECT_THAT(follower.out.write.entries, IsEmpty());
  ASSERT_THAT(follower.view().configurations, SizeIs(1));
  EXPECT_EQ(follower.view().configurations[0], (ConfigurationAt{Index(9), voters_up_to(5)}));
  EXPECT_EQ(follower.state().applied, Index(0));
  follower.step(SnapshotRestored{id(2, 9)});
  EXPECT_EQ(follower.state().applied, Index(9));
}

TEST(SnapshotFollower, ALongerLogThatDisagreesGoesToo) {  // D04
  Driver follower = settled(plain(), recovered(3, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 3));
  follower.receive(2, 3, chunk(id(2, 9)));
  follower.step(SnapshotStored{id(2, 9), voters_up_to(3)});
  EXPECT_EQ(follower.state().last, id(2, 9));
  EXPECT_LE(follower.state().durable, Index(9));
  follower.settle();
  EXPECT_EQ(follower.state().durable, Index(9));
}

TEST(SnapshotFollower, WhatFollowsASnapshotThatTheLogAgreesWithStays) {
  Driver follower = settled(with_tail(1), recovered(3, {1, 1, 1, 2, 2}, 2));
  follower.receive(2, 2, chunk(id(1, 4)));
  follower.step(SnapshotStored{id(1, 4), voters_up_to(3)});
  EXPECT_EQ(follower.state().snapshot, id(1, 4));
  EXPECT_EQ(follower.state().base, id(1, 3)) << "a tail of one entry";
  EXPECT_EQ(follower.state().last, id(2, 6));
  EXPECT_EQ(follower.state().commit, Index(4));
  EXPECT_EQ(follower.state().durable, Index(6));
  EXPECT_FALSE(follower.out.lost_from);
}

TEST(SnapshotFollower, TheInstallationIsAcknowledgedWhenTheLogOnDiskStartsBehindIt) {
  Driver follower = settled(plain(), recovered(3, {1, 1, 1}, 3));
  follower.receive(2, 3, chunk(id(2, 9)));
  follower.step(SnapshotStored{id(2, 9), voters_up_to(3)});
  EXPECT_FALSE(follower.one<SnapshotReply>());
  follower.settle();
  EXPECT_EQ(follower.one<SnapshotReply>(2), (SnapshotReply{Index(9), 0, true}));
}

TEST(SnapshotFollower, AWriteFromBeforeDoesNotMakeTheNewLogDurable) {
  Driver follower = settled(plain(), recovered(3, {}, 2));
  follower.receive(2, 2, AppendEntries{id(1, 1), Index(1), ReadSeq{}, entries(2, {2, 2, 2})});
  const WriteSeq append = follower.state().issued;
  follower.receive(3, 3, chunk(id(2, 9)));
  follower.step(SnapshotStored{id(3, 9), voters_up_to(3)});
  follower.written(append.value());
  EXPECT_EQ(follower.state().durable, Index(1));
  EXPECT_FALSE(follower.one<SnapshotReply>());
}

TEST(SnapshotFollower, OneThatIsOvertakenWhileItWasStoredChangesNothing) {
  Driver follower = settled(plain(), recovered(3, {1, 1, 1}, 2));
  follower.receive(2, 2, chunk(id(1, 3)));
  follower.exchange(2, 2, AppendEntries{id(1, 4), Index(4), ReadSeq{}, {}});
  follower.step(SnapshotStored{id(1, 3), voters_up_to(3)});
  EXPECT_EQ(follower.state().snapshot, LogId{});
  EXPECT_FALSE(follower.out.restore);
  EXPECT_EQ(follower.one<AppendReply>(2), (AppendReply{Index(4), ReadSeq{}}));
}

TEST(SnapshotFollower, ATermThatTheNodeNeverReachedIsNotInstalled) {
  Driver follower = settled(plain(), recovered(3, {}, 2));
  const std::uint64_t dropped = follower.view().dropped;
  follower.step(SnapshotStored{id(3, 9), voters_up_to(3)});
  EXPECT_EQ(follower.view().dropped, dropped + 1);
  EXPECT_EQ(follower.state().snapshot, LogId{});
}

TEST(SnapshotFollower, ImpossibleChunksAreDropped) {
  Driver follower = settled(plain(), recovered(3, {}, 2));
  for (const LogId last : {id(0, 9), id(2, 0), id(3, 9)}) {
    const std::uint64_t dropped = follower.view().dropped;
    follower.receive(2, 2, chunk(last));
    EXPECT_EQ(follower.view().dropped, dropped + 1) << last;
    EXPECT_THAT(follower.out.chunks_to_store, IsEmpty());
  }
}

TEST(SnapshotFollower, WhoStandsGivesUpWhenASnapshotArrives) {
  Driver candidate = settled(plain(), recovered(3, {1, 1, 1}, 2));
  candidate.receive(2, 2, chunk(id(2, 9)));
  candidate.time_out();
  ASSERT_EQ(candidate.state().role, Role::candidate);
  candidate.step(SnapshotStored{id(2, 9), voters_up_to(3)});
  EXPECT_EQ(candidate.state().role, Role::follower);
  EXPECT_EQ(candidate.state().hard, (HardState{Term(3), node(1)})) << "the vote of the term stays";
  candidate.settle();
  EXPECT_THAT(candidate.all<RequestVote>(), IsEmpty()) << "it advertised a log that is gone";
}

TEST(SnapshotFollower, AnswersGoOnlyToTheLeaderThatAsked) {
  Driver follower = settled(plain(), recovered(3, {}, 2));
  follower.receive(2, 2, chunk(id(2, 9)));
  follower.receive(3, 3, Heartbeat{});
  follower.step(ChunkStored{node(2), id(2, 9), 10});
  EXPECT_THAT(follower.all<SnapshotReply>(), IsEmpty());
}

}  // namespace
}  // namespace raftlab::raft
