#include "reports/show.hpp"

#include "reports/format.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace raftlab::reports {
namespace {

simulator::Trace trace_of(std::uint64_t steps) {
  simulator::Trace trace;
  for (std::uint64_t i = 1; i <= steps; ++i) {
    simulator::TraceStep step;
    step.number = i * 100;
    step.time = static_cast<simulator::Time>(i) * 1'234'000'000;
    step.node = raft::NodeId(static_cast<std::uint32_t>(i % 3 + 1));
    step.role = i == 2 ? raft::Role::leader : raft::Role::follower;
    step.term = raft::Term(7);
    step.vote = raft::NodeId(i == 2 ? 1 : 0);
    step.commit = step.applied = raft::Index(38);
    step.durable = step.last = raft::Index(40);
    step.what = "<- n1 RequestVote T7 (6,40)";
    trace.steps.push_back(step);
  }
  return trace;
}

std::string shown(const simulator::Trace& trace, const ShowOptions& options) {
  std::ostringstream out;
  show(out, trace, options);
  return out.str();
}

TEST(Show, PrintsALineOfFixedWidthForEachStep) {
  simulator::Trace trace = trace_of(2);
  trace.findings = {{invariants::Rung::N18, 200, 0, raft::NodeId(3), "too early"}};
  EXPECT_EQ(shown(trace, {}),
            "  step    time  node  T  role  V   C/A/D/last    what\n"
            "   100  1.234s  n2    7  F     -   38/38/40/40   <- n1 RequestVote T7 (6,40)\n"
            "   200  2.468s  n3    7  L     n1  38/38/40/40   ! N18  <- n1 RequestVote T7 (6,40)\n");
}

simulator::Incident incident_of(std::uint64_t after_step, std::uint32_t node, simulator::IncidentKind kind,
                                std::string what) {
  return {after_step, static_cast<simulator::Time>(after_step) * 12'340'000 + 1, raft::NodeId(node), kind,
          std::move(what)};
}

TEST(Show, WhatHappensToTheClusterHasALineBetweenTheSteps) {
  using simulator::IncidentKind;
  simulator::Trace trace = trace_of(2);
  trace.incidents = {incident_of(0, 2, IncidentKind::start, "life 1 from T1 and a log to 1"),
                     incident_of(100, 0, IncidentKind::partition, "halves, n1 | n2 n3"),
                     incident_of(150, 3, IncidentKind::crash, "power loss"),
                     incident_of(200, 0, IncidentKind::healing, "no more faults")};
  EXPECT_EQ(shown(trace, {}),
            "  step    time  node  T  role  V   C/A/D/last    what\n"
            "     *  0.000s  n2    start: life 1 from T1 and a log to 1\n"
            "   100  1.234s  n2    7  F     -   38/38/40/40   <- n1 RequestVote T7 (6,40)\n"
            "     *  1.234s  all   partition: halves, n1 | n2 n3\n"
            "     *  1.851s  n3    crash: power loss\n"
            "   200  2.468s  n3    7  L     n1  38/38/40/40   <- n1 RequestVote T7 (6,40)\n"
            "     *  2.468s  all   healing: no more faults\n");
}

TEST(Show, AnIncidentFitsIntoTheLineAndSteersNoTerminal) {
  simulator::Trace trace = trace_of(1);
  trace.incidents = {incident_of(0, 1, simulator::IncidentKind::refusal, std::string(300, 'x') + "\x1b[2J")};
  for (const bool long_lines : {false, true}) {
    ShowOptions options;
    options.long_lines = long_lines;
    const std::string text = shown(trace, options);
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(columns(line), line_columns) << line;
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find("…") == std::string::npos, long_lines);
  }
}

