#include "reports/format.hpp"
#include "reports/text.hpp"
#include "scenarios/script.hpp"
#include "tools/raftlab/commands.hpp"
#include "tools/raftlab/files.hpp"
#include "tools/raftlab/terminal.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <span>

namespace raftlab::tool {
namespace {

namespace fs = std::filesystem;
using scenarios::Outcome;
using simulator::Verdict;

/// The scripts below a path, in the order of their names.
Result<std::vector<std::string>> scripts_of(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::vector<std::string>{path};
  std::vector<std::string> scripts;
  for (fs::recursive_directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (at->path().extension() == ".scn" && at->is_regular_file(ignored))
      scripts.push_back(at->path().string());
  }
  if (error) return Failure{ExitCode::io, path + ": cannot be read: " + error.message()};
  if (scripts.empty())
    return Failure{ExitCode::bad_data, path + ": there is no scenario (*.scn) in this directory"};
  std::sort(scripts.begin(), scripts.end());
  return scripts;
}

/// Replaces the content of a script that says something else.
std::optional<Failure> replace(const std::string& path, const std::string& before, const std::string& after) {
  if (before == after) return std::nullopt;
  auto file = OutputFile::open(path);
  if (auto* failed = std::get_if<Failure>(&file)) return std::move(*failed);
  return std::get<OutputFile>(file).commit(std::as_bytes(std::span(after)));
}

class ScenarioRun {
 public:
  explicit ScenarioRun(const RunOptions& options) : options_(options) {}

  std::optional<Failure> run(const std::string& path) {
    auto text = read_file(path, text_bytes_max);
    if (auto* failed = std::get_if<Failure>(&text)) return std::move(*failed);
    const std::string& script = std::get<std::string>(text);
    scenarios::ScriptResult result;
    if (options_.rewrite) {
      const scenarios::RewriteResult rewritten = scenarios::rewrite_script(path, script);
      result = rewritten.run;
      if (result.outcome == Outcome::passed) {
        if (auto failed = replace(path, script, rewritten.text)) return failed;
      }
    } else {
      scenarios::RunScriptOptions run_options;
      run_options.checks = options_.checks;
      result = scenarios::run_script(path, script, run_options);
    }
    tell_result(path, result);
    return std::nullopt;
  }

  [[nodiscard]] int finish() const {
    const bool holds = failed_ == 0 && malformed_ == 0;
    std::cout << reports::verdict_word(holds ? Verdict::holds : Verdict::violated, stdout_colour()) << "  "
              << reports::counted(passed_, "scenario", "scenarios") << " passed";
    if (failed_ != 0) std::cout << ", " << failed_ << " failed";
    if (malformed_ != 0) std::cout << ", " << malformed_ << " malformed";
    std::cout << " · " << reports::counted(commands_, "command", "commands") << " · "
              << reports::counted(steps_, "step", "steps") << '\n';
    if (!flush_stdout()) return tell(Failure{ExitCode::io, "stdout: cannot be written"});
    if (failed_ != 0) return static_cast<int>(ExitCode::violated);
    return static_cast<int>(malformed_ != 0 ? ExitCode::bad_data : ExitCode::holds);
  }

 private:
  void tell_result(const std::string& path, const scenarios::ScriptResult& result) {
    commands_ += result.commands;
    steps_ += result.steps;
    if (result.outcome == Outcome::passed) {
      ++passed_;
      return;
    }
    const bool malformed = result.outcome == Outcome::malformed;
    ++(malformed ? malformed_ : failed_);
    // What is wrong with a file goes to stderr, what a run found is the result.
    std::ostream& out = malformed ? std::cerr : std::cout;
    if (!malformed)
      out << reports::verdict_word(Verdict::violated, stdout_colour()) << "  " << path << "\n\n";
    for (const scenarios::Diagnostic& diagnostic : result.diagnostics)
      out << scenarios::format(diagnostic) << '\n';
    for (const invariants::Finding& finding : result.findings) {
      const invariants::RungInfo& rung = invariants::info(finding.rung);
      out << "  " << rung.id << ' ' << rung.name << " at step " << finding.step << ": "
          << reports::wrap(reports::printable(finding.text), 4) << '\n';
    }
    out << '\n' << std::flush;
  }

  const RunOptions& options_;
  std::uint64_t passed_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t malformed_ = 0;
  std::uint64_t commands_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace

int run_scenarios(const RunOptions& options) {
  ScenarioRun run(options);
  for (const std::string& path : options.paths) {
    auto scripts = scripts_of(path);
    if (const Failure* failed = failure(scripts)) return tell(*failed);
    for (const std::string& script : std::get<std::vector<std::string>>(scripts)) {
      if (const auto failed = run.run(script)) return tell(*failed);
    }
  }
  return run.finish();
}

}  // namespace raftlab::tool
