#include "reports/show.hpp"

#include "reports/format.hpp"

#include <gtest/gtest.h>

#include <sstream>

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

}  // namespace
}  // namespace raftlab::reports
