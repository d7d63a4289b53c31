#include "simulator/one_way_cut.hpp"

#include "simulator/test_support.hpp"

#include <gtest/gtest.h>

#include <set>

namespace raftlab::simulator::testing {
namespace {

std::vector<NodeId> nodes_of(std::initializer_list<std::uint32_t> numbers) {
  std::vector<NodeId> nodes;
  for (const std::uint32_t number : numbers) nodes.emplace_back(number);
  return nodes;
}

std::vector<NodeId> first(std::uint32_t count) {
  std::vector<NodeId> nodes;
  for (std::uint32_t id = 1; id <= count; ++id) nodes.emplace_back(id);
  return nodes;
}

OneWayCut drawn(std::uint32_t nodes, std::uint64_t shape, std::uint64_t turn, std::uint64_t some = 0) {
  ScriptedChooser chooser;
  chooser.answer(Choice::healing_cut, [&](const Key& key) {
    return std::array<std::uint64_t, 4>{0, shape, turn, some}.at(static_cast<std::size_t>(key.subject));
  });
  return draw_one_way_cut(chooser, nodes);
}

TEST(OneWayCut, HasOneOfFourShapes) {
  EXPECT_EQ(cuts_in_words(drawn(5, 0, 0).links()), "n1 -> n2");
  EXPECT_EQ(cuts_in_words(drawn(5, 0, 4).links()), "n5 -> n1");
  EXPECT_EQ(cuts_in_words(drawn(5, 0, 4, 3).links()), "n5 -> n4");
  EXPECT_EQ(cuts_in_words(drawn(5, 1, 1).links()), "n2 -> n1 n3 n4 n5");
  EXPECT_EQ(cuts_in_words(drawn(5, 2, 0).links()), "n1 n2 n3 n4 -> n5");
  EXPECT_EQ(cuts_in_words(drawn(5, 3, 0, 1).links()), "n1 n2 -> n3 n4 n5");
  EXPECT_EQ(cuts_in_words(drawn(4, 3, 0, 1).links()), "n1 n2 -> n4") << "n3 is the bridge between the halves";
}

TEST(OneWayCut, EveryDrawnCutIsSurvivedByAWholeCluster) {
  for (std::uint32_t nodes = 3; nodes <= 9; ++nodes) {
    std::set<std::string> cuts;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      RandomChooser chooser{Seed(seed)};
      const OneWayCut cut = draw_one_way_cut(chooser, nodes);
      EXPECT_FALSE(cut.from.empty());
      EXPECT_FALSE(cut.to.empty());
      EXPECT_TRUE(survivable(cut, nodes, first(nodes))) << nodes << " nodes, " << cuts_in_words(cut.links());
      for (const NodeId node : cut.from) EXPECT_EQ(std::ranges::count(cut.to, node), 0);
      cuts.insert(cuts_in_words(cut.links()));
    }
    EXPECT_GE(cuts.size(), 12U) << nodes << " nodes";
  }
}

TEST(OneWayCut, HalvesAreNotSurvived) {
  EXPECT_FALSE(survivable({nodes_of({1}), nodes_of({2})}, 2, first(2)));
  EXPECT_FALSE(survivable({nodes_of({1, 2}), nodes_of({3, 4})}, 4, first(4)));
  EXPECT_TRUE(survivable({nodes_of({1, 2}), nodes_of({4})}, 4, first(4)));
  EXPECT_TRUE(survivable({nodes_of({1}), nodes_of({2, 3, 4})}, 4, first(4)));
}

TEST(OneWayCut, WhoDoesNotTakePartIsInNoMajority) {
  const OneWayCut link{nodes_of({1}), nodes_of({2})};
  EXPECT_TRUE(survivable(link, 5, nodes_of({1, 2, 3, 4})));
  EXPECT_FALSE(survivable(link, 5, nodes_of({1, 2, 3}))) << "only n3 could lead, and its log may be too old";
  EXPECT_TRUE(survivable(link, 5, nodes_of({1, 3, 4})));
  EXPECT_FALSE(survivable(link, 3, nodes_of({1, 2})));
}

TEST(OneWayCut, CutsOneDirectionAndMendsIt) {
  const Profile profile = quiet_profile(3);
  ScriptedChooser chooser;
  EventQueue queue;
  FaultCounts fired{};
  Network network(profile, chooser, queue, fired);
  const OneWayCut cut{nodes_of({1}), nodes_of({2, 3})};
  cut.cut(network);
  EXPECT_TRUE(network.is_cut(NodeId(1), NodeId(2)));
  EXPECT_TRUE(network.is_cut(NodeId(1), NodeId(3)));
  EXPECT_FALSE(network.is_cut(NodeId(2), NodeId(1)));
  EXPECT_FALSE(network.is_cut(NodeId(3), NodeId(1)));
  EXPECT_FALSE(network.is_cut(NodeId(2), NodeId(3)));
  cut.mend(network);
  EXPECT_FALSE(network.is_cut(NodeId(1), NodeId(2)));
}

}  // namespace
}  // namespace raftlab::simulator::testing
