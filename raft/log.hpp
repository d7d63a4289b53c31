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

/// The log of one node in memory (§5.3): what follows its base, as slices of shared blocks, with an index
/// of its runs of terms, so that asking for a term never touches storage. What was compacted away (§7) is known
/// only by its last entry, the base; a snapshot covers the base and, mostly, some of the entries behind it.
///
/// Invariant: entries first()..last() have consecutive indices and terms that never fall. Where the log is
/// cut into pieces follows from the entries alone: behind each multiple of `block_entries_max`, and before
/// the entry that would take a piece over `block_payload_bytes`. Equal logs are thus sent, written and
/// applied in equal parts, whoever else shares their blocks (D20).
class Log {
 public:
  Log() = default;
  explicit Log(LogId base) : base_(base) {}

  /// The entry before the first one: compacted away; (0,0) when nothing was.
  [[nodiscard]] LogId base() const { return base_; }
  [[nodiscard]] Index first() const { return base_.index.next(); }
  [[nodiscard]] Index last() const { return slices_.empty() ? base_.index : slices_.back().last_index(); }
  [[nodiscard]] LogId last_id() const {
    return LogId{runs_.empty() ? base_.term : runs_.back().term, last()};
  }

  /// Term of the entry at `index`; 0 where the log does not know one (compacted, or behind the end).
  [[nodiscard]] Term term_at(Index index) const;
  /// True when the log holds this entry, or has it as its base. (0,0) is in every log without a base.
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
  /// Drops the entries up to `to`, which the log holds, and makes it the base (§7).
  void compact(Index to);
  /// The lowest index in (base, to] such that at most `entries` entries with at most `payload_bytes` of payload stand
  /// from there up to `to`; `to` + 1 when not even the last one fits.
  [[nodiscard]] Index tail_before(Index to, std::uint64_t entries, std::uint64_t payload_bytes) const;

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

  LogId base_;
  std::vector<Slice> slices_;
  std::vector<TermRun> runs_;
};

}  // namespace raftlab::raft
