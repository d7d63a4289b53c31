#include "raft/membership_fixture.hpp"

#include <gtest/gtest.h>

/// Leadership transfer, thesis §3.10.
namespace raftlab::raft::testing {
namespace {

void transfer(Driver& leader, std::uint32_t target, std::uint64_t tag = 5) {
  leader.step(Transfer{tag, node(target)});
}

// ---- The leader -------------------------------------------------------------------------------------------

TEST(Transfer, TellsATargetThatHasEverythingAtOnce) {
  Driver leader = leader_of(3, guarded());
  transfer(leader, 2);
  EXPECT_EQ(leader.all<TimeoutNow>(2).size(), 1U);
  EXPECT_EQ(leader.view().transferee, node(2));
  EXPECT_EQ(leader.state().role, Role::leader) << "until somebody else is elected";
  EXPECT_TRUE(leader.out.rejected.empty());
}

TEST(Transfer, BringsTheTargetUpToDateFirst) {
  Driver leader = leader_of(3);
  leader.propose("x");
  leader.settle();
  leader.acknowledge_all(3);
  transfer(leader, 2);
  leader.tick(6);
  EXPECT_TRUE(leader.all<TimeoutNow>().empty());
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.all<TimeoutNow>(2).size(), 1U);
}

TEST(Transfer, OfATargetThatAcknowledgedLessSendsItTheRest) {
  Driver leader = leader_of(3);
  leader.propose("x");
  leader.step(Unreachable{node(2)});
  ASSERT_EQ(leader.peer(2).state, ProgressState::probe);
  transfer(leader, 2);
  leader.exchange(2, 2, AppendReject{Index(3), id(2, 2), {}});
  leader.step(std::vector<Input>{});
  EXPECT_EQ(leader.peer(2).next, Index(3));
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.all<TimeoutNow>(2).size(), 1U);
}

TEST(Transfer, LeaderTransferLostTimeoutNow) {
  Driver leader = leader_of(3);
  transfer(leader, 2);
  leader.tick(4);
  EXPECT_TRUE(leader.all<TimeoutNow>().empty()) << "not with every step";
  leader.tick(1);
  EXPECT_EQ(leader.all<TimeoutNow>(2).size(), 1U) << "with the heartbeat";
  leader.tick(5);
  EXPECT_EQ(leader.all<TimeoutNow>(2).size(), 1U);
  leader.tick(30);
  EXPECT_TRUE(leader.all<TimeoutNow>().empty()) << "it was given up after 15 ticks";
}

TEST(Transfer, RefusesProposalsMeanwhile) {
  Driver leader = leader_of(3);
  transfer(leader, 2);
  leader.propose("x", 8);
  EXPECT_EQ(rejection(leader), Rejection::transferring);
  leader.step(ProposeConfiguration{9, voters_up_to(4)});
  EXPECT_EQ(rejection(leader), Rejection::transferring);
  EXPECT_EQ(leader.state().last.index, Index(2));
}

TEST(Transfer, LetsReadsGoOn) {
  Driver leader = leader_of(3);
  leader.step(Applied{leader.state().handed});
  transfer(leader, 2);
  leader.step(Read{9});
  leader.receive(3, 2, HeartbeatReply{leader.state().read_issued});
  EXPECT_EQ(leader.out.reads.size(), 1U);
}

TEST(Transfer, IsGivenUpAfterAnElectionTimeoutAndProposalsResume) {
  Driver leader = leader_of(3);
  transfer(leader, 2);
  leader.tick(14);
  EXPECT_EQ(leader.view().transferee, node(2));
  leader.tick(1);
  ASSERT_EQ(leader.out.rejected.size(), 1U);
  EXPECT_EQ(leader.out.rejected.front().tag, 5U);
  EXPECT_EQ(leader.out.rejected.front().reason, Rejection::timed_out);
  EXPECT_EQ(leader.view().transferee, NodeId{});
  leader.propose("x");
  EXPECT_EQ(leader.out.accepted.size(), 1U);
  transfer(leader, 3, 6);
  EXPECT_EQ(leader.view().transferee, node(3));
}

