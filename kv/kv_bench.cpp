#include "kv/command.hpp"
#include "kv/store.hpp"

#include <benchmark/benchmark.h>

/// What each node does for each command: a put of 16 bytes in a session, over 10 000 keys; and what a
/// snapshot costs it.
namespace raftlab::kv {
namespace {

constexpr std::uint64_t keys = 10'000;

Command put_of(std::uint64_t number) {
  return Command{ClientId(123'456), Sequence(number + 1),
                 Put{"key" + std::to_string(number % keys), "0123456789abcdef"}};
}

std::vector<Command> puts() {
  std::vector<Command> commands;
  for (std::uint64_t i = 0; i < keys; ++i) commands.push_back(put_of(i));
  return commands;
}

void encode_put(benchmark::State& state) {
  const std::vector<Command> commands = puts();
  std::vector<std::byte> out;
  std::uint64_t at = 0;
  for (auto _ : state) {
    out.clear();
    encode(commands[at++ % keys], out);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(encode_put);

void decode_put(benchmark::State& state) {
  std::vector<std::vector<std::byte>> encodings(keys);
  for (std::uint64_t i = 0; i < keys; ++i) encode(put_of(i), encodings[i]);
  std::uint64_t at = 0;
  for (auto _ : state) {
    const std::optional<Command> command = decode(encodings[at++ % keys]);
    benchmark::DoNotOptimize(command.has_value());
  }
}
BENCHMARK(decode_put);

void apply_put(benchmark::State& state) {
  Store store;
  Command open;
  open.change = OpenSession{};
  const ClientId client = store.apply(raft::Index(1), open).client;
  std::vector<Command> commands = puts();
  for (Command& command : commands) command.client = client;
  std::uint64_t at = 0;
  for (auto _ : state) {
    Command& command = commands[at % keys];
    ++at;
    command.sequence = Sequence(at);
    benchmark::DoNotOptimize(store.apply(raft::Index(at + 1), command));
  }
}
BENCHMARK(apply_put);

/// The same while a snapshot is being taken, of which one item is written every so many puts: the slower it
/// is written, the more of them find an item that has not been written yet and was not copied before.
void apply_put_during_a_snapshot(benchmark::State& state) {
  Store store;
  Command open;
  open.change = OpenSession{};
  const ClientId client = store.apply(raft::Index(1), open).client;
  std::vector<Command> commands = puts();
  for (Command& command : commands) command.client = client;
  const auto puts_per_item = static_cast<std::uint64_t>(state.range(0));
  std::vector<std::byte> out;
  bool complete = true;
  std::uint64_t at = 0;
  for (auto _ : state) {
    if (complete) store.begin_snapshot();
    complete = false;
    if (at % puts_per_item == 0) {
      out.clear();
      complete = store.write_snapshot(0, out);
    }
    Command& command = commands[at * 7919 % keys];
    ++at;
    command.sequence = Sequence(at);
    benchmark::DoNotOptimize(store.apply(raft::Index(at + 1), command));
  }
}
BENCHMARK(apply_put_during_a_snapshot)->Arg(1)->Arg(10)->Arg(100);

Store filled(std::int64_t count) {
  Store store;
  for (std::int64_t i = 1; i <= count; ++i) {
    Command command;
    command.change = Put{"key" + std::to_string(i), "0123456789abcdef"};
    store.apply(raft::Index(static_cast<std::uint64_t>(i)), command);
  }
  return store;
}

void begin_snapshot(benchmark::State& state) {
  Store store = filled(state.range(0));
  for (auto _ : state) {
    store.begin_snapshot();
    store.abandon_snapshot();
  }
}
BENCHMARK(begin_snapshot)->Arg(1'000)->Arg(1'000'000);

/// A whole snapshot in pieces of 64 KiB.
void write_snapshot(benchmark::State& state) {
  Store store = filled(state.range(0));
  std::vector<std::byte> out;
  for (auto _ : state) {
    store.begin_snapshot();
    do {
      out.clear();
    } while (!store.write_snapshot(64U << 10U, out));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(write_snapshot)->Arg(1'000)->Arg(1'000'000);

void restore(benchmark::State& state) {
  Store store = filled(state.range(0));
  std::vector<std::byte> bytes;
  store.begin_snapshot();
  while (!store.write_snapshot(64U << 10U, bytes)) {
  }
  for (auto _ : state) {
    Store other;
    benchmark::DoNotOptimize(other.restore(store.applied(), bytes));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(restore)->Arg(1'000)->Arg(1'000'000);

void decode_and_apply_put(benchmark::State& state) {
  Store store;
  std::vector<std::vector<std::byte>> encodings(keys);
  for (std::uint64_t i = 0; i < keys; ++i) {
    Command command = put_of(i);
    command.client = ClientId();
    encode(command, encodings[i]);
  }
  std::uint64_t at = 0;
  for (auto _ : state) {
    const std::optional<Command> command = decode(encodings[at % keys]);
    ++at;
    benchmark::DoNotOptimize(store.apply(raft::Index(at), *command));
  }
}
BENCHMARK(decode_and_apply_put);

}  // namespace
}  // namespace raftlab::kv
