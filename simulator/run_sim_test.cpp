#include "simulator/run.hpp"

#include "raft/assert.hpp"
#include "simulator/test_support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <stdexcept>
#include <string>

namespace raftlab::simulator::testing {
namespace {

using invariants::Rung;

/// The profile of a default seed with a short fault phase.
Profile short_profile(std::uint64_t seed, std::uint32_t nodes, Time fault_phase = 3 * second) {
  RandomChooser chooser{Seed(seed)};
  Profile profile = draw_profile(chooser, nodes);
  profile.fault_phase_ns = fault_phase;
  return profile;
}

RunResult run_seed(const Profile& profile, std::uint64_t seed, const RunOptions& options = {}) {
  RandomChooser chooser{Seed(seed)};
  return run(profile, chooser, options);
}

std::string in_words(const RunResult& result) {
  std::string text = std::string(name(result.verdict)) + " " + result.reason;
  for (const invariants::Finding& finding : result.findings) {
    text += "\n  " + std::string(invariants::info(finding.rung).id) + " at step " +
            std::to_string(finding.step) + ": " + finding.text;
  }
  return text;
}

void expect_equal_outcome(const RunResult& a, const RunResult& b) {
  EXPECT_EQ(a.digest, b.digest);
  EXPECT_EQ(a.steps, b.steps);
  EXPECT_EQ(a.virtual_ns, b.virtual_ns);
  EXPECT_EQ(a.messages_sent, b.messages_sent);
  EXPECT_EQ(a.messages_delivered, b.messages_delivered);
  EXPECT_EQ(a.committed, b.committed);
  EXPECT_EQ(a.elections, b.elections);
  EXPECT_EQ(a.fired, b.fired);
  EXPECT_EQ(a.operations_ok, b.operations_ok);
  EXPECT_EQ(a.operations_failed, b.operations_failed);
  EXPECT_EQ(a.operations_unknown, b.operations_unknown);
  EXPECT_EQ(a.operations_offered, b.operations_offered);
  EXPECT_EQ(a.latency_ns_median, b.latency_ns_median);
}

// ---- One seed, one run -------------------------------------------------------------------------------------------

TEST(RunSim, TheSameSeedTwiceIsTheSameRun) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const Profile profile = short_profile(seed, 0);
    const RunResult first = run_seed(profile, seed);
    const RunResult second = run_seed(profile, seed);
    expect_equal_outcome(first, second);
    EXPECT_EQ(first.verdict, second.verdict);
    EXPECT_EQ(first.reason, second.reason);
    EXPECT_EQ(first.evaluations, second.evaluations);
    EXPECT_NE(first.digest, 0U);
  }
}

TEST(RunSim, AnotherSeedIsAnotherRun) {
  const Profile profile = short_profile(1, 3);
  EXPECT_NE(run_seed(profile, 1).digest, run_seed(profile, 2).digest);
}

TEST(RunSim, ChecksDoNotChangeTheRun) {
  for (std::uint64_t seed = 11; seed <= 14; ++seed) {
    const Profile profile = short_profile(seed, 0);
    RunOptions off;
    off.checks = false;
    const RunResult without = run_seed(profile, seed, off);
    expect_equal_outcome(run_seed(profile, seed), without);
    EXPECT_TRUE(without.evaluations.empty());
  }
}

TEST(RunSim, RecordingDoesNotChangeTheRun) {
  const Profile profile = short_profile(21, 3);
  RandomChooser random{Seed(21)};
  RecordingChooser recorder(random);
  std::uint64_t seen = 0;
  std::uint64_t last_digest = 0;
  RunOptions options;
  options.on_step = [&](const StepRecord& record, const raft::trace::Step& step) {
    EXPECT_EQ(record.number, ++seen);
    EXPECT_EQ(record.node, step.node);
    last_digest = record.digest;
    return true;
  };
  const RunResult recorded = run(profile, recorder, options);
  expect_equal_outcome(recorded, run_seed(profile, 21));
  EXPECT_EQ(seen, recorded.steps);
  EXPECT_EQ(last_digest, recorded.digest);
  EXPECT_FALSE(recorder.decisions().empty());
}

