#include "simulator/profile_toml.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace raftlab::simulator {
namespace {

Profile parsed(const std::string& text, const Profile& base = Profile{}) {
  const auto result = parse_profile(text, base);
  if (const auto* error = std::get_if<ProfileError>(&result)) {
    ADD_FAILURE() << error->line << ':' << error->column << ": " << error->message;
    return Profile{};
  }
  return std::get<Profile>(result);
}

ProfileError refused(const std::string& text) {
  const auto result = parse_profile(text, Profile{});
  if (std::holds_alternative<ProfileError>(result)) return std::get<ProfileError>(result);
  ADD_FAILURE() << "accepted: " << text;
  return ProfileError{};
}

TEST(ProfileToml, ReadsBackEveryDrawnProfile) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    RandomChooser chooser{Seed(seed)};
    const Profile drawn = draw_profile(chooser, 0);
    EXPECT_EQ(parsed(to_toml(drawn)), drawn) << to_toml(drawn);
  }
}

TEST(ProfileToml, AnEmptyFileChangesNothing) {
  RandomChooser chooser{Seed(7)};
  const Profile drawn = draw_profile(chooser, 0);
  EXPECT_EQ(parsed("", drawn), drawn);
}

TEST(ProfileToml, AQuietBaseForgetsWhatWasDrawn) {
  RandomChooser chooser{Seed(7)};
  Profile expected;
  expected.rate(Fault::pause) = 5;
  EXPECT_EQ(parsed("base = \"quiet\"\n[faults]\npause = 5\n", draw_profile(chooser, 0)), expected);
}

TEST(ProfileToml, ATimeMayBeInAnyUnit) {
  const Profile expected = parsed("[network]\ndelay_ns_max = 7000000000\n");
  EXPECT_EQ(expected.delay_ns_max, 7 * second);
  EXPECT_EQ(parsed("[network]\ndelay_us_max = 7000000\n"), expected);
  EXPECT_EQ(parsed("[network]\ndelay_ms_max = 7000\n"), expected);
  EXPECT_EQ(parsed("[network]\ndelay_s_max = 7\n"), expected);
}

TEST(ProfileToml, TheSideOfAPairThatIsLeftOutMakesRoom) {
  Profile base;
  base.delay_ns_min = 2 * millisecond;
  base.delay_ns_max = 4 * millisecond;
  EXPECT_EQ(parsed("[network]\ndelay_ms_max = 1\n", base).delay_ns_min, millisecond);
  EXPECT_EQ(parsed("[network]\ndelay_ms_min = 9\n", base).delay_ns_max, 9 * millisecond);
  EXPECT_EQ(parsed("[core]\nheartbeat_ticks = 20\n", base).election_ticks, 21U);
  EXPECT_EQ(parsed("[core]\nelection_ticks = 3\n", base).heartbeat_ticks, 2U);
}

TEST(ProfileToml, AClockThatDriftsIsAFaultThatIsDrawn) {
  EXPECT_EQ(parsed("[time]\nclock_drift_ppm = 100\n").rate(Fault::clock_drift), million);
  EXPECT_NE(parsed("[faults]\nclock_drift = 1000000\n").clock_drift_ppm, 0U);
  Profile drifting;
  drifting.clock_drift_ppm = 9;
  drifting.rate(Fault::clock_drift) = million;
  EXPECT_EQ(parsed("[faults]\nclock_drift = 0\n", drifting).clock_drift_ppm, 0U);
}

TEST(ProfileToml, AnErrorNamesLineColumnAndTheNearestKey) {
  const ProfileError unknown = refused("nodes = 3\n\n[faults]\n  mesage_loss = 5\n");
  EXPECT_EQ(unknown.line, 4U);
  EXPECT_EQ(unknown.column, 3U);
  EXPECT_EQ(unknown.message, "unknown key mesage_loss in [faults]; the nearest known one is message_loss");
  EXPECT_EQ(refused("[core]\ncodec_ppm = 1\n").message,
            "unknown key codec_ppm in [core]; the nearest known one is codec_ppm in [network]");
  EXPECT_EQ(refused("[faluts]\n").message, "unknown table [faluts]; the nearest known one is [faults]");
  EXPECT_EQ(refused("node = 3\n").message,
            "unknown key node; the nearest known one is nodes at the top of the file");
}

