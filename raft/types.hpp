#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <span>

namespace raftlab::raft {

/// A number that is of one kind only. Kinds do not mix: `Term` and `Index` are different types, and the way
/// out is the named function `value()`.
template <class Tag, class Representation>
class Number {
 public:
  using representation = Representation;

  constexpr Number() = default;
  constexpr explicit Number(Representation value) : value_(value) {}

  [[nodiscard]] constexpr Representation value() const { return value_; }
  [[nodiscard]] constexpr Number next() const { return Number(value_ + 1); }
  /// The number before this one; zero stays zero.
  [[nodiscard]] constexpr Number previous() const { return Number(value_ == 0 ? value_ : value_ - 1); }
  [[nodiscard]] constexpr Number plus(Representation count) const { return Number(value_ + count); }

  constexpr explicit operator bool() const { return value_ != 0; }
  friend constexpr auto operator<=>(Number, Number) = default;
  friend std::ostream& operator<<(std::ostream& out, Number number) { return out << number.value_; }

 private:
  Representation value_ = 0;
};

/// Election period (§5.1). 0 is before the first election; the bootstrap entry is of term 1.
using Term = Number<struct TermTag, std::uint64_t>;

/// Position in the log (§5.3), from 1. 0 is "before the first entry".
using Index = Number<struct IndexTag, std::uint64_t>;

/// Identity of a node, from 1, never used again after the node is removed. 0 is "none".
using NodeId = Number<struct NodeIdTag, std::uint32_t>;

/// Number of a write that a core hands to its log storage, from 1 in each incarnation. 0 is "none".
using WriteSeq = Number<struct WriteSeqTag, std::uint64_t>;

/// Number of a round of heartbeats that confirms reads (thesis §6.4), from 1 in each incarnation.
using ReadSeq = Number<struct ReadSeqTag, std::uint64_t>;

/// Where an incarnation's election timeouts come from. A host draws a fresh one at each start.
using Seed = Number<struct SeedTag, std::uint64_t>;

/// Number of entries from `first` to `last`, both included; 0 when last < first.
[[nodiscard]] constexpr std::uint64_t count_from_to(Index first, Index last) {
  return last < first ? 0 : last.value() - first.value() + 1;
}

using Bytes = std::span<const std::byte>;

/// Identity of an entry: two logs that agree on it agree on everything before it (§5.3, Log Matching).
struct LogId {
  Term term;
  Index index;
  friend constexpr bool operator==(LogId, LogId) = default;
  friend std::ostream& operator<<(std::ostream& out, LogId id) {
    return out << '(' << id.term << ',' << id.index << ')';
  }
};

/// §5.4.1: a log is more up-to-date when its last term is greater, or the terms are equal and it is longer.
[[nodiscard]] constexpr bool at_least_as_up_to_date(LogId candidate, LogId voter) {
  return candidate.term > voter.term || (candidate.term == voter.term && candidate.index >= voter.index);
}

/// Figure 2, "persistent state": what must survive a crash besides the log.
struct HardState {
  Term term;
  NodeId voted_for;
  friend constexpr bool operator==(HardState, HardState) = default;
};

enum class Role : std::uint8_t { follower, pre_candidate, candidate, leader };

/// "F", "PC", "C", "L": the short names used in one-line traces.
[[nodiscard]] const char* short_name(Role role);
[[nodiscard]] const char* name(Role role);

}  // namespace raftlab::raft
