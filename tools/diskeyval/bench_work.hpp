#pragma once

#include "tools/diskeyval/bench_options.hpp"
#include "tools/diskeyval/bench_result.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace raftlab::diskeyval {

struct BenchOperation {
  enum class Kind : std::uint8_t { fill, write, read };
  Kind kind = Kind::write;
  std::uint64_t key = 0;   ///< the number of the key, or of the first one
  std::uint64_t keys = 1;  ///< more only with `fill`: one request that writes them all
  std::chrono::steady_clock::time_point began;
};

/// What the clients do next, and what came of it: the keys are written first if there will be reads, then the warm-up begins,
/// then what counts. An operation counts when it *began* in the time that is measured, whenever it ends, so that a cluster
/// that falls asleep before the end is not measured without that. No I/O, and no clock: the time is passed in. One thread.
class BenchWork {
 public:
  using Time = std::chrono::steady_clock::time_point;

  BenchWork(const BenchOptions& options, Time now);

  /// None: it is over for this client.
  [[nodiscard]] std::optional<BenchOperation> next(Time now);
  /// Once for each operation; `error` is "" for one that was done.
  void finished(const BenchOperation& operation, Time now, const std::string& error);

  /// No operation begins any more.
  void end(Time now);
  /// When that happens by itself; none while the keys are being written.
  [[nodiscard]] std::optional<Time> ends() const { return ends_; }
  /// Why the keys could not be written; none: they were, or it goes on.
  [[nodiscard]] const std::optional<Failure>& failed() const { return failed_; }

  /// For when all operations have finished.
  [[nodiscard]] BenchResult result() const;

 private:
  void begin_warm_up(Time now);
  [[nodiscard]] std::uint64_t draw(std::uint64_t below);

  const BenchOptions& options_;
  std::deque<BenchOperation> fill_;  // what is not written yet and not under way
  std::uint64_t fill_under_way_ = 0;
  Time fill_progressed_;
  std::optional<Time> counts_from_;
  std::optional<Time> ends_;
  std::optional<Failure> failed_;
  std::uint64_t drawn_ = 0;
  BenchResult result_;
};

}  // namespace raftlab::diskeyval
