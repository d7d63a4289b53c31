#include "simulator/starting_state.hpp"

#include "simulator/run.hpp"
#include "simulator/test_support.hpp"

#include <gtest/gtest.h>

namespace raftlab::simulator::testing {
namespace {

using raft::Index;
using raft::NodeId;
using raft::Term;

raft::Log log_of(const raft::Recovered& state) {
  raft::Log log;
  for (const raft::Slice& slice : state.entries) log.append(slice);
  return log;
}

TEST(StartingState, WithoutSettingsIsTheBootstrap) {
  const auto state = starting_state(quiet_profile(3), NodeId(2));
  const raft::Recovered expected = raft::bootstrap(raft::voters_up_to(3));
  ASSERT_TRUE(state);
  EXPECT_EQ(state->hard, expected.hard);
  EXPECT_EQ(log_of(*state), log_of(expected));
}

TEST(StartingState, ASpareKnowsNothing) {
  Profile profile = quiet_profile(4);
  profile.spares = 1;
  EXPECT_TRUE(starting_state(profile, NodeId(3)));
  EXPECT_FALSE(starting_state(profile, NodeId(4)));
}

TEST(StartingState, LearnersStandBelowTheSparesAndSomebodyVotes) {
  Profile profile = quiet_profile(4);
  profile.spares = 1;
  profile.learners = 9;
  const auto state = starting_state(profile, NodeId(1));
  const auto configuration = raft::decode_configuration(log_of(*state).entry(Index(1)).payload);
  ASSERT_TRUE(configuration);
  EXPECT_EQ(configuration->voters, std::vector<NodeId>{NodeId(1)});
  EXPECT_EQ(configuration->learners, (std::vector<NodeId>{NodeId(2), NodeId(3)}));
}

TEST(StartingState, AllLogsAreBeginningsOfOne) {
  Profile profile = quiet_profile(5);
  profile.first_entries = 300;
  profile.first_term = 1'000'000;
  profile.first_lag = 20;
  profile.first_joint = true;
  const raft::Log whole = log_of(*starting_state(profile, NodeId(1)));
  EXPECT_EQ(whole.last(), Index(302));
  EXPECT_EQ(whole.last_id().term, Term(1'000'000));
  for (std::uint32_t id = 2; id <= 5; ++id) {
    const auto state = starting_state(profile, NodeId(id));
    EXPECT_EQ(state->hard.term, Term(1'000'000));
    const raft::Log log = log_of(*state);
    EXPECT_TRUE(whole.matches(log.last_id())) << id;
    EXPECT_GE(log.last().value() + 20, 302U);
  }
  const auto joint = raft::decode_configuration(whole.entry(Index(302)).payload);
  ASSERT_TRUE(joint);
  EXPECT_TRUE(joint->joint());
}

TEST(StartingState, ASpareThatIsKeptForTheOperatorDoesNotJoin) {
  Profile profile = quiet_profile(5);
  profile.spares = 2;
  profile.first_joint = true;
  const auto joint = [&] { return starting_configurations(profile).back().configuration; };
  EXPECT_TRUE(joint().is_voter(NodeId(4)));
  profile.replacements = 1;
  EXPECT_TRUE(joint().is_voter(NodeId(4)));
  profile.replacements = 2;
  EXPECT_EQ(joint().voters, (std::vector<NodeId>{NodeId(1), NodeId(2)}));
}

TEST(StartingState, TheConfigurationsStandWhereTheyAreSaidToBe) {
  Profile profile = quiet_profile(4);
  profile.spares = 1;
  profile.first_entries = 20;
  profile.first_joint = true;
  const raft::Log log = log_of(*starting_state(profile, NodeId(1)));
  const auto all = starting_configurations(profile);
  ASSERT_EQ(all.size(), 2U);
  for (const raft::ConfigurationAt& at : all)
    EXPECT_EQ(raft::decode_configuration(log.entry(at.index).payload), at.configuration);
}

TEST(StartingState, ARunGoesOnFromTheGreatestTerm) {
  Profile profile = quiet_profile(3);
  profile.first_entries = 500;
  profile.first_term = first_term_max;
  profile.first_lag = 30;
  RandomChooser chooser{Seed(1)};
  const RunResult result = run(profile, chooser, {});
  EXPECT_EQ(result.verdict, Verdict::holds) << (result.findings.empty() ? "" : result.findings[0].text);
  EXPECT_GT(result.committed, 501U);
}

TEST(StartingState, AChangeThatHadBegunIsEnded) {
  Profile profile = quiet_profile(4);
  profile.spares = 1;
  profile.first_joint = true;
  RandomChooser chooser{Seed(1)};
  const RunResult result = run(profile, chooser, {});
  EXPECT_EQ(result.verdict, Verdict::holds) << (result.findings.empty() ? "" : result.findings[0].text);
  EXPECT_NE(result.marks[static_cast<std::size_t>(Mark::joint_left_by_heir)], 0U);
}

}  // namespace
}  // namespace raftlab::simulator::testing
