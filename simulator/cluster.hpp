#pragma once

#include "invariants/ladder.hpp"
#include "kv/service.hpp"
#include "raft/trace/step.hpp"
#include "simulator/disk.hpp"
#include "simulator/event_queue.hpp"
#include "simulator/in_force.hpp"
#include "simulator/mark_watch.hpp"
#include "simulator/profile.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace raftlab::simulator {

/// The directories of a node, each with a disk of its own.
enum class Directory : std::uint8_t { log, snapshots };

enum class Life : std::uint8_t { down, up, refused };

/// An entry that was committed for the first time anywhere, valid during the call.
struct Commitment {
  raft::EntryView entry;
};

/// What a step did, for traces: cheap to fill, enough for one line.
struct StepRecord {
  std::uint64_t number = 0;  ///< of the step, from 1
  Time time = 0;
  raft::NodeId node;
  raft::State state;         ///< after the step
  std::uint64_t digest = 0;  ///< of the run so far, this step included
};

/// The nodes of a run with their disks, the ladder that watches them and the digest of everything they do. It knows no time
/// of its own, no network and no clients: random runs and scripted scenarios drive the same cluster.
class Cluster final : private raft::trace::StepObserver {
 public:
  Cluster(const Profile& profile, bool checks);
  ~Cluster() override;
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(nodes_.size()); }
  [[nodiscard]] Life life(raft::NodeId id) const;
  /// The number of the node's present or last life, from 1.
  [[nodiscard]] std::uint32_t incarnation(raft::NodeId id) const;
  /// Why it refused to start.
  [[nodiscard]] const std::string& refusal(raft::NodeId id) const;
  [[nodiscard]] kv::Service& service(raft::NodeId id);
  [[nodiscard]] const kv::Service& service(raft::NodeId id) const;
  [[nodiscard]] SimulatedDisk& disk(raft::NodeId id, Directory directory = Directory::log);

  /// Starts a node that is down: it recovers from its disk, or refuses.
  Life start(raft::NodeId id, raft::Seed seed, Time now);
  CrashDamage crash(raft::NodeId id, const Crash& how, Chooser& chooser, std::uint64_t about);

  /// Steps a node's service over everything that it was told since its last step. The result is valid until the next
  /// call; its messages may be moved from.
  kv::ServiceOutput& step(raft::NodeId id, Time now);
  /// Ends a sync of a node's disk and tells its service, which is to be stepped then.
  void finish_sync(raft::NodeId id, Directory directory, OperationId operation, SimulatedDisk::SyncFate fate,
                   Chooser& chooser, std::uint64_t about);
  /// Tells a node's service of a change that failed at once.
  void disk_failed(raft::NodeId id, Directory directory, const DiskCompletion& completion);

  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  [[nodiscard]] std::uint64_t digest() const { return digest_; }
  [[nodiscard]] raft::Index committed() const { return committed_; }
  [[nodiscard]] std::uint64_t elections() const { return elections_; }
  [[nodiscard]] std::uint64_t messages_sent() const { return messages_; }
  [[nodiscard]] invariants::Ladder& ladder() { return ladder_; }
  [[nodiscard]] const invariants::Ladder& ladder() const { return ladder_; }
  /// What the run came by; nothing with checks off.
  [[nodiscard]] const MarkWatch& marks() const { return marks_; }
  /// Of a mark that only the driver can see; nothing with checks off.
  void fire(Mark mark) {
    if (checks_) marks_.fire(mark);
  }
  /// Asks a leader for other members, with its next step.
  void reconfigure(raft::NodeId leader, std::uint32_t tag, const raft::Configuration& target, bool force);
  /// By which somebody may decide.
  [[nodiscard]] const InForce& in_force() const { return in_force_; }
  /// The node that leads the greatest term among those that are up; none when nobody does.
  [[nodiscard]] raft::NodeId leader() const { return leader_; }
  /// An event of the driver that belongs to the run's identity (a crash, a start): goes into the digest.
  void note(std::uint64_t what);

  /// Called for each step of a core, after the ladder.
  std::function<void(const StepRecord&, const raft::trace::Step&)> on_step;
  /// Called once for each index, in order, when it is first committed anywhere.
  std::function<void(const Commitment&)> on_commit;

 private:
  struct Node;

  [[nodiscard]] bool wants_deltas() const override { return checks_; }
  void stepped(const raft::trace::Step& step) override;
  [[nodiscard]] Node& node(raft::NodeId id);
  [[nodiscard]] const Node& node(raft::NodeId id) const;
  void note_appends(Node& it);
  void note_durable(Node& it);
  void announce_commits(const raft::trace::Step& step);
  void compare_twin(const raft::trace::Step& step);
  void find_leader();

  Profile profile_;
  bool checks_;
  invariants::Ladder ladder_;
  MarkWatch marks_;
  InForce in_force_;
  std::vector<std::unique_ptr<Node>> nodes_;
  kv::ServiceOutput output_;
  Time now_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t digest_ = 0;
  std::uint64_t elections_ = 0;
  std::uint64_t messages_ = 0;
  raft::Index committed_;
  raft::NodeId leader_;
  /// A copy of the core that is about to step, now and then: it must do the same (D20).
  std::optional<raft::Core> twin_;
  std::uint64_t twin_due_ = 0;  // at this step
  raft::Output twin_output_;
  std::vector<raft::Slice> scratch_;
};

}  // namespace raftlab::simulator
