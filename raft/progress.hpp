#pragma once

#include "raft/types.hpp"

#include <cstdint>
#include <vector>

namespace raftlab::raft {

/// How a leader sends to a peer.
enum class ProgressState : std::uint8_t {
  probe,      ///< looks for the point where the logs agree, one append at a time
  replicate,  ///< streams appends, bounded by the window
  snapshot,   ///< waits for a snapshot to be installed
};

[[nodiscard]] const char* name(ProgressState state);

/// Appends that were sent and not yet acknowledged, oldest first.
class Window {
 public:
  struct Flight {
    Index last;  ///< last index that the append carries
    std::uint32_t bytes;
    friend bool operator==(const Flight&, const Flight&) = default;
  };

  void add(Index last, std::uint32_t bytes) {
    flights_.push_back(Flight{last, bytes});
    bytes_ += bytes;
  }
  /// Forgets what an acknowledgement up to `match` covers.
  void acknowledge(Index match);
  void clear() {
    flights_.clear();
    bytes_ = 0;
  }

  [[nodiscard]] std::size_t messages() const { return flights_.size(); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] const std::vector<Flight>& flights() const { return flights_; }
  friend bool operator==(const Window&, const Window&) = default;

 private:
  std::vector<Flight> flights_;
  std::uint64_t bytes_ = 0;
};

/// What a leader knows of one member (Figure 2, "volatile state on leaders"), itself included.
/// Invariant: 0 <= match < next <= last + 1.
struct Progress {
  NodeId id;
  ProgressState state = ProgressState::probe;
  Index match;  ///< greatest index known to be on the peer's stable storage
  Index next;   ///< index of the next entry to send
  /// In probe: an append is out; in snapshot: a chunk is. Wait for its answer or the next heartbeat's.
  bool probe_outstanding = false;
  bool recently_active = false;       ///< heard from since the last check of the quorum (thesis §6.2)
  ReadSeq read;                       ///< latest read round that it answered
  Window window;                      ///< in replicate: appends in flight
  LogId snapshot;                     ///< in snapshot: what is being sent
  std::uint64_t snapshot_offset = 0;  ///< in snapshot: bytes of it that the peer has

  void become_probe(Index next_index);
  void become_replicate();
  /// Sends this snapshot from its beginning.
  void become_snapshot(LogId last);
  friend bool operator==(const Progress&, const Progress&) = default;
};

[[nodiscard]] std::uint64_t hash(const Progress& peer);

}  // namespace raftlab::raft
