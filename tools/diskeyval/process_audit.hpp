#pragma once

#include "invariants/audit.hpp"
#include "reports/audit_report.hpp"
#include "reports/history_lines.hpp"
#include "tools/diskeyval/process_cluster.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// What real processes did, judged by the same ladder as a simulated run.
///
/// DISKEYVAL_TRACES=DIR: where the traces and the history of each test are kept, for
/// `raftlab audit DIR/<test>/traces --history DIR/<test>/history`.
namespace raftlab::diskeyval::test {

[[nodiscard]] inline std::vector<std::pair<std::string, std::string>> read_traces(const fs::path& directory) {
  std::vector<std::pair<std::string, std::string>> traces;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    std::ifstream in(entry.path(), std::ios::binary);
    traces.emplace_back(entry.path().filename().string(),
                        std::string{std::istreambuf_iterator<char>(in), {}});
  }
  return traces;
}

inline void keep(const ProcessCluster& cluster, const invariants::History& history) {
  const char* where = std::getenv("DISKEYVAL_TRACES");
  if (where == nullptr) return;
  const fs::path directory = fs::path(where) / testing::UnitTest::GetInstance()->current_test_info()->name();
  fs::create_directories(directory);
  fs::copy(cluster.traces(), directory / "traces", fs::copy_options::recursive);
  std::ofstream(directory / "history") << reports::history_lines(history);
}

/// Kills the nodes that still run, and judges what they and their clients wrote down.
[[nodiscard]] inline reports::AuditReport audited(ProcessCluster& cluster,
                                                  const invariants::History& history) {
  cluster.kill_all();
  keep(cluster, history);
  const auto traces = read_traces(cluster.traces());
  std::vector<invariants::AuditFile> files;
  files.reserve(traces.size());
  for (const auto& [name, content] : traces)
    files.push_back(invariants::AuditFile{name, std::as_bytes(std::span(content))});
  reports::CommittedCommands log;
  auto result = invariants::audit(files, [&](const raft::EntryView& entry) { log.add(entry); });
  reports::AuditReport report;
  if (const auto* error = std::get_if<invariants::AuditError>(&result)) {
    ADD_FAILURE() << error->file << " at byte " << error->offset << ": " << error->what;
    report.nodes.verdict = invariants::AuditVerdict::inconclusive;
    return report;
  }
  report.nodes = std::get<invariants::AuditResult>(std::move(result));
  report.clients = reports::audit_clients(history, log, report.nodes);
  return report;
}

/// Every life of every node has left its trace; every rung that can be judged holds, and so does the clients' history, of so many
/// operations at least, about half of them writes.
inline void expect_audited(ProcessCluster& cluster, const invariants::History& history,
                           std::size_t operations) {
  using invariants::Rung;
  EXPECT_GE(history.entries.size(), operations);
  const reports::AuditReport report = audited(cluster, history);
  EXPECT_EQ(report.verdict(), invariants::AuditVerdict::holds)
      << reports::audit_text(report, reports::Colour::off);
  EXPECT_EQ(report.nodes.lives.size(), cluster.lives());
  EXPECT_GE(report.nodes.committed.value(), operations / 4);
  for (const Rung rung : {Rung::G1, Rung::G3, Rung::G4, Rung::G5, Rung::G6, Rung::G10, Rung::E1, Rung::E2,
                          Rung::E3, Rung::E4, Rung::E5, Rung::E6, Rung::E7, Rung::E8, Rung::D20})
    EXPECT_GT(report.evaluated(rung).value_or(0), 0U) << invariants::info(rung).id;
}

}  // namespace raftlab::diskeyval::test
