#include "raft/core_fixture.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace raftlab::raft::testing {
namespace {

/// A leader of term 2 whose log is 1: term 1, 2: no-op, followed by `count` commands; nobody answered those.
Driver leader_with(std::uint32_t nodes, int count, const Options& options = plain()) {
  Driver leader = leader_of(nodes, options);
  for (int i = 0; i < count; ++i) leader.propose("0123456789");
  leader.settle();
  leader.sent.clear();
  return leader;
}

// ---- Finding the point where the logs agree (§5.3) --------------------------------------------------------

TEST(Hints, AFollowerNamesItsLastEntryWhenItsLogIsShort) {
  Driver follower = settled(plain(), recovered(3, {1, 2}, 2));
  follower.receive(2, 2, AppendEntries{id(2, 9), {}, {}, {}});
  EXPECT_EQ(follower.one<AppendReject>(2), (AppendReject{Index(9), id(2, 3), ReadSeq{}}));
}

TEST(Hints, AFollowerSkipsItsEntriesOfTermsThatTheLeaderDoesNotHaveThere) {
  Driver follower = settled(plain(), recovered(3, {1, 4, 4, 4}, 4));
  follower.receive(2, 5, AppendEntries{id(2, 4), {}, {}, {}});
  EXPECT_EQ(follower.one<AppendReject>(2), (AppendReject{Index(4), id(1, 2), ReadSeq{}}));
}

TEST(Hints, ALeaderSkipsItsEntriesOfTermsThatTheFollowerDoesNotHaveThere) {
  Driver leader = settled(plain(), recovered(3, {1, 3, 3, 3}, 3));
  leader.lead();
  leader.receive(2, 4, AppendReject{Index(5), id(2, 5), ReadSeq{}});
  EXPECT_EQ(leader.peer(2).next, Index(3));
  EXPECT_EQ(leader.one<AppendEntries>(2)->prev, id(1, 2));
}

TEST(Hints, EveryRefusalMovesNextIndexDownUntilTheLogsMeet) {
  Driver leader = settled(plain(1), recovered(3, {1, 1, 2, 4, 4, 6}, 6));
  Driver follower = settled(plain(2), recovered(3, {1, 1, 3, 3, 5, 5, 5}, 6));
  leader.lead();
  std::uint64_t rounds = 0;
  auto append = AppendEntries{id(6, 7), {}, {}, leader.log().slice_from(Index(8), 1000)};
  for (; rounds < 8; ++rounds) {
    follower.exchange(1, 7, append);
    if (const auto reply = follower.one<AppendReply>(1)) {
      leader.receive(2, 7, *reply);
      break;
    }
    const Index before = leader.peer(2).next;
    leader.receive(2, 7, follower.one<AppendReject>(1).value());
    EXPECT_LT(leader.peer(2).next, before);
    append = leader.one<AppendEntries>(2).value();
  }
  EXPECT_LE(rounds, 3U) << "whole terms are skipped";
  EXPECT_EQ(leader.log(), follower.log());
  EXPECT_EQ(leader.peer(2).match, leader.log().last());
}

// ---- Probe ------------------------------------------------------------------------------------------------

TEST(Probe, OnlyOneAppendIsOutstanding) {
  Driver leader = settled(plain(), recovered(3));
  leader.lead();
  leader.propose("a");
  EXPECT_TRUE(leader.all<AppendEntries>(2).empty());
  leader.propose("b");
  EXPECT_TRUE(leader.all<AppendEntries>(2).empty());
  EXPECT_EQ(leader.peer(2).state, ProgressState::probe);
}

TEST(Probe, IsAskedAgainWhenAHeartbeatIsAnswered) {
  Driver leader = settled(plain(), recovered(3));
  leader.lead();
  leader.tick(5);
  EXPECT_TRUE(leader.one<Heartbeat>(2));
  leader.receive(2, 2, HeartbeatReply{});
  EXPECT_TRUE(leader.one<AppendEntries>(2));
  EXPECT_TRUE(leader.all<AppendEntries>(3).empty());
}

TEST(Probe, AnAcknowledgementStartsTheStream) {
  Driver leader = settled(plain(), recovered(3));
  leader.lead();
  leader.propose("a");
  leader.receive(2, 2, AppendReply{Index(2), ReadSeq{}});
  EXPECT_EQ(leader.peer(2).state, ProgressState::replicate);
  EXPECT_EQ(leader.one<AppendEntries>(2)->entries.first_index(), Index(3));
  leader.propose("b");
  EXPECT_EQ(leader.one<AppendEntries>(2)->entries.first_index(), Index(4)) << "without waiting for an answer";
}

TEST(Probe, AStaleRefusalDoesNotMoveNextIndex) {
  Driver leader = settled(plain(), recovered(3, {1, 1, 1}));
  leader.lead();
  leader.receive(2, 2, AppendReject{Index(4), id(1, 3), ReadSeq{}});
  EXPECT_EQ(leader.peer(2).next, Index(4));
  leader.receive(2, 2, AppendReject{Index(4), id(1, 1), ReadSeq{}});
  EXPECT_EQ(leader.peer(2).next, Index(4)) << "only the answer to the append that is out counts";
  EXPECT_TRUE(leader.all<AppendEntries>(2).empty());
}

TEST(Probe, ALostAppendToAnUnreachablePeerLeadsBackToProbing) {
  Driver leader = leader_with(3, 2);
  leader.step(Unreachable{node(2)});
  EXPECT_EQ(leader.peer(2).state, ProgressState::probe);
  EXPECT_EQ(leader.peer(2).next, leader.peer(2).match.next().plus(0));
  EXPECT_EQ(leader.peer(2).window.messages(), 0U);
  EXPECT_EQ(leader.peer(3).state, ProgressState::replicate);
}

// ---- Refusals and acknowledgements that are late, doubled, or of another term -----------------------------

TEST(Replicate, ARefusalAtOrBelowTheMatchIndexIsStale) {
  Driver leader = leader_with(3, 2);
  const Progress before = leader.peer(2);
  leader.receive(2, 2, AppendReject{Index(2), id(1, 1), ReadSeq{}});
  EXPECT_EQ(leader.peer(2).match, before.match);
  EXPECT_EQ(leader.peer(2).next, before.next);
  EXPECT_EQ(leader.peer(2).state, ProgressState::replicate);
}

TEST(Replicate, ARefusalLeadsBackToProbingAndNeverBelowTheMatchIndex) {
  Driver leader = leader_with(3, 3);
  leader.receive(2, 2, AppendReject{Index(4), id(1, 1), ReadSeq{}});
  EXPECT_EQ(leader.peer(2).state, ProgressState::probe);
  EXPECT_EQ(leader.peer(2).match, Index(2));
  EXPECT_EQ(leader.peer(2).next, Index(3));
  EXPECT_EQ(leader.peer(2).window.bytes(), 0U);
  EXPECT_EQ(leader.one<AppendEntries>(2)->prev, id(2, 2));
}

TEST(Replicate, TheMatchIndexNeverFalls) {
  Driver leader = leader_with(3, 3);
  leader.receive(2, 2, AppendReply{Index(5), ReadSeq{}});
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.peer(2).match, Index(5));
  EXPECT_EQ(leader.peer(2).next, Index(6));
}

