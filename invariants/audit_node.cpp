#include "invariants/audit_node.hpp"

#include <algorithm>

namespace raftlab::invariants {
namespace {

/// The entry at `index`, where one of the slices holds it.
std::optional<raft::LogId> entry_at(const std::vector<raft::Slice>& slices, raft::Index index) {
  for (const raft::Slice& slice : slices) {
    if (!slice.empty() && slice.first_index() <= index && index <= slice.last_index())
      return raft::LogId{slice.term_at(index), index};
  }
  return std::nullopt;
}

}  // namespace

void TracedNode::put_lives_in_order() {
  std::ranges::stable_sort(lives, {}, [](const TracedLife& one) { return one.start.time_ns; });
  std::uint64_t before = 0;
  for (auto place = lives.begin(); place != lives.end(); ++place) {
    const auto next =
        std::find_if(place, lives.end(), [&](const TracedLife& one) { return one.start.previous == before; });
    if (next != lives.end()) std::rotate(place, next, std::next(next));
    before = place->info.incarnation;
  }
}

std::optional<AuditError> TracedNode::begin() {
  TracedLife& next = lives[next_life_++];
  auto recovered = raft::Core::recover(next.start.options, next.start.recovered);
  if (const auto* error = std::get_if<raft::RecoverError>(&recovered)) {
    return AuditError{next.info.file, 0,
                      std::string("no core starts from what was recovered: ") + raft::name(*error)};
  }
  core.emplace(std::get<raft::Core>(std::move(recovered)));
  untold_.clear();
  untold_.push_back(UntoldWrite{raft::WriteSeq(1), next.start.recovered.entries});
  digest_told = raft::Index{};
  return advance();
}

std::optional<AuditError> TracedNode::advance() {
  TracedLife& present = life();
  explained = 0;
  const auto read = present.reader.next(step);
  stepping_ = std::holds_alternative<std::monostate>(read);
  if (const auto* end = std::get_if<raft::trace::EndOfRecords>(&read)) present.info.torn = end->torn;
  if (const auto* error = std::get_if<raft::trace::RecordError>(&read))
    return AuditError{present.info.file, error->offset, error->what};
  return std::nullopt;
}

/// A log storage may know of a completed sync, and write it down, before its core hears of it. What the next life found to have
/// been durable ends with an entry that one of the writes carried first: that one was durable, and all before it.
raft::WriteSeq TracedNode::proven_by_next_life() const {
  const raft::Recovered& next = lives[next_life_].start.recovered;
  if (!core || core->view().state.durable >= next.durable) return raft::WriteSeq{};
  const auto last = entry_at(next.entries, next.durable);
  if (!last) return raft::WriteSeq{};
  for (const UntoldWrite& write : untold_) {
    if (entry_at(write.entries, next.durable) == last) return write.seq;
  }
  return raft::WriteSeq{};
}

void TracedNode::note_write(const raft::Write& write) {
  if (write.seq) untold_.push_back(UntoldWrite{write.seq, write.entries});
}

void TracedNode::note_told(raft::WriteSeq seq) {
  while (!untold_.empty() && untold_.front().seq <= seq) untold_.pop_front();
}

}  // namespace raftlab::invariants
