#include "net/judge.hpp"

#include "raft/limits.hpp"
#include "raft/log.hpp"

#include <algorithm>
#include <variant>

namespace raftlab::net {

namespace {

[[nodiscard]] bool is_of_a_leader(const raft::Envelope& envelope) {
  return std::holds_alternative<raft::AppendEntries>(envelope.message) ||
         std::holds_alternative<raft::Heartbeat>(envelope.message) ||
         std::holds_alternative<raft::InstallSnapshot>(envelope.message);
}

[[nodiscard]] bool is_possible(raft::Term term, const raft::State& state) {
  if (term.value() > raft::term_max) return false;
  return term <= state.hard.term || term.value() - state.hard.term.value() <= term_lead_max;
}

/// §5.4: who leads in this term or a later one has in its log whatever is committed here.
[[nodiscard]] bool contradicts_what_is_committed(const raft::AppendEntries& append, const raft::View& view) {
  const raft::Log& log = *view.log;
  const raft::Index commit = view.state.commit;
  // The terms of what was compacted away are gone.
  const raft::Index known = log.base().index;
  const auto conflicts = [&](raft::LogId id) {
    return id.index >= known && id.index <= commit && log.term_at(id.index) != id.term;
  };
  if (conflicts(append.prev)) return true;
  for (std::uint32_t i = 0; i < append.entries.size(); ++i) {
    const raft::LogId id = append.entries.entry(i).id;
    if (id.index > commit) break;
    if (conflicts(id)) return true;
  }
  return false;
}

}  // namespace

std::optional<Reason> objection_to(const raft::Envelope& envelope, const raft::View& view) {
  if (!is_possible(envelope.term, view.state)) return Reason::term_impossible;
  if (envelope.term < view.state.hard.term || !is_of_a_leader(envelope)) return std::nullopt;
  // §5.2: a term has one leader at most.
  const bool another = view.state.leader && view.state.leader != envelope.from;
  if (envelope.term == view.state.hard.term && another) return Reason::two_leaders;
  const auto* append = std::get_if<raft::AppendEntries>(&envelope.message);
  if (append != nullptr && contradicts_what_is_committed(*append, view)) return Reason::committed_conflict;
  return std::nullopt;
}

}  // namespace raftlab::net
