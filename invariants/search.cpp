#include "invariants/search.hpp"

#include "invariants/search_group.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace raftlab::invariants {
namespace {

using search_detail::Group;

/// Disjoint sets of keys: two keys are in one group if some operation names both.
class KeyGroups {
 public:
  std::uint32_t add(std::string_view key) {
    const auto [found, fresh] = ids_.emplace(std::string(key), static_cast<std::uint32_t>(parent_.size()));
    if (fresh) parent_.push_back(found->second);
    return found->second;
  }
  [[nodiscard]] std::uint32_t root(std::uint32_t key) {
    while (parent_[key] != key) key = parent_[key] = parent_[parent_[key]];
    return key;
  }
  void join(std::uint32_t a, std::uint32_t b) { parent_[root(a)] = root(b); }

 private:
  std::map<std::string, std::uint32_t> ids_;
  std::vector<std::uint32_t> parent_;
};

bool judged(const HistoryEntry& entry) {
  if (entry.fate == Fate::fail || entry.stale) return false;
  return entry.fate == Fate::ok || !is_read(entry.op);
}

std::vector<std::vector<std::size_t>> split(const History& history) {
  KeyGroups keys;
  std::vector<std::optional<std::uint32_t>> first_key(history.entries.size());
  for (std::size_t at = 0; at < history.entries.size(); ++at) {
    if (!judged(history.entries[at])) continue;
    for_each_key(history.entries[at].op, [&](std::string_view key) {
      const std::uint32_t id = keys.add(key);
      if (first_key[at]) keys.join(*first_key[at], id);
      first_key[at] = id;
    });
  }
  std::map<std::uint32_t, std::size_t> position;
  std::vector<std::vector<std::size_t>> groups;
  for (std::size_t at = 0; at < history.entries.size(); ++at) {
    if (!first_key[at]) continue;
    const auto [found, fresh] = position.emplace(keys.root(*first_key[at]), groups.size());
    if (fresh) groups.emplace_back();
    groups[found->second].push_back(at);
  }
  return groups;
}

void explain(const History& history, SearchResult& result) {
  if (result.verdict == SearchVerdict::inconclusive) {
    result.text = "not decided within " + std::to_string(result.states) + " configurations";
    return;
  }
  if (!result.stuck) return;
  result.text = "no order explains " + describe(history.entries[*result.stuck]) +
                " (placed before it at best: " + std::to_string(result.order.size()) + " operations";
  if (!result.order.empty()) result.text += ", the last " + describe(history.entries[result.order.back()]);
  result.text += ')';
}

}  // namespace

const char* name(SearchVerdict verdict) {
  switch (verdict) {
    case SearchVerdict::holds: return "holds";
    case SearchVerdict::violated: return "violated";
    case SearchVerdict::inconclusive: break;
  }
  return "inconclusive";
}

SearchResult search(const History& history, const SearchOptions& options) {
  SearchResult result;
  std::vector<std::vector<std::size_t>> open = split(history);
  // A group that is hard must not hide a violation in one that is easy: first an equal share for each, then
  // the rest of the budget for those that need more.
  for (const bool first : {true, false}) {
    std::vector<std::vector<std::size_t>> undecided;
    const std::uint64_t share =
        first && !open.empty() ? options.states_max / open.size() : options.states_max;
    for (std::vector<std::size_t>& entries : open) {
      const std::uint64_t left = options.states_max - std::min(options.states_max, result.states);
      SearchResult part = Group(history, entries).search(std::min(share, left));
      result.states += part.states;
      if (part.verdict == SearchVerdict::violated) {
        part.states = result.states;
        explain(history, part);
        return part;
      }
      if (part.verdict == SearchVerdict::inconclusive) {
        undecided.push_back(std::move(entries));
      } else {
        result.order.insert(result.order.end(), part.order.begin(), part.order.end());
      }
    }
    open = std::move(undecided);
  }
  if (!open.empty()) {
    result.verdict = SearchVerdict::inconclusive;
    result.order.clear();
    explain(history, result);
  }
  return result;
}

}  // namespace raftlab::invariants