TEST(Show, ChoosesTheIncidentsBetweenTheChosenSteps) {
  using simulator::IncidentKind;
  simulator::Trace trace = trace_of(10);  // steps 100, 200 ... 1000
  for (std::uint64_t i = 0; i <= 10; ++i)
    trace.incidents.push_back(incident_of(i * 100, i % 2 == 0 ? 0 : 1, IncidentKind::pause, "x"));
  const auto incidents = [&](const ShowOptions& options) {
    std::vector<std::size_t> found;
    for (const ShownLine& line : choose_lines(trace, options)) {
      if (line.incident) found.push_back(line.position);
    }
    return found;
  };
  EXPECT_EQ(incidents({}).size(), 11U);
  ShowOptions options;
  options.around = 500;
  options.context = 1;
  EXPECT_EQ(incidents(options), (std::vector<std::size_t>{4, 5}));
  options.node = 3;  // its steps are 200, 500 and 800: the first and the last of it are chosen
  EXPECT_EQ(incidents(options), (std::vector<std::size_t>{0, 2, 4, 6, 8, 10})) << "of n3 or of the cluster";
  options.around = 800;
  EXPECT_EQ(incidents(options), (std::vector<std::size_t>{6, 8, 10}));
  options = {};
  options.last = 2;
  EXPECT_EQ(incidents(options), (std::vector<std::size_t>{9, 10}));
  // Directly before the first chosen step, as far as step numbers tell.
  trace.incidents = {incident_of(399, 1, IncidentKind::crash, "x")};
  options = {};
  options.around = 500;
  options.context = 1;
  EXPECT_EQ(incidents(options), (std::vector<std::size_t>{0}));
  // A trace without steps has its incidents all the same.
  trace.steps.clear();
  EXPECT_EQ(incidents({}), (std::vector<std::size_t>{0}));
}

// Thirty letters are more than a third of what the columns before them leave.
TEST(Show, ALongLineIsCutOrWrapped) {
  simulator::Trace trace = trace_of(1);
  trace.steps[0].what.clear();
  for (const char letter : {'a', 'b', 'c'}) trace.steps[0].what.append(30, letter).append(1, ' ');
  for (const bool long_lines : {false, true}) {
    ShowOptions options;
    options.long_lines = long_lines;
    const std::string text = shown(trace, options);
    std::istringstream lines(text);
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) EXPECT_LE(columns(line), line_columns) << line;
    EXPECT_EQ(count, long_lines ? 4U : 2U) << text;
    EXPECT_EQ(text.find("…") == std::string::npos, long_lines);
  }
}

TEST(Show, ChoosesTheStepsAroundOne) {
  const simulator::Trace trace = trace_of(10);
  ShowOptions options;
  options.around = 500;
  options.context = 2;
  EXPECT_EQ(choose_steps(trace, options), (std::vector<std::size_t>{2, 3, 4, 5, 6}));
  options.around = 1;
  EXPECT_EQ(choose_steps(trace, options), (std::vector<std::size_t>{0, 1, 2}));
  options.around = 99'999;
  EXPECT_EQ(choose_steps(trace, options), (std::vector<std::size_t>{8, 9}));
  options.around = 450;  // no step has this number: the next one stands for it
  EXPECT_EQ(choose_steps(trace, options), (std::vector<std::size_t>{2, 3, 4, 5, 6}));
  options.context = ~std::uint64_t{0};
  EXPECT_EQ(choose_steps(trace, options).size(), 10U);
}

TEST(Show, ChoosesTheStepsOfANodeAndTheLastOnes) {
  const simulator::Trace trace = trace_of(10);
  ShowOptions options;
  options.node = 1;
  EXPECT_EQ(choose_steps(trace, options), (std::vector<std::size_t>{2, 5, 8}));
  options.last = 2;
  EXPECT_EQ(choose_steps(trace, options), (std::vector<std::size_t>{5, 8}));
  options.last = 99;
  EXPECT_EQ(choose_steps(trace, options).size(), 3U);
  EXPECT_TRUE(choose_steps(simulator::Trace{}, options).empty());
}

