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

/// Hears of each step of a core. Two kinds exist: the simulator's, and the recorder of a real node.
class StepObserver {
 public:
  virtual ~StepObserver() = default;
  [[nodiscard]] virtual bool wants_deltas() const = 0;
  /// Directly before the step, with the core as it is and the inputs that it will take. What is written down here
  /// is there whatever the step does: a process that dies in it leaves no output that nothing explains.
  virtual void stepping(const Core& /*core*/, std::span<const Input> /*inputs*/) {}
  /// Directly after it: the write has been handed to the log storage, nothing has been applied yet.
  virtual void stepped(const Step& step) = 0;
};

}  // namespace raftlab::raft::trace
