#include "simulator/nemesis.hpp"

#include "simulator/test_support.hpp"

#include <gtest/gtest.h>

#include <set>

namespace raftlab::simulator::testing {
namespace {

constexpr Fault partitions[] = {Fault::partition_halves, Fault::partition_isolate, Fault::partition_one_way,
                                Fault::partition_bridge, Fault::partition_ring,    Fault::partition_flapping};

Profile striking(std::uint32_t nodes, std::initializer_list<Fault> kinds) {
  Profile profile = quiet_profile(nodes);
  for (const Fault fault : kinds) profile.rate(fault) = million;
  return profile;
}

/// A nemesis that strikes with each kind of its profile in each turn, and the cluster that it strikes.
class Stage {
 public:
  explicit Stage(Profile profile_of_run)
      : profile(std::move(profile_of_run)),
        cluster(profile, false),
        destruction(profile, cluster),
        network(profile, chooser, queue, fired),
        nemesis(profile, chooser, queue, cluster, destruction, network, fired) {
    chooser.answer(Choice::nemesis_strikes, 1);
  }

  void start_all() {
    for (std::uint32_t id = 1; id <= profile.nodes; ++id) cluster.start(NodeId(id), Seed(id), 0);
  }
  void turn(Time now = 0) { nemesis.turn(Event{now, 0, EventKind::nemesis, 0, 0, 0, 0}); }

  /// Takes events out of the queue and carries out those of the nemesis, until a time.
  void let_pass(Time until) {
    while (!queue.empty()) {
      const Event event = queue.pop();
      if (event.time > until) {
        queue.push(event);
        return;
      }
      if (event.kind == EventKind::unblock) nemesis.unblock(event);
      if (event.kind == EventKind::restart) nemesis.restart(event);
      if (event.kind == EventKind::resume) nemesis.free_disk(event);
      if (event.kind == EventKind::pause_ends) nemesis.pause_ends(event);
    }
  }

  [[nodiscard]] bool reaches(std::uint32_t from, std::uint32_t to) const {
    return !network.is_cut(NodeId(from), NodeId(to));
  }
  [[nodiscard]] bool linked(std::uint32_t a, std::uint32_t b) const { return reaches(a, b) && reaches(b, a); }
  [[nodiscard]] std::uint32_t neighbours(std::uint32_t node) const {
    std::uint32_t count = 0;
    for (std::uint32_t other = 1; other <= profile.nodes; ++other)
      count += other != node && linked(node, other) ? 1U : 0U;
    return count;
  }
  [[nodiscard]] bool symmetric() const {
    for (std::uint32_t a = 1; a <= profile.nodes; ++a) {
      for (std::uint32_t b = 1; b <= profile.nodes; ++b) {
        if (reaches(a, b) != reaches(b, a)) return false;
      }
    }
    return true;
  }
  [[nodiscard]] std::uint32_t cuts() const {
    std::uint32_t count = 0;
    for (std::uint32_t a = 1; a <= profile.nodes; ++a) {
      for (std::uint32_t b = 1; b <= profile.nodes; ++b) count += reaches(a, b) ? 0U : 1U;
    }
    return count;
  }
  /// The sizes of the parts that hang together, in rising order; `without` is left out.
  [[nodiscard]] std::multiset<std::uint32_t> parts(std::uint32_t without = 0) const {
    std::multiset<std::uint32_t> sizes;
    std::set<std::uint32_t> seen = {without};
    for (std::uint32_t first = 1; first <= profile.nodes; ++first) {
      if (seen.contains(first)) continue;
      std::vector<std::uint32_t> part = {first};
      seen.insert(first);
      for (std::size_t i = 0; i < part.size(); ++i) {
        for (std::uint32_t other = 1; other <= profile.nodes; ++other) {
          if (linked(part[i], other) && seen.insert(other).second) part.push_back(other);
        }
      }
      sizes.insert(static_cast<std::uint32_t>(part.size()));
    }
    return sizes;
  }
  [[nodiscard]] std::uint64_t count(Fault fault) const { return fired[static_cast<std::size_t>(fault)]; }

