#pragma once

#include "raft/types.hpp"

#include <string>
#include <utility>
#include <vector>

namespace raftlab::simulator {

/// The way of a message between two nodes: from, to.
using Link = std::pair<raft::NodeId, raft::NodeId>;

/// "n1 n2 | n3": cut both ways; "n1 -> n2 n3": in this direction only. Nodes with equal cuts stand together.
[[nodiscard]] std::string cuts_in_words(const std::vector<Link>& cuts);

}  // namespace raftlab::simulator
