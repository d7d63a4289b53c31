#include "scenarios/commands.hpp"
#include "scenarios/text.hpp"

#include <array>

/// The cluster, its time, and its elections.
namespace raftlab::scenarios {
namespace {

Action parse_cluster(Arguments& arguments) {
  Context& context = arguments.context();
  if (context.nodes != 0) throw SyntaxError{1, "a script has one cluster"};
  simulator::Profile& profile = context.profile;
  profile.nodes = static_cast<std::uint32_t>(arguments.number("the number of nodes", 1, cluster_nodes_max));
  const auto small = [&](const char* what, std::uint64_t least, std::uint64_t most) {
    return static_cast<std::uint32_t>(arguments.number(what, least, most));
  };
  std::uint32_t at = arguments.column();
  while (!arguments.done()) {
    const std::string option =
        arguments.one_of({"pre-vote", "check-quorum", "window", "append-bytes", "election", "heartbeat",
                          "snapshots", "tail", "parts", "chunks", "spares", "leases"});
    if (option == "pre-vote") profile.pre_vote = arguments.on_or_off();
    if (option == "check-quorum") profile.check_quorum = arguments.on_or_off();
    if (option == "leases") {
      profile.leases = true;
      profile.lease_drift_ppm = small("the drift of the clocks in ppm", 0, 1'000'000);
    }
    if (option == "window") profile.window_messages = small("the window in messages", 1, 1024);
    if (option == "append-bytes") profile.append_bytes_max = small("the bytes of an append", 1, 1U << 20U);
    if (option == "snapshots")
      profile.snapshot_entries = small("the entries between two snapshots", 0, 1U << 20U);
    if (option == "tail") profile.tail_entries = small("the entries kept behind a snapshot", 0, 1U << 20U);
    if (option == "parts") profile.snapshot_part_bytes = small("the bytes written in a step", 1, 1U << 20U);
    if (option == "chunks") profile.snapshot_chunk_bytes = small("the bytes of a chunk", 1, 1U << 20U);
    if (option == "spares") profile.spares = small("the number of spares", 0, profile.nodes - 1);
    if (option == "election" || option == "heartbeat") at = arguments.column();
    if (option == "election") profile.election_ticks = small("the election timeout in ticks", 2, 1000);
    if (option == "heartbeat") profile.heartbeat_ticks = small("the heartbeat in ticks", 1, 999);
  }
  if (profile.heartbeat_ticks >= profile.election_ticks) {
    throw SyntaxError{at, "the heartbeat must be shorter than the election timeout"};
  }
  context.nodes = profile.nodes;
  return [](World& /*world*/, Printed& /*printed*/) {};  // the world is there before the first command
}

Action parse_tick(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const std::vector<NodeId> nodes = arguments.nodes_at_least_one();
  if (arguments.accept("until")) {
    const std::string role = arguments.one_of({"follower", "pre-candidate", "candidate", "leader"});
    arguments.end();
    return [=](World& world, Printed& /*printed*/) {
      const std::uint32_t most = 10 * world.profile().election_ticks;
      for (const NodeId node : nodes) {
        require_running(world, node, column);
        std::uint32_t ticks = 0;
        while (role != raft::name(world.view(node).state.role) && ticks++ < most) world.tick(node);
        if (ticks > most) {
          throw Failure{column, name(node) + " is no " + role + " after " + std::to_string(most) + " ticks"};
        }
      }
    };
  }
  const std::uint64_t count = arguments.done() ? 1 : arguments.number("a number of ticks", 1, ticks_max);
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    for (std::uint64_t i = 0; i < count; ++i) {
      for (const NodeId node : nodes) {
        require_running(world, node, column);
        world.tick(node);
      }
    }
  };
}

Action parse_campaign(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    require_running(world, node, column);
    world.campaign(node);
  };
}

/// Who can vote for the node: the nodes whose process runs and that it reaches both ways.
std::vector<NodeId> reachable(const World& world, NodeId node) {
  std::vector<NodeId> found;
  for (std::uint32_t id = 1; id <= world.size(); ++id) {
    const NodeId other(id);
    if (other == node || !world.running(other)) continue;
    if (!world.is_cut(node, other) && !world.is_cut(other, node)) found.push_back(other);
  }
  return found;
}

Action parse_elect(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  std::vector<NodeId> votes;
  const bool named = arguments.accept("votes");
  if (named) votes = arguments.nodes_at_least_one();
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    require_running(world, node, column);
    for (const NodeId voter : votes) require_running(world, voter, column);
    if (world.view(node).state.role == raft::Role::leader)
      throw Failure{column, name(node) + " leads already"};
    if (world.elect(node, named ? votes : reachable(world, node))) return;
    const raft::View view = world.view(node);
    throw Failure{column, name(node) + " was not elected: " + std::to_string(view.granted.size()) +
                              " votes, " + std::to_string(view.refused.size()) + " refusals\n" +
                              world.status(node)};
  };
}

Action parse_snapshot(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    require_running(world, node, column);
    world.take_snapshot(node);
  };
}

std::set<NodeId> named_or_all(Arguments& arguments) {
  std::vector<NodeId> nodes;
  if (!arguments.done()) nodes = arguments.nodes_at_least_one();
  arguments.end();
  std::set<NodeId> set(nodes.begin(), nodes.end());
  for (std::uint32_t id = 1; nodes.empty() && id <= arguments.nodes(); ++id) set.insert(NodeId(id));
  return set;
}

Action parse_settle(Arguments& arguments) {
  const std::set<NodeId> nodes = named_or_all(arguments);
  return [=](World& world, Printed& /*printed*/) { world.settle(nodes); };
}

Action parse_stabilize(Arguments& arguments) {
  const std::set<NodeId> nodes = named_or_all(arguments);
  return [=](World& world, Printed& /*printed*/) {
    const auto amiss = world.stabilize(nodes);
    if (!amiss) return;
    std::string message = "the nodes do not settle: " + *amiss;
    for (const NodeId node : nodes) {
      if (world.up(node)) message += "\n" + world.status(node);
    }
    throw Failure{1, message};
  };
}

constexpr std::array<Command, 7> table{{
    {"cluster",
     "N [pre-vote on|off] [check-quorum on|off] [window M] [append-bytes B] [election T] [heartbeat H] "
     "[snapshots E] [tail K] [parts B] [chunks B] [spares K] [leases PPM]",
     parse_cluster},
    {"snapshot", "NODE", parse_snapshot},
    {"tick", "NODE...|all [COUNT | until ROLE]", parse_tick},
    {"campaign", "NODE", parse_campaign},
    {"elect", "NODE [votes NODE...]", parse_elect},
    {"settle", "[NODE...]", parse_settle},
    {"stabilize", "[NODE...]", parse_stabilize},
}};

}  // namespace

std::span<const Command> cluster_commands() { return table; }

}  // namespace raftlab::scenarios
