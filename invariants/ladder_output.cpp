#include "invariants/ladder.hpp"
#include "invariants/ladder_raw.hpp"

#include <algorithm>

/// What a step sends and hands out: N18, N19, D12, D16, D21, G2, and the messages' side of D11 and E2. The record's state
/// is still the one before the step.
namespace raftlab::invariants {

using raft::Envelope;
using raft::MessageKind;
using raft::NodeId;
using raft::State;

void Ladder::check_messages(NodeRecord& node, const raft::trace::Step& step) {
  for (const Envelope& envelope : step.output.messages) {
    check_message_term(node, step, envelope);
    switch (envelope.kind()) {
      case MessageKind::request_vote: {
        const auto& request = std::get<raft::RequestVote>(envelope.message);
        if (!request.pre) check_vote_request(node, envelope, request);
        break;
      }
      case MessageKind::vote_reply: {
        const auto& reply = std::get<raft::VoteReply>(envelope.message);
        if (reply.granted && reply.pre) check_pre_vote_granted(node, step, envelope);
        if (reply.granted && !reply.pre) check_vote_granted(node, envelope);
        break;
      }
      case MessageKind::append_reply:
        check_acknowledgement(node, step, envelope, std::get<raft::AppendReply>(envelope.message).match);
        break;
      case MessageKind::snapshot_reply: {
        const auto& reply = std::get<raft::SnapshotReply>(envelope.message);
        if (reply.installed) check_snapshot_acknowledged(node, envelope, reply);
        break;
      }
      case MessageKind::append_entries: {
        check_leader_message(node, envelope);
        const raft::Index commit = std::get<raft::AppendEntries>(envelope.message).commit;
        if (commit > step.view.state.commit) {
          fire(Rung::D11, node.id, "sends an append with commit ", commit, ", its own C is ",
               step.view.state.commit);
        }
        break;
      }
      case MessageKind::heartbeat: {
        check_leader_message(node, envelope);
        const raft::Index commit = std::get<raft::Heartbeat>(envelope.message).commit;
        count(Rung::D11);
        const auto peer =
            std::find_if(step.view.peers.begin(), step.view.peers.end(),
                         [&](const raft::Progress& progress) { return progress.id == envelope.to; });
        const bool beyond = peer != step.view.peers.end() && commit > peer->match;
        if (commit > step.view.state.commit || beyond) {
          fire(Rung::D11, node.id, "sends n", envelope.to, " a heartbeat with commit ", commit,
               ", its own C is ", step.view.state.commit, ", that match ", beyond ? peer->match : commit);
        }
        break;
      }
      case MessageKind::read_index_reply: check_read_index(node, step.view, envelope); break;
      case MessageKind::install_snapshot:
      case MessageKind::timeout_now: check_leader_message(node, envelope); break;
      default: break;
    }
  }
}

/// G2, at send. The term of the sender is one that it had during the step, after some input.
void Ladder::check_message_term(NodeRecord& node, const raft::trace::Step& step, const Envelope& envelope) {
  count(Rung::G2);
  if (envelope.from != node.id) {
    fire(Rung::G2, node.id, "sends a ", raft::name(envelope.message), " in the name of n", envelope.from);
  }
  raft::Term term = envelope.term;
  if (const auto* request = std::get_if<raft::RequestVote>(&envelope.message);
      request != nullptr && request->pre) {
    term = term.previous();
  } else if (const auto* reply = std::get_if<raft::VoteReply>(&envelope.message);
             reply != nullptr && reply->pre && reply->granted) {
    return;  // an echo: D14 looks for the request
  }
  if (term == step.view.state.hard.term) return;
  for (const raft::Delta& delta : step.output.deltas) {
    if (delta.after.hard.term == term) return;
  }
  fire(Rung::G2, node.id, "sends a ", raft::name(envelope.message), " of term ", envelope.term, " in term ",
       step.view.state.hard.term);
}

// ---- N18: nothing leaves too early -----------------------------------------------------------------------------

void Ladder::promise(NodeRecord& node, raft::Term term, NodeId vote) {
  node.promised_term = std::max(node.promised_term, term);
  if (vote && term >= node.promised_vote.term) node.promised_vote = raft::HardState{term, vote};
}

void Ladder::write_vote(NodeRecord& node, raft::Term term, NodeId candidate) {
  count(Rung::E2);
  const NodeId written = cluster_.votes[node.id.value() - 1].write(term, candidate);
  if (written != candidate) {
    fire(Rung::E2, node.id, "voted for n", written, " in term ", term, ", and now for n", candidate);
  }
}

void Ladder::check_vote_request(NodeRecord& node, const Envelope& envelope,
                                const raft::RequestVote& request) {
  count(Rung::N18);
  const raft::HardState& disk = node.disk.synced().hard;
  if (disk != raft::HardState{envelope.term, node.id}) {
    fire(Rung::N18, node.id, "asks for votes in term ", envelope.term, ", its disk holds term ", disk.term,
         ", vote n", disk.voted_for);
  }
  const std::uint64_t last = request.last.index.value();
  const Mark mark = node.log.at(last);
  if (mark.term() != request.last.term.value() || node.disk.synced().log.at(last) != mark) {
    fire(Rung::N18, node.id, "asks for votes with last ", request.last, ", its disk holds up to ",
         node.disk.synced().log.last(), " of term ", node.disk.synced().log.last_mark().term());
  }
  promise(node, envelope.term, node.id);
  write_vote(node, envelope.term, node.id);
}

void Ladder::check_vote_granted(NodeRecord& node, const Envelope& envelope) {
  count(Rung::N18);
  const raft::HardState& disk = node.disk.synced().hard;
  if (disk != raft::HardState{envelope.term, envelope.to}) {
    fire(Rung::N18, node.id, "grants n", envelope.to, " its vote of term ", envelope.term,
         ", its disk holds term ", disk.term, ", vote n", disk.voted_for);
  }
  promise(node, envelope.term, envelope.to);
  write_vote(node, envelope.term, envelope.to);
}

/// N18, D12, and G2's promise: an acknowledgement carries at most T^d.
void Ladder::check_acknowledgement(NodeRecord& node, const raft::trace::Step& step, const Envelope& envelope,
                                   raft::Index match_index) {
  const std::uint64_t match = match_index.value();
  const Image& disk = node.disk.synced();
  count(Rung::N18);
  count(Rung::D12);
  const Mark mark = node.log.at(match);
  const bool current = envelope.term == step.view.state.hard.term;
  // Of an older term, when the step raised it: the log may have changed since, and only "once" can be asked.
  // What lies below every base is there.
  const bool held = match <= table_.forgotten_below() ||
                    (current ? mark && disk.log.at(match) == mark : disk.log.last() >= match);
  if (!held) {
    fire(Rung::N18, node.id, "acknowledges up to index ", match, " of term ", mark.term(),
         ", its disk holds up to ", disk.log.last(), ", there with term ", disk.log.at(match).term());
  }
  if (disk.hard.term < envelope.term) {
    fire(Rung::G2, node.id, "acknowledges in term ", envelope.term, ", its disk holds term ", disk.hard.term);
  }
  if (current) {
    const std::uint64_t accepted = node.accepted_term == envelope.term ? node.accepted : 0;
    const std::uint64_t allowed = std::max(accepted, step.view.state.commit.value());
    // Behind an installed snapshot D is where the log was cut; N18 has looked at what the disk holds up to it.
    const raft::Index durable = std::max(step.view.state.durable, step.view.state.snapshot.index);
    if (match > allowed || match > durable.value()) {
      fire(Rung::D12, node.id, "acknowledges up to index ", match, ", has accepted up to ", allowed,
           ", D = ", step.view.state.durable);
    }
    node.acknowledged = std::max(node.acknowledged, match);
  }
  promise(node, envelope.term, NodeId{});
}

void Ladder::check_leader_message(NodeRecord& node, const Envelope& envelope) {
  count(Rung::N18);
  const raft::HardState& disk = node.disk.synced().hard;
  if (disk != raft::HardState{envelope.term, node.id}) {
    fire(Rung::N18, node.id, "sends a ", raft::name(envelope.message), " as leader of term ", envelope.term,
         ", its disk holds term ", disk.term, ", vote n", disk.voted_for);
  }
  promise(node, envelope.term, node.id);
}

// ---- What goes to the state machine ----------------------------------------------------------------------------

/// N19, D16, and the entries of G10.
void Ladder::check_apply(NodeRecord& node, const raft::trace::Step& step) {
  const State& state = step.view.state;
  std::uint64_t last = 0;
  for (const raft::Slice& slice : step.output.apply) {
    count(Rung::N19);
    count(Rung::D16);
    if (slice.empty()) continue;
    const std::uint64_t first = slice.first_index().value();
    if (first <= node.handed) {
      fire(Rung::N19, node.id, "hands index ", first, " to apply, it had handed up to ", node.handed);
    }
    if (first > node.handed + 1) {
      fire(Rung::D16, node.id, "hands index ", first, " to apply after ", node.handed);
    }
    last = slice.last_index().value();
    node.handed = std::max(node.handed, last);
  }
  if (last > state.commit.value() || last > state.durable.value()) {
    fire(Rung::N19, node.id, "hands index ", last, " to apply, C = ", state.commit, ", D = ", state.durable);
  }
  if (node.handed != state.handed.value()) {
    fire(Rung::D16, node.id, "handed up to index ", node.handed, " to apply and says ", state.handed);
  }
  count(Rung::G10);
  const bool known = node.handed >= table_.forgotten_below();
  if (!same_entries(step.output.apply, *step.view.log) ||
      (known && node.log.at(node.handed) != cluster_.committed.at(node.handed))) {
    fire(Rung::G10, node.id, "hands index ", node.handed, " of term ", node.log.at(node.handed).term(),
         " to apply, committed is term ", cluster_.committed.at(node.handed).term());
  }
}

/// D21. A leader's heartbeat timer is not part of what can be observed, nor is the one of a follower that asks its leader for
/// a read index, hence the others only.
void Ladder::check_quiet(NodeRecord& node, const raft::trace::Step& step) {
  if (step.inputs.empty() || !std::holds_alternative<raft::Tick>(step.inputs.front())) return;
  const State& before = node.state;
  if (before.role == raft::Role::leader || node.forwards ||
      before.elapsed_ticks + step.inputs.size() >= before.deadline_ticks)
    return;
  for (const raft::Input& input : step.inputs) {
    if (!std::holds_alternative<raft::Tick>(input)) return;
  }
  count(Rung::D21);
  const raft::Output& output = step.output;
  if (!output.messages.empty() || output.write.seq || !output.apply.empty() || !output.reads.empty() ||
      !output.chunks_to_send.empty() || output.restore || !output.accepted.empty() ||
      !output.rejected.empty() || output.role || output.lost_from) {
    fire(Rung::D21, node.id, "at tick ", before.elapsed_ticks + step.inputs.size(), " of ",
         before.deadline_ticks, " has an output: ", output.messages.size(), " messages, write ",
         output.write.seq);
  }
}

}  // namespace raftlab::invariants
