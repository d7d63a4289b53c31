#include "scenarios/parser.hpp"

#include <optional>
#include <string>

namespace raftlab::scenarios {
namespace {

constexpr std::string_view output_mark = "----";

[[nodiscard]] bool is_space(char c) { return c == ' ' || c == '\t'; }

[[nodiscard]] bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t") == std::string_view::npos;
}

/// A line that ends with spaces is not the mark: it would be easy to overlook.
[[nodiscard]] bool is_mark(std::string_view line) { return line == output_mark; }

std::vector<std::string_view> split_lines(std::string_view text, bool& ends_with_newline) {
  std::vector<std::string_view> lines;
  ends_with_newline = !text.empty() && text.back() == '\n';
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return lines;
}

/// The words of a line up to its comment. A `#` inside a word starts no comment.
std::vector<Token> split_words(std::string_view line) {
  std::vector<Token> tokens;
  std::size_t at = 0;
  while (at < line.size()) {
    if (is_space(line[at])) {
      ++at;
      continue;
    }
    if (line[at] == '#') break;
    std::size_t end = at;
    while (end < line.size() && !is_space(line[end])) ++end;
    tokens.push_back(Token{line.substr(at, end - at), static_cast<std::uint32_t>(at + 1)});
    at = end;
  }
  return tokens;
}

/// Column of the first control character, which no text has.
std::optional<std::uint32_t> control_character(std::string_view line) {
  for (std::size_t at = 0; at < line.size(); ++at) {
    const auto byte = static_cast<unsigned char>(line[at]);
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return static_cast<std::uint32_t>(at + 1);
  }
  return std::nullopt;
}

/// None when the line is text.
std::optional<Diagnostic> not_text(const std::string& name, std::uint32_t number, std::string_view line) {
  const auto column = control_character(line);
  if (!column) return std::nullopt;
  const bool carriage_return = line[*column - 1] == '\r';
  return Diagnostic{name, number, *column,
                    carriage_return ? "a carriage return: lines of a script end with a line feed alone"
                                    : "a control character: this is no text",
                    carriage_return ? std::string(line.substr(0, *column - 1)) : std::string()};
}

Diagnostic whole_file(const std::string& name, std::string message) {
  return Diagnostic{name, 0, 0, std::move(message), {}};
}

}  // namespace

std::variant<Script, Diagnostic> parse(const std::string& name, std::string_view text) {
  if (text.size() > script_bytes_max) {
    return whole_file(name, "the script has " + std::to_string(text.size()) + " bytes; the most is " +
                                std::to_string(script_bytes_max));
  }
  Script script;
  script.lines = split_lines(text, script.ends_with_newline);
  for (std::size_t i = 0; i < script.lines.size(); ++i) {
    const std::string_view line = script.lines[i];
    const auto number = static_cast<std::uint32_t>(i + 1);
    if (auto wrong = not_text(name, number, line)) return std::move(*wrong);
    if (is_mark(line)) {
      return Diagnostic{name, number, 1, "expected output without a command on the line before it",
                        std::string(line)};
    }
    std::vector<Token> tokens = split_words(line);
    if (tokens.empty()) continue;
    Statement& statement = script.statements.emplace_back();
    statement.line = number;
    statement.source = line;
    statement.tokens = std::move(tokens);
    if (i + 1 >= script.lines.size() || !is_mark(script.lines[i + 1])) continue;
    statement.compares = true;
    statement.expected_from = number + 2;
    for (i += 2; i < script.lines.size() && !is_blank(script.lines[i]); ++i) {
      // A carriage return on the blank line behind the output would make output of the commands that follow.
      if (auto wrong = not_text(name, static_cast<std::uint32_t>(i + 1), script.lines[i]))
        return std::move(*wrong);
      statement.expected.push_back(script.lines[i]);
    }
  }
  if (script.statements.empty()) {
    return whole_file(name,
                      text.empty() ? "the script is empty" : "the script has no command, only comments");
  }
  return script;
}

}  // namespace raftlab::scenarios
