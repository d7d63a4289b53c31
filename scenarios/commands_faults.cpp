#include "scenarios/commands.hpp"
#include "scenarios/text.hpp"

#include <algorithm>
#include <array>

/// Cuts in the network, processes that end or stand still, and disks.
namespace raftlab::scenarios {
namespace {

// ---- Network ----------------------------------------------------------------------------------------------

void cut_between(World& world, const std::vector<NodeId>& left, const std::vector<NodeId>& right) {
  for (const NodeId a : left) {
    for (const NodeId b : right) {
      world.cut(a, b);
      world.cut(b, a);
    }
  }
}

Action parse_partition(Arguments& arguments) {
  std::vector<std::vector<NodeId>> groups;
  std::set<NodeId> seen;
  do {
    const std::uint32_t column = arguments.column();
    groups.push_back(arguments.nodes_at_least_one());
    for (const NodeId node : groups.back()) {
      if (!seen.insert(node).second) throw SyntaxError{column, name(node) + " is in two groups"};
    }
  } while (arguments.accept("|"));
  if (groups.size() == 1) arguments.expect("|");
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    for (std::size_t i = 0; i < groups.size(); ++i) {
      for (std::size_t j = i + 1; j < groups.size(); ++j) cut_between(world, groups[i], groups[j]);
    }
  };
}

Action parse_isolate(Arguments& arguments) {
  const NodeId node = arguments.node();
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    for (std::uint32_t id = 1; id <= world.size(); ++id) {
      if (NodeId(id) != node) cut_between(world, {node}, {NodeId(id)});
    }
  };
}

struct Direction {
  NodeId from;
  NodeId to;
  bool both = false;
};

Direction parse_direction(Arguments& arguments) {
  Direction direction;
  direction.from = arguments.node();
  direction.both = arguments.one_of({"->", "<->"}) == "<->";
  direction.to = arguments.node();
  arguments.end();
  return direction;
}

Action parse_cut(Arguments& arguments) {
  const Direction direction = parse_direction(arguments);
  return [=](World& world, Printed& /*printed*/) {
    world.cut(direction.from, direction.to);
    if (direction.both) world.cut(direction.to, direction.from);
  };
}

Action parse_heal(Arguments& arguments) {
  if (arguments.done()) {
    return [](World& world, Printed& /*printed*/) { world.heal(); };
  }
  const Direction direction = parse_direction(arguments);
  return [=](World& world, Printed& /*printed*/) {
    world.heal(direction.from, direction.to);
    if (direction.both) world.heal(direction.to, direction.from);
  };
}

// ---- Processes --------------------------------------------------------------------------------------------

Action parse_kill(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const std::vector<NodeId> nodes = arguments.nodes_at_least_one();
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    for (const NodeId node : nodes) {
      require_up(world, node, column);
      world.kill(node);
    }
  };
}

Action parse_crash(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const std::vector<NodeId> nodes = arguments.nodes_at_least_one();
  auto unsynced = World::Unsynced::lost;
  if (arguments.accept("keep")) {
    unsynced = World::Unsynced::kept;
  } else if (arguments.accept("sectors")) {
    unsynced = World::Unsynced::in_sectors;
  }
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    for (const NodeId node : nodes) {
      require_up(world, node, column);
      world.crash(node, unsynced);
    }
  };
}

Action parse_restart(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const std::vector<NodeId> nodes = arguments.nodes_at_least_one();
  const bool manual = arguments.accept("manual");
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    for (const NodeId node : nodes) {
      if (world.cluster().life(node) != simulator::Life::down)
        throw Failure{column, name(node) + " is not down"};
      world.start(node, manual);
    }
  };
}

Action pause_action(Arguments& arguments, bool pause) {
  const std::uint32_t column = arguments.column();
  const std::vector<NodeId> nodes = arguments.nodes_at_least_one();
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    for (const NodeId node : nodes) {
      require_up(world, node, column);
      if (world.paused(node) == pause)
        throw Failure{column, name(node) + (pause ? " is paused" : " is not paused")};
      world.pause(node, pause);
    }
  };
}

Action parse_pause(Arguments& arguments) { return pause_action(arguments, true); }
Action parse_resume(Arguments& arguments) { return pause_action(arguments, false); }

