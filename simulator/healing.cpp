#include "simulator/healing.hpp"

#include <string>

namespace raftlab::simulator {

using invariants::Rung;
using raft::NodeId;
using raft::Role;

void Healing::begin(Time now) {
  begun_ = now;
  next_look_ = now;
}

/// The node that everybody who is up follows; none while there is another opinion.
NodeId Healing::only_leader() const {
  const NodeId leader = cluster_->leader();
  if (!leader) return leader;
  const raft::State state = cluster_->service(leader).replica().view().state;
  for (std::uint32_t id = 1; id <= cluster_->size(); ++id) {
    if (cluster_->life(NodeId(id)) == Life::down) return NodeId{};
    if (cluster_->life(NodeId(id)) != Life::up || NodeId(id) == leader) continue;
    const raft::State other = cluster_->service(NodeId(id)).replica().view().state;
    if (other.role != Role::follower || other.hard.term != state.hard.term || other.leader != leader)
      return NodeId{};
  }
  return leader;
}

bool Healing::logs_equal(NodeId leader) const {
  const raft::State state = cluster_->service(leader).replica().view().state;
  for (std::uint32_t id = 1; id <= cluster_->size(); ++id) {
    if (cluster_->life(NodeId(id)) != Life::up) continue;
    const raft::State other = cluster_->service(NodeId(id)).replica().view().state;
    if (other.last != state.last || other.commit != state.last.index || other.applied != state.last.index)
      return false;
  }
  return true;
}

void Healing::look(Time now) {
  if (now < next_look_ || done_) return;
  next_look_ = now + 20 * millisecond;
  if (now - begun_ > profile_->healing_ns_max) {
    done_ = true;
    return;
  }
  if (!clients_->idle() && !last_begun_) return;
  const NodeId leader = only_leader();
  if (!leader || !logs_equal(leader)) return;
  if (!last_begun_) {
    last_begun_ = true;
    clients_->begin_last(now);
  } else if (clients_->last_done() && clients_->idle()) {
    done_ = in_time_ = true;
  }
}

void Healing::report(Time now) {
  if (!done_) return;
  invariants::Ladder& ladder = cluster_->ladder();
  const std::string late =
      " within " + std::to_string((now - begun_) / millisecond) + " ms after the last fault";
  const auto judge = [&](Rung rung, bool holds, const std::string& what) {
    ladder.evaluated(rung);
    if (!holds) ladder.report(rung, NodeId{}, what + late);
  };
  const NodeId leader = only_leader();
  judge(Rung::V1, static_cast<bool>(leader), "no leader that every node follows");
  judge(Rung::V2, in_time_ || (leader && logs_equal(leader)),
        "logs and applied indices did not become equal");
  judge(Rung::V3, in_time_ || clients_->last_wrote(), "a proposal to the final leader did not commit");
  judge(Rung::V7, in_time_ || clients_->last_done(), "a read was neither answered nor rejected");
}

}  // namespace raftlab::simulator
