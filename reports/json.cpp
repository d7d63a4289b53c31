#include "reports/json.hpp"

#include "reports/format.hpp"

#include <nlohmann/json.hpp>

namespace raftlab::reports {
namespace {

using Json = nlohmann::ordered_json;
using simulator::Fault;

/// Texts may hold any byte; what is not UTF-8 is replaced.
std::string line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

double in_seconds(std::int64_t ns) { return static_cast<double>(ns) / 1e9; }

Json finding_json(const invariants::Finding& finding) {
  return Json{{"rung", invariants::info(finding.rung).id},
              {"name", invariants::info(finding.rung).name},
              {"step", finding.step},
              {"t", in_seconds(finding.time_ns)},
              {"node", finding.node.value()},
              {"text", finding.text}};
}

}  // namespace

std::string json_seed(const SeedReport& report) {
  const simulator::RunResult& result = report.result;
  const invariants::Finding* found = simulator::root(result);
  Json faults = Json::object();
  for (std::size_t i = 0; i < simulator::faults; ++i) {
    if (report.profile.rates[i] != 0 || result.fired[i] != 0)
      faults[name(static_cast<Fault>(i))] = result.fired[i];
  }
  Json json;
  json["seed"] = report.seed;
  json["verdict"] = name(result.verdict);
  json["rung"] = found != nullptr ? Json(invariants::info(found->rung).id) : Json();
  json["step"] = found != nullptr ? Json(found->step) : Json();
  json["digest"] = hexadecimal(result.digest);
  json["virtual_seconds"] = in_seconds(result.virtual_ns);
  json["cpu_seconds"] = in_seconds(report.cpu_ns);
  json["steps"] = result.steps;
  json["messages"] = result.messages_sent;
  json["committed"] = result.committed;
  json["elections"] = result.elections;
  json["faults"] = std::move(faults);
  json["operations"] = Json{{"ok", result.operations_ok},
                            {"failed", result.operations_failed},
                            {"unknown", result.operations_unknown}};
  Json marks = Json::object();
  for (const simulator::MarkInfo& mark : simulator::marks()) {
    const std::uint64_t fired = result.marks[static_cast<std::size_t>(mark.mark)];
    if (fired != 0) marks[mark.name] = fired;
  }
  json["marks"] = std::move(marks);
  return line(json);
}

std::string json_summary(const Campaign& campaign, std::string_view interrupted) {
  const Campaign::Totals& totals = campaign.totals();
  Json json;
  json["verdict"] = name(campaign.verdict());
  json["reasons"] = campaign.reasons();
  json["interrupted"] = interrupted.empty() ? Json() : Json(interrupted);
  json["seeds"] = campaign.seeds();
  json["holds"] = campaign.holds();
  json["violated"] = campaign.violated();
  json["inconclusive"] = campaign.inconclusive();
  json["virtual_seconds"] = in_seconds(totals.virtual_ns);
  json["cpu_seconds"] = in_seconds(totals.cpu_ns);
  json["steps"] = totals.steps;
  json["messages"] = totals.messages;
  json["committed"] = totals.committed;
  json["elections"] = totals.elections;
  Json faults = Json::object();
  for (std::size_t i = 0; i < simulator::faults; ++i) {
    const FaultTally& tally = campaign.tally(static_cast<Fault>(i));
    faults[name(static_cast<Fault>(i))] =
        Json{{"drawn_seeds", tally.drawn}, {"fired_seeds", tally.fired_seeds}, {"fired", tally.fired}};
  }
  json["faults"] = std::move(faults);
  json["operations"] = Json{{"ok", totals.ok}, {"failed", totals.failed}, {"unknown", totals.unknown}};
  Json rungs = Json::object();
  for (const invariants::RungInfo& rung : invariants::rungs())
    rungs[rung.id] = campaign.evaluations()[static_cast<std::size_t>(rung.rung)];
  json["evaluations"] = std::move(rungs);
  Json marks = Json::object();
  for (const simulator::MarkInfo& mark : simulator::marks()) {
    const MarkTally& tally = campaign.tally(mark.mark);
    marks[mark.name] = Json{{"seeds", tally.seeds}, {"fired", tally.fired}};
  }
  json["marks"] = std::move(marks);
  Json missed = Json::array();
  for (const simulator::Mark mark : campaign.marks_missed()) missed.push_back(simulator::info(mark).name);
  json["marks_missed"] = std::move(missed);
  return line(Json{{"summary", std::move(json)}});
}

std::string json_trace_header(const simulator::Trace& trace) {
  const simulator::TraceHeader& header = trace.header;
  Json json;
  json["schema"] = "raftlab-trace-" + std::to_string(simulator::trace_version);
  json["seed"] = header.seed;
  json["version"] = header.version;
  json["commit"] = header.commit;
  json["compiler"] = header.compiler;
  json["build_type"] = header.build_type;
  json["checks"] = header.checks ? "full" : "off";
  json["nodes"] = header.profile.nodes;
  json["profile"] = simulator::to_toml(header.profile);
  json["decisions"] = trace.decisions.size();
  json["steps"] = trace.steps.size();
  json["incidents"] = trace.incidents.size();
  return line(json);
}

std::string json_trace_step(const simulator::TraceStep& step) {
  Json json;
  json["step"] = step.number;
  json["t"] = in_seconds(step.time);
  json["node"] = step.node.value();
  json["state"] = Json{{"term", step.term.value()},       {"vote", step.vote.value()},
                       {"role", name(step.role)},         {"commit", step.commit.value()},
                       {"applied", step.applied.value()}, {"durable", step.durable.value()},
                       {"last", step.last.value()}};
  json["digest"] = hexadecimal(step.digest);
  json["what"] = step.what;
  return line(json);
}

std::string json_trace_incident(const simulator::Incident& incident) {
  Json json;
  json["incident"] = name(incident.kind);
  json["after_step"] = incident.after_step;
  json["t"] = in_seconds(incident.time);
  json["node"] = incident.node ? Json(incident.node.value()) : Json();
  json["what"] = incident.what;
  return line(json);
}

std::string json_trace_end(const simulator::Trace& trace) {
  Json json;
  json["end"] = true;
  json["verdict"] = name(trace.verdict);
  json["reason"] = trace.reason;
  json["digest"] = hexadecimal(trace.digest);
  json["findings"] = Json::array();
  for (const invariants::Finding& finding : trace.findings) json["findings"].push_back(finding_json(finding));
  return line(json);
}

}  // namespace raftlab::reports
