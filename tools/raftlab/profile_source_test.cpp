#include "tools/raftlab/profile_source.hpp"

#include "tools/raftlab/cli_fixture.hpp"

#include <variant>

namespace raftlab::tool {
namespace {

using simulator::Fault;
using simulator::Profile;

class ProfileSourceTest : public CliTest {
 protected:
  static ProfileSource opened(const std::string& toml, std::uint32_t nodes = 0) {
    if (!toml.empty()) write("p.toml", toml);
    auto source = ProfileSource::open(toml.empty() ? "" : "p.toml", nodes);
    EXPECT_EQ(failure(source), nullptr) << failure(source)->message;
    return std::move(std::get<ProfileSource>(source));
  }

  static Profile of_seed(const ProfileSource& source, std::uint64_t seed) {
    simulator::RandomChooser chooser{simulator::Seed(seed)};
    return source.profile(chooser);
  }
};

TEST_F(ProfileSourceTest, WithoutAFileEachSeedDrawsItsOwn) {
  const ProfileSource source = opened("");
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    simulator::RandomChooser chooser{simulator::Seed(seed)};
    EXPECT_EQ(of_seed(source, seed), simulator::draw_profile(chooser, 0)) << seed;
  }
  EXPECT_FALSE(of_seed(source, 1) == of_seed(source, 2));
}

TEST_F(ProfileSourceTest, TheFileStandsOverWhatIsDrawn) {
  const ProfileSource source = opened("[clients]\nclients = 77\n");
  const ProfileSource drawn = opened("");
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Profile expected = of_seed(drawn, seed);
    expected.clients = 77;
    EXPECT_EQ(of_seed(source, seed), expected) << seed;
  }
}

TEST_F(ProfileSourceTest, AQuietFileDrawsNothing) {
  const ProfileSource source = opened("base = \"quiet\"\nnodes = 3\n");
  Profile expected;
  expected.nodes = 3;
  expected.name = of_seed(source, 1).name;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) EXPECT_EQ(of_seed(source, seed), expected) << seed;
}

TEST_F(ProfileSourceTest, TheFlagWinsOverTheFileAndTheFileOverTheDraw) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    EXPECT_EQ(of_seed(opened("nodes = 4\n"), seed).nodes, 4U);
    EXPECT_EQ(of_seed(opened("nodes = 4\n", 6), seed).nodes, 6U);
    EXPECT_EQ(of_seed(opened("", 2), seed).nodes, 2U);
  }
}

TEST_F(ProfileSourceTest, WhatIsImpossibleAtTheSizeIsTakenOut) {
  const ProfileSource source =
      opened("[faults]\nmessage_loss = 1000\npartition_ring = 1000\nslow_sync = 1000\n", 1);
  const Profile profile = of_seed(source, 1);
  for (std::size_t i = 0; i < simulator::faults; ++i) {
    const auto fault = static_cast<Fault>(i);
    if (!simulator::possible(fault, 1)) {
      EXPECT_EQ(profile.rate(fault), 0U) << name(fault);
    }
  }
  EXPECT_EQ(profile.rate(Fault::slow_sync), 1000U);
}

TEST_F(ProfileSourceTest, SaysHowManyNodesThereAre) {
  EXPECT_EQ(opened("").nodes_text(), "1 to 9 nodes");
  EXPECT_EQ(opened("", 1).nodes_text(), "1 node");
  EXPECT_EQ(opened("nodes = 4\n").nodes_text(), "4 nodes");
  EXPECT_EQ(opened("nodes = 4\n", 6).nodes_text(), "6 nodes");
  EXPECT_EQ(opened("base = \"quiet\"\n").nodes_text(), "5 nodes");
  EXPECT_EQ(opened("base = \"drawn\"\n").nodes_text(), "1 to 9 nodes");
}

TEST_F(ProfileSourceTest, AnErrorNamesFileLineAndColumn) {
  write("p.toml", "\n\n  nodes = 65\n");
  const auto source = ProfileSource::open("p.toml", 0);
  const Failure* failed = failure(source);
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->code, ExitCode::bad_data);
  EXPECT_THAT(failed->message, testing::StartsWith("p.toml:3:11: nodes must be from 1 to 64, not 65"));
}

}  // namespace
}  // namespace raftlab::tool
