#pragma once

#include "invariants/history.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace raftlab::invariants {

struct SearchOptions {
  /// Configurations (set of operations already placed, contents of the keys) that may be visited, over all
  /// keys.
  std::uint64_t states_max = 2'000'000;
};

enum class SearchVerdict : std::uint8_t {
  holds,
  violated,
  inconclusive,  ///< the budget was spent; never "holds"
};
[[nodiscard]] const char* name(SearchVerdict verdict);

struct SearchResult {
  SearchVerdict verdict = SearchVerdict::holds;
  std::uint64_t states = 0;  ///< configurations visited
  /// Positions in History::entries. Of `holds`: a linearization of each group of keys, one group after the
  /// other. Of `violated`: the longest prefix that could be linearized, for the group of keys that breaks.
  std::vector<std::size_t> order;
  std::optional<std::size_t>
      stuck;         ///< of `violated`: the operation that had to be placed next and could not be
  std::string text;  ///< of `violated` and `inconclusive`: one line
};

/// Exact: is the history linearizable? Wing and Gong's search with Lowe's memory of configurations, for each
/// group of keys that batches or multi-key reads tie together. Refused operations and stale reads are left
/// out; an operation of unknown outcome may take effect at any time after its invocation, or never. b
/// precedes a if b.returned_ns < a.invoked_ns. Exponential in the operations that overlap on one group of
/// keys.
[[nodiscard]] SearchResult search(const History& history, const SearchOptions& options = {});

}  // namespace raftlab::invariants
