#include "tools/raftlab/runner.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace raftlab::tool
