#include "raft/quorum.hpp"

#include "raft/core_fixture.hpp"

#include <gtest/gtest.h>

#include <set>

namespace raftlab::raft::testing {
namespace {

/// The number of node i is the i-th one.
auto numbers(std::vector<std::uint64_t> values) {
  return [values = std::move(values)](NodeId node) { return values.at(node.value() - 1); };
}

auto any_of(std::set<std::uint32_t> nodes) {
  return [nodes = std::move(nodes)](NodeId node) { return nodes.contains(node.value()); };
}

Configuration joint(const std::vector<std::uint32_t>& incoming, const std::vector<std::uint32_t>& outgoing) {
  Configuration configuration;
  for (const std::uint32_t id : incoming) configuration.voters.emplace_back(id);
  for (const std::uint32_t id : outgoing) configuration.outgoing.emplace_back(id);
  return configuration;
}

TEST(Quorum, OfAnOddNumberOfVotersItIsTheMiddleOne) {
  EXPECT_EQ(quorum_number(voters_up_to(1), numbers({7})), 7U);
  EXPECT_EQ(quorum_number(voters_up_to(3), numbers({9, 1, 5})), 5U);
  EXPECT_EQ(quorum_number(voters_up_to(5), numbers({5, 4, 3, 2, 1})), 3U);
}

TEST(Quorum, OfAnEvenNumberOfVotersItIsTheLowerOfTheMiddleTwo) {
  EXPECT_EQ(quorum_number(voters_up_to(2), numbers({9, 1})), 1U);
  EXPECT_EQ(quorum_number(voters_up_to(4), numbers({4, 3, 2, 1})), 2U)
      << "three of four hold 2, only two hold 3";
  EXPECT_EQ(quorum_number(voters_up_to(6), numbers({1, 2, 3, 4, 5, 6})), 3U);
}

TEST(Quorum, IsTheGreatestNumberThatAMajorityReachedForEverySizeAndAssignment) {
  for (std::uint32_t count = 1; count <= 6; ++count) {
    std::vector<std::uint64_t> values(count, 0);
    for (;;) {
      std::uint64_t expected = 0;
      for (std::uint64_t candidate = 0; candidate <= 2; ++candidate) {
        std::uint32_t reached = 0;
        for (const std::uint64_t value : values) reached += value >= candidate ? 1 : 0;
        if (2 * reached > count) expected = candidate;
      }
      ASSERT_EQ(quorum_number(voters_up_to(count), numbers(values)), expected);
      std::uint32_t at = 0;
      while (at < count && values[at] == 2) values[at++] = 0;
      if (at == count) break;
      ++values[at];
    }
  }
}

TEST(Quorum, OfAJointConfigurationNeedsAMajorityOnBothSides) {
  const Configuration configuration = joint({1, 2, 3}, {3, 4, 5});
  EXPECT_EQ(quorum_number(configuration, numbers({9, 9, 9, 1, 1})), 1U);
  EXPECT_EQ(quorum_number(configuration, numbers({9, 9, 4, 4, 1})), 4U);
  EXPECT_FALSE(quorum_of(configuration, any_of({1, 2})));
  EXPECT_FALSE(quorum_of(configuration, any_of({4, 5})));
  EXPECT_TRUE(quorum_of(configuration, any_of({1, 2, 4, 5})));
  EXPECT_TRUE(quorum_of(configuration, any_of({1, 3, 4})));
}

TEST(Quorum, PredicateNeedsMoreThanHalf) {
  EXPECT_FALSE(quorum_of(voters_up_to(4), any_of({1, 2})));
  EXPECT_TRUE(quorum_of(voters_up_to(4), any_of({1, 2, 3})));
  EXPECT_FALSE(quorum_of(voters_up_to(3), any_of({2})));
  EXPECT_TRUE(quorum_of(voters_up_to(3), any_of({2, 3})));
  EXPECT_FALSE(quorum_of(voters_up_to(3), any_of({3, 4, 5, 6}))) << "who is no voter counts nowhere";
}

TEST(Quorum, AnEmptyConfigurationHasNone) { EXPECT_FALSE(quorum_of(Configuration{}, any_of({1, 2, 3}))); }

TEST(Quorum, TheLargestConfigurationFits) {
  std::vector<std::uint64_t> values(voters_max, 1);
  EXPECT_EQ(quorum_number(voters_up_to(voters_max), numbers(values)), 1U);
}

}  // namespace
}  // namespace raftlab::raft::testing
