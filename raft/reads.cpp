#include "raft/core.hpp"
#include "raft/quorum.hpp"
#include "raft/turn.hpp"

#include <algorithm>

/// Linearizable reads without a log entry: ReadIndex, thesis §6.4. One round of the quorum serves every read that came
/// before the round began.
namespace raftlab::raft {

void Core::handle(Turn& turn, const Read& read) {
  Leader* leader = leading();
  const auto reject = [&](Rejection reason) {
    turn.out.rejected.push_back(Rejected{read.tag, reason, leader_});
  };
  if (leader == nullptr) return reject(Rejection::not_leader);
  // Thesis §6.4, step 1: until a leader has committed in its term it does not know what is committed.
  if (log_.term_at(commit_) != hard_.term) return reject(Rejection::not_ready);
  if (leader->reads.size() >= options_.limits.reads_max) return reject(Rejection::overloaded);
  leader->reads.push_back(PendingRead{read.tag, read_issued_.next(), commit_});
}

/// A round begins when the one before it is confirmed, so that any number of reads costs one exchange per round trip.
void Core::open_round(Turn& turn, Leader& leader) {
  if (leader.reads.empty() || leader.reads.back().round <= read_issued_ || read_confirmed_ != read_issued_)
    return;
  read_issued_ = read_issued_.next();
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

bool Core::waits_for_applied() const {
  const auto* leader = std::get_if<Leader>(&role_);
  return leader != nullptr && !leader->reads.empty() && leader->reads.front().round <= read_confirmed_;
}

void Core::release_reads(Turn& turn, Leader& leader) const {
  std::size_t ready = 0;
  while (ready < leader.reads.size() && leader.reads[ready].round <= read_confirmed_ &&
         leader.reads[ready].index <= applied_) {
    turn.out.reads.push_back(ReadReady{leader.reads[ready].tag, leader.reads[ready].index});
    ++ready;
  }
  leader.reads.erase(leader.reads.begin(), leader.reads.begin() + static_cast<std::ptrdiff_t>(ready));
}

}  // namespace raftlab::raft
