#include "reports/format.hpp"
#include "tools/raftlab/commands.hpp"
#include "tools/raftlab/profile_source.hpp"
#include "tools/raftlab/recording.hpp"
#include "tools/raftlab/signals.hpp"
#include "tools/raftlab/terminal.hpp"
#include "tools/version/version.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <iostream>
#include <vector>

namespace raftlab::tool {
namespace {

using simulator::Profile;
using simulator::RunResult;

struct Measurement {
  std::int64_t cpu_ns = 0;
  RunResult result;
};

/// Runs of one profile with checks off or on.
struct Side {
  std::vector<Measurement> runs;

  /// Of the runs, by CPU time per virtual time.
  [[nodiscard]] const Measurement& median() const {
    std::vector<const Measurement*> order;
    for (const Measurement& run : runs) order.push_back(&run);
    // Cross-multiplied: cpu / virtual of a below that of b.
    std::sort(order.begin(), order.end(), [](const Measurement* a, const Measurement* b) {
      return static_cast<double>(a->cpu_ns) * static_cast<double>(b->result.virtual_ns) <
             static_cast<double>(b->cpu_ns) * static_cast<double>(a->result.virtual_ns);
    });
    return *order[order.size() / 2];
  }
};

Measurement measure(const ProfileSource& profiles, std::uint64_t seed, bool checks) {
  simulator::RandomChooser chooser{simulator::Seed(seed)};
  const Profile profile = profiles.profile(chooser);
  simulator::RunOptions options;
  options.checks = checks;
  options.stop = &signal_stop();
  Measurement measurement;
  const std::int64_t start_ns = thread_cpu_ns();
  measurement.result = simulator::run(profile, chooser, options);
  measurement.cpu_ns = thread_cpu_ns() - start_ns;
  return measurement;
}

/// count / of in hundredths, as text with two digits behind the point.
std::string ratio(std::uint64_t count, std::uint64_t of) {
  if (of == 0) return "-";
  const std::uint64_t hundredths = count * 100 / of;
  const std::uint64_t rest = hundredths % 100;
  return reports::grouped(hundredths / 100) + "." + (rest < 10 ? "0" : "") + std::to_string(rest);
}

std::string percent(std::uint64_t count, std::uint64_t of) {
  return of == 0 ? "-" : ratio(count * 100, of) + " %";
}

std::uint64_t per_cpu_second(std::uint64_t count, std::int64_t cpu_ns) {
  const std::int64_t us = std::max<std::int64_t>(cpu_ns / 1'000, 1);
  return count * 1'000'000 / static_cast<std::uint64_t>(us);
}

std::uint64_t peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

void print_row(const std::string& what, const std::string& off, const std::string& on) {
  std::cout << "  " << reports::left(what, 44) << reports::right(off, 16) << reports::right(on, 16) << '\n';
}

void print(const Profile& profile, const Side& off, const Side& on) {
  const Measurement& a = off.median();
  const Measurement& b = on.median();
  const auto row = [&](const std::string& what, auto figure) { print_row(what, figure(a), figure(b)); };
  // What does not depend on the machine is of the first run, so that both columns speak of one seed.
  const auto fact = [&](const std::string& what, auto figure) {
    print_row(what, figure(off.runs.front()), figure(on.runs.front()));
  };
  std::cout << profile.name << " · " << reports::counted(profile.nodes, "node", "nodes") << " · sync "
            << reports::span(profile.sync_ns_min) << " to " << reports::span(profile.sync_ns_max)
            << " · median of " << off.runs.size() << '\n';
  print_row("", "checks off", "checks on");
  row("virtual seconds per CPU-second", [](const Measurement& m) {
    return reports::tenths(static_cast<std::uint64_t>(m.result.virtual_ns) * 10 /
                           static_cast<std::uint64_t>(std::max<std::int64_t>(m.cpu_ns, 1)));
  });
  row("delivered messages per CPU-second", [](const Measurement& m) {
    return reports::rounded(per_cpu_second(m.result.messages_delivered, m.cpu_ns));
  });
  row("ns per delivered message", [](const Measurement& m) {
    return reports::grouped(static_cast<std::uint64_t>(m.cpu_ns) /
                            std::max<std::uint64_t>(m.result.messages_delivered, 1));
  });
  row("committed entries per CPU-second",
      [](const Measurement& m) { return reports::rounded(per_cpu_second(m.result.committed, m.cpu_ns)); });
  fact("delivered messages per committed entry",
       [](const Measurement& m) { return ratio(m.result.messages_delivered, m.result.committed); });
  fact("median latency of an operation, virtual", [](const Measurement& m) {
    return reports::span(static_cast<std::int64_t>(m.result.latency_ns_median));
  });
  fact("offered operations that committed",
       [](const Measurement& m) { return percent(m.result.operations_ok, m.result.operations_offered); });
  fact("verdict", [](const Measurement& m) { return std::string(name(m.result.verdict)); });
  print_row("peak memory of the process so far", "",
            reports::tenths(peak_rss_bytes() * 10 / (1U << 20U)) + " MiB");
  std::cout << '\n' << std::flush;
}

}  // namespace

int bench(const BenchOptions& options) {
  std::vector<std::string> files = options.profile_files;
  if (files.empty()) {
    for (const char* workload : {"w1", "w2", "w3"})
      files.push_back(std::string("scenarios/profiles/") + workload + ".toml");
  }
  std::vector<ProfileSource> sources;
  for (const std::string& file : files) {
    auto source = ProfileSource::open(file, options.nodes);
    if (const Failure* failed = failure(source)) return tell(*failed);
    sources.push_back(std::move(std::get<ProfileSource>(source)));
  }
  watch_signals();
  constexpr int signal_base = 128;
  ExitCode code = ExitCode::holds;
  std::cout << "raftlab " << version::line() << "\n\n" << std::flush;
  for (const ProfileSource& source : sources) {
    Side off;
    Side on;
    // Side by side, so that a noisy minute hits both.
    for (std::uint64_t seed = 1; seed <= options.repetitions; ++seed) {
      off.runs.push_back(measure(source, seed, false));
      on.runs.push_back(measure(source, seed, true));
      if (noted_signal() != 0) return signal_base + noted_signal();
      if (on.runs.back().result.verdict == simulator::Verdict::violated) code = ExitCode::violated;
    }
    simulator::RandomChooser chooser{simulator::Seed(1)};
    print(source.profile(chooser), off, on);
  }
  if (!flush_stdout()) return tell(Failure{ExitCode::io, "stdout: cannot be written"});
  return static_cast<int>(code);
}

}  // namespace raftlab::tool
