#pragma once

#include "scenarios/arguments.hpp"
#include "scenarios/world.hpp"

#include <functional>
#include <span>
#include <string>
#include <vector>

/// The commands of the language. Each one reads its words first, for the whole script, and acts only when
/// every line is understood.
namespace raftlab::scenarios {

/// What a command prints, line by line.
using Printed = std::vector<std::string>;
/// What a command does. Throws `Failure` when it cannot, or when what it expects does not hold.
using Action = std::function<void(World&, Printed&)>;

struct Command {
  const char* name;
  const char* usage;  ///< the words behind the name
  Action (*parse)(Arguments& arguments);
};

/// In groups, by file.
[[nodiscard]] std::span<const Command> cluster_commands();
[[nodiscard]] std::span<const Command> client_commands();
[[nodiscard]] std::span<const Command> member_commands();
[[nodiscard]] std::span<const Command> message_commands();
[[nodiscard]] std::span<const Command> fault_commands();
[[nodiscard]] std::span<const Command> show_commands();
[[nodiscard]] std::span<const Command> expect_commands();

[[nodiscard]] const Command* find_command(std::string_view wanted);
[[nodiscard]] std::vector<const Command*> all_commands();

/// Fails unless the node's process runs.
void require_running(const World& world, NodeId node, std::uint32_t column);
void require_up(const World& world, NodeId node, std::uint32_t column);

/// Takes `[as NAME]`: a name that no request has yet; without the words, "op1" and so on.
[[nodiscard]] std::string new_request_name(Arguments& arguments);

// ---- Selection of messages --------------------------------------------------------------------------------

/// Which messages in flight a command means.
struct Selection {
  std::uint32_t column = 0;
  std::optional<NodeId> from;
  std::optional<NodeId> to;
  std::string kind;  ///< empty: any
  std::optional<std::uint64_t> term;
  std::optional<std::uint64_t> count;  ///< the first so many
  std::optional<std::uint64_t> nth;    ///< this one only, from 1
  bool last = false;                   ///< the last one only
  bool all = false;                    ///< all, perhaps none
  bool reversed = false;
  bool together = false;
  std::string text;  ///< as written, for messages
};

/// Takes the words of a selection up to the end of the line.
[[nodiscard]] Selection parse_selection(Arguments& arguments, bool may_be_together);

enum class Among : std::uint8_t { deliverable, not_held, held };
/// Numbers of the selected messages, in order. Fails when there are none, or fewer than were counted, unless
/// `all`.
[[nodiscard]] std::vector<std::uint64_t> select(const World& world, const Selection& selection, Among among);
/// As above, and never fails.
[[nodiscard]] std::vector<std::uint64_t> matching(const World& world, const Selection& selection,
                                                  Among among);

/// One line for each message in flight.
void print_messages(const World& world, Printed& printed);

}  // namespace raftlab::scenarios
