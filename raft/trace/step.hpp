#pragma once

#include "raft/core.hpp"

#include <span>

namespace raftlab::raft::trace {

/// What one step of a core did, as data: valid while the observer runs.
struct Step {
  NodeId node;
  std::span<const Input> inputs;
  const Output& output;  ///< with deltas, when the observer asked for them
  View view;             ///< after the step
};

/// Hears of each step of a core, directly after it: the write has been handed to the log storage, nothing has been applied yet. Two kinds exist: the simulator's, and the recorder of a real node.
class StepObserver {
 public:
  virtual ~StepObserver() = default;
  [[nodiscard]] virtual bool wants_deltas() const = 0;
  virtual void stepped(const Step& step) = 0;
};

}  // namespace raftlab::raft::trace
