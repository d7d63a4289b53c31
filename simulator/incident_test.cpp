#include "simulator/incident.hpp"

#include "simulator/links.hpp"
#include "simulator/test_support.hpp"

#include <gtest/gtest.h>

#include <set>

namespace raftlab::simulator::testing {
namespace {

std::vector<Link> both_ways(std::initializer_list<std::pair<std::uint32_t, std::uint32_t>> pairs) {
  std::vector<Link> cuts;
  for (const auto& [a, b] : pairs) {
    cuts.emplace_back(NodeId(a), NodeId(b));
    cuts.emplace_back(NodeId(b), NodeId(a));
  }
  return cuts;
}

TEST(Incident, KindsHaveDifferentNames) {
  std::set<std::string> names;
  for (std::uint8_t kind = 0; kind <= incident_kind_max; ++kind)
    names.insert(name(static_cast<IncidentKind>(kind)));
  EXPECT_EQ(names.size(), incident_kind_max + 1U);
  EXPECT_FALSE(names.contains("?"));
}

TEST(CutsInWords, ACutOfBothDirectionsIsNamedOnce) {
  EXPECT_EQ(cuts_in_words(both_ways({{1, 3}, {1, 4}, {2, 3}, {2, 4}})), "n1 n2 | n3 n4");
  EXPECT_EQ(cuts_in_words(both_ways({{3, 1}, {3, 2}})), "n1 n2 | n3");
  EXPECT_EQ(cuts_in_words(both_ways({{1, 3}, {2, 4}, {5, 1}})), "n1 | n3 n5; n2 | n4");
}

TEST(CutsInWords, ACutOfOneDirectionHasAnArrow) {
  EXPECT_EQ(cuts_in_words({{NodeId(1), NodeId(2)}}), "n1 -> n2");
  EXPECT_EQ(cuts_in_words({{NodeId(2), NodeId(1)}, {NodeId(3), NodeId(1)}}), "n2 n3 -> n1");
  EXPECT_EQ(cuts_in_words({{NodeId(1), NodeId(2)}, {NodeId(2), NodeId(1)}, {NodeId(3), NodeId(1)}}),
            "n1 -> n2; n2 n3 -> n1")
      << "one direction more than two of a link: all are told with arrows";
  EXPECT_EQ(cuts_in_words({}), "");
}

TEST(CrashInWords, NamesWhatIsGone) {
  Crash how;
  EXPECT_EQ(crash_in_words(how, {}), "killed");
  how.kind = Crash::Kind::power_loss;
  EXPECT_EQ(crash_in_words(how, CrashDamage{true, true, true}),
            "power loss, unsynced bytes are gone, an append is torn, a change of names is gone");
  how.kind = Crash::Kind::power_loss_sectors;
  EXPECT_EQ(crash_in_words(how, {}), "power loss, any unsynced sector may be gone");
}

TEST(StartInWords, NamesTheLifeAndWhatWasRecovered) {
  Cluster cluster(quiet_profile(1), true);
  cluster.start(NodeId(1), Seed(1), 0);
  EXPECT_EQ(start_in_words(cluster, NodeId(1)), "life 1 from T1 and a log to 1");
}

}  // namespace
}  // namespace raftlab::simulator::testing
