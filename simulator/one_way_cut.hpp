#pragma once

#include "simulator/chooser.hpp"
#include "simulator/links.hpp"
#include "simulator/network.hpp"

#include <cstdint>
#include <vector>

namespace raftlab::simulator {

/// A cut in one direction: what a node of `from` sends to a node of `to` is lost; everything else arrives,
/// also from `to` to `from`. Nodes that are in neither reach all and are reached by all.
struct OneWayCut {
  std::vector<NodeId> from;
  std::vector<NodeId> to;

  [[nodiscard]] std::vector<Link> links() const;
  void cut(Network& network) const;
  void mend(Network& network) const;
};

/// A cut of a drawn shape: one link, a node that nobody hears, a node that hears nobody, or a cluster in two
/// parts. Never one that stops a whole cluster: of two halves one node stays a bridge. Needs three nodes.
[[nodiscard]] OneWayCut draw_one_way_cut(Chooser& chooser, std::uint32_t nodes);

/// True when pre-vote and check-quorum must make progress under the cut while only these nodes take part:
/// those that `from` hears both ways, itself included, are a majority, or those that `to` does.
///
/// A leader needs a majority that it hears and that hears it. For a node of `from` these are all but `to`,
/// for a node of `to` all but `from`. If one of the two is a majority, it meets every quorum, so somebody in
/// it holds all that is committed and can win in it; who leads without a majority that it hears is ended by
/// check-quorum; and who does not hear the leader stays a pre-candidate, because a majority does hear it. If
/// neither is, then only a node that is in neither part can lead, and its log may be too old.
[[nodiscard]] bool survivable(const OneWayCut& cut, std::uint32_t nodes,
                              const std::vector<NodeId>& taking_part);

}  // namespace raftlab::simulator
