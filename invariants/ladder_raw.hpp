#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "raft/log.hpp"

/// Reading a log from its raw pieces, without the helpers of `raft::Log`. Internal to the ladder.
namespace raftlab::invariants {

/// Walks the entries of a log from an index on.
class RawEntries {
 public:
  RawEntries(const raft::Log& log, std::uint64_t first) : pieces_(log.pieces()), piece_(pieces_.size()), index_(first) {
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
  return log.pieces().empty() ? log.snapshot().index.value() : log.pieces().back().last_index().value();
}

[[nodiscard]] inline bool same_entry(const raft::EntryView& a, const raft::EntryView& b) {
  return a.id == b.id && a.kind == b.kind && a.payload.size() == b.payload.size() &&
         (a.payload.data() == b.payload.data() || std::equal(a.payload.begin(), a.payload.end(), b.payload.begin()));
}

/// The slices are consecutive and hold what the log holds at their indices.
[[nodiscard]] inline bool same_entries(const std::vector<raft::Slice>& slices, const raft::Log& log) {
  if (slices.empty() || slices.front().empty()) return slices.empty();
  std::uint64_t index = slices.front().first_index().value();
  RawEntries walk(log, index);
  for (const raft::Slice& slice : slices) {
    for (std::uint32_t position = 0; position < slice.size(); ++position, ++index, walk.next()) {
      const raft::EntryView entry = slice.entry(position);
      if (entry.id.index.value() != index || !walk.found() || !same_entry(entry, walk.entry())) return false;
    }
  }
  return true;
}

}  // namespace raftlab::invariants
