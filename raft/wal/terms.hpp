#pragma once

#include "raft/log.hpp"

#include <cstddef>
#include <vector>

namespace raftlab::raft::wal {

/// The terms of a log without its entries: enough to tell how far two logs of one node agree (§5.3, Log
/// Matching).
class Terms {
 public:
  Terms() = default;
  explicit Terms(LogId base) : base_(base), last_(base.index) {}

  [[nodiscard]] LogId base() const { return base_; }
  [[nodiscard]] Index last() const { return last_; }
  /// 0 where none is known.
  [[nodiscard]] Term term_at(Index index) const;

  /// Entries that follow directly behind last().
  void append(const Slice& entries);
  /// Drops the entries from `from` on, which is behind the base.
  void truncate(Index from);

  /// The last index up to which `other` holds the same entries; 0 when it does not even hold this one's base.
  [[nodiscard]] Index agrees_up_to(const Terms& other) const;

  [[nodiscard]] std::size_t memory_bytes() const { return runs_.capacity() * sizeof(TermRun); }

 private:
  /// The run of an entry that the log holds.
  [[nodiscard]] std::vector<TermRun>::const_iterator run_of(Index index) const;
  [[nodiscard]] Index end_of(std::vector<TermRun>::const_iterator run) const;

  LogId base_;
  Index last_;
  std::vector<TermRun> runs_;
};

}  // namespace raftlab::raft::wal
