#pragma once

#include "invariants/history.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

/// A clients' history as text: one JSON object for each operation, a line each, in the order of invocation. docs/cli.md#audit lists
/// the fields. Keys and values are UTF-8.
namespace raftlab::reports {

[[nodiscard]] std::string history_lines(const invariants::History& history);

struct HistoryLineError {
  std::size_t line = 0;  ///< from 1
  std::string what;
};
[[nodiscard]] std::variant<invariants::History, HistoryLineError> read_history_lines(std::string_view text);

}  // namespace raftlab::reports
