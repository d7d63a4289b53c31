#include "invariants/ladder_fixture.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

/// What the ladder says of changes of the configuration: correct ones, and each rung broken.
namespace raftlab::invariants {
namespace {

using raft::Configuration;
using raft::Index;
using raft::NodeId;
using raft::ReadSeq;
using raft::Term;
using raft::Tick;

Configuration simple(std::initializer_list<std::uint32_t> voters,
                     std::initializer_list<std::uint32_t> learners = {}) {
  Configuration configuration;
  for (const std::uint32_t voter : voters) configuration.voters.emplace_back(voter);
  for (const std::uint32_t learner : learners) configuration.learners.emplace_back(learner);
  for (std::uint32_t id = 1; id <= 8; ++id) {
    const auto is = [&](NodeId node) { return node == NodeId(id); };
    if (std::ranges::any_of(configuration.voters, is) || std::ranges::any_of(configuration.learners, is))
      configuration.members.push_back({NodeId(id), std::string("n").append(std::to_string(id)), ""});
  }
  return configuration;
}

/// Of three voters n1 leads term 2 and has committed up to index 2; n4 and n5 are outside and know nothing.
class LadderMembership : public LadderTest {
 protected:
  explicit LadderMembership(std::uint32_t uncommitted_bytes_max = 10000)
      : LadderTest(3, false, uncommitted_bytes_max) {
    for (std::uint32_t number = 4; number <= 5; ++number) {
      nodes_.emplace_back();
      start(n(number), number, raft::Recovered{});
      sync(n(number));
    }
  }