TEST(Replicate, AcknowledgementsOfAnOlderTermAreIgnored) {
  Driver leader = leader_with(3, 3);
  leader.receive(2, 1, AppendReply{Index(5), ReadSeq{}});
  leader.receive(3, 1, AppendReply{Index(5), ReadSeq{}});
  EXPECT_EQ(leader.peer(2).match, Index(2));
  EXPECT_EQ(leader.state().commit, Index(2));
}

TEST(Replicate, RefusalsOfAnOlderTermAreIgnored) {
  Driver leader = leader_with(3, 3);
  leader.receive(2, 1, AppendReject{Index(5), id(1, 1), ReadSeq{}});
  EXPECT_EQ(leader.peer(2).state, ProgressState::replicate);
}

TEST(Replicate, AcknowledgementsOfWhatTheLeaderDoesNotHaveAreDropped) {
  Driver leader = leader_with(3, 1);
  leader.receive(2, 2, AppendReply{Index(99), ReadSeq{}});
  EXPECT_EQ(leader.peer(2).match, Index(2));
  EXPECT_EQ(leader.view().dropped, 1U);
}

TEST(Replicate, ALateAcknowledgementToALeaderThatLostItsLogInACrashIsNothingUnusual) {
  Driver once_a_leader = settled(plain(), recovered(3, {}, 2, 1));
  once_a_leader.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(once_a_leader.view().dropped, 0U);
}

