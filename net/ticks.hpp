#pragma once

#include <chrono>
#include <cstdint>

namespace raftlab::net {

/// Time as a core counts it. The clock runs on while the process or the machine sleeps: leases rest on that
/// (`raft::Options::lease_drift_ppm`).
class Ticks {
 public:
  using Time = std::chrono::nanoseconds;  ///< since the machine started

  /// More than this at once tells a core nothing new: every deadline has passed long before.
  static constexpr std::uint32_t at_once_max = 10'000;

  /// `length` is above 0.
  Ticks(Time length, Time now) : length_(length), taken_until_(now) {}

  /// The whole ticks that have passed since the last call, `at_once_max` at most. Time that goes backwards is no time.
  [[nodiscard]] std::uint32_t take(Time now);
  /// When the next tick is due.
  [[nodiscard]] Time next() const { return taken_until_ + length_; }

 private:
  Time length_;
  Time taken_until_;
};

/// CLOCK_BOOTTIME.
[[nodiscard]] Ticks::Time time_since_boot();

}  // namespace raftlab::net
