#include "raft/core.hpp"
#include "raft/hash.hpp"
#include "raft/quorum.hpp"
#include "raft/turn.hpp"

#include <algorithm>

/// Log replication: §5.3 and §5.4.2 of the paper, pipelining (thesis §10.2.1).
namespace raftlab::raft {

// ---- Follower --------------------------------------------------------------------------------------------------

/// A message of this term from its leader: whoever stood gives up (§5.2), and the timer starts again.
void Core::follow(Turn& turn, NodeId leader) {
  if (role() != Role::follower || leader_ != leader) become_follower(turn, hard_.term, leader);
  elapsed_ticks_ = 0;
  promise_to_leader();
}

namespace {

/// What a leader of `term` can send: entries directly behind `prev`, in terms that neither fall nor pass its own, and
/// configurations that can be read.
bool well_formed(const AppendEntries& append, Term term) {
  if (!append.entries.empty() && append.entries.first_index() != append.prev.index.next()) return false;
  Term latest = append.prev.term;
  for (std::uint32_t i = 0; i < append.entries.size(); ++i) {
    const EntryView entry = append.entries.entry(i);
    if (!entry.id.term || entry.id.term < latest) return false;
    if (entry.kind == EntryKind::configuration && !decode_configuration(entry.payload)) return false;
    latest = entry.id.term;
  }
  return latest <= term;
}

}  // namespace

/// Figure 2, AppendEntries, receiver.
void Core::receive(Turn& turn, NodeId from, Term term, const AppendEntries& append) {
  if (term < hard_.term)
    return send(turn, from, AppendReject{append.prev.index, log_.last_id(), append.read});
  if (leading() != nullptr || (leader_ && leader_ != from))
    return handle_unexpected();  // no term has two leaders
  if (!well_formed(append, term)) return handle_unexpected();
  follow(turn, from);
  if (append.prev.index < log_.base().index) {
    // The terms in there are gone, but what is committed here is the leader's too (§5.4): it may go on behind that.
    return hold(from, AppendReply{commit_, append.read}, Needs::entries, commit_);
  }
  if (!log_.matches(append.prev)) {
    if (append.prev.index <= commit_) return handle_unexpected();  // a leader holds what is committed (§5.4)
    // Rule 2, with a hint that lets the leader skip whole terms (end of §5.3).
    const LogId hint = log_.last_at_or_below(append.prev.index, append.prev.term);
    return send(turn, from, AppendReject{append.prev.index, hint, append.read});
  }
  // Rule 3 and 4: what is there already stays; the first conflict cuts the log; what is new is appended.
  const Index last_new = append.prev.index.plus(append.entries.size());
  Index at = append.prev.index.next();
  while (at <= last_new && at <= log_.last() && log_.term_at(at) == append.entries.term_at(at))
    at = at.next();
  if (at <= last_new && at <= log_.last()) {
    if (at <= commit_) return handle_unexpected();
    truncate(turn, at);
  }
  if (at <= last_new) {
    const Slice fresh = append.entries.sub(at, last_new);
    log_.append(fresh);
    if (!turn.appended_from || turn.appended_from > at) turn.appended_from = at;
    for (std::uint32_t i = 0; i < fresh.size(); ++i) adopt_configuration(fresh.entry(i));
  }
  // Rule 5: up to the last *new* entry; what stands behind it may not be the leader's.
  set_commit(std::min(append.commit, last_new));
  hold(from, AppendReply{last_new, append.read}, Needs::entries, last_new);
}

void Core::receive(Turn& turn, NodeId from, Term term, const Heartbeat& heartbeat) {
  if (term < hard_.term) return send(turn, from, HeartbeatReply{heartbeat.read});
  if (leading() != nullptr || (leader_ && leader_ != from)) return handle_unexpected();
  follow(turn, from);
  if (heartbeat.commit > log_.last()) return handle_unexpected();
  set_commit(heartbeat.commit);
  send(turn, from, HeartbeatReply{heartbeat.read});
}

void Core::set_commit(Index commit) { commit_ = std::max(commit_, commit); }

void Core::truncate(Turn& turn, Index from) {
  log_.truncate(from);
  durable_ = std::min(durable_, from.previous());
  if (from <= submitted_last_ && (!turn.write_truncate_from || from < turn.write_truncate_from)) {
    turn.write_truncate_from = from;
  }
  submitted_last_ = std::min(submitted_last_, from.previous());
  while (configurations_.back().index >= from) configurations_.pop_back();
  if (!turn.truncated_from || from < turn.truncated_from) turn.truncated_from = from;
  if (turn.appended_from >= from) turn.appended_from = Index{};
  if (!turn.out.lost_from || from < *turn.out.lost_from) turn.out.lost_from = from;
}

// ---- Leader ----------------------------------------------------------------------------------------------------

void Core::append_own(Turn& turn, EntryKind kind, Bytes payload) {
  log_.append(hard_.term, kind, payload);
  if (!turn.appended_from) turn.appended_from = log_.last();
  std::get<Leader>(role_).uncommitted_bytes += payload.size();
  if (kind == EntryKind::configuration) adopt_configuration(log_.entry(log_.last()));
}

/// What is known of another member; null when this node does not lead or the other is no member.
Progress* Core::peer(NodeId node) {
  Leader* leader = leading();
  if (leader == nullptr || node == options_.id) return nullptr;
  const auto found = std::ranges::find(leader->peers, node, &Progress::id);
  return found == leader->peers.end() ? nullptr : &*found;
}

Progress* Core::hear_from(NodeId node, ReadSeq read) {
  Progress* found = peer(node);
  if (found == nullptr) return nullptr;
  found->recently_active = true;
  if (read > found->read && read <= read_issued_) {
    found->read = read;
    confirm_reads(std::get<Leader>(role_));
  }
  return found;
}

/// The window is relieved, the match index only rises: an acknowledgement may arrive late, twice or out of order, but it is
/// one of this term (checked here), and within a term a leader's log only grows.
void Core::receive(Turn& turn, NodeId from, Term term, const AppendReply& reply) {
  if (term < hard_.term) return;
  Progress* peer = hear_from(from, reply.read);
  if (peer == nullptr) return;  // perhaps a leader once, before a crash that took what is acknowledged here
  if (reply.match > log_.last()) return handle_unexpected();
  const bool advanced = reply.match > peer->match;
  if (advanced) peer->match = reply.match;
  const bool in_step = peer->state == ProgressState::probe && reply.match >= peer->match;
  // A peer that was given a snapshot may have come so far without it that the log reaches it again.
  const bool in_reach = peer->state == ProgressState::snapshot && peer->match >= log_.base().index;
  if (in_step || in_reach) {
    if (in_reach) peer->next = peer->match.next();
    peer->become_replicate();
  } else if (peer->state == ProgressState::snapshot && peer->match >= peer->snapshot.index) {
    peer->become_snapshot(snapshot_);  // it holds all that it is being sent, and the log begins behind that
  } else if (peer->state == ProgressState::replicate) {
    peer->next = std::max(peer->next, peer->match.next());
    peer->window.acknowledge(peer->match);
  }
  if (advanced) advance_commit(turn);
}

/// A refusal counts only when it answers what is now in doubt: never below the match index, and in probe only the
/// one append that is out.
void Core::receive(Turn& /*turn*/, NodeId from, Term term, const AppendReject& reject) {
  if (term < hard_.term) return;
  Progress* peer = hear_from(from, reject.read);
  if (peer == nullptr || reject.rejected_prev <= peer->match) return;
  if (peer->state == ProgressState::snapshot) return;
  if (peer->state == ProgressState::probe && reject.rejected_prev != peer->next.previous()) return;
  const LogId agreed =
      log_.last_at_or_below(std::min(reject.hint.index, reject.rejected_prev.previous()), reject.hint.term);
  peer->become_probe(agreed.index.next());
}

void Core::receive(Turn& turn, NodeId from, Term term, const HeartbeatReply& reply) {
  if (term < hard_.term) return;
  Progress* peer = hear_from(from, reply.read);
  if (peer == nullptr) return;
  // The peer is there. What was sent to it and never answered may be lost: ask again.
  peer->probe_outstanding = false;
  if (peer->state == ProgressState::replicate && peer->match < log_.last() &&
      peer->next > peer->match.next() && peer->next > log_.base().index) {
    send_append(turn, *peer, true);
  }
}

/// What a new commit index leads to. Leaving a joint configuration needs a smaller quorum, which may hold more: the
/// commit index is as high as it can be afterwards. A leader that its committed configuration removed steps down
/// (thesis §4.2.2).
void Core::advance_commit(Turn& turn) {
  if (!commit_agreed(turn)) return;
  while (leave_joint_configuration(turn) && commit_agreed(turn)) {
  }
  if (may_stand()) return;
  // It spares the others an election timeout.
  if (const NodeId next = successor(std::get<Leader>(role_)); next) send(turn, next, TimeoutNow{});
  become_follower(turn, hard_.term, NodeId{});
}

/// §5.4.2 and figure 2, "leaders", rule 4: commit what a quorum holds, but only by counting an entry of this term.
bool Core::commit_agreed(Turn& turn) {
  Leader& leader = std::get<Leader>(role_);
  const auto match_of = [&](NodeId node) {
    const auto peer = std::ranges::find(leader.peers, node, &Progress::id);
    return peer == leader.peers.end() ? std::uint64_t{0} : peer->match.value();
  };
  const Index agreed(quorum_number(configuration(), match_of));
  if (agreed <= commit_ || log_.term_at(agreed) != hard_.term) return false;
  for (Index at = commit_.next(); at <= agreed; at = at.next()) {
    const EntryView entry = log_.entry(at);
    if (entry.id.term == hard_.term) leader.uncommitted_bytes -= entry.payload.size();
  }
  commit_ = agreed;
  turn.commit_configuration = configurations_.back().index;
  return true;
}

void Core::send_appends(Turn& turn, Leader& leader) {
  const Limits& limits = options_.limits;
  for (Progress& peer : leader.peers) {
    if (peer.id == options_.id) continue;
    bool sent = false;
    // Who needs entries that are compacted away gets the snapshot that covers them (§7).
    if (peer.state != ProgressState::snapshot && peer.next <= log_.base().index)
      peer.become_snapshot(snapshot_);
    if (peer.state == ProgressState::snapshot && !peer.probe_outstanding) send_chunk(turn, peer);
    if (peer.state == ProgressState::probe && !peer.probe_outstanding) {
      send_append(turn, peer, false);
      peer.probe_outstanding = true;
      sent = true;
    }
    while (peer.state == ProgressState::replicate && peer.next <= log_.last() &&
           peer.window.messages() < limits.window_messages && peer.window.bytes() < limits.window_bytes) {
      send_append(turn, peer, false);
      sent = true;
    }
    if (turn.heartbeat_due && !sent)
      send(turn, peer.id, Heartbeat{std::min(commit_, peer.match), read_issued_});
  }
}

/// An append from `next` on; an empty one only asks whether the logs agree up to there. In replicate state `next`
/// moves on at once, without waiting for the answer.
void Core::send_append(Turn& turn, Progress& peer, bool empty) const {
  AppendEntries append;
  append.prev = LogId{log_.term_at(peer.next.previous()), peer.next.previous()};
  append.commit = commit_;
  append.read = read_issued_;
  if (!empty && peer.next <= log_.last())
    append.entries = log_.slice_from(peer.next, options_.limits.append_bytes_max);
  if (peer.state == ProgressState::replicate && !append.entries.empty()) {
    peer.window.add(append.entries.last_index(), append.entries.payload_bytes());
    peer.next = append.entries.last_index().next();
  }
  send(turn, peer.id, std::move(append));
}

std::uint64_t hash(const Progress& peer) {
  // The small fields share a word: this is on the path of every digest.
  const std::uint64_t small = std::uint64_t{peer.id.value()} | static_cast<std::uint64_t>(peer.state) << 32U |
                              std::uint64_t{peer.probe_outstanding} << 40U |
                              std::uint64_t{peer.recently_active} << 41U |
                              std::uint64_t{peer.window.messages()} << 42U;
  Hasher hasher(small);
  hasher.add(peer.match, peer.next).add(peer.read.value(), peer.window.bytes());
  if (peer.state == ProgressState::snapshot) hasher.add(peer.snapshot).add(peer.snapshot_offset);
  return hasher.value();
}

}  // namespace raftlab::raft
