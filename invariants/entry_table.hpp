#pragma once

#include "raft/entry.hpp"
#include "raft/types.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

/// Every entry that a log can still hold, once. A log of a node is then a mirror: runs of what stands in the table,
/// and its size does not grow with the log. Both forget what lies below an index that no log reaches back to.
namespace raftlab::invariants {

/// Values by index, from an index that only rises. To forget costs amortised O(1): what is forgotten is taken away when it
/// is half of all, so at most twice of what is known is kept.
template <class Value>
class Trail {
 public:
  /// Null where nothing was ever put, and where it is forgotten.
  [[nodiscard]] Value* find(std::uint64_t index) {
    const std::uint64_t at = index - start_;
    return at < values_.size() ? &values_[at] : nullptr;
  }
  [[nodiscard]] const Value* find(std::uint64_t index) const {
    const std::uint64_t at = index - start_;
    return at < values_.size() ? &values_[at] : nullptr;
  }
  /// For writing; `index` is not forgotten.
  [[nodiscard]] Value& at(std::uint64_t index) {
    const std::uint64_t at = index - start_;
    if (at >= values_.size()) values_.resize(at + 1);
    return values_[at];
  }
  /// True when values were taken away: then `start` has risen.
  bool forget_below(std::uint64_t index) {
    const std::uint64_t gone = std::min<std::uint64_t>(index - std::min(index, start_), values_.size());
    if (gone < 64 || gone * 2 < values_.size()) return false;
    values_.erase(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(gone));
    values_.shrink_to_fit();
    start_ += gone;
    return true;
  }
  [[nodiscard]] std::size_t size() const { return values_.size(); }
  [[nodiscard]] typename std::vector<Value>::iterator begin() { return values_.begin(); }
  [[nodiscard]] typename std::vector<Value>::iterator end() { return values_.end(); }

 private:
  std::uint64_t start_ = 0;
  std::vector<Value> values_;
};

/// Which of the entries ever seen at an index. While log matching holds an index and a term have one entry, and the
/// term says it all. When it is broken, each further entry of the same index and term gets a branch of its own, so
/// that two logs are equal up to k exactly when their marks at k are equal. Terms are taken modulo 2^48.
class Mark {
 public:
  constexpr Mark() = default;
  constexpr Mark(std::uint64_t term, std::uint64_t branch) : bits_((branch << 48U) | (term & term_mask)) {}

  [[nodiscard]] constexpr std::uint64_t term() const { return bits_ & term_mask; }
  [[nodiscard]] constexpr std::uint64_t branch() const { return bits_ >> 48U; }
  /// False for "no entry".
  [[nodiscard]] constexpr explicit operator bool() const { return bits_ != 0; }
  friend constexpr bool operator==(Mark, Mark) = default;

 private:
  static constexpr std::uint64_t term_mask = (std::uint64_t{1} << 48U) - 1;
  std::uint64_t bits_ = 0;
};

struct MarkRun {
  std::uint64_t first = 0;
  Mark mark;
  friend bool operator==(const MarkRun&, const MarkRun&) = default;
};

/// A log as runs of marks, the part below its base included: that is what its snapshot covers. Appending and asking near the
/// end cost O(1).
class Mirror {
 public:
  Mirror() = default;
  /// A log of which nothing is known but that it goes up to `index`, and its mark there.
  Mirror(std::uint64_t index, Mark mark) {
    if (index == 0) return;
    runs_.push_back(MarkRun{index, mark});
    last_ = index;
  }

  [[nodiscard]] std::uint64_t last() const { return last_; }
  [[nodiscard]] Mark last_mark() const { return runs_.empty() ? Mark{} : runs_.back().mark; }
  [[nodiscard]] const std::vector<MarkRun>& runs() const { return runs_; }

  /// The entry at `index`; none behind the end, at 0, and where it is forgotten.
  [[nodiscard]] Mark at(std::uint64_t index) const {
    if (index > last_ || index == 0) return Mark{};
    if (runs_.back().first <= index) return runs_.back().mark;
    return before_last_run(index);
  }
  /// Where the run that holds `index` ends; `index` lies in the log.
  [[nodiscard]] std::uint64_t run_end(std::uint64_t index) const;
  [[nodiscard]] bool has_term(std::uint64_t term) const;

