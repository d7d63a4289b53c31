#pragma once

#include "raft/core.hpp"
#include "simulator/profile.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace raftlab::simulator {

/// The configurations by which somebody may still decide, seen from outside:
///
/// - the last one that any node has ever known to be committed;
/// - each one behind the greatest commit index that was ever appended anywhere, also where it was cut off again or its node is
///   gone: it may still be in a message, or come back with a log;
/// - what a leader was asked for, until it has stepped over it.
///
/// What stood at or below the greatest commit index and was not committed there can be in old logs only. Who acts by
/// it wins nothing: of a quorum of the last committed configuration at least one node has the newer log (§5.4.1).
class InForce {
 public:
  explicit InForce(const Profile& profile);

  /// A leader will step over this: either it is appended, or it is refused.
  void asked(raft::NodeId leader, const raft::Configuration& target) { asked_.emplace_back(leader, target); }
  /// What a node had been asked for and had not stepped over is gone with its process.
  void crashed(raft::NodeId node) { forget_asked(node); }
  /// After each step of a core.
  void stepped(const raft::View& view);

  /// True when `holds` is true of each set of voters that decides, be it alone or as a half of a joint configuration.
  template <class Predicate>
  [[nodiscard]] bool every_voter_set(Predicate holds) const {
    const auto both = [&](const raft::Configuration& it) {
      return (it.voters.empty() || holds(it.voters)) && (it.outgoing.empty() || holds(it.outgoing));
    };
    return both(settled_.configuration) &&
           std::ranges::all_of(open_, [&](const auto& at) { return both(at.configuration); }) &&
           std::ranges::all_of(asked_, [&](const auto& it) { return both(it.second); });
  }

 private:
  void forget_asked(raft::NodeId node);
  void committed_to(raft::Index commit, std::span<const raft::ConfigurationAt> configurations);

  raft::Index committed_;  // greatest anywhere
  raft::ConfigurationAt settled_;
  std::vector<raft::ConfigurationAt> open_;
  std::vector<std::pair<raft::NodeId, raft::Configuration>> asked_;
};

}  // namespace raftlab::simulator
