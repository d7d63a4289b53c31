#pragma once

#include "invariants/rungs.hpp"
#include "raft/types.hpp"
#include "scenarios/parser.hpp"
#include "simulator/profile.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace raftlab::scenarios {

/// Nodes of a scripted cluster.
inline constexpr std::uint32_t cluster_nodes_max = 9;
/// Ticks of one command.
inline constexpr std::uint64_t ticks_max = 100'000;

/// Words that are no command of the language. Leaves this folder as a `Diagnostic`.
struct SyntaxError {
  std::uint32_t column = 0;
  std::string message;
};

/// What the commands before have introduced, so that a misspelt name is found before anything runs.
struct Context {
  simulator::Profile profile;
  std::uint32_t nodes = 0;         ///< 0: no `cluster` yet
  std::set<std::string> attempts;  ///< names of what clients asked, and of changes
  std::set<std::string> changes;   ///< of the members, and transfers of leadership
  std::set<std::string> sessions;
  std::uint32_t unnamed_attempts = 0;
  std::set<invariants::Rung> broken;  ///< rungs that the script expects to break
};

/// The words of a command, taken from the left. What does not fit is a `SyntaxError` at the word.
class Arguments {
 public:
  Arguments(const Statement& statement, Context& context) : statement_(&statement), context_(&context) {}

  [[nodiscard]] Context& context() { return *context_; }
  [[nodiscard]] std::uint32_t nodes() const { return context_->nodes; }
  [[nodiscard]] bool done() const { return next_ == statement_->tokens.size(); }
  /// Column of the next word, or of the end of the line.
  [[nodiscard]] std::uint32_t column() const;
  [[noreturn]] void fail(const std::string& message) const { throw SyntaxError{column(), message}; }
  /// Nothing may follow.
  void end() const;

  [[nodiscard]] bool next_is(std::string_view word) const { return !done() && peek() == word; }
  [[nodiscard]] bool next_is_node() const;
  [[nodiscard]] bool next_is_number() const;
  /// Takes the word if it is the next one.
  [[nodiscard]] bool accept(std::string_view word);
  void expect(std::string_view word);
  [[nodiscard]] std::string word(const char* what);
  /// One of the words given.
  [[nodiscard]] std::string one_of(const std::vector<std::string_view>& words);
  [[nodiscard]] std::uint64_t number(const char* what, std::uint64_t least, std::uint64_t most);
  [[nodiscard]] raft::NodeId node();
  /// Nodes up to something else; `all` stands for every node.
  [[nodiscard]] std::vector<raft::NodeId> nodes_at_least_one();
  [[nodiscard]] bool on_or_off();
  [[nodiscard]] invariants::Rung rung();
  /// "key=value"
  [[nodiscard]] std::pair<std::string, std::string> assignment();

 private:
  [[nodiscard]] std::string_view peek() const { return statement_->tokens[next_].text; }

  const Statement* statement_;
  Context* context_;
  std::size_t next_ = 1;  // behind the command's own name
};

/// A number without sign; none when the text is anything else or too large.
[[nodiscard]] std::optional<std::uint64_t> to_number(std::string_view text);

}  // namespace raftlab::scenarios
