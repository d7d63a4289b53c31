#include "net/ticks.hpp"

#include <ctime>

namespace raftlab::net {

std::uint32_t Ticks::take(Time now) {
  if (now < next()) return 0;
  const auto passed = static_cast<std::uint64_t>((now - taken_until_) / length_);
  if (passed > at_once_max) {
    taken_until_ = now;
    return at_once_max;
  }
  taken_until_ += length_ * static_cast<Time::rep>(passed);
  return static_cast<std::uint32_t>(passed);
}

Ticks::Time time_since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace raftlab::net
