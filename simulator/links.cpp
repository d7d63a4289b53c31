#include "simulator/links.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

namespace raftlab::simulator {

using raft::NodeId;

std::string cuts_in_words(const std::vector<Link>& cuts) {
  const std::set<Link> all(cuts.begin(), cuts.end());
  const bool both_ways = std::ranges::all_of(all, [&](const Link& link) {
    return all.contains({link.second, link.first});
  });
  std::map<NodeId, std::vector<NodeId>> cut_off;  // of a link that is cut both ways, only the one end
  for (const auto& [from, to] : all) {
    if (!both_ways || from < to) cut_off[from].push_back(to);
  }
  std::ostringstream text;
  const char* separator = "";
  while (!cut_off.empty()) {
    const std::vector<NodeId> others = cut_off.begin()->second;
    text << separator;
    separator = "; ";
    for (auto at = cut_off.begin(); at != cut_off.end();) {
      const bool same = at->second == others;
      if (same) text << 'n' << at->first << ' ';
      at = same ? cut_off.erase(at) : std::next(at);
    }
    text << (both_ways ? "|" : "->");
    for (const NodeId other : others) text << " n" << other;
  }
  return text.str();
}

}  // namespace raftlab::simulator
