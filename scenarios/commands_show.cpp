#include "scenarios/commands.hpp"
#include "scenarios/text.hpp"

#include <array>

/// What a script prints, to be compared with the output behind `----`.
namespace raftlab::scenarios {
namespace {

std::vector<NodeId> named_or_all(Arguments& arguments) {
  std::vector<NodeId> nodes;
  if (!arguments.done()) {
    nodes = arguments.nodes_at_least_one();
  } else {
    for (std::uint32_t id = 1; id <= arguments.nodes(); ++id) nodes.emplace_back(id);
  }
  arguments.end();
  return nodes;
}

std::string status_line(const World& world, NodeId node) {
  switch (world.cluster().life(node)) {
    case simulator::Life::down: return name(node) + " down";
    case simulator::Life::refused: return name(node) + " refused to start: " + world.cluster().refusal(node);
    case simulator::Life::up: break;
  }
  std::string line = world.status(node);
  if (world.paused(node)) line += " paused";
  if (world.pending_syncs(node) != 0) line += " syncs pending " + std::to_string(world.pending_syncs(node));
  return line;
}

Action parse_status(Arguments& arguments) {
  const std::vector<NodeId> nodes = named_or_all(arguments);
  return [=](World& world, Printed& printed) {
    for (const NodeId node : nodes) printed.push_back(status_line(world, node));
  };
}

Action parse_log(Arguments& arguments) {
  const std::vector<NodeId> nodes = named_or_all(arguments);
  return [=](World& world, Printed& printed) {
    for (const NodeId node : nodes) {
      printed.push_back(name(node) + " " + (world.up(node) ? log_text(*world.view(node).log) : "down"));
    }
  };
}

Action parse_messages(Arguments& arguments) {
  arguments.end();
  return [](World& world, Printed& printed) { print_messages(world, printed); };
}

Action parse_peers(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  arguments.end();
  return [=](World& world, Printed& printed) {
    require_up(world, node, column);
    const raft::View view = world.view(node);
    if (view.peers.empty()) printed.push_back(name(node) + " does not lead");
    for (const raft::Progress& peer : view.peers) {
      if (peer.id == node) continue;
      printed.push_back(name(peer.id) + " " + raft::name(peer.state) + " match " + number(peer.match) +
                        " next " + number(peer.next) + " window " + std::to_string(peer.window.messages()));
    }
  };
}

constexpr std::array<Command, 4> table{{
    {"status", "[NODE...]", parse_status},
    {"log", "[NODE...]", parse_log},
    {"messages", "", parse_messages},
    {"peers", "NODE", parse_peers},
}};

}  // namespace

std::span<const Command> show_commands() { return table; }

}  // namespace raftlab::scenarios
