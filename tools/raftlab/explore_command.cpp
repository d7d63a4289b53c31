#include "reports/campaign.hpp"
#include "reports/format.hpp"
#include "reports/json.hpp"
#include "reports/junit.hpp"
#include "reports/text.hpp"
#include "tools/raftlab/commands.hpp"
#include "tools/raftlab/files.hpp"
#include "tools/raftlab/profile_source.hpp"
#include "tools/raftlab/recording.hpp"
#include "tools/raftlab/runner.hpp"
#include "tools/raftlab/signals.hpp"
#include "tools/raftlab/terminal.hpp"
#include "tools/version/version.hpp"

#include <iostream>
#include <memory>
#include <span>
#include <utility>

namespace raftlab::tool {
namespace {

using reports::SeedReport;
using simulator::Verdict;

class Exploration {
 public:
  Exploration(const ExploreOptions& options, ProfileSource profiles)
      : options_(options),
        profiles_(std::move(profiles)),
        directory_(options.out_directory),
        junit_(std::string(version::commit())),
        colour_(stdout_colour()) {}

  /// Opens what is to be written, so that nothing is run in vain.
  std::optional<Failure> open_outputs() {
    for (auto [path, file] :
         {std::pair(&options_.junit_file, &junit_file_), std::pair(&options_.trace_file, &trace_file_)}) {
      if (path->empty()) continue;
      auto opened = OutputFile::open(*path);
      if (auto* failed = std::get_if<Failure>(&opened)) return std::move(*failed);
      file->emplace(std::move(std::get<OutputFile>(opened)));
    }
    return directory_.check();
  }

  int run() {
    watch_signals();
    print_heading();
    RunnerOptions runner;
    runner.jobs = options_.jobs;
    runner.keep_going = options_.keep_going;
    runner.time_budget = options_.time_budget;
    runner.stop = &signal_stop();
    RunnerCalls calls;
    calls.run = [this](std::uint64_t seed, const std::atomic<bool>& stop) { return run_seed(seed, stop); };
    calls.emit = [this](const SeedReport& report) { emit(report); };
    calls.tick = [this] { progress_.show(reports::progress(campaign_)); };
    const auto error = run_seeds(SeedSequence(options_.seeds, options_.shard), runner, calls);
    progress_.clear();
    print_conclusion();
    const std::optional<Failure> failed = write_junit();
    if (error) return tell(Failure{ExitCode::internal, *error});
    return exit_code(failed ? failed : io_failure_);
  }

 private:
  void print_heading() {
    if (options_.json) return;
    std::cout << "raftlab " << version::line() << '\n' << profiles_.nodes_text() << " · ";
    std::cout << (options_.profile_file.empty() ? "drawn profiles" : "profile " + options_.profile_file);
    std::cout << " · " << seeds_text(options_.seeds);
    if (options_.shard.count > 1)
      std::cout << " shard " << options_.shard.index << '/' << options_.shard.count;
    if (options_.time_budget) std::cout << " for " << reports::span(options_.time_budget->count());
    std::cout << " · " << reports::counted(options_.jobs, "job", "jobs")
              << (options_.checks ? "" : " · checks off") << '\n';
    if (options_.single_seed) {
      simulator::RandomChooser chooser{simulator::Seed(options_.seeds.first)};
      std::cout << "profile " << reports::wrap(simulator::summary(profiles_.profile(chooser)), 8) << '\n';
    }
    std::cout << '\n' << std::flush;
  }

  [[nodiscard]] static std::string seeds_text(SeedRange range) {
    return (range.first == range.last ? "seed " : "seeds ") + to_text(range);
  }

  /// In a thread of the runner: touches nothing that is shared, except for the one seed that is recorded.
  SeedReport run_seed(std::uint64_t seed, const std::atomic<bool>& stop) {
    const std::int64_t start_ns = thread_cpu_ns();
    SeedReport report;
    report.seed = seed;
    simulator::RandomChooser chooser{simulator::Seed(seed)};
    report.profile = profiles_.profile(chooser);
    if (trace_file_) {
      recorded_ = record(trace_header(seed, report.profile, options_.checks), chooser, &report.result, &stop);
    } else {
      simulator::RunOptions run_options;
      run_options.checks = options_.checks;
      run_options.stop = &stop;
      report.result = simulator::run(report.profile, chooser, run_options);
    }
    report.cpu_ns = thread_cpu_ns() - start_ns;
    return report;
  }

  void emit(const SeedReport& report) {
    campaign_.add(report);
    last_seed_ = report.seed;
    if (campaign_.seeds() == 1) first_seed_ = report.seed;
    if (options_.json) std::cout << reports::json_seed(report) << std::endl;
    reports::NextSteps next;
    if (trace_file_) save_named_trace(next);
    const bool violated = report.result.verdict == Verdict::violated;
    if (violated && !trace_file_) save_trace(report, next);
    if (violated) {
      progress_.clear();
      (options_.json ? std::cerr : std::cout)
          << reports::violation(report, next, options_.json ? reports::Colour::off : colour_) << '\n'
          << std::flush;
    }
    if (!options_.junit_file.empty()) {
      junit_.add(report, next.trace, next.replay.empty() ? explore_command(report.seed) : next.replay);
    }
  }

