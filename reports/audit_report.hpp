#pragma once

#include "invariants/audit.hpp"
#include "invariants/audit_history.hpp"
#include "raft/entry.hpp"
#include "reports/text.hpp"

#include <optional>
#include <string>
#include <vector>

/// What an audit of real nodes found, for people and for programs.
namespace raftlab::reports {

/// The committed entries of diskeyval in the terms of its clients' history.
class CommittedCommands {
 public:
  void add(const raft::EntryView& entry);
  [[nodiscard]] const std::vector<invariants::CommittedCommand>& all() const { return all_; }

 private:
  std::vector<invariants::CommittedCommand> all_;
};

/// How the clients of diskeyval are judged behind an audit.
[[nodiscard]] invariants::HistoryAudit audit_clients(const invariants::History& history,
                                                     const CommittedCommands& log,
                                                     const invariants::AuditResult& audited);

struct AuditReport {
  invariants::AuditResult nodes;
  std::optional<invariants::HistoryAudit> clients;  ///< none: there was no history

  /// Of both together: a violation of either wins, then a core that differs.
  [[nodiscard]] invariants::AuditVerdict verdict() const;
  /// How often the rung was evaluated for real; none: it is not judged, and `not_checked` tells why.
  [[nodiscard]] std::optional<std::uint64_t> evaluated(invariants::Rung rung) const;
  [[nodiscard]] std::string not_checked(invariants::Rung rung) const;
};

/// The verdict first, then every rung: how often it was evaluated, or why it was not.
[[nodiscard]] std::string audit_text(const AuditReport& report, Colour colour);
/// One JSON object without the line feed.
[[nodiscard]] std::string audit_json(const AuditReport& report);

}  // namespace raftlab::reports
