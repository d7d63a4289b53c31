#include "scenarios/commands.hpp"
#include "scenarios/text.hpp"

#include <algorithm>
#include <array>

/// Who is in the cluster, and who is to lead it.
namespace raftlab::scenarios {
namespace {

std::string new_change_name(Arguments& arguments) {
  std::string made = new_request_name(arguments);
  arguments.context().changes.insert(made);
  return made;
}

/// What the core makes of a target that is no configuration is its own affair.
raft::Configuration configuration_of(std::vector<NodeId> voters, std::vector<NodeId> learners) {
  raft::Configuration configuration;
  configuration.voters = std::move(voters);
  configuration.learners = std::move(learners);
  std::ranges::sort(configuration.voters);
  std::ranges::sort(configuration.learners);
  std::set<NodeId> all(configuration.voters.begin(), configuration.voters.end());
  all.insert(configuration.learners.begin(), configuration.learners.end());
  for (const NodeId node : all) configuration.members.push_back(raft::Member{node, name(node), ""});
  return configuration;
}

Action parse_reconfigure(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  const std::vector<NodeId> voters = arguments.nodes_at_least_one();
  std::vector<NodeId> learners;
  if (arguments.accept("learners")) learners = arguments.nodes_at_least_one();
  const bool force = arguments.accept("force");
  const std::string change = new_change_name(arguments);
  arguments.end();
  return [=, target = configuration_of(voters, learners)](World& world, Printed& /*printed*/) {
    require_running(world, node, column);
    world.reconfigure(change, node, target, force);
  };
}

Action parse_transfer(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  arguments.expect("->");
  const NodeId target = arguments.node();
  const std::string change = new_change_name(arguments);
  arguments.end();
  return [=](World& world, Printed& /*printed*/) {
    require_running(world, node, column);
    world.transfer(change, node, target);
  };
}

constexpr std::array<Command, 2> table{{
    {"reconfigure", "NODE NODE...|all [learners NODE...] [force] [as NAME]", parse_reconfigure},
    {"transfer", "NODE -> NODE [as NAME]", parse_transfer},
}};

}  // namespace

std::span<const Command> member_commands() { return table; }

}  // namespace raftlab::scenarios
