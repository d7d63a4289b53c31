#include "reports/audit_report.hpp"

#include "kv/command.hpp"
#include "kv/store.hpp"
#include "reports/format.hpp"
#include "simulator/operations.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace raftlab::reports {

using invariants::AuditVerdict;
using invariants::Rung;
using invariants::RungInfo;
using Json = nlohmann::ordered_json;

void CommittedCommands::add(const raft::EntryView& entry) {
  invariants::CommittedCommand& added = all_.emplace_back();
  added.index = entry.id.index;
  if (entry.kind != raft::EntryKind::command) return;
  kv::CommandView command;
  if (!kv::decode(entry.payload, command)) return;
  if (command.client) {
    added.id = invariants::OpId{command.client.value(), command.sequence.value()};
    simulator::to_operation(command, added.op);
  } else {
    added.opens_session = std::holds_alternative<kv::OpenSession>(command.change);
  }
}

invariants::HistoryAudit audit_clients(const invariants::History& history, const CommittedCommands& log,
                                       const invariants::AuditResult& audited) {
  invariants::HistoryAuditOptions options;
  options.model.sessions_max = kv::StoreOptions{}.sessions_max;
  options.model.found_bytes_max = kv::StoreOptions{}.found_bytes_max;
  options.log_is_known = audited.verdict == AuditVerdict::holds || audited.verdict == AuditVerdict::violated;
  return invariants::audit_history(history, log.all(), options);
}

AuditVerdict AuditReport::verdict() const {
  for (const AuditVerdict worse :
       {AuditVerdict::violated, AuditVerdict::differs, AuditVerdict::inconclusive}) {
    if (nodes.verdict == worse || (clients && clients->verdict == worse)) return worse;
  }
  return AuditVerdict::holds;
}

std::optional<std::uint64_t> AuditReport::evaluated(Rung rung) const {
  if (clients) {
    if (rung == Rung::E6) return clients->acknowledged_stays;
    if (rung == Rung::E7) return clients->applied_once;
    if (rung == Rung::E8) return clients->linearizable;
  }
  if (invariants::not_audited(rung) != nullptr) return std::nullopt;
  return nodes.evaluated(rung);
}

std::string AuditReport::not_checked(Rung rung) const {
  const char* why = invariants::not_audited(rung);
  return evaluated(rung) || why == nullptr ? "" : why;
}

namespace {

std::string verdict_line(const AuditReport& report, Colour colour) {
  const auto word = [&] {
    switch (report.verdict()) {
      case AuditVerdict::holds: return verdict_word(simulator::Verdict::holds, colour);
      case AuditVerdict::violated: return verdict_word(simulator::Verdict::violated, colour);
      case AuditVerdict::inconclusive: return verdict_word(simulator::Verdict::inconclusive, colour);
      case AuditVerdict::differs: break;
    }
    return std::string(name(AuditVerdict::differs));
  }();
  std::set<raft::NodeId> nodes;
  for (const invariants::AuditedLife& life : report.nodes.lives) nodes.insert(life.node);
  std::string line = word + "   " + counted(nodes.size(), "node", "nodes") + ", " +
                     counted(report.nodes.lives.size(), "life", "lives") + ", " +
                     grouped(report.nodes.steps) + " steps, " + grouped(report.nodes.received) +
                     " messages, " + grouped(report.nodes.committed.value()) + " entries committed";
  if (report.clients) line += ", " + counted(report.clients->operations, "operation", "operations");
  return line + '\n';
}

std::string facts(const AuditReport& report) {
  std::string text;
  const auto fact = [&](const std::string& what) {
    if (!what.empty()) text += "  " + wrap(printable(what), 2) + '\n';
  };
  fact(report.nodes.text);
  if (report.clients) fact(report.clients->text);
  for (const invariants::Finding& finding : report.nodes.findings) {
    fact(std::string(invariants::info(finding.rung).id) + ": n" + std::to_string(finding.node.value()) +
         " in step " + grouped(finding.step) + ", " + seconds(finding.time_ns) + ": " + finding.text);
  }
  // Names of files are not broken.
  for (const invariants::AuditedLife& life : report.nodes.lives) {
    text += "  n" + std::to_string(life.node.value()) + right(counted(life.steps, "step", "steps"), 18) +
            "   " + printable(life.file) + (life.torn ? " (cut off within a record)" : "") + '\n';
  }
  return text;
}

}  // namespace

std::string audit_text(const AuditReport& report, Colour colour) {
  std::string text =
      verdict_line(report, colour) + facts(report) + "\nchecked, with the times that it was:\n";
  std::size_t width = 0;
  for (const RungInfo& rung : invariants::rungs()) width = std::max(width, columns(rung.name));
  std::vector<std::pair<std::string, std::string>> reasons;  // why not, and of which
  for (const RungInfo& rung : invariants::rungs()) {
    if (const auto times = report.evaluated(rung.rung)) {
      text += "  " + left(rung.id, 5) + left(rung.name, width + 2) + right(grouped(*times), 14) + '\n';
      continue;
    }
    const std::string why = report.not_checked(rung.rung);
    auto at = std::ranges::find(reasons, why, &std::pair<std::string, std::string>::first);
    if (at == reasons.end()) at = reasons.insert(reasons.end(), {why, ""});
    at->second += (at->second.empty() ? "" : " ") + std::string(rung.id);
  }
  text += "\nnot checked:\n";
  for (const auto& [why, which] : reasons) text += "  " + wrap(which + ": " + why, 2) + '\n';
  return text;
}

std::string audit_json(const AuditReport& report) {
  Json json;
  json["verdict"] = name(report.verdict());
  json["reason"] = report.nodes.text;
  json["steps"] = report.nodes.steps;
  json["messages"] = report.nodes.received;
  json["committed"] = report.nodes.committed.value();
  Json lives = Json::array();
  for (const invariants::AuditedLife& life : report.nodes.lives) {
    lives.push_back(Json{{"file", life.file},
                         {"node", life.node.value()},
                         {"incarnation", hexadecimal(life.incarnation)},
                         {"steps", life.steps},
                         {"torn", life.torn}});
  }
  json["lives"] = std::move(lives);
  Json findings = Json::array();
  for (const invariants::Finding& finding : report.nodes.findings) {
    findings.push_back(Json{{"rung", invariants::info(finding.rung).id},
                            {"step", finding.step},
                            {"t", static_cast<double>(finding.time_ns) / 1e9},
                            {"node", finding.node.value()},
                            {"text", finding.text}});
  }
  json["findings"] = std::move(findings);
  if (report.clients) {
    json["clients"] = Json{{"verdict", name(report.clients->verdict)},
                           {"reason", report.clients->text},
                           {"operations", report.clients->operations}};
  } else {
    json["clients"] = nullptr;
  }
  Json evaluations = Json::object();
  Json not_checked = Json::object();
  for (const RungInfo& rung : invariants::rungs()) {
    if (const auto times = report.evaluated(rung.rung)) {
      evaluations[rung.id] = *times;
    } else {
      not_checked[rung.id] = report.not_checked(rung.rung);
    }
  }
  json["evaluations"] = std::move(evaluations);
  json["not_checked"] = std::move(not_checked);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace raftlab::reports
