#pragma once

#include "simulator/cluster.hpp"
#include "simulator/profile.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace raftlab::simulator {

/// Whose data is gone for good, or may be, and whose may go: the one place where that is decided.
///
/// The rule: *in each set of voters that may still decide, fewer than half are struck.* A node is struck from the moment in which
/// something destroyed a part of what its disk holds, whether anybody has read it yet or not, and stays so for good. A
/// start that succeeds proves nothing: what is rotten may lie where nobody has looked, and what a failed sync lost may
/// still be in the page cache.
///
/// Why that is enough. A struck node at worst never starts again, so it breaks no promise; it can only be missing. Every
/// quorum that has acknowledged something meets the nodes that are left of every set that may decide (`InForce`) in one of
/// them at least, and these are a majority of it. So the one of them with the newest log holds all that is committed, and
/// can be elected (§5.4.1).
///
/// Of the spares those with the highest numbers are kept for the operator. Nothing that destroys strikes them, and nobody else
/// asks for them, until it takes them.
class Destruction {
 public:
  Destruction(const Profile& profile, const Cluster& cluster)
      : cluster_(&cluster),
        struck_(profile.nodes + 1),
        next_spare_(profile.nodes - profile.replacements + 1),
        nodes_(profile.nodes) {}

  /// Another strike may destroy this node for good. (One that is struck already cannot be missed more.)
  [[nodiscard]] bool may_strike(raft::NodeId node) const;
  /// These voters can do without those of them that are struck.
  [[nodiscard]] bool may_decide(const raft::Configuration& target) const;
  /// A node that may be a member at all: it has not refused to start, and is not kept for the operator.
  [[nodiscard]] bool usable(raft::NodeId node) const;

  /// Something destroyed a part of what this node holds.
  void strike(raft::NodeId node, bool leads);
  [[nodiscard]] bool struck(raft::NodeId node) const { return struck_[node.value()] != Struck::no; }
  /// It led the cluster when it was struck last.
  [[nodiscard]] bool struck_as_leader(raft::NodeId node) const {
    return struck_[node.value()] == Struck::leading;
  }

  [[nodiscard]] bool spares_left() const { return next_spare_ <= nodes_; }
  /// A number that was never used. There must be one.
  [[nodiscard]] raft::NodeId take_spare();

 private:
  enum class Struck : std::uint8_t { no, following, leading };

  [[nodiscard]] std::size_t struck_of(const std::vector<raft::NodeId>& voters) const;
  [[nodiscard]] bool kept(raft::NodeId node) const { return node.value() >= next_spare_; }

  const Cluster* cluster_;
  std::vector<Struck> struck_;  // by number
  std::uint32_t next_spare_;
  std::uint32_t nodes_;
};

}  // namespace raftlab::simulator
