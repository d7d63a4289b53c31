#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace raftlab::net {

/// How long to wait before the next attempt: doubling from `first` to `longest`, of which the upper half is drawn, so that
/// nodes that lost each other at the same moment do not come back at the same moment.
class Backoff {
 public:
  using Duration = std::chrono::milliseconds;

  /// `random` gives any 64 bits.
  Backoff(Duration first, Duration longest, std::function<std::uint64_t()> random)
      : first_(first), longest_(longest), random_(std::move(random)) {}

  /// Between half of what it is the turn of, and all of it.
  [[nodiscard]] Duration next();
  void reset() { turn_ = Duration::zero(); }

 private:
  Duration first_;
  Duration longest_;
  std::function<std::uint64_t()> random_;
  Duration turn_{};
};

}  // namespace raftlab::net
