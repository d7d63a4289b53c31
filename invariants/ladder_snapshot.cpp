#include "invariants/ladder.hpp"
#include "invariants/ladder_raw.hpp"

#include <algorithm>

/// Snapshots: D15 and G11, what D5, D6, D7, D8, D12, D16, N2, N3, N9, N12, N17, N18 and R3 say of them, and what may be
/// forgotten because every node has compacted it away.
namespace raftlab::invariants {

using raft::LogId;
using raft::NodeId;
using raft::Role;
using raft::State;

/// The log that ends with this entry, as far as it is known: what a snapshot up to there covers is what was committed.
Mirror Ladder::log_up_to(LogId id) const {
  const std::uint64_t index = id.index.value();
  const Mark mark(id.term.value(), 0);
  if (index == 0 || cluster_.committed.at(index).term() != mark.term()) return Mirror(index, mark);
  Mirror log = cluster_.committed;
  log.truncate(index + 1);
  return log;
}

// ---- Deltas ----------------------------------------------------------------------------------------------------

/// The snapshot or the base moved without an install: it must be the node's own.
void Ladder::check_taken(const Change& change) {
  NodeRecord& node = change.node;
  const LogId last = change.after.snapshot;
  const auto* taken = change.input == nullptr ? nullptr : std::get_if<raft::SnapshotTaken>(change.input);
  if (taken == nullptr || taken->last != last) {
    count(Rung::D15);
    fire(Rung::D15, node.id, "had the snapshot ", change.before.snapshot, " behind base ", change.before.base,
         ", now ", last, " behind ", change.after.base, ", which nobody gave it");
  }
  if (change.after.role == Role::leader) count(Rung::D7);
  count(Rung::D6);
  node.snapshot_moved = true;
  node.runs_to_base = node.log.runs_up_to(change.after.base.index.value());
  // The last configuration that the snapshot covers becomes its own.
  std::vector<VoterSets>& held = node.configurations;
  const auto behind = std::find_if(held.begin(), held.end(),
                                   [&](const VoterSets& sets) { return sets.index > last.index.value(); });
  if (behind == held.begin()) {
    held.insert(held.begin(), voter_sets(0, raft::Configuration{}));
  } else {
    held.erase(held.begin(), std::prev(behind));
  }
  held.front().index = last.index.value();
  check_snapshot_reference(node, last, held.front().content);
}

/// D15, and what D6, D7, D8 say of an install; the mirror still is the log before the delta.
void Ladder::check_install(const Change& change) {
  NodeRecord& node = change.node;
  const State& before = change.before;
  const State& after = change.after;
  const LogId last = after.snapshot;
  const std::uint64_t index = last.index.value();
  count(Rung::D15);
  count(Rung::D6);
  const auto* stored = change.input == nullptr ? nullptr : std::get_if<raft::SnapshotStored>(change.input);
  if (stored == nullptr || stored->last != last) {
    fire(Rung::D15, node.id, "installs the snapshot ", last, ", which nobody gave it");
  }
  if (last.index <= before.commit) {
    fire(Rung::D15, node.id, "installs the snapshot ", last, ", it had committed up to ", before.commit);
  } else if (after.commit != last.index || after.handed != last.index) {
    fire(Rung::D15, node.id, "installs the snapshot ", last, ", and then C = ", after.commit, ", handed ",
         after.handed);
  }
  const bool agrees = index != 0 && node.log.at(index).term() == last.term.value();
  const raft::Index cut = change.delta.truncated_from;
  if (cut && cut <= before.commit) {
    fire(Rung::D6, node.id, "cuts its log from index ", cut, " on for the snapshot ", last,
         ", it had committed up to ", before.commit);
  }
  if (agrees && (cut || change.delta.appended_from || after.last != before.last)) {
    fire(Rung::D15, node.id, "installs the snapshot ", last, ", which is in its log, and ends at ",
         after.last, " instead of ", before.last);
  }
  if (!agrees && (after.last != last || after.base != last)) {
    fire(Rung::D15, node.id, "installs the snapshot ", last,
         ", which is not in its log, and has a log behind ", after.base, " up to ", after.last);
  }
  if (after.role == Role::leader) {
    count(Rung::D7);
    fire(agrees ? Rung::D15 : Rung::D7, node.id, "leads term ", after.hard.term,
         " and installs the snapshot ", last);
  }
  install_in_mirror(change, agrees);
  std::vector<VoterSets>& held = node.configurations;
  std::erase_if(held, [&](const VoterSets& sets) { return !agrees || sets.index <= index; });
  held.insert(held.begin(),
              voter_sets(index, stored == nullptr ? raft::Configuration{} : stored->configuration));
  node.snapshot_moved = true;
  node.installed = last;
  node.restoring = index;
  node.replays_to = std::max(node.replays_to, index);
  check_snapshot_reference(node, last, held.front().content);
  if (index <= cluster_.committed.last()) check_committed(change);
  check_longest_in_term(node, index, index);
}

void Ladder::install_in_mirror(const Change& change, bool agrees) {
  NodeRecord& node = change.node;
  if (agrees) {
    node.log.truncate(change.after.last.index.value() + 1);  // changes nothing when the suffix stays
  } else {
    Mirror log = log_up_to(change.after.snapshot);
    // R3: what was acknowledged and is not what the snapshot covers is installed over.
    node.acknowledged = std::min(node.acknowledged, common_prefix(node.log, log));
    node.log = std::move(log);
  }
  node.last_hash = table_.hash(node.log.last(), node.log.last_mark());
  node.runs_to_base = node.log.runs_up_to(change.after.base.index.value());
}

// ---- G11 -------------------------------------------------------------------------------------------------------

/// A snapshot up to `last`, with this hash of its configuration, against what was committed.
void Ladder::check_snapshot_reference(NodeRecord& node, LogId last, std::uint64_t configuration) {
  const std::uint64_t index = last.index.value();
  count(Rung::G11);
  if (index > cluster_.committed.last()) {
    fire(Rung::G11, node.id, "has the snapshot ", last, ", the greatest commit index is ",
         cluster_.committed.last());
    return;
  }
  if (index < table_.forgotten_below()) return;
  if (cluster_.committed.at(index).term() != last.term.value()) {
    fire(Rung::G11, node.id, "has the snapshot ", last, ", committed is term ",
         cluster_.committed.at(index).term());
  }
  const std::vector<VoterSets>& known = cluster_.configurations;
  const auto at =
      std::find_if(known.rbegin(), known.rend(), [&](const VoterSets& sets) { return sets.index <= index; });
  if (at != known.rend() && at->content != configuration) {
    fire(Rung::G11, node.id, "has the snapshot ", last, " with another configuration than that of index ",
         at->index);
  }
}

void Ladder::snapshot(NodeId id, LogId last, const raft::Configuration& configuration, std::uint64_t digest) {
  NodeRecord& node = node_of(id);
  const std::uint64_t index = last.index.value();
  check_snapshot_reference(node, last, voter_sets(index, configuration).content);
  if (digest == 0 || index < table_.forgotten_below() || index > cluster_.committed.last()) return;
  std::uint64_t& known = cluster_.digests.at(index);
  if (known == 0) known = digest;
  if (known != digest) {
    fire(Rung::G11, node.id, "has a snapshot ", last, " of a store of digest ", digest,
         ", at that index it is ", known);
  }
}

/// The configuration entries up to `commit` are committed now.
void Ladder::note_configurations(const NodeRecord& node, std::uint64_t commit) {
  for (const VoterSets& sets : node.configurations) {
    if (sets.index <= cluster_.committed.last() || sets.index > commit) continue;
    check_committed_chain(node, sets);
    cluster_.configurations.push_back(sets);
  }
}

// ---- After the flush -------------------------------------------------------------------------------------------

/// D16: what is applied next starts after the snapshot that the state machine restarts from.
void Ladder::check_restore(NodeRecord& node, const raft::trace::Step& step) {
  const LogId restored = step.output.restore.value_or(LogId{});
  if (restored != node.installed) {
    fire(Rung::D16, node.id, "restarts the state machine from ", restored, ", has installed ",
         node.installed);
  }
  node.installed = LogId{};
  if (!restored.index) return;
  count(Rung::D16);
  node.handed = restored.index.value();
}

/// N2, N3, N9: where the log begins, and where the snapshot ends in it.
void Ladder::check_snapshot_state(NodeRecord& node, const raft::View& view) {
  const State& state = view.state;
  const std::vector<raft::Slice>& pieces = view.log->pieces();
  count(Rung::N2);
  count(Rung::N3);
  if (!pieces.empty() && pieces.front().first_index() != state.base.index.next()) {
    fire(Rung::N2, node.id, "has entries from index ", pieces.front().first_index(), " on behind its base ",
         state.base);
  }
  for (const LogId id : {state.base, state.snapshot}) {
    const std::uint64_t index = id.index.value();
    if (index < table_.forgotten_below() || node.log.at(index).term() == id.term.value()) continue;
    fire(Rung::N3, node.id, "has base ", state.base, " and snapshot ", state.snapshot, ", index ", index,
         " is of term ", node.log.at(index).term());
  }
  if (const Mark next = node.log.at(state.snapshot.index.value() + 1);
      next && next.term() < state.snapshot.term.value()) {
    fire(Rung::N3, node.id, "has the snapshot ", state.snapshot, ", the entry behind it is of term ",
         next.term());
  }
  if (view.configurations.empty() || view.configurations.front().index != state.snapshot.index) {
    fire(Rung::N9, node.id, "has the snapshot ", state.snapshot, " without its configuration");
  }
  scan_configurations(node, view);
}

/// N18 and N12: who sends a chunk leads, and has had that snapshot.
void Ladder::check_chunks(NodeRecord& node, const raft::trace::Step& step) {
  const raft::HardState& disk = node.disk.synced().hard;
  for (const raft::SendChunk& chunk : step.output.chunks_to_send) {
    count(Rung::N18);
    count(Rung::N12);
    if (disk != raft::HardState{chunk.term, node.id}) {
      fire(Rung::N18, node.id, "sends n", chunk.peer, " a snapshot as leader of term ", chunk.term,
           ", its disk holds term ", disk.term, ", vote n", disk.voted_for);
    }
    if (chunk.last.index > step.view.state.snapshot.index) {
      fire(Rung::N12, node.id, "sends n", chunk.peer, " the snapshot ", chunk.last, ", its own is ",
           step.view.state.snapshot);
    }
    promise(node, chunk.term, node.id);
  }
}

/// N18: the log of the sender starts from the snapshot on its disk too, or has got even further.
void Ladder::check_snapshot_acknowledged(NodeRecord& node, const raft::Envelope& envelope,
                                         const raft::SnapshotReply& reply) {
  const Image& disk = node.disk.synced();
  const std::uint64_t index = reply.last.value();
  count(Rung::N18);
  if (disk.snapshot.index < reply.last) {
    fire(Rung::N18, node.id, "acknowledges a snapshot up to ", index, ", its disk has the snapshot ",
         disk.snapshot);
  }
  if (disk.hard.term < envelope.term) {
    fire(Rung::G2, node.id, "acknowledges a snapshot in term ", envelope.term, ", its disk holds term ",
         disk.hard.term);
  }
  node.acknowledged = std::max(node.acknowledged, index);
  promise(node, envelope.term, NodeId{});
}

/// N17: a checkpoint says all of it again.
void Ladder::note_checkpoint(NodeRecord& node, const raft::Write& write, const raft::View& view) {
  const State& state = view.state;
  const raft::Checkpoint& checkpoint = *write.checkpoint;
  const raft::Index first = write.entries.empty() ? raft::Index{} : write.entries.front().first_index();
  const raft::Index last = write.entries.empty() ? checkpoint.base.index : write.entries.back().last_index();
  if (!write.hard || *write.hard != state.hard || checkpoint.snapshot != state.snapshot ||
      checkpoint.base != state.base || last != state.last.index || write.truncate_from ||
      (first && first != checkpoint.base.index.next()) || !same_entries(write.entries, *view.log)) {
    fire(Rung::N17, node.id, "write ", write.seq, " is a checkpoint of the snapshot ", checkpoint.snapshot,
         " with entries ", first, "..", last, " behind ", checkpoint.base, ", in memory are the snapshot ",
         state.snapshot, ", and entries behind ", state.base, " up to ", state.last);
  }
  if (!node.configurations.empty() &&
      voter_sets(0, checkpoint.configuration).content != node.configurations.front().content) {
    fire(Rung::N17, node.id, "write ", write.seq, " is a checkpoint of the snapshot ", checkpoint.snapshot,
         " with another configuration than that in memory");
  }
  // What is written is what counts after a crash.
  Image image{write.hard.value_or(node.disk.submitted_hard()), node.log, checkpoint.snapshot,
              checkpoint.base};
  image.log.truncate(last.value() + 1);
  node.disk.submit_checkpoint(write.seq, image);
}

// ---- What may be forgotten -------------------------------------------------------------------------------------

/// No node can start from a log that begins below its synced base, and all that is in memory begins above it.
void Ladder::raise_floor() {
  std::uint64_t floor = cluster_.committed.last();
  std::uint64_t term = UINT64_MAX;
  for (const NodeRecord& node : nodes_) {
    if (!node.known || node.blank()) continue;
    floor = std::min(floor, node.disk.synced().base.index.value());
    term = std::min(term, node.disk.synced().hard.term.value());
  }
  if (floor <= table_.forgotten_below()) return;
  table_.forget_below(floor);
  cluster_.forget_below(floor, term);
  for (NodeRecord& node : nodes_) {
    if (!node.known) continue;
    node.log.forget_below(floor);
    node.runs_to_base = node.log.runs_up_to(node.state.base.index.value());
    node.disk.forget_below(floor);
    cluster_.votes[node.id.value() - 1].forget_below(node.disk.synced().hard.term);
  }
}

std::size_t Ladder::entries_kept() const {
  std::size_t kept = table_.entries() + cluster_.size();
  for (const NodeRecord& node : nodes_) {
    kept += node.log.runs().size() + node.configurations.size() + node.disk.size() + node.peers.size();
  }
  return kept;
}

}  // namespace raftlab::invariants