TEST(Show, WithoutAStepThereIsTheHeadingAlone) {
  EXPECT_EQ(shown(simulator::Trace{}, {}), "  step  time  node  T  role  V  C/A/D/last   what\n");
}

TEST(Show, ColumnsAreAsWideAsTheShownStepsNeed) {
  simulator::Trace trace = trace_of(2);
  trace.steps[0].number = 1'000'000;
  trace.steps[1].number = 1'000'001;
  trace.steps[1].term = raft::Term(12'345);
  ShowOptions options;
  EXPECT_EQ(shown(trace, options).substr(0, 42), "       step    time  node      T  role  V ");
  options.node = 2;  // the step without the long term
  EXPECT_EQ(shown(trace, options).substr(0, 38), "       step    time  node  T  role  V ");
}

TEST(Show, EveryRoleHasItsLetters) {
  simulator::Trace trace = trace_of(1);
  for (const raft::Role role :
       {raft::Role::follower, raft::Role::pre_candidate, raft::Role::candidate, raft::Role::leader}) {
    trace.steps[0].role = role;
    EXPECT_NE(shown(trace, {}).find("  7  " + std::string(raft::short_name(role)) + " "), std::string::npos);
  }
}

TEST(Show, SeveralFindingsOfAStepAreMarkedInTheirOrder) {
  simulator::Trace trace = trace_of(2);
  trace.findings = {{invariants::Rung::G1, 200, 0, raft::NodeId(3), "b"},
                    {invariants::Rung::E2, 200, 0, raft::NodeId(3), "a"},
                    {invariants::Rung::N0, 999, 0, raft::NodeId(3), "not shown"}};
  const std::string text = shown(trace, {});
  EXPECT_NE(text.find("   ! G1  ! E2  <- n1 RequestVote"), std::string::npos) << text;
  EXPECT_EQ(text.find("N0"), std::string::npos);
}

TEST(Show, TheWordsOfAStepCannotSteerTheTerminal) {
  simulator::Trace trace = trace_of(1);
  trace.steps[0].what = "\x1b[2J\n\x9b";
  EXPECT_EQ(shown(trace, {}).find_first_of("\x1b\x9b"), std::string::npos);
}

TEST(Show, TheGreatestNumbersAreShownWhole) {
  simulator::Trace trace = trace_of(1);
  trace.steps[0].number = ~std::uint64_t{0};
  trace.steps[0].time = std::numeric_limits<simulator::Time>::max();
  trace.steps[0].term = raft::Term(~std::uint64_t{0});
  const std::string text = shown(trace, {});
  EXPECT_NE(text.find("18,446,744,073,709,551,615  9,223,372,036.854s"), std::string::npos) << text;
  EXPECT_NE(text.find("  18446744073709551615  "), std::string::npos) << text;
}

TEST(Show, TheLastOnesAreThoseAroundTheStep) {
  const simulator::Trace trace = trace_of(10);
  ShowOptions options;
  options.around = 500;
  options.context = 2;
  options.last = 2;
  EXPECT_EQ(choose_steps(trace, options), (std::vector<std::size_t>{5, 6}));
  options.last = 0;
  EXPECT_TRUE(choose_steps(trace, options).empty());
}

TEST(Show, AroundCountsTheStepsOfTheNodeOnly) {
  const simulator::Trace trace = trace_of(10);
  ShowOptions options;
  options.node = 1;
  options.around = 600;
  options.context = 1;
  EXPECT_EQ(choose_steps(trace, options), (std::vector<std::size_t>{2, 5, 8}));
  options.context = 0;
  EXPECT_EQ(choose_steps(trace, options), (std::vector<std::size_t>{5}));
}

TEST(Show, ANodeWithoutAStepChoosesNothing) {
  ShowOptions options;
  options.node = 9;
  EXPECT_TRUE(choose_steps(trace_of(10), options).empty());
  options.around = 500;
  EXPECT_TRUE(choose_steps(trace_of(10), options).empty());
}

}  // namespace
}  // namespace raftlab::reports
