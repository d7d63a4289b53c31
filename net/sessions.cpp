#include "net/sessions.hpp"

namespace raftlab::net {

std::optional<Sessions::Lease> Sessions::take() {
  if (free_.empty()) return std::nullopt;
  const Lease lease = free_.back();
  free_.pop_back();
  return lease;
}

bool Sessions::begin_opening() {
  if (open_ == most_) return false;
  ++open_;
  return true;
}

}  // namespace raftlab::net