  void ask(FakeNode& leader, const Configuration& target, const Configuration& appended) {
    step(leader, raft::ProposeConfiguration{1, target, false},
         [&](FakeTurn& turn) { append_configuration_now(leader, turn, appended); });
    sync(leader);
  }
  void change(FakeNode& leader, const Configuration& target) {
    ask(leader, target, raft::joint_of(leader.configuration(), target));
  }
  void leave(FakeNode& leader) {
    step(leader, Tick{}, [&](FakeTurn& turn) {
      append_configuration_now(leader, turn, raft::incoming_side(leader.configuration()));
    });
    sync(leader);
  }
  /// A span in which node 1 accepts a change; after its second input it hands over to node 2.
  void change_and_then(const raft::Input& second) {
    lead_and_commit();
    const Configuration target = simple({1, 2, 4});
    const std::vector<raft::Input> inputs{raft::ProposeConfiguration{1, target, false}, second};
    FakeTurn turn;
    append_configuration_now(n(1), turn, raft::joint_of(configuration_, target));
    note_delta(n(1), turn, 0);
    n(1).transferee = id(2);
    note_delta(n(1), turn, 1);
    write(n(1), turn);
    note_delta(n(1), turn, 2);
    observe(n(1), inputs, turn.out);
  }
  /// Elects, with the votes of these; the candidate asks all that the test has.
  void elect_by(std::uint32_t leader, std::initializer_list<std::uint32_t> voters) {
    stand(n(leader));
    for (const std::uint32_t voter : voters) grant(n(voter), n(leader));
    win(n(leader), n(*voters.begin()));
    sync(n(leader));
  }
  /// {1,2,3} to {2,4,5} has begun; index 3 is the joint configuration, which nobody else has.
  void begin() {
    lead_and_commit();
    change(n(1), simple({2, 4, 5}));
  }
};

TEST_F(LadderMembership, SaysNothingAboutACorrectChangeThatRemovesTheLeader) {
  begin();
  replicate(n(1), n(2));
  replicate(n(1), n(4));
  EXPECT_EQ(n(1).state.commit, Index(3));
  leave(n(1));
  take(n(2), n(1), Index(3));
  sync(n(2));
  acknowledge(n(1), n(2), Index(4));
  EXPECT_EQ(n(1).state.commit, Index(3));  // of {2,4,5} only n2 has index 4
  take(n(4), n(1), Index(3));
  sync(n(4));
  step(n(1), received(n(4), n(1), raft::AppendReply{Index(4), ReadSeq{}}), [&](FakeTurn& turn) {
    acknowledge_now(n(1), 4, Index(4));
    commit_now(n(1), turn);
    send(turn, n(1), 2, raft::TimeoutNow{});
    n(1).state.role = raft::Role::follower;
    n(1).state.leader = NodeId{};
    n(1).state.deadline_ticks = 15;
    n(1).peers.clear();
  });
  EXPECT_EQ(n(1).state.commit, Index(4));
  elect_by(4, {2});  // of {2,4,5}
  for (FakeNode& node : nodes_) ladder_.scan(node.view());
  ladder_.finish();
  expect_sound();
  for (const Rung rung : {Rung::N10, Rung::N11, Rung::D18, Rung::G12, Rung::G13, Rung::G15}) {
    EXPECT_GT(ladder_.evaluations(rung), 0U) << info(rung).id;
  }
}

TEST_F(LadderMembership, SaysNothingAboutAChangeOfLearnersInOneStep) {
  lead_and_commit();
  ask(n(1), simple({1, 2, 3}, {4}), simple({1, 2, 3}, {4}));
  replicate(n(1), n(4));
  EXPECT_EQ(n(1).state.commit, Index(2));  // a learner decides nothing
  replicate(n(1), n(2));
  EXPECT_EQ(n(1).state.commit, Index(3));
  expect_sound();
  EXPECT_EQ(ladder_.evaluations(Rung::D18), 1U);
  EXPECT_EQ(ladder_.evaluations(Rung::G12), 0U);  // the same voters decide
}

TEST_F(LadderMembership, SaysNothingWhenAJointConfigurationOfAnEarlierTermIsLeft) {
  begin();
  take(n(2), n(1), Index(2));
  sync(n(2));
  take(n(4), n(1), Index(2));
  sync(n(4));
  step_down(n(1));
  elect_by(2, {1, 4});
  replicate(n(2), n(1));
  replicate(n(2), n(4));
  EXPECT_EQ(n(2).state.commit, Index(4));
  leave(n(2));
  expect_sound();
  EXPECT_EQ(ladder_.evaluations(Rung::D18), 2U);
}

// ---- L0 --------------------------------------------------------------------------------------------------------

TEST_F(LadderMembership, N10BreaksWhenALearnerVotesToo) {
  lead_and_commit();
  const Configuration bad = [] {
    Configuration configuration = simple({1, 2, 3});
    configuration.learners = configuration.voters;
    return configuration;
  }();
  step(n(1), raft::ProposeConfiguration{1, bad, false}, [&](FakeTurn& turn) {
    append_configuration_now(n(1), turn, bad);
    n(1).configurations.pop_back();
  });
  expect_root(Rung::N10);
}

TEST_F(LadderMembership, N10BreaksWhenWhatFollowsAJointConfigurationIsNotItsIncomingSide) {
  begin();
  replicate(n(1), n(2));
  replicate(n(1), n(4));
  step(n(1), Tick{}, [&](FakeTurn& turn) { append_configuration_now(n(1), turn, simple({1, 2, 4, 5})); });
  expect_root(Rung::N10);
  EXPECT_TRUE(fired(Rung::D18));
}

TEST_F(LadderMembership, N10BreaksWhenALeaveForgetsWhoGoesOnAsALearner) {
  lead_and_commit();
  change(n(1), simple({1, 2}, {3}));
  replicate(n(1), n(2));
  EXPECT_EQ(n(1).state.commit, Index(3));
  step(n(1), Tick{}, [&](FakeTurn& turn) { append_configuration_now(n(1), turn, simple({1, 2})); });
  expect_root(Rung::N10);
}

TEST_F(LadderMembership, N11BreaksWhenTwoChangesAreUnderWay) {
  lead_and_commit();
  ask(n(1), simple({1, 2, 3}, {4}), simple({1, 2, 3}, {4}));
  expect_sound();
  ask(n(1), simple({1, 2, 3}, {5}), simple({1, 2, 3}, {5}));
  expect_root(Rung::N11);
  EXPECT_TRUE(fired(Rung::D18));
}

TEST_F(LadderMembership, N11HoldsForALeaderThatHasInheritedTwoChangesAndNotCommittedYet) {
  begin();
  replicate(n(1), n(2));
  replicate(n(1), n(4));
  leave(n(1));
  take(n(2), n(1), Index(2));
  sync(n(2));
  EXPECT_EQ(n(2).state.commit, Index(2));
  elect_by(2, {4});
  expect_sound();
}

// ---- L1 --------------------------------------------------------------------------------------------------------

TEST_F(LadderMembership, D18BreaksBeforeTheLeaderHasCommittedInItsTerm) {
  elect(1, 2);
  change(n(1), simple({1, 2, 4}));
  expect_root(Rung::D18);
}

TEST_F(LadderMembership, D18BreaksWhenNobodyAsked) {
  lead_and_commit();
  step(n(1), Tick{}, [&](FakeTurn& turn) { append_configuration_now(n(1), turn, simple({1, 2, 3}, {4})); });
  expect_root(Rung::D18);
}

TEST_F(LadderMembership, D18BreaksWhenSomethingElseWasAskedFor) {
  lead_and_commit();
  ask(n(1), simple({1, 2, 4}), raft::joint_of(configuration_, simple({1, 2, 5})));
  expect_root(Rung::D18);
}

TEST_F(LadderMembership, D18BreaksWhileTheLeaderHandsOver) {
  lead_and_commit();
  step(n(1), raft::Transfer{1, id(2)}, [&](FakeTurn&) { n(1).transferee = id(2); });
  expect_sound();
  change(n(1), simple({1, 2, 4}));
  expect_root(Rung::D18);
}

TEST_F(LadderMembership, D18HoldsWhenTheTransferWasAskedForBehindTheChange) {
  change_and_then(raft::Transfer{2, id(2)});
  expect_sound();
  EXPECT_EQ(ladder_.evaluations(Rung::D18), 1U);
}

TEST_F(LadderMembership, D18HoldsWhenTheLeaderFindsItsDiskStalledBehindTheChange) {
  change_and_then(raft::Tick{});
  expect_sound();
  EXPECT_EQ(ladder_.evaluations(Rung::D18), 1U);
}

TEST_F(LadderMembership, D18BreaksWhenNothingBehindTheChangeBeginsATransfer) {
  change_and_then(raft::Campaign{});
  expect_root(Rung::D18);
}

TEST_F(LadderMembership, D18BreaksWhenAJointConfigurationIsLeftBeforeTheLeaderHasCommittedInItsTerm) {
  begin();
  take(n(2), n(1), Index(2));
  sync(n(2));
  take(n(4), n(1), Index(2));
  sync(n(4));
  step_down(n(1));
  elect_by(2, {1, 4});
  leave(n(2));
  expect_root(Rung::D18);
}

TEST_F(LadderMembership, D18BreaksOnAJointConfiguration) {
  begin();
  replicate(n(1), n(2));
  replicate(n(1), n(4));
  ask(n(1), simple({1, 2}), raft::joint_of(simple({2, 4, 5}), simple({1, 2})));
  expect_above(Rung::D18, Rung::N10);
}

// ---- L3 --------------------------------------------------------------------------------------------------------

TEST_F(LadderMembership, G5BreaksWhenAJointConfigurationIsCommittedByOneSide) {
  begin();
  take(n(2), n(1), Index(2));
  sync(n(2));
  step(n(1), received(n(2), n(1), raft::AppendReply{Index(3), ReadSeq{}}), [&](FakeTurn& turn) {
    acknowledge_now(n(1), 2, Index(3));
    commit_to(n(1), turn, Index(3));
  });
  expect_root(Rung::G5);
}

/// The delta names only the smaller quorum, by which it went on.
TEST_F(LadderMembership, G5BreaksWhenAJointConfigurationIsLeftInTheDeltaThatOneSideCommitsIt) {
  begin();
  for (const std::uint32_t number : {4U, 5U}) {
    take(n(number), n(1), Index(2));
    sync(n(number));
  }
  acknowledge(n(1), n(4), Index(3));
  step(n(1), received(n(5), n(1), raft::AppendReply{Index(3), ReadSeq{}}), [&](FakeTurn& turn) {
    acknowledge_now(n(1), 5, Index(3));
    append_configuration_now(n(1), turn, simple({2, 4, 5}));
    commit_to(n(1), turn, Index(3));
  });
  expect_root(Rung::G5);
}

TEST_F(LadderMembership, G12BreaksWhenMajoritiesDoNotMeet) {
  lead_and_commit();
  ask(n(1), simple({1, 4, 5}), simple({1, 4, 5}));
  expect_root(Rung::G12);
}

TEST_F(LadderMembership, G12HoldsWhenOneVoterIsAdded) {
  lead_and_commit();
  ask(n(1), simple({1, 2, 3, 4}), simple({1, 2, 3, 4}));
  expect_sound();
  EXPECT_EQ(ladder_.evaluations(Rung::G12), 1U);
}

TEST_F(LadderMembership, G12BreaksWhenAJointConfigurationHasAnotherOldSide) {
  lead_and_commit();
  ask(n(1), simple({3, 4, 5}), raft::joint_of(simple({1, 4}), simple({3, 4, 5})));
  expect_root(Rung::G12);
}

TEST_F(LadderMembership, G13BreaksWhenANonVotersVoteElects) {
  stand(n(1));
  grant(n(4), n(1));
  win(n(1), n(4));
  expect_root(Rung::G13);
}

TEST_F(LadderMembership, G13BreaksWhenALearnersVoteElects) {
  lead_and_commit();
  ask(n(1), simple({1, 2, 3}, {4}), simple({1, 2, 3}, {4}));
  take(n(2), n(1), Index(2));
  sync(n(2));
  take(n(4), n(1), Index(2));
  sync(n(4));
  elect_by(2, {4});
  expect_root(Rung::G13);
}

TEST_F(LadderMembership, G13BreaksWhenAReplacedConfigurationCommits) {
  begin();
  take(n(2), n(1), Index(2));
  sync(n(2));
  step(n(1), received(n(2), n(1), raft::AppendReply{Index(3), ReadSeq{}}), [&](FakeTurn& turn) {
    acknowledge_now(n(1), 2, Index(3));
    commit_to(n(1), turn, Index(3));
    turn.commit_configuration = Index(1);
  });
  expect_root(Rung::G13);
}

TEST_F(LadderMembership, G13BreaksWhenALeaderLeadsOnAfterItsRemoval) {
  begin();
  replicate(n(1), n(2));
  replicate(n(1), n(4));
  leave(n(1));
  replicate(n(1), n(2));
  expect_sound();
  replicate(n(1), n(4));
  expect_above(Rung::G13, Rung::N6);
}

/// A new node may lead before it knows that the configuration that made it a voter is committed.
TEST_F(LadderMembership, G13HoldsForALeaderThatTheConfigurationAtItsCommitIndexDoesNotKnow) {
  begin();
  replicate(n(1), n(2));
  take(n(4), n(1), Index(2));
  sync(n(4));
  EXPECT_EQ(n(4).state.commit, Index(2));
  step_down(n(1));
  elect_by(4, {2, 1});
  expect_sound();
  ladder_.scan(n(4).view());
  expect_sound();
}

TEST_F(LadderMembership, G15BreaksWhenTwoJointConfigurationsAreCommittedInARow) {
  begin();
  replicate(n(1), n(2));
  replicate(n(1), n(4));
  ask(n(1), simple({1, 2, 3}), raft::joint_of(simple({2, 4, 5}), simple({1, 2, 3})));
  replicate(n(1), n(2));
  EXPECT_FALSE(fired(Rung::G15));
  replicate(n(1), n(4));
  replicate(n(1), n(3));
  EXPECT_EQ(n(1).state.commit, Index(4));
  expect_above(Rung::G15, Rung::N10);
  EXPECT_GT(ladder_.evaluations(Rung::G15), 0U);
}

// ---- What else reads configurations ----------------------------------------------------------------------------

TEST_F(LadderMembership, N12BreaksWhenANewMemberIsNotTracked) {
  lead_and_commit();
  const Configuration target = simple({1, 2, 3}, {4});
  step(n(1), raft::ProposeConfiguration{1, target, false}, [&](FakeTurn& turn) {
    append_configuration_now(n(1), turn, target);
    n(1).peers.pop_back();
  });
  expect_root(Rung::N12);
}

TEST_F(LadderMembership, N13BreaksWhenTheSmallerQuorumAfterALeaveHoldsMoreThanIsCommitted) {
  lead_and_commit();
  change(n(1), simple({1}));
  replicate(n(1), n(2));
  EXPECT_EQ(n(1).state.commit, Index(3));
  propose(n(1));
  sync(n(1));
  expect_sound();  // index 4: n1 alone has it, of {1,2,3} no majority
  step(n(1), Tick{}, [&](FakeTurn& turn) { append_configuration_now(n(1), turn, simple({1})); });
  expect_root(Rung::N13);
}

/// The members change, and those who stay keep their place in the memory of the ladder.
TEST_F(LadderMembership, D9BreaksWhenAMatchFallsAsAMemberBeforeItGoes) {
  lead_and_commit();
  replicate(n(1), n(3));
  ask(n(1), simple({1, 3}), raft::joint_of(configuration_, simple({1, 3})));
  replicate(n(1), n(3));
  step(n(1), Tick{}, [&](FakeTurn& turn) {
    append_configuration_now(n(1), turn, simple({1, 3}));
    n(1).peer(3).match = Index(2);
  });
  expect_root(Rung::D9);
}

/// A leave comes when it may, however much is uncommitted.
class LadderMembershipLimit : public LadderMembership {
 protected:
  LadderMembershipLimit() : LadderMembership(200) {}
};

TEST_F(LadderMembershipLimit, N15ExemptsTheLeaveAndNothingElse) {
  begin();
  replicate(n(1), n(2));
  replicate(n(1), n(4));
  for (int i = 0; i < 12; ++i) propose(n(1), 17);
  leave(n(1));
  EXPECT_GT(n(1).uncommitted_bytes, 220U);
  expect_sound();
  propose(n(1), 17);
  expect_root(Rung::N15);
}

// ---- Counting --------------------------------------------------------------------------------------------------

/// Every pair of quorums, one by one.
bool meet_by_enumeration(const VoterSets& a, const VoterSets& b) {
  for (NodeSet one = 1; one < 64; ++one) {
    if (!a.majority(one)) continue;
    for (NodeSet other = 1; other < 64; ++other) {
      if (b.majority(other) && (one & other) == 0) return false;
    }
  }
  return true;
}

TEST(QuorumsMeet, AgreesWithEnumerationForEveryPairOfVoterSets) {
  int apart = 0;
  for (NodeSet one = 1; one < 64; ++one) {
    for (NodeSet other = 1; other < 64; ++other) {
      VoterSets a;
      a.voters = one;
      VoterSets b;
      b.voters = other;
      ASSERT_EQ(quorums_meet(a, b), meet_by_enumeration(a, b)) << one << " " << other;
      apart += quorums_meet(a, b) ? 0 : 1;
    }
  }
  EXPECT_GT(apart, 100);
}

TEST(QuorumsMeet, IsTrueOfAJointConfigurationAndEachOfItsSides) {
  for (NodeSet one = 1; one < 64; ++one) {
    for (NodeSet other = 1; other < 64; ++other) {
      VoterSets joint;
      joint.voters = one;
      joint.outgoing = other;
      VoterSets side;
      side.voters = other;
      ASSERT_TRUE(quorums_meet(joint, side));
      ASSERT_TRUE(quorums_meet(side, joint));
      side.voters = one;
      ASSERT_TRUE(quorums_meet(joint, side));
    }
  }
}

}  // namespace
}  // namespace raftlab::invariants