  void point_at(const std::string& path, const simulator::RunResult& result, reports::NextSteps& next) const {
    next.replay = "raftlab replay " + quoted(path);
    next.show = "raftlab show " + quoted(path);
    const invariants::Finding* found = simulator::root(result);
    if (found != nullptr) next.show += " --around " + std::to_string(found->step);
  }

  void save_named_trace(reports::NextSteps& next) {
    const std::vector<std::byte> bytes = encode(recorded_);
    if (auto failed = trace_file_->commit(bytes)) {
      next.note = failed->message;
      io_failure_ = std::move(failed);
      return;
    }
    next.trace = options_.trace_file;
    simulator::RunResult result;
    result.findings = recorded_.findings;
    point_at(options_.trace_file, result, next);
  }

  /// Runs a violated seed again with recording on.
  void save_trace(const SeedReport& report, reports::NextSteps& next) {
    progress_.show("  recording seed " + std::to_string(report.seed));
    simulator::RandomChooser chooser{simulator::Seed(report.seed)};
    const simulator::Profile profile = profiles_.profile(chooser);
    simulator::RunResult again;
    const simulator::Trace trace =
        record(trace_header(report.seed, profile, options_.checks), chooser, &again, &signal_stop());
    if (noted_signal() != 0) {
      next.note = "interrupted while the trace was recorded: " + explore_command(report.seed);
      return;
    }
    auto saved = directory_.save(std::to_string(report.seed), ".trace", encode(trace));
    if (auto* failed = std::get_if<Failure>(&saved)) {
      next.replay = explore_command(report.seed);
      next.note = "the trace was not saved: " + failed->message;
      io_failure_ = std::move(*failed);
      return;
    }
    const auto& place = std::get<OutputDirectory::Saved>(saved);
    next.trace = place.path;
    point_at(place.short_path, again, next);
    if (again.digest != report.result.digest) {
      next.note = "the recorded run differs from the first one (digest " +
                  reports::hexadecimal(again.digest) + ", not " + reports::hexadecimal(report.result.digest) +
                  "): something outside of the seed decides";
    }
  }

  /// The line that records one seed of this campaign.
  [[nodiscard]] std::string explore_command(std::uint64_t seed) const {
    const std::string number = std::to_string(seed);
    const std::string trace =
        options_.trace_file.empty() ? "seed-" + number + ".trace" : quoted(options_.trace_file);
    std::string line = "raftlab explore --seed " + number;
    if (options_.nodes != 0) line += " --nodes " + std::to_string(options_.nodes);
    if (!options_.profile_file.empty()) line += " --profile " + quoted(options_.profile_file);
    if (!options_.checks) line += " --checks off";
    return line + " --trace " + trace + " && raftlab replay " + trace;
  }

  void print_conclusion() {
    const std::string interrupted = signal_name(noted_signal());
    if (options_.json) {
      std::cout << reports::json_summary(campaign_, interrupted) << std::endl;
      return;
    }
    const bool any = campaign_.seeds() != 0;
    const SeedRange range = any ? SeedRange{first_seed_, last_seed_} : options_.seeds;
    // After violations each one has its own line that replays.
    const std::string replay =
        any && campaign_.violated() == 0 ? explore_command(campaign_.slowest_seed()) : "";
    std::cout << reports::conclusion(campaign_, seeds_text(range), replay, interrupted, colour_)
              << std::flush;
  }

  std::optional<Failure> write_junit() {
    if (!junit_file_) return std::nullopt;
    const std::string text = junit_.text();
    return junit_file_->commit(std::as_bytes(std::span(text)));
  }

  [[nodiscard]] int exit_code(const std::optional<Failure>& failed) const {
    const bool printed = flush_stdout();
    if (failed) tell(*failed);
    constexpr int signal_base = 128;
    if (noted_signal() != 0) return signal_base + noted_signal();
    if (campaign_.verdict() == Verdict::violated) return static_cast<int>(ExitCode::violated);
    if (failed) return static_cast<int>(failed->code);
    if (!printed) return tell(Failure{ExitCode::io, "stdout: cannot be written"});
    return static_cast<int>(campaign_.verdict() == Verdict::holds ? ExitCode::holds : ExitCode::inconclusive);
  }

  const ExploreOptions& options_;
  ProfileSource profiles_;
  OutputDirectory directory_;
  reports::Campaign campaign_;
  reports::JunitReport junit_;
  reports::Colour colour_;
  ProgressLine progress_;
  std::optional<OutputFile> junit_file_;
  std::optional<OutputFile> trace_file_;
  simulator::Trace recorded_;          // with --trace: of the one seed
  std::optional<Failure> io_failure_;  // the last thing that could not be written
  std::uint64_t first_seed_ = 0;
  std::uint64_t last_seed_ = 0;
};

}  // namespace

int explore(const ExploreOptions& options) {
  if (!SeedSequence(options.seeds, options.shard).next()) {
    return tell(Failure{ExitCode::usage, "--shard: no seed of " + to_text(options.seeds) + " is in shard " +
                                             std::to_string(options.shard.index) + "/" +
                                             std::to_string(options.shard.count)});
  }
  auto profiles = ProfileSource::open(options.profile_file, options.nodes);
  if (const Failure* failed = failure(profiles)) return tell(*failed);
  Exploration exploration(options, std::move(std::get<ProfileSource>(profiles)));
  if (const auto failed = exploration.open_outputs()) return tell(*failed);
  return exploration.run();
}

}  // namespace raftlab::tool
