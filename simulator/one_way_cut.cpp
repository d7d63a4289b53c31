#include "simulator/one_way_cut.hpp"

#include "raft/assert.hpp"

#include <algorithm>

namespace raftlab::simulator {

std::vector<Link> OneWayCut::links() const {
  std::vector<Link> all;
  for (const NodeId a : from) {
    for (const NodeId b : to) all.emplace_back(a, b);
  }
  return all;
}

void OneWayCut::cut(Network& network) const {
  for (const auto& [a, b] : links()) network.cut(a, b);
}

void OneWayCut::mend(Network& network) const {
  for (const auto& [a, b] : links()) network.mend(a, b);
}

namespace {

enum class Shape : std::uint8_t { link, mute, deaf, parts };
constexpr std::uint64_t shapes = 4;

bool contains(const std::vector<NodeId>& nodes, NodeId node) {
  return std::ranges::find(nodes, node) != nodes.end();
}

}  // namespace

OneWayCut draw_one_way_cut(Chooser& chooser, std::uint32_t nodes) {
  RAFTLAB_ASSERT(nodes >= 3, nodes);
  const auto draw = [&](std::uint64_t field, std::uint64_t range) {
    return chooser.choose(Key{Choice::healing_cut, field}, range);
  };
  const auto shape = static_cast<Shape>(draw(1, shapes));
  const std::uint64_t turn = draw(2, nodes);
  const auto at = [&](std::uint64_t position) {
    return NodeId(static_cast<std::uint32_t>(1 + (position + turn) % nodes));
  };
  // The first `senders` are not heard by those from `receivers` on, up to `end`.
  const std::uint64_t some = 1 + draw(3, nodes - 1);
  std::uint64_t senders = 1;
  std::uint64_t receivers = 1;
  std::uint64_t end = nodes;
  switch (shape) {
    case Shape::link:
      receivers = some;
      end = some + 1;
      break;
    case Shape::mute: break;
    case Shape::deaf: senders = receivers = nodes - 1; break;
    case Shape::parts:
      senders = some;
      receivers = some * 2 == nodes ? some + 1 : some;
      break;
  }
  OneWayCut cut;
  for (std::uint64_t i = 0; i < senders; ++i) cut.from.push_back(at(i));
  for (std::uint64_t i = receivers; i < end; ++i) cut.to.push_back(at(i));
  return cut;
}

bool survivable(const OneWayCut& cut, std::uint32_t nodes, const std::vector<NodeId>& taking_part) {
  const auto outside = [&](const std::vector<NodeId>& part) {
    return static_cast<std::uint32_t>(
        std::ranges::count_if(taking_part, [&](NodeId node) { return !contains(part, node); }));
  };
  return std::max(outside(cut.to), outside(cut.from)) > nodes / 2;
}

}  // namespace raftlab::simulator