TEST(Replicate, AcknowledgementsOfNonMembersCountNowhere) {
  Driver leader = leader_with(3, 1);
  leader.receive(8, 2, AppendReply{Index(3), ReadSeq{}});
  leader.receive(9, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.state().commit, Index(2));
}

// ---- The window -------------------------------------------------------------------------------------------

TEST(Window, BoundsTheMessagesInFlight) {
  Options options = plain();
  options.limits.window_messages = 3;
  Driver leader = leader_with(3, 5, options);
  EXPECT_EQ(leader.peer(2).window.messages(), 3U);
  EXPECT_EQ(leader.peer(2).next, Index(6));
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.peer(2).window.messages(), 3U) << "one relieved, one sent";
  EXPECT_EQ(leader.one<AppendEntries>(2)->entries.size(), 2U) << "what gathered meanwhile goes as one";
}

TEST(Window, BoundsTheBytesInFlight) {
  Options options = plain();
  options.limits.window_bytes = 25;
  Driver leader = leader_with(3, 5, options);
  EXPECT_EQ(leader.peer(2).window.messages(), 3U) << "30 bytes: the last one may go over";
  EXPECT_EQ(leader.peer(2).window.bytes(), 30U);
  leader.receive(2, 2, AppendReply{Index(4), ReadSeq{}});
  EXPECT_EQ(leader.peer(2).window.bytes(), 30U);
  leader.receive(2, 2, AppendReply{Index(7), ReadSeq{}});
  EXPECT_EQ(leader.peer(2).window.bytes(), 0U);
}

TEST(Window, IsRelievedWhenEveryAppendWasLost) {
  Options options = plain();
  options.limits.window_messages = 2;
  Driver leader = leader_with(3, 4, options);
  leader.receive(2, 2, HeartbeatReply{});
  const auto question = leader.one<AppendEntries>(2);
  ASSERT_TRUE(question);
  EXPECT_TRUE(question->entries.empty());
  EXPECT_EQ(question->prev, id(2, 4)) << "do you have what I sent?";
  leader.receive(2, 2, AppendReject{Index(4), id(2, 2), ReadSeq{}});
  EXPECT_EQ(leader.one<AppendEntries>(2)->entries.first_index(), Index(3));
  EXPECT_EQ(leader.one<AppendEntries>(2)->entries.last_index(), Index(6));
}

TEST(Window, IsRelievedWhenEveryAcknowledgementWasLost) {
  Options options = plain();
  options.limits.window_messages = 2;
  Driver leader = leader_with(3, 4, options);
  leader.receive(2, 2, HeartbeatReply{});
  leader.receive(2, 2, AppendReply{Index(4), ReadSeq{}});
  EXPECT_EQ(leader.one<AppendEntries>(2)->entries.first_index(), Index(5));
}

TEST(Window, AnAppendIsBoundedInBytesButCarriesAtLeastOneEntry) {
  Options options = plain();
  options.limits.append_bytes_max = 25;
  options.limits.window_messages = 1;
  Driver leader = leader_with(3, 5, options);
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.one<AppendEntries>(2)->entries.size(), 2U);
  options.limits.append_bytes_max = 1;
  leader = leader_with(3, 5, options);
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.one<AppendEntries>(2)->entries.size(), 1U);
}

