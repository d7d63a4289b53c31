#pragma once

#include "invariants/witness.hpp"
#include "kv/service.hpp"
#include "raft/messages.hpp"
#include "scenarios/chooser.hpp"
#include "simulator/cluster.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace raftlab::scenarios {

using raft::NodeId;
using simulator::Directory;

/// Messages in flight at once; beyond, the script fails.
inline constexpr std::size_t messages_in_flight_max = 100'000;
/// Messages that one `settle` delivers; beyond, the script fails: a livelock.
inline constexpr std::uint64_t deliveries_max = 200'000;
/// Election timeouts that `stabilize` waits.
inline constexpr std::uint32_t stabilize_timeouts_max = 40;

/// An expectation that does not hold, or a command that cannot be carried out where it stands.
struct Failure {
  std::uint32_t column = 0;
  std::string message;
};

/// A message that was sent and has neither arrived nor been lost.
struct Flight {
  std::uint64_t number = 0;  ///< in the order of sending
  raft::Envelope envelope;
  bool held = false;
};

/// One attempt of a client.
struct Attempt {
  std::string name;
  NodeId node;
  std::variant<kv::Command, kv::GetKeys> what;
  invariants::OpId op;  ///< the same for each retry; client 0: nobody judges it
  std::string session;  ///< of an attempt to open one: its name
  invariants::ReadClaim claim = invariants::ReadClaim::linearizable;
  std::optional<kv::Answer> answer;
  bool over = false;  ///< answered, or its node's process has ended
};

/// What one node was asked to do with the cluster: a change of its members, or a transfer of leadership.
struct ChangeAttempt {
  std::string name;
  NodeId node;
  std::optional<kv::ChangeAnswer> answer;
  bool over = false;  ///< answered, or its node's process has ended
};

struct WorldOptions {
  simulator::Profile profile;
  bool checks = true;
};

/// What a script acts on: a cluster, the messages in flight, the disks' pending syncs, and clients. Nothing
/// happens by itself: no message arrives, no clock ticks and, on a disk in manual mode, no sync ends unless
/// the script says so.
class World {
 public:
  explicit World(const WorldOptions& options);

  [[nodiscard]] simulator::Cluster& cluster() { return cluster_; }
  [[nodiscard]] const simulator::Cluster& cluster() const { return cluster_; }
  [[nodiscard]] const simulator::Profile& profile() const { return profile_; }
  [[nodiscard]] std::uint32_t size() const { return cluster_.size(); }
  [[nodiscard]] bool up(NodeId node) const { return cluster_.life(node) == simulator::Life::up; }
  /// Up, and its process runs.
  [[nodiscard]] bool running(NodeId node) const { return up(node) && !at(node).paused; }
  [[nodiscard]] bool paused(NodeId node) const { return at(node).paused; }
  [[nodiscard]] raft::View view(NodeId node) const { return cluster_.service(node).replica().view(); }

  /// What the node's state machine has applied. Its core hears of it with the next input.
  [[nodiscard]] raft::Index applied(NodeId node) const { return cluster_.service(node).store().applied(); }
  /// The node's state in one line.
  [[nodiscard]] std::string status(NodeId node) const;

  // Time and processes
  void tick(NodeId node);
  void campaign(NodeId node);
  /// `manual`: no sync of the new life ends by itself, those of its start included.
  void start(NodeId node, bool manual = false);
  void kill(NodeId node);
  /// What a loss of power does to what was not synced.
  enum class Unsynced : std::uint8_t { lost, kept, in_sectors };
  void crash(NodeId node, Unsynced unsynced);
  void pause(NodeId node, bool paused);

  // Disks
  void set_manual(NodeId node, bool manual);
  /// The node takes a snapshot, as far as its disk lets it.
  void take_snapshot(NodeId node);
  /// Ends the node's pending syncs, at most so many; 0: until there is none. Returns how many ended.
  std::uint64_t sync(NodeId node, std::uint64_t count);
  [[nodiscard]] std::size_t pending_syncs(NodeId node) const { return at(node).syncs.size(); }
  /// The oldest pending sync fails; when there is none, the next one will.
  void fail_sync(NodeId node, ScriptedChooser::PageFate fate);
  /// The next power loss cuts so many bytes of the unsynced end.
  void tear(NodeId node, std::uint64_t bytes, bool zeros);
  [[nodiscard]] bool rot(NodeId node, std::uint64_t bit);
  /// Keeps a copy of the disk of a node that is down.
  void backup(NodeId node);
  /// Puts the last copy back. False when there is none.
  [[nodiscard]] bool restore(NodeId node);

