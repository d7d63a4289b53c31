#include "raft/core.hpp"
#include "raft/turn.hpp"

#include <algorithm>
#include <utility>

/// Snapshots and log compaction: §7 of the paper, chapter 5 of the thesis. The core decides what a snapshot means for the log and
/// who gets one; its bytes, and making them durable, are the host's. A snapshot is durable before the log knows of it.
namespace raftlab::raft {

// ---- Any node --------------------------------------------------------------------------------------------------

/// This node's own snapshot is durable: what it covers may go, but for a tail that slow peers may still need.
void Core::handle(Turn& turn, const SnapshotTaken& taken) {
  if (taken.last.index <= snapshot_.index) return;  // an installed one has overtaken it
  if (taken.last.index > applied_ || !log_.matches(taken.last)) return handle_unexpected();
  auto behind = std::ranges::find_if(configurations_,
                                     [&](const ConfigurationAt& at) { return at.index > taken.last.index; });
  start_behind(turn, taken.last, std::prev(behind)->configuration);
}

/// From now on `snapshot` is where the node would start from; the next write says so, and what is older than the tail goes.
void Core::start_behind(Turn& turn, LogId snapshot, Configuration configuration) {
  const Limits& limits = options_.limits;
  log_.compact(log_.tail_before(snapshot.index, limits.tail_entries, limits.tail_bytes).previous());
  std::erase_if(configurations_, [&](const ConfigurationAt& at) { return at.index <= snapshot.index; });
  configurations_.insert(configurations_.begin(), ConfigurationAt{snapshot.index, std::move(configuration)});
  snapshot_ = snapshot;
  turn.checkpoint_due = true;
}

// ---- Follower --------------------------------------------------------------------------------------------------

/// Figure 13, InstallSnapshot, receiver, rules 1 to 5: a chunk is stored only when the snapshot has something new.
void Core::receive(Turn& turn, NodeId from, Term term, const InstallSnapshot& install) {
  if (term < hard_.term) return send(turn, from, SnapshotReply{install.last.index, 0, false});
  if (leading() != nullptr || (leader_ && leader_ != from)) return handle_unexpected();
  if (!install.last.index || !install.last.term || install.last.term > term) return handle_unexpected();
  follow(turn, from);
  if (install.last.index <= commit_) {  // all of it is here: the leader may go on behind that
    return hold(from, AppendReply{commit_, ReadSeq{}}, Needs::entries, commit_);
  }
  turn.out.chunks_to_store.push_back(StoreChunk{from, install});
}

void Core::handle(Turn& turn, const ChunkStored& stored) {
  if (role() != Role::follower || leader_ != stored.from) return;  // who asked leads no more
  send(turn, stored.from, SnapshotReply{stored.last.index, stored.received, false});
}

/// Rules 6 to 8: when the log agrees with the snapshot at its end, what follows there stays; otherwise all of the log goes.
/// Nothing that is committed is lost by it, because the snapshot holds whatever is committed up to its end.
void Core::handle(Turn& turn, const SnapshotStored& stored) {
  if (leading() != nullptr) return;  // of an earlier term; what it holds is committed, and so in this log
  if (stored.last.index <= commit_) {
    if (leader_) hold(leader_, AppendReply{commit_, ReadSeq{}}, Needs::entries, commit_);
    return;
  }
  if (stored.last.term > hard_.term) return handle_unexpected();
  // Who lacks what is committed cannot win, and must not be elected by what it advertised before.
  if (role() != Role::follower) become_follower(turn, hard_.term, NodeId{});
  const bool keeps_suffix = log_.matches(stored.last);
  if (!keeps_suffix) {
    if (log_.last() > commit_) truncate(turn, commit_.next());
    log_ = Log(stored.last);
    submitted_last_ = stored.last.index;
  }
  start_behind(turn, stored.last, stored.configuration);
  commit_ = handed_ = stored.last.index;
  turn.out.restore = stored.last;
  turn.installed = true;
  // With its end, so that it does not take the place of one that waits for an earlier checkpoint.
  if (leader_) hold(leader_, SnapshotReply{stored.last.index, 0, true}, Needs::checkpoint, stored.last.index);
}

void Core::handle(Turn& /*turn*/, const SnapshotRestored& restored) {
  if (restored.last.index > handed_) return handle_unexpected();
  applied_ = std::max(applied_, restored.last.index);
}

// ---- Leader ----------------------------------------------------------------------------------------------------

/// One chunk at a time: what a snapshot may take of a link, and of the appends to others, is bounded by it.
void Core::send_chunk(Turn& turn, Progress& peer) const {
  turn.out.chunks_to_send.push_back(SendChunk{peer.id, hard_.term, peer.snapshot, peer.snapshot_offset});
  peer.probe_outstanding = true;
}

/// The peer says what it has; an answer that tells nothing new (a duplicate, say) does not send the chunk again: the answer to the next
/// heartbeat will.
void Core::receive(Turn& turn, NodeId from, Term term, const SnapshotReply& reply) {
  if (term < hard_.term) return;
  Progress* peer = hear_from(from, ReadSeq{});
  if (peer == nullptr || peer->state != ProgressState::snapshot || reply.last != peer->snapshot.index) return;
  if (reply.installed) {
    const bool advanced = reply.last > peer->match;
    peer->match = std::max(peer->match, reply.last);
    peer->become_replicate();
    if (advanced) advance_commit(turn);
  } else if (reply.received != peer->snapshot_offset) {
    peer->snapshot_offset = reply.received;
    peer->probe_outstanding = false;
  }
}

/// The image is gone or damaged: whoever was to get it gets the present one, after its next sign of life.
void Core::handle(Turn& /*turn*/, const SnapshotFailed& failed) {
  Leader* leader = leading();
  if (leader == nullptr) return;
  for (Progress& peer : leader->peers) {
    if (peer.state != ProgressState::snapshot || peer.snapshot != failed.last) continue;
    peer.become_snapshot(snapshot_);
    peer.probe_outstanding = true;
  }
}

}  // namespace raftlab::raft
