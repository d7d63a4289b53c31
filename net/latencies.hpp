#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace raftlab::net {

/// How long things took: how many, their sum, and how many of them were not longer than each of some bounds. A regular value.
class LatencyHistogram {
 public:
  using Duration = std::chrono::nanoseconds;

  static constexpr std::array<Duration, 16> bounds = {
      std::chrono::microseconds(100), std::chrono::microseconds(250),  std::chrono::microseconds(500),
      std::chrono::milliseconds(1),   std::chrono::microseconds(2500), std::chrono::milliseconds(5),
      std::chrono::milliseconds(10),  std::chrono::milliseconds(25),   std::chrono::milliseconds(50),
      std::chrono::milliseconds(100), std::chrono::milliseconds(250),  std::chrono::milliseconds(500),
      std::chrono::seconds(1),        std::chrono::milliseconds(2500), std::chrono::seconds(5),
      std::chrono::seconds(10)};

  void note(Duration took) {
    std::size_t bucket = 0;
    while (bucket < bounds.size() && took > bounds[bucket]) ++bucket;
    ++counts_[bucket];
    ++count_;
    sum_ += took;
  }

  /// Those that were longer than the bound before, and not longer than this one; at the end those beyond all bounds.
  [[nodiscard]] const std::array<std::uint64_t, bounds.size() + 1>& counts() const { return counts_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] Duration sum() const { return sum_; }

 private:
  std::array<std::uint64_t, bounds.size() + 1> counts_{};
  std::uint64_t count_ = 0;
  Duration sum_{0};
};

/// Of a node, since it was started.
struct Latencies {
  LatencyHistogram reads;   ///< requests that were answered, whatever the answer
  LatencyHistogram writes;  ///< likewise
  /// From the step that gives a write to the log storage to the one that hears that it is on stable storage.
  LatencyHistogram log_writes;
};

}  // namespace raftlab::net
