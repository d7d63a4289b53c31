#pragma once

#include "raft/core.hpp"

namespace raftlab::raft {

/// What one step gathers before its flush. Internal to the core's own files.
struct Core::Turn {
  explicit Turn(Output& output) : out(output) {}

  Output& out;

  // Since the last delta.
  Index truncated_from;
  Index appended_from;
  std::optional<Index> commit_configuration;

  // Until the flush.
  Index write_truncate_from;
  bool heartbeat_due = false;
};

}  // namespace raftlab::raft
