#pragma once

#include "scenarios/script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

/// Helpers of the tests of this folder: scripts as text, and what becomes of them.
namespace raftlab::scenarios {

/// The first diagnostic as it is shown; "none" without one.
inline std::string first_diagnostic(const ScriptResult& result) {
  return result.diagnostics.empty() ? "none" : format(result.diagnostics.front());
}

/// Runs a script that must pass, and says what was wrong otherwise.
inline std::string passed(const std::string& text) {
  const ScriptResult result = run_script("t.scn", text);
  EXPECT_EQ(result.outcome == Outcome::passed, result.diagnostics.empty());
  return first_diagnostic(result);
}

/// The first diagnostic of a script that is understood and fails.
inline std::string failed(const std::string& text) {
  const ScriptResult result = run_script("t.scn", text);
  EXPECT_EQ(result.outcome, Outcome::failed) << text;
  return first_diagnostic(result);
}

/// What the last command of a script prints, line by line.
inline std::vector<std::string> output_of(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  const RewriteResult result = rewrite_script("t.scn", text + "\n----\n");
  EXPECT_EQ(result.run.outcome, Outcome::passed) << text << "\n" << first_diagnostic(result.run);
  std::vector<std::string> lines;
  std::string_view rest =
      std::string_view(result.text).substr(text.size() + std::string_view("\n----\n").size());
  for (; !rest.empty(); rest.remove_prefix(std::min(rest.size(), lines.back().size() + 1)))
    lines.emplace_back(rest.substr(0, rest.find('\n')));
  return lines;
}

/// A text in which a `^` stands before the place that a diagnostic must point at.
struct Marked {
  std::string text;
  std::uint32_t line = 1;
  std::uint32_t column = 1;

  explicit Marked(std::string_view marked) : text(marked) {
    const std::size_t at = marked.find('^');
    EXPECT_NE(at, std::string_view::npos) << marked;
    text.erase(at, 1);
    const std::string_view before = marked.substr(0, at);
    line += static_cast<std::uint32_t>(std::ranges::count(before, '\n'));
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    column += static_cast<std::uint32_t>(at - line_start);
  }
};

/// Compares place and first sentence of the first diagnostic.
inline void expect_diagnostic(std::string_view marked, const std::string& message, Outcome outcome) {
  SCOPED_TRACE(std::string(marked));
  const Marked script(marked);
  const ScriptResult result = run_script("t.scn", script.text);
  ASSERT_EQ(result.outcome, outcome) << first_diagnostic(result);
  const Diagnostic& first = result.diagnostics.front();
  EXPECT_EQ(first.file, "t.scn");
  EXPECT_EQ(first.line, script.line) << format(first);
  EXPECT_EQ(first.column, script.column) << format(first);
  EXPECT_EQ(first.message.substr(0, first.message.find('\n')), message);
  std::string caret(first.column - 1, ' ');
  EXPECT_THAT(format(first), ::testing::HasSubstr("\n  " + first.source + "\n  " + caret + "^"));
}

struct Wrong {
  const char* marked;
  const char* message;
};

/// Each script begins with a cluster of three, is no script, and nothing of it is run.
inline void expect_malformed(const std::vector<Wrong>& table) {
  for (const Wrong& wrong : table)
    expect_diagnostic("cluster 3\n" + std::string(wrong.marked), wrong.message, Outcome::malformed);
}

/// Each script is understood, and fails at the mark.
inline void expect_failed(const std::string& before, const std::vector<Wrong>& table) {
  for (const Wrong& wrong : table) expect_diagnostic(before + wrong.marked, wrong.message, Outcome::failed);
}

}  // namespace raftlab::scenarios