TEST(Transfer, EndsWhenTheTargetIsACandidate) {
  Driver leader = leader_of(3, guarded());
  transfer(leader, 2);
  leader.receive(2, 3, RequestVote{id(2, 2), false, true});
  EXPECT_EQ(leader.state().role, Role::follower);
  EXPECT_EQ(leader.out.transferred, std::vector<std::uint64_t>{5});
  EXPECT_TRUE(leader.out.rejected.empty());
  leader.settle();
  EXPECT_EQ(leader.one<VoteReply>(2), (VoteReply{false, true})) << "it votes itself";
}

TEST(Transfer, EndsWithAnyLossOfLeadership) {
  Driver leader = leader_of(3, guarded());
  transfer(leader, 2);
  leader.receive(3, 7, AppendReject{Index(1), id(1, 1), {}});
  EXPECT_EQ(leader.out.transferred, std::vector<std::uint64_t>{5});

  Driver lonely = leader_of(3, guarded());
  for (int i = 0; i < 14; ++i) lonely.tick();
  ASSERT_EQ(lonely.state().role, Role::leader);
  lonely.tick();
  transfer(lonely, 2);
  std::vector<std::uint64_t> ended;
  for (int i = 0; i < 16; ++i) {
    lonely.tick();
    ended.insert(ended.end(), lonely.out.transferred.begin(), lonely.out.transferred.end());
    for (const Rejected& rejected : lonely.out.rejected) ended.push_back(rejected.tag);
  }
  EXPECT_EQ(lonely.state().role, Role::follower);
  EXPECT_EQ(ended, std::vector<std::uint64_t>{5}) << "once, one way or the other";
}

// ---- A leader whose disk stands still ---------------------------------------------------------------------

TEST(StalledDisk, ALeaderThatCannotWriteHandsOverToWhoHasMostOfItsLog) {
  Driver leader = leader_of(3);
  leader.propose("x");
  leader.receive(3, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.state().commit, Index(2)) << "it needs two disks";
  leader.tick(49);
  EXPECT_EQ(leader.view().transferee, NodeId{});
  EXPECT_TRUE(leader.all<TimeoutNow>().empty());
  leader.tick();
  EXPECT_EQ(leader.view().transferee, node(3));
  EXPECT_EQ(leader.all<TimeoutNow>(3).size(), 1U);
  leader.propose("y", 8);
  EXPECT_EQ(rejection(leader), Rejection::transferring);
  leader.receive(3, 3, RequestVote{id(2, 3), false, true});
  EXPECT_EQ(leader.state().role, Role::follower);
  EXPECT_TRUE(leader.out.transferred.empty()) << "nobody asked for it";
}

TEST(StalledDisk, ItTriesAgainWhenTheTargetDoesNotStand) {
  Driver leader = leader_of(3);
  leader.propose("x");
  leader.receive(3, 2, AppendReply{Index(3), ReadSeq{}});
  leader.tick(50 + 15);
  EXPECT_EQ(leader.view().transferee, NodeId{});
  EXPECT_TRUE(leader.out.rejected.empty());
  leader.tick(35);
  EXPECT_EQ(leader.view().transferee, node(3));
}

TEST(StalledDisk, AWriteThatIsCompletedStartsTheWaitAnew) {
  Driver leader = leader_of(3);
  leader.propose("x");
  leader.propose("y");
  leader.tick(49);
  leader.written(leader.state().written.next().value());
  ASSERT_LT(leader.state().written, leader.state().issued);
  leader.tick(49);
  EXPECT_EQ(leader.view().transferee, NodeId{});
  leader.tick();
  EXPECT_NE(leader.view().transferee, NodeId{});
}

TEST(StalledDisk, AnIdleDiskIsNoStalledOne) {
  Driver leader = leader_of(3);
  leader.tick(500);
  EXPECT_EQ(leader.view().transferee, NodeId{});
}

TEST(StalledDisk, NobodyToHandOverTo) {
  Driver alone = leader_of(1);
  alone.propose("x");
  alone.tick(500);
  EXPECT_EQ(alone.state().role, Role::leader);
  EXPECT_EQ(alone.view().transferee, NodeId{});
}