TEST(RunSim, RecordedDecisionsReplayTheRunWithoutTheSeed) {
  for (std::uint64_t seed = 31; seed <= 34; ++seed) {
    const Profile profile = short_profile(seed, 0);
    RandomChooser random{Seed(seed)};
    RecordingChooser recorder(random);
    const RunResult recorded = run(profile, recorder, {});
    ReplayChooser replay;
    for (const Decision& decision : recorder.decisions()) replay.add(decision);
    expect_equal_outcome(run(profile, replay, {}), recorded);
  }
}

// ---- How a run ends ----------------------------------------------------------------------------------------------

TEST(RunSim, TheStopFlagEndsTheRunAfterThePresentStep) {
  std::atomic<bool> stop = false;
  RunOptions options;
  options.stop = &stop;
  options.on_step = [&](const StepRecord& record, const raft::trace::Step& /*step*/) {
    if (record.number == 100) stop = true;
    return true;
  };
  const RunResult result = run_seed(quiet_profile(3), 1, options);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.reason, "stopped");
  EXPECT_EQ(result.steps, 100U);
}

TEST(RunSim, ASpentBudgetIsInconclusive) {
  Profile profile = quiet_profile(3);
  profile.steps_max = 500;
  const RunResult result = run_seed(profile, 1);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_NE(result.reason.find("500 steps"), std::string::npos) << result.reason;
  EXPECT_LE(result.steps, 502U);
  EXPECT_GT(result.steps, 500U);
}

TEST(RunSim, AnObserverMayEndTheRun) {
  RunOptions options;
  options.on_step = [](const StepRecord& record, const raft::trace::Step& /*step*/) {
    return record.number < 50;
  };
  EXPECT_EQ(run_seed(quiet_profile(3), 1, options).steps, 50U);
}

TEST(RunSim, WithoutACommitNothingIsConcluded) {
  Profile profile = quiet_profile(3);
  profile.steps_max = 30;
  EXPECT_EQ(run_seed(profile, 1).verdict, Verdict::inconclusive);
}

TEST(RunSim, AnExceptionInTheCodeUnderTestIsAFinding) {
  for (const bool checks : {true, false}) {
    RunOptions options;
    options.checks = checks;
    raft::NodeId stepping;
    options.on_step = [&](const StepRecord& record, const raft::trace::Step& step) {
      stepping = step.node;
      if (record.number == 200) throw std::runtime_error("thrown at 200");
      return true;
    };
    const RunResult result = run_seed(quiet_profile(3), 1, options);
    EXPECT_EQ(result.verdict, Verdict::violated);
    ASSERT_NE(root(result), nullptr);
    EXPECT_EQ(root(result)->rung, Rung::N0);
    EXPECT_EQ(root(result)->step, 200U) << "checks " << checks;
    EXPECT_EQ(root(result)->node, stepping);
    EXPECT_GT(root(result)->time_ns, 0);
    EXPECT_EQ(root(result)->text, "thrown at 200");
    EXPECT_EQ(result.steps, 200U);
  }
}

TEST(RunSim, AFailedAssertionIsAFinding) {
  RunOptions options;
  options.on_step = [](const StepRecord& record, const raft::trace::Step& /*step*/) {
    RAFTLAB_ASSERT(record.number != 70, record.number);
    return true;
  };
  const RunResult result = run_seed(quiet_profile(3), 1, options);
  ASSERT_NE(root(result), nullptr);
  EXPECT_EQ(root(result)->rung, Rung::N0);
  EXPECT_NE(root(result)->text.find("record.number != 70 (record.number = 70)"), std::string::npos)
      << root(result)->text;
}

TEST(RunSim, TheRootIsTheLowestRungThatFell) {
  RunResult result;
  EXPECT_EQ(root(result), nullptr);
  result.findings.resize(3);
  result.findings[0].rung = Rung::V1;
  result.findings[1].rung = Rung::R4;
  result.findings[2].rung = Rung::V2;
  EXPECT_EQ(root(result)->rung, std::min({Rung::V1, Rung::R4, Rung::V2}));
}

