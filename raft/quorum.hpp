#pragma once

#include "raft/assert.hpp"
#include "raft/configuration.hpp"
#include "raft/types.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <vector>

/// The one quorum rule, which serves commit, reads, votes and check-quorum (§5.2, §5.3, thesis §4.3).
namespace raftlab::raft {

/// Most voters of one side of a configuration.
inline constexpr std::size_t voters_max = 64;

/// The greatest number that a majority of `voters` has reached. No voters: no restriction.
template <class NumberOf>
[[nodiscard]] auto majority_number(const std::vector<NodeId>& voters, NumberOf&& number_of) {
  using Value = decltype(number_of(NodeId{}));
  if (voters.empty()) return std::numeric_limits<Value>::max();
  RAFTLAB_ASSERT(voters.size() <= voters_max, voters.size());
  std::array<Value, voters_max> values;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled below
  std::size_t count = 0;
  for (const NodeId voter : voters) {
    const Value value = number_of(voter);
    std::size_t at = count++;
    for (; at > 0 && values[at - 1] < value; --at) values[at] = values[at - 1];
    values[at] = value;
  }
  // In falling order, the majority-th value: of 4 the third, of 5 the third.
  return values[count / 2];
}

/// The greatest number that a quorum of the configuration has reached: of a joint one, a majority on both sides.
template <class NumberOf>
[[nodiscard]] auto quorum_number(const Configuration& configuration, NumberOf&& number_of) {
  const auto incoming = majority_number(configuration.voters, number_of);
  const auto outgoing = majority_number(configuration.outgoing, number_of);
  return std::min(incoming, outgoing);
}

/// True when the nodes for which `holds` is true contain a quorum. An empty configuration has none.
template <class Predicate>
[[nodiscard]] bool quorum_of(const Configuration& configuration, Predicate&& holds) {
  return !configuration.empty() &&
         quorum_number(configuration, [&](NodeId node) { return holds(node) ? 1U : 0U; }) == 1U;
}

}  // namespace raftlab::raft