TEST(StalledDisk, TheRuleCanBeOff) {
  Options options = plain();
  options.stall_ticks = 0;
  Driver leader = leader_of(3, options);
  leader.propose("x");
  leader.tick(500);
  EXPECT_EQ(leader.view().transferee, NodeId{});
}

// ---- Where it cannot be -----------------------------------------------------------------------------------

TEST(Transfer, IsRefusedWhereItCannotBe) {
  Driver follower = settled(plain(), recovered(3));
  transfer(follower, 2);
  EXPECT_EQ(rejection(follower), Rejection::not_leader);
  Driver leader = leader_in(simple({1, 2, 3}, {4}));
  for (const std::uint32_t target : {0U, 1U, 4U, 9U}) {
    transfer(leader, target);
    EXPECT_EQ(rejection(leader), Rejection::bad_target) << target;
  }
  transfer(leader, 2);
  transfer(leader, 3, 6);
  EXPECT_EQ(rejection(leader), Rejection::transferring);
  EXPECT_EQ(leader.out.rejected.front().tag, 6U);
  EXPECT_EQ(leader.view().transferee, node(2));
}

TEST(Transfer, IsPartOfTheValueAndTheFingerprint) {
  const Driver before = leader_of(3);
  Driver after = before;
  const auto changes = [&](const Input& input) {
    const Core was = after.core;
    after.step(input);
    return after.core != was && after.core.fingerprint() != was.fingerprint();
  };
  EXPECT_TRUE(changes(Transfer{5, node(2)}));
  EXPECT_TRUE(changes(Tick{}));
  Driver other = before;
  other.step(Transfer{6, node(2)});
  other.step(Tick{});
  EXPECT_NE(after.core, other.core) << "another tag";
  EXPECT_NE(after.core.fingerprint(), other.core.fingerprint());
}

// ---- The target -------------------------------------------------------------------------------------------

TEST(TimeoutNow, MakesTheTargetStandAtOnceWithoutAskingInAdvance) {
  Driver target = settled(guarded(), recovered(3));
  target.receive(2, 1, Heartbeat{});
  target.exchange(2, 1, TimeoutNow{});
  EXPECT_EQ(target.state().role, Role::candidate);
  EXPECT_EQ(target.state().hard, (HardState{Term(2), node(1)}));
  EXPECT_EQ(target.one<RequestVote>(2), (RequestVote{id(1, 1), false, true})) << "its leader sent it";
  EXPECT_EQ(target.one<RequestVote>(3), (RequestVote{id(1, 1), false, true}));
}

TEST(TimeoutNow, RequestsWaitForTheDiskLikeAllOthers) {
  Driver target = settled(guarded(), recovered(3));
  target.receive(2, 1, Heartbeat{});
  target.receive(2, 1, TimeoutNow{});
  EXPECT_TRUE(target.sent.empty());
}

TEST(TimeoutNow, OnlyTheElectionThatItBeganPassesLeases) {
  Driver target = settled(guarded(), recovered(3));
  target.receive(2, 1, Heartbeat{});
  target.exchange(2, 1, TimeoutNow{});
  target.sent.clear();
  target.time_out();
  EXPECT_EQ(target.one<RequestVote>(2), (RequestVote{id(1, 1), true, false}));
}

TEST(TimeoutNow, CountsOnlyFromTheLeaderOfTheTerm) {
  Driver target = settled(guarded(), recovered(3, {}, 4));
  target.receive(2, 4, Heartbeat{});
  const State before = target.state();
  target.receive(3, 4, TimeoutNow{});
  EXPECT_EQ(target.state(), before) << "not the leader";
  target.receive(2, 3, TimeoutNow{});
  EXPECT_EQ(target.state(), before) << "of an older term";
  Driver nobody_leads = settled(guarded(), recovered(3, {}, 4));
  nobody_leads.receive(2, 4, TimeoutNow{});
  EXPECT_EQ(nobody_leads.state().role, Role::follower);
  nobody_leads.receive(2, 7, TimeoutNow{});
  EXPECT_EQ(nobody_leads.state().role, Role::follower);
  EXPECT_EQ(nobody_leads.state().hard.term, Term(7));
}

