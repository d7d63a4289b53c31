#pragma once

#include "raft/core.hpp"
#include "simulator/profile.hpp"

#include <optional>
#include <vector>

namespace raftlab::simulator {

/// What a node finds on its disk at its first start: the first configuration, behind it an old log, and perhaps a change
/// of the configuration that has not ended. It is what an earlier life of the cluster could have left: all logs are
/// beginnings of one. None for a spare, which knows nothing, not even who is in the cluster.
[[nodiscard]] std::optional<raft::Recovered> starting_state(const Profile& profile, raft::NodeId node);

/// The configurations of these logs: the first one, and the one that has begun to follow it, if any.
[[nodiscard]] std::vector<raft::ConfigurationAt> starting_configurations(const Profile& profile);

}  // namespace raftlab::simulator
