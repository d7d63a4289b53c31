#include "invariants/ladder.hpp"

#include <algorithm>

/// L0: one node, one state, after the flush.
namespace raftlab::invariants {

using raft::Progress;
using raft::ProgressState;
using raft::Role;
using raft::State;

void Ladder::check_state(NodeRecord& node, const raft::View& view) {
  const State& state = view.state;
  if (state.snapshot.index > state.commit || state.commit > state.last.index ||
      state.applied > state.handed || state.handed > state.commit || state.durable > state.last.index ||
      (state.snapshot.index > state.applied && state.snapshot.index.value() != node.restoring) ||
      state.base.index > state.snapshot.index || view.log->base() != state.base) {
    fire(Rung::N1, node.id, "first-1 = ", state.base, " of ", view.log->base(), ", S = ", state.snapshot,
         ", C = ", state.commit, ", last = ", state.last.index, ", A = ", state.applied, ", handed ",
         state.handed, ", D = ", state.durable);
  }
  if (state.last.term > state.hard.term) {
    fire(Rung::N4, node.id, "has term ", state.hard.term, ", its last entry ", state.last);
  }
  check_mirror(node, view);
  check_role_shape(node, view);
  if (state.role == Role::candidate || state.role == Role::pre_candidate) check_votes(node, view);

  // N9: the number of configurations and the top; the scan looks at all of them.
  const bool none =
      !view.configurations.empty() && !view.configurations.front().index;  // there is no snapshot
  const std::size_t held = view.configurations.size() - (none ? 1 : 0);
  const std::uint64_t top = held == 0 ? 0 : view.configurations.back().index.value();
  if (held != node.configurations.size() || (held != 0 && top != node.configurations.back().index)) {
    fire(Rung::N9, node.id, "has ", held, " configurations, the last one of index ", top,
         "; its snapshot and its log have ", node.configurations.size());
  }

  const raft::HardState& submitted = node.disk.submitted_hard();
  if (submitted != state.hard) {
    fire(Rung::N17, node.id, "has term ", state.hard.term, " and vote n", state.hard.voted_for,
         ", its writes add up to term ", submitted.term, " and vote n", submitted.voted_for);
  }
  if (node.disk.submitted_snapshot().index != state.snapshot.index) {
    fire(Rung::N17, node.id, "has the snapshot ", state.snapshot, ", its writes add up to ",
         node.disk.submitted_snapshot());
  }
  if (node.disk.submitted_last() != node.log.last()) {
    fire(Rung::N17, node.id, "has a log up to ", node.log.last(), ", its writes add up to ",
         node.disk.submitted_last());
  }
  if (node.disk.synced().hard.term > state.hard.term) {
    fire(Rung::N17, node.id, "has term ", state.hard.term, ", its disk ", node.disk.synced().hard.term);
  }
}

/// N6, N7, and the second half of N8.
void Ladder::check_role_shape(NodeRecord& node, const raft::View& view) {
  const State& state = view.state;
  const raft::NodeId id = node.id;
  const NodeSet self = set_of(id);
  const bool voter = !node.configurations.empty() && (node.configurations.back().all() & self) != 0;
  bool sound = true;
  switch (state.role) {
    case Role::leader:
      sound = state.leader == id && state.hard.voted_for == id && state.deadline_ticks == 0;
      break;
    case Role::candidate: sound = state.hard.voted_for == id && state.leader != id; break;
    case Role::pre_candidate:
    case Role::follower: sound = state.leader != id; break;
  }
  if (!sound) {
    fire(Rung::N6, id, "is ", raft::name(state.role), " in term ", state.hard.term, " with vote n",
         state.hard.voted_for, ", leader n", state.leader, ", deadline ", state.deadline_ticks);
  }
  if (state.role != Role::leader && voter &&
      (state.deadline_ticks == 0 || state.deadline_ticks > 2 * options_.election_ticks_min)) {
    fire(Rung::N6, id, "can be elected, and its deadline is ", state.deadline_ticks, " ticks of at most ",
         2 * options_.election_ticks_min);
  }
  if (state.role == Role::follower) return;
  const bool may = voter || node.may_stand(state.commit.value());
  if (state.role == Role::leader) {
    if (!may) fire(Rung::N6, id, "leads term ", state.hard.term, " and is no voter");
  } else {
    count(Rung::N7);
    if (!may) fire(Rung::N7, id, "stands in term ", state.hard.term, " and is no voter");
  }
  if (node.configurations.empty() || node.configurations.back().voters == 0) {
    fire(Rung::N8, id, "has no configuration and is ", raft::name(state.role));
  }
}

/// N14.
void Ladder::check_votes(NodeRecord& node, const raft::View& view) {
  const NodeSet granted = set_of(view.granted);
  const NodeSet refused = set_of(view.refused);
  if (node.configurations.empty()) return;
  const VoterSets& sets = node.configurations.back();
  count(Rung::N14);
  if ((granted & refused) != 0 || ((granted | refused) & ~sets.all()) != 0 ||
      size_of(granted) != view.granted.size() || size_of(refused) != view.refused.size()) {
    fire(Rung::N14, node.id, "counts ", view.granted.size(), " votes granted (set ", granted, ") and ",
         view.refused.size(), " refused (set ", refused, "), of voters (set ", sets.all(), ")");
  }
  if (sets.majority(granted)) {
    fire(Rung::N14, node.id, "has won term ", view.state.hard.term, " with votes (set ", granted,
         ") and still stands");
  } else if (!sets.majority(sets.all() & ~refused)) {
    fire(Rung::N14, node.id, "has lost term ", view.state.hard.term, " by refusals (set ", refused,
         ") and still stands");
  }
}

// ---- A leader --------------------------------------------------------------------------------------------------

/// True when the match index moved.
inline bool Ladder::check_peer(NodeRecord& node, const raft::View& view, const Progress& peer,
                               PeerShadow& shadow) {
  const std::uint64_t match = peer.match.value();
  const std::uint64_t next = peer.next.value();
  const std::size_t messages = peer.window.messages();
  if (match >= next || next > node.log.last() + 1) {
    fire(Rung::N12, node.id, "has for n", peer.id, " match ", match, " and next ", next, ", its log ends at ",
         node.log.last());
  }
  const bool self = peer.id == node.id;
  if (self && peer.match != view.state.durable) {
    fire(Rung::N12, node.id, "has for itself match ", match, " and D = ", view.state.durable);
  }
  if (next != shadow.next || node.snapshot_moved) check_reach(node, view, peer);
  if (messages != shadow.messages || next != shadow.next) {
    // The sum over a long window costs: it is taken on short ones, now and then, and by the scan.
    if (messages <= 4 || ((states_ + peer.id.value()) & 15U) == 0) check_window(node, peer);
    shadow.messages = messages;
    shadow.next = next;
  }
  if (match == shadow.match) return false;
  count(Rung::D9);
  if (match < shadow.match) {
    fire(Rung::D9, node.id, "had for n", peer.id, " match ", shadow.match, ", now ", match);
  } else if (match <= node.log.last() && match > table_.forgotten_below()) {
    count(Rung::G14);
    const bool there = peer.id.value() <= nodes_.size() &&
                       nodes_[peer.id.value() - 1].disk.once_synced(match, node.log.at(match));
    if (!there) {
      fire(Rung::G14, node.id, "has for n", peer.id, " match ", match, " of term ", node.log.at(match).term(),
           ", which that disk has never held");
    }
  }
  shadow.match = match;
  return true;
}

namespace {

/// The members changed: who is still one keeps its shadow.
[[gnu::cold, gnu::noinline]] void fit_shadows(std::vector<PeerShadow>& shadows,
                                              std::span<const Progress> peers) {
  std::vector<PeerShadow> fitting;
  for (const Progress& peer : peers) {
    const std::uint32_t id = peer.id.value();
    const auto known = std::find_if(shadows.begin(), shadows.end(),
                                    [&](const PeerShadow& shadow) { return shadow.id == id; });
    fitting.push_back(known == shadows.end() ? PeerShadow{id, 0, 0, 0} : *known);
  }
  shadows = std::move(fitting);
}

}  // namespace

/// N12, N13, N15, D9, G14. What did not change since the step before is not looked at again.
void Ladder::check_leader(NodeRecord& node, const raft::View& view, bool changed) {
  const bool fresh = !node.shadowed;
  if (fresh) {
    node.shadowed = true;
    node.peers.clear();
  }
  count(Rung::N12);
  NodeSet tracked = 0;
  bool moved = changed || fresh;
  if (node.peers.size() != view.peers.size()) fit_shadows(node.peers, view.peers);
  for (std::size_t at = 0; at < view.peers.size(); ++at) {
    const Progress& peer = view.peers[at];
    if (node.peers[at].id != peer.id.value()) fit_shadows(node.peers, view.peers);
    PeerShadow& shadow = node.peers[at];
    tracked |= set_of(peer.id);
    const bool same = peer.match.value() == shadow.match && peer.next.value() == shadow.next &&
                      peer.window.messages() == shadow.messages && peer.id != node.id && !node.snapshot_moved;
    if (!same) moved = check_peer(node, view, peer, shadow) || moved;
    if (peer.state != ProgressState::replicate && peer.window.messages() != 0) {
      fire(Rung::N12, node.id, "has for n", peer.id, " ", peer.window.messages(),
           " appends in flight in state ", raft::name(peer.state));
    }
  }
  const NodeSet members = node.configurations.empty() ? 0 : node.configurations.back().members;
  if (tracked != members || view.peers.size() != size_of(members)) {
    fire(Rung::N12, node.id, "tracks the set ", tracked, ", the members are ", members);
  }
  if (!moved) return;
  check_commit_maximal(node, view);
  if (!changed && !fresh) return;
  check_uncommitted_bytes(node, view);
  check_one_change(node);
}

/// N12: who needs what is compacted away is sent a snapshot, which the leader has.
void Ladder::check_reach(NodeRecord& node, const raft::View& view, const Progress& peer) {
  if (peer.state == ProgressState::snapshot) {
    if (peer.snapshot.index.next() != peer.next || peer.snapshot.index > view.state.snapshot.index) {
      fire(Rung::N12, node.id, "sends n", peer.id, " the snapshot ", peer.snapshot, ", next ", peer.next,
           ", its own is ", view.state.snapshot);
    }
  } else if (peer.next <= view.state.base.index) {
    fire(Rung::N12, node.id, "would send n", peer.id, " index ", peer.next, " in state ",
         raft::name(peer.state), ", its log begins behind ", view.state.base);
  }
}

/// N12's window and its byte counter (N15).
void Ladder::check_window(NodeRecord& node, const Progress& peer) {
  if (peer.window.messages() == 0) {
    if (peer.window.bytes() != 0)
      fire(Rung::N15, node.id, "counts ", peer.window.bytes(), " bytes in no append");
    return;
  }
  count(Rung::N15);
  std::uint64_t bytes = 0;
  std::uint64_t last = peer.match.value();
  bool rising = true;
  for (const raft::Window::Flight& flight : peer.window.flights()) {
    bytes += flight.bytes;
    rising = rising && flight.last.value() > last;
    last = flight.last.value();
  }
  const std::uint64_t newest = peer.window.flights().back().bytes;
  if (bytes != peer.window.bytes()) {
    fire(Rung::N15, node.id, "counts ", peer.window.bytes(), " bytes in flight to n", peer.id, ", they are ",
         bytes);
  }
  if (!rising || last >= peer.next.value() || peer.window.messages() > options_.limits.window_messages ||
      bytes - newest >= std::max<std::uint64_t>(options_.limits.window_bytes, 1)) {
    fire(Rung::N12, node.id, "has ", peer.window.messages(), " appends of ", bytes, " bytes in flight to n",
         peer.id, " up to index ", last, ", match ", peer.match, ", next ", peer.next);
  }
}

/// N13: the greatest index that a majority of every voter set is known to hold; terms never fall, so it alone decides.
void Ladder::check_commit_maximal(NodeRecord& node, const raft::View& view) {
  if (node.configurations.empty()) return;
  const VoterSets& sets = node.configurations.back();
  const std::uint64_t commit = view.state.commit.value();
  std::uint64_t best = 0;
  NodeSet above = 0;
  for (const Progress& peer : view.peers) {
    if (peer.match.value() > commit) above |= set_of(peer.id);
  }
  count(Rung::N13);
  if (!sets.majority(above)) return;
  for (const Progress& peer : view.peers) {
    NodeSet holders = 0;
    for (const Progress& other : view.peers) {
      if (other.match >= peer.match) holders |= set_of(other.id);
    }
    if (sets.majority(holders)) best = std::max(best, peer.match.value());
  }
  if (best > commit && node.log.at(best).term() == view.state.hard.term.value()) {
    fire(Rung::N13, node.id, "leads term ", view.state.hard.term, " with C = ", commit,
         ", a quorum holds index ", best, " of that term");
  }
}

/// Bytes of the entry above `below` that leaves a joint configuration, which no limit holds up.
std::uint64_t Ladder::leave_bytes(const NodeRecord& node, std::uint64_t below) const {
  const std::size_t held = node.configurations.size();
  if (held < 2 || !node.configurations[held - 2].joint()) return 0;
  const std::uint64_t index = node.configurations.back().index;
  if (index <= below) return 0;
  return table_.bytes(index, node.log.at(index)) - table_.bytes(index - 1, node.log.at(index - 1));
}

/// N15: from the running sums in the table of entries.
void Ladder::check_uncommitted_bytes(NodeRecord& node, const raft::View& view) {
  const std::uint64_t last = node.log.last();
  if (node.own_first == 0 || last + 1 < node.own_first) return;
  count(Rung::N15);
  const std::uint64_t below = std::min(last, std::max(view.state.commit.value(), node.own_first - 1));
  const std::uint32_t bytes =
      table_.bytes(last, node.log.last_mark()) - table_.bytes(below, node.log.at(below));
  if (view.uncommitted_bytes != bytes) {
    fire(Rung::N15, node.id, "counts ", view.uncommitted_bytes, " uncommitted bytes, indices ", below + 1,
         "..", last, " have ", bytes);
    return;
  }
  const std::uint64_t limit =
      std::uint64_t{options_.limits.uncommitted_bytes_max} + options_.limits.proposal_bytes_max;
  if (bytes > limit && bytes > limit + leave_bytes(node, below)) {
    fire(Rung::N15, node.id, "has ", bytes, " uncommitted bytes, the limit is ",
         options_.limits.uncommitted_bytes_max);
  }
}

// ---- Reads -----------------------------------------------------------------------------------------------------

/// N16: the newest reads; all of them by the scan.
void Ladder::check_reads(NodeRecord& node, const raft::View& view, const raft::Output& output) {
  const State& state = view.state;
  if (state.read_confirmed > state.read_issued) {
    fire(Rung::N16, node.id, "confirmed read round ", state.read_confirmed, " of ", state.read_issued);
  }
  for (const raft::ReadReady& ready : output.reads) {
    count(Rung::N16);
    if (ready.index > state.applied) {
      fire(Rung::N16, node.id, "lets a read at index ", ready.index, " go with A = ", state.applied);
    }
  }
  check_forwarded(node, view);
  if (view.reads.empty()) return;
  count(Rung::N16);
  const std::uint64_t term = node.log.at(state.commit.value()).term();
  if (term != state.hard.term.value()) {
    fire(Rung::N16, node.id, "leads term ", state.hard.term, ", has reads waiting, and C = ", state.commit,
         " is of term ", term);
  }
  const raft::PendingRead& back = view.reads.back();
  const bool falls = view.reads.size() > 1 && (view.reads[view.reads.size() - 2].round > back.round ||
                                               view.reads[view.reads.size() - 2].index > back.index);
  if (back.index > state.commit || falls) {
    fire(Rung::N16, node.id, "has a read waiting at index ", back.index, " in round ", back.round,
         ", C = ", state.commit);
  }
}

/// N16, at a follower: who asks has a leader to ask, and its rounds rise.
void Ladder::check_forwarded(NodeRecord& node, const raft::View& view) {
  node.forwards = !view.forwarded.empty();
  if (!node.forwards) return;
  count(Rung::N16);
  const State& state = view.state;
  const bool rises = view.forwarded.front().round <= view.forwarded.back().round;
  if (state.role != raft::Role::follower || !state.leader || !rises) {
    fire(Rung::N16, node.id, "has forwarded reads of rounds ", view.forwarded.front().round, " to ",
         view.forwarded.back().round, " as ", raft::name(state.role), " under n", state.leader);
  }
}

/// N16, of a read index that leaves: the one of a leader that knows what is committed.
void Ladder::check_read_index(NodeRecord& node, const raft::View& view, const raft::Envelope& envelope) {
  const auto& reply = std::get<raft::ReadIndexReply>(envelope.message);
  if (!reply.index) return;
  count(Rung::N16);
  const State& state = view.state;
  const std::uint64_t term = node.log.at(state.commit.value()).term();
  if (state.role != raft::Role::leader || envelope.term != state.hard.term ||
      term != state.hard.term.value() || reply.index > state.commit) {
    fire(Rung::N16, node.id, "answers n", envelope.to, " with read index ", reply.index, " as ",
         raft::name(state.role), " of term ", state.hard.term, ", C = ", state.commit, " of term ", term);
  }
}

void Ladder::check_reads_fully(NodeRecord& node, const raft::View& view) {
  for (std::size_t at = 0; at < view.reads.size(); ++at) {
    const raft::PendingRead& read = view.reads[at];
    count(Rung::N16);
    if (read.index > view.state.commit ||
        (at > 0 && (view.reads[at - 1].round > read.round || view.reads[at - 1].index > read.index))) {
      fire(Rung::N16, node.id, "has a read waiting at index ", read.index, " in round ", read.round,
           ", C = ", view.state.commit);
    }
  }
}

}  // namespace raftlab::invariants
