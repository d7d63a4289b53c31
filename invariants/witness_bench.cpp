#include "invariants/witness.hpp"

#include "invariants/history_random.hpp"
#include "invariants/search.hpp"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace raftlab::invariants {
namespace {

/// Time of a whole operation: invocation, commit and answer; half of them reads.
void witness_operation(benchmark::State& state) {
  std::vector<std::string> keys;
  keys.reserve(1000);
  for (int key = 0; key < 1000; ++key) keys.push_back(std::string("key") + std::to_string(key));
  Witness witness;
  constexpr std::uint64_t clients = 100;
  std::uint64_t round = 0;
  raft::Index index(0);
  std::int64_t now_ns = 0;
  for (auto _ : state) {
    ++round;
    const OpId write{1 + round % clients, round};
    const OpId read{1 + clients + round % clients, round};
    const std::string& key = keys[round * 7919 % keys.size()];
    const Operation put = Put{key, "value"};
    witness.invoke(write, ++now_ns, put);
    index = index.next();
    witness.committed(index, write, &put);
    witness.ok(write, ++now_ns, Outcome::done(), index);
    witness.invoke(read, ++now_ns, Get{key});
    witness.ok(read, ++now_ns, Outcome::read(Value("value")), index);
  }
  if (!witness.findings().empty()) state.SkipWithError("the run should hold");
  state.SetItemsProcessed(state.iterations() * 2);
}
BENCHMARK(witness_operation);

void exact_search(benchmark::State& state) {
  testing::RandomOptions options;
  options.calls = static_cast<std::size_t>(state.range(0));
  options.clients = static_cast<std::uint64_t>(state.range(1));
  options.keys = 20;
  options.values = 0;
  const History history = testing::history_of(testing::RandomRun(1, options).calls());
  for (auto _ : state) benchmark::DoNotOptimize(search(history));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(history.entries.size()));
}
BENCHMARK(exact_search)->Args({1'000, 5})->Args({10'000, 5})->Args({10'000, 10});

}  // namespace
}  // namespace raftlab::invariants
