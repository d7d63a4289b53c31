#include "simulator/destruction.hpp"

#include "raft/assert.hpp"

#include <algorithm>

namespace raftlab::simulator {

using raft::Configuration;
using raft::NodeId;

std::size_t Destruction::struck_of(const std::vector<NodeId>& voters) const {
  return static_cast<std::size_t>(std::ranges::count_if(voters, [&](NodeId voter) { return struck(voter); }));
}

bool Destruction::may_strike(NodeId node) const {
  if (kept(node)) return false;
  if (struck(node)) return true;
  return cluster_->in_force().every_voter_set([&](const std::vector<NodeId>& voters) {
    const std::size_t one_more = std::ranges::binary_search(voters, node) ? 1 : 0;
    return one_more == 0 || 2 * (struck_of(voters) + one_more) < voters.size();
  });
}

bool Destruction::may_decide(const Configuration& target) const {
  return 2 * struck_of(target.voters) < target.voters.size();
}

bool Destruction::usable(NodeId node) const { return !kept(node) && cluster_->life(node) != Life::refused; }

void Destruction::strike(NodeId node, bool leads) {
  RAFTLAB_ASSERT(may_strike(node), node);
  struck_[node.value()] = leads ? Struck::leading : Struck::following;
}

NodeId Destruction::take_spare() {
  RAFTLAB_ASSERT(spares_left(), next_spare_);
  return NodeId(next_spare_++);
}

}  // namespace raftlab::simulator