TEST(RunSim, VerdictsHaveNames) {
  EXPECT_STREQ(name(Verdict::holds), "holds");
  EXPECT_STREQ(name(Verdict::violated), "violated");
  EXPECT_STREQ(name(Verdict::inconclusive), "inconclusive");
}

// ---- Healing and clients -----------------------------------------------------------------------------------------

TEST(RunSim, AQuietRunConvergesSoonAndAllOperationsSucceed) {
  for (std::uint32_t nodes = 1; nodes <= 5; nodes += 2) {
    const Profile profile = quiet_profile(nodes);
    const RunResult result = run_seed(profile, 7);
    EXPECT_EQ(result.verdict, Verdict::holds) << in_words(result);
    EXPECT_EQ(result.operations_ok, result.operations_offered);
    EXPECT_EQ(result.operations_failed, 0U);
    EXPECT_EQ(result.operations_unknown, 0U);
    EXPECT_GT(result.operations_ok, 50U);
    EXPECT_LT(result.virtual_ns, profile.fault_phase_ns + second);
    EXPECT_EQ(result.elections, 1U);
    EXPECT_EQ(std::accumulate(result.fired.begin(), result.fired.end(), std::uint64_t{0}), 0U);
    EXPECT_EQ(result.messages_sent == 0, nodes == 1);
    EXPECT_GT(result.latency_ns_median, 0U);
    EXPECT_LT(result.latency_ns_median, static_cast<std::uint64_t>(100 * millisecond));
  }
}

TEST(RunSim, EveryOperationHasOneOutcome) {
  for (std::uint64_t seed = 41; seed <= 46; ++seed) {
    const RunResult result = run_seed(short_profile(seed, 0), seed);
    ASSERT_EQ(result.verdict, Verdict::holds) << "seed " << seed << ": " << in_words(result);
    EXPECT_EQ(result.operations_ok + result.operations_failed + result.operations_unknown,
              result.operations_offered);
  }
}

TEST(RunSim, AConstantLoadIsServedInFull) {
  Profile profile = quiet_profile(3);
  profile.open_load_per_second = 500;
  profile.fault_phase_ns = 3 * second;
  const RunResult result = run_seed(profile, 3);
  EXPECT_EQ(result.verdict, Verdict::holds) << in_words(result);
  EXPECT_GT(result.operations_offered, 800U);
  EXPECT_GE(result.operations_ok * 100, result.operations_offered * 99);
  EXPECT_EQ(result.operations_ok + result.operations_failed + result.operations_unknown,
            result.operations_offered);
}

TEST(RunSim, HealingThatDoesNotConvergeIsAFinding) {
  Profile profile = quiet_profile(3);
  profile.fault_phase_ns = 200 * millisecond;
  profile.healing_ns_max = 40 * millisecond;  // shorter than any election
  profile.election_ticks = 30;
  const RunResult result = run_seed(profile, 1);
  ASSERT_NE(root(result), nullptr);
  EXPECT_EQ(result.verdict, Verdict::violated);
  EXPECT_EQ(root(result)->rung, Rung::V1) << in_words(result);
}

std::uint64_t evaluations(const RunResult& result, Rung rung) {
  return result.evaluations.at(static_cast<std::size_t>(rung));
}

/// A run that keeps a cut in one direction for a while after its faults.
Profile cut_profile(std::uint64_t seed, std::uint32_t nodes) {
  Profile profile = short_profile(seed, nodes, 500 * millisecond);
  profile.pre_vote = profile.check_quorum = profile.healing_cut = true;
  profile.spares = profile.replacements = profile.learners = 0;
  profile.first_joint = false;
  profile.rate(Fault::reconfigure) = 0;
  return profile;
}

