#pragma once

#include "raft/entry.hpp"

#include <cstddef>
#include <vector>

namespace raftlab::raft {

/// What a replica replicates. Deterministic: the same entries in the same order give the same state on every node. No function
/// throws. One thread.
class StateMachine {
 public:
  virtual ~StateMachine() = default;

  /// Called once for each committed entry in log order, no-ops and configurations included. A command that makes no
  /// sense to the state machine is its own to answer.
  virtual void apply(const EntryView& entry) = 0;

  // ---- Snapshots (§7, thesis §5.1): at most one at a time is being taken

  /// Begins a snapshot of the present state. It must not take longer the more there is; entries are applied while it is
  /// being written.
  virtual void begin_snapshot() = 0;
  /// Appends the next part of the snapshot to `out`: about `bytes`, and at least something unless it is complete. True when it
  /// is complete, and then over. The state machine may write at its own pace, but never more than a few times `bytes`, a single
  /// item apart.
  [[nodiscard]] virtual bool write_snapshot(std::size_t bytes, std::vector<std::byte>& out) = 0;
  /// The snapshot that was begun is not wanted any more.
  virtual void abandon_snapshot() = 0;

  /// Replaces the state by that of a snapshot, which all calls of `write_snapshot` together made, of the state behind the
  /// entry at `last`. False, and nothing has changed, when the bytes are none. Abandons a snapshot that is being taken.
  [[nodiscard]] virtual bool restore(Index last, Bytes snapshot) = 0;
};

}  // namespace raftlab::raft
