#include "raft/membership_fixture.hpp"

#include <gtest/gtest.h>

/// Thesis §4, and what other implementations got wrong about it.
namespace raftlab::raft::testing {
namespace {

Options with_lag_max(std::uint64_t entries) {
  Options options = plain();
  options.limits.promotion_lag_entries_max = entries;
  return options;
}

// ---- From one configuration to another --------------------------------------------------------------------

TEST(JointOf, TakesTheNodesOfBothSides) {
  const Configuration joint = joint_of(simple({1, 2, 3}), simple({3, 4, 5}));
  EXPECT_EQ(joint.voters, nodes({3, 4, 5}));
  EXPECT_EQ(joint.outgoing, nodes({1, 2, 3}));
  EXPECT_EQ(joint.members, voters_up_to(5).members);
  EXPECT_EQ(decode_configuration(encode(joint)), joint);
  EXPECT_EQ(incoming_side(joint), simple({3, 4, 5}));
}

TEST(JointOf, AVoterThatBecomesALearnerVotesUntilTheEnd) {
  const Configuration joint = joint_of(simple({1, 2, 3}, {4}), simple({1, 4}, {3, 5}));
  EXPECT_EQ(joint.learners, nodes({5}));
  EXPECT_EQ(joint.learners_next, nodes({3}));
  EXPECT_TRUE(joint.is_voter(node(3)));
  EXPECT_TRUE(joint.is_voter(node(4))) << "a promoted learner votes at once";
  EXPECT_EQ(decode_configuration(encode(joint)), joint);
  EXPECT_EQ(incoming_side(joint), simple({1, 4}, {3, 5}));
}

TEST(JointOf, ARemovedLearnerGoesAtOnce) {
  EXPECT_FALSE(joint_of(simple({1, 2}, {3}), simple({1})).is_member(node(3)));
}

TEST(JointOf, DescribesANodeAsTheTargetDoes) {
  Configuration target = simple({1, 2, 3});
  target.members[0].address = "elsewhere:1";
  EXPECT_EQ(joint_of(simple({1, 2}), target).members[0].address, "elsewhere:1");
  EXPECT_EQ(joint_of(simple({1, 2}), target).members[1].address, "");
}

TEST(JointConfiguration, ThatCouldNotBeLeftCannotBeRead) {
  const auto refused = [](auto change) {
    Configuration joint = joint_of(simple({1, 2, 3}, {5}), simple({1, 2, 4}, {3, 5}));
    change(joint);
    return !decode_configuration(encode(joint)).has_value();
  };
  EXPECT_FALSE(refused([](Configuration&) {}));
  EXPECT_TRUE(refused([](Configuration& c) { c.learners_next = nodes({2}); })) << "stays a voter";
  EXPECT_TRUE(refused([](Configuration& c) { c.learners_next = nodes({5}); })) << "is no outgoing voter";
  EXPECT_TRUE(refused([](Configuration& c) { c.outgoing = {}; })) << "nobody is there who could become one";
  EXPECT_TRUE(refused([](Configuration& c) { c.learners = nodes({3, 5}); })) << "a learner that votes";
  EXPECT_TRUE(refused([](Configuration& c) { c.learners = {}; })) << "a member without a part";
}

// ---- What a leader accepts --------------------------------------------------------------------------------

TEST(ConfigurationProposal, IsAnsweredByTheLeaderOnly) {
  Driver follower = settled(plain(), recovered(3));
  follower.receive(2, 1, Heartbeat{});
  change(follower, voters_up_to(4));
  EXPECT_EQ(follower.state().last.index, Index(1));
  follower.step(ProposeConfiguration{7, voters_up_to(4)});
  ASSERT_EQ(rejection(follower), Rejection::not_leader);
  EXPECT_EQ(follower.out.rejected.front().leader, node(2));
}

TEST(ConfigurationProposal, WaitsUntilTheLeaderHasCommittedInItsTerm) {
  // Ongaro, raft-dev, 10 July 2015: without this rule two leaders can commit changes by quorums that do not
  // meet.
  Driver leader(plain(), recovered(3));
  leader.lead();
  leader.step(ProposeConfiguration{7, voters_up_to(4)});
  EXPECT_EQ(rejection(leader), Rejection::not_ready);
  leader.acknowledge_all(2);
  leader.step(ProposeConfiguration{7, voters_up_to(4)});
  EXPECT_EQ(leader.out.accepted.size(), 1U);
}

TEST(ConfigurationProposal, IsRefusedWhileAnotherChangeHasNotEnded) {
  Driver leader = leader_in(voters_up_to(3));
  change(leader, voters_up_to(4));
  leader.step(ProposeConfiguration{8, voters_up_to(5)});
  EXPECT_EQ(rejection(leader), Rejection::change_in_flight) << "the joint entry is not committed";
  leader.acknowledge_all(2);
  leader.acknowledge_all(3);
  ASSERT_FALSE(last_configuration(leader).joint());
  leader.step(ProposeConfiguration{8, voters_up_to(5)});
  EXPECT_EQ(rejection(leader), Rejection::change_in_flight) << "the leave entry is not committed";
  leader.acknowledge_all(2);
  leader.acknowledge_all(3);
  leader.step(ProposeConfiguration{8, voters_up_to(5)});
  EXPECT_EQ(leader.out.accepted.size(), 1U);
}

TEST(ConfigurationProposal, TwoInOneStepAreOneChange) {
  Driver leader = leader_in(voters_up_to(3));
  leader.step({ProposeConfiguration{7, voters_up_to(4)}, ProposeConfiguration{8, voters_up_to(5)}});
  EXPECT_EQ(leader.out.accepted.size(), 1U);
  EXPECT_EQ(rejection(leader), Rejection::change_in_flight);
}

TEST(ConfigurationProposal, MustBeASimpleWellFormedConfiguration) {
  Driver leader = leader_in(voters_up_to(3));
  const auto reason = [&](const Configuration& target) {
    leader.step(ProposeConfiguration{7, target, true});
    return rejection(leader);
  };
  EXPECT_EQ(reason(Configuration{}), Rejection::bad_configuration) << "nobody decides";
  EXPECT_EQ(reason(joint_of(simple({1}), simple({1, 2}))), Rejection::bad_configuration) << "joint";
  Configuration target = simple({1, 2}, {3});
  target.learners_next = nodes({3});
  EXPECT_EQ(reason(target), Rejection::bad_configuration);
  target = simple({1, 2});
  target.voters = nodes({2, 1});
  EXPECT_EQ(reason(target), Rejection::bad_configuration) << "not sorted";
  target = simple({1, 2});
  target.members = voters_up_to(3).members;
  EXPECT_EQ(reason(target), Rejection::bad_configuration) << "a member without a part";
  target.members = voters_up_to(1).members;
  EXPECT_EQ(reason(target), Rejection::bad_configuration) << "a voter that is no member";
  target = simple({1, 2}, {3});
  target.learners = nodes({2});
  EXPECT_EQ(reason(target), Rejection::bad_configuration) << "voter and learner";
  EXPECT_EQ(reason(voters_up_to(65)), Rejection::bad_configuration) << "too many";
  EXPECT_EQ(leader.state().last.index, Index(2)) << "nothing of it is in the log";
}

TEST(ConfigurationProposal, WhoseBothSidesAreTooManyForOneEntryIsRefused) {
  Ids new_voters;
  for (std::uint32_t id = 2; id <= 65; ++id) new_voters.push_back(id);
  Driver leader = leader_in(voters_up_to(1));
  leader.step(ProposeConfiguration{7, simple(new_voters)});
  EXPECT_EQ(rejection(leader), Rejection::bad_configuration);
}

TEST(ConfigurationProposal, CountsForTheLimitOfUncommittedBytes) {
  Options options = plain();
  options.limits.uncommitted_bytes_max = 40;
  Driver leader = leader_in(voters_up_to(3), options);
  leader.step(ProposeConfiguration{7, voters_up_to(4)});
  EXPECT_EQ(rejection(leader), Rejection::overloaded);
}

TEST(ConfigurationProposal, ALearnerThatLagsIsNotPromoted) {
  Driver leader = leader_in(simple({1, 2}, {3}), with_lag_max(2));
  for (const char* payload : {"a", "b", "c"}) leader.propose(payload);
  leader.settle();
  leader.acknowledge_all(2);
  leader.step(ProposeConfiguration{7, voters_up_to(3)});
  EXPECT_EQ(rejection(leader), Rejection::not_caught_up) << "3 entries";
  leader.receive(3, 2, AppendReply{Index(3), ReadSeq{}});
  leader.step(ProposeConfiguration{7, voters_up_to(3)});
  EXPECT_EQ(leader.out.accepted.size(), 1U) << "2 entries";
}

TEST(ConfigurationProposal, ForcePromotesALearnerThatLags) {
  Driver leader = leader_in(simple({1, 2}, {3}), with_lag_max(0));
  leader.propose("a");
  leader.settle();
  leader.acknowledge_all(2);
  leader.step(ProposeConfiguration{7, voters_up_to(3), false});
  EXPECT_EQ(rejection(leader), Rejection::not_caught_up);
  leader.step(ProposeConfiguration{7, voters_up_to(3), true});
  EXPECT_EQ(leader.out.accepted.size(), 1U);
}

TEST(ConfigurationProposal, ANewNodeMayBecomeAVoterAtOnce) {
  Driver leader = leader_in(voters_up_to(3), with_lag_max(0));
  leader.step(ProposeConfiguration{7, voters_up_to(4)});
  EXPECT_EQ(leader.out.accepted.size(), 1U);
}

// ---- The course of a change -------------------------------------------------------------------------------

TEST(JointConsensus, IsInEffectWhenAppended) {
  Driver leader = leader_in(voters_up_to(3));
  leader.step(ProposeConfiguration{7, voters_up_to(5)});
  ASSERT_EQ(leader.out.accepted.size(), 1U);
  EXPECT_EQ(leader.out.accepted.front().id, id(2, 3));
  EXPECT_EQ(leader.view().configurations.back().index, Index(3));
  EXPECT_EQ(last_configuration(leader), joint_of(voters_up_to(3), voters_up_to(5)));
  EXPECT_EQ(tracked(leader), (Ids{1, 2, 3, 4, 5}));
  EXPECT_EQ(leader.peer(4).state, ProgressState::probe);
  EXPECT_EQ(leader.peer(4).match, Index{});
  EXPECT_EQ(leader.peer(4).next, Index(4));
  EXPECT_EQ(leader.one<AppendEntries>(4)->prev, id(2, 3)) << "it is asked at once what it has";
  EXPECT_EQ(leader.peer(2).match, Index(2)) << "what is known of the others stays";
}

TEST(JointConsensus, NeedsAMajorityOfEachSide) {
  Driver leader = leader_in(voters_up_to(3));
  change(leader, simple({1, 4, 5}));
  leader.acknowledge_all(2);
  leader.acknowledge_all(3);
  EXPECT_EQ(leader.state().commit, Index(2)) << "all of the old side, 1 of 3 of the new one";
  leader.acknowledge_all(4);
  EXPECT_EQ(leader.state().commit, Index(3));
}

TEST(JointConsensus, NeedsTheOldSideToo) {
  Driver leader = leader_in(voters_up_to(3));
  change(leader, simple({1, 4, 5}));
  leader.acknowledge_all(4);
  leader.acknowledge_all(5);
  EXPECT_EQ(leader.state().commit, Index(2));
  leader.acknowledge_all(3);
  EXPECT_EQ(leader.state().commit, Index(3));
}

TEST(JointConsensus, IsLeftAsSoonAsItIsCommitted) {
  Driver leader = leader_in(voters_up_to(3));
  change(leader, simple({1, 2, 4}, {3}));
  leader.acknowledge_all(4);
  leader.acknowledge_all(2);
  EXPECT_EQ(leader.state().last.index, Index(4)) << "once";
  EXPECT_EQ(last_configuration(leader), simple({1, 2, 4}, {3}));
  EXPECT_EQ(leader.view().configurations.back().index, Index(4));
  leader.acknowledge_all(4);
  EXPECT_EQ(leader.state().commit, Index(4));
  EXPECT_EQ(leader.state().last.index, Index(4));
  EXPECT_EQ(tracked(leader), (Ids{1, 2, 3, 4}));
}

TEST(JointConsensus, IsNotLeftWhileOnlyWhatStandsBeforeItIsCommitted) {
  Driver leader = leader_in(voters_up_to(3));
  leader.propose("x");
  change(leader, simple({1, 2}));
  leader.exchange(2, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.state().commit, Index(3));
  EXPECT_TRUE(last_configuration(leader).joint());
}

TEST(JointConsensus, ForgetsWhoIsGoneWhenItIsLeft) {
  Driver leader = leader_in(voters_up_to(3));
  change(leader, simple({1, 2}));
  EXPECT_EQ(tracked(leader), (Ids{1, 2, 3})) << "the old side decides still";
  leader.acknowledge_all(2);
  EXPECT_EQ(tracked(leader), (Ids{1, 2}));
  leader.sent.clear();
  leader.tick(10);
  for (const Envelope& envelope : leader.sent) EXPECT_NE(envelope.to, node(3));
}

TEST(JointConsensus, TheLeaveIsNotHeldUpByTheLimitOfUncommittedBytes) {
  Options options = plain();
  options.limits.uncommitted_bytes_max = 200;
  Driver leader = leader_in(voters_up_to(3), options);
  change(leader, simple({1, 2}));
  while (leader.out.rejected.empty()) leader.propose("0123456789");
  leader.settle();
  leader.exchange(2, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(last_configuration(leader), simple({1, 2}));
}

TEST(JointConsensus, LeavingCommitsAtOnceWhatTheSmallerQuorumHolds) {
  // N13: the commit index is as high as it can be, also right after the quorum has shrunk.
  Driver leader = leader_in(voters_up_to(3));
  change(leader, simple({1}));
  leader.propose("a");
  leader.propose("b");
  leader.settle();
  EXPECT_EQ(leader.state().commit, Index(2));
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.state().last.index, Index(6));
  EXPECT_EQ(leader.state().commit, Index(5)) << "node 1 alone has a and b";
  leader.settle();
  EXPECT_EQ(leader.state().commit, Index(6)) << "and now the leave";
}

TEST(JointConsensus, LeavingNamesTheConfigurationThatCommitted) {
  Driver leader = leader_in(voters_up_to(3));
  change(leader, simple({1}));
  leader.propose("a");
  leader.settle();
  leader.out.trace = true;
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.out.deltas.front().commit_configuration, Index(5)) << "by which index 4 was committed";
  EXPECT_EQ(leader.out.deltas.front().appended_from, Index(5));
}

TEST(JointConsensus, LeavingConfirmsTheReadsThatTheSmallerQuorumHasAnswered) {
  Driver leader = leader_in(simple({1, 2, 3, 4, 5}));
  change(leader, simple({1, 2, 3}));
  leader.acknowledge_all(2);
  leader.step(Read{9});
  const ReadSeq round = leader.state().read_issued;
  leader.receive(2, 2, HeartbeatReply{round});
  EXPECT_LT(leader.state().read_confirmed, round) << "2 of 5 of the old side";
  leader.receive(4, 2, AppendReply{Index(3), ReadSeq{}});
  ASSERT_FALSE(last_configuration(leader).joint());
  EXPECT_EQ(leader.state().read_confirmed, round);
}

TEST(JointConsensus, OfTheSameVotersNeedsOneEntryOnly) {
  Driver leader = leader_in(voters_up_to(3));
  change(leader, simple({1, 2, 3}, {4}));
  EXPECT_EQ(last_configuration(leader), simple({1, 2, 3}, {4}));
  EXPECT_EQ(tracked(leader), (Ids{1, 2, 3, 4}));
  leader.acknowledge_all(4);
  EXPECT_EQ(leader.state().commit, Index(2)) << "a learner counts nowhere";
  leader.acknowledge_all(2);
  EXPECT_EQ(leader.state().commit, Index(3));
  EXPECT_EQ(leader.state().last.index, Index(3));
}

TEST(JointConsensus, ToWhatIsThereAlreadyIsAnEntryThatChangesNothing) {
  Driver leader = leader_in(voters_up_to(3));
  change(leader, voters_up_to(3));
  EXPECT_EQ(leader.state().last.index, Index(3));
  EXPECT_EQ(last_configuration(leader), voters_up_to(3));
  EXPECT_EQ(leader.peer(2).match, Index(2));
}

TEST(JointConsensus, ReplacesAllVotersAtOnce) {  // scylla test_confchange_abc_to_cde, and beyond
  Driver leader = leader_in(voters_up_to(3));
  change(leader, simple({4, 5, 6}));
  leader.acknowledge_all(2);
  leader.acknowledge_all(4);
  leader.acknowledge_all(5);
  EXPECT_EQ(last_configuration(leader), simple({4, 5, 6}));
  EXPECT_EQ(tracked(leader), (Ids{4, 5, 6}));
  EXPECT_EQ(leader.state().role, Role::leader) << "until the leave is committed";
}

// ---- A leader that is removed (thesis §4.2.2) -------------------------------------------------------------

/// Node 1 has appended the leave to {2, 3, 4}, which removes it, at 4.
Driver leader_that_leaves(const Options& options = plain()) {
  Driver leader = leader_in(voters_up_to(3), options);
  change(leader, simple({2, 3, 4}));
  leader.acknowledge_all(2);
  leader.acknowledge_all(3);
  return leader;
}

TEST(RemovedLeader, GoesOnReplicatingAndDoesNotCountItself) {
  Driver leader = leader_that_leaves();
  ASSERT_EQ(leader.state().last.index, Index(4));
  EXPECT_EQ(leader.state().role, Role::leader);
  EXPECT_EQ(leader.state().durable, Index(4));
  leader.exchange(2, 2, AppendReply{Index(4), ReadSeq{}});
  EXPECT_EQ(leader.state().commit, Index(3)) << "1 of {2, 3, 4}";
  leader.propose("x");
  EXPECT_EQ(leader.out.accepted.size(), 1U);
  EXPECT_FALSE(leader.all<AppendEntries>(3).empty());
}

TEST(RemovedLeader, StepsDownWhenItsRemovalIsCommitted) {
  Driver leader = leader_that_leaves();
  leader.step(Read{9});
  leader.receive(2, 2, AppendReply{Index(4), ReadSeq{}});
  leader.receive(3, 2, AppendReply{Index(4), ReadSeq{}});
  EXPECT_EQ(leader.state().commit, Index(4));
  EXPECT_EQ(leader.state().role, Role::follower);
  EXPECT_EQ(leader.state().leader, NodeId{});
  EXPECT_EQ(leader.state().hard, (HardState{Term(2), node(1)})) << "in its term, with its vote";
  EXPECT_EQ(rejection(leader), Rejection::not_leader) << "the read";
}

TEST(RemovedLeader, DoesNotStandAgain) {
  Driver leader = leader_that_leaves();
  leader.acknowledge_all(2);
  leader.acknowledge_all(3);
  leader.sent.clear();
  leader.tick(200);
  leader.step(Campaign{});
  EXPECT_EQ(leader.state().role, Role::follower);
  EXPECT_EQ(leader.state().hard.term, Term(2));
  EXPECT_TRUE(leader.sent.empty());
}

TEST(RemovedLeader, ChecksItsQuorumAmongTheOthers) {
  Driver leader = leader_that_leaves(guarded());
  leader.tick(15);
  ASSERT_EQ(leader.state().role, Role::leader) << "it has heard from 2 and 3";
  leader.receive(2, 2, HeartbeatReply{});
  leader.tick(15);
  EXPECT_EQ(leader.state().role, Role::follower) << "itself and node 2 are one voter";
}

TEST(RemovedLeader, ReadsByTheQuorumOfTheOthers) {
  Driver leader = leader_that_leaves();
  leader.step(Applied{leader.state().handed});
  leader.step(Read{9});
  const ReadSeq round = leader.state().read_issued;
  leader.receive(2, 2, HeartbeatReply{round});
  EXPECT_TRUE(leader.out.reads.empty()) << "node 1 is no voter any more";
  leader.receive(4, 2, HeartbeatReply{round});
  EXPECT_EQ(leader.out.reads.size(), 1U);
}

TEST(RemovedLeader, ThatBecomesALearnerStepsDownToo) {
  Driver leader = leader_in(voters_up_to(3));
  change(leader, simple({2, 3}, {1}));
  leader.acknowledge_all(2);
  leader.acknowledge_all(3);
  EXPECT_EQ(last_configuration(leader), simple({2, 3}, {1}));
  EXPECT_EQ(tracked(leader), (Ids{1, 2, 3}));
  leader.acknowledge_all(2);
  EXPECT_EQ(leader.state().commit, Index(3)) << "its own copy does not count";
  leader.acknowledge_all(3);
  EXPECT_EQ(leader.state().commit, Index(4));
  EXPECT_EQ(leader.state().role, Role::follower);
}

// ---- What a former leader left behind ---------------------------------------------------------------------

TEST(InheritedJoint, IsLeftByTheNextLeader) {
  // The joint entry was committed by a former leader: no event tells the next one, only the state (etcd
  // #12136).
  Driver leader(plain(), recovered_history({voters_up_to(3), joint_of(voters_up_to(3), simple({1, 2}))}));
  leader.lead();
  ASSERT_TRUE(last_configuration(leader).joint());
  leader.acknowledge_all(2);
  EXPECT_EQ(last_configuration(leader), simple({1, 2}));
  EXPECT_EQ(leader.view().configurations.back().index, Index(4)) << "behind the no-op";
  leader.acknowledge_all(2);
  EXPECT_EQ(leader.state().commit, Index(4));
}

TEST(InheritedJoint, OutOfASnapshotIsLeftToo) {
  Recovered image;
  image.hard = HardState{Term(1), NodeId{}};
  image.snapshot = image.base = id(1, 8);
  image.snapshot_configuration = joint_of(voters_up_to(3), simple({1, 2}));
  image.durable = Index(8);
  Driver leader(plain(), image);
  leader.lead();
  leader.acknowledge_all(2);
  EXPECT_EQ(last_configuration(leader), simple({1, 2}));
}

TEST(InheritedJoint, IsNotLeftBeforeTheLeaderHasCommittedInItsTerm) {
  Driver leader(plain(), recovered_history({voters_up_to(3), joint_of(voters_up_to(3), simple({1, 2}))}));
  leader.lead();
  leader.exchange(2, 2, AppendReply{Index(2), ReadSeq{}});
  EXPECT_TRUE(last_configuration(leader).joint())
      << "a quorum has the joint entry, but it is of term 1 (§5.4.2)";
}

TEST(InheritedJoint, OfAnUncommittedChangeDecidesFromTheFirstElectionOn) {
  // ElectionWhileReconfiguration: whoever has the joint entry needs both sides, committed or not.
  Driver node1 =
      settled(plain(), recovered_history({voters_up_to(3), joint_of(voters_up_to(3), simple({1, 4, 5}))}));
  node1.time_out();
  node1.settle();
  for (const std::uint32_t voter : {2U, 3U, 4U, 5U}) EXPECT_TRUE(node1.one<RequestVote>(voter)) << voter;
  node1.receive(2, 2, VoteReply{false, true});
  node1.receive(3, 2, VoteReply{false, true});
  EXPECT_EQ(node1.state().role, Role::candidate);
  node1.receive(4, 2, VoteReply{false, true});
  EXPECT_EQ(node1.state().role, Role::leader);
}

TEST(InheritedJoint, IsLostWhenOneSideRefuses) {
  Driver node1 =
      settled(plain(), recovered_history({voters_up_to(3), joint_of(voters_up_to(3), simple({1, 4, 5}))}));
  node1.time_out();
  node1.settle();
  node1.receive(4, 2, VoteReply{false, false});
  EXPECT_EQ(node1.state().role, Role::candidate);
  node1.receive(5, 2, VoteReply{false, false});
  EXPECT_EQ(node1.state().role, Role::follower);
}

// ---- A change is part of the state ------------------------------------------------------------------------

TEST(Membership, IsPartOfTheValueAndTheFingerprint) {
  const Driver before = leader_in(voters_up_to(3));
  Driver after = before;
  after.step(ProposeConfiguration{7, voters_up_to(4)});
  EXPECT_NE(after.core, before.core);
  EXPECT_NE(after.core.fingerprint(), before.core.fingerprint());
  Driver again = before;
  again.step(ProposeConfiguration{8, voters_up_to(4)});
  EXPECT_EQ(after.core, again.core) << "a tag is the caller's";
  EXPECT_EQ(after.core.hash(), again.core.hash());
}

}  // namespace
}  // namespace raftlab::raft::testing
