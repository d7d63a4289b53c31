#include "simulator/trace.hpp"

#include <gtest/gtest.h>

#include <map>

namespace raftlab::simulator {
namespace {

/// A short run with faults of several kinds.
TraceHeader small_header(std::uint64_t seed) {
  TraceHeader header;
  header.seed = seed;
  header.profile.nodes = 3;
  header.profile.fault_phase_ns = 3 * second;
  header.profile.rate(Fault::message_loss) = 50'000;
  header.profile.rate(Fault::power_loss) = 50'000;
  header.profile.rate(Fault::lost_write) = 500'000;
  header.profile.rate(Fault::partition_isolate) = 50'000;
  header.profile.rate(Fault::pause) = 50'000;
  header.profile.rate(Fault::slow_sync) = 10'000;
  header.profile.rate(Fault::full_disk) = 20'000;
  header.profile.healing_cut = true;
  header.profile.codec_ppm = 100'000;
  return header;
}

Trace recorded(std::uint64_t seed, RunResult* result = nullptr) {
  RandomChooser chooser{Seed(seed)};
  return record(small_header(seed), chooser, result);
}

Trace through_bytes(const Trace& trace) {
  auto decoded = decode_trace(encode(trace));
  EXPECT_TRUE(std::holds_alternative<Trace>(decoded));
  return std::move(std::get<Trace>(decoded));
}

TEST(TraceSim, ARecordedRunIsIdenticalWhenItIsReplayed) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const Trace trace = through_bytes(recorded(seed));
    ASSERT_GT(trace.steps.size(), 100U);
    ASSERT_FALSE(trace.decisions.empty());
    const ReplayResult result = replay(trace);
    EXPECT_TRUE(result.identical) << "step " << result.step << ' ' << result.field << ": " << result.expected
                                  << ", now " << result.found;
    EXPECT_EQ(result.run.digest, trace.digest);
    EXPECT_EQ(result.run.verdict, trace.verdict);
  }
}

TEST(TraceSim, RecordingAndChecksChangeNothing) {
  RunResult with;
  const Trace trace = recorded(5, &with);
  RandomChooser chooser{Seed(5)};
  RunOptions options;
  options.checks = false;
  const RunResult without = run(trace.header.profile, chooser, options);
  EXPECT_EQ(without.digest, with.digest);
  EXPECT_EQ(without.steps, with.steps);
}

TEST(TraceSim, AReplayDoesNotDrawFromTheSeed) {
  Trace trace = recorded(2);
  trace.header.seed = 0;
  EXPECT_TRUE(replay(through_bytes(trace)).identical);
}

TEST(TraceSim, AMissingDecisionIsFoundAtAStep) {
  Trace trace = recorded(1);
  trace.decisions.erase(trace.decisions.begin() + static_cast<std::ptrdiff_t>(trace.decisions.size() / 2),
                        trace.decisions.end());
  const ReplayResult result = replay(trace);
  EXPECT_FALSE(result.identical);
  EXPECT_GT(result.step, 0U);
  EXPECT_FALSE(result.field.empty());
  EXPECT_NE(result.expected, result.found);
}

TEST(TraceSim, TheFieldThatDiffersIsNamed) {
  const Trace good = recorded(1);
  const std::size_t middle = good.steps.size() / 2;
  const auto field_of = [&](auto change) {
    Trace trace = good;
    change(trace.steps[middle]);
    const ReplayResult result = replay(trace);
    EXPECT_EQ(result.step, good.steps[middle].number);
    return result.field;
  };
  EXPECT_EQ(field_of([](TraceStep& step) { step.digest ^= 1; }), "digest");
  EXPECT_EQ(field_of([](TraceStep& step) { step.time += 1; }), "time");
  EXPECT_EQ(field_of([](TraceStep& step) { step.node = step.node.next(); }), "node");
  EXPECT_EQ(field_of([](TraceStep& step) { step.role = raft::Role::pre_candidate; }), "role");
  EXPECT_EQ(field_of([](TraceStep& step) { step.term = step.term.next(); }), "term");
  EXPECT_EQ(field_of([](TraceStep& step) { step.vote = step.vote.next(); }), "vote");
  EXPECT_EQ(field_of([](TraceStep& step) { step.commit = step.commit.next(); }), "commit");
  EXPECT_EQ(field_of([](TraceStep& step) { step.applied = step.applied.next(); }), "applied");
  EXPECT_EQ(field_of([](TraceStep& step) { step.durable = step.durable.next(); }), "durable");
  EXPECT_EQ(field_of([](TraceStep& step) { step.last = step.last.next(); }), "last");
}

