#include "raft/core_fixture.hpp"

#include <benchmark/benchmark.h>

#include <optional>

/// What one input costs. Logs grow while a benchmark runs, as they do in life; a core is renewed now and
/// then, outside the measured time, to bound the memory.
namespace raftlab::raft::testing {
namespace {

constexpr std::uint64_t log_entries_max = 100'000;
constexpr std::string_view payload = "0123456789abcdef";

void heartbeat_at_a_follower(benchmark::State& state) {
  Driver follower = settled(guarded(), recovered(5));
  const std::vector<Input> heartbeat = {follower.envelope(2, 1, Heartbeat{Index(1), ReadSeq{}})};
  for (auto _ : state) follower.core.step(heartbeat, follower.out);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(heartbeat_at_a_follower);

/// Two steps: the entry arrives, as a decoded message in a block of its own; the disk has taken it, the
/// answer goes.
void append_and_written_at_a_follower(benchmark::State& state) {
  std::optional<Driver> follower;
  std::uint64_t last = log_entries_max;
  std::vector<Input> append(1);
  std::vector<Input> written(1);
  for (auto _ : state) {
    if (last >= log_entries_max) {
      state.PauseTiming();
      follower.emplace(settled(guarded(), recovered(5)));
      last = 1;
      state.ResumeTiming();
    }
    Slice entry = Slice::make(Index(last + 1), 1, payload.size());
    benchmark::DoNotOptimize(entry.append(Term(1), EntryKind::command, std::as_bytes(std::span(payload))));
    append[0] =
        follower->envelope(2, 1, AppendEntries{id(1, last), Index(last), ReadSeq{}, std::move(entry)});
    follower->core.step(append, follower->out);
    written[0] = Written{follower->out.write.seq};
    follower->core.step(written, follower->out);
    ++last;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(append_and_written_at_a_follower);

/// A leader of five; the entry is sent to four peers.
void propose_at_a_leader_of_five(benchmark::State& state) {
  std::optional<Driver> leader;
  std::uint64_t proposed = log_entries_max;
  const std::vector<Input> proposal = {Propose{1, bytes(payload)}};
  Options options = guarded();
  options.limits.window_messages = log_entries_max;
  options.limits.window_bytes = ~0U;
  for (auto _ : state) {
    if (proposed >= log_entries_max) {
      state.PauseTiming();
      leader.emplace(leader_of(5, options));
      proposed = 0;
      state.ResumeTiming();
    }
    leader->core.step(proposal, leader->out);
    ++proposed;
    if (proposed % 64 == 0) {  // bounds what is in flight, as acknowledgements do
      state.PauseTiming();
      leader->settle();
      for (std::uint32_t peer = 2; peer <= 5; ++peer) leader->acknowledge_all(peer);
      state.ResumeTiming();
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(propose_at_a_leader_of_five);

/// One acknowledgement of one entry. Every second one, of each entry, commits it.
void ack_at_a_leader_of_five(benchmark::State& state) {
  Options options = guarded();
  std::optional<Driver> leader;
  constexpr std::uint64_t batch = 32;
  std::vector<std::vector<Input>> acks;
  std::size_t at = 0;
  std::uint64_t proposed = log_entries_max;
  for (auto _ : state) {
    if (at == acks.size()) {
      state.PauseTiming();
      if (proposed >= log_entries_max) {
        leader.emplace(leader_of(5, options));
        proposed = 0;
      }
      acks.clear();
      at = 0;
      for (std::uint64_t i = 0; i < batch; ++i) {
        leader->propose(payload);
        ++proposed;
      }
      leader->settle();
      const std::uint64_t last = leader->state().last.index.value();
      for (std::uint64_t index = last - batch + 1; index <= last; ++index) {
        for (std::uint32_t peer = 2; peer <= 5; ++peer) {
          acks.push_back({leader->envelope(peer, 2, AppendReply{Index(index), ReadSeq{}})});
        }
      }
      state.ResumeTiming();
    }
    leader->core.step(acks[at++], leader->out);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ack_at_a_leader_of_five);

}  // namespace
}  // namespace raftlab::raft::testing
