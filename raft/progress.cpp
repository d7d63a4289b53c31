#include "raft/progress.hpp"

#include <algorithm>

namespace raftlab::raft {

const char* name(ProgressState state) {
  switch (state) {
    case ProgressState::probe: return "probe";
    case ProgressState::replicate: return "replicate";
    case ProgressState::snapshot: return "snapshot";
  }
  return "?";
}

void Window::acknowledge(Index match) {
  std::size_t covered = 0;
  while (covered < flights_.size() && flights_[covered].last <= match) bytes_ -= flights_[covered++].bytes;
  flights_.erase(flights_.begin(), flights_.begin() + static_cast<std::ptrdiff_t>(covered));
}

void Progress::become_probe(Index next_index) {
  state = ProgressState::probe;
  next = std::max(match.next(), next_index);
  probe_outstanding = false;
  window.clear();
}

void Progress::become_snapshot(LogId last) {
  state = ProgressState::snapshot;
  next = last.index.next();
  probe_outstanding = false;
  window.clear();
  snapshot = last;
  snapshot_offset = 0;
}

void Progress::become_replicate() {
  state = ProgressState::replicate;
  next = std::max(next, match.next());
  probe_outstanding = false;
  window.clear();
}

}  // namespace raftlab::raft