TEST(TraceSim, ARunThatEndsEarlyOrLateDiffersAtItsEnd) {
  const Trace good = recorded(1);
  Trace shorter = good;
  shorter.steps.pop_back();
  const ReplayResult late = replay(shorter);
  EXPECT_EQ(late.field, "end");
  EXPECT_EQ(late.step, good.steps.back().number);
  Trace longer = good;
  longer.steps.push_back(good.steps.back());
  longer.steps.back().number += 1;
  const ReplayResult early = replay(longer);
  EXPECT_EQ(early.field, "end");
  EXPECT_EQ(early.step, good.steps.back().number + 1);
}

TEST(TraceSim, AnotherVerdictIsADifference) {
  Trace trace = recorded(1);
  trace.verdict = trace.verdict == Verdict::violated ? Verdict::holds : Verdict::violated;
  EXPECT_EQ(replay(trace).field, "verdict");
}

/// How often each kind occurs.
std::map<IncidentKind, std::uint64_t> kinds_of(const Trace& trace) {
  std::map<IncidentKind, std::uint64_t> kinds;
  for (const Incident& incident : trace.incidents) ++kinds[incident.kind];
  return kinds;
}

TEST(TraceSim, WhatHappensToTheClusterStandsBetweenTheSteps) {
  RunResult result;
  const Trace trace = through_bytes(recorded(1, &result));
  const auto kinds = kinds_of(trace);
  const auto fired = [&](Fault fault) { return result.fired[static_cast<std::size_t>(fault)]; };
  EXPECT_GT(fired(Fault::power_loss), 0U);
  EXPECT_GE(kinds.at(IncidentKind::crash), fired(Fault::power_loss)) << "and who met a full disk";
  EXPECT_EQ(kinds.at(IncidentKind::start), kinds.at(IncidentKind::crash) + 3);
  EXPECT_EQ(kinds.at(IncidentKind::partition), fired(Fault::partition_isolate) + 1) << "and the last one";
  EXPECT_EQ(kinds.at(IncidentKind::pause), fired(Fault::pause));
  EXPECT_GE(kinds.at(IncidentKind::disk), fired(Fault::slow_sync) + fired(Fault::full_disk));
  EXPECT_EQ(kinds.at(IncidentKind::mend), kinds.at(IncidentKind::partition));
  EXPECT_EQ(kinds.at(IncidentKind::healing), 1U);
  std::uint64_t after = 0;
  Time time = 0;
  for (const Incident& incident : trace.incidents) {
    EXPECT_FALSE(incident.what.empty()) << name(incident.kind);
    EXPECT_GE(incident.after_step, after);
    EXPECT_GE(incident.time, time);
    after = incident.after_step;
    time = incident.time;
    if (after == 0) continue;
    ASSERT_LE(after, trace.steps.size());
    EXPECT_LE(trace.steps[after - 1].time, time);
    if (after < trace.steps.size()) {
      EXPECT_GE(trace.steps[after].time, time);
    }
  }
}

TEST(TraceSim, AReplayDoesNotCompareIncidents) {
  Trace trace = recorded(1);
  trace.incidents.clear();
  EXPECT_TRUE(replay(through_bytes(trace)).identical);
}

TEST(TraceSim, EveryStepIsDescribed) {
  for (const TraceStep& step : recorded(1).steps) EXPECT_FALSE(step.what.empty());
}

}  // namespace
}  // namespace raftlab::simulator
