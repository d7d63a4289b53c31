#include "raft/core.hpp"
#include "raft/turn.hpp"

#include <algorithm>
#include <utility>

/// Linearizable reads at a follower or learner (thesis §6.4): it asks its leader for a read index, and serves the reads when
/// its own state machine has come so far. Reads that come while it waits for an answer share the next question: one is out at
/// a time. A question is asked again with each heartbeat interval, and given up after `election_ticks_min`. All of it ends
/// with the leader that was asked.
namespace raftlab::raft {

void Core::forward(Turn& turn, const Read& read) {
  auto& follower = std::get<Follower>(role_);
  if (follower.reads.size() + read_ready_.size() >= options_.limits.reads_max) {
    turn.out.rejected.push_back(Rejected{read.tag, Rejection::overloaded, leader_});
    return;
  }
  follower.reads.push_back(ForwardedRead{read.tag, forward_issued_.next()});
}

/// True when a question is out.
bool Core::asks(const Follower& follower) const {
  return !follower.reads.empty() && follower.reads.front().round == forward_issued_;
}

void Core::send_forwarded(Turn& turn, Follower& follower) {
  if (follower.reads.empty() || asks(follower)) return;
  forward_issued_ = forward_issued_.next();
  forward_ticks_ = 0;
  send(turn, leader_, ReadIndex{forward_issued_.value(), options_.incarnation});
}

void Core::tick_forwarded(Turn& turn) {
  auto* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || !asks(*follower)) return;
  ++forward_ticks_;
  if (forward_ticks_ >= options_.election_ticks_min) {
    end_forwarded(turn, *follower, Rejection::timed_out);
  } else if (forward_ticks_ % options_.heartbeat_ticks == 0) {
    send(turn, leader_, ReadIndex{forward_issued_.value(), options_.incarnation});
  }
}

/// The answer to what is being asked now, and in this life of the node: a restart counts its questions from the beginning.
void Core::receive(Turn& turn, NodeId from, Term term, const ReadIndexReply& reply) {
  if (reply.tag == 0) return handle_unexpected();
  auto* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || term < hard_.term || leader_ != from || !asks(*follower)) return;
  if (reply.tag != forward_issued_.value() || reply.incarnation != options_.incarnation) return;
  if (reply.index) {
    end_forwarded(turn, *follower, reply.index);
  } else {
    end_forwarded(turn, *follower, Rejection::not_ready);
  }
}

/// Ends the round that is out: its reads wait for the state machine now, or are rejected.
void Core::end_forwarded(Turn& turn, Follower& follower, std::variant<Index, Rejection> outcome) {
  const auto next = std::ranges::find_if(
      follower.reads, [&](const ForwardedRead& read) { return read.round > forward_issued_; });
  for (auto read = follower.reads.begin(); read != next; ++read) {
    if (const auto* index = std::get_if<Index>(&outcome)) {
      read_ready_.push_back(ReadReady{read->tag, *index});
    } else {
      turn.out.rejected.push_back(Rejected{read->tag, std::get<Rejection>(outcome), leader_});
    }
  }
  follower.reads.erase(follower.reads.begin(), next);
  forward_ticks_ = 0;
}

}  // namespace raftlab::raft