// ---- Commit -----------------------------------------------------------------------------------------------

TEST(Commit, OfFourNodesNeedsThree) {
  Driver leader = leader_with(4, 1);
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.state().commit, Index(2));
  leader.receive(3, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.state().commit, Index(3));
}

TEST(Commit, TheLeadersOwnEntryCountsOnlyWhenItIsDurable) {
  Driver leader = leader_of(3);
  leader.propose("x");
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.state().commit, Index(2)) << "one copy is not a majority";
  leader.written(leader.state().issued.value());
  EXPECT_EQ(leader.state().commit, Index(3));
}

TEST(Commit, TheOthersMayCommitWhatTheLeadersDiskHasNotTakenButItIsNotAppliedHere) {
  Driver leader = leader_of(3);
  leader.propose("x");
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  leader.receive(3, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.state().commit, Index(3));
  EXPECT_TRUE(leader.out.apply.empty());
  leader.settle();
  EXPECT_EQ(leader.state().handed, Index(3));
}

TEST(Commit, AHeartbeatCarriesNoMoreThanThePeerIsKnownToHold) {
  Driver leader = leader_with(3, 2);
  leader.receive(2, 2, AppendReply{Index(4), ReadSeq{}});
  ASSERT_EQ(leader.state().commit, Index(4));
  leader.tick(5);
  EXPECT_EQ(leader.one<Heartbeat>(2)->commit, Index(4));
  EXPECT_EQ(leader.one<Heartbeat>(3)->commit, Index(2));
}

TEST(Commit, AFollowerNeverBelievesAHeartbeatBeyondItsLog) {
  Driver follower = settled(plain(), recovered(3));
  follower.receive(2, 1, Heartbeat{Index(5), ReadSeq{}});
  EXPECT_EQ(follower.state().commit, Index{});
  EXPECT_EQ(follower.view().dropped, 1U);
}

TEST(Commit, AnEmptyAppendDoesNotCommitADivergentSuffix) {
  Driver follower = settled(plain(), recovered(3, {1, 2, 2}, 2));
  follower.exchange(2, 3, AppendEntries{id(1, 2), Index(4), ReadSeq{}, {}});
  EXPECT_EQ(follower.state().commit, Index(2));
}

TEST(Commit, ACommittedEntryIsNeverTruncated) {
  Driver follower = settled(plain(), recovered(3, {1, 1}));
  follower.exchange(2, 1, Heartbeat{Index(3), ReadSeq{}});
  follower.exchange(3, 2, AppendEntries{id(1, 1), Index{}, ReadSeq{}, entries(2, {2})});
  EXPECT_EQ(terms_of(follower.log()), (std::vector<std::uint64_t>{1, 1, 1}));
  EXPECT_EQ(follower.view().dropped, 1U);
}

TEST(Commit, OverwrittenProposalsAreReported) {
  Driver follower = settled(plain(), recovered(3, {1, 1}));
  follower.receive(2, 2, AppendEntries{id(1, 1), Index{}, ReadSeq{}, entries(2, {2})});
  EXPECT_EQ(follower.out.lost_from, Index(2));
}

// ---- Configurations ---------------------------------------------------------------------------------------

TEST(Configurations, AreInEffectWhenAppendedAndPoppedWhenTruncated) {
  Driver follower = settled(plain(), recovered(3));
  Slice entry = Slice::make(Index(2), 1, 1024);
  ASSERT_TRUE(entry.append(Term(1), EntryKind::configuration, encode(voters_up_to(5))));
  follower.exchange(2, 1, AppendEntries{id(1, 1), {}, {}, entry});
  ASSERT_EQ(follower.view().configurations.back().index, Index(2));
  EXPECT_EQ(follower.view().configurations.back().configuration, voters_up_to(5));
  follower.exchange(2, 2, AppendEntries{id(1, 1), {}, {}, entries(2, {2})});
  EXPECT_EQ(follower.view().configurations.back().index, Index(1));
}

