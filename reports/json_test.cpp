#include "reports/json.hpp"

#include "reports/fabricated.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace raftlab::reports {
namespace {

TEST(Json, ASeedThatHoldsIsOneLine) {
  EXPECT_EQ(
      json_seed(holding(17)),
      R"({"seed":17,"verdict":"holds","rung":null,"step":null,"digest":"0000000000abcdef","virtual_seconds":21.5,)"
      R"("cpu_seconds":0.123456789,"steps":41180,"messages":30000,"committed":812,"elections":7,)"
      R"("faults":{"message_loss":31,"pause":0},"operations":{"ok":800,"failed":12,"unknown":5}})");
}

TEST(Json, AViolatedSeedNamesItsRootAndItsStep) {
  const auto json = nlohmann::json::parse(json_seed(violated(3)));
  EXPECT_EQ(json["verdict"], "violated");
  EXPECT_EQ(json["rung"], "N18");
  EXPECT_EQ(json["step"], 41'180);
}

TEST(Json, TheSummaryCountsTheEvaluationsOfEveryActiveRung) {
  Campaign campaign;
  campaign.add(holding(1));
  campaign.add(violated(2));
  const auto json = nlohmann::json::parse(json_summary(campaign, ""))["summary"];
  EXPECT_EQ(json["verdict"], "violated");
  EXPECT_EQ(json["seeds"], 2);
  EXPECT_EQ(json["interrupted"], nullptr);
  EXPECT_EQ(json["evaluations"]["N18"], 4);
  EXPECT_FALSE(json["evaluations"].contains("G12"));
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

}  // namespace
}  // namespace raftlab::reports
