#pragma once

#include "invariants/audit.hpp"
#include "invariants/history.hpp"
#include "invariants/model.hpp"
#include "invariants/search.hpp"
#include "raft/types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// Judges what the clients of real nodes were told: E8 by the exact search alone, E6 and E7 against the log that an audit found
/// to be committed. Clients have one clock among them; it has nothing to do with those of the nodes.
namespace raftlab::invariants {

/// A committed entry in the terms of the history. Each index once, in order.
struct CommittedCommand {
  raft::Index index;
  std::optional<OpId> id;  ///< none: no operation of a client
  Operation op;            ///< of `id`
  bool opens_session = false;
};

struct HistoryAuditOptions {
  ModelOptions model;  ///< what the store under test keeps of sessions
  SearchOptions search;
  /// False: E8 alone, as the log is not known to its end.
  bool log_is_known = true;
};

struct HistoryAudit {
  AuditVerdict verdict = AuditVerdict::holds;
  std::string text;  ///< of all but `holds`: why, on one line
  std::size_t operations = 0;
  std::uint64_t acknowledged_stays = 0;  ///< evaluations of E6, E7 and E8
  std::uint64_t applied_once = 0;
  std::uint64_t linearizable = 0;
};

/// Writes of the history are known in the log by their `id`, which is that of the session; those of client 0 are judged by E8
/// alone. The log may hold operations of other clients.
[[nodiscard]] HistoryAudit audit_history(const History& history, std::span<const CommittedCommand> log,
                                         const HistoryAuditOptions& options = {});

}  // namespace raftlab::invariants
