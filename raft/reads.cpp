#include "raft/core.hpp"
#include "raft/quorum.hpp"
#include "raft/turn.hpp"

#include <algorithm>

/// Linearizable reads without a log entry: ReadIndex, thesis §6.4. One round of the quorum serves every read that came
/// before the round began, those that followers forwarded included.
namespace raftlab::raft {

void Core::handle(Turn& turn, const Read& read) {
  const auto objection = objection_to_reads();
  if (objection == Rejection::not_leader && role() == Role::follower && leader_) return forward(turn, read);
  if (objection) {
    turn.out.rejected.push_back(Rejected{read.tag, *objection, leader_});
    return;
  }
  Leader& leader = std::get<Leader>(role_);
  if (read.mode == ReadMode::lease && holds_lease(leader)) {
    read_ready_.push_back(ReadReady{read.tag, commit_});
  } else {
    leader.reads.push_back(PendingRead{read.tag, read_issued_.next(), commit_, NodeId{}, 0});
  }
}

std::optional<Rejection> Core::objection_to_reads() const {
  const auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return Rejection::not_leader;
  // Thesis §6.4, step 1: until a leader has committed in its term it does not know what is committed.
  if (log_.term_at(commit_) != hard_.term) return Rejection::not_ready;
  if (leader->reads.size() + read_ready_.size() >= options_.limits.reads_max) return Rejection::overloaded;
  return std::nullopt;
}

/// A follower asks. What it asked before and is still waiting for is answered once.
void Core::receive(Turn& turn, NodeId from, Term term, const ReadIndex& request) {
  if (request.tag == 0) return handle_unexpected();
  // Who was removed may not know it yet.
  if (term < hard_.term || objection_to_reads() || !configuration().is_member(from))
    return send(turn, from, ReadIndexReply{request.tag, request.incarnation, Index{}});
  Leader& leader = std::get<Leader>(role_);
  const bool known = std::ranges::any_of(leader.reads, [&](const PendingRead& read) {
    return read.requester == from && read.tag == request.tag && read.incarnation == request.incarnation;
  });
  if (known) return;
  leader.reads.push_back(PendingRead{request.tag, read_issued_.next(), commit_, from, request.incarnation});
}

/// For reads, a round begins when the one before it is confirmed, so that any number of reads costs one exchange per round
/// trip. With leases every heartbeat begins one.
void Core::open_round(Turn& turn, Leader& leader) {
  const bool wanted =
      !leader.reads.empty() && leader.reads.back().round > read_issued_ && read_confirmed_ == read_issued_;
  const bool renews_lease = uses_leases() && turn.heartbeat_due;
  if (!wanted && !renews_lease) return;
  read_issued_ = read_issued_.next();
  note_round(leader);
  turn.heartbeat_due = true;
  confirm_reads(leader);
}

void Core::confirm_reads(Leader& leader) {
  const auto round_of = [&](NodeId node) {
    if (node == options_.id) return read_issued_.value();
    const auto peer = std::ranges::find(leader.peers, node, &Progress::id);
    return peer == leader.peers.end() ? std::uint64_t{0} : peer->read.value();
  };
  read_confirmed_ = std::max(read_confirmed_, ReadSeq(quorum_number(configuration(), round_of)));
}

/// Reads whose round is confirmed. A requester waits for its own state machine, not for this one.
void Core::release_rounds(Turn& turn, Leader& leader) {
  std::size_t confirmed = 0;
  while (confirmed < leader.reads.size() && leader.reads[confirmed].round <= read_confirmed_) {
    const PendingRead& read = leader.reads[confirmed++];
    if (!read.requester) {
      read_ready_.push_back(ReadReady{read.tag, read.index});
    } else if (peer(read.requester) != nullptr) {
      send(turn, read.requester, ReadIndexReply{read.tag, read.incarnation, read.index});
    }
  }
  leader.reads.erase(leader.reads.begin(), leader.reads.begin() + static_cast<std::ptrdiff_t>(confirmed));
}

bool Core::waits_for_applied() const { return !read_ready_.empty(); }

void Core::release_reads(Turn& turn) {
  std::erase_if(read_ready_, [&](const ReadReady& read) {
    if (read.index > applied_) return false;
    turn.out.reads.push_back(read);
    return true;
  });
}

}  // namespace raftlab::raft
