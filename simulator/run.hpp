#pragma once

#include "invariants/ladder.hpp"
#include "simulator/chooser.hpp"
#include "simulator/cluster.hpp"
#include "simulator/faults.hpp"
#include "simulator/incident.hpp"
#include "simulator/marks.hpp"
#include "simulator/profile.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace raftlab::simulator {

enum class Verdict : std::uint8_t { holds, violated, inconclusive };
[[nodiscard]] const char* name(Verdict verdict);

/// What became of one seed.
struct RunResult {
  Verdict verdict = Verdict::holds;
  std::string reason;                         ///< of an inconclusive verdict
  std::vector<invariants::Finding> findings;  ///< in order of occurrence; the root is the lowest rung
  std::uint64_t digest = 0;
  std::uint64_t steps = 0;
  Time virtual_ns = 0;
  std::uint64_t messages_sent = 0;
  std::uint64_t messages_delivered = 0;
  std::uint64_t committed = 0;  ///< entries
  std::uint64_t elections = 0;
  FaultCounts fired{};
  std::uint64_t operations_ok = 0;
  std::uint64_t operations_failed = 0;  ///< refused for certain
  std::uint64_t operations_unknown = 0;
  std::uint64_t operations_offered = 0;
  std::uint64_t latency_ns_median = 0;     ///< of the ok operations, from first invocation to answer
  std::vector<std::uint64_t> evaluations;  ///< non-vacuous, by rung; empty with checks off
  MarkCounts marks{};                      ///< how often each fired; all 0 with checks off
};

/// The finding to report first: that of the lowest rung. None when nothing was found.
[[nodiscard]] const invariants::Finding* root(const RunResult& result);

struct RunOptions {
  bool checks = true;
  const std::atomic<bool>* stop =
      nullptr;  ///< when it becomes true the run ends after the present step, inconclusive
  /// Called after each step of a core. Returning false ends the run there.
  std::function<bool(const StepRecord&, const raft::trace::Step&)> on_step;
  /// Called for whatever happens to the cluster between its steps. Changes nothing.
  std::function<void(const Incident&)> on_incident;
};

/// Drives the cluster of a profile through its fault phase and its healing phase. Everything that is not determined by the
/// profile and the code is asked of the chooser.
[[nodiscard]] RunResult run(const Profile& profile, Chooser& chooser, const RunOptions& options);

}  // namespace raftlab::simulator
