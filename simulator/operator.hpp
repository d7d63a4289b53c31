#pragma once

#include "simulator/chooser.hpp"
#include "simulator/cluster.hpp"
#include "simulator/destruction.hpp"
#include "simulator/event_queue.hpp"
#include "simulator/incident.hpp"
#include "simulator/profile.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace raftlab::simulator {

/// Who runs the cluster: replaces each member that has refused to start, hence is gone for good, by a node that never was
/// one.
///
/// It looks at the present leader from time to time, and asks it for the next step towards the members that there are to be.
/// It is told nothing of what becomes of that: what is refused, overwritten, or undone by somebody else, is asked for
/// again. Nodes are replaced one at a time, in the order in which they refused. A spare that is destroyed before it has the place
/// of another node is left out with that node, for which the next spare is taken: so there are never more spares taken
/// than nodes destroyed.
class Operator {
 public:
  Operator(const Profile& profile, Chooser& chooser, EventQueue& queue, Cluster& cluster,
           Destruction& destruction);

  /// A node has refused to start. It will be noticed after a while.
  void refused(NodeId node, Time now);
  void look(const Event& event);

  /// The present leader has no member that is destroyed, as far as there are spares, and no replacement is under way. Always true
  /// without an operator.
  [[nodiscard]] bool is_done() const;
  /// Nodes that have refused to start so far.
  [[nodiscard]] std::size_t destroyed() const { return destroyed_.size(); }
  /// Steps that a leader was asked for.
  [[nodiscard]] std::uint64_t asked() const { return asked_; }
  /// Nodes whose place another one has.
  [[nodiscard]] std::uint64_t replaced() const { return replaced_; }

  /// May be empty. Nothing that happens depends on it.
  IncidentSink on_incident;

 private:
  /// How a spare becomes a voter.
  enum class Way : std::uint8_t {
    learns_beside,   ///< as a learner beside the destroyed node, then in its place
    learns_instead,  ///< as a learner in its place, then as a voter
    at_once          ///< as a voter in its place, whatever it holds
  };
  struct Destroyed {
    NodeId node;
    bool noticed = false;
    bool left_out = false;   ///< was a spare on its way, and is to leave with the node that it was to replace
    bool under_way = false;  ///< its spare is taking its place
    bool votes = false;      ///< what it did when that began, and its spare is to do
    Way way = Way::learns_beside;
    NodeId spare = NodeId{};
  };
  /// The members as the leader has them, and whether they are committed.
  struct Present {
    raft::Configuration members;
    bool settled = false;
  };

  void look_at(NodeId leader);
  [[nodiscard]] Present present_of(NodeId leader) const;
  [[nodiscard]] bool needs_work(Destroyed& destroyed, const Present& present);
  void ask(NodeId leader, const Destroyed& destroyed, const raft::Configuration& present);
  [[nodiscard]] bool begin(Destroyed& destroyed, const raft::Configuration& present);
  void end(Destroyed& destroyed, bool in_place);
  [[nodiscard]] bool can_go(const Destroyed& destroyed) const;
  void count_first_voters(NodeId node);

  const Profile* profile_;
  Chooser* chooser_;
  EventQueue* queue_;
  Cluster* cluster_;
  Destruction* destruction_;
  std::vector<Destroyed> destroyed_;  // in the order in which they refused
  raft::Configuration first_;
  std::size_t first_voters_destroyed_ = 0;
  std::uint64_t looks_ = 0;
  std::uint64_t asked_ = 0;
  std::uint64_t replaced_ = 0;
};

}  // namespace raftlab::simulator
