#include "tools/raftlab/runner.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace raftlab::tool {
namespace {

using simulator::Verdict;

/// Seeds that take different amounts of work, so that they end out of order.
reports::SeedReport worked(std::uint64_t seed, const std::set<std::uint64_t>& violated) {
  reports::SeedReport report;
  report.seed = seed;
  volatile std::uint64_t work = 0;
  for (std::uint64_t i = 0; i < seed * 7919 % 13 * 20'000; ++i) work = work + i;
  report.result.verdict = violated.contains(seed) ? Verdict::violated : Verdict::holds;
  return report;
}

std::vector<std::uint64_t> emitted(const RunnerOptions& options, const std::set<std::uint64_t>& violated) {
  std::vector<std::uint64_t> seeds;
  RunnerCalls calls;
  calls.run = [&](std::uint64_t seed, const std::atomic<bool>& /*stop*/) { return worked(seed, violated); };
  calls.emit = [&](const reports::SeedReport& report) { seeds.push_back(report.seed); };
  EXPECT_FALSE(run_seeds(SeedSequence(SeedRange{1, 60}, Shard{}), options, calls));
  return seeds;
}

std::vector<std::uint64_t> from_1_to(std::uint64_t last) {
  std::vector<std::uint64_t> seeds;
  for (std::uint64_t seed = 1; seed <= last; ++seed) seeds.push_back(seed);
  return seeds;
}

TEST(Runner, HandsReportsOutInOrderForAnyNumberOfJobs) {
  for (const unsigned jobs : {1U, 2U, 5U, 100U}) {
    RunnerOptions options;
    options.jobs = jobs;
    EXPECT_EQ(emitted(options, {}), from_1_to(60)) << jobs;
  }
}

TEST(Runner, EndsWithTheLowestViolatedSeedForAnyNumberOfJobs) {
  for (const unsigned jobs : {1U, 2U, 5U, 100U}) {
    RunnerOptions options;
    options.jobs = jobs;
    EXPECT_EQ(emitted(options, {17, 18, 19, 40}), from_1_to(17)) << jobs;
    options.keep_going = true;
    EXPECT_EQ(emitted(options, {17, 18, 19, 40}), from_1_to(60)) << jobs;
  }
}

TEST(Runner, GivesUpSeedsAboveAViolatedOne) {
  RunnerOptions options;
  options.jobs = 2;
  std::vector<std::uint64_t> seeds;
  RunnerCalls calls;
  calls.run = [&](std::uint64_t seed, const std::atomic<bool>& stop) {
    // Seed 2 would go on for ever.
    while (seed == 2 && !stop) std::this_thread::yield();
    return worked(seed, {1});
  };
  calls.emit = [&](const reports::SeedReport& report) { seeds.push_back(report.seed); };
  EXPECT_FALSE(run_seeds(SeedSequence(SeedRange{1, 2}, Shard{}), options, calls));
  EXPECT_EQ(seeds, from_1_to(1));
}

TEST(Runner, ATimeBudgetLetsOneSeedRun) {
  RunnerOptions options;
  options.time_budget = std::chrono::nanoseconds(0);
  EXPECT_EQ(emitted(options, {}), from_1_to(1));
}

TEST(Runner, StopsWhenItIsTold) {
  std::atomic<bool> stop = false;
  RunnerOptions options;
  options.jobs = 2;
  options.stop = &stop;
  std::vector<std::uint64_t> seeds;
  RunnerCalls calls;
  calls.run = [&](std::uint64_t seed, const std::atomic<bool>& given_up) {
    while (seed > 5 && !given_up) std::this_thread::yield();
    return worked(seed, {});
  };
  calls.emit = [&](const reports::SeedReport& report) {
    seeds.push_back(report.seed);
    if (report.seed == 5) stop = true;
  };
  EXPECT_FALSE(run_seeds(SeedSequence(SeedRange{}, Shard{}), options, calls));
  EXPECT_EQ(seeds, from_1_to(5));
}

TEST(Runner, AnExceptionEndsTheCampaignWithTheNameOfTheSeed) {
  RunnerOptions options;
  options.jobs = 2;
  RunnerCalls calls;
  calls.run = [&](std::uint64_t seed, const std::atomic<bool>& /*stop*/) {
    if (seed == 9) throw std::runtime_error("no such thing");
    return worked(seed, {});
  };
  calls.emit = [](const reports::SeedReport& /*report*/) {};
  EXPECT_EQ(run_seeds(SeedSequence(SeedRange{}, Shard{}), options, calls), "seed 9: no such thing");
}

TEST(Runner, WithoutASeedNothingIsRun) {
  RunnerCalls calls;
  calls.run = [](std::uint64_t seed, const std::atomic<bool>& /*stop*/) {
    ADD_FAILURE() << seed;
    return reports::SeedReport{};
  };
  calls.emit = [](const reports::SeedReport& /*report*/) { ADD_FAILURE(); };
  EXPECT_FALSE(run_seeds(SeedSequence(SeedRange{1, 1}, Shard{0, 2}), RunnerOptions{}, calls));
}

TEST(Runner, NoJobIsOneJob) {
  RunnerOptions options;
  options.jobs = 0;
  EXPECT_EQ(emitted(options, {}), from_1_to(60));
}

TEST(Runner, StartsNoSeedAfterItsTime) {
  const auto budget = std::chrono::milliseconds(5);
  RunnerOptions options;
  options.time_budget = budget;
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::uint64_t> seeds;
  RunnerCalls calls;
  calls.run = [&](std::uint64_t seed, const std::atomic<bool>& /*stop*/) {
    // The third seed takes more than what is left.
    while (seed == 3 && std::chrono::steady_clock::now() - start < 2 * budget) std::this_thread::yield();
    return worked(seed, {});
  };
  calls.emit = [&](const reports::SeedReport& report) { seeds.push_back(report.seed); };
  EXPECT_FALSE(run_seeds(SeedSequence(SeedRange{}, Shard{}), options, calls));
  ASSERT_FALSE(seeds.empty());
  EXPECT_LE(seeds.size(), 3U);
  EXPECT_EQ(seeds, from_1_to(seeds.size()));
}

TEST(Runner, ASeedUnderWayIsNotCutShortByTheTime) {
  RunnerOptions options;
  options.time_budget = std::chrono::nanoseconds(1);
  RunnerCalls calls;
  bool told_to_stop = true;
  calls.run = [&](std::uint64_t seed, const std::atomic<bool>& stop) {
    reports::SeedReport report = worked(seed + 12, {});
    told_to_stop = stop;
    return report;
  };
  calls.emit = [](const reports::SeedReport& /*report*/) {};
  EXPECT_FALSE(run_seeds(SeedSequence(SeedRange{}, Shard{}), options, calls));
  EXPECT_FALSE(told_to_stop);
}

TEST(Runner, ToldToStopBeforehandItEmitsNothingThatWasGivenUp) {
  const std::atomic<bool> stop = true;
  RunnerOptions options;
  options.stop = &stop;
  RunnerCalls calls;
  calls.run = [&](std::uint64_t seed, const std::atomic<bool>& given_up) {
    while (!given_up) std::this_thread::yield();
    return worked(seed, {});
  };
  calls.emit = [](const reports::SeedReport& report) { ADD_FAILURE() << report.seed; };
  EXPECT_FALSE(run_seeds(SeedSequence(SeedRange{}, Shard{}), options, calls));
}

TEST(Runner, EmitsAndTicksInTheThreadOfTheCaller) {
  RunnerOptions options;
  options.jobs = 3;
  const auto caller = std::this_thread::get_id();
  std::atomic<bool> ticked = false;
  RunnerCalls calls;
  calls.run = [&](std::uint64_t seed, const std::atomic<bool>& /*stop*/) {
    EXPECT_NE(std::this_thread::get_id(), caller);
    while (seed == 4 && !ticked) std::this_thread::yield();
    return worked(seed, {});
  };
  calls.emit = [&](const reports::SeedReport& /*report*/) { EXPECT_EQ(std::this_thread::get_id(), caller); };
  calls.tick = [&] {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    ticked = true;
  };
  EXPECT_FALSE(run_seeds(SeedSequence(SeedRange{1, 4}, Shard{}), options, calls));
  EXPECT_TRUE(ticked);
}

TEST(Runner, RunsTheSeedsOfAShardOnly) {
  RunnerOptions options;
  options.jobs = 3;
  std::vector<std::uint64_t> seeds;
  RunnerCalls calls;
  calls.run = [&](std::uint64_t seed, const std::atomic<bool>& /*stop*/) { return worked(seed, {}); };
  calls.emit = [&](const reports::SeedReport& report) { seeds.push_back(report.seed); };
  EXPECT_FALSE(run_seeds(SeedSequence(SeedRange{10, 20}, Shard{1, 4}), options, calls));
  EXPECT_EQ(seeds, (std::vector<std::uint64_t>{13, 17}));
}

TEST(Runner, RunsEverythingBelowAViolatedSeed) {
  RunnerOptions options;
  options.jobs = 2;
  std::atomic<bool> violated = false;
  std::vector<std::uint64_t> seeds;
  RunnerCalls calls;
  calls.run = [&](std::uint64_t seed, const std::atomic<bool>& stop) {
    // Seed 1 ends after seed 2 has fallen, and its result is wanted.
    while (seed == 1 && !violated) std::this_thread::yield();
    EXPECT_FALSE(stop && seed == 1);
    if (seed == 2) violated = true;
    return worked(seed, {2});
  };
  calls.emit = [&](const reports::SeedReport& report) { seeds.push_back(report.seed); };
  EXPECT_FALSE(run_seeds(SeedSequence(SeedRange{}, Shard{}), options, calls));
  EXPECT_EQ(seeds, from_1_to(2));
}

/// Seed 2 throws before seed 1 has ended.
std::optional<std::string> thrown_above(const RunnerOptions& options, const std::set<std::uint64_t>& violated,
                                        std::vector<std::uint64_t>& seeds) {
  std::atomic<bool> thrown = false;
  RunnerCalls calls;
  calls.run = [&](std::uint64_t seed, const std::atomic<bool>& stop) {
    if (seed == 2) {
      thrown = true;
      throw std::runtime_error("no such thing");
    }
    while (seed == 1 && !thrown) std::this_thread::yield();
    // The runner needs a moment to learn of it.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    while (seed == 1 && !stop && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return worked(seed, violated);
  };
  calls.emit = [&](const reports::SeedReport& report) { seeds.push_back(report.seed); };
  return run_seeds(SeedSequence(SeedRange{1, 9}, Shard{}), options, calls);
}

TEST(Runner, SeedsBelowAnExceptionCountAsWithOneJob) {
  RunnerOptions options;
  options.jobs = 2;
  std::vector<std::uint64_t> seeds;
  EXPECT_EQ(thrown_above(options, {}, seeds), "seed 2: no such thing");
  EXPECT_EQ(seeds, from_1_to(1));
}

TEST(Runner, AViolatedSeedBelowAnExceptionWinsAsWithOneJob) {
  RunnerOptions options;
  options.jobs = 2;
  std::vector<std::uint64_t> seeds;
  EXPECT_EQ(thrown_above(options, {1}, seeds), std::nullopt);
  EXPECT_EQ(seeds, from_1_to(1));
  options.keep_going = true;
  seeds.clear();
  EXPECT_EQ(thrown_above(options, {1}, seeds), "seed 2: no such thing");
  EXPECT_EQ(seeds, from_1_to(1));
}

TEST(Runner, NamesTheLowestSeedThatThrows) {
  RunnerOptions options;
  options.jobs = 2;
  std::atomic<bool> thrown = false;
  RunnerCalls calls;
  calls.run = [&](std::uint64_t seed, const std::atomic<bool>& /*stop*/) -> reports::SeedReport {
    while (seed == 1 && !thrown) std::this_thread::yield();
    thrown = true;
    throw std::runtime_error("no such thing");
  };
  calls.emit = [](const reports::SeedReport& report) { ADD_FAILURE() << report.seed; };
  EXPECT_EQ(run_seeds(SeedSequence(SeedRange{}, Shard{}), options, calls), "seed 1: no such thing");
}

}  // namespace
}  // namespace raftlab::tool
