#include "raft/core_fixture.hpp"

#include <gtest/gtest.h>

/// One test for each rule of figure 2 of the Raft paper, in the paper's order and under its name.
namespace raftlab::raft::testing {
namespace {

// ---- AppendEntries RPC, receiver implementation -----------------------------------------------------------

TEST(Figure2AppendEntriesReceiver, Rule1RepliesFalseWhenTheTermIsOlder) {
  Driver follower = settled(plain(), recovered(3, {}, 5));
  follower.exchange(2, 4, AppendEntries{id(1, 1), Index(1), ReadSeq{}, entries(2, {4})});
  ASSERT_TRUE(follower.one<AppendReject>(2));
  EXPECT_EQ(follower.sent.front().term, Term(5)) << "the older leader learns of the term";
  EXPECT_EQ(follower.state().last, id(1, 1));
  EXPECT_EQ(follower.state().leader, NodeId{});
}

TEST(Figure2AppendEntriesReceiver, Rule2RepliesFalseWhenTheLogLacksThePreviousEntry) {
  Driver follower = settled(plain(), recovered(3, {1, 1}));
  follower.exchange(2, 2, AppendEntries{id(1, 9), Index{}, ReadSeq{}, entries(10, {2})});
  ASSERT_TRUE(follower.one<AppendReject>(2));
  EXPECT_EQ(follower.one<AppendReject>(2)->rejected_prev, Index(9));
  EXPECT_EQ(terms_of(follower.log()), (std::vector<std::uint64_t>{1, 1, 1}));
}

TEST(Figure2AppendEntriesReceiver, Rule2RepliesFalseWhenThePreviousEntryIsOfAnotherTerm) {
  Driver follower = settled(plain(), recovered(3, {1, 2}, 2));
  follower.exchange(2, 3, AppendEntries{id(1, 3), Index{}, ReadSeq{}, entries(4, {3})});
  EXPECT_TRUE(follower.one<AppendReject>(2));
  EXPECT_EQ(terms_of(follower.log()), (std::vector<std::uint64_t>{1, 1, 2})) << "a refusal changes nothing";
}

TEST(Figure2AppendEntriesReceiver, Rule3DeletesAConflictingEntryAndAllThatFollowIt) {
  Driver follower = settled(plain(), recovered(3, {1, 2, 2, 2}, 2));
  follower.exchange(2, 3, AppendEntries{id(1, 2), Index{}, ReadSeq{}, entries(3, {3})});
  EXPECT_EQ(terms_of(follower.log()), (std::vector<std::uint64_t>{1, 1, 3}));
  EXPECT_EQ(follower.one<AppendReply>(2), (AppendReply{Index(3), ReadSeq{}}));
}

TEST(Figure2AppendEntriesReceiver, Rule3DeletesNothingWithoutAConflict) {
  Driver follower = settled(plain(), recovered(3, {1, 2, 2, 2}, 2));
  follower.exchange(2, 2, AppendEntries{id(1, 1), Index{}, ReadSeq{}, entries(2, {1, 2})});
  EXPECT_EQ(terms_of(follower.log()), (std::vector<std::uint64_t>{1, 1, 2, 2, 2}))
      << "a delayed, shorter append";
  EXPECT_EQ(follower.one<AppendReply>(2), (AppendReply{Index(3), ReadSeq{}})) << "and it vouches for no more";
}

TEST(Figure2AppendEntriesReceiver, Rule4AppendsTheEntriesThatAreNew) {
  Driver follower = settled(plain(), recovered(3, {1}));
  follower.receive(2, 1, AppendEntries{id(1, 1), Index{}, ReadSeq{}, entries(2, {1, 1, 1})});
  EXPECT_EQ(terms_of(follower.log()), (std::vector<std::uint64_t>{1, 1, 1, 1}));
  ASSERT_EQ(follower.out.write.entries.size(), 1U);
  EXPECT_EQ(follower.out.write.entries.front().first_index(), Index(3)) << "entry 2 was there already";
  EXPECT_EQ(follower.out.write.truncate_from, Index{});
}

TEST(Figure2AppendEntriesReceiver, Rule5RaisesTheCommitIndexToTheLeadersWhenItHoldsThatMuch) {
  Driver follower = settled(plain(), recovered(3));
  follower.exchange(2, 1, AppendEntries{id(1, 1), Index(2), ReadSeq{}, entries(2, {1, 1})});
  EXPECT_EQ(follower.state().commit, Index(2));
}

TEST(Figure2AppendEntriesReceiver, Rule5RaisesTheCommitIndexNoFurtherThanTheLastNewEntry) {
  Driver follower = settled(plain(), recovered(3, {1, 1, 1, 1}));
  follower.exchange(2, 2, AppendEntries{id(1, 2), Index(9), ReadSeq{}, entries(3, {1})});
  EXPECT_EQ(follower.state().commit, Index(3)) << "what stands behind entry 3 may not be the leader's";
}

TEST(Figure2AppendEntriesReceiver, Rule5NeverLowersTheCommitIndex) {
  Driver follower = settled(plain(), recovered(3, {1, 1}));
  follower.exchange(2, 1, AppendEntries{id(1, 3), Index(3), ReadSeq{}, {}});
  follower.exchange(2, 1, AppendEntries{id(1, 2), Index(2), ReadSeq{}, {}});
  EXPECT_EQ(follower.state().commit, Index(3));
}

// ---- RequestVote RPC, receiver implementation -------------------------------------------------------------

TEST(Figure2RequestVoteReceiver, Rule1RepliesFalseWhenTheTermIsOlder) {
  Driver voter = settled(plain(), recovered(3, {}, 5));
  voter.exchange(2, 4, RequestVote{id(4, 9)});
  EXPECT_EQ(voter.one<VoteReply>(2), (VoteReply{false, false}));
  EXPECT_EQ(voter.sent.front().term, Term(5));
}

TEST(Figure2RequestVoteReceiver, Rule2GrantsWhenItHasNotVotedAndTheLogIsUpToDate) {
  Driver voter = settled(plain(), recovered(3, {1}));
  voter.exchange(2, 2, RequestVote{id(1, 2)});
  EXPECT_EQ(voter.one<VoteReply>(2), (VoteReply{false, true}));
  EXPECT_EQ(voter.state().hard, (HardState{Term(2), node(2)}));
}

TEST(Figure2RequestVoteReceiver, Rule2GrantsAgainToTheSameCandidate) {
  Driver voter = settled(plain(), recovered(3));
  voter.exchange(2, 2, RequestVote{id(1, 1)});
  voter.exchange(2, 2, RequestVote{id(1, 1)});
  EXPECT_EQ(voter.one<VoteReply>(2), (VoteReply{false, true}));
}

TEST(Figure2RequestVoteReceiver, Rule2RefusesWhenAnotherCandidateHasTheVote) {
  Driver voter = settled(plain(), recovered(3));
  voter.exchange(2, 2, RequestVote{id(1, 1)});
  voter.exchange(3, 2, RequestVote{id(1, 9)});
  EXPECT_EQ(voter.one<VoteReply>(3), (VoteReply{false, false}));
  EXPECT_EQ(voter.state().hard.voted_for, node(2));
}

TEST(Figure2RequestVoteReceiver, Rule2RefusesALogOfAnOlderLastTermHoweverLong) {
  Driver voter = settled(plain(), recovered(3, {2}, 2));
  voter.exchange(2, 3, RequestVote{id(1, 99)});
  EXPECT_EQ(voter.one<VoteReply>(2), (VoteReply{false, false}));
  EXPECT_EQ(voter.state().hard, (HardState{Term(3), NodeId{}})) << "the term is taken over all the same";
}

TEST(Figure2RequestVoteReceiver, Rule2RefusesAShorterLogOfTheSameLastTerm) {
  Driver voter = settled(plain(), recovered(3, {1, 1}));
  voter.exchange(2, 2, RequestVote{id(1, 2)});
  EXPECT_EQ(voter.one<VoteReply>(2), (VoteReply{false, false}));
}

// ---- Rules for servers: all servers -----------------------------------------------------------------------

TEST(Figure2AllServers, Rule1AppliesWhatIsCommittedOnceAndInOrder) {
  Driver follower = settled(plain(), recovered(3));
  follower.receive(2, 1, AppendEntries{id(1, 1), Index(3), ReadSeq{}, entries(2, {1, 1, 1})});
  std::vector<std::uint64_t> applied;
  const auto note = [&] {
    for (const Slice& slice : follower.out.apply) {
      for (std::uint32_t i = 0; i < slice.size(); ++i) applied.push_back(slice.entry(i).id.index.value());
    }
  };
  note();
  follower.written(2);
  note();
  follower.receive(2, 1, Heartbeat{Index(4), ReadSeq{}});
  note();
  EXPECT_EQ(applied, (std::vector<std::uint64_t>{1, 2, 3, 4}));
}

TEST(Figure2AllServers, Rule2ConvertsToFollowerOnAnyMessageOfAHigherTerm) {
  const std::vector<Message> messages = {
      RequestVote{id(1, 1)}, VoteReply{},    AppendEntries{id(1, 1), {}, {}, {}},
      AppendReply{},         AppendReject{}, Heartbeat{},
      HeartbeatReply{}};
  for (const Message& message : messages) {
    Driver leader = leader_of(3);
    leader.receive(2, 9, message);
    EXPECT_EQ(leader.state().role, Role::follower) << name(message);
    EXPECT_EQ(leader.state().hard.term, Term(9)) << name(message);
    ASSERT_TRUE(leader.out.role) << name(message);
    EXPECT_EQ(leader.out.role->role, Role::follower) << name(message);
  }
}

// ---- Followers --------------------------------------------------------------------------------------------

TEST(Figure2Followers, Rule1RespondToCandidatesAndLeaders) {
  Driver follower = settled(plain(), recovered(3));
  follower.exchange(2, 2, RequestVote{id(1, 1)});
  EXPECT_TRUE(follower.one<VoteReply>(2));
  follower.exchange(2, 2, AppendEntries{id(1, 1), Index{}, ReadSeq{}, entries(2, {2})});
  EXPECT_TRUE(follower.one<AppendReply>(2));
  follower.exchange(2, 2, Heartbeat{Index{}, ReadSeq(3)});
  EXPECT_EQ(follower.one<HeartbeatReply>(2), HeartbeatReply{ReadSeq(3)});
}

TEST(Figure2Followers, Rule2ConvertToCandidateWhenTheElectionTimeoutElapses) {
  Driver follower = settled(plain(), recovered(3));
  follower.tick(follower.state().deadline_ticks - 1);
  EXPECT_EQ(follower.state().role, Role::follower);
  follower.tick();
  EXPECT_EQ(follower.state().role, Role::candidate);
}

TEST(Figure2Followers, Rule2HearingFromTheLeaderStartsTheTimeoutAgain) {
  Driver follower = settled(plain(), recovered(3));
  follower.tick(5);
  follower.receive(2, 1, Heartbeat{});
  EXPECT_EQ(follower.state().elapsed_ticks, 0U);
  follower.tick(5);
  follower.exchange(2, 1, AppendEntries{id(1, 1), {}, {}, {}});
  EXPECT_EQ(follower.state().elapsed_ticks, 0U);
}

TEST(Figure2Followers, Rule2GrantingAVoteStartsTheTimeoutAgain) {
  Driver follower = settled(plain(), recovered(3, {}, 2));
  follower.tick(5);
  follower.receive(2, 2, RequestVote{id(1, 1)});
  EXPECT_EQ(follower.state().elapsed_ticks, 0U);
  follower.tick(5);
  follower.receive(3, 2, RequestVote{id(1, 1)});
  EXPECT_EQ(follower.state().elapsed_ticks, 5U) << "refusing does not";
}

// ---- Candidates -------------------------------------------------------------------------------------------

TEST(Figure2Candidates, Rule1StandingIncrementsTheTermVotesForItselfResetsTheTimerAndAsksAll) {
  Driver candidate = settled(plain(), recovered(3, {1}, 4));
  candidate.time_out();
  EXPECT_EQ(candidate.state().role, Role::candidate);
  EXPECT_EQ(candidate.state().hard, (HardState{Term(5), node(1)}));
  EXPECT_EQ(candidate.state().elapsed_ticks, 0U);
  candidate.settle();
  EXPECT_EQ(candidate.one<RequestVote>(2), (RequestVote{id(1, 2)}));
  EXPECT_EQ(candidate.one<RequestVote>(3), (RequestVote{id(1, 2)}));
  EXPECT_EQ(candidate.all<RequestVote>().size(), 2U);
}

TEST(Figure2Candidates, Rule2VotesOfAMajorityMakeALeader) {
  Driver candidate = settled(plain(), recovered(5));
  candidate.time_out();
  candidate.settle();
  candidate.receive(2, 2, VoteReply{false, true});
  EXPECT_EQ(candidate.state().role, Role::candidate) << "two of five";
  candidate.receive(3, 2, VoteReply{false, true});
  EXPECT_EQ(candidate.state().role, Role::leader);
}

TEST(Figure2Candidates, Rule3AnAppendOfTheNewLeaderMakesAFollower) {
  Driver candidate = settled(plain(), recovered(3));
  candidate.time_out();
  candidate.exchange(2, 2, AppendEntries{id(1, 1), Index{}, ReadSeq{}, entries(2, {2})});
  EXPECT_EQ(candidate.state().role, Role::follower);
  EXPECT_EQ(candidate.state().leader, node(2));
  EXPECT_EQ(candidate.state().hard.voted_for, node(1)) << "the vote of the term stays given";
}

TEST(Figure2Candidates, Rule4AnElapsedTimeoutStartsANewElection) {
  Driver candidate = settled(plain(), recovered(3));
  candidate.time_out();
  candidate.time_out();
  EXPECT_EQ(candidate.state().role, Role::candidate);
  EXPECT_EQ(candidate.state().hard, (HardState{Term(3), node(1)}));
}

// ---- Leaders ----------------------------------------------------------------------------------------------

TEST(Figure2Leaders, Rule1SendToAllUponElectionAndInIdlePeriods) {
  Driver leader = settled(plain(), recovered(3));
  leader.step(Campaign{});
  leader.settle();
  leader.receive(2, 2, VoteReply{false, true});
  EXPECT_EQ(leader.state().role, Role::leader);
  EXPECT_TRUE(leader.one<AppendEntries>(2));
  EXPECT_TRUE(leader.one<AppendEntries>(3));
  leader.settle();
  leader.tick(5);
  EXPECT_TRUE(leader.one<Heartbeat>(2));
  EXPECT_TRUE(leader.one<Heartbeat>(3));
  leader.tick(5);
  EXPECT_TRUE(leader.one<Heartbeat>(2)) << "and again, unanswered";
}

TEST(Figure2Leaders, Rule2ACommandIsAppendedAndAnsweredOnlyAfterItIsApplied) {
  Driver leader = leader_of(3);
  leader.propose("x", 42);
  ASSERT_EQ(leader.out.accepted.size(), 1U);
  EXPECT_EQ(leader.out.accepted.front().tag, 42U);
  EXPECT_EQ(leader.out.accepted.front().id, id(2, 3));
  EXPECT_TRUE(leader.out.apply.empty());
  leader.settle();
  EXPECT_TRUE(leader.out.apply.empty()) << "durable here is not committed";
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  ASSERT_EQ(leader.out.apply.size(), 1U);
  EXPECT_EQ(text(leader.out.apply.front().entry(0).payload), "x");
}

TEST(Figure2Leaders, Rule3SendsFromNextIndexOn) {
  Driver leader = leader_of(3);
  leader.propose("x");
  const auto append = leader.one<AppendEntries>(2);
  ASSERT_TRUE(append);
  EXPECT_EQ(append->prev, id(2, 2));
  EXPECT_EQ(append->entries.first_index(), Index(3));
}

TEST(Figure2Leaders, Rule3SuccessUpdatesNextIndexAndMatchIndex) {
  Driver leader = leader_of(3);
  leader.propose("x");
  leader.exchange(2, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.peer(2).match, Index(3));
  EXPECT_EQ(leader.peer(2).next, Index(4));
  EXPECT_EQ(leader.peer(3).match, Index(2));
}

TEST(Figure2Leaders, Rule3FailureBecauseOfInconsistencyDecrementsNextIndexAndRetries) {
  Driver leader = settled(plain(), recovered(3, {1, 1, 1}));
  leader.lead();
  EXPECT_EQ(leader.peer(2).next, Index(5));
  leader.receive(2, 2, AppendReject{Index(4), id(1, 2), ReadSeq{}});
  const auto retry = leader.one<AppendEntries>(2);
  ASSERT_TRUE(retry);
  EXPECT_EQ(retry->prev, id(1, 2));
  EXPECT_EQ(leader.peer(2).next, Index(3));
}

TEST(Figure2Leaders, Rule4CommitsWhatAMajorityHoldsOfTheCurrentTerm) {
  Driver leader = settled(plain(), recovered(5, {1}));
  leader.lead();
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.state().commit, Index{});
  leader.receive(3, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.state().commit, Index(3)) << "and with it everything before";
}

TEST(Figure2Leaders, Rule4NeverCommitsAnEntryOfAnOlderTermByCounting) {
  Driver leader = settled(plain(), recovered(3, {1}));
  leader.lead();
  leader.receive(2, 2, AppendReply{Index(2), ReadSeq{}});
  leader.receive(3, 2, AppendReply{Index(2), ReadSeq{}});
  EXPECT_EQ(leader.state().commit, Index{}) << "all three hold entry 2 of term 1 (figure 8)";
}

}  // namespace
}  // namespace raftlab::raft::testing
