#include "scenarios/commands.hpp"

#include "scenarios/text.hpp"

#include <algorithm>

namespace raftlab::scenarios {

std::vector<const Command*> all_commands() {
  std::vector<const Command*> all;
  for (const auto group : {cluster_commands(), client_commands(), member_commands(), message_commands(),
                           fault_commands(), show_commands(), expect_commands()}) {
    for (const Command& command : group) all.push_back(&command);
  }
  return all;
}

const Command* find_command(std::string_view wanted) {
  for (const Command* command : all_commands()) {
    if (wanted == command->name) return command;
  }
  return nullptr;
}

std::vector<std::string> command_usages() {
  std::vector<std::string> usages;
  for (const Command* command : all_commands()) {
    usages.push_back(std::string(command->name) + (*command->usage == '\0' ? "" : " ") + command->usage);
  }
  std::ranges::sort(usages);
  return usages;
}

std::string new_request_name(Arguments& arguments) {
  Context& context = arguments.context();
  const std::uint32_t column = arguments.column();
  std::string made = arguments.accept("as") ? arguments.word("the name of the request")
                                            : "op" + std::to_string(++context.unnamed_attempts);
  if (!context.attempts.insert(made).second)
    throw SyntaxError{column, "there is a request " + made + " already"};
  return made;
}

void require_up(const World& world, NodeId node, std::uint32_t column) {
  const simulator::Life life = world.cluster().life(node);
  if (life == simulator::Life::down) throw Failure{column, name(node) + " is down"};
  if (life == simulator::Life::refused) throw Failure{column, name(node) + " refused to start"};
}

void require_running(const World& world, NodeId node, std::uint32_t column) {
  require_up(world, node, column);
  if (world.paused(node)) throw Failure{column, name(node) + " is paused"};
}

}  // namespace raftlab::scenarios
