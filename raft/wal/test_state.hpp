#pragma once

#include "raft/log.hpp"
#include "raft/wal/test_disk.hpp"
#include "raft/wal/wal.hpp"

#include <algorithm>
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
  LogId snapshot;
  Configuration configuration;  ///< at the snapshot; empty: not known
  Log log;
  friend bool operator==(const State&, const State&) = default;
};

[[nodiscard]] inline State state_of(const Recovered& recovered) {
  State state{recovered.hard, recovered.snapshot, recovered.snapshot_configuration.value_or(Configuration{}),
              Log(recovered.base)};
  for (const Slice& entries : recovered.entries) state.log.append(entries);
  return state;
}

inline void apply(const Write& write, State& state) {
  if (write.hard) state.hard = *write.hard;
  if (write.checkpoint) {
    state.snapshot = write.checkpoint->snapshot;
    state.configuration = write.checkpoint->configuration;
    state.log = Log(write.checkpoint->base);
  }
  if (write.truncate_from && write.truncate_from <= state.log.last()) state.log.truncate(write.truncate_from);
  for (const Slice& entries : write.entries) state.log.append(entries);
}

/// A write that restates all of this.
[[nodiscard]] inline Write checkpoint_of(const State& state, WriteSeq seq) {
  Write write;
  write.seq = seq;
  write.checkpoint = Checkpoint{state.snapshot, state.configuration, state.log.base()};
  write.hard = state.hard;
  if (state.log.last() >= state.log.first())
    state.log.slices(state.log.first(), state.log.last(), write.entries);
  return write;
}

/// A snapshot of its own up to `snapshot`, with a tail of this many entries in the log below it.
[[nodiscard]] inline Write own_snapshot(State& state, WriteSeq seq, Index snapshot, std::uint64_t tail) {
  state.snapshot = LogId{state.log.term_at(snapshot), snapshot};
  state.configuration = voters_up_to(3);
  const std::uint64_t below = std::min(tail, snapshot.value());
  state.log.compact(std::max(state.log.base().index, Index(snapshot.value() - below)));
  return checkpoint_of(state, seq);
}

/// A received snapshot that the log knows nothing of.
[[nodiscard]] inline Write installed_snapshot(State& state, WriteSeq seq, LogId snapshot) {
  state.snapshot = snapshot;
  state.configuration = voters_up_to(5);
  state.log = Log(snapshot);
  return checkpoint_of(state, seq);
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

[[nodiscard]] inline Wal::Opened opened(TestDisk& disk, const WalOptions& options = {}) {
  return std::get<Wal::Opened>(open(disk, options));
}

[[nodiscard]] inline Write append(WriteSeq seq, Index first, const std::string& text = "command") {
  Write write;
  write.seq = seq;
  write.entries.push_back(entries_from(first, Term(1), 1, text));
  return write;
}

/// Some writes of a log, as a test writes them down: each is carried out before the next.
struct Process {
  TestDisk disk;
  Wal::Opened log;
  State state;
  WriteSeq seq{1};

  explicit Process(const WalOptions& options = {})
      : log(opened(disk, options)), state(state_of(log.recovered)) {
    drive(log.wal, disk);
  }
  void append(std::uint64_t count, const std::string& text = "command") {
    for (; count > 0; --count) {
      seq = seq.next();
      Write write;
      write.seq = seq;
      write.entries.push_back(entries_from(state.log.last().next(), state.hard.term, 1, text));
      apply(write, state);
      log.wal.write(write);
      drive(log.wal, disk);
    }
  }
  void compact(Index snapshot, std::uint64_t tail) {
    seq = seq.next();
    log.wal.write(own_snapshot(state, seq, snapshot, tail));
  }
  void install(LogId snapshot) {
    seq = seq.next();
    log.wal.write(installed_snapshot(state, seq, snapshot));
  }
};

}  // namespace raftlab::raft::wal::testing
