#pragma once

#include "invariants/ladder.hpp"
#include "raft/entry.hpp"
#include "raft/types.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

/// Judges what real nodes did by the same ladder as a simulated run. Each life of each node is executed again from what it
/// wrote down (raft/trace/record.hpp): the production core, the same start, the same inputs. The steps of all nodes are put in
/// one order that cause and effect allow, a message being received behind the step that sent it, and among those that may
/// come next the one of the earliest clock comes first. Every such order is an execution that the nodes could not have told
/// from the real one, so what must hold in all executions must hold in it, however far the clocks are apart.
namespace raftlab::invariants {

/// What one life of a node wrote down.
struct AuditFile {
  std::string name;
  raft::Bytes bytes;  ///< must outlive the audit
};

enum class AuditVerdict : std::uint8_t {
  holds,
  violated,
  inconclusive,  ///< something that is needed was not written down, or is not there; never "holds"
  differs,       ///< executed again, a core is not in the state in which it was
};
[[nodiscard]] const char* name(AuditVerdict verdict);

struct AuditedLife {
  std::string file;
  raft::NodeId node;
  std::uint64_t incarnation = 0;
  std::uint64_t steps = 0;
  bool torn = false;  ///< the file ends within a record, of a step that was never taken
};

struct AuditResult {
  AuditVerdict verdict = AuditVerdict::holds;
  std::string text;  ///< of all but `holds`: why, on one line
  std::vector<Finding>
      findings;  ///< in order of occurrence, of each rung only the first; times are from the earliest start on
  std::array<std::uint64_t, rung_count> evaluations{};  ///< 0 where `not_audited` tells why
  std::vector<AuditedLife> lives;                       ///< by node, and in their order
  std::uint64_t steps = 0;
  std::uint64_t received = 0;  ///< messages, each behind the step that sent it
  raft::Index committed;

  [[nodiscard]] std::uint64_t evaluated(Rung rung) const {
    return evaluations[static_cast<std::size_t>(rung)];
  }
};

/// A file is no trace, or was damaged.
struct AuditError {
  std::string file;
  std::uint64_t offset = 0;
  std::string what;
};

/// Why traces of real nodes cannot be judged by this rung; null: they are. E6 to E8 are judged by the clients' history alone
/// (audit_history.hpp).
[[nodiscard]] const char* not_audited(Rung rung);

using OnCommit = std::function<void(const raft::EntryView&)>;

/// Of one cluster, all files of all nodes, in any order. `on_commit` is called once for each index, in order, when it is first
/// committed anywhere. Memory grows with the number of messages.
[[nodiscard]] std::variant<AuditResult, AuditError> audit(std::span<const AuditFile> files,
                                                          const OnCommit& on_commit = {});

}  // namespace raftlab::invariants