  Profile profile;
  ScriptedChooser chooser;
  EventQueue queue;
  FaultCounts fired{};
  Cluster cluster;
  Destruction destruction;
  Network network;
  Nemesis nemesis;
};

// ---- The shapes of partitions ------------------------------------------------------------------------------------

/// For each size, and each node that the shape may start with.
template <class Check>
void for_shapes(Fault fault, std::uint32_t least_nodes, Check check) {
  for (std::uint32_t nodes = least_nodes; nodes <= 7; ++nodes) {
    for (std::uint64_t turned = 0; turned < nodes; ++turned) {
      SCOPED_TRACE(std::to_string(nodes) + " nodes, turned by " + std::to_string(turned));
      Stage stage(striking(nodes, {fault}));
      stage.chooser.answer(Choice::nemesis_shape, turned);
      stage.turn();
      EXPECT_EQ(stage.count(fault), 1U);
      check(stage, nodes);
    }
  }
}

TEST(NemesisPartition, HalvesAreTwoPartsOfAboutEqualSize) {
  for_shapes(Fault::partition_halves, 2, [](const Stage& stage, std::uint32_t nodes) {
    EXPECT_TRUE(stage.symmetric());
    EXPECT_EQ(stage.parts(), (std::multiset<std::uint32_t>{nodes / 2, nodes - nodes / 2}));
    for (std::uint32_t node = 1; node <= nodes; ++node) EXPECT_GE(stage.neighbours(node) + 1, nodes / 2);
  });
}

TEST(NemesisPartition, OneNodeIsIsolated) {
  for (const Fault fault : {Fault::partition_isolate, Fault::partition_flapping}) {
    std::set<std::uint32_t> alone_in_7;
    for_shapes(fault, 2, [&](const Stage& stage, std::uint32_t nodes) {
      EXPECT_TRUE(stage.symmetric());
      EXPECT_EQ(stage.cuts(), 2 * (nodes - 1));
      EXPECT_TRUE(stage.parts().contains(1));
      EXPECT_TRUE(stage.parts().contains(nodes - 1));
      for (std::uint32_t node = 1; nodes == 7 && node <= nodes; ++node) {
        if (stage.neighbours(node) == 0) alone_in_7.insert(node);
      }
    });
    EXPECT_EQ(alone_in_7.size(), 7U) << "any node can be the one";
  }
}

TEST(NemesisPartition, OneWayCutsOneDirectionOfOneNode) {
  bool deaf = false;
  bool mute = false;
  for_shapes(Fault::partition_one_way, 2, [&](const Stage& stage, std::uint32_t nodes) {
    EXPECT_EQ(stage.cuts(), nodes - 1);
    EXPECT_FALSE(stage.symmetric());
    std::uint32_t struck = 0;
    for (std::uint32_t node = 1; node <= nodes; ++node) {
      std::uint32_t not_heard = 0;
      std::uint32_t not_hearing = 0;
      for (std::uint32_t other = 1; other <= nodes; ++other) {
        not_heard += stage.reaches(node, other) ? 0U : 1U;
        not_hearing += stage.reaches(other, node) ? 0U : 1U;
      }
      if (not_heard == nodes - 1 && not_hearing == 0) mute = true, ++struck;
      if (not_hearing == nodes - 1 && not_heard == 0) deaf = true, ++struck;
    }
    EXPECT_EQ(struck, nodes == 2 ? 2U : 1U) << "with two nodes one is deaf and the other mute";
  });
  EXPECT_TRUE(deaf);
  EXPECT_TRUE(mute);
}

TEST(NemesisPartition, ABridgeIsTheOnlyNodeInBothHalves) {
  for_shapes(Fault::partition_bridge, 3, [](const Stage& stage, std::uint32_t nodes) {
    EXPECT_TRUE(stage.symmetric());
    EXPECT_EQ(stage.parts(), std::multiset<std::uint32_t>{nodes}) << "connected";
    std::uint32_t bridges = 0;
    for (std::uint32_t node = 1; node <= nodes; ++node) {
      if (stage.neighbours(node) != nodes - 1) continue;
      ++bridges;
      EXPECT_EQ(stage.parts(node),
                (std::multiset<std::uint32_t>{(nodes - 1) / 2, nodes - 1 - (nodes - 1) / 2}));
    }
    EXPECT_EQ(bridges, 1U);
  });
}

TEST(NemesisPartition, InARingEveryNodeReachesAMajorityAndNoneReachesAll) {
  for_shapes(Fault::partition_ring, 4, [](const Stage& stage, std::uint32_t nodes) {
    EXPECT_TRUE(stage.symmetric());
    EXPECT_EQ(stage.parts(), std::multiset<std::uint32_t>{nodes}) << "connected";
    for (std::uint32_t node = 1; node <= nodes; ++node) {
      EXPECT_GE(stage.neighbours(node) + 1, nodes / 2 + 1);
      EXPECT_LT(stage.neighbours(node) + 1, nodes);
    }
  });
}

TEST(NemesisPartition, WhatHasNoShapeIsNotCounted) {
  for (const Fault fault : partitions) {
    Stage stage(striking(1, {fault}));
    stage.turn();
    EXPECT_EQ(stage.cuts(), 0U);
    EXPECT_EQ(stage.count(fault), 0U);
  }
  Stage ring_of_three(striking(3, {Fault::partition_ring}));
  ring_of_three.turn();
  EXPECT_EQ(ring_of_three.count(Fault::partition_ring), 0U);
}

TEST(NemesisPartition, ItEndsAfterItsTime) {
  for (const Fault fault : {Fault::partition_halves, Fault::partition_isolate, Fault::partition_one_way,
                            Fault::partition_bridge, Fault::partition_ring}) {
    Stage stage(striking(5, {fault}));
    stage.turn();
    EXPECT_GT(stage.cuts(), 0U);
    stage.let_pass(49 * millisecond);
    EXPECT_GT(stage.cuts(), 0U);
    stage.let_pass(50 * millisecond);
    EXPECT_EQ(stage.cuts(), 0U) << name(fault);
  }
}

TEST(NemesisPartition, AFlappingNodeGoesAndComesBackAndStaysInTheEnd) {
  Stage stage(striking(5, {Fault::partition_flapping}));
  stage.turn();
  std::uint32_t changes = 0;
  bool cut = true;
  for (Time now = 0; now < 2 * second; now += 10 * millisecond) {
    stage.let_pass(now);
    if ((stage.cuts() != 0) == cut) continue;
    cut = !cut;
    ++changes;
  }
  EXPECT_GE(changes, 9U);
  EXPECT_EQ(stage.cuts(), 0U);
}

TEST(NemesisPartition, ANewPartitionReplacesTheOldOne) {
  Stage stage(striking(5, {Fault::partition_isolate}));
  stage.turn(0);
  stage.chooser.answer(Choice::nemesis_shape, 2);
  stage.turn(40 * millisecond);
  EXPECT_EQ(stage.cuts(), 8U);
  stage.let_pass(50 * millisecond);
  EXPECT_EQ(stage.cuts(), 8U) << "the end of the first one is not the end of the second";
  stage.let_pass(90 * millisecond);
  EXPECT_EQ(stage.cuts(), 0U);
}

// ---- Who may be struck -------------------------------------------------------------------------------------------

TEST(NemesisTest, WhatDestroysSparesTheMajorityWhoeverThatIs) {
  for (std::uint32_t first = 1; first <= 5; ++first) {
    Stage stage(striking(5, {Fault::lost_sectors}));
    stage.start_all();
    for (std::uint32_t i = 0; i < 5; ++i) {
      const std::uint32_t target = 1 + (first + i) % 5;
      stage.chooser.answer(Choice::nemesis_target, target - 1);
      stage.turn(i);
      EXPECT_EQ(stage.cluster.life(NodeId(target)) == Life::down, i < 2) << target << " after " << first;
    }
  }
}

TEST(NemesisTest, RotThatFindsNothingToStrikeDestroysNobody) {
  for (const Fault fault : {Fault::bit_rot, Fault::snapshot_rot}) {
    Stage stage(striking(3, {fault}));
    stage.start_all();
    stage.turn();
    EXPECT_EQ(stage.cluster.life(NodeId(1)), Life::down);
    EXPECT_EQ(stage.count(fault), 0U);
    EXPECT_FALSE(stage.destruction.struck(NodeId(1)));
  }
}

TEST(NemesisTest, AFailedSyncHasFatesInPartsOnlyWhereANodeMayBeDestroyed) {
  Stage stage(striking(5, {Fault::failed_sync}));
  stage.chooser.answer(Choice::sync_fails, 1);
  EXPECT_EQ(stage.nemesis.sync_fate(NodeId(1), 1), SimulatedDisk::SyncFate::failed) << "the tamest";
  EXPECT_FALSE(stage.destruction.struck(NodeId(1)));
  stage.chooser.answer(Choice::sync_fails_in_parts, 1);
  for (std::uint32_t id = 1; id <= 5; ++id) {
    EXPECT_EQ(stage.nemesis.sync_fate(NodeId(id), 1),
              id <= 2 ? SimulatedDisk::SyncFate::failed_in_parts : SimulatedDisk::SyncFate::failed);
    EXPECT_EQ(stage.destruction.struck(NodeId(id)), id <= 2);
  }
  EXPECT_EQ(stage.count(Fault::failed_sync), 6U);
}

TEST(NemesisTest, WhatIsImpossibleAtASizeIsNotDrawn) {
  std::array<std::array<bool, faults>, 8> drawn{};
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    for (std::uint32_t nodes = 1; nodes <= 7; ++nodes) {
      RandomChooser random{Seed(seed)};
      const Profile profile = draw_profile(random, nodes);
      EXPECT_EQ(profile.nodes, nodes);
      for (std::size_t fault = 0; fault < faults; ++fault) {
        if (profile.rates[fault] == 0) continue;
        drawn[nodes][fault] = true;
        EXPECT_TRUE(possible(static_cast<Fault>(fault), nodes))
            << name(static_cast<Fault>(fault)) << " with " << nodes;
      }
    }
  }
  for (std::size_t fault = 0; fault < faults; ++fault) {
    EXPECT_TRUE(drawn[7][fault]) << name(static_cast<Fault>(fault));
    for (std::uint32_t nodes = 1; nodes <= 7; ++nodes) {
      EXPECT_EQ(drawn[nodes][fault], possible(static_cast<Fault>(fault), nodes));
    }
  }
  EXPECT_FALSE(possible(Fault::message_loss, 1));
  EXPECT_FALSE(possible(Fault::span, 1));
  EXPECT_FALSE(possible(Fault::bit_rot, 2));
  EXPECT_FALSE(possible(Fault::partition_bridge, 2));
  EXPECT_FALSE(possible(Fault::partition_ring, 3));
  EXPECT_TRUE(possible(Fault::partition_ring, 4));
  EXPECT_TRUE(possible(Fault::power_loss, 1));
}

// ---- Crashes, pauses, full disks ---------------------------------------------------------------------------------

TEST(NemesisTest, ANodeThatWasStruckComesBack) {
  for (const Fault fault : {Fault::process_kill, Fault::power_loss}) {
    Stage stage(striking(3, {fault}));
    stage.start_all();
    stage.chooser.answer(Choice::nemesis_target, 1);
    stage.turn();
    EXPECT_EQ(stage.count(fault), 1U);
    EXPECT_EQ(stage.cluster.life(NodeId(2)), Life::down);
    stage.let_pass(10 * millisecond);
    EXPECT_EQ(stage.cluster.life(NodeId(2)), Life::up);
    EXPECT_EQ(stage.cluster.incarnation(NodeId(2)), 2U);
  }
}

TEST(NemesisTest, ANodeThatIsDownIsNotStruckAgain) {
  Stage stage(striking(1, {Fault::process_kill, Fault::power_loss, Fault::pause}));
  stage.start_all();
  stage.turn();
  stage.turn(1);
  EXPECT_EQ(stage.count(Fault::process_kill), 1U);
  EXPECT_EQ(stage.count(Fault::power_loss), 0U);
  EXPECT_EQ(stage.count(Fault::pause), 0U);
}

TEST(NemesisTest, APauseEndsWithItsTimeOrWithTheProcess) {
  Stage stage(striking(3, {Fault::pause}));
  stage.start_all();
  stage.turn(second);
  EXPECT_EQ(stage.nemesis.paused_until(NodeId(1)), second + millisecond);
  EXPECT_EQ(stage.nemesis.paused_until(NodeId(2)), 0);
  stage.nemesis.process_ended(NodeId(1), second);
  EXPECT_EQ(stage.nemesis.paused_until(NodeId(1)), 0);
}

TEST(NemesisTest, AFullDiskHasRoomAgainWhenTheLastOfItsFaultsEnds) {
  Stage stage(striking(1, {Fault::full_disk}));
  const auto full = [&] {
    SimulatedDisk copy = stage.cluster.disk(NodeId(1));
    copy.clear_started();
    FileHandle file;
    copy.create("probe", file);
    copy.append(file, bytes_of("x"));
    return !copy.started().empty();
  };
  EXPECT_FALSE(full());
  stage.turn(0);
  stage.turn(30 * millisecond);
  EXPECT_TRUE(full());
  stage.let_pass(50 * millisecond);
  EXPECT_TRUE(full()) << "the second one goes on";
  stage.let_pass(80 * millisecond);
  EXPECT_FALSE(full());
}

TEST(NemesisTest, AProcessThatEndsByItselfIsStartedAgain) {
  Stage stage(quiet_profile(1));
  stage.start_all();
  stage.nemesis.process_ended(NodeId(1), 0);
  EXPECT_EQ(stage.cluster.life(NodeId(1)), Life::down);
  stage.let_pass(10 * millisecond);
  EXPECT_EQ(stage.cluster.life(NodeId(1)), Life::up);
}

TEST(NemesisTest, AnOldRestartDoesNotStartALaterLife) {
  Stage stage(quiet_profile(1));
  stage.start_all();
  stage.nemesis.process_ended(NodeId(1), 0);
  stage.nemesis.restart(Event{0, 0, EventKind::restart, 1, 0, 7, 0});
  EXPECT_EQ(stage.cluster.life(NodeId(1)), Life::down);
}

TEST(NemesisTest, SlowSyncsTakeLongerThanOthers) {
  Stage stage(striking(1, {Fault::slow_sync}));
  stage.chooser.answer(Choice::sync_time, 1'000'000'000'000);
  EXPECT_EQ(stage.nemesis.sync_time(NodeId(1), 1), stage.profile.sync_ns_max);
  stage.chooser.answer(Choice::sync_slow, 1);
  EXPECT_EQ(stage.nemesis.sync_time(NodeId(1), 1), stage.profile.slow_sync_ns_max);
  EXPECT_EQ(stage.count(Fault::slow_sync), 1U);
}

TEST(NemesisTest, EachKindStrikesAtMostOncePerTurn) {
  Stage stage(striking(5, {Fault::process_kill, Fault::pause, Fault::partition_halves, Fault::full_disk}));
  stage.start_all();
  stage.turn();
  for (std::size_t fault = 0; fault < faults; ++fault) EXPECT_LE(stage.fired[fault], 1U);
  EXPECT_EQ(stage.count(Fault::partition_halves), 1U);
}

// ---- What it tells ----------------------------------------------------------------------------------------

class Told {
 public:
  explicit Told(Nemesis& nemesis) {
    nemesis.on_incident = [this](IncidentKind kind, NodeId node, std::string what) {
      lines.push_back(std::string(name(kind)) + " " + std::to_string(node.value()) + " " + std::move(what));
    };
  }
  std::vector<std::string> lines;
};

TEST(NemesisIncidents, AStrikeIsToldWithItsTargetAndItsEnd) {
  using Lines = std::vector<std::string>;
  const auto told = [](Fault fault, std::uint32_t nodes, std::uint64_t target) {
    Stage stage(striking(nodes, {fault}));
    stage.start_all();
    stage.chooser.answer(Choice::nemesis_target, target);
    Told listener(stage.nemesis);
    stage.turn();
    stage.let_pass(second);
    return listener.lines;
  };
  EXPECT_EQ(told(Fault::process_kill, 3, 1),
            (Lines{"crash 2 killed", "start 2 life 2 from T1 and a log to 1"}));
  const Lines power = told(Fault::power_loss, 3, 0);
  ASSERT_EQ(power.size(), 2U);
  EXPECT_TRUE(power[0].starts_with("crash 1 power loss"));
  EXPECT_EQ(told(Fault::full_disk, 3, 2), (Lines{"disk 3 full", "disk 3 has room again"}));
  EXPECT_EQ(told(Fault::pause, 3, 0), (Lines{"pause 1 for 1 ms", "resume 1 the pause is over"}));
  EXPECT_EQ(told(Fault::partition_halves, 4, 0),
            (Lines{"partition 0 halves, n1 n2 | n3 n4", "mend 0 halves, n1 n2 | n3 n4"}));
  EXPECT_EQ(told(Fault::partition_one_way, 3, 0),
            (Lines{"partition 0 one way, n1 -> n2 n3", "mend 0 one way, n1 -> n2 n3"}));
  EXPECT_EQ(told(Fault::partition_flapping, 3, 0).size(), 12U) << "six times away, six times back";
}

TEST(NemesisIncidents, ADiskThatFailsOrIsSlowIsTold) {
  Stage stage(striking(3, {Fault::failed_sync, Fault::slow_sync}));
  stage.start_all();
  stage.chooser.answer(Choice::sync_fails, 1);
  stage.chooser.answer(Choice::sync_slow, 1);
  stage.chooser.answer(Choice::sync_time, 1'000'000'000'000);
  Told listener(stage.nemesis);
  static_cast<void>(stage.nemesis.sync_time(NodeId(2), 1));
  static_cast<void>(stage.nemesis.sync_fate(NodeId(2), 1));
  stage.nemesis.process_ended(NodeId(2), 0);
  EXPECT_EQ(listener.lines, (std::vector<std::string>{"disk 2 a sync will take 300 ms", "disk 2 a sync fails",
                                                      "crash 2 its process ends, because a write failed"}));
}

TEST(NemesisIncidents, CalmTellsWhatItEnds) {
  Stage stage(striking(3, {Fault::pause, Fault::partition_isolate}));
  stage.start_all();
  stage.chooser.answer(Choice::nemesis_duration, 1'000'000'000);
  stage.turn();
  Told listener(stage.nemesis);
  stage.nemesis.calm_down(10 * millisecond);
  stage.let_pass(5 * second);
  EXPECT_EQ(listener.lines, (std::vector<std::string>{"mend 0 isolate, n1 | n2 n3",
                                                      "resume 1 no pause outlasts the faults"}));
}

// ---- Calm --------------------------------------------------------------------------------------------------------

TEST(NemesisTest, CalmMendsEverything) {
  for (const Fault partition : partitions) {
    Stage stage(striking(
        5, {partition, Fault::full_disk, Fault::process_kill, Fault::failed_sync, Fault::slow_sync}));
    stage.start_all();
    stage.chooser.answer(Choice::nemesis_target, 2);
    stage.turn(0);
    stage.cluster.disk(NodeId(1)).set_full(true);
    stage.chooser.answer(Choice::sync_fails, 1);
    stage.chooser.answer(Choice::sync_slow, 1);
    ASSERT_GT(stage.cuts(), 0U);
    ASSERT_EQ(stage.cluster.life(NodeId(3)), Life::down);
    const FaultCounts before = stage.fired;
    stage.nemesis.calm_down(millisecond);
    EXPECT_EQ(stage.cuts(), 0U);
    stage.let_pass(second);
    stage.turn(second);
    EXPECT_EQ(stage.cuts(), 0U);
    for (std::uint32_t id = 1; id <= 5; ++id) {
      EXPECT_EQ(stage.cluster.life(NodeId(id)), Life::up);
      EXPECT_LE(stage.nemesis.paused_until(NodeId(id)), millisecond);
      EXPECT_EQ(stage.nemesis.sync_fate(NodeId(id), 1), SimulatedDisk::SyncFate::ok);
      EXPECT_LE(stage.nemesis.sync_time(NodeId(id), 1), stage.profile.sync_ns_max);
    }
    EXPECT_EQ(stage.fired, before) << "nothing strikes any more";
  }
}

TEST(NemesisTest, CalmEndsAPause) {
  Stage stage(striking(1, {Fault::pause}));
  stage.start_all();
  stage.chooser.answer(Choice::nemesis_duration, 1'000'000'000);
  stage.turn(0);
  ASSERT_GT(stage.nemesis.paused_until(NodeId(1)), 10 * millisecond);
  stage.nemesis.calm_down(10 * millisecond);
  EXPECT_EQ(stage.nemesis.paused_until(NodeId(1)), 10 * millisecond);
}

}  // namespace
}  // namespace raftlab::simulator::testing
