#include "kv/command.hpp"
#include "kv/store.hpp"

#include <benchmark/benchmark.h>

/// What each node does for each command: a put of 16 bytes in a session, over 10 000 keys.
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
