#include "raft/configuration.hpp"

#include "raft/core_fixture.hpp"

#include <gtest/gtest.h>

namespace raftlab::raft::testing {
namespace {

/// Voters 1, 2, 4 instead of 1, 2, 3; 3 becomes a learner; 5 is one already.
Configuration joint() {
  Configuration configuration;
  for (std::uint32_t id = 1; id <= 5; ++id) {
    configuration.members.push_back(Member{node(id), "n" + std::to_string(id), "host:" + std::to_string(id)});
  }
  configuration.voters = {node(1), node(2), node(4)};
  configuration.outgoing = {node(1), node(2), node(3)};
  configuration.learners = {node(5)};
  configuration.learners_next = {node(3)};
  return configuration;
}

TEST(Configuration, ComesBackFromItsBytes) {
  for (const Configuration& configuration : {voters_up_to(1), voters_up_to(3), voters_up_to(64), joint()}) {
    EXPECT_EQ(decode_configuration(encode(configuration)), configuration);
  }
}

TEST(Configuration, HasTheseBytes) {
  Configuration configuration;
  configuration.members.push_back(Member{node(7), "n", "a"});
  configuration.voters = {node(7)};
  const std::vector<std::byte> expected =
      bytes(std::string_view("\1\0\0\0\7\0\0\0\1\0\0\0n\1\0\0\0a"
                             "\1\0\0\0\7\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                             38));
  EXPECT_EQ(encode(configuration), expected);
}

TEST(Configuration, CutOffAtAnyByteIsRefused) {
  const std::vector<std::byte> whole = encode(joint());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_configuration(Bytes(whole).first(size))) << size;
  }
}

TEST(Configuration, WithBytesBehindItIsRefused) {
  std::vector<std::byte> longer = encode(joint());
  longer.push_back(std::byte{0});
  EXPECT_FALSE(decode_configuration(longer));
}

TEST(Configuration, WithAnyByteChangedIsRefusedOrAnotherWellFormedOne) {
  const std::vector<std::byte> whole = encode(joint());
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const unsigned flip : {0x01U, 0x02U, 0x80U, 0xffU}) {
      std::vector<std::byte> changed = whole;
      changed[at] ^= static_cast<std::byte>(flip);
      const auto decoded = decode_configuration(changed);
      if (!decoded) continue;
      EXPECT_NE(*decoded, joint()) << at;
      EXPECT_EQ(encode(*decoded), changed) << "one encoding per value, at byte " << at;
    }
  }
}

TEST(Configuration, ThatClaimsToBeHugeIsRefusedWithoutAllocatingIt) {
  EXPECT_FALSE(decode_configuration(bytes(std::string(4, '\xff'))));
  EXPECT_FALSE(decode_configuration(bytes(std::string("\1\0\0\0\1\0\0\0\xff\xff\xff\x7f", 12))));
}

TEST(Configuration, ThatBreaksItsRulesIsRefused) {
  const auto refused = [](auto change) {
    Configuration configuration = joint();
    change(configuration);
    return !decode_configuration(encode(configuration)).has_value();
  };
  EXPECT_FALSE(refused([](Configuration&) {}));
  EXPECT_TRUE(refused([](Configuration& c) { c.voters = {}; })) << "nobody decides";
  EXPECT_TRUE(refused([](Configuration& c) { c.voters = {node(2), node(1)}; })) << "not sorted";
  EXPECT_TRUE(refused([](Configuration& c) { c.voters = {node(1), node(1)}; })) << "twice";
  EXPECT_TRUE(refused([](Configuration& c) { c.voters.push_back(node(9)); })) << "no member";
  EXPECT_TRUE(refused([](Configuration& c) { c.outgoing.push_back(node(9)); })) << "no member";
  EXPECT_TRUE(refused([](Configuration& c) { c.learners = {node(4)}; })) << "voter and learner";
  EXPECT_TRUE(refused([](Configuration& c) { c.learners = {node(0)}; })) << "no node";
  EXPECT_TRUE(refused([](Configuration& c) { c.members.front().id = node(0); })) << "no node";
  EXPECT_TRUE(refused([](Configuration& c) { std::swap(c.members[0], c.members[1]); })) << "not sorted";
  EXPECT_TRUE(refused([](Configuration& c) { c.members[0].name = std::string(5000, 'x'); })) << "too long";
}

TEST(Configuration, VotersOfBothSidesAreVotersAndLearnersAreNot) {
  EXPECT_TRUE(joint().joint());
  EXPECT_TRUE(joint().is_voter(node(3))) << "outgoing";
  EXPECT_TRUE(joint().is_voter(node(4))) << "incoming";
  EXPECT_FALSE(joint().is_voter(node(5)));
  EXPECT_TRUE(joint().is_member(node(5)));
  EXPECT_FALSE(joint().is_member(node(6)));
  EXPECT_FALSE(voters_up_to(3).joint());
  EXPECT_TRUE(Configuration{}.empty());
}

}  // namespace
}  // namespace raftlab::raft::testing
