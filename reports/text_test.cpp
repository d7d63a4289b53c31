#include "reports/text.hpp"

#include "reports/fabricated.hpp"
#include "reports/format.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace raftlab::reports {
namespace {

void expect_narrow(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(columns(line), line_columns) << line;
}

TEST(Text, AViolationTellsTheRootFirstAndThenWhatFell) {
  NextSteps next;
  next.trace = "raftlab-out/2026-11-21T10.02.11/8123.trace";
  next.replay = "raftlab replay raftlab-out/latest/8123.trace";
  next.show = "raftlab show raftlab-out/latest/8123.trace --around 41180";
  const std::string text = violation(violated(8123), next, Colour::off);
  EXPECT_EQ(
      text,
      "violated  seed 8123 at step 41,180, 12.771 s\n"
      "\n"
      "  root    N18 nothing-leaves-early  n2 granted its vote of term 7 to n1 before write 212 was durable\n"
      "  then    E2 vote-written-once      27 steps later  n2 voted n1 in term 7, then n3 in term 7\n"
      "  then    G1 one-leader-per-term    39 steps later  n1 and n3 lead term 7\n"
      "\n"
      "  profile 3 nodes, message_loss, pause\n"
      "  trace   raftlab-out/2026-11-21T10.02.11/8123.trace\n"
      "  replay  raftlab replay raftlab-out/latest/8123.trace\n"
      "  show    raftlab show raftlab-out/latest/8123.trace --around 41180\n");
  expect_narrow(text);
}

TEST(Text, ALongFindingStaysWithinTheTerminal) {
  SeedReport report = violated(1);
  for (auto& finding : report.result.findings) finding.text.insert(0, " and ").insert(0, 300, 'x');
  expect_narrow(violation(report, NextSteps{}, Colour::off));
}

TEST(Text, AFindingCannotSteerTheTerminal) {
  SeedReport report = violated(1);
  report.result.findings[0].text = "\x1b[2J";
  EXPECT_EQ(violation(report, NextSteps{}, Colour::off).find('\x1b'), std::string::npos);
}

TEST(Text, TheConclusionOfACampaignThatHolds) {
  Campaign campaign;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) campaign.add(holding(seed));
  const std::string text = conclusion(campaign, "seeds 1..2", "raftlab explore --seed 1", "", Colour::off);
  EXPECT_EQ(text,
            "holds   seeds 1..2, " + std::to_string(campaign.rungs_evaluated()) +
                " rungs evaluated, 1 of 2 fault kinds drawn fired\n"
                "        43.0 s of virtual time in 246 ms of CPU time (x174) · 82.3 k steps (334 k/CPU-s)\n"
                "        1,624 entries committed · 14 elections · 10 operations unknown to their clients\n"
                "        slowest seed 1 (123 ms of CPU time)\n"
                "replay  raftlab explore --seed 1\n");
  expect_narrow(text);
}

TEST(Text, TheConclusionOfACampaignThatDoesNot) {
  Campaign campaign;
  campaign.add(holding(1));
  campaign.add(violated(2));
  const std::string text = conclusion(campaign, "seeds 1..2", "", "", Colour::off);
  EXPECT_EQ(text.substr(0, text.find('\n')), "violated  seeds 1..2: 1 of 2 violated");
  expect_narrow(text);
}

TEST(Text, TheConclusionSaysWhyNothingIsConcluded) {
  Campaign campaign;
  campaign.add(inconclusive(7));
  const std::string text = conclusion(campaign, "seed 7", "", "SIGINT", Colour::off);
  EXPECT_NE(text.find("inconclusive  seed 7, "), std::string::npos) << text;
  EXPECT_NE(text.find("1 of 1 seed is inconclusive, more than 5 %"), std::string::npos) << text;
  EXPECT_NE(text.find("seed 7 is inconclusive: nothing was committed"), std::string::npos) << text;
  EXPECT_NE(text.find("interrupted by SIGINT"), std::string::npos) << text;
}

TEST(Text, AVerdictIsInColourOnlyWhenWanted) {
  EXPECT_EQ(verdict_word(simulator::Verdict::holds, Colour::off), "holds");
  EXPECT_EQ(verdict_word(simulator::Verdict::violated, Colour::on), "\x1b[31mviolated\x1b[0m");
}

TEST(Text, TheProgressSaysHowFarThingsAre) {
  Campaign campaign;
  campaign.add(violated(1));
  EXPECT_EQ(progress(campaign),
            "  seeds 1   1 violation   steps 41.1 k   virtual 21.5 s (x174)   crashes 0   partitions 0");
}

TEST(Text, TheProgressFitsOnALine) {
  Campaign campaign;
  SeedReport report = holding(1);
  report.result.steps = 96'400'000'000;
  report.result.virtual_ns = 1'000'000'000'000'000;
  for (int i = 0; i < 1000; ++i) campaign.add(report);
  EXPECT_LT(columns(progress(campaign)), line_columns);
}

}  // namespace
}  // namespace raftlab::reports
