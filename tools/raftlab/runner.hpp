#pragma once

#include "reports/campaign.hpp"
#include "tools/raftlab/arguments.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

/// Runs seeds on several threads; each seed runs entirely in one of them. What comes out does not depend on how many there
/// are.
namespace raftlab::tool {

struct RunnerOptions {
  unsigned jobs = 1;
  /// False: the campaign ends with the lowest violated seed, and everything below it is run.
  bool keep_going = false;
  /// No seed is started after this; at least one is run.
  std::optional<std::chrono::nanoseconds> time_budget;
  /// When it becomes true no seed is started, and those under way are given up.
  const std::atomic<bool>* stop = nullptr;
};

struct RunnerCalls {
  /// Runs one seed, in a thread of the runner. When the flag becomes true the result is not wanted any more.
  std::function<reports::SeedReport(std::uint64_t seed, const std::atomic<bool>& stop)> run;
  /// Takes the reports in the order of the seeds, in the thread of the caller.
  std::function<void(const reports::SeedReport&)> emit;
  /// Called several times a second, in the thread of the caller. May be empty.
  std::function<void()> tick;
};

/// The exception that left `run`, with its seed; none when all went well. It ends the campaign with its seed
/// as a violation does, also with `keep_going`: everything below is run, and the lowest seed counts.
[[nodiscard]] std::optional<std::string> run_seeds(SeedSequence seeds, const RunnerOptions& options,
                                                   const RunnerCalls& calls);

}  // namespace raftlab::tool
