#pragma once

#include "scenarios/script.hpp"

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

/// The outer form of a script: lines, comments, words, and the expected output behind `----`. What the words
/// of a command mean is the business of the commands.
namespace raftlab::scenarios {

/// Bytes of a script; beyond: malformed.
inline constexpr std::size_t script_bytes_max = 1U << 20U;

struct Token {
  std::string_view text;
  std::uint32_t column = 0;  ///< from 1
};

/// One command and the output that is expected of it. Views into the text that was parsed.
struct Statement {
  std::uint32_t line = 0;  ///< from 1
  std::string_view source;
  std::vector<Token> tokens;  ///< at least one
  bool compares = false;      ///< a line `----` follows: the output is expected
  std::vector<std::string_view> expected;
  std::uint32_t expected_from = 0;  ///< line number of the first expected line, if `compares`
};

struct Script {
  std::vector<std::string_view> lines;  ///< without line feeds
  bool ends_with_newline = true;
  std::vector<Statement> statements;  ///< at least one
};

/// The diagnostic's `file` is `name`.
[[nodiscard]] std::variant<Script, Diagnostic> parse(const std::string& name, std::string_view text);

}  // namespace raftlab::scenarios