// ---- Disks ------------------------------------------------------------------------------------------------

Action parse_disk(Arguments& arguments) {
  const std::vector<NodeId> nodes = arguments.nodes_at_least_one();
  const bool manual = arguments.one_of({"manual", "auto"}) == "manual";
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    for (const NodeId node : nodes) world.set_manual(node, manual);
  };
}

Action parse_sync(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const std::vector<NodeId> nodes = arguments.nodes_at_least_one();
  const std::uint64_t count = arguments.done() ? 0 : arguments.number("a number of syncs", 1, 1000);
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    for (const NodeId node : nodes) {
      require_running(world, node, column);
      const std::uint64_t ended = world.sync(node, count);
      if (ended < std::max<std::uint64_t>(count, 1))
        throw Failure{column, name(node) + " has no pending sync"};
    }
  };
}

Action parse_fail(Arguments& arguments) {
  arguments.expect("sync");
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  auto fate = ScriptedChooser::PageFate::dropped;
  if (!arguments.done()) {
    const std::string word = arguments.one_of({"durable", "cached", "dropped"});
    if (word == "durable") fate = ScriptedChooser::PageFate::durable;
    if (word == "cached") fate = ScriptedChooser::PageFate::cached_only;
  }
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    require_running(world, node, column);
    world.fail_sync(node, fate);
  };
}

Action parse_full(Arguments& arguments) {
  const NodeId node = arguments.node();
  const bool full = arguments.on_or_off();
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    world.cluster().disk(node, Directory::log).set_full(full);
    world.cluster().disk(node, Directory::snapshots).set_full(full);
  };
}

Action parse_tear(Arguments& arguments) {
  const NodeId node = arguments.node();
  const std::uint64_t bytes = arguments.number("a number of bytes", 1, 1U << 20U);
  const bool zeros = arguments.accept("zeros");
  arguments.end();
  return [=](World& world, Printed& /*printed*/) { world.tear(node, bytes, zeros); };
}

Action parse_rot(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  const std::uint64_t bit = arguments.done() ? 1000 : arguments.number("a bit", 0, UINT32_MAX);
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    if (!world.rot(node, bit))
      throw Failure{column, name(node) + " has no record with another one behind it"};
  };
}

void require_disk(const World& world, NodeId node, std::uint32_t column) {
  if (world.up(node)) throw Failure{column, name(node) + " is up: its disk is in use"};
}

Action parse_wipe(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    require_disk(world, node, column);
    world.cluster().disk(node, Directory::log) = simulator::SimulatedDisk{};
    world.cluster().disk(node, Directory::snapshots) = simulator::SimulatedDisk{};
  };
}

Action parse_backup(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    require_disk(world, node, column);
    world.backup(node);
  };
}

Action parse_restore(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    require_disk(world, node, column);
    if (!world.restore(node)) throw Failure{column, "there is no backup of " + name(node)};
  };
}

constexpr std::array<Command, 18> table{{
    {"partition", "NODE... | NODE... [| NODE...]", parse_partition},
    {"isolate", "NODE", parse_isolate},
    {"cut", "NODE ->|<-> NODE", parse_cut},
    {"heal", "[NODE ->|<-> NODE]", parse_heal},
    {"kill", "NODE...", parse_kill},
    {"crash", "NODE... [keep|sectors]", parse_crash},
    {"restart", "NODE... [manual]", parse_restart},
    {"pause", "NODE...", parse_pause},
    {"resume", "NODE...", parse_resume},
    {"disk", "NODE...|all manual|auto", parse_disk},
    {"sync", "NODE... [COUNT]", parse_sync},
    {"fail", "sync NODE [durable|cached|dropped]", parse_fail},
    {"full", "NODE on|off", parse_full},
    {"tear", "NODE BYTES [zeros]", parse_tear},
    {"rot", "NODE [BIT]", parse_rot},
    {"wipe", "NODE", parse_wipe},
    {"backup", "NODE", parse_backup},
    {"restore", "NODE", parse_restore},
}};

}  // namespace

std::span<const Command> fault_commands() { return table; }

}  // namespace raftlab::scenarios
