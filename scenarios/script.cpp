#include "scenarios/script.hpp"

#include "scenarios/commands.hpp"
#include "scenarios/text.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

namespace raftlab::scenarios {
namespace {

/// A script of which every line is understood.
struct Program {
  Script script;
  Context context;
  std::vector<Action> actions;  // one for each statement
};

Diagnostic at(const std::string& file, const Statement& statement, std::uint32_t column,
              std::string message) {
  // What concerns the command as a whole comes with column 1: the caret stands below its first word.
  const std::uint32_t from = std::max(column, statement.tokens.front().column);
  return Diagnostic{file, statement.line, from, std::move(message), std::string(statement.source)};
}

Action compile(const Statement& statement, Context& context) {
  const Token& word = statement.tokens.front();
  const Command* command = find_command(word.text);
  if (command == nullptr) throw SyntaxError{word.column, "unknown command `" + std::string(word.text) + "`"};
  if (context.nodes == 0 && word.text != "cluster") {
    throw SyntaxError{word.column, "the first command must be `cluster N`"};
  }
  Arguments arguments(statement, context);
  try {
    return command->parse(arguments);
  } catch (SyntaxError& error) {
    error.message += std::string("\nwritten: ") + command->name + " " + command->usage;
    throw;
  }
}

/// Every line that is wrong is told, not only the first; at most so many.
constexpr std::size_t diagnostics_max = 20;

std::variant<Program, std::vector<Diagnostic>> compile_all(const std::string& name, std::string_view text) {
  auto parsed = parse(name, text);
  if (auto* wrong = std::get_if<Diagnostic>(&parsed)) return std::vector<Diagnostic>{std::move(*wrong)};
  Program program;
  program.script = std::move(std::get<Script>(parsed));
  std::vector<Diagnostic> diagnostics;
  for (const Statement& statement : program.script.statements) {
    try {
      program.actions.push_back(compile(statement, program.context));
    } catch (const SyntaxError& error) {
      diagnostics.push_back(at(name, statement, error.column, error.message));
      if (diagnostics.size() == diagnostics_max || program.context.nodes == 0) break;
    }
  }
  if (!diagnostics.empty()) return diagnostics;
  return program;
}

/// One execution of a program.
class Execution {
 public:
  Execution(const std::string& name, const Program& program, const RunScriptOptions& options)
      : name_(name), program_(program), options_(options) {}

  ScriptResult run() {
    for (std::size_t i = 0; i < program_.actions.size() && result_.diagnostics.empty(); ++i) {
      execute(program_.script.statements[i], program_.actions[i]);
    }
    if (result_.diagnostics.empty()) finish();
    if (world_ != nullptr) {
      result_.steps = world_->cluster().steps();
      result_.digest = world_->cluster().digest();
      const auto& findings = world_->cluster().ladder().findings();
      result_.findings.insert(result_.findings.begin(), findings.begin(), findings.end());
    }
    if (!result_.diagnostics.empty()) result_.outcome = Outcome::failed;
    return std::move(result_);
  }

  /// What each command printed, by statement; shorter when one failed.
  [[nodiscard]] const std::vector<Printed>& printed() const { return printed_; }

 private:
  void execute(const Statement& statement, const Action& action) {
    Printed printed;
    guarded(statement, [&] {
      if (world_ == nullptr)
        world_ = std::make_unique<World>(WorldOptions{program_.context.profile, options_.checks});
      action(*world_, printed);
    });
    if (world_ != nullptr) {
      for (std::string& line : world_->take_news()) printed.push_back(std::move(line));
    }
    if (world_ != nullptr) check_findings(statement);
    if (result_.diagnostics.empty() && statement.compares && options_.compare_output)
      compare(statement, printed);
    printed_.push_back(std::move(printed));
    ++result_.commands;
  }

  /// The end of the script: what can only be judged then, and no finding that the script did not expect.
  void finish() {
    const Statement& last = program_.script.statements.back();
    guarded(last, [&] { world_->finish(); });
    check_findings(last);
  }

  /// An assertion or an exception in the code under test is a finding, not the end of raftlab.
  template <class Body>
  void guarded(const Statement& statement, const Body& body) {
    try {
      body();
    } catch (const Failure& failure) {
      result_.diagnostics.push_back(at(name_, statement, failure.column, failure.message));
    } catch (const std::exception& error) {
      invariants::Finding finding;
      finding.rung = invariants::Rung::N0;
      finding.step = world_ == nullptr ? 0 : world_->cluster().steps();
      finding.text = error.what();
      result_.findings.push_back(finding);
      result_.diagnostics.push_back(at(name_, statement, 1, describe(finding)));
    }
  }

  void check_findings(const Statement& statement) {
    const auto& findings = world_->cluster().ladder().findings();
    std::vector<invariants::Finding> fresh(findings.begin() + static_cast<std::ptrdiff_t>(seen_findings_),
                                           findings.end());
    seen_findings_ = findings.size();
    // The lowest rung first: it explains the others.
    std::ranges::stable_sort(fresh, {}, &invariants::Finding::rung);
    std::string message;
    for (const invariants::Finding& finding : fresh) {
      if (program_.context.broken.contains(finding.rung)) continue;
      message += (message.empty() ? "" : "\n") + describe(finding);
    }
    // A broken rung explains what else went wrong on this line.
    if (!message.empty())
      result_.diagnostics.insert(result_.diagnostics.begin(), at(name_, statement, 1, message));
  }

