#include "raft/membership_fixture.hpp"

#include <gtest/gtest.h>

/// Changes of the configuration, seen by who does not lead.
namespace raftlab::raft::testing {
namespace {

// ---- Followers --------------------------------------------------------------------------------------------

TEST(FollowerConfiguration, IsInEffectWhenReceivedAndGoneWhenTruncated) {
  // TruncateRederivesConfigIndices: two configuration entries may go at once (scylla #30936, #31074).
  Driver follower = settled(plain(), bootstrap(voters_up_to(3)));
  const Configuration joint = joint_of(voters_up_to(3), simple({1, 2}));
  follower.exchange(2, 2, AppendEntries{id(1, 1), {}, {}, configuration_entry(2, 2, joint)});
  EXPECT_EQ(last_configuration(follower), joint);
  follower.exchange(2, 2, AppendEntries{id(2, 2), {}, {}, configuration_entry(3, 2, simple({1, 2}))});
  EXPECT_EQ(last_configuration(follower), simple({1, 2}));
  ASSERT_EQ(follower.view().configurations.size(), 4U) << "before the log, bootstrap, joint, leave";
  follower.exchange(3, 3, AppendEntries{id(1, 1), {}, {}, entries(2, {3})});
  EXPECT_EQ(last_configuration(follower), voters_up_to(3));
  EXPECT_EQ(follower.view().configurations.back().index, Index(1));
}

TEST(FollowerConfiguration, OneOfTwoIsTruncated) {
  Driver follower = settled(plain(), bootstrap(voters_up_to(3)));
  const Configuration joint = joint_of(voters_up_to(3), simple({1, 2}));
  follower.exchange(2, 2, AppendEntries{id(1, 1), {}, {}, configuration_entry(2, 2, joint)});
  follower.exchange(2, 2, AppendEntries{id(2, 2), {}, {}, configuration_entry(3, 2, simple({1, 2}))});
  follower.exchange(3, 3, AppendEntries{id(2, 2), {}, {}, entries(3, {3})});
  EXPECT_EQ(last_configuration(follower), joint);
}

TEST(FollowerConfiguration, ThatCannotBeReadIsDroppedAndCounted) {
  Driver follower = settled(plain(), bootstrap(voters_up_to(3)));
  Configuration never_left = joint_of(voters_up_to(3), simple({1, 2}));
  never_left.learners_next = nodes({1});
  follower.exchange(2, 2, AppendEntries{id(1, 1), {}, {}, configuration_entry(2, 2, never_left)});
  EXPECT_EQ(follower.state().last.index, Index(1));
  EXPECT_EQ(follower.view().dropped, 1U);
}

// ---- Who may stand, and who votes -------------------------------------------------------------------------

TEST(NewNode, NeverStandsAndLearnsByAppends) {
  Driver fresh(guarded(4), Recovered{});
  fresh.settle();
  fresh.tick(100);
  fresh.step(Campaign{});
  EXPECT_EQ(fresh.state().role, Role::follower);
  EXPECT_TRUE(fresh.sent.empty());
  fresh.exchange(1, 3, AppendEntries{id(2, 7), Index(7), {}, {}});
  EXPECT_EQ(fresh.one<AppendReject>(1), (AppendReject{Index(7), LogId{}, {}})) << "it has nothing";
  fresh.exchange(1, 3, AppendEntries{LogId{}, Index(7), {}, configuration_entry(1, 1, voters_up_to(4))});
  EXPECT_EQ(fresh.one<AppendReply>(1), (AppendReply{Index(1), {}}));
  EXPECT_EQ(last_configuration(fresh), voters_up_to(4));
  fresh.time_out();
  EXPECT_EQ(fresh.state().role, Role::pre_candidate);
}

TEST(NewNode, MayBeAskedToVote) {
  // CampaignLearnerMustVote: who does not know yet that it is a voter must vote, or nobody may be elected.
  for (const bool empty : {false, true}) {
    Driver voter = settled(guarded(4), empty ? Recovered{} : recovered_history({simple({1, 2, 3}, {4})}));
    voter.receive(1, 2, RequestVote{id(1, 2), true});
    EXPECT_EQ(voter.one<VoteReply>(1), (VoteReply{true, true}));
    voter.exchange(1, 2, RequestVote{id(1, 2)});
    EXPECT_EQ(voter.one<VoteReply>(1), (VoteReply{false, true}));
  }
}

TEST(Learner, NeverStands) {
  Driver learner = settled(guarded(4), recovered_history({simple({1, 2, 3}, {4})}));
  learner.tick(100);
  learner.step(Campaign{});
  EXPECT_EQ(learner.state().role, Role::follower);
  EXPECT_TRUE(learner.sent.empty());
}

TEST(Learner, VotesOnceItHasHeardNoLeaderForItsTimeout) {
  Driver learner = settled(guarded(4), recovered_history({simple({1, 2, 3}, {4})}));
  learner.receive(2, 1, Heartbeat{});
  learner.time_out();
  EXPECT_EQ(learner.state().leader, NodeId{}) << "otherwise each timeout would begin another silence";
  learner.exchange(1, 2, RequestVote{id(1, 2)});
  EXPECT_EQ(learner.one<VoteReply>(1), (VoteReply{false, true}));
}

TEST(CandidateOutsideConfiguration, StandsWhileItsRemovalIsNotCommitted) {
  // Node 2 has the joint entry, as 4, 5 and 6 do; node 3 is dead. Only node 1, which has the leave, can get a
  // quorum.
  Driver node1 = settled(
      plain(),
      recovered_history({voters_up_to(3), joint_of(voters_up_to(3), simple({4, 5, 6})), simple({4, 5, 6})}));
  node1.time_out();
  node1.settle();
  ASSERT_EQ(node1.state().role, Role::candidate);
  EXPECT_TRUE(node1.view().granted.empty()) << "it is no voter, so that its own vote does not count";
  EXPECT_FALSE(node1.one<RequestVote>(2)) << "nor does that of node 2";
  node1.receive(4, 2, VoteReply{false, true});
  EXPECT_EQ(node1.state().role, Role::candidate) << "1 of {4, 5, 6}";
  node1.receive(2, 2, VoteReply{false, true});
  EXPECT_EQ(node1.state().role, Role::candidate);
  node1.receive(5, 2, VoteReply{false, true});
  EXPECT_EQ(node1.state().role, Role::leader);
  EXPECT_EQ(tracked(node1), (Ids{4, 5, 6}));
  node1.settle();
  node1.acknowledge_all(4);
  node1.acknowledge_all(5);
  EXPECT_EQ(node1.state().commit, Index(4));
  EXPECT_EQ(node1.state().role, Role::follower) << "the removal is committed";
}

TEST(CandidateOutsideConfiguration, AsksFirstLikeAnyOther) {
  Driver node1 = settled(
      guarded(),
      recovered_history({voters_up_to(2), joint_of(voters_up_to(2), simple({2, 3})), simple({2, 3})}));
  node1.time_out();
  ASSERT_EQ(node1.state().role, Role::pre_candidate);
  node1.receive(2, 2, VoteReply{true, true});
  EXPECT_EQ(node1.state().role, Role::pre_candidate);
  node1.receive(3, 2, VoteReply{true, true});
  EXPECT_EQ(node1.state().role, Role::candidate);
}

TEST(CandidateOutsideConfiguration, DoesNotStandOnceItsRemovalIsCommitted) {
  Driver node1 = settled(
      plain(),
      recovered_history({voters_up_to(3), joint_of(voters_up_to(3), simple({2, 3})), simple({2, 3})}));
  node1.receive(2, 1, Heartbeat{Index(3), {}});
  node1.tick(100);
  EXPECT_EQ(node1.state().role, Role::follower);
}

TEST(CandidateOutsideConfiguration, AVoterOfTheOldSideOnlyStandsAndVotesForItself) {  // scylla #10618
  Driver node1 = settled(plain(), recovered_history({simple({1}), joint_of(simple({1}), simple({2, 3}))}));
  node1.time_out();
  node1.settle();
  EXPECT_EQ(node1.view().granted.size(), 1U);
  node1.receive(2, 2, VoteReply{false, true});
  EXPECT_EQ(node1.state().role, Role::candidate) << "1 of {2, 3}";
  node1.receive(3, 2, VoteReply{false, true});
  EXPECT_EQ(node1.state().role, Role::leader);
}

TEST(NonVoter, CountsNowhere) {  // G13
  Driver node1 = settled(plain(), recovered_history({simple({1, 2, 3}, {4})}));
  node1.time_out();
  node1.settle();
  EXPECT_FALSE(node1.one<RequestVote>(4)) << "it is not asked";
  node1.receive(4, 2, VoteReply{false, true});
  node1.receive(9, 2, VoteReply{false, true});
  EXPECT_EQ(node1.state().role, Role::candidate);
  EXPECT_EQ(node1.view().granted.size(), 1U);
  node1.receive(2, 2, VoteReply{false, true});
  ASSERT_EQ(node1.state().role, Role::leader);
  node1.settle();
  node1.acknowledge_all(4);
  node1.acknowledge_all(9);
  EXPECT_EQ(node1.state().commit, Index{});
}

TEST(RetiredNode, ItsDelayedAnswersAreIgnored) {  // CCF retired_node_delayed_responses
  Driver leader = leader_in(voters_up_to(3));
  change(leader, simple({1, 2}));
  leader.acknowledge_all(2);
  leader.acknowledge_all(2);
  ASSERT_EQ(leader.state().commit, Index(4));
  leader.propose("x");
  leader.settle();
  const State before = leader.state();
  leader.receive(3, 2, AppendReply{Index(5), ReadSeq{}});
  leader.receive(3, 2, AppendReject{Index(5), id(1, 1), {}});
  leader.receive(3, 2, HeartbeatReply{});
  leader.receive(3, 2, VoteReply{false, true});
  leader.receive(3, 2, SnapshotReply{Index(5), 0, true});
  EXPECT_EQ(leader.state(), before);
  EXPECT_TRUE(leader.sent.empty());
}

TEST(RetiredNode, DisturbsNobodyThatHearsALeader) {  // thesis §4.2.3
  Driver leader = leader_in(voters_up_to(3), guarded());
  change(leader, simple({1, 2}));
  leader.acknowledge_all(2);
  leader.acknowledge_all(2);
  leader.receive(3, 9, RequestVote{id(2, 3)});
  EXPECT_EQ(leader.state().hard.term, Term(2));
  EXPECT_TRUE(leader.sent.empty());
}

TEST(RetiredNode, ThatComesBackStartsFromNothing) {
  Driver leader = leader_in(voters_up_to(3));
  change(leader, simple({1, 2}));
  leader.acknowledge_all(2);
  leader.acknowledge_all(2);
  change(leader, simple({1, 2}, {3}));
  EXPECT_EQ(leader.peer(3).match, Index{}) << "whatever it had, it may be a new disk";
  leader.acknowledge_all(2);
  EXPECT_EQ(leader.state().commit, Index(5));
}

TEST(AddedNode, HasTimeToAnswerBeforeTheQuorumIsChecked) {
  Driver leader = leader_in(voters_up_to(1), guarded());
  leader.tick(14);
  change(leader, voters_up_to(3));
  leader.tick(14);
  EXPECT_EQ(leader.state().role, Role::leader);
  leader.tick(17);
  EXPECT_EQ(leader.state().role, Role::follower) << "but not for ever";
}

TEST(AddedNode, IsBroughtUpToDateFromItsAnswers) {
  Driver leader = leader_in(voters_up_to(1));
  change(leader, simple({1}, {2}));
  leader.exchange(2, 2, AppendReject{Index(3), LogId{}, {}});
  const auto append = leader.one<AppendEntries>(2);
  ASSERT_TRUE(append);
  EXPECT_EQ(append->prev, LogId{});
  EXPECT_EQ(append->entries.size(), 3U);
}

TEST(AddedNode, GetsASnapshotWhenTheLogDoesNotReachBack) {
  Options options = plain();
  options.limits.tail_entries = 0;
  Driver leader = leader_in(voters_up_to(1), options);
  leader.step(Applied{leader.state().handed});
  leader.step(SnapshotTaken{id(2, 2)});
  leader.settle();
  change(leader, simple({1}, {2}));
  leader.exchange(2, 2, AppendReject{Index(3), LogId{}, {}});
  EXPECT_EQ(leader.peer(2).state, ProgressState::snapshot);
}

}  // namespace
}  // namespace raftlab::raft::testing
