#include "simulator/operator.hpp"

#include "kv/command.hpp"
#include "simulator/test_support.hpp"

#include <gtest/gtest.h>

#include <string>

namespace raftlab::simulator::testing {
namespace {

using raft::NodeId;

/// A cluster whose messages arrive at once and whose disks need no time, and its operator. n1 leads at first.
class Site {
 public:
  explicit Site(Profile profile_of_site)
      : profile(std::move(profile_of_site)),
        cluster(profile, true),
        destruction(profile, cluster),
        caretaker(profile, chooser, queue, cluster, destruction) {
    caretaker.on_incident = [this](IncidentKind, NodeId leader, const std::string& what) {
      asked.push_back("n" + std::to_string(leader.value()) + what.substr(what.find(" for ") + 4));
    };
    for (std::uint32_t id = 1; id <= profile.nodes; ++id) cluster.start(NodeId(id), Seed(id), 0);
    lead(1);
  }

  void lead(std::uint32_t node) {
    for (std::uint32_t turn = 0; cluster.leader() != NodeId(node) && turn < 20; ++turn) {
      cluster.service(NodeId(node)).campaign();
      settle();
    }
    ASSERT_EQ(cluster.leader(), NodeId(node));
  }

  /// Ticks and steps everybody, and carries out all that comes of it.
  void settle() {
    for (std::uint32_t round = 0; round < 12; ++round) {
      std::vector<raft::Envelope> sent;
      for (std::uint32_t id = 1; id <= profile.nodes; ++id) {
        if (cluster.life(NodeId(id)) != Life::up) continue;
        if (cluster.leader() == NodeId(id)) cluster.service(NodeId(id)).tick();
        step(NodeId(id), sent);
      }
      for (raft::Envelope& message : sent) {
        if (cluster.life(message.to) == Life::up) cluster.service(message.to).receive(std::move(message));
      }
    }
  }

  /// Its process is killed, a bit of its log flips, and it refuses to start.
  void destroy(std::uint32_t id) {
    const NodeId node(id);
    destruction.strike(node, cluster.leader() == node);
    cluster.crash(node, Crash{}, chooser, 1);
    ASSERT_TRUE(cluster.disk(node).rot(chooser, 1));
    ASSERT_EQ(cluster.start(node, Seed(9), 0), Life::refused);
    caretaker.refused(node, now);
  }

  /// Lets the operator look so many times; the cluster settles in between.
  void looks(std::uint32_t count) {
    for (; count > 0 && !queue.empty(); --count) {
      const Event event = queue.pop();
      now = event.time;
      caretaker.look(event);
      settle();
    }
  }

  [[nodiscard]] std::string members() {
    return configuration_in_words(
        cluster.service(cluster.leader()).replica().view().configurations.back().configuration);
  }
  [[nodiscard]] std::uint64_t mark(Mark mark) const {
    return cluster.marks().counts()[static_cast<std::size_t>(mark)];
  }

  Profile profile;
  ScriptedChooser chooser;
  EventQueue queue;
  Cluster cluster;
  Destruction destruction;
  Operator caretaker;
  std::vector<std::string> asked;
  Time now = 0;

