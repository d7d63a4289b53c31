#include "raft/wal/terms.hpp"

#include <algorithm>

namespace raftlab::raft::wal {

std::vector<TermRun>::const_iterator Terms::run_of(Index index) const {
  const auto behind = std::ranges::upper_bound(runs_, index, {}, &TermRun::first);
  return std::prev(behind);
}

Index Terms::end_of(std::vector<TermRun>::const_iterator run) const {
  return std::next(run) == runs_.end() ? last_ : std::next(run)->first.previous();
}

Term Terms::term_at(Index index) const {
  if (index == base_.index) return base_.term;
  if (index < base_.index || index > last_) return Term{};
  return run_of(index)->term;
}

void Terms::append(const Slice& entries) {
  if (entries.empty()) return;
  RAFTLAB_ASSERT(entries.first_index() == last_.next(), entries.first_index(), last_);
  // Terms never fall: when the last one is that of the log, all of them are.
  const bool one_term = !runs_.empty() && entries.term_at(entries.last_index()) == runs_.back().term;
  for (Index at = entries.first_index(); !one_term && at <= entries.last_index(); at = at.next()) {
    const Term term = entries.term_at(at);
    if (runs_.empty() || runs_.back().term != term) runs_.push_back(TermRun{at, term});
  }
  last_ = entries.last_index();
}

void Terms::truncate(Index from) {
  RAFTLAB_ASSERT(from > base_.index, from, base_);
  last_ = std::min(last_, from.previous());
  while (!runs_.empty() && runs_.back().first > last_) runs_.pop_back();
}

Index Terms::agrees_up_to(const Terms& other) const {
  Index at = base_.index;
  if (at < other.base_.index || at > other.last_ || other.term_at(at) != base_.term) return Index{};
  const Index end = std::min(last_, other.last_);
  while (at < end) {
    const auto mine = run_of(at.next());
    const auto theirs = other.run_of(at.next());
    if (mine->term != theirs->term) break;
    at = std::min({end, end_of(mine), other.end_of(theirs)});
  }
  return at;
}

}  // namespace raftlab::raft::wal
