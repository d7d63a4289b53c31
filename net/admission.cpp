#include "net/admission.hpp"

#include <algorithm>

namespace raftlab::net {

std::optional<Admission::Id> Admission::enter(Id id, const std::string& address) {
  auto leaving = pending_.end();
  if (count(address) >= per_address_max_) {
    leaving = std::find_if(pending_.begin(), pending_.end(),
                           [&](const Pending& one) { return one.address == address; });
  } else if (pending_.size() >= total_max_) {
    // max_element returns the first of the greatest, and the oldest stand first.
    leaving = std::max_element(pending_.begin(), pending_.end(), [&](const Pending& a, const Pending& b) {
      return count(a.address) < count(b.address);
    });
  }
  std::optional<Id> evicted;
  if (leaving != pending_.end()) {
    evicted = leaving->id;
    pending_.erase(leaving);
  }
  pending_.push_back({id, address});
  return evicted;
}

void Admission::leave(Id id) {
  std::erase_if(pending_, [&](const Pending& one) { return one.id == id; });
}

std::size_t Admission::count(const std::string& address) const {
  return static_cast<std::size_t>(std::count_if(pending_.begin(), pending_.end(),
                                                [&](const Pending& one) { return one.address == address; }));
}

}  // namespace raftlab::net