TEST(RunSim, UnderOneCutInOneDirectionTheClusterGoesOn) {
  std::uint64_t back = 0;
  std::uint64_t replicates = 0;
  for (std::uint64_t seed = 51; seed <= 90; ++seed) {
    const auto nodes = static_cast<std::uint32_t>(3 + seed % 5);
    Profile profile = cut_profile(seed, nodes);
    profile.rate(Fault::lost_sectors) = profile.rate(Fault::bit_rot) = 0;  // nobody is missing for good
    const RunResult result = run_seed(profile, seed);
    EXPECT_EQ(result.verdict, Verdict::holds) << "seed " << seed << ": " << in_words(result);
    EXPECT_EQ(evaluations(result, Rung::V10), 1U) << "seed " << seed;
    back += evaluations(result, Rung::V6);
    replicates += evaluations(result, Rung::V8);
    EXPECT_GT(evaluations(result, Rung::V9), nodes);
  }
  EXPECT_GT(back, 3U) << "V6";
  EXPECT_GT(replicates, 3U) << "V8";
}

TEST(RunSim, ACutThatNobodyNeedSurviveIsNotKept) {
  for (const int without : {0, 1, 2, 3}) {
    Profile profile = cut_profile(51, without == 0 ? 2 : 3);
    if (without == 1) profile.pre_vote = false;
    if (without == 2) profile.check_quorum = false;
    if (without == 3) profile.spares = 1;
    const RunResult result = run_seed(profile, 51);
    EXPECT_EQ(result.verdict, Verdict::holds) << in_words(result);
    EXPECT_EQ(evaluations(result, Rung::V10), 0U);
    EXPECT_EQ(evaluations(result, Rung::V6), 0U);
  }
}

TEST(RunSim, NoProgressUnderACutIsAFinding) {
  Profile profile = quiet_profile(3);
  profile.healing_cut = true;
  profile.fault_phase_ns = 200 * millisecond;
  profile.healing_ns_max = 40 * millisecond;  // shorter than any election
  profile.election_ticks = 30;
  const RunResult result = run_seed(profile, 1);
  EXPECT_TRUE(std::ranges::any_of(result.findings, [](const invariants::Finding& finding) {
    return finding.rung == Rung::V10 &&
           finding.text.starts_with("no write and read within 40 ms under the cut ");
  })) << in_words(result);
}

/// Three voters, and four spares for those that are destroyed one after the other.
Profile destroying_profile() {
  Profile profile = quiet_profile(7);
  profile.spares = profile.replacements = 4;
  profile.notice_ns_max = 500 * millisecond;
  profile.fault_phase_ns = 20 * second;
  profile.rate(Fault::bit_rot) = 100'000;
  return profile;
}

TEST(RunSim, MoreThanHalfOfTheFirstVotersAreDestroyedOneAfterTheOtherAndNothingIsLost) {
  const auto mark = [](const RunResult& result, Mark which) {
    return result.marks[static_cast<std::size_t>(which)];
  };
  std::uint64_t most = 0;
  std::uint64_t leaders = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const RunResult result = run_seed(destroying_profile(), seed);
    EXPECT_EQ(result.verdict, Verdict::holds) << "seed " << seed << ": " << in_words(result);
    EXPECT_EQ(evaluations(result, Rung::V11), mark(result, Mark::start_refused) == 0 ? 0U : 1U);
    EXPECT_EQ(mark(result, Mark::destroyed_replaced),
              std::min<std::uint64_t>(mark(result, Mark::start_refused), 4));
    most += mark(result, Mark::most_first_voters_destroyed);
    leaders += mark(result, Mark::destroyed_leader_replaced);
  }
  EXPECT_GE(most, 5U);
  EXPECT_GE(leaders, 1U);
}

TEST(RunSim, ADestroyedNodeThatIsNotReplacedInTimeIsAFinding) {
  Profile profile = destroying_profile();
  profile.rate(Fault::bit_rot) = 20'000;
  profile.healing_ns_max = 2 * second;
  profile.notice_ns_max = 3600 * second;
  std::uint64_t found = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const RunResult result = run_seed(profile, seed);
    found += std::ranges::any_of(result.findings, [](const invariants::Finding& finding) {
      return finding.rung == Rung::V11 && finding.text.starts_with("a destroyed node was not replaced");
    });
  }
  EXPECT_GE(found, 3U);
}

