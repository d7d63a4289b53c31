#pragma once

#include "invariants/ladder.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The scenario language: a script builds a cluster, says which message arrives when and which fault strikes,
/// and states what must be true then. docs/scenarios.md shows it by example. Scripts run in memory, without
/// clock, files or randomness: the same text always gives the same result.
namespace raftlab::scenarios {

enum class Outcome : std::uint8_t {
  passed,
  failed,     ///< an expectation or a rung does not hold, or printed output differs
  malformed,  ///< the text is no script: nothing was run
};

/// Something wrong at one place of a script.
struct Diagnostic {
  std::string file;
  std::uint32_t line = 0;    ///< from 1; 0: the file as a whole
  std::uint32_t column = 0;  ///< from 1, in bytes; 0: the line as a whole
  std::string message;       ///< one sentence; further lines give details
  std::string source;        ///< the line itself
};

/// "file:line:column: message", the source line, and a caret below the column. Ends without a line feed.
[[nodiscard]] std::string format(const Diagnostic& diagnostic);

struct ScriptResult {
  Outcome outcome = Outcome::passed;
  std::vector<Diagnostic> diagnostics;  ///< empty when passed; what was malformed, or the first failure
  std::vector<invariants::Finding>
      findings;                ///< of the ladder, in order of occurrence; also those the script expects
  std::uint64_t commands = 0;  ///< carried out
  std::uint64_t steps = 0;     ///< of cores
  std::uint64_t digest = 0;    ///< of the run: the same on every machine and in every build
};

struct RunScriptOptions {
  bool checks = true;          ///< check the ladder after every step
  bool compare_output = true;  ///< compare what commands print with the expected output
};

/// Runs a script. `name` is what diagnostics call the file; nothing is read from there.
[[nodiscard]] ScriptResult run_script(const std::string& name, std::string_view text,
                                      const RunScriptOptions& options = {});

struct RewriteResult {
  ScriptResult run;  ///< with output not compared
  std::string
      text;  ///< the same script with the output that its commands print now; unchanged unless `run` passed
};

/// Regenerates the expected output behind every `----`. Everything else stays as it is, byte for byte.
[[nodiscard]] RewriteResult rewrite_script(const std::string& name, std::string_view text);

/// The commands and how each is written, for help texts: one line each, in alphabetical order.
[[nodiscard]] std::vector<std::string> command_usages();

}  // namespace raftlab::scenarios
