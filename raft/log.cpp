#include "raft/log.hpp"

#include "raft/limits.hpp"

#include <algorithm>

namespace raftlab::raft {

Term Log::term_at(Index index) const {
  if (index == base_.index) return base_.term;
  if (index < base_.index || index > last()) return Term{};
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    if (run->first <= index) return run->term;
  }
  return Term{};
}

LogId Log::last_at_or_below(Index index, Term term) const {
  Index at = std::min(index, last());
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    if (run->first > at) continue;
    if (run->term <= term) return LogId{run->term, at};
    at = run->first.previous();
  }
  return at < base_.index ? LogId{} : base_;
}

namespace {

/// The last of `entries` from `at` on that belongs to the piece of `at`, in which `payload_bytes` stand
/// already. Nearly always that is the end of one of the two.
Index end_of_piece(const Slice& entries, Index at, std::size_t payload_bytes) {
  const std::uint64_t full = (at.value() + block_entries_max - 1) / block_entries_max * block_entries_max;
  Index last = std::min(entries.last_index(), Index(full));
  while (last > at && payload_bytes + entries.sub(at, last).payload_bytes() > block_payload_bytes)
    last = last.previous();
  return last;
}

}  // namespace

void Log::note_term(Index index, Term term) {
  RAFTLAB_ASSERT(term >= last_id().term, index, term, last_id());
  if (runs_.empty() || runs_.back().term != term) runs_.push_back(TermRun{index, term});
}

bool Log::starts_piece(Bytes payload) const {
  if (slices_.empty()) return true;
  const Slice& piece = slices_.back();
  return piece.last_index().value() % block_entries_max == 0 ||
         piece.payload_bytes() + payload.size() > block_payload_bytes;
}

void Log::push(Term term, EntryKind kind, Bytes payload) {
  if (starts_piece(payload)) {
    const auto room = std::max<std::size_t>(block_payload_bytes, payload.size());
    slices_.push_back(Slice::make(last().next(), block_entries_max, static_cast<std::uint32_t>(room)));
  }
  Slice& piece = slices_.back();
  if (piece.append(term, kind, payload)) return;
  // The block is a small one, or holds an entry of somebody else in this place: the piece moves to a block of
  // its own.
  Slice own = Slice::make(piece.first_index(), block_entries_max, block_payload_bytes);
  for (std::uint32_t position = 0; position < piece.size(); ++position) {
    const EntryView entry = piece.entry(position);
    RAFTLAB_ASSERT(own.append(entry.id.term, entry.kind, entry.payload), entry.id);
  }
  RAFTLAB_ASSERT(own.append(term, kind, payload), payload.size());
  piece = std::move(own);
}

void Log::append(Term term, EntryKind kind, Bytes payload) {
  note_term(last().next(), term);
  push(term, kind, payload);
}

void Log::append(const Slice& entries) {
  if (entries.empty()) return;
  RAFTLAB_ASSERT(entries.first_index() == last().next(), entries.first_index(), last());
  for (Index at = entries.first_index(); at <= entries.last_index(); at = last().next()) {
    const bool fresh = starts_piece(entries.at(at).payload);
    const Slice part = entries.sub(at, end_of_piece(entries, at, fresh ? 0 : slices_.back().payload_bytes()));
    for (std::uint32_t position = 0; position < part.size(); ++position) {
      const LogId id = part.entry(position).id;
      note_term(id.index, id.term);
    }
    // A full-sized block is worth sharing, because what follows will extend it, and so is a lot of payload.
    // The small block of a decoded message is not.
    const bool worth_sharing = part.block_capacity() == block_entries_max ||
                               part.size() * 2 >= block_entries_max ||
                               part.payload_bytes() * 2 >= block_payload_bytes;
    if (fresh && worth_sharing) {
      slices_.push_back(part);
    } else if (!fresh && slices_.back().is_continued_by(part)) {
      slices_.back().extend_by(part);
    } else {
      for (std::uint32_t position = 0; position < part.size(); ++position) {
        const EntryView entry = part.entry(position);
        push(entry.id.term, entry.kind, entry.payload);
      }
    }
  }
}

void Log::truncate(Index from) {
  RAFTLAB_ASSERT(from > base_.index, from, base_);
  while (!slices_.empty() && slices_.back().first_index() >= from) slices_.pop_back();
  if (!slices_.empty() && slices_.back().last_index() >= from) {
    slices_.back() = slices_.back().sub(slices_.back().first_index(), from.previous());
  }
  while (!runs_.empty() && runs_.back().first >= from) runs_.pop_back();
}

void Log::compact(Index to) {
  RAFTLAB_ASSERT(to >= base_.index && to <= last(), to, base_, last());
  base_ = LogId{term_at(to), to};
  const auto kept =
      std::ranges::find_if(slices_, [&](const Slice& slice) { return slice.last_index() > to; });
  slices_.erase(slices_.begin(), kept);
  if (!slices_.empty() && slices_.front().first_index() <= to)
    slices_.front() = slices_.front().sub(to.next(), slices_.front().last_index());
  // The last run that starts at or before the new first entry is the one that it belongs to.
  while (runs_.size() > 1 && runs_[1].first <= to.next()) runs_.erase(runs_.begin());
  if (slices_.empty()) {
    runs_.clear();
  } else if (!runs_.empty() && runs_.front().first <= to) {
    runs_.front().first = to.next();
  }
}

Index Log::tail_before(Index to, std::uint64_t entries, std::uint64_t payload_bytes) const {
  Index from = to.next();
  while (from > first()) {
    const Slice& piece = piece_of(from.previous());
    // Of this piece what fits, from its end: nearly always all of it.
    Slice part = piece.sub(piece.first_index(), from.previous());
    while (part.size() > entries || part.payload_bytes() > payload_bytes)
      part = part.sub(part.first_index().next(), part.last_index());
    if (part.empty()) break;
    entries -= part.size();
    payload_bytes -= part.payload_bytes();
    from = part.first_index();
  }
  return from;
}

const Slice& Log::piece_of(Index index) const {
  RAFTLAB_ASSERT(index > base_.index && index <= last(), index, base_, last());
  if (slices_.back().first_index() <= index) return slices_.back();
  const auto behind = std::upper_bound(slices_.begin(), slices_.end(), index,
                                       [](Index at, const Slice& slice) { return at < slice.first_index(); });
  return *std::prev(behind);
}

Slice Log::slice_from(Index from, std::uint32_t payload_bytes_max) const {
  const Slice& piece = piece_of(from);
  Index to = piece.last_index();
  Slice result = piece.sub(from, to);
  while (to > from && result.payload_bytes() > payload_bytes_max) {
    to = to.previous();
    result = piece.sub(from, to);
  }
  return result;
}

void Log::slices(Index first, Index last, std::vector<Slice>& out) const {
  while (first <= last) {
    const Slice& piece = piece_of(first);
    const Index to = std::min(last, piece.last_index());
    out.push_back(piece.sub(first, to));
    first = to.next();
  }
}

bool operator==(const Log& a, const Log& b) {
  if (a.base_ != b.base_ || a.last() != b.last() || a.runs_ != b.runs_) return false;
  for (Index index = a.first(); index <= a.last(); index = index.next()) {
    const EntryView x = a.entry(index);
    const EntryView y = b.entry(index);
    if (x.kind != y.kind || !std::ranges::equal(x.payload, y.payload)) return false;
  }
  return true;
}

}  // namespace raftlab::raft
