#include "invariants/audit.hpp"
#include "reports/audit_report.hpp"
#include "reports/history_lines.hpp"
#include "tools/raftlab/commands.hpp"
#include "tools/raftlab/files.hpp"
#include "tools/raftlab/terminal.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace raftlab::tool {
namespace {

namespace fs = std::filesystem;
using invariants::AuditVerdict;

constexpr const char* extension = ".rlnode";

/// The traces in a directory; a file stands for itself.
Result<std::vector<std::string>> traces_at(const std::string& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return std::vector{path};
  std::vector<std::string> found;
  fs::directory_iterator entries(path, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    if (entries->path().extension() == extension) found.push_back(entries->path().string());
  }
  if (error) return Failure{ExitCode::io, path + ": cannot be read: " + error.message()};
  if (found.empty()) return Failure{ExitCode::bad_data, path + ": there is no trace of a node (*.rlnode)"};
  std::ranges::sort(found);
  return found;
}

Result<std::vector<std::pair<std::string, std::string>>> read_traces(const std::vector<std::string>& paths) {
  std::vector<std::pair<std::string, std::string>> traces;
  for (const std::string& path : paths) {
    auto listed = traces_at(path);
    if (const Failure* failed = failure(listed)) return *failed;
    for (const std::string& name : std::get<std::vector<std::string>>(listed)) {
      // A node that was killed as it began has left an empty file.
      std::error_code error;
      if (fs::file_size(name, error) == 0 && !error) continue;
      auto content = read_file(name, trace_bytes_max);
      if (const Failure* failed = failure(content)) return *failed;
      traces.emplace_back(name, std::get<std::string>(std::move(content)));
    }
  }
  return traces;
}

Result<invariants::History> read_history(const std::string& path) {
  auto content = read_file(path, trace_bytes_max);
  if (const Failure* failed = failure(content)) return *failed;
  auto history = reports::read_history_lines(std::get<std::string>(content));
  if (const auto* error = std::get_if<reports::HistoryLineError>(&history))
    return Failure{ExitCode::bad_data, path + ":" + std::to_string(error->line) + ": " + error->what};
  return std::get<invariants::History>(std::move(history));
}

ExitCode code_of(AuditVerdict verdict) {
  switch (verdict) {
    case AuditVerdict::holds: return ExitCode::holds;
    case AuditVerdict::violated: return ExitCode::violated;
    case AuditVerdict::inconclusive: return ExitCode::inconclusive;
    case AuditVerdict::differs: break;
  }
  return ExitCode::differs;
}

}  // namespace

int audit(const AuditOptions& options) {
  const auto traces = read_traces(options.paths);
  if (const Failure* failed = failure(traces)) return tell(*failed);
  std::optional<invariants::History> history;
  if (!options.history_file.empty()) {
    auto read = read_history(options.history_file);
    if (const Failure* failed = failure(read)) return tell(*failed);
    history = std::get<invariants::History>(std::move(read));
  }

  std::vector<invariants::AuditFile> files;
  for (const auto& [name, content] : std::get<0>(traces))
    files.push_back(invariants::AuditFile{name, std::as_bytes(std::span(content))});
  reports::CommittedCommands log;
  invariants::OnCommit on_commit;
  if (history) on_commit = [&](const raft::EntryView& entry) { log.add(entry); };
  auto audited = invariants::audit(files, on_commit);
  if (const auto* error = std::get_if<invariants::AuditError>(&audited)) {
    return tell(Failure{ExitCode::bad_data, error->file + ": damaged at byte " +
                                                std::to_string(error->offset) + ": " + error->what});
  }
  reports::AuditReport report;
  report.nodes = std::get<invariants::AuditResult>(std::move(audited));
  if (history) report.clients = reports::audit_clients(*history, log, report.nodes);

  if (options.json) {
    std::cout << reports::audit_json(report) << '\n';
  } else {
    std::cout << reports::audit_text(report, stdout_colour());
  }
  if (!flush_stdout()) return tell(Failure{ExitCode::io, "stdout: cannot be written"});
  return static_cast<int>(code_of(report.verdict()));
}

}  // namespace raftlab::tool