  /// The entries behind the end, up to `last`, are `mark`.
  void extend(std::uint64_t last, Mark mark) {
    if (last <= last_) return;
    if (runs_.empty() || runs_.back().mark != mark) runs_.push_back(MarkRun{last_ + 1, mark});
    last_ = last;
  }
  /// Takes over (last(), last] of another log.
  void extend_from(const Mirror& other, std::uint64_t last);
  void truncate(std::uint64_t from);
  void clear() {
    runs_.clear();
    last_ = 0;
  }
  /// The entry at `index` stays known, and so does the last one.
  void forget_below(std::uint64_t index);
  /// How many runs begin at or below `index`.
  [[nodiscard]] std::size_t runs_up_to(std::uint64_t index) const;

  /// Equal marks at one index mean equal logs up to there.
  friend bool operator==(const Mirror& a, const Mirror& b) {
    return a.last_ == b.last_ && a.last_mark() == b.last_mark();
  }

 private:
  [[nodiscard]] Mark before_last_run(std::uint64_t index) const;

  std::vector<MarkRun> runs_;
  std::uint64_t last_ = 0;
};

/// The greatest index up to which both logs are the same; 0 when what is known of them does not agree.
[[nodiscard]] std::uint64_t common_prefix(const Mirror& a, const Mirror& b);

/// The table. H(k) = hash chain of (H(k-1), term, kind, payload). 24 bytes for each index that is not forgotten, and for each
/// further entry that was ever seen there.
class EntryTable {
 public:
  struct Interned {
    Mark mark;
    std::uint64_t hash = 0;
    /// Another entry of the same index and term was there before: log matching is broken.
    bool conflicts = false;
    Mark other;                ///< the entry that was there before
    bool same_parent = false;  ///< the two follow the same log, hence differ themselves
  };

  EntryTable() { static_cast<void>(slots_.at(0)); }  // [0] stands for the empty log

  /// Finds or enters the entry, whose log up to the index before is `parent`. What is forgotten is taken as it comes.
  Interned intern(std::uint64_t parent_hash, Mark parent, const raft::EntryView& entry);

  [[nodiscard]] std::uint64_t hash(std::uint64_t index, Mark mark) const { return find(index, mark).hash; }
  /// Payload bytes of the entry and all before it in its log, modulo 2^32.
  [[nodiscard]] std::uint32_t bytes(std::uint64_t index, Mark mark) const { return find(index, mark).bytes; }
  [[nodiscard]] bool conflicted() const { return branches_ != 0; }

  /// No log begins below `index` any more, and none will; the entries at `index` stay known.
  void forget_below(std::uint64_t index);
  [[nodiscard]] std::uint64_t forgotten_below() const { return floor_; }
  [[nodiscard]] std::size_t entries() const { return slots_.size() + more_.size(); }

 private:
  struct Slot {
    Mark mark;
    std::uint64_t hash = 0;
    std::uint32_t bytes = 0;
    std::uint32_t next = 0;  ///< 1 + position in more_; 0: none
  };

  [[nodiscard]] const Slot& find(std::uint64_t index, Mark mark) const {
    const Slot* slot = slots_.find(index);
    if (slot == nullptr) return empty;
    while (slot->mark != mark && slot->next != 0) slot = &more_[slot->next - 1];
    return slot->mark == mark ? *slot : empty;
  }
  Interned intern_forgotten(std::uint64_t chain, const raft::LogId& id) const;
  Interned intern_beside(std::uint64_t index, Mark parent, const Slot& fresh);

  static const Slot empty;

  Trail<Slot> slots_;  // by index: the first entry that was seen there
  std::vector<Slot> more_;
  std::uint64_t floor_ = 0;
  std::uint64_t branches_ = 0;
};

}  // namespace raftlab::invariants
