#pragma once

#include "tools/diskeyval/bench_latencies.hpp"
#include "tools/diskeyval/bench_options.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

/// What `diskeyval bench` has measured, and how it is shown. docs/diskeyval.md describes both forms.
namespace raftlab::diskeyval {

struct BenchSide {
  Latencies latencies;       ///< of operations that were done, and of no others
  std::uint64_t errors = 0;  ///< operations that were refused, or that nobody answered
};

struct BenchResult {
  BenchSide writes;
  BenchSide reads;
  std::map<std::string, std::uint64_t> errors_by_kind;  ///< "503 overloaded", "timed out"; of both sides
  std::chrono::nanoseconds measured{0};                 ///< how long operations began that are counted

  [[nodiscard]] std::uint64_t operations() const {
    return writes.latencies.count() + reads.latencies.count();
  }
  [[nodiscard]] std::uint64_t errors() const { return writes.errors + reads.errors; }
};

/// At most 100 columns, ends in a line feed.
[[nodiscard]] std::string bench_text(const BenchOptions& options, const BenchResult& result);
/// One object on one line, ends in a line feed.
[[nodiscard]] std::string bench_json(const BenchOptions& options, const BenchResult& result);

/// `unavailable` when nothing succeeded.
[[nodiscard]] std::optional<Failure> objection_to(const BenchResult& result);

}  // namespace raftlab::diskeyval
