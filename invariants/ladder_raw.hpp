#pragma once

#include "raft/log.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

/// Reading a log from its raw pieces, without the helpers of `raft::Log`. Internal to the ladder.
namespace raftlab::invariants {

/// Walks the entries of a log from an index on.
class RawEntries {
 public:
  RawEntries(const raft::Log& log, std::uint64_t first)
      : pieces_(log.pieces()), piece_(pieces_.size()), index_(first) {
    while (piece_ > 0 && pieces_[piece_ - 1].first_index().value() > first) --piece_;
    if (piece_ > 0) --piece_;
  }

  /// True when a piece holds the present index.
  [[nodiscard]] bool found() {
    while (piece_ < pieces_.size() && pieces_[piece_].last_index().value() < index_) ++piece_;
    return piece_ < pieces_.size() && pieces_[piece_].first_index().value() <= index_;
  }
  /// Only when found.
  [[nodiscard]] raft::EntryView entry() const {
    return pieces_[piece_].entry(static_cast<std::uint32_t>(index_ - pieces_[piece_].first_index().value()));
  }
  void next() { ++index_; }

 private:
  const std::vector<raft::Slice>& pieces_;
  std::size_t piece_;
  std::uint64_t index_;
};

[[nodiscard]] inline std::uint64_t raw_last(const raft::Log& log) {
  return log.pieces().empty() ? log.base().index.value() : log.pieces().back().last_index().value();
}

/// The slice is a stretch of the piece from this index on: the same storage, else the same entries.
[[nodiscard]] inline bool same_stretch(const raft::Slice& piece, const raft::Slice& slice, raft::Index first,
                                       raft::Index last) {
  const auto same = [&](raft::Index index) {
    const raft::EntryView a =
        piece.entry(static_cast<std::uint32_t>(index.value() - piece.first_index().value()));
    const raft::EntryView b =
        slice.entry(static_cast<std::uint32_t>(index.value() - slice.first_index().value()));
    return a.id == b.id && a.kind == b.kind && a.payload.data() == b.payload.data() &&
           a.payload.size() == b.payload.size();
  };
  // Payloads at one address lie in one block, and what lies between two entries of a block is the same too.
  if (same(first) && (first == last || same(last))) return true;
  return piece.sub(first, last) == slice.sub(first, last);
}

/// The slices are consecutive and hold what the log holds at their indices.
[[nodiscard]] inline bool same_entries(const std::vector<raft::Slice>& slices, const raft::Log& log) {
  if (slices.empty() || slices.front().empty()) return slices.empty();
  const std::vector<raft::Slice>& pieces = log.pieces();
  std::uint64_t index = slices.front().first_index().value();
  std::size_t piece = pieces.size();
  while (piece > 0 && pieces[piece - 1].first_index().value() > index) --piece;
  if (piece > 0) --piece;
  for (const raft::Slice& slice : slices) {
    if (slice.first_index().value() != index) return false;
    while (index <= slice.last_index().value()) {
      while (piece < pieces.size() && pieces[piece].last_index().value() < index) ++piece;
      if (piece == pieces.size() || pieces[piece].first_index().value() > index) return false;
      // The stretch that lies in one piece.
      const raft::Index first(index);
      const raft::Index last = std::min(slice.last_index(), pieces[piece].last_index());
      if (!same_stretch(pieces[piece], slice, first, last)) return false;
      index = last.value() + 1;
    }
  }
  return true;
}

}  // namespace raftlab::invariants