TEST(ProfileToml, AnErrorNamesTheBoundsInTheUnitOfTheKey) {
  const ProfileError error = refused("[time]\ntick_ms = 0\n");
  EXPECT_EQ(error.message, "tick_ms must be from 1 to 10000, not 0");
  EXPECT_EQ(error.line, 2U);
  EXPECT_EQ(error.column, 11U);
  EXPECT_EQ(refused("nodes = 65\n").message, "nodes must be from 1 to 64, not 65");
  EXPECT_EQ(refused("[faults]\npause = 1000001\n").message, "pause must be from 0 to 1000000, not 1000001");
  EXPECT_EQ(refused("[clients]\nkeys = -1\n").message, "keys must be from 1 to 1000000, not -1");
}

TEST(ProfileToml, AnErrorNamesTheTypeThatIsWanted) {
  EXPECT_EQ(refused("nodes = 3.0\n").message, "nodes must be an integer");
  EXPECT_EQ(refused("nodes = \"3\"\n").message, "nodes must be an integer");
  EXPECT_EQ(refused("[core]\npre_vote = 1\n").message, "pre_vote must be true or false");
  EXPECT_EQ(refused("base = \"loud\"\n").message, "base must be \"drawn\" or \"quiet\"");
  EXPECT_EQ(refused("name = \"\"\n").message,
            "name must be a text of 1 to 64 printable ASCII characters without \" and \\");
  EXPECT_EQ(refused("faults = 3\n").line, 1U);
  EXPECT_EQ(refused("[core]\npre_vote = [1]\n").line, 2U);
}

TEST(ProfileToml, TheSameSettingInTwoUnitsIsAnError) {
  const ProfileError error = refused("[disk]\nsync_ms_max = 1\nsync_us_max = 1000\n");
  EXPECT_EQ(error.message, "sync_us_max sets the same as line 2");
  EXPECT_EQ(error.line, 3U);
}

TEST(ProfileToml, SettingsThatContradictEachOtherAreAnError) {
  EXPECT_EQ(refused("[network]\ndelay_ms_min = 5\ndelay_ms_max = 4\n").line, 2U);
  EXPECT_EQ(refused("[core]\nelection_ticks = 5\nheartbeat_ticks = 5\n").line, 3U);
}

TEST(ProfileToml, OfSeveralErrorsTheFirstInTheFileIsTold) {
  EXPECT_EQ(refused("zzz = 1\naaa = 2\n").line, 1U);
}

TEST(ProfileToml, TextThatIsNoTomlIsAnErrorWithAPlace) {
  const ProfileError error = refused("nodes = 3\nnodes =\n");
  EXPECT_EQ(error.line, 2U);
  EXPECT_FALSE(error.message.empty());
  EXPECT_EQ(refused("nodes = 3\nnodes = 4\n").line, 2U);
  EXPECT_EQ(refused("name = \"\xff\xfe\"\n").line, 1U);
  EXPECT_GT(refused(std::string(100'000, '[')).line, 0U);
}

TEST(ProfileToml, EveryPrefixOfAFileIsReadOrRefused) {
  const std::string whole = to_toml(Profile{});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto result = parse_profile(whole.substr(0, size), Profile{});
    if (const auto* error = std::get_if<ProfileError>(&result)) {
      EXPECT_FALSE(error->message.empty());
    }
  }
}

TEST(ProfileToml, InspectionTellsWhatMustBeKnownBeforeTheDraw) {
  const auto file = std::get<ProfileFile>(inspect_profile("base = \"quiet\"\nnodes = 4\n"));
  EXPECT_EQ(file.base, ProfileBase::quiet);
  EXPECT_EQ(file.nodes, 4U);
  EXPECT_EQ(std::get<ProfileFile>(inspect_profile("")).nodes, 0U);
  EXPECT_TRUE(std::holds_alternative<ProfileError>(inspect_profile("x = 1")));
}

class ShippedProfile : public testing::TestWithParam<const char*> {};

TEST_P(ShippedProfile, IsAccepted) {
  std::ifstream file(std::string("scenarios/profiles/") + GetParam() + ".toml");
  std::ostringstream text;
  text << file.rdbuf();
  ASSERT_FALSE(text.str().empty());
  const Profile profile = parsed(text.str());
  EXPECT_EQ(profile.name, GetParam());
  EXPECT_EQ(profile.nodes, 5U);
  EXPECT_GT(profile.open_load_per_second, 0U);
}
INSTANTIATE_TEST_SUITE_P(ProfileToml, ShippedProfile, testing::Values("w1", "w2", "w3"));

}  // namespace
}  // namespace raftlab::simulator