TEST(Configurations, ThatCannotBeReadAreRefusedBeforeTheyPoisonTheLog) {
  Driver follower = settled(plain(), recovered(3));
  Slice entry = Slice::make(Index(2), 1, 64);
  ASSERT_TRUE(entry.append(Term(1), EntryKind::configuration, bytes("nonsense")));
  follower.exchange(2, 1, AppendEntries{id(1, 1), {}, {}, entry});
  EXPECT_EQ(follower.state().last, id(1, 1)) << "a node whose log holds it never starts again";
  EXPECT_EQ(follower.view().dropped, 1U);
  EXPECT_TRUE(follower.sent.empty());
}

// ---- Messages that no correct leader sends ----------------------------------------------------------------

TEST(MalformedAppend, IsDroppedAndCounted) {
  const std::vector<std::pair<const char*, AppendEntries>> malformed = {
      {"a hole behind prev", AppendEntries{id(1, 1), {}, {}, entries(3, {1})}},
      {"entries before prev", AppendEntries{id(1, 3), {}, {}, entries(2, {1})}},
      {"falling terms", AppendEntries{id(1, 3), {}, {}, entries(4, {2, 1})}},
      {"older than prev", AppendEntries{id(2, 3), {}, {}, entries(4, {1})}},
      {"newer than the leader", AppendEntries{id(1, 3), {}, {}, entries(4, {9})}},
      {"term 0", AppendEntries{id(0, 0), {}, {}, entries(1, {0})}},
      {"prev newer than the leader", AppendEntries{id(9, 3), {}, {}, {}}},
      {"indices that overflow",
       AppendEntries{
           LogId{Term(1), Index(std::numeric_limits<std::uint64_t>::max())}, {}, {}, entries(1, {1})}}};
  for (const auto& [what, append] : malformed) {
    Driver follower = settled(plain(), recovered(3, {1, 1}, 2));
    ASSERT_NO_THROW(follower.exchange(2, 2, append)) << what;
    EXPECT_EQ(follower.view().dropped, 1U) << what;
    EXPECT_EQ(follower.state().last, id(1, 3)) << what;
    EXPECT_TRUE(follower.sent.empty()) << what;
  }
}

TEST(MalformedTerm, BeyondTheGreatestIsDroppedSoThatTermsNeverOverflow) {
  Driver follower = settled(plain(), recovered(3));
  follower.receive(2, std::numeric_limits<std::uint64_t>::max(), Heartbeat{});
  EXPECT_EQ(follower.state().hard.term, Term(1));
  EXPECT_EQ(follower.view().dropped, 1U);
}

// ---- A follower whose log begins with a snapshot ----------------------------------------------------------

TEST(AppendInsideASnapshot, IsAnsweredWithWhatIsCommittedSoThatTheLeaderGoesOn) {
  Recovered behind_snapshot;
  behind_snapshot.hard.term = Term(1);
  behind_snapshot.snapshot = behind_snapshot.base = id(1, 5);
  behind_snapshot.snapshot_configuration = voters_up_to(3);
  Driver follower = settled(plain(), behind_snapshot);
  follower.exchange(2, 1, AppendEntries{id(1, 3), Index{}, ReadSeq(4), entries(4, {1, 1, 1})});
  EXPECT_EQ(follower.one<AppendReply>(2), (AppendReply{Index(5), ReadSeq(4)}));
  EXPECT_EQ(follower.view().dropped, 0U);
  follower.exchange(2, 1, AppendEntries{id(1, 5), Index{}, ReadSeq{}, entries(6, {1})});
  EXPECT_EQ(follower.one<AppendReply>(2), (AppendReply{Index(6), ReadSeq{}}));
}

}  // namespace
}  // namespace raftlab::raft::testing
