#pragma once

#include "kv/command.hpp"
#include "kv/store.hpp"
#include "raft/replica/replica.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace raftlab::kv {

enum class ReadPolicy : std::uint8_t {
  stale,       ///< whatever this node has applied
  read_index,  ///< linearizable: confirmed by a quorum (thesis §6.4); a follower asks its leader
  lease,  ///< linearizable while clocks keep to `raft::Options::lease_drift_ppm` (§6.4.1); else as read_index
};

struct GetKeys {
  std::vector<std::string> keys;     ///< read together, at one applied index; 1 to `batch_entries_max`
  std::optional<ReadPolicy> policy;  ///< none: the service's default at the time of the request
};

/// What a client asks. `tag` is chosen by the host and comes back with the answer; the service does not
/// interpret it.
struct Request {
  std::uint64_t tag = 0;
  std::uint32_t deadline_ticks = 100;  ///< from now, at least 1; then the answer is `timed_out`
  std::variant<Command, GetKeys> what;
};

/// What is known of one attempt. "Nothing was done" and "not applied" speak of this attempt only: an earlier
/// one of the same command, of which nothing is known, stays unknown.
enum class Status : std::uint8_t {
  ok,
  compare_failed,   ///< the compare-and-swap was carried out, and found something else
  session_expired,  ///< not applied now; whether an earlier attempt was, is not known any more
  not_leader,       ///< nothing was done; `leader` tells where to ask, if known
  /// Nothing was done: a leader that cannot serve reads yet or is handing over, a proposal that was
  /// overwritten, a fault.
  not_ready,
  overloaded,   ///< nothing was done
  bad_request,  ///< nothing was done; `error` tells why
  /// Proposed here, and then this node failed, or continued from a snapshot that does not show what became
  /// of it: it may have taken effect, or may yet. Retry with the same sequence.
  unknown,
  timed_out,  ///< as `unknown`, because of the deadline. For reads: nothing was done; or the leader did not answer
};
[[nodiscard]] const char* name(Status status);

struct Answer {
  std::uint64_t tag = 0;
  Status status = Status::ok;
  bool duplicate = false;            ///< a retry of a command that had taken effect before
  std::optional<std::string> found;  ///< compare_failed: what the key held; none: it did not exist
  std::vector<std::optional<std::string>> values;  ///< of a read, in the order of the keys
  raft::Index
      index;  ///< where the command was applied (a duplicate: the first time), or the applied index of a read
  ClientId client;      ///< of an `OpenSession`
  raft::NodeId leader;  ///< not_leader: of the present term, if known
  CommandError error = CommandError::none;
};

/// Hears of every command that is applied at this node, in log order, as part of the step that applies it; again when the log
/// is applied anew after a restart.
class ApplyObserver {
 public:
  virtual ~ApplyObserver() = default;
  /// The command is valid during the call only.
  virtual void applied(raft::Index index, const CommandView& command, const Result& result) = 0;
  /// The store continues from a snapshot of the state at this index, and nothing is told of the commands before.
  virtual void restored(raft::Index index) = 0;
};

struct ServiceOptions {
  raft::ReplicaOptions replica;
  StoreOptions store;
  ReadPolicy read_policy = ReadPolicy::read_index;
  std::uint32_t requests_max = 4096;  ///< waiting at once; beyond: `overloaded`
  ApplyObserver* observer = nullptr;  ///< must outlive the service; may be none
};

/// What became of `Service::reconfigure` or `Service::transfer`.
struct ChangeAnswer {
  enum class Outcome : std::uint8_t {
    accepted,  ///< the change stands in the leader's log and has begun to take effect; it may yet be overwritten
    rejected,     ///< nothing was done; `reason` tells why
    transferred,  ///< this node leads no more
  };
  std::uint32_t tag = 0;
  Outcome outcome = Outcome::rejected;
  raft::Rejection reason = raft::Rejection::not_leader;
  raft::NodeId leader;  ///< of a rejection: of the present term, if known
  raft::Index index;    ///< of an acceptance
};

/// Owned by the host and reused.
struct ServiceOutput {
  std::vector<raft::Envelope> messages;
  std::vector<Answer> answers;
  std::vector<ChangeAnswer> changes;
  std::optional<raft::RoleChange> role;
  std::optional<raft::Fault> fault;

  void clear();
};

/// The key/value service of one node: what clients may ask, on top of a replica, in terms of completions. A
/// step machine like the replica: the host says what happened and calls `step`. One thread. Every request is
/// answered exactly once, by the step after the tick of its deadline at the latest. After a fault, everything
/// is answered in the step of the fault or the next one: `unknown` if it had been proposed before, otherwise
/// `not_ready`.
///
/// A proposal in the log of this node waits until its outcome is known or the deadline has passed. It is
/// known when the entry is applied here; and when an entry of a later term is applied here before it, for
/// then no log that holds what is committed can hold the proposal (§5.3, §5.4.1): it is lost, and the answer
/// is that nothing was done. The loss of leadership alone tells nothing, as others may still commit what was
/// overwritten here. When a snapshot of another node takes the place of the entries around the proposal, its
/// session proves that it took effect if that was its last command; otherwise the outcome is `unknown`.
class Service {
 public:
  [[nodiscard]] static std::variant<std::unique_ptr<Service>, raft::wal::Refusal> open(
      const ServiceOptions& options, const raft::Disks& disks,
      const std::optional<raft::Recovered>& when_empty);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();

  void tick();
  void receive(raft::Envelope&& envelope);
  void complete(const raft::wal::DiskCompletion& completion);            ///< of the log's disk
  void complete_snapshots(const raft::wal::DiskCompletion& completion);  ///< of the snapshots' disk
  void request(const Request& request);
  void campaign();
  /// As `Replica` has them; the tags come back in `ServiceOutput::changes`.
  void reconfigure(std::uint32_t tag, const raft::Configuration& target, bool force);
  void transfer(std::uint32_t tag, raft::NodeId target);
  void unreachable(raft::NodeId peer);
  /// As `Replica::take_snapshot`.
  void take_snapshot();
  /// For requests made from now on.
  void set_read_policy(ReadPolicy policy);

  /// Handles what happened since the last step. Clears `out` first. The observer may be null.
  void step(ServiceOutput& out, raft::trace::StepObserver* observer = nullptr);

  [[nodiscard]] const raft::Replica& replica() const;
  [[nodiscard]] const Store& store() const;
  /// Requests that were not answered yet.
  [[nodiscard]] std::size_t waiting() const;

 private:
  friend class ServiceSnapshotTest;
  class Implementation;
  /// What the replica below applies to.
  [[nodiscard]] raft::StateMachine& state_machine();
  explicit Service(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace raftlab::kv
