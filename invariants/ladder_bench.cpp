#include "invariants/ladder_cores.hpp"

#include <benchmark/benchmark.h>

/// What the ladder costs: the same run of cores without deltas, with deltas, and with the whole ladder. The difference
/// of the last two is the ladder; an item is a step.
namespace raftlab::invariants {
namespace {

/// Steady replication: one proposal a round, everything delivered in order, one input a step.
void replicate(benchmark::State& state, Cores::Checks checks) {
  raft::Options options;
  options.election_ticks_min = 10;
  options.heartbeat_ticks = 2;
  const auto nodes = static_cast<std::uint32_t>(state.range(0));
  auto cores = std::make_unique<Cores>(nodes, 1, options, checks);
  const std::vector<std::byte> payload(16);
  std::uint64_t steps = 0;
  std::uint64_t round = 0;
  std::vector<raft::Envelope> messages;
  for (auto _ : state) {
    const std::uint64_t before = cores->steps();
    if (++round % 32 == 0) {
      for (Cores::Node& node : cores->nodes()) cores->step(node, raft::Tick{});
    }
    if (Cores::Node* leader = cores->leader()) cores->step(*leader, raft::Propose{round, payload});
    for (int exchange = 0; exchange < 3; ++exchange) {
      for (Cores::Node& node : cores->nodes()) {
        cores->sync(node, SIZE_MAX);
        cores->settle(node);
      }
      std::swap(messages, cores->messages());
      for (raft::Envelope& envelope : messages) {
        Cores::Node& node = cores->nodes()[envelope.to.value() - 1];
        cores->step(node, raft::Receive{std::move(envelope)});
      }
      messages.clear();
    }
    steps += cores->steps() - before;
    if (round % 65536 == 0) {
      state.PauseTiming();
      cores = std::make_unique<Cores>(nodes, 1, options, checks);
      state.ResumeTiming();
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(steps));
  state.counters["ns/step"] = benchmark::Counter(static_cast<double>(steps) * 1e-9,
                                                 benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  if (cores->ladder().broken()) state.SkipWithError("a rung broke");
}

BENCHMARK_CAPTURE(replicate, none, Cores::Checks::none)->Arg(3)->Arg(5)->Arg(7);
BENCHMARK_CAPTURE(replicate, deltas_only, Cores::Checks::deltas_only)->Arg(3)->Arg(5)->Arg(7);
BENCHMARK_CAPTURE(replicate, ladder, Cores::Checks::ladder)->Arg(3)->Arg(5)->Arg(7);

}  // namespace
}  // namespace raftlab::invariants