TEST(RunSim, ARestartIsAnEvaluationOfTheLogStorage) {
  Profile profile = quiet_profile(3);
  EXPECT_EQ(evaluations(run_seed(profile, 4), Rung::R4), 0U) << "nobody was struck";
  profile.rate(Fault::power_loss) = 200'000;
  const RunResult result = run_seed(profile, 4);
  EXPECT_EQ(result.verdict, Verdict::holds) << in_words(result);
  EXPECT_EQ(evaluations(result, Rung::R4), result.fired[static_cast<std::size_t>(Fault::power_loss)]);
}

TEST(RunSim, NothingIsLostOrLateAfterTheFaultPhase) {
  Profile profile = quiet_profile(3);
  profile.rate(Fault::message_loss) = 900'000;  // nothing works before
  profile.fault_phase_ns = second;
  profile.client_attempts = 2;
  const RunResult result = run_seed(profile, 5);
  EXPECT_NE(result.verdict, Verdict::violated) << in_words(result);
  EXPECT_GT(result.operations_ok, 0U) << "the last write and the last read";
}

// ---- Sizes and faults --------------------------------------------------------------------------------------------

class RunSimSize : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(RunSimSize, FiveSeedsHold) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const RunResult result = run_seed(short_profile(seed, GetParam()), seed);
    EXPECT_EQ(result.verdict, Verdict::holds)
        << "seed " << seed << " with " << GetParam() << " nodes: " << in_words(result);
    EXPECT_GT(result.committed, 1U);
    EXPECT_GT(result.elections, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(OneToNine, RunSimSize, ::testing::Range(1U, 10U),
                         ::testing::PrintToStringParamName());

TEST(RunSim, EveryKindOfFaultFiresSomewhereAndOnlyWhereItWasDrawn) {
  constexpr Fault rare[] = {Fault::lost_sectors, Fault::bit_rot,      Fault::full_disk,
                            Fault::power_loss,   Fault::process_kill, Fault::snapshot_rot};
  FaultCounts fired{};
  FaultCounts drawn{};
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Profile profile = short_profile(seed, static_cast<std::uint32_t>(3 + seed % 5));
    // The runs are a seventh of a default one: what strikes rarely strikes as often all the same.
    for (const Fault fault : rare) profile.rate(fault) = profile.rate(fault) * 7;
    RunOptions options;
    options.checks = false;
    const RunResult result = run_seed(profile, seed, options);
    for (std::size_t fault = 0; fault < faults; ++fault) {
      drawn[fault] += profile.rates[fault] != 0 ? 1 : 0;
      fired[fault] += result.fired[fault];
      if (profile.rates[fault] == 0) {
        EXPECT_EQ(result.fired[fault], 0U) << name(static_cast<Fault>(fault)) << " in seed " << seed;
      }
    }
  }
  for (std::size_t fault = 0; fault < faults; ++fault) {
    EXPECT_GT(drawn[fault], 0U) << name(static_cast<Fault>(fault));
    EXPECT_GT(fired[fault], 0U) << name(static_cast<Fault>(fault));
  }
}

// ---- Disks and pauses --------------------------------------------------------------------------------------------

/// A completion that waited for a pause was overtaken by a later one when another pause cut the first one short: the log
/// storage took a sync for done that was not (R7).
TEST(RunSim, AShorterPauseDoesNotMixUpTheCompletionsOfADisk) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Profile profile = quiet_profile(1);
    profile.fault_phase_ns = 10 * second;
    profile.sync_ns_max = 100 * millisecond;
    profile.pause_ns_max = 500 * millisecond;
    profile.rate(Fault::pause) = 500'000;
    profile.rate(Fault::process_kill) = 50'000;
    const RunResult result = run_seed(profile, seed);
    EXPECT_TRUE(result.findings.empty()) << seed << " " << in_words(result);
  }
}

}  // namespace
}  // namespace raftlab::simulator::testing