 private:
  void step(NodeId node, std::vector<raft::Envelope>& sent) {
    const auto keep = [&](kv::ServiceOutput& out) {
      for (raft::Envelope& message : out.messages) sent.push_back(std::move(message));
    };
    keep(cluster.step(node, now));
    for (const Directory directory : {Directory::log, Directory::snapshots}) {
      SimulatedDisk& disk = cluster.disk(node, directory);
      while (!disk.started().empty()) {
        const auto started = disk.started();
        disk.clear_started();
        for (const SimulatedDisk::Started& sync : started) {
          cluster.finish_sync(node, directory, sync.operation, SimulatedDisk::SyncFate::ok, chooser, 1);
          keep(cluster.step(node, now));
        }
      }
    }
  }
};

/// Three voters, and behind them learners and spares that are kept for the operator.
Profile site_of(std::uint32_t learners, std::uint32_t spares) {
  Profile profile = quiet_profile(3 + learners + spares);
  profile.learners = learners;
  profile.spares = profile.replacements = spares;
  profile.pre_vote = profile.check_quorum = false;
  return profile;
}

using Asked = std::vector<std::string>;

TEST(OperatorTest, ASpareLearnsBesideTheDestroyedNodeAndTakesItsPlace) {
  Site site(site_of(0, 1));
  site.destroy(3);
  site.looks(4);
  EXPECT_EQ(site.asked, (Asked{"n1 voters n1 n2 n3, learners n4", "n1 voters n1 n2 n4"}));
  EXPECT_EQ(site.members(), "voters n1 n2 n4");
  EXPECT_TRUE(site.caretaker.is_done());
  EXPECT_EQ(site.caretaker.replaced(), 1U);
}

TEST(OperatorTest, OrItLearnsInItsPlaceOrVotesAtOnce) {
  Site learns(site_of(0, 1));
  learns.chooser.answer(Choice::operator_way, 1);
  learns.destroy(3);
  learns.looks(4);
  EXPECT_EQ(learns.asked, (Asked{"n1 voters n1 n2, learners n4", "n1 voters n1 n2 n4"}));
  Site votes(site_of(0, 1));
  votes.chooser.answer(Choice::operator_way, 2);
  votes.destroy(3);
  votes.looks(4);
  EXPECT_EQ(votes.asked, (Asked{"n1 voters n1 n2 n4"}));
}

TEST(OperatorTest, ALearnerIsReplacedByALearner) {
  Site site(site_of(1, 1));
  site.destroy(4);
  site.looks(4);
  EXPECT_EQ(site.asked, (Asked{"n1 voters n1 n2 n3, learners n5"}));
  EXPECT_TRUE(site.caretaker.is_done());
}

TEST(OperatorTest, NothingIsAskedForBeforeItIsNoticedOrWhileNobodyLeads) {
  Site site(site_of(0, 1));
  site.destroy(1);
  EXPECT_FALSE(site.caretaker.is_done());
  EXPECT_EQ(site.queue.size(), 1U) << "it will be noticed";
  site.looks(3);
  EXPECT_EQ(site.asked, Asked{});
  EXPECT_FALSE(site.caretaker.is_done()) << "nobody knows what the members are";
  site.lead(2);
  site.looks(4);
  EXPECT_EQ(site.members(), "voters n2 n3 n4");
  EXPECT_EQ(site.mark(Mark::destroyed_leader_replaced), 1U);
}

TEST(OperatorTest, WhatIsRefusedIsAskedForAgain) {
  Site site(site_of(0, 1));
  site.destroy(3);
  site.cluster.service(NodeId(1)).transfer(7, NodeId(2));  // no change meanwhile
  site.caretaker.look(site.queue.pop());
  static_cast<void>(site.cluster.step(NodeId(1), 0));
  EXPECT_EQ(site.asked.size(), 1U);
  EXPECT_EQ(site.members(), "voters n1 n2 n3");
  site.settle();
  site.looks(5);
  EXPECT_EQ(site.members(), "voters n1 n2 n4");
}

TEST(OperatorTest, MoreThanHalfOfTheFirstVotersAreReplacedOneAfterTheOther) {
  Site site(site_of(0, 3));
  site.destroy(3);
  EXPECT_FALSE(site.destruction.may_strike(NodeId(2)));
  site.looks(4);
  site.destroy(2);
  EXPECT_EQ(site.mark(Mark::most_first_voters_destroyed), 1U);
  site.looks(6);
  EXPECT_EQ(site.members(), "voters n1 n4 n5");
  site.destroy(1);
  site.lead(4);
  site.looks(6);
  EXPECT_EQ(site.members(), "voters n4 n5 n6");
  EXPECT_EQ(site.mark(Mark::destroyed_replaced), 3U);
  EXPECT_EQ(site.mark(Mark::most_first_voters_destroyed), 1U);
  EXPECT_FALSE(site.destruction.spares_left());
  EXPECT_TRUE(site.caretaker.is_done());
}

TEST(OperatorTest, WithoutASpareADestroyedNodeStays) {
  Site site(site_of(1, 1));
  site.destroy(3);
  site.destroy(4);
  site.looks(8);
  EXPECT_EQ(site.members(), "voters n1 n2 n5, learners n4");
  EXPECT_TRUE(site.caretaker.is_done()) << "there is nothing left to be done";
  EXPECT_EQ(site.caretaker.destroyed(), 2U);
}

TEST(OperatorTest, ASpareThatIsDestroyedOnItsWayLeavesWithTheNodeThatItWasToReplace) {
  Site site(site_of(0, 2));
  site.destroy(3);
  site.looks(1);
  ASSERT_EQ(site.members(), "voters n1 n2 n3, learners n4");
  site.destroy(4);
  site.looks(6);
  EXPECT_EQ(site.members(), "voters n1 n2 n5");
  EXPECT_EQ(site.caretaker.replaced(), 1U);
  EXPECT_TRUE(site.caretaker.is_done());
}

TEST(OperatorTest, WhoIsNoMemberIsNotReplaced) {
  Profile profile = site_of(0, 1);
  profile.nodes = 5;
  profile.spares = 2;
  Site site(profile);
  site.cluster.reconfigure(NodeId(1), 1, raft::voters_up_to(4), true);
  site.settle();
  site.cluster.reconfigure(NodeId(1), 1, raft::voters_up_to(3), true);
  site.settle();
  site.destroy(4);
  site.looks(4);
  EXPECT_EQ(site.asked, Asked{});
  EXPECT_TRUE(site.caretaker.is_done());
}

TEST(OperatorTest, ANodeThatOthersBringBackIsLeftOutAgain) {
  Site site(site_of(0, 1));
  site.destroy(3);
  site.looks(4);
  ASSERT_EQ(site.members(), "voters n1 n2 n4");
  site.cluster.reconfigure(NodeId(1), 1, raft::voters_up_to(3), true);
  site.settle();
  ASSERT_EQ(site.members(), "voters n1 n2 n3");
  EXPECT_FALSE(site.caretaker.is_done());
  site.looks(6);
  EXPECT_EQ(site.members(), "voters n1 n2 n4") << "with the same spare";
}

TEST(OperatorTest, WithoutAnOperatorNobodyLooks) {
  Profile profile = site_of(0, 1);
  profile.replacements = 0;
  Site site(profile);
  site.destroy(3);
  EXPECT_TRUE(site.queue.empty());
  EXPECT_TRUE(site.caretaker.is_done());
}

}  // namespace
}  // namespace raftlab::simulator::testing
