#pragma once

#include "raft/types.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What clients asked of the store and what they were told. These types know nothing of the store that is
/// under test: the checkers must not inherit its mistakes. Times are virtual nanoseconds.
namespace raftlab::invariants {

/// What a key holds; none: the key does not exist.
using Value = std::optional<std::string>;

/// Identity of an operation of a client, the same for each of its retries. Sequences are from 1 and rise with
/// each new operation. Client 0 has no session: what it changes cannot be told apart in the log.
struct OpId {
  std::uint64_t client = 0;
  std::uint64_t sequence = 0;
  friend constexpr auto operator<=>(OpId, OpId) = default;
};

struct Put {
  std::string key;
  std::string value;
  friend bool operator==(const Put&, const Put&) = default;
};
struct Delete {
  std::string key;
  friend bool operator==(const Delete&, const Delete&) = default;
};
/// Sets the key to `value` if it holds `expected` (none: if it does not exist).
struct CompareAndSwap {
  std::string key;
  Value expected;
  std::string value;
  friend bool operator==(const CompareAndSwap&, const CompareAndSwap&) = default;
};
/// Adds to the end of what the key holds; a key that does not exist counts as empty. Known to histories from
/// elsewhere; our own store has no such command.
struct Append {
  std::string key;
  std::string value;
  friend bool operator==(const Append&, const Append&) = default;
};
/// Several puts that take effect together; of two for one key the later counts.
struct PutBatch {
  std::vector<Put> entries;
  friend bool operator==(const PutBatch&, const PutBatch&) = default;
};
struct Get {
  std::string key;
  friend bool operator==(const Get&, const Get&) = default;
};
/// Several keys, read at one instant.
struct MultiGet {
  std::vector<std::string> keys;
  friend bool operator==(const MultiGet&, const MultiGet&) = default;
};

using Operation = std::variant<Put, Delete, CompareAndSwap, Append, PutBatch, Get, MultiGet>;

[[nodiscard]] inline bool is_read(const Operation& op) {
  return std::holds_alternative<Get>(op) || std::holds_alternative<MultiGet>(op);
}

/// What the client of an operation that succeeded was told.
struct Outcome {
  enum class Kind : std::uint8_t {
    done,            ///< a change was made
    compare_failed,  ///< a compare-and-swap found something else
    values,          ///< a read
  };
  Kind kind = Kind::done;
  bool found_told = true;     ///< compare_failed: false when the answer did not say what was found
  Value value;                ///< compare_failed: what was found; Get: what was read
  std::vector<Value> values;  ///< MultiGet: what was read, in the order of the keys

  [[nodiscard]] static Outcome done() { return {}; }
  [[nodiscard]] static Outcome compare_failed(Value found) {
    return {Kind::compare_failed, true, std::move(found), {}};
  }
  [[nodiscard]] static Outcome compare_failed_untold() { return {Kind::compare_failed, false, {}, {}}; }
  [[nodiscard]] static Outcome read(Value value) { return {Kind::values, true, std::move(value), {}}; }
  [[nodiscard]] static Outcome read(std::vector<Value> values) {
    return {Kind::values, true, {}, std::move(values)};
  }
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// What became of an operation, as far as its client knows.
enum class Fate : std::uint8_t {
  ok,       ///< answered; `outcome` tells what
  fail,     ///< every attempt was refused before it was appended: it never takes effect
  unknown,  ///< the client gave up: it may take effect at any later time, or never
};

/// What a read claims to be. A lease read is judged like any other linearizable one, under a rung of its own, because it
/// rests on the clocks as well.
enum class ReadClaim : std::uint8_t { linearizable, lease, stale };

struct HistoryEntry {
  OpId id;
  Operation op;
  Fate fate = Fate::unknown;
  Outcome outcome;  ///< of `ok`
  std::int64_t invoked_ns = 0;
  std::int64_t returned_ns = 0;  ///< of `ok`; not before invoked_ns
  /// Of `ok`: where the log has it, or the applied index that served the read; 0: not told.
  raft::Index index;
  bool stale = false;  ///< a read that does not claim to be linearizable
  friend bool operator==(const HistoryEntry&, const HistoryEntry&) = default;
};

/// In the order of invocation.
struct History {
  std::vector<HistoryEntry> entries;
};

/// Writes a history down as it happens. An operation without an answer stays `unknown`. Memory grows with the
/// run: for runs that are short, or that the witness check could not judge.
class HistoryRecorder {
 public:
  void invoke(OpId id, std::int64_t now_ns, Operation op);
  void ok(OpId id, std::int64_t now_ns, Outcome outcome, raft::Index index,
          ReadClaim claim = ReadClaim::linearizable);
  void fail(OpId id, std::int64_t now_ns);
  void unknown(OpId id, std::int64_t now_ns);
  [[nodiscard]] const History& history() const { return history_; }

 private:
  [[nodiscard]] HistoryEntry& take(OpId id);

  History history_;
  std::map<OpId, std::size_t> open_;
};

/// Calls `visit(std::string_view key)` for each key named by the operation, in its order.
template <class Visitor>
void for_each_key(const Operation& op, Visitor&& visit) {
  if (const auto* batch = std::get_if<PutBatch>(&op)) {
    for (const Put& part : batch->entries) visit(std::string_view(part.key));
  } else if (const auto* get = std::get_if<MultiGet>(&op)) {
    for (const std::string& key : get->keys) visit(std::string_view(key));
  } else if (const auto* put = std::get_if<Put>(&op)) {
    visit(std::string_view(put->key));
  } else if (const auto* erase = std::get_if<Delete>(&op)) {
    visit(std::string_view(erase->key));
  } else if (const auto* swap = std::get_if<CompareAndSwap>(&op)) {
    visit(std::string_view(swap->key));
  } else if (const auto* append = std::get_if<Append>(&op)) {
    visit(std::string_view(append->key));
  } else {
    visit(std::string_view(std::get<Get>(op).key));
  }
}

/// One line each: `put x="1"`, `cas x: none -> "2"`, `"1"`, `7.3`.
[[nodiscard]] std::string describe(OpId id);
[[nodiscard]] std::string describe(const Value& value);
[[nodiscard]] std::string describe(const Operation& op);
[[nodiscard]] std::string describe(const Outcome& outcome);
/// `7.3 put x="1" [100,250] ok: done`
[[nodiscard]] std::string describe(const HistoryEntry& entry);

}  // namespace raftlab::invariants
