#include "net/link_event.hpp"

#include "net/counters.hpp"
#include "net/escape.hpp"

#include <utility>

namespace raftlab::net {

const char* name(Drop drop) {
  switch (drop) {
    case Drop::no_peer: return "no_peer";
    case Drop::link_down: return "link_down";
    case Drop::queue_full: return "queue_full";
    case Drop::link_broken: return "link_broken";
  }
  return "?";
}

void LinkEvents::tell(Time now, raft::NodeId peer, std::string_view remote, Reason reason,
                      std::string_view detail) {
  Last& last = last_[static_cast<std::size_t>(reason)];
  if (last.told && now - *last.told < std::chrono::seconds(1)) {
    ++last.suppressed;
    ++suppressed_;
    return;
  }
  last.told = now;
  const std::uint64_t suppressed = std::exchange(last.suppressed, 0);
  if (observer_) observer_(LinkEvent{peer, escaped(remote), reason, escaped(detail), suppressed});
}

}  // namespace raftlab::net
