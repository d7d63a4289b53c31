#pragma once

#include "raft/core.hpp"
#include "raft/replica/state_machine.hpp"
#include "raft/trace/step.hpp"
#include "raft/wal/wal.hpp"

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace raftlab::raft {

struct ReplicaOptions {
  Options core;
  wal::Identity identity;
  wal::WalOptions wal;
};

/// What one step of a replica leaves to its host. Owned by the host and reused.
struct ReplicaOutput {
  std::vector<Envelope> messages;  ///< to send now
  std::vector<Accepted> accepted;  ///< proposals in the log of this leader, not yet committed
  std::vector<Rejected> rejected;  ///< requests that left no trace
  std::vector<ReadReady> reads;    ///< the state machine may answer these reads now
  std::optional<Index> lost_from;  ///< as in `Output`
  std::optional<RoleChange> role;
  std::optional<Fault> fault;
  Index applied;  ///< the state machine has applied everything up to here

  void clear();
};

/// A node of a replicated state machine: core, log on disk and state machine, wired. A step machine like the core:
/// the host hands over what happened, calls `step`, and carries away messages and answers; changes of files go to the
/// `Disk` at once, and the host brings back what became of them. One thread. The disk and the state machine must
/// outlive the replica.
class Replica {
 public:
  /// Reads the log from the disk. `when_empty`: what a node starts from whose directory holds no log yet.
  [[nodiscard]] static std::variant<Replica, wal::Refusal> open(const ReplicaOptions& options,
                                                                wal::Disk& disk, StateMachine& machine,
                                                                const std::optional<Recovered>& when_empty);

  // What happened since the last step, in the order in which the calls are made.
  void tick();
  void receive(Envelope&& envelope);
  void complete(const wal::DiskCompletion& completion);
  void propose(std::uint64_t tag, Bytes command);
  /// A linearizable read: `ReplicaOutput::reads` tells when the state machine is recent enough.
  void read_barrier(std::uint64_t tag);
  void campaign();
  void unreachable(NodeId peer);

  /// Handles what happened. Clears `out` first. The observer may be null.
  void step(ReplicaOutput& out, trace::StepObserver* observer = nullptr);

  [[nodiscard]] View view() const { return core_.view(); }
  [[nodiscard]] const Core& core() const { return core_; }
  [[nodiscard]] const wal::Wal& wal() const { return wal_; }
  /// What the log on disk held at the start.
  [[nodiscard]] const Recovered& recovered() const { return recovered_; }
  [[nodiscard]] bool torn_tail() const { return torn_tail_; }

 private:
  Replica(Core core, wal::Wal::Opened opened, StateMachine& machine);
  void carry_out(ReplicaOutput& out);

  Core core_;
  wal::Wal wal_;
  StateMachine* machine_;
  Recovered recovered_;
  bool torn_tail_ = false;
  NodeId id_;
  std::vector<Input> inbox_;
  Output core_out_;
};

}  // namespace raftlab::raft
