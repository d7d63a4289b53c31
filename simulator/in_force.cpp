#include "simulator/in_force.hpp"

#include "simulator/starting_state.hpp"

namespace raftlab::simulator {

using raft::ConfigurationAt;
using raft::Index;
using raft::NodeId;

/// Nobody is known to have committed any of what the disks hold at first; the first configuration is (N8).
InForce::InForce(const Profile& profile) {
  std::vector<ConfigurationAt> first = starting_configurations(profile);
  settled_ = first.front();
  open_.assign(first.begin() + 1, first.end());
}

void InForce::forget_asked(NodeId node) {
  std::erase_if(asked_, [&](const auto& it) { return it.first == node; });
}

void InForce::committed_to(Index commit, std::span<const ConfigurationAt> configurations) {
  committed_ = commit;
  for (const ConfigurationAt& at : configurations) {
    if (at.index <= commit && at.index > settled_.index) settled_ = at;
  }
  std::erase_if(open_, [&](const ConfigurationAt& at) { return at.index <= commit; });
}

void InForce::stepped(const raft::View& view) {
  if (!asked_.empty()) forget_asked(view.id);
  if (view.state.commit > committed_) committed_to(view.state.commit, view.configurations);
  if (view.configurations.back().index <= committed_) return;  // as nearly always
  for (const ConfigurationAt& at : view.configurations) {
    if (at.index > committed_ && std::ranges::find(open_, at) == open_.end()) open_.push_back(at);
  }
}

}  // namespace raftlab::simulator
