#include "net/backoff.hpp"

#include <algorithm>

namespace raftlab::net {

Backoff::Duration Backoff::next() {
  turn_ = turn_ == Duration::zero() ? first_ : std::min(turn_ * 2, longest_);
  const auto half = turn_ / 2;
  const auto span = static_cast<std::uint64_t>((turn_ - half).count()) + 1;
  return half + Duration(static_cast<Duration::rep>(random_() % span));
}

}  // namespace raftlab::net
