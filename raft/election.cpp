#include "raft/core.hpp"
#include "raft/hash.hpp"
#include "raft/quorum.hpp"
#include "raft/turn.hpp"

#include <algorithm>

/// Leader election: §5.2 and §5.4.1 of the paper, pre-vote (thesis §9.6), check-quorum (§6.2).
namespace raftlab::raft {

void Core::handle(Turn& turn, const Tick& /*tick*/) {
  if (promise_ticks_ > 0) --promise_ticks_;
  if (Leader* leader = leading(); leader != nullptr) {
    tick_leader(turn, *leader);
  } else {
    tick_election(turn);
  }
}

/// §5.2: a follower that hears nothing over the election timeout stands; so does a candidate of a split vote.
void Core::tick_election(Turn& turn) {
  ++elapsed_ticks_;
  if (elapsed_ticks_ >= deadline_ticks_) return campaign(turn);
  tick_forwarded(turn);
}

void Core::tick_leader(Turn& turn, Leader& leader) {
  ++leader.ticks;
  if (++leader.heartbeat_elapsed_ticks >= options_.heartbeat_ticks) {
    leader.heartbeat_elapsed_ticks = 0;
    turn.heartbeat_due = true;
  }
  tick_disk(leader);
  tick_handover(turn, leader);
  if (!options_.check_quorum || ++leader.quorum_elapsed_ticks < options_.election_ticks_min) return;
  // Thesis §6.2: a leader that no quorum has answered for an election timeout steps down.
  leader.quorum_elapsed_ticks = 0;
  const bool heard = quorum_of(configuration(), [&](NodeId node) {
    const auto peer = std::ranges::find(leader.peers, node, &Progress::id);
    return peer != leader.peers.end() && (node == options_.id || peer->recently_active);
  });
  for (Progress& peer : leader.peers) peer.recently_active = false;
  if (!heard) become_follower(turn, hard_.term, NodeId{});
}

/// A pure function of (seed, node, term, attempt), so that a core can be copied, compared and replayed.
///
/// A priority is a wish for the first elections behind a leader. Who has stood in vain may not be able to win, and each new term
/// that it begins starts the timers of the others again: were the timeouts of those who cannot win always the shorter ones, who
/// can would never stand. Terms that others began count as well, for those who cannot win may take turns.
void Core::restart_election_timer() {
  elapsed_ticks_ = 0;
  const std::uint64_t draw =
      Hasher(options_.seed.value()).add(options_.id).add(hard_.term).add(std::uint64_t{attempt_}).value();
  const std::uint32_t range = options_.election_ticks_min;
  const Priority priority = vain_ <= 1 ? options_.priority : Priority::normal;
  const std::uint32_t from = priority == Priority::low ? range / 2 : 0;
  const std::uint32_t to = priority == Priority::high ? range - range / 2 : range;
  deadline_ticks_ = range + from + static_cast<std::uint32_t>(draw % (to - from));
}

/// With leases the promise to a leader outlives what is known of it: a message of a later term, which may come from anybody,
/// makes a follower forget its leader.
bool Core::hears_a_leader() const {
  if (!options_.check_quorum) return false;
  if (promise_ticks_ > 0) return true;
  return role() == Role::leader || (leader_ && elapsed_ticks_ < options_.election_ticks_min);
}

/// The vote of a term is kept when a candidate or leader steps down within it; only a new term clears it.
void Core::become_follower(Turn& turn, Term term, NodeId leader) {
  leave_role(turn, leader);
  if (term > hard_.term) {
    hard_ = HardState{term, NodeId{}};
    attempt_ = 0;
    ++vain_;
  }
  if (leader) vain_ = 0;
  role_.emplace<Follower>();
  leader_ = leader;
  restart_election_timer();
}

/// What waits in the present role, and under the present leader, ends with it. A read that is forwarded may yet be answered:
/// nobody waits for that any more.
void Core::leave_role(Turn& turn, NodeId leader) {
  const auto reject = [&](const auto& read) {
    turn.out.rejected.push_back(Rejected{read.tag, Rejection::not_leader, leader});
  };
  std::ranges::for_each(read_ready_, reject);
  read_ready_.clear();
  if (Leader* leading_now = leading(); leading_now != nullptr) {
    for (const PendingRead& read : leading_now->reads) {
      if (!read.requester) reject(read);
    }
    if (leading_now->handover && leading_now->handover->tag)
      turn.out.transferred.push_back(*leading_now->handover->tag);
    turn.heartbeat_due = false;
  } else if (const auto* follower = std::get_if<Follower>(&role_); follower != nullptr) {
    std::ranges::for_each(follower->reads, reject);
    forward_ticks_ = 0;
  }
}

void Core::handle(Turn& turn, const Campaign& /*campaign*/) {
  if (leading() == nullptr && promise_ticks_ == 0) campaign(turn);
}

/// A voter of the committed configuration or of one behind it in the log, which need not be the last one: a node that
/// its last configuration removes may be the only one whose log is new enough to be elected and to commit the removal.
bool Core::may_stand() const {
  for (auto at = configurations_.rbegin(); at != configurations_.rend(); ++at) {
    if (at->configuration.is_voter(options_.id)) return true;
    if (at->index <= commit_) break;
  }
  return false;
}

/// §5.2. Who may not stand waits, and by now knows of no leader either: its vote may be needed. With pre-vote it first
/// asks whether it could win, which costs nobody a term.
void Core::campaign(Turn& turn) {
  ++attempt_;
  ++vain_;
  if (!may_stand()) return become_follower(turn, hard_.term, NodeId{});
  if (options_.pre_vote) {
    leave_role(turn, NodeId{});
    leader_ = NodeId{};
    role_.emplace<PreCandidate>();
    restart_election_timer();
    ask_for_votes(turn, hard_.term.next(), true, false);
    count_vote(turn, options_.id, true);
  } else {
    stand(turn, false);
  }
}

/// Figure 2, "candidates": increment the term, vote for self, ask all. The requests wait until the vote and the
/// log that they advertise are durable, and so does the vote for itself.
void Core::stand(Turn& turn, bool transfer) {
  leave_role(turn, NodeId{});
  hard_ = HardState{hard_.term.next(), options_.id};
  leader_ = NodeId{};
  role_.emplace<Candidate>();
  restart_election_timer();
  ask_for_votes(turn, hard_.term, false, transfer);
}

void Core::ask_for_votes(Turn& turn, Term term, bool pre, bool transfer) {
  const RequestVote request{log_.last_id(), pre, transfer};
  for (const Member& member : configuration().members) {
    if (member.id == options_.id || !configuration().is_voter(member.id)) continue;
    if (pre) {
      send_at_term(turn, member.id, term, request);
    } else {
      hold(member.id, request, Needs::everything);
    }
  }
}

/// Figure 2, RequestVote, receiver: rule 1, refuse an older term; rule 2, grant when nobody else has the vote of the
/// term and the candidate's log is at least as up-to-date (§5.4.1).
void Core::receive(Turn& turn, NodeId from, Term term, const RequestVote& request) {
  const bool current = request.pre ? term > hard_.term : term == hard_.term;
  const bool free = request.pre || !hard_.voted_for || hard_.voted_for == from;
  const bool undecided = (request.pre || !leader_) && (request.transfer || promise_ticks_ == 0);
  const bool grant = current && free && undecided && at_least_as_up_to_date(request.last, log_.last_id());
  if (!grant) {
    send(turn, from, VoteReply{request.pre, false});
  } else if (request.pre) {
    send_at_term(turn, from, term, VoteReply{true, true});
  } else {
    hard_.voted_for = from;
    elapsed_ticks_ = 0;
    hold(from, VoteReply{false, true}, Needs::hard_state);
  }
}

/// Only answers to what is being asked now count: of this term, and of this kind of vote.
void Core::receive(Turn& turn, NodeId from, Term term, const VoteReply& reply) {
  const bool asking = reply.pre ? role() == Role::pre_candidate : role() == Role::candidate;
  const Term asked = reply.pre && reply.granted ? hard_.term.next() : hard_.term;
  if (asking && term == asked && configuration().is_voter(from)) count_vote(turn, from, reply.granted);
}

/// Each voter of the last configuration counts once, however often its answer arrives. A candidate need not be one.
void Core::count_vote(Turn& turn, NodeId from, bool granted) {
  const bool pre = role() == Role::pre_candidate;
  Votes& votes = pre ? static_cast<Votes&>(std::get<PreCandidate>(role_)) : std::get<Candidate>(role_);
  const auto has = [](const std::vector<NodeId>& nodes, NodeId node) {
    return std::ranges::find(nodes, node) != nodes.end();
  };
  if (has(votes.granted, from) || has(votes.refused, from)) return;
  if (configuration().is_voter(from)) (granted ? votes.granted : votes.refused).push_back(from);
  if (quorum_of(configuration(), [&](NodeId node) { return has(votes.granted, node); })) {
    if (pre) {
      stand(turn, false);
    } else if (own_vote_durable()) {
      become_leader(turn);
    }
    return;
  }
  const bool lost = !quorum_of(configuration(), [&](NodeId node) { return !has(votes.refused, node); });
  if (lost) become_follower(turn, hard_.term, NodeId{});
}

/// §5.4.2, §8: a new leader appends an entry of its own term, because only such an entry can be committed by counting.
void Core::become_leader(Turn& turn) {
  Leader leader;
  track_members(leader);
  for (Progress& peer : leader.peers) peer.recently_active = false;
  role_ = std::move(leader);
  leader_ = options_.id;
  vain_ = 0;
  elapsed_ticks_ = 0;
  deadline_ticks_ = 0;
  read_confirmed_ = read_issued_;  // nobody waits for the rounds of an earlier leadership
  append_own(turn, EntryKind::noop, Bytes{});
}

}  // namespace raftlab::raft
