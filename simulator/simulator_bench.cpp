#include "simulator/chooser.hpp"
#include "simulator/event_queue.hpp"
#include "simulator/run.hpp"
#include "simulator/test_support.hpp"

#include <benchmark/benchmark.h>

/// What a virtual second costs, and the two things that every event needs: its place in the future, and decisions.
namespace raftlab::simulator::testing {
namespace {

/// As scenarios/profiles/w1.toml, but shorter: two virtual seconds after the sessions were opened.
Profile w1() {
  Profile profile = quiet_profile(5);
  profile.open_load_per_second = 1'000;
  profile.fault_phase_ns = 3 * second;
  profile.tick_ns = 25 * millisecond;
  profile.election_ticks = 6;
  profile.heartbeat_ticks = 2;
  profile.window_messages = 2;
  profile.snapshot_entries = profile.tail_entries = 1000;
  profile.sync_ns_min = 1 * millisecond;
  profile.sync_ns_max = 4 * millisecond;
  profile.codec_ppm = 100'000;
  profile.rate(Fault::message_loss) = 100'000;
  return profile;
}

void virtual_seconds(benchmark::State& state) {
  const Profile profile = w1();
  RunOptions options;
  options.checks = state.range(0) != 0;
  std::uint64_t seed = 0;
  std::uint64_t steps = 0;
  std::uint64_t messages = 0;
  std::uint64_t committed = 0;
  double seconds = 0;
  for (auto _ : state) {
    RandomChooser chooser{Seed(++seed)};
    const RunResult result = run(profile, chooser, options);
    if (result.verdict != Verdict::holds) state.SkipWithError("the run does not hold");
    steps += result.steps;
    messages += result.messages_sent;
    committed += result.committed;
    seconds += static_cast<double>(result.virtual_ns) / static_cast<double>(second);
  }
  // Rates are per second of this thread's CPU time.
  state.counters["virtual_s_per_cpu_s"] = benchmark::Counter(seconds, benchmark::Counter::kIsRate);
  state.counters["steps"] =
      benchmark::Counter(static_cast<double>(steps), benchmark::Counter::kAvgIterations);
  state.counters["messages"] =
      benchmark::Counter(static_cast<double>(messages), benchmark::Counter::kAvgIterations);
  state.counters["committed"] =
      benchmark::Counter(static_cast<double>(committed), benchmark::Counter::kAvgIterations);
}
BENCHMARK(virtual_seconds)->ArgName("checks")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

/// A queue that holds so many events of the next 20 ms: the next one comes, and another one is scheduled.
void queue_pop_and_push(benchmark::State& state) {
  EventQueue queue;
  RandomChooser chooser{Seed(1)};
  std::vector<Time> delays(4096);
  for (std::uint64_t i = 0; i < delays.size(); ++i) {
    delays[i] = chooser.between(Key{Choice::message_delay, i}, 0, 20 * millisecond);
  }
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    Event event;
    event.time = delays[static_cast<std::size_t>(i) % delays.size()];
    queue.push(event);
  }
  std::size_t next = 0;
  for (auto _ : state) {
    Event event = queue.pop();
    event.time += delays[next++ % delays.size()];
    queue.push(event);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(queue_pop_and_push)->Arg(64)->Arg(1024)->Arg(16384);

void random_choice(benchmark::State& state) {
  RandomChooser chooser{Seed(1)};
  std::uint64_t about = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(chooser.choose(Key{Choice::message_delay, ++about}, 10'000'000));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(random_choice);

void recorded_choice(benchmark::State& state) {
  RandomChooser random{Seed(1)};
  RecordingChooser chooser(random);
  std::uint64_t about = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(chooser.choose(Key{Choice::message_delay, ++about}, 10'000'000));
    if (chooser.decisions().size() > 100'000) chooser.decisions().clear();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(recorded_choice);

void replayed_choice(benchmark::State& state) {
  ReplayChooser chooser;
  constexpr std::uint64_t known = 100'000;
  for (std::uint64_t i = 0; i < known; ++i)
    chooser.add(Decision{Key{Choice::message_delay, i}.hash(), i + 1});
  std::uint64_t about = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(chooser.choose(Key{Choice::message_delay, ++about % known}, 10'000'000));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(replayed_choice);

}  // namespace
}  // namespace raftlab::simulator::testing
