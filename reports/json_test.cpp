#include "reports/json.hpp"

#include "reports/fabricated.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace raftlab::reports {
namespace {

TEST(Json, ASeedThatHoldsIsOneLine) {
  EXPECT_EQ(
      json_seed(holding(17)),
      R"({"seed":17,"verdict":"holds","rung":null,"step":null,"digest":"0000000000abcdef","virtual_seconds":21.5,)"
      R"("cpu_seconds":0.123456789,"steps":41180,"messages":30000,"committed":812,"elections":7,)"
      R"("faults":{"message_loss":31,"pause":0},"operations":{"ok":800,"failed":12,"unknown":5},"marks":{}})");
}

TEST(Json, AViolatedSeedNamesItsRootAndItsStep) {
  const auto json = nlohmann::json::parse(json_seed(violated(3)));
  EXPECT_EQ(json["verdict"], "violated");
  EXPECT_EQ(json["rung"], "N18");
  EXPECT_EQ(json["step"], 41'180);
}

TEST(Json, TheSummaryCountsTheEvaluationsOfEveryRung) {
  Campaign campaign;
  campaign.add(holding(1));
  campaign.add(violated(2));
  const auto json = nlohmann::json::parse(json_summary(campaign, ""))["summary"];
  EXPECT_EQ(json["verdict"], "violated");
  EXPECT_EQ(json["seeds"], 2);
  EXPECT_EQ(json["interrupted"], nullptr);
  EXPECT_EQ(json["evaluations"]["N18"], 4);
  EXPECT_EQ(json["faults"]["message_loss"]["drawn_seeds"], 2);
  EXPECT_EQ(json["faults"]["message_loss"]["fired_seeds"], 2);
  EXPECT_EQ(json["faults"]["message_loss"]["fired"], 62);
  EXPECT_EQ(json["faults"]["pause"]["fired_seeds"], 0);
  EXPECT_EQ(json["operations"]["ok"], 1600);
}

TEST(Json, TheSummaryNamesTheSignal) {
  EXPECT_EQ(nlohmann::json::parse(json_summary(Campaign{}, "SIGTERM"))["summary"]["interrupted"], "SIGTERM");
}

TEST(Json, ATraceIsAHeaderItsStepsAndAnEnd) {
  simulator::Trace trace;
  trace.header.seed = 5;
  trace.findings = violated(5).result.findings;
  simulator::TraceStep step;
  step.number = 3;
  step.time = 1'500'000'000;
  step.node = raft::NodeId(2);
  step.term = raft::Term(7);
  step.what = "tick \xff";
  trace.steps = {step};
  const auto header = nlohmann::json::parse(json_trace_header(trace));
  EXPECT_EQ(header["schema"], "raftlab-trace-2");
  EXPECT_EQ(header["seed"], 5);
  const auto line = nlohmann::json::parse(json_trace_step(step));
  EXPECT_EQ(line["step"], 3);
  EXPECT_EQ(line["t"], 1.5);
  EXPECT_EQ(line["node"], 2);
  EXPECT_EQ(line["state"]["term"], 7);
  EXPECT_EQ(line["what"], "tick \xef\xbf\xbd");
  EXPECT_EQ(nlohmann::json::parse(json_trace_end(trace))["findings"].size(), 3U);
}

TEST(Json, AnIncidentIsAnObjectOfItsOwn) {
  simulator::Incident incident{41, 1'500'000'000, raft::NodeId(3), simulator::IncidentKind::crash, "killed"};
  EXPECT_EQ(json_trace_incident(incident),
            R"({"incident":"crash","after_step":41,"t":1.5,"node":3,"what":"killed"})");
  incident.node = raft::NodeId{};
  incident.kind = simulator::IncidentKind::partition;
  EXPECT_TRUE(nlohmann::json::parse(json_trace_incident(incident))["node"].is_null());
}

TEST(Json, AFaultThatFiredWithoutBeingDrawnIsListed) {
  SeedReport report = holding(1);
  report.result.fired[static_cast<std::size_t>(simulator::Fault::span)] = 4;
  const auto faults = nlohmann::json::parse(json_seed(report))["faults"];
  EXPECT_EQ(faults.size(), 3U);
  EXPECT_EQ(faults["span"], 4);
}

TEST(Json, TheGreatestSeedIsAWholeNumber) {
  SeedReport report = holding(~std::uint64_t{0});
  report.result.digest = ~std::uint64_t{0};
  const auto json = nlohmann::json::parse(json_seed(report));
  EXPECT_EQ(json["seed"].get<std::uint64_t>(), ~std::uint64_t{0});
  EXPECT_EQ(json["digest"], "ffffffffffffffff");
}

TEST(Json, TheSummaryHasItsFieldsInOrder) {
  const auto json = nlohmann::ordered_json::parse(json_summary(Campaign{}, ""));
  EXPECT_EQ(json.size(), 1U);
  std::vector<std::string> keys;
  for (const auto& [key, value] : json["summary"].items()) keys.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{"verdict", "reasons", "interrupted", "seeds", "holds", "violated",
                                            "inconclusive", "virtual_seconds", "cpu_seconds", "steps",
                                            "messages", "committed", "elections", "faults", "operations",
                                            "evaluations", "marks", "marks_missed"}));
}

TEST(Json, TheSummaryKnowsEveryFaultKindAndEveryRung) {
  const auto summary = nlohmann::json::parse(json_summary(Campaign{}, ""))["summary"];
  EXPECT_EQ(summary["faults"].size(), simulator::faults);
  for (const invariants::RungInfo& rung : invariants::rungs())
    EXPECT_TRUE(summary["evaluations"].contains(rung.id)) << rung.id;
}

TEST(Json, TheSummarySaysWhyNothingIsConcluded) {
  Campaign campaign;
  campaign.add(inconclusive(1));
  const auto summary = nlohmann::json::parse(json_summary(campaign, ""))["summary"];
  EXPECT_EQ(summary["verdict"], "inconclusive");
  EXPECT_EQ(summary["reasons"], nlohmann::json::array({"1 of 1 seed is inconclusive, more than 5 %"}));
  EXPECT_EQ(summary["inconclusive"], 1);
}

TEST(Json, AStepHasItsFieldsInOrder) {
  simulator::TraceStep step;
  step.number = 9;
  step.digest = 0xab;
  step.role = raft::Role::leader;
  step.vote = raft::NodeId(2);
  step.commit = raft::Index(3);
  step.applied = raft::Index(4);
  step.durable = raft::Index(5);
  step.last = raft::Index(6);
  step.what = "tick";
  EXPECT_EQ(json_trace_step(step),
            R"({"step":9,"t":0.0,"node":0,"state":{"term":0,"vote":2,"role":"leader","commit":3,"applied":4,)"
            R"("durable":5,"last":6},"digest":"00000000000000ab","what":"tick"})");
}

TEST(Json, TheEndOfATraceHasVerdictReasonAndFindings) {
  simulator::Trace trace;
  trace.verdict = simulator::Verdict::violated;
  trace.digest = 1;
  trace.findings = {violated(1).result.findings[0]};
  EXPECT_EQ(
      json_trace_end(trace),
      R"({"end":true,"verdict":"violated","reason":"","digest":"0000000000000001","findings":[{"rung":"E2",)"
      R"("name":"vote-written-once","step":41207,"t":12.804,"node":2,)"
      R"("text":"n2 voted n1 in term 7, then n3 in term 7"}]})");
}

TEST(Json, TheHeaderOfATraceCountsWhatFollows) {
  simulator::Trace trace;
  trace.header.checks = false;
  trace.header.profile.nodes = 4;
  trace.decisions = {{1, 2}, {3, 4}};
  trace.steps.resize(5);
  const auto json = nlohmann::json::parse(json_trace_header(trace));
  EXPECT_EQ(json["checks"], "off");
  EXPECT_EQ(json["nodes"], 4);
  EXPECT_EQ(json["decisions"], 2);
  EXPECT_EQ(json["steps"], 5);
  EXPECT_EQ(json["profile"], simulator::to_toml(trace.header.profile));
}

}  // namespace
}  // namespace raftlab::reports
