#include "simulator/destruction.hpp"

#include "simulator/test_support.hpp"

#include <gtest/gtest.h>

namespace raftlab::simulator::testing {
namespace {

using raft::Configuration;
using raft::ConfigurationAt;
using raft::Index;
using raft::NodeId;

Configuration voters(std::initializer_list<std::uint32_t> ids) {
  Configuration configuration;
  for (const std::uint32_t id : ids) {
    configuration.voters.emplace_back(id);
    configuration.members.push_back(raft::Member{NodeId(id), "n" + std::to_string(id), ""});
  }
  return configuration;
}

/// Who votes in one of the configurations in force.
std::vector<std::uint32_t> who_decides(const InForce& in_force) {
  std::vector<std::uint32_t> all;
  static_cast<void>(in_force.every_voter_set([&](const std::vector<NodeId>& set) {
    for (const NodeId node : set) all.push_back(node.value());
    return true;
  }));
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}
using Ids = std::vector<std::uint32_t>;

/// A node as it shows itself after a step.
void steps(InForce& in_force, std::uint32_t node, std::uint64_t commit,
           const std::vector<ConfigurationAt>& configurations) {
  raft::View view;
  view.id = NodeId(node);
  view.state.commit = Index(commit);
  view.configurations = configurations;
  in_force.stepped(view);
}

// ---- What is in force ------------------------------------------------------------------------------------------

const ConfigurationAt first{Index(1), voters({1, 2, 3})};

TEST(InForceTest, AtFirstItIsWhatTheDisksHold) {
  Profile profile = quiet_profile(4);
  profile.spares = 1;
  EXPECT_EQ(who_decides(InForce(profile)), (Ids{1, 2, 3}));
  profile.first_joint = true;
  EXPECT_EQ(who_decides(InForce(profile)), (Ids{1, 2, 3, 4}));
}

TEST(InForceTest, WhatALeaderWasAskedForCountsUntilItHasSteppedOrIsGone) {
  InForce in_force(quiet_profile(3));
  in_force.asked(NodeId(1), voters({1, 4}));
  steps(in_force, 2, 1, {first});
  EXPECT_EQ(who_decides(in_force), (Ids{1, 2, 3, 4}));
  steps(in_force, 1, 1, {first});
  EXPECT_EQ(who_decides(in_force), (Ids{1, 2, 3})) << "it was refused";
  in_force.asked(NodeId(1), voters({1, 4}));
  in_force.crashed(NodeId(2));
  EXPECT_EQ(who_decides(in_force), (Ids{1, 2, 3, 4}));
  in_force.crashed(NodeId(1));
  EXPECT_EQ(who_decides(in_force), (Ids{1, 2, 3}));
}

TEST(InForceTest, WhatWasAppendedCountsUntilItsPlaceIsCommitted) {
  InForce in_force(quiet_profile(3));
  steps(in_force, 1, 5, {first});
  steps(in_force, 1, 5, {first, {Index(7), joint_of(first.configuration, voters({2, 3, 4}))}});
  EXPECT_EQ(who_decides(in_force), (Ids{1, 2, 3, 4}));
  steps(in_force, 1, 6, {first});
  EXPECT_EQ(who_decides(in_force), (Ids{1, 2, 3, 4})) << "cut off here, but it may be on its way to others";
  steps(in_force, 2, 7, {first});
  EXPECT_EQ(who_decides(in_force), (Ids{1, 2, 3})) << "something else is committed there";
}

TEST(InForceTest, TheOldOneCountsUntilTheNewOneIsCommitted) {
  InForce in_force(quiet_profile(3));
  const ConfigurationAt joint{Index(7), joint_of(first.configuration, voters({4, 5, 6}))};
  const ConfigurationAt next{Index(8), voters({4, 5, 6})};
  steps(in_force, 1, 7, {first, joint, next});
  EXPECT_EQ(who_decides(in_force), (Ids{1, 2, 3, 4, 5, 6}));
  steps(in_force, 4, 8, {next});
  EXPECT_EQ(who_decides(in_force), (Ids{4, 5, 6}));
  steps(in_force, 1, 6, {first, joint});
  EXPECT_EQ(who_decides(in_force), (Ids{4, 5, 6})) << "who lags wins nothing";
}

// ---- Who may be destroyed --------------------------------------------------------------------------------------

TEST(DestructionTest, OnlyAMinorityMayBeStruckButAnyOfThem) {
  for (std::uint32_t nodes = 1; nodes <= 9; ++nodes) {
    for (std::uint32_t from = 0; from < nodes; ++from) {
      const Profile profile = quiet_profile(nodes);
      const Cluster cluster(profile, false);
      Destruction destruction(profile, cluster);
      std::uint32_t struck = 0;
      for (std::uint32_t i = 0; i < nodes; ++i) {
        const NodeId node(1 + (from + i) % nodes);
        if (!destruction.may_strike(node)) continue;
        destruction.strike(node, false);
        EXPECT_TRUE(destruction.may_strike(node)) << "it cannot be missed more";
        ++struck;
      }
      EXPECT_EQ(struck, (nodes - 1) / 2) << nodes;
    }
  }
}

TEST(DestructionTest, BothSidesOfAChangeCount) {
  Profile profile = quiet_profile(7);
  profile.spares = 2;
  profile.first_joint = true;  // from {1..5} to {1..4, 6}
  const Cluster cluster(profile, false);
  Destruction destruction(profile, cluster);
  destruction.strike(NodeId(5), false);
  destruction.strike(NodeId(6), false);
  EXPECT_TRUE(destruction.may_strike(NodeId(7))) << "it has no vote";
  destruction.strike(NodeId(1), false);
  for (const std::uint32_t id : {2U, 3U, 4U}) EXPECT_FALSE(destruction.may_strike(NodeId(id)));
}

TEST(DestructionTest, WhatALeaderIsAskedForCountsAtOnce) {
  const Profile profile = quiet_profile(5);
  Cluster cluster(profile, false);
  Destruction destruction(profile, cluster);
  cluster.start(NodeId(1), Seed(1), 0);
  EXPECT_TRUE(destruction.may_strike(NodeId(2)));
  cluster.reconfigure(NodeId(1), 1, voters({1, 2}), false);
  EXPECT_FALSE(destruction.may_strike(NodeId(2)));
  EXPECT_TRUE(destruction.may_strike(NodeId(3)));
}

TEST(DestructionTest, VotersMustDoWithoutThoseThatAreStruck) {
  const Profile profile = quiet_profile(5);
  const Cluster cluster(profile, false);
  Destruction destruction(profile, cluster);
  destruction.strike(NodeId(1), true);
  EXPECT_TRUE(destruction.struck_as_leader(NodeId(1)));
  destruction.strike(NodeId(1), false);
  EXPECT_FALSE(destruction.struck_as_leader(NodeId(1)));
  EXPECT_TRUE(destruction.may_decide(voters({1, 2, 3})));
  EXPECT_TRUE(destruction.may_decide(voters({2})));
  EXPECT_FALSE(destruction.may_decide(voters({1, 2})));
  EXPECT_FALSE(destruction.may_decide(voters({1})));
}

TEST(DestructionTest, SparesThatAreKeptAreNeitherStruckNorUsedUntilTheyAreTaken) {
  Profile profile = quiet_profile(6);
  profile.spares = 3;
  profile.replacements = 2;
  const Cluster cluster(profile, false);
  Destruction destruction(profile, cluster);
  EXPECT_TRUE(destruction.usable(NodeId(4)));
  for (const std::uint32_t id : {5U, 6U}) {
    EXPECT_FALSE(destruction.usable(NodeId(id)));
    EXPECT_FALSE(destruction.may_strike(NodeId(id)));
    ASSERT_TRUE(destruction.spares_left());
    EXPECT_EQ(destruction.take_spare(), NodeId(id));
    EXPECT_TRUE(destruction.usable(NodeId(id)));
    EXPECT_TRUE(destruction.may_strike(NodeId(id)));
  }
  EXPECT_FALSE(destruction.spares_left());
}

}  // namespace
}  // namespace raftlab::simulator::testing
