#pragma once

#include "raft/entry.hpp"
#include "raft/types.hpp"

#include <cstdint>
#include <vector>

namespace raftlab::raft {

/// A run of entries of one term: it ends where the next one starts.
struct TermRun {
  Index first;
  Term term;
  friend bool operator==(const TermRun&, const TermRun&) = default;
};

/// The log of one node in memory (§5.3): what follows a snapshot, as slices of shared blocks, with an index
/// of its runs of terms, so that asking for a term never touches storage.
///
/// Invariant: entries first()..last() have consecutive indices and terms that never fall. Where the log is
/// cut into pieces follows from the entries alone: behind each multiple of `block_entries_max`, and before
/// the entry that would take a piece over `block_payload_bytes`. Equal logs are thus sent, written and
/// applied in equal parts, whoever else shares their blocks (D20).
class Log {
 public:
  Log() = default;
  explicit Log(LogId snapshot) : snapshot_(snapshot) {}

  /// The last entry that is only in the snapshot; (0,0) without one.
  [[nodiscard]] LogId snapshot() const { return snapshot_; }
  [[nodiscard]] Index first() const { return snapshot_.index.next(); }
  [[nodiscard]] Index last() const { return slices_.empty() ? snapshot_.index : slices_.back().last_index(); }
  [[nodiscard]] LogId last_id() const {
    return LogId{runs_.empty() ? snapshot_.term : runs_.back().term, last()};
  }

  /// Term of the entry at `index`; 0 where the log does not know one (compacted, or behind the end).
  [[nodiscard]] Term term_at(Index index) const;
  /// True when the log holds this entry, or ends its snapshot with it. (0,0) is in every log.
  [[nodiscard]] bool matches(LogId id) const { return id.index <= last() && term_at(id.index) == id.term; }
  /// The last entry at or below `index` whose term is not above `term`.
  [[nodiscard]] LogId last_at_or_below(Index index, Term term) const;

  /// Appends one entry of the caller's making.
  void append(Term term, EntryKind kind, Bytes payload);
  /// Appends received entries, which must follow directly behind last(). Shares their block where that pays,
  /// otherwise copies.
  void append(const Slice& entries);
  /// Drops the entries from `from` on.
  void truncate(Index from);

  /// Entries from `from` on, as many as one block holds, at most `payload_bytes_max` of payload but at least
  /// one entry.
  [[nodiscard]] Slice slice_from(Index from, std::uint32_t payload_bytes_max) const;
  /// All entries with first <= index <= last, appended to `out`.
  void slices(Index first, Index last, std::vector<Slice>& out) const;
  [[nodiscard]] EntryView entry(Index index) const { return piece_of(index).at(index); }

  /// The raw parts, for checkers that trust none of the functions above.
  [[nodiscard]] const std::vector<Slice>& pieces() const { return slices_; }
  [[nodiscard]] const std::vector<TermRun>& runs() const { return runs_; }

  /// Equal when the entries are, however they are cut into pieces.
  friend bool operator==(const Log& a, const Log& b);

 private:
  [[nodiscard]] const Slice& piece_of(Index index) const;
  void note_term(Index index, Term term);
  [[nodiscard]] bool starts_piece(Bytes payload) const;
  void push(Term term, EntryKind kind, Bytes payload);

  LogId snapshot_;
  std::vector<Slice> slices_;
  std::vector<TermRun> runs_;
};

}  // namespace raftlab::raft
