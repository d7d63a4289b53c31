#include "raft/core_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace raftlab::raft::testing {
namespace {

// ---- Pre-vote (thesis §9.6) -------------------------------------------------------------------------------

TEST(PreVote, AsksForTheNextTermWithoutTakingIt) {
  Driver node1 = settled(guarded(), recovered(3, {1}, 4));
  node1.time_out();
  EXPECT_EQ(node1.state().role, Role::pre_candidate);
  EXPECT_EQ(node1.state().hard, (HardState{Term(4), NodeId{}}));
  EXPECT_EQ(node1.state().issued, node1.state().written) << "nothing to write, so nothing waits for the disk";
  EXPECT_EQ(node1.one<RequestVote>(2), (RequestVote{id(1, 2), true}));
  EXPECT_EQ(node1.sent.front().term, Term(5));
}

TEST(PreVote, AQuorumLeadsToARealCandidacy) {
  Driver node1 = settled(guarded(), recovered(3));
  node1.time_out();
  node1.receive(3, 2, VoteReply{true, true});
  EXPECT_EQ(node1.state().role, Role::candidate);
  EXPECT_EQ(node1.state().hard, (HardState{Term(2), node(1)}));
}

TEST(PreVote, AGrantIsNotARealVote) {
  Driver node1 = settled(guarded(), recovered(3));
  node1.time_out();
  node1.exchange(2, 2, VoteReply{true, true});
  ASSERT_EQ(node1.state().role, Role::candidate);
  node1.exchange(3, 2, VoteReply{true, true});
  node1.exchange(3, 3, VoteReply{true, true});
  EXPECT_EQ(node1.state().role, Role::candidate);
}

TEST(PreVote, GrantingChangesNothingAtTheVoter) {
  Driver voter = settled(guarded(), recovered(3));
  voter.tick(3);
  const State before = voter.state();
  voter.receive(2, 2, RequestVote{id(1, 1), true});
  EXPECT_EQ(voter.state(), before);
  EXPECT_EQ(voter.one<VoteReply>(2), (VoteReply{true, true}));
  EXPECT_EQ(voter.sent.front().term, Term(2)) << "a grant echoes the term of the request";
  voter.receive(3, 2, RequestVote{id(1, 1), true});
  EXPECT_EQ(voter.one<VoteReply>(3), (VoteReply{true, true})) << "it is no vote, everybody may have it";
}

TEST(PreVote, IsRefusedToAnOlderLog) {
  Driver voter = settled(guarded(), recovered(3, {1}));
  voter.receive(2, 2, RequestVote{id(1, 1), true});
  EXPECT_EQ(voter.one<VoteReply>(2), (VoteReply{true, false}));
}

TEST(PreVote, IsRefusedForATermThatIsNotNew) {
  Driver voter = settled(guarded(), recovered(3, {}, 5));
  voter.receive(2, 5, RequestVote{id(5, 9), true});
  EXPECT_EQ(voter.one<VoteReply>(2), (VoteReply{true, false}));
  EXPECT_EQ(voter.sent.front().term, Term(5));
}

TEST(PreVote, ARefusalOfAHigherTermIsTakenOver) {
  Driver node1 = settled(guarded(), recovered(3));
  node1.time_out();
  node1.receive(2, 7, VoteReply{true, false});
  EXPECT_EQ(node1.state().role, Role::follower);
  EXPECT_EQ(node1.state().hard.term, Term(7));
}

TEST(PreVote, IsLostWhenAMajorityRefuses) {
  Driver node1 = settled(guarded(), recovered(3));
  node1.time_out();
  node1.receive(2, 1, VoteReply{true, false});
  EXPECT_EQ(node1.state().role, Role::pre_candidate);
  node1.receive(3, 1, VoteReply{true, false});
  EXPECT_EQ(node1.state().role, Role::follower);
  EXPECT_EQ(node1.state().hard.term, Term(1));
}

TEST(PreVote, EndsWhenALeaderOfTheTermIsHeard) {
  Driver node1 = settled(guarded(), recovered(3));
  node1.time_out();
  node1.receive(2, 1, Heartbeat{});
  EXPECT_EQ(node1.state().role, Role::follower);
  EXPECT_EQ(node1.state().leader, node(2));
  node1.receive(3, 2, VoteReply{true, true});
  EXPECT_EQ(node1.state().role, Role::follower) << "a late grant";
}

// ---- Leases of voters (thesis §4.2.3) ---------------------------------------------------------------------

TEST(VoterLease, WhoHearsALeaderAnswersNoCandidate) {
  for (const bool pre : {false, true}) {
    Driver voter = settled(guarded(), recovered(3));
    voter.receive(2, 1, Heartbeat{});
    voter.tick(14);
    voter.receive(3, 9, RequestVote{id(9, 9), pre});
    EXPECT_TRUE(voter.sent.empty());
    EXPECT_EQ(voter.state().hard.term, Term(1)) << "the term is not taken over either";
    EXPECT_EQ(voter.state().leader, node(2));
  }
}

TEST(VoterLease, EndsAfterTheLeastElectionTimeout) {
  Driver voter = settled(guarded(), recovered(3));
  voter.receive(2, 1, Heartbeat{});
  ASSERT_GT(voter.state().deadline_ticks, 15U) << "this seed does not time out first";
  voter.tick(15);
  voter.exchange(3, 2, RequestVote{id(1, 1)});
  EXPECT_EQ(voter.one<VoteReply>(3), (VoteReply{false, true}));
}

TEST(VoterLease, DoesNotHoldUpACandidateThatTheLeaderSent) {
  Driver voter = settled(guarded(), recovered(3));
  voter.receive(2, 1, Heartbeat{});
  voter.exchange(3, 2, RequestVote{id(1, 1), false, true});
  EXPECT_EQ(voter.one<VoteReply>(3), (VoteReply{false, true}));
}

TEST(VoterLease, ALeaderIsNotDeposedByACandidate) {
  Driver leader = leader_of(3, guarded());
  leader.receive(3, 9, RequestVote{id(9, 9)});
  EXPECT_EQ(leader.state().role, Role::leader);
  EXPECT_EQ(leader.state().hard.term, Term(2));
  leader.receive(3, 9, RequestVote{id(9, 9), true});
  EXPECT_TRUE(leader.sent.empty());
}

TEST(VoterLease, WhoKnowsNoLeaderVotesAtOnce) {
  Driver voter = settled(guarded(), recovered(3));
  voter.exchange(2, 2, RequestVote{id(1, 1)});
  EXPECT_EQ(voter.one<VoteReply>(2), (VoteReply{false, true}));
}

// ---- Check-quorum (thesis §6.2) ---------------------------------------------------------------------------

TEST(CheckQuorum, ALeaderThatNobodyAnswersStepsDownWithinTwoElectionTimeouts) {
  Driver leader = leader_of(3, guarded());
  leader.tick(30);
  EXPECT_EQ(leader.state().role, Role::follower);
  EXPECT_EQ(leader.state().hard, (HardState{Term(2), node(1)})) << "in its term, whose vote it keeps";
  EXPECT_EQ(leader.state().leader, NodeId{});
}

TEST(CheckQuorum, ALeaderThatAQuorumAnswersStays) {
  Driver leader = leader_of(5, guarded());
  for (int i = 0; i < 20; ++i) {
    leader.tick(10);
    leader.receive(4, 2, HeartbeatReply{});
    leader.receive(5, 2, HeartbeatReply{});
    ASSERT_EQ(leader.state().role, Role::leader);
  }
}

TEST(CheckQuorum, OneAnswerOfFourIsNotEnough) {
  Driver leader = leader_of(5, guarded());
  for (int i = 0; i < 3; ++i) {
    leader.tick(10);
    leader.receive(4, 2, HeartbeatReply{});
  }
  EXPECT_EQ(leader.state().role, Role::follower);
}

TEST(CheckQuorum, AnswersOfNonMembersDoNotCount) {
  Driver leader = leader_of(3, guarded());
  for (int i = 0; i < 3; ++i) {
    leader.tick(10);
    leader.receive(9, 2, HeartbeatReply{});
  }
  EXPECT_EQ(leader.state().role, Role::follower);
}

TEST(CheckQuorum, TheOnlyVoterLeadsOn) {
  Driver leader = leader_of(1, guarded());
  leader.tick(100);
  EXPECT_EQ(leader.state().role, Role::leader);
}

TEST(CheckQuorum, SwitchedOffALeaderStaysHoweverLongNobodyAnswers) {
  Driver leader = leader_of(3);
  leader.tick(100);
  EXPECT_EQ(leader.state().role, Role::leader);
}

// ---- Counting votes ---------------------------------------------------------------------------------------

/// A candidate of term 2 in a cluster of five whose own vote is durable.
Driver candidate_of_five() {
  Driver candidate = settled(plain(), recovered(5));
  candidate.time_out();
  candidate.settle();
  return candidate;
}

TEST(Votes, TheSameVoterCountsOnce) {
  Driver candidate = candidate_of_five();
  for (int i = 0; i < 5; ++i) candidate.receive(2, 2, VoteReply{false, true});
  EXPECT_EQ(candidate.state().role, Role::candidate);
  EXPECT_EQ(candidate.view().granted.size(), 2U);
}

TEST(Votes, OfAnOlderTermDoNotCount) {
  Driver candidate = candidate_of_five();
  candidate.time_out();
  candidate.settle();
  ASSERT_EQ(candidate.state().hard.term, Term(3));
  for (std::uint32_t voter = 2; voter <= 5; ++voter) candidate.receive(voter, 2, VoteReply{false, true});
  EXPECT_EQ(candidate.state().role, Role::candidate);
  EXPECT_EQ(candidate.view().granted.size(), 1U);
}

TEST(Votes, OfStrangersDoNotCount) {
  Driver candidate = candidate_of_five();
  for (std::uint32_t stranger = 6; stranger <= 9; ++stranger)
    candidate.receive(stranger, 2, VoteReply{false, true});
  EXPECT_EQ(candidate.state().role, Role::candidate);
}

TEST(Votes, AfterStandingDownDoNotElect) {
  Driver candidate = candidate_of_five();
  candidate.exchange(2, 2, Heartbeat{});
  for (std::uint32_t voter = 3; voter <= 5; ++voter) candidate.receive(voter, 2, VoteReply{false, true});
  EXPECT_EQ(candidate.state().role, Role::follower);
}

TEST(Votes, AMajorityOfRefusalsEndsTheCandidacyInTheSameTerm) {
  Driver candidate = candidate_of_five();
  candidate.receive(2, 2, VoteReply{false, false});
  candidate.receive(3, 2, VoteReply{false, false});
  EXPECT_EQ(candidate.state().role, Role::candidate);
  candidate.receive(4, 2, VoteReply{false, false});
  EXPECT_EQ(candidate.state().role, Role::follower);
  EXPECT_EQ(candidate.state().hard, (HardState{Term(2), node(1)}));
}

TEST(Votes, ItsOwnDoesNotCountBeforeItIsDurable) {
  Driver only = settled(plain(), recovered(1));
  only.step(Campaign{});
  EXPECT_EQ(only.state().role, Role::candidate);
  EXPECT_TRUE(only.view().granted.empty());
  only.written(only.state().issued.value());
  EXPECT_EQ(only.state().role, Role::leader);
  EXPECT_EQ(only.state().hard.term, Term(2)) << "the lone voter also takes a new term";
}

TEST(Votes, NoMajorityOfOthersMakesALeaderWhoseOwnVoteIsNotDurable) {
  Driver candidate = settled(plain(), recovered(3));
  candidate.step(Campaign{});
  candidate.receive(2, 2, VoteReply{false, true});
  candidate.receive(3, 2, VoteReply{false, true});
  EXPECT_EQ(candidate.state().role, Role::candidate);
  candidate.written(candidate.state().issued.value());
  EXPECT_EQ(candidate.state().role, Role::leader);
}

TEST(Votes, TheRequestWaitsForTheVoteAndTheLogThatItAdvertises) {
  Driver candidate = settled(plain(), recovered(3));
  candidate.receive(2, 1, AppendEntries{id(1, 1), {}, {}, entries(2, {1})});
  candidate.step(Campaign{});
  EXPECT_TRUE(candidate.all<RequestVote>().empty());
  candidate.written(2);
  EXPECT_TRUE(candidate.all<RequestVote>().empty()) << "the log is durable, the vote is not";
  candidate.written(3);
  EXPECT_EQ(candidate.one<RequestVote>(2), (RequestVote{id(1, 2)}));
}

TEST(Votes, AHeldRequestIsDroppedWhenANewerTermCame) {
  Driver candidate = settled(plain(), recovered(3));
  candidate.step(Campaign{});
  candidate.receive(2, 5, Heartbeat{});
  candidate.settle();
  EXPECT_TRUE(candidate.all<RequestVote>().empty());
}

TEST(Votes, AHeldRequestIsDroppedWhenTheCandidateFollowsALeaderOfItsTerm) {
  Driver candidate = settled(plain(), recovered(3, {1}));
  candidate.step(Campaign{});
  candidate.receive(2, 2, AppendEntries{id(1, 1), {}, {}, entries(2, {2})});
  candidate.settle();
  EXPECT_TRUE(candidate.one<AppendReply>(2));
  EXPECT_TRUE(candidate.all<RequestVote>().empty()) << "it would advertise entry 2 of term 1, which is gone";
}

TEST(Votes, AHeldGrantIsDroppedWhenANewerTermCame) {
  Driver voter = settled(plain(), recovered(3));
  voter.receive(2, 2, RequestVote{id(1, 1)});
  EXPECT_TRUE(voter.sent.empty());
  voter.receive(3, 3, RequestVote{id(1, 1)});
  voter.settle();
  ASSERT_EQ(voter.all<VoteReply>().size(), 1U);
  EXPECT_EQ(voter.one<VoteReply>(3), (VoteReply{false, true}));
}

TEST(Votes, TheVoteOfATermIsKeptWhenSteppingDownWithinIt) {
  Driver candidate = candidate_of_five();
  candidate.exchange(2, 2, AppendEntries{id(1, 1), {}, {}, {}});
  candidate.exchange(3, 2, RequestVote{id(9, 9)});
  EXPECT_EQ(candidate.one<VoteReply>(3), (VoteReply{false, false}));
  EXPECT_EQ(candidate.state().hard.voted_for, node(1));
}

TEST(Votes, WhoKnowsTheLeaderOfATermVotesForNobodyElseInIt) {
  Driver voter = settled(plain(), recovered(3));
  voter.exchange(2, 2, Heartbeat{});
  voter.exchange(3, 2, RequestVote{id(9, 9)});
  EXPECT_EQ(voter.one<VoteReply>(3), (VoteReply{false, false}));
}

// ---- Timers and roles -------------------------------------------------------------------------------------

TEST(ElectionTimer, OfHighPriorityIsFromTheEarlierHalfAndOfLowFromTheLater) {
  std::vector<std::uint32_t> high;
  std::vector<std::uint32_t> low;
  for (std::uint32_t self = 1; self <= 50; ++self) {
    Options options = plain(self);
    options.priority = Priority::high;
    high.push_back(Driver(options, recovered(50)).state().deadline_ticks);
    options.priority = Priority::low;
    low.push_back(Driver(options, recovered(50)).state().deadline_ticks);
  }
  EXPECT_EQ(*std::ranges::min_element(high), 15U);
  EXPECT_EQ(*std::ranges::max_element(high), 22U);
  EXPECT_EQ(*std::ranges::min_element(low), 22U);
  EXPECT_EQ(*std::ranges::max_element(low), 29U);
}

/// n7 of high and n6 of low priority were all that was left of {3,6,7}, and only n6 had all that was committed. Each new term of
/// n7 started the timer of n6 again, and was always the earlier one.
TEST(ElectionTimer, APriorityIsForgottenByWhoStandsInVain) {
  for (const Priority priority : {Priority::high, Priority::low}) {
    Options options = plain();
    options.priority = priority;
    Driver candidate = settled(options, recovered(2));
    std::vector<std::uint32_t> deadlines;
    for (std::uint32_t attempt = 0; attempt < 60; ++attempt) {
      const std::uint64_t term = candidate.state().hard.term.value();
      while (candidate.state().hard.term == Term(term)) candidate.tick();
      deadlines.push_back(candidate.state().deadline_ticks);
    }
    const bool high = priority == Priority::high;
    EXPECT_EQ(deadlines.front() <= 22, high) << "the first attempt keeps to it";
    EXPECT_EQ(*std::ranges::min_element(deadlines), 15U);
    EXPECT_EQ(*std::ranges::max_element(deadlines), 29U);
  }
}

/// n1 and n4 of high priority, and n3, n6 and n9 of low, were what was left of nine. Only the latter had all that was committed,
/// but n1 and n4 took turns: each new term of the one was the first attempt of the other, and always the earlier one.
TEST(ElectionTimer, APriorityIsForgottenAlsoWhenOthersStandInVain) {
  for (const Priority priority : {Priority::high, Priority::low}) {
    Options options = plain();
    options.priority = priority;
    Driver voter = settled(options, recovered(3));
    const bool high = priority == Priority::high;
    std::uint64_t term = voter.state().hard.term.value();
    std::vector<std::uint32_t> deadlines;
    for (int election = 0; election < 60; ++election) {
      RequestVote request;
      request.last = LogId{Term(1000), Index(1000)};
      voter.exchange(election % 2 == 0 ? 2 : 3, ++term, request);
      deadlines.push_back(voter.state().deadline_ticks);
    }
    EXPECT_EQ(deadlines.front() <= 22, high) << "the first election keeps to it";
    EXPECT_EQ(*std::ranges::min_element(deadlines), 15U);
    EXPECT_EQ(*std::ranges::max_element(deadlines), 29U);
    for (int leader = 0; leader < 60; ++leader) {
      voter.exchange(2, ++term, Heartbeat{});
      EXPECT_EQ(voter.state().leader, NodeId(2));
      EXPECT_EQ(voter.state().deadline_ticks < 22 || (voter.state().deadline_ticks == 22 && high), high);
    }
  }
}

TEST(ElectionTimer, IsDrawnFromOneToTwoElectionTimeoutsAndDiffersBetweenNodesAndTerms) {
  std::vector<std::uint32_t> deadlines;
  for (std::uint32_t id = 1; id <= 5; ++id) {
    for (std::uint64_t term = 1; term <= 5; ++term) {
      const Driver driver = settled(plain(id), recovered(5, {}, term));
      EXPECT_GE(driver.state().deadline_ticks, 15U);
      EXPECT_LT(driver.state().deadline_ticks, 30U);
      deadlines.push_back(driver.state().deadline_ticks);
    }
  }
  std::ranges::sort(deadlines);
  const auto unique = std::unique(deadlines.begin(), deadlines.end()) - deadlines.begin();
  EXPECT_GT(unique, 8);
}

TEST(ElectionTimer, TicksBelowTheDeadlineHaveNoOutput) {
  Driver follower = settled(guarded(), recovered(3));
  for (std::uint32_t i = 1; i < follower.state().deadline_ticks; ++i) {
    follower.tick();
    EXPECT_TRUE(follower.sent.empty());
    EXPECT_FALSE(follower.out.write.seq);
    EXPECT_FALSE(follower.out.role);
  }
}

TEST(Election, OnlyAVoterStands) {
  Recovered outsider = recovered(3);
  Driver driver = settled(plain(4), outsider);
  driver.tick(200);
  EXPECT_EQ(driver.state().role, Role::follower);
  EXPECT_EQ(driver.state().hard.term, Term(1));
  EXPECT_TRUE(driver.sent.empty());
}

TEST(Election, WithoutAConfigurationNobodyStands) {
  Driver driver = settled(plain(), Recovered{});
  driver.tick(200);
  EXPECT_EQ(driver.state().role, Role::follower);
  EXPECT_EQ(driver.state().hard.term, Term(0));
}

TEST(Election, CampaigningAsALeaderDoesNothing) {
  Driver leader = leader_of(3);
  leader.step(Campaign{});
  EXPECT_EQ(leader.state().role, Role::leader);
}

TEST(Election, ANewLeaderAppendsANoopOfItsTerm) {
  Driver leader = settled(plain(), recovered(3, {1}, 4));
  leader.lead();
  EXPECT_EQ(leader.state().last, id(5, 3));
  EXPECT_EQ(leader.log().entry(Index(3)).kind, EntryKind::noop);
}

TEST(Election, MessagesForOthersOrFromNobodyAreDroppedAndCounted) {
  Driver driver = settled(plain(), recovered(3));
  driver.step(Receive{Envelope{node(2), node(3), Term(9), Heartbeat{}}});
  driver.step(Receive{Envelope{node(0), node(1), Term(9), Heartbeat{}}});
  driver.step(Receive{Envelope{node(1), node(1), Term(9), Heartbeat{}}});
  EXPECT_EQ(driver.view().dropped, 3U);
  EXPECT_EQ(driver.state().hard.term, Term(1));
}

TEST(Election, ASecondLeaderOfATermIsDroppedAndCounted) {
  Driver leader = leader_of(3);
  leader.receive(2, 2, Heartbeat{});
  leader.receive(2, 2, AppendEntries{id(1, 1), {}, {}, {}});
  EXPECT_EQ(leader.state().role, Role::leader);
  EXPECT_EQ(leader.view().dropped, 2U);
  Driver follower = settled(plain(), recovered(3));
  follower.receive(2, 1, Heartbeat{});
  follower.receive(3, 1, Heartbeat{});
  EXPECT_EQ(follower.state().leader, node(2));
  EXPECT_EQ(follower.view().dropped, 1U);
}

}  // namespace
}  // namespace raftlab::raft::testing