TEST(TimeoutNow, DoesNothingToWhoMayNotStand) {
  Driver learner = settled(guarded(4), recovered_history({simple({1, 2, 3}, {4})}));
  learner.receive(1, 1, Heartbeat{});
  learner.receive(1, 1, TimeoutNow{});
  EXPECT_EQ(learner.state().role, Role::follower);
  EXPECT_EQ(learner.state().hard.term, Term(1));
}

TEST(TimeoutNow, ThatComesTwiceBeginsOneElection) {
  Driver target = settled(guarded(), recovered(3));
  target.receive(2, 1, Heartbeat{});
  target.exchange(2, 1, TimeoutNow{});
  target.exchange(2, 1, TimeoutNow{});
  EXPECT_EQ(target.state().hard.term, Term(2));
}

TEST(TimeoutNow, ToALeaderOrItsOwnSenderDoesNothing) {
  Driver leader = leader_of(3);
  const State before = leader.state();
  leader.receive(2, 2, TimeoutNow{});
  EXPECT_EQ(leader.state(), before);
}

TEST(TimeoutNow, AWinnerWithoutTheLogIsNotElected) {
  // A late TimeoutNow may make a node stand that has less than the others: they do not vote for it (§5.4.1).
  Driver voter = settled(guarded(), recovered(3, {1, 1}));
  voter.receive(2, 1, Heartbeat{});
  voter.exchange(3, 2, RequestVote{id(1, 2), false, true});
  EXPECT_EQ(voter.one<VoteReply>(3), (VoteReply{false, false}));
}

// ---- Together with membership -----------------------------------------------------------------------------

TEST(TransferAndMembership, AJointConfigurationIsLeftMeanwhile) {
  Driver leader = leader_in(voters_up_to(3));
  leader.step(ProposeConfiguration{7, simple({1, 2})});
  leader.settle();
  transfer(leader, 2);
  leader.exchange(2, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_FALSE(last_configuration(leader).joint());
  EXPECT_TRUE(leader.all<TimeoutNow>().empty()) << "the target lacks the leave";
  leader.exchange(2, 2, AppendReply{Index(4), ReadSeq{}});
  EXPECT_EQ(leader.all<TimeoutNow>(2).size(), 1U);
}

TEST(TransferAndMembership, ATargetThatIsRemovedEndsIt) {
  Driver leader = leader_in(voters_up_to(3));
  leader.step(ProposeConfiguration{7, simple({1, 2})});
  leader.settle();
  transfer(leader, 3);
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(rejection(leader), Rejection::bad_target);
  EXPECT_EQ(leader.out.rejected.front().tag, 5U);
  EXPECT_EQ(leader.view().transferee, NodeId{});
}

TEST(TransferAndMembership, ALeaderThatIsRemovedNamesASuccessor) {
  Driver leader = leader_in(voters_up_to(3));
  leader.step(ProposeConfiguration{7, simple({2, 3, 4})});
  leader.settle();
  leader.acknowledge_all(2);
  leader.acknowledge_all(3);
  leader.propose("x");
  leader.settle();
  leader.exchange(2, 2, AppendReply{Index(4), ReadSeq{}});
  leader.exchange(3, 2, AppendReply{Index(5), ReadSeq{}});
  ASSERT_EQ(leader.state().role, Role::follower);
  EXPECT_EQ(leader.all<TimeoutNow>().size(), 1U);
  EXPECT_EQ(leader.all<TimeoutNow>(3).size(), 1U) << "it has most of the log";
}

TEST(TransferAndMembership, ATargetOfTheOldSideMayBeToldInAJointConfiguration) {
  Driver leader = leader_in(voters_up_to(3));
  leader.step(ProposeConfiguration{7, simple({1, 4, 5})});
  leader.settle();
  leader.acknowledge_all(2);
  transfer(leader, 2);
  EXPECT_EQ(leader.all<TimeoutNow>(2).size(), 1U);
}

}  // namespace
}  // namespace raftlab::raft::testing
