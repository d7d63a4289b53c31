#pragma once

#include "raft/entry.hpp"

namespace raftlab::raft {

/// What a replica replicates. Deterministic: the same entries in the same order give the same state on every node.
class StateMachine {
 public:
  virtual ~StateMachine() = default;

  /// Called once for each committed entry in log order, no-ops and configurations included. A command that makes no
  /// sense to the state machine is its own to answer; it must not throw.
  virtual void apply(const EntryView& entry) = 0;
};

}  // namespace raftlab::raft
