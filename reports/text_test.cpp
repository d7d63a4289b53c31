#include "reports/text.hpp"

#include "reports/fabricated.hpp"
#include "reports/format.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>

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

TEST(Text, AVerdictIsPaddedWithinItsColour) {
  EXPECT_EQ(verdict_word(simulator::Verdict::holds, Colour::off, 8), "holds   ");
  EXPECT_EQ(verdict_word(simulator::Verdict::holds, Colour::on, 8), "\x1b[32mholds   \x1b[0m");
  EXPECT_EQ(verdict_word(simulator::Verdict::inconclusive, Colour::on), "\x1b[33minconclusive\x1b[0m");
}

TEST(Text, OnlyTheVerdictOfAViolationIsColoured) {
  std::string coloured = violation(violated(1), NextSteps{}, Colour::on);
  const std::string word = "\x1b[31mviolated\x1b[0m";
  ASSERT_EQ(coloured.substr(0, word.size()), word);
  EXPECT_EQ("violated" + coloured.substr(word.size()), violation(violated(1), NextSteps{}, Colour::off));
}

TEST(Text, AViolationLeavesOutTheCommandsThatAreNotThere) {
  const std::string text = violation(violated(1), NextSteps{}, Colour::off);
  for (const char* word : {"\n  trace ", "\n  replay ", "\n  show ", "\n  note "})
    EXPECT_EQ(text.find(word), std::string::npos) << word;
}

TEST(Text, AViolationTellsWhatElseThereIsToSay) {
  NextSteps next;
  next.note = "the trace was not saved";
  const std::string text = violation(violated(1), next, Colour::off);
  EXPECT_NE(text.find("\n  note    the trace was not saved\n"), std::string::npos) << text;
}

TEST(Text, AFindingAtTheStepOfTheRootIsToldSo) {
  SeedReport report = violated(1);
  report.result.findings[0].step = 41'180;
  report.result.findings[2].step = 41'179;
  const std::string text = violation(report, NextSteps{}, Colour::off);
  // In the order of the steps.
  const std::size_t earlier = text.find("G1 one-leader-per-term      1 step earlier  n1 and n3");
  const std::size_t same = text.find("E2 vote-written-once      at the same step  n2 voted");
  EXPECT_NE(earlier, std::string::npos) << text;
  EXPECT_NE(same, std::string::npos) << text;
  EXPECT_LT(earlier, same);
}

TEST(Text, AViolationWithoutAFindingHasStillASeed) {
  SeedReport report = violated(77);
  report.result.findings.clear();
  const std::string text = violation(report, NextSteps{}, Colour::off);
  EXPECT_EQ(text.substr(0, text.find('\n')), "violated  seed 77");
}

TEST(Text, ACommandIsBrokenBetweenTwoCommandsOnly) {
  NextSteps next;
  next.replay =
      "raftlab explore --seed 1 --profile " + std::string(50, 'p') + " --trace t && raftlab replay t";
  const std::string text = violation(violated(1), next, Colour::off);
  EXPECT_NE(text.find(" --trace t && \\\n          raftlab replay t\n"), std::string::npos) << text;
  next.replay = "raftlab replay " + std::string(150, 'p');
  EXPECT_NE(violation(violated(1), next, Colour::off).find("  replay  " + next.replay + "\n"),
            std::string::npos);
}

TEST(Text, AConclusionOfNoSeedHasNoFigures) {
  EXPECT_EQ(conclusion(Campaign{}, "seeds 1..9", "", "SIGTERM", Colour::off),
            "inconclusive  seeds 1..9\n"
            "              no seed was run to its end\n"
            "              interrupted by SIGTERM\n");
}

TEST(Text, AConclusionWithoutChecksSaysSo) {
  Campaign campaign;
  SeedReport report = holding(1);
  report.result.evaluations.clear();
  campaign.add(report);
  const std::string text = conclusion(campaign, "seed 1", "", "", Colour::off);
  EXPECT_EQ(text.substr(0, text.find('\n')), "holds   seed 1, checks off, 1 of 2 fault kinds drawn fired");
  EXPECT_EQ(text.find("never evaluated"), std::string::npos);
}