  // Messages
  [[nodiscard]] std::vector<Flight>& flights() { return flights_; }
  [[nodiscard]] const std::vector<Flight>& flights() const { return flights_; }
  [[nodiscard]] bool deliverable(const Flight& flight) const;
  /// The messages arrive, in this order; `together`: those for one node in a single step.
  void deliver(const std::vector<std::uint64_t>& numbers, bool together);
  void drop(std::uint64_t wanted);
  void duplicate(std::uint64_t wanted);
  void cut(NodeId from, NodeId to) { cuts_.insert({from, to}); }
  void heal(NodeId from, NodeId to) { cuts_.erase({from, to}); }
  void heal() { cuts_.clear(); }
  [[nodiscard]] bool is_cut(NodeId from, NodeId to) const { return cuts_.contains({from, to}); }
  [[nodiscard]] const std::set<std::pair<NodeId, NodeId>>& cuts() const { return cuts_; }

  // Clients
  void request(Attempt attempt, std::uint32_t deadline_ticks);
  [[nodiscard]] const Attempt* attempt(const std::string& wanted) const;
  [[nodiscard]] std::optional<kv::ClientId> session(const std::string& wanted) const;
  /// The number of the session's next operation.
  [[nodiscard]] kv::Sequence next_sequence(const std::string& session) {
    return kv::Sequence(++sequences_[session]);
  }
  [[nodiscard]] invariants::OpId next_read() { return {reads_of, ++reads_}; }

  // Members and leadership
  void reconfigure(const std::string& name, NodeId node, const raft::Configuration& target, bool force);
  void transfer(const std::string& name, NodeId node, NodeId target);
  [[nodiscard]] const ChangeAttempt* change(const std::string& wanted) const;

  // Macros
  /// Has the node elected by these voters: passes the voters' leases, campaigns, delivers what votes need,
  /// and loses the requests to everybody else. False when it was not elected.
  [[nodiscard]] bool elect(NodeId node, const std::vector<NodeId>& voters);
  /// Delivers among these nodes until nothing is left.
  void settle(const std::set<NodeId>& nodes);
  /// As `settle`, with ticks until the nodes have one leader and agree, as far as they are members, and no
  /// change of the members is under way. None when it is so, else what is amiss.
  [[nodiscard]] std::optional<std::string> stabilize(const std::set<NodeId>& nodes);

  /// An entry as the language writes it, by index, as it was committed first.
  struct Committed {
    raft::LogId id;
    std::string text;
    std::vector<std::string> puts;  ///< key=value
  };
  [[nodiscard]] const std::vector<Committed>& committed() const { return committed_; }

  /// Answers and changes of role since the last call, one line each.
  [[nodiscard]] std::vector<std::string> take_news() { return std::exchange(news_, {}); }
  /// The clients' history ends here.
  void finish();

 private:
  struct PendingSync {
    Directory directory;
    simulator::OperationId operation;
  };
  struct Node {
    bool manual = false;
    bool paused = false;
    bool stopped = false;  ///< that a write failed has been told
    std::optional<ScriptedChooser::PageFate> fails_next;
    std::uint64_t torn_bytes = 0;
    bool torn_zeros = false;
    std::vector<PendingSync> syncs;  // of both directories, in the order in which they were asked for
  };
  static constexpr std::uint64_t reads_of = std::uint64_t{1} << 63U;

  [[nodiscard]] Node& at(NodeId node) { return nodes_.at(node.value() - 1); }
  [[nodiscard]] const Node& at(NodeId node) const { return nodes_.at(node.value() - 1); }
  [[nodiscard]] std::size_t position_of(std::uint64_t wanted) const;
  [[nodiscard]] std::int64_t next_instant() { return ++now_; }
  void step(NodeId node);
  void step_once(NodeId node);
  void gather_syncs(NodeId node);
  void end_sync(NodeId node, ScriptedChooser& chooser);
  void forget_process(NodeId node);
  void send(const raft::Envelope& envelope);
  void put_in_flight(const raft::Envelope& envelope);
  void answered(const kv::Answer& answer);
  [[nodiscard]] std::uint32_t open_change(const std::string& name, NodeId node);
  void answered(const kv::ChangeAnswer& answer);
  void note_commit(const raft::EntryView& entry);
  void report_history();
  void pass_lease(NodeId node);
  [[nodiscard]] std::optional<std::string> disagreement(const std::set<NodeId>& nodes) const;

  simulator::Profile profile_;
  simulator::Cluster cluster_;
  bool checks_;
  std::vector<Node> nodes_;
  std::map<NodeId, std::map<Directory, simulator::SimulatedDisk>> backups_;
  std::int64_t now_ = 0;
  std::uint64_t sent_ = 0;
  std::vector<Flight> flights_;
  std::set<std::pair<NodeId, NodeId>> cuts_;

  std::vector<Attempt> attempts_;       // the tag of a request is its position + 1
  std::vector<ChangeAttempt> changes_;  // likewise
  std::map<std::string, kv::ClientId> sessions_;
  std::map<std::string, std::uint64_t> sequences_;
  std::uint64_t reads_ = 0;
  std::set<invariants::OpId> invoked_;
  std::set<invariants::OpId> settled_;
  invariants::Witness witness_;
  std::size_t history_findings_ = 0;

  std::vector<Committed> committed_;
  std::vector<std::string> news_;
};

}  // namespace raftlab::scenarios
