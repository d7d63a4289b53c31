#include "raft/assert.hpp"
#include "raft/core.hpp"
#include "raft/turn.hpp"

#include <algorithm>

/// Numbered writes, and what waits for them. "Respond to RPCs only after updating stable storage" (figure 2) is a rule of
/// the core, so that no host can break it.
namespace raftlab::raft {

/// A message takes the place of one that still waits for the same: a stalled disk must not gather them without end.
void Core::hold(NodeId to, Message message, Needs needs, Index match) {
  for (Held& held : held_) {
    if (held.needs == needs && held.match == match && held.envelope.to == to &&
        held.envelope.term == hard_.term && held.envelope.message.index() == message.index()) {
      held.envelope.message = std::move(message);
      return;
    }
  }
  held_.push_back(Held{WriteSeq{}, needs, match, Envelope{options_.id, to, hard_.term, std::move(message)}});
}

/// The write that put the present entry at `index` on its way to the disk; 0 when it is already durable.
WriteSeq Core::write_that_holds(Index index) const {
  for (auto write = pending_writes_.rbegin(); write != pending_writes_.rend(); ++write) {
    if (write->first && write->first <= index && index <= write->last) return write->seq;
  }
  // No write carries it: a snapshot covers it that was installed, and whose checkpoint is still on its way.
  return index > durable_ ? issued_ : WriteSeq{};
}

void Core::submit_write(Turn& turn) {
  const bool hard_changed = hard_ != submitted_hard_;
  const bool log_grew = log_.last() > submitted_last_;
  if (!hard_changed && !log_grew && !turn.write_truncate_from && !turn.checkpoint_due) return;
  Write& write = turn.out.write;
  issued_ = issued_.next();
  write.seq = issued_;
  if (hard_changed) {
    submitted_hard_ = hard_;
    hard_write_ = issued_;
  }
  if (hard_changed || turn.checkpoint_due) write.hard = hard_;
  const Index first = log_grew ? submitted_last_.next() : Index{};
  if (turn.checkpoint_due) {
    write.checkpoint = Checkpoint{snapshot_, configurations_.front().configuration, log_.base()};
    log_.slices(log_.first(), log_.last(), write.entries);
  } else {
    write.truncate_from = turn.write_truncate_from;
    if (log_grew) log_.slices(first, log_.last(), write.entries);
  }
  submitted_last_ = log_.last();
  // What older writes hold stays where it is until the checkpoint is durable: only what is new depends on it.
  pending_writes_.push_back(PendingWrite{issued_, first, log_.last(), turn.write_truncate_from});
}

/// Sends what need not wait any longer. What was held for an older term is dropped, because nobody counts it now; so are the
/// requests of who no longer stands, because the log that they advertise may be gone.
void Core::release_held(Turn& turn) {
  std::erase_if(held_, [&](Held& held) {
    if (held.envelope.term < hard_.term) return true;
    if (held.needs == Needs::everything && role() != Role::candidate) return true;
    if (!held.gate) {
      const WriteSeq log_write = held.needs == Needs::entries ? write_that_holds(held.match) : WriteSeq{};
      const bool all = held.needs == Needs::everything || held.needs == Needs::checkpoint;
      held.gate = all ? issued_ : std::max(hard_write_, log_write);
    }
    if (held.gate > written_) return false;
    turn.out.messages.push_back(std::move(held.envelope));
    return true;
  });
}

void Core::handle(Turn& turn, const Written& written) {
  if (written.seq <= written_ || written.seq > issued_) return handle_unexpected();
  written_ = written.seq;
  Index durable = durable_;
  std::size_t done = 0;
  for (; done < pending_writes_.size() && pending_writes_[done].seq <= written_; ++done) {
    durable = pending_writes_[done].last;
  }
  pending_writes_.erase(pending_writes_.begin(), pending_writes_.begin() + static_cast<std::ptrdiff_t>(done));
  // What a later write truncates is durable only until that write: it does not count any more.
  for (const PendingWrite& write : pending_writes_) {
    if (write.truncate_from) durable = std::min(durable, write.truncate_from.previous());
  }
  if (turn.write_truncate_from) durable = std::min(durable, turn.write_truncate_from.previous());
  durable_ = durable;

  if (role() == Role::candidate && own_vote_durable()) count_vote(turn, options_.id, true);
  if (Leader* leader = leading(); leader != nullptr) {
    leader->stalled_ticks = 0;
    const auto self = std::ranges::find(leader->peers, options_.id, &Progress::id);
    if (self != leader->peers.end() && durable_ > self->match) {
      self->match = durable_;
      self->next = std::max(self->next, self->match.next());
      advance_commit(turn);
    }
  }
}

/// A failed write is final: what it covered may or may not be there, and a later success would not tell (fsyncgate).
void Core::handle(Turn& /*turn*/, const WriteFailed& /*failed*/) { fault_ = Fault::write_failed; }

}  // namespace raftlab::raft
