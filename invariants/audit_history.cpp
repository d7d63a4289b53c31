#include "invariants/audit_history.hpp"

#include "invariants/witness.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace raftlab::invariants {
namespace {

/// Something that a client did or was told. What happens at one time overlaps: invocations come first.
struct Event {
  std::int64_t time_ns = 0;
  bool returns = false;
  std::size_t entry = 0;

  friend bool operator<(const Event& a, const Event& b) {
    return std::tie(a.time_ns, a.returns, a.entry) < std::tie(b.time_ns, b.returns, b.entry);
  }
};

/// Feeds a witness with the history in the order of its clock, and with the log as late as the answers allow: where the clock of
/// the log would have put an entry is not known, and not needed for E6 and E7.
class Judge {
 public:
  Judge(const History& history, std::span<const CommittedCommand> log, const ModelOptions& model)
      : history_(history), log_(log), witness_([&] {
          WitnessOptions options;
          options.model = model;
          return options;
        }()) {}

  const Witness& run() {
    std::vector<Event> events;
    std::int64_t end_ns = 0;
    for (std::size_t at = 0; at < history_.entries.size(); ++at) {
      const HistoryEntry& entry = history_.entries[at];
      if (!is_read(entry.op) && entry.id.client == 0) continue;
      events.push_back(Event{entry.invoked_ns, false, at});
      const bool told = entry.fate != Fate::unknown || entry.returned_ns >= entry.invoked_ns;
      if (told) events.push_back(Event{entry.returned_ns, true, at});
      end_ns = std::max({end_ns, entry.invoked_ns, entry.returned_ns});
    }
    std::ranges::sort(events, std::less<>());
    for (const Event& event : events) event.returns ? returned(event) : invoked(event);
    commit_up_to(raft::Index(std::numeric_limits<std::uint64_t>::max()));
    witness_.finish(end_ns);
    return witness_;
  }

 private:
  /// Reads are found in no log: they get numbers that no session has.
  [[nodiscard]] OpId id_of(std::size_t at) const {
    const HistoryEntry& entry = history_.entries[at];
    return is_read(entry.op) ? OpId{std::numeric_limits<std::uint64_t>::max(), at + 1} : entry.id;
  }

  void invoked(const Event& event) {
    witness_.invoke(id_of(event.entry), event.time_ns, history_.entries[event.entry].op);
  }

  void returned(const Event& event) {
    const HistoryEntry& entry = history_.entries[event.entry];
    const OpId id = id_of(event.entry);
    switch (entry.fate) {
      case Fate::ok:
        commit_up_to(entry.index);
        return witness_.ok(id, event.time_ns, entry.outcome, entry.index,
                           entry.stale ? ReadClaim::stale : ReadClaim::linearizable);
      case Fate::fail: return witness_.fail(id, event.time_ns);
      case Fate::unknown: return witness_.unknown(id, event.time_ns);
    }
  }

  void commit_up_to(raft::Index index) {
    for (; next_ < log_.size() && log_[next_].index <= index; ++next_) {
      const CommittedCommand& command = log_[next_];
      if (command.opens_session) {
        witness_.committed_session(command.index);
      } else {
        witness_.committed(command.index, command.id, command.id ? &command.op : nullptr);
      }
    }
  }

  const History& history_;
  std::span<const CommittedCommand> log_;
  std::size_t next_ = 0;
  Witness witness_;
};

/// The witness counts on each identity being invoked once.
std::optional<std::string> twice(const History& history) {
  std::vector<OpId> ids;
  for (const HistoryEntry& entry : history.entries) {
    if (!is_read(entry.op) && entry.id.client != 0) ids.push_back(entry.id);
  }
  std::ranges::sort(ids);
  const auto found = std::ranges::adjacent_find(ids);
  if (found == ids.end()) return std::nullopt;
  return "the history has operation " + describe(*found) + " twice";
}

}  // namespace

HistoryAudit audit_history(const History& history, std::span<const CommittedCommand> log,
                           const HistoryAuditOptions& options) {
  HistoryAudit result;
  result.operations = history.entries.size();
  const auto end = [&](AuditVerdict verdict, std::string text) {
    result.verdict = verdict;
    result.text = std::move(text);
    return result;
  };
  const SearchResult searched = search(history, options.search);
  result.linearizable = searched.verdict == SearchVerdict::inconclusive ? 0 : history.entries.size();
  if (searched.verdict == SearchVerdict::violated)
    return end(AuditVerdict::violated, std::string("E8 ") + info(Rung::E8).name + ": " + searched.text);
  bool decided = searched.verdict == SearchVerdict::holds;

  if (!options.log_is_known) {
    return decided ? result : end(AuditVerdict::inconclusive, searched.text);
  }
  if (auto doubled = twice(history)) return end(AuditVerdict::inconclusive, *doubled);
  Judge judge(history, log, options.model);
  const Witness& witness = judge.run();
  const auto& evaluated = witness.counts().evaluated;
  result.acknowledged_stays =
      evaluated[static_cast<std::size_t>(HistoryRung::e6_acknowledged_stays_refused_never_appears)];
  result.applied_once = evaluated[static_cast<std::size_t>(HistoryRung::e7_applied_once)];
  for (const HistoryFinding& finding : witness.findings()) {
    if (finding.rung <= HistoryRung::e7_applied_once) return end(AuditVerdict::violated, finding.text);
  }
  if (!decided && witness.fits()) {
    decided = true;
    result.linearizable = witness.counts().witnessed;
  }
  return decided ? result : end(AuditVerdict::inconclusive, searched.text);
}

}  // namespace raftlab::invariants
