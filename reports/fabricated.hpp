#pragma once

#include "reports/campaign.hpp"

/// Results that no run has given, for the tests of the reports.
namespace raftlab::reports {

inline SeedReport holding(std::uint64_t seed) {
  SeedReport report;
  report.seed = seed;
  report.cpu_ns = 123'456'789;
  report.profile.nodes = 3;
  report.profile.rate(simulator::Fault::message_loss) = 1000;
  report.profile.rate(simulator::Fault::pause) = 1000;
  simulator::RunResult& result = report.result;
  result.digest = 0xabcdef;
  result.steps = 41'180;
  result.virtual_ns = 21'500'000'000;
  result.messages_sent = 30'000;
  result.messages_delivered = 29'000;
  result.committed = 812;
  result.elections = 7;
  result.fired[static_cast<std::size_t>(simulator::Fault::message_loss)] = 31;
  result.operations_ok = 800;
  result.operations_failed = 12;
  result.operations_unknown = 5;
  result.operations_offered = 817;
  result.evaluations.assign(invariants::rung_count, 2);
  return report;
}

inline SeedReport violated(std::uint64_t seed) {
  using invariants::Finding;
  using invariants::Rung;
  SeedReport report = holding(seed);
  report.result.verdict = simulator::Verdict::violated;
  report.result.findings = {
      Finding{Rung::E2, 41'207, 12'804'000'000, raft::NodeId(2), "n2 voted n1 in term 7, then n3 in term 7"},
      Finding{Rung::N18, 41'180, 12'771'000'000, raft::NodeId(2),
              "n2 granted its vote of term 7 to n1 before write 212 was durable"},
      Finding{Rung::G1, 41'219, 12'810'000'000, raft::NodeId(3), "n1 and n3 lead term 7"},
  };
  return report;
}

inline SeedReport inconclusive(std::uint64_t seed) {
  SeedReport report = holding(seed);
  report.result.verdict = simulator::Verdict::inconclusive;
  report.result.reason = "nothing was committed";
  report.result.committed = 0;
  return report;
}

}  // namespace raftlab::reports
