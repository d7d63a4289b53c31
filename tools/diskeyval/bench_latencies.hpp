#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace raftlab::diskeyval {

/// Counts of latencies in buckets whose width is at most 1/128 of what is in them; memory does not grow. Least, greatest and
/// mean are exact. A percentile is the upper end of its bucket, so that it is never better than what was measured. One
/// thread.
class Latencies {
 public:
  /// A negative latency counts as 0.
  void add(std::chrono::nanoseconds latency);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// All of these are 0 when nothing was counted.
  [[nodiscard]] std::chrono::nanoseconds least() const;
  [[nodiscard]] std::chrono::nanoseconds mean() const;
  [[nodiscard]] std::chrono::nanoseconds greatest() const;
  /// At least `per_100000` / 100000 of all latencies are at most this: 50'000 is the median, 99'900 is p99.9. From 0 to 100'000.
  [[nodiscard]] std::chrono::nanoseconds percentile(std::uint32_t per_100000) const;

 private:
  static constexpr unsigned sub_bits = 7;  // 2^7 buckets between a power of two and the next
  static constexpr std::size_t buckets = (64U - sub_bits) << sub_bits;

  [[nodiscard]] static std::size_t bucket_of(std::uint64_t value);
  [[nodiscard]] static std::uint64_t greatest_in(std::size_t bucket);

  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t least_ = 0;
  std::uint64_t greatest_ = 0;
};

}  // namespace raftlab::diskeyval
