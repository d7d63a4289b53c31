#include "raft/core.hpp"
#include "raft/turn.hpp"

#include <algorithm>
#include <utility>

/// Leadership transfer: thesis §3.10. The leader takes no more proposals, brings the target up to date, and
/// tells it to stand at once. Nothing rests on it: the target must win an election like any other candidate.
namespace raftlab::raft {

// ---- Leader ----------------------------------------------------------------------------------------------

void Core::handle(Turn& turn, const Transfer& transfer) {
  Leader* leader = leading();
  const auto reject = [&](Rejection reason) {
    turn.out.rejected.push_back(Rejected{transfer.tag, reason, leader_});
  };
  if (leader == nullptr) return reject(Rejection::not_leader);
  if (leader->handover) return reject(Rejection::transferring);
  if (transfer.target == options_.id || !configuration().is_voter(transfer.target))
    return reject(Rejection::bad_target);
  leader->handover = Handover{transfer.tag, transfer.target};
}

/// "If leadership transfer does not complete after about an election timeout, the prior leader aborts the
/// transfer and resumes accepting client requests." The target may stand all the same, when it was told
/// already.
void Core::tick_handover(Turn& turn, Leader& leader) {
  if (!leader.handover || ++leader.handover->elapsed_ticks < options_.election_ticks_min) return;
  end_handover(turn, leader, Rejection::timed_out);
}

void Core::end_handover(Turn& turn, Leader& leader, Rejection reason) const {
  if (const auto tag = leader.handover->tag) turn.out.rejected.push_back(Rejected{*tag, reason, leader_});
  leader.handover.reset();
}

/// The target is told as soon as it has all of the log, and again with each heartbeat, because TimeoutNow may
/// be lost. A leader that leaves a joint configuration meanwhile appends an entry, which the target must
/// have, too.
void Core::hand_over(Turn& turn, Leader& leader) const {
  if (!leader.handover) return;
  Handover& handover = *leader.handover;
  if (!configuration().is_voter(handover.target)) return end_handover(turn, leader, Rejection::bad_target);
  const auto target = std::ranges::find(leader.peers, handover.target, &Progress::id);
  if (target->match != log_.last() || (handover.told && !turn.heartbeat_due)) return;
  handover.told = true;
  leader.lease_ended = true;  // voters do not hold the target to their promises
  send(turn, handover.target, TimeoutNow{});
}

/// A leader that cannot write answers nobody, because it applies only what is durable here; but its heartbeats keep
/// everybody from standing. It tries again, perhaps with another target, as long as the disk says nothing.
void Core::tick_disk(Leader& leader) const {
  if (pending_writes_.empty() || ++leader.stalled_ticks != options_.stall_ticks) return;
  leader.stalled_ticks = 0;
  if (const NodeId target = successor(leader); target && !leader.handover)
    leader.handover = Handover{std::nullopt, target};
}

/// Another voter that has most of this leader's log.
NodeId Core::successor(const Leader& leader) const {
  NodeId successor;
  Index match;
  for (const Progress& peer : leader.peers) {
    if (peer.id == options_.id || peer.match <= match || !configuration().is_voter(peer.id)) continue;
    successor = peer.id;
    match = peer.match;
  }
  return successor;
}

// ---- Target ----------------------------------------------------------------------------------------------

/// Stands without asking in advance: others would refuse while they hear the leader. That the leader sent it
/// is why they vote. What it may be told late, or twice, or by a former leader costs a term at most.
void Core::receive(Turn& turn, NodeId from, Term term, const TimeoutNow& /*timeout_now*/) {
  if (term < hard_.term || role() != Role::follower || leader_ != from || !may_stand()) return;
  ++attempt_;
  ++vain_;
  stand(turn, true);
}

}  // namespace raftlab::raft
