#include "invariants/ladder.hpp"

#include <algorithm>

/// Reads, as the cores serve them: E9 and E10 for each one at the moment at which it was asked for, and of D14 the promises on
/// which leases rest. The clients' history is judged apart from that, by the witness.
namespace raftlab::invariants {

using raft::State;

/// What was committed anywhere before the step counts: a read must not see less.
void Ladder::note_asked(NodeRecord& node, const raft::trace::Step& step) const {
  for (const raft::Input& input : step.inputs) {
    const auto* read = std::get_if<raft::Read>(&input);
    if (read == nullptr) continue;
    node.asked.push_back(
        NodeRecord::Asked{read->tag, cluster_.committed.last(), read->mode == raft::ReadMode::lease});
  }
}

void Ladder::check_served(NodeRecord& node, const raft::Output& output) {
  const auto take = [&](std::uint64_t tag) -> std::optional<NodeRecord::Asked> {
    const auto found = std::ranges::find(node.asked, tag, &NodeRecord::Asked::tag);
    if (found == node.asked.end()) return std::nullopt;
    const NodeRecord::Asked asked = *found;
    node.asked.erase(found);
    return asked;
  };
  for (const raft::ReadReady& ready : output.reads) {
    const auto asked = take(ready.tag);
    if (!asked) continue;
    const Rung rung = asked->lease ? Rung::E10 : Rung::E9;
    count(rung);
    if (ready.index.value() < asked->committed) {
      fire(rung, node.id, "serves a ", asked->lease ? "lease " : "", "read at index ", ready.index,
           ", but when it was asked index ", asked->committed, " was committed");
    }
  }
  for (const raft::Rejected& rejected : output.rejected) (void)take(rejected.tag);
}

/// D14, with leases: who heard a leader gives its vote to nobody for an election timeout, whatever it learns of meanwhile;
/// who starts, for two. A candidate that the leader sent is excepted.
void Ladder::check_promises(NodeRecord& node, const raft::trace::Step& step) {
  if (!options_.leases || !options_.check_quorum) return;
  const State* before = &node.state;
  for (std::size_t at = 0; at < step.inputs.size(); ++at) {
    const State& after = step.output.deltas[at].after;
    if (std::holds_alternative<raft::Tick>(step.inputs[at])) {
      if (node.bound_ticks > 0) --node.bound_ticks;
    } else if (const auto* receive = std::get_if<raft::Receive>(&step.inputs[at]); receive != nullptr) {
      const raft::Envelope& envelope = receive->envelope;
      const auto* request = std::get_if<raft::RequestVote>(&envelope.message);
      const bool gives =
          after.hard != before->hard && after.hard.voted_for && after.hard.voted_for != node.id;
      if (gives) count(Rung::D14);
      if (gives && node.bound_ticks > 0 && (request == nullptr || !request->transfer)) {
        fire(Rung::D14, node.id, "votes for n", after.hard.voted_for, " in term ", after.hard.term,
             ", though a leader may count on it for ", node.bound_ticks, " ticks more");
      }
      const bool from_leader = envelope.kind() == raft::MessageKind::append_entries ||
                               envelope.kind() == raft::MessageKind::heartbeat ||
                               envelope.kind() == raft::MessageKind::install_snapshot;
      if (from_leader && after.leader == envelope.from && after.hard.term == envelope.term &&
          after.role == raft::Role::follower && after.elapsed_ticks == 0) {
        node.bound_ticks = std::max(node.bound_ticks, options_.election_ticks_min);
      }
    }
    before = &after;
  }
}

}  // namespace raftlab::invariants