  [[nodiscard]] static std::string describe(const invariants::Finding& finding) {
    const invariants::RungInfo& rung = invariants::info(finding.rung);
    std::string text = std::string("broken: ") + rung.id + " " + rung.name + ": " + finding.text;
    if (finding.node) text += " (" + name(finding.node) + ", step " + std::to_string(finding.step) + ")";
    return text;
  }

  void compare(const Statement& statement, const Printed& printed) {
    const std::size_t common = std::min(printed.size(), statement.expected.size());
    std::size_t line = 0;
    while (line < common && printed[line] == statement.expected[line]) ++line;
    if (line == printed.size() && line == statement.expected.size()) return;
    Diagnostic& wrong = result_.diagnostics.emplace_back();
    wrong.file = name_;
    wrong.line = statement.expected_from + static_cast<std::uint32_t>(line);
    wrong.column = 1;
    if (line < statement.expected.size()) {
      wrong.source = std::string(statement.expected[line]);
      const std::string found = line < printed.size() ? printed[line] : "";
      while (wrong.column <= std::min(found.size(), wrong.source.size()) &&
             found[wrong.column - 1] == wrong.source[wrong.column - 1]) {
        ++wrong.column;
      }
    }
    wrong.message = line < printed.size() ? "the output differs; printed was:"
                                          : "less output than expected; printed was:";
    for (const std::string& text : printed) wrong.message += "\n" + text;
    if (printed.empty()) wrong.message += " nothing";
  }

  const std::string& name_;
  const Program& program_;
  const RunScriptOptions& options_;
  std::unique_ptr<World> world_;
  std::size_t seen_findings_ = 0;
  ScriptResult result_;
  std::vector<Printed> printed_;
};

ScriptResult malformed(std::vector<Diagnostic> diagnostics) {
  ScriptResult result;
  result.outcome = Outcome::malformed;
  result.diagnostics = std::move(diagnostics);
  return result;
}

std::string with_new_output(const Script& script, const std::vector<Printed>& printed) {
  std::string text;
  const auto put = [&](std::string_view line) { text.append(line).push_back('\n'); };
  std::size_t next = 0;  // first line that was not copied yet
  bool ends_with_output = false;
  for (std::size_t i = 0; i < script.statements.size(); ++i) {
    const Statement& statement = script.statements[i];
    if (!statement.compares) continue;
    for (; next + 1 < statement.expected_from; ++next) put(script.lines[next]);
    for (const std::string& line : printed[i]) put(line);
    next += statement.expected.size();
    ends_with_output = next == script.lines.size();
  }
  for (; next < script.lines.size(); ++next) put(script.lines[next]);
  if (!script.ends_with_newline && !ends_with_output) text.pop_back();
  return text;
}

}  // namespace

std::string format(const Diagnostic& diagnostic) {
  std::string text = diagnostic.file;
  if (diagnostic.line != 0) text += ":" + std::to_string(diagnostic.line);
  if (diagnostic.line != 0 && diagnostic.column != 0) text += ":" + std::to_string(diagnostic.column);
  const std::size_t first_line = diagnostic.message.find('\n');
  text += ": " + diagnostic.message.substr(0, first_line);
  if (!diagnostic.source.empty()) {
    text += "\n  " + diagnostic.source;
    // A tab before the caret keeps it below its column, however wide tabs are.
    std::string caret = "\n  ";
    for (std::size_t i = 1; i < diagnostic.column; ++i) {
      caret += i <= diagnostic.source.size() && diagnostic.source[i - 1] == '\t' ? '\t' : ' ';
    }
    if (diagnostic.column != 0) text += caret + "^";
  }
  if (first_line == std::string::npos) return text;
  for (std::size_t from = first_line; from != std::string::npos;) {
    const std::size_t end = diagnostic.message.find('\n', from + 1);
    text += "\n    " + diagnostic.message.substr(from + 1, end == std::string::npos ? end : end - from - 1);
    from = end;
  }
  return text;
}

ScriptResult run_script(const std::string& name, std::string_view text, const RunScriptOptions& options) {
  auto compiled = compile_all(name, text);
  if (auto* diagnostics = std::get_if<std::vector<Diagnostic>>(&compiled))
    return malformed(std::move(*diagnostics));
  return Execution(name, std::get<Program>(compiled), options).run();
}

RewriteResult rewrite_script(const std::string& name, std::string_view text) {
  RewriteResult result{{}, std::string(text)};
  auto compiled = compile_all(name, text);
  if (auto* diagnostics = std::get_if<std::vector<Diagnostic>>(&compiled)) {
    result.run = malformed(std::move(*diagnostics));
    return result;
  }
  const Program& program = std::get<Program>(compiled);
  const RunScriptOptions options{true, false};
  Execution execution(name, program, options);
  result.run = execution.run();
  if (result.run.outcome == Outcome::passed)
    result.text = with_new_output(program.script, execution.printed());
  return result;
}

}  // namespace raftlab::scenarios
