#pragma once

#include "raft/core.hpp"
#include "raft/replica/state_machine.hpp"
#include "raft/snapshot/files.hpp"
#include "raft/trace/step.hpp"
#include "raft/wal/wal.hpp"

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace raftlab::raft {

/// When a snapshot is taken, and in which portions. Whichever bound is reached first counts.
struct SnapshotOptions {
  std::uint64_t entries = 100'000;        ///< applied behind the present snapshot; 0: no bound
  std::uint64_t bytes = 64U << 20U;       ///< payload of those entries; 0: no bound
  std::size_t part_bytes = 256U << 10U;   ///< written in one step, about
  std::size_t chunk_bytes = 256U << 10U;  ///< sent in one message
};

struct ReplicaOptions {
  Options core;
  wal::Identity identity;
  wal::WalOptions wal;
  SnapshotOptions snapshot;
};

/// What one step of a replica leaves to its host. Owned by the host and reused.
struct ReplicaOutput {
  std::vector<Envelope> messages;          ///< to send now
  std::vector<Accepted> accepted;          ///< proposals in the log of this leader, not yet committed
  std::vector<Rejected> rejected;          ///< requests that left no trace
  std::vector<ReadReady> reads;            ///< the state machine may answer these reads now
  std::vector<std::uint64_t> transferred;  ///< as in `Output`
  std::optional<Index> lost_from;          ///< as in `Output`
  std::optional<RoleChange> role;
  std::optional<Fault> fault;
  Index applied;  ///< the state machine has applied everything up to here
  std::optional<Index>
      restored;  ///< it was restored from a snapshot up to here, and did not see the entries before

  void clear();
};

/// The two directories of a node. Apart, so that a snapshot does not hold up the log, and an error that concerns only a
/// snapshot is one that the node survives. May be on the same file system.
struct Disks {
  wal::Disk* log = nullptr;
  wal::Disk* snapshots = nullptr;
};

/// A node of a replicated state machine: core, log on disk, snapshots and state machine, wired. A step machine like the core:
/// the host hands over what happened, calls `step`, and carries away messages and answers; changes of files go to the
/// disks at once, and the host brings back what became of them. One thread. The disks and the state machine must
/// outlive the replica.
class Replica {
 public:
  /// Reads the log and restores the state machine from the newest snapshot that the log goes on from. `when_empty`: what a
  /// node starts from whose directory holds no log yet. A snapshot that is damaged is passed over when the log still holds
  /// everything behind an older one, or behind none.
  [[nodiscard]] static std::variant<Replica, wal::Refusal> open(const ReplicaOptions& options,
                                                                const Disks& disks, StateMachine& machine,
                                                                const std::optional<Recovered>& when_empty);

  // What happened since the last step, in the order in which the calls are made.
  void tick();
  void receive(Envelope&& envelope);
  void complete(const wal::DiskCompletion& completion);            ///< of the log's disk
  void complete_snapshots(const wal::DiskCompletion& completion);  ///< of the snapshots' disk
  void propose(std::uint64_t tag, Bytes command);
  void reconfigure(std::uint64_t tag, const Configuration& target, bool force);
  void transfer(std::uint64_t tag, NodeId target);
  /// A linearizable read, at the leader or at who follows one: `ReplicaOutput::reads` tells when the state machine is recent
  /// enough. For leases, the ticks that a process has missed must be handed over before any request.
  void read_barrier(std::uint64_t tag, ReadMode mode = ReadMode::read_index);
  void campaign();
  void unreachable(NodeId peer);
  /// Takes a snapshot with the next step, whatever the bounds say, if there is something new and none is being taken.
  void take_snapshot() { snapshot_wanted_ = true; }
  /// The state machine has not written all of the snapshot that is being taken: further steps will.
  [[nodiscard]] bool writes_snapshot() const { return writing_; }

  /// Handles what happened. Clears `out` first. The observer may be null.
  void step(ReplicaOutput& out, trace::StepObserver* observer = nullptr);

  [[nodiscard]] View view() const { return core_.view(); }
  [[nodiscard]] const Core& core() const { return core_; }
  [[nodiscard]] const wal::Wal& wal() const { return wal_; }
  [[nodiscard]] const snapshot::Files& snapshots() const { return snapshots_; }
  /// What the log on disk held at the start.
  [[nodiscard]] const Recovered& recovered() const { return recovered_; }
  [[nodiscard]] bool torn_tail() const { return torn_tail_; }

 private:
  Replica(const ReplicaOptions& options, Core core, wal::Wal::Opened opened, snapshot::Files snapshots,
          StateMachine& machine);
  void carry_out(ReplicaOutput& out);
  void restore(LogId last, ReplicaOutput& out);
  void transfer_chunks(ReplicaOutput& out);
  void advance_snapshot();
  void begin_snapshot();
  void note_snapshot_events();
  void remove_old_snapshots();

  Core core_;
  wal::Wal wal_;
  snapshot::Files snapshots_;
  StateMachine* machine_;
  SnapshotOptions snapshot_options_;
  std::uint64_t cluster_;
  Recovered recovered_;
  bool torn_tail_ = false;
  NodeId id_;
  std::vector<Input> inbox_;
  bool again_ = false;  // the inbox holds what the core should hear in this step
  Output core_out_;

  // Snapshots.
  Index applied_;
  std::uint64_t applied_entries_ = 0;  // since the present snapshot, or the last attempt
  std::uint64_t applied_bytes_ = 0;
  bool snapshot_wanted_ = false;
  bool writing_ = false;  // the state machine has not written all of the snapshot that is being taken
  std::vector<std::byte> part_;
  std::vector<LogId> kept_;      // that may have a file
  bool swept_ = false;           // what an earlier life left behind was asked to go
  WriteSeq checkpoint_{1};       // of the last write that restated the log
  WriteSeq checkpoint_written_;  // the log storage is through up to here
};

}  // namespace raftlab::raft
