#pragma once

#include "raft/log.hpp"
#include "raft/wal/test_disk.hpp"
#include "raft/wal/wal.hpp"

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// What a log should hold, computed without a log; and the ways in which tests drive one.
namespace raftlab::raft::wal::testing {

inline constexpr Identity identity{0x1122334455667788, NodeId(7)};

struct State {
  HardState hard;
  Log log;
  LogId snapshot;
  friend bool operator==(const State&, const State&) = default;
};

[[nodiscard]] inline State state_of(const Recovered& recovered) {
  State state{recovered.hard, Log(recovered.base), recovered.snapshot};
  for (const Slice& entries : recovered.entries) state.log.append(entries);
  return state;
}

inline void apply(const Write& write, State& state) {
  if (write.checkpoint) {
    state.log = Log(write.checkpoint->base);
    state.snapshot = write.checkpoint->snapshot;
  }
  if (write.hard) state.hard = *write.hard;
  if (write.truncate_from && write.truncate_from <= state.log.last()) state.log.truncate(write.truncate_from);
  for (const Slice& entries : write.entries) state.log.append(entries);
}

[[nodiscard]] inline std::vector<std::byte> payload_of(const std::string& text) {
  const Bytes bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

[[nodiscard]] inline Slice entries_from(Index first, Term term, std::uint32_t count,
                                        const std::string& text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  Slice entries = Slice::make(first, count, count * size);
  const auto payload = payload_of(text);
  for (std::uint32_t i = 0; i < count; ++i)
    RAFTLAB_ASSERT(entries.append(term, EntryKind::command, payload), i);
  return entries;
}

[[nodiscard]] inline Recovered first_state() {
  Recovered recovered;
  recovered.hard = HardState{Term(1), NodeId()};
  recovered.entries.push_back(entries_from(Index(1), Term(1), 1, "first"));
  return recovered;
}

/// Carries out all that waits, and returns the outcomes.
inline std::vector<WriteOutcome> drive(Wal& wal, TestDisk& disk) {
  std::vector<WriteOutcome> outcomes;
  while (!disk.idle()) {
    if (const auto outcome = wal.complete(disk.step())) outcomes.push_back(*outcome);
  }
  return outcomes;
}

using Opening = std::variant<Wal::Opened, Refusal>;

[[nodiscard]] inline Opening open(TestDisk& disk, const WalOptions& options = {}) {
  Opening opening = Wal::open(disk, identity, options, first_state());
  if (auto* opened = std::get_if<Wal::Opened>(&opening)) opened->wal.begin(opened->recovered);
  return opening;
}

/// The write of a node that took a snapshot up to `snapshot` and keeps the log behind `base`, or installed one that its log
/// does not reach. Changes the state, too.
[[nodiscard]] inline Write checkpoint(WriteSeq seq, Index base, LogId snapshot, State& state) {
  if (snapshot.index > state.log.last()) {
    state.log = Log(snapshot);
  } else {
    state.log.compact(base);
  }
  state.snapshot = snapshot;
  Write write;
  write.seq = seq;
  write.hard = state.hard;
  write.checkpoint = Checkpoint{snapshot, voters_up_to(3), state.log.base(), Index()};
  if (state.log.last() >= state.log.first())
    state.log.slices(state.log.first(), state.log.last(), write.entries);
  return write;
}

/// Some write number `seq` behind a log of this state: hard states, truncations and entries take turns.
[[nodiscard]] inline Write write_behind(const State& state, WriteSeq seq) {
  Write write;
  write.seq = seq;
  Index next = state.log.last().next();
  const Term term(state.hard.term.value() + (seq.value() % 5 == 0 ? 1 : 0));
  if (seq.value() % 5 == 0)
    write.hard = HardState{term, NodeId(static_cast<std::uint32_t>(1 + seq.value() % 3))};
  if (seq.value() % 7 == 0) {
    write.truncate_from = state.log.last();
    next = state.log.last();
  }
  if (seq.value() % 11 != 0) {
    write.entries.push_back(
        entries_from(next, term, 1 + static_cast<std::uint32_t>(seq.value() % 2), "command"));
  }
  return write;
}

}  // namespace raftlab::raft::wal::testing