TEST(Text, AConclusionSaysWhenEveryFaultKindFired) {
  Campaign campaign;
  SeedReport report = holding(1);
  report.profile.rates.fill(1);
  report.result.fired.fill(1);
  campaign.add(report);
  EXPECT_NE(conclusion(campaign, "seed 1", "", "", Colour::off).find("evaluated, every fault kind fired\n"),
            std::string::npos);
}

TEST(Text, AConclusionNamesTheRungsThatWereNeverEvaluated) {
  Campaign campaign;
  SeedReport report = holding(1);
  report.result.evaluations[static_cast<std::size_t>(invariants::Rung::E2)] = 0;
  report.result.evaluations[static_cast<std::size_t>(invariants::Rung::N18)] = 0;
  campaign.add(report);
  const std::string text = conclusion(campaign, "seed 1", "", "", Colour::off);
  EXPECT_NE(text.find("\n        never evaluated: N18 E2\n"), std::string::npos) << text;
}

TEST(Text, AConclusionOfVeryManyIdleRungsIsNarrow) {
  Campaign campaign;
  SeedReport report = holding(1);
  std::fill(report.result.evaluations.begin() + 1, report.result.evaluations.end(), 0);
  campaign.add(report);
  expect_narrow(conclusion(campaign, "seed 1", "", "", Colour::off));
}

TEST(Text, AConclusionIsWithoutNumbersThatDivideByNothing) {
  Campaign campaign;
  SeedReport report = holding(1);
  report.cpu_ns = 0;
  campaign.add(report);
  const std::string text = conclusion(campaign, "seed 1", "", "", Colour::off);
  EXPECT_NE(text.find(" in 0 us of CPU time (x0) · 41.1 k steps (0/CPU-s)\n"), std::string::npos) << text;
}

TEST(Text, TheReasonOfAnInconclusiveSeedCannotSteerTheTerminal) {
  Campaign campaign;
  SeedReport report = inconclusive(1);
  report.result.reason = "\x1b[2J\nnothing";
  campaign.add(report);
  const std::string text = conclusion(campaign, "seed 1", "", "", Colour::off);
  EXPECT_NE(text.find("seed 1 is inconclusive: ?[2J nothing\n"), std::string::npos) << text;
}

TEST(Text, TheProgressCountsCrashesAndPartitionsOfEveryKind) {
  Campaign campaign;
  SeedReport report = holding(1);
  report.result.fired.fill(1);
  campaign.add(report);
  const std::string text = progress(campaign);
  EXPECT_NE(text.find("   crashes 3   partitions 6"), std::string::npos) << text;
}

TEST(Text, AConclusionTellsTheMarks) {
  using simulator::Mark;
  SeedReport report = holding(1);
  report.result.marks[static_cast<std::size_t>(Mark::figure_8)] = 2;
  report.result.marks[static_cast<std::size_t>(Mark::two_leaders)] = 1'500;
  Campaign one;
  one.add(report);
  EXPECT_NE(conclusion(one, "seed 1", "", "", Colour::off)
                .find("\n        2 of " + std::to_string(simulator::mark_count) +
                      " marks: two-leaders 1,500, figure-8 2\n"),
            std::string::npos);
  Campaign many;
  for (int i = 0; i < 500; ++i) many.add(report);
  const std::string text = conclusion(many, "seeds 1..500", "", "", Colour::off);
  EXPECT_NE(text.find(" marks reached, in the fewest seeds: two-leaders 500, figure-8 500\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\n              never came by: election-without-winner"), std::string::npos) << text;
  std::istringstream lines(text.substr(text.find(" marks reached")));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(columns(line), line_columns) << line;
}

}  // namespace
}  // namespace raftlab::reports
