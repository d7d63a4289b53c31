#include "tools/raftlab/app.hpp"

#include "raft/trace/record.hpp"
#include "raft/wal/record.hpp"
#include "simulator/trace.hpp"
#include "tools/raftlab/commands.hpp"
#include "tools/raftlab/completion.hpp"
#include "tools/raftlab/exit_code.hpp"
#include "tools/raftlab/terminal.hpp"
#include "tools/version/version.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <exception>
#include <iostream>
#include <thread>

namespace raftlab::tool {
namespace {

constexpr const char* exit_codes =
    "Exit codes: 0 holds, 1 violated, 2 inconclusive, 3 a replay differs, 64 usage, 65 bad or empty input "
    "file,\n"
    "70 internal error of raftlab, 74 input or output failed, 130 and 143 ended by SIGINT and SIGTERM.";

std::string version_text() {
  return "raftlab " + version::line() + "\nformats: trace " + std::to_string(simulator::trace_version) +
         ", node trace " + std::to_string(raft::trace::record_version) + ", wal " +
         std::to_string(raft::wal::format_version);
}

/// The text of an argument as a value, or an error of CLI11 that names the flag.
template <class Parse>
auto parsed(const std::string& flag, const std::string& text, const char* wanted, Parse parse) {
  const auto value = parse(text);
  if (!value) throw CLI::ValidationError(flag, "'" + text + "' is not " + wanted);
  return *value;
}

/// For options that hold a number: CLI11 alone takes nothing for 0, -1 for 2^64 - 1 and 010 for 8.
CLI::Validator number() {
  const auto understand = [](std::string& text) {
    const auto value = parse_number(text);
    if (!value) return "'" + text + "' is not a number below 2^64";
    text = std::to_string(*value);
    return std::string();
  };
  return {understand, "", "number"};
}

/// What CLI11 fills in before it is understood.
struct RawExplore {
  std::string seed;
  std::string seeds;
  std::string shard;
  std::string time_budget;
  std::string checks = "full";
};

constexpr unsigned jobs_max = 256;
constexpr unsigned default_budget_s = 30;

class App {
 public:
  App() {
    app_.name("raftlab");
    app_.description("Drives a Raft implementation through faulty virtual time and checks every step of it.");
    app_.footer(exit_codes);
    app_.set_version_flag("--version", version_text(),
                          "Version, commit, compiler, build type, format versions");
    app_.set_help_flag("-h,--help", "This text");
    app_.require_subcommand(1);
    app_.failure_message(CLI::FailureMessage::simple);
    add_explore();
    add_run();
    add_replay();
    add_show();
    add_audit();
    add_ladder();
    add_bench();
    add_complete();
  }

  int run(int count, const char* const* arguments) {
    if (count <= 1) {
      std::cerr << app_.help() << "\nraftlab: a subcommand is missing\n";
      return static_cast<int>(ExitCode::usage);
    }
    // CLI11 would only say that a subcommand is required.
    const std::string_view first = arguments[1];
    const auto is_first = [&](const CLI::App* command) { return command->get_name() == first; };
    if (!first.starts_with('-') && app_.get_subcommands(is_first).empty()) {
      return tell(
          Failure{ExitCode::usage, "'" + std::string(first) + "' is no subcommand (see raftlab --help)"});
    }
    if (first.starts_with('-') && app_.get_option_no_throw(std::string(first)) == nullptr) {
      return tell(Failure{ExitCode::usage, "'" + std::string(first) + "' is no flag (see raftlab --help)"});
    }
    try {
      app_.parse(count, arguments);
      if (explore_->parsed()) understand_explore();
    } catch (const CLI::Success& success) {
      return printed(app_.exit(success));
    } catch (const CLI::ParseError& error) {
      return tell(Failure{ExitCode::usage, usage_message(error.what())});
    }
    return dispatch();
  }

 private:
  /// The code, unless what was printed has not arrived.
  static int printed(int code) {
    return flush_stdout() ? code : tell(Failure{ExitCode::io, "stdout: cannot be written"});
  }

  std::string usage_message(const std::string& what) const {
    const auto chosen = app_.get_subcommands();
    const std::string command = chosen.empty() ? "" : chosen.front()->get_name() + " ";
    return (chosen.empty() ? "" : command + "· ") + what + " (see raftlab " + command + "--help)";
  }

  void add_explore() {
    explore_ = app_.add_subcommand("explore", "Run seeds; alone: half a minute of them");
    auto* seed = explore_->add_option("--seed", raw_.seed, "One seed, decimal or 0x...")->type_name("N");
    explore_->add_option("--seeds", raw_.seeds, "Seeds A to B, both included, or the seeds from 1 to N")
        ->type_name("A..B|N")
        ->excludes(seed);
    explore_
        ->add_option("--nodes", explore_options_.nodes, "Size of the cluster (default: drawn from 1 to 9)")
        ->transform(number())
        ->check(CLI::Range(1U, 64U))
        ->type_name("1..64");
    explore_
        ->add_option("--profile", explore_options_.profile_file,
                     "Settings over the drawn profile (docs/profiles.md)")
        ->type_name("FILE.toml");
    explore_->add_option("--checks", raw_.checks, "Check the ladder after every step, or not at all")
        ->check(CLI::IsMember({"full", "off"}))
        ->type_name("full|off");
    explore_options_.jobs = std::clamp(std::thread::hardware_concurrency(), 1U, jobs_max);
    explore_
        ->add_option("--jobs", explore_options_.jobs,
                     "Seeds that run at the same time (default: one per core)")
        ->transform(number())
        ->check(CLI::Range(1U, jobs_max))
        ->type_name("N");
    explore_->add_option("--time-budget", raw_.time_budget, "Start no seed after this time: 30s, 10m, 2h")
        ->type_name("TIME");
    explore_->add_option("--shard", raw_.shard, "Only the seeds whose remainder by n is i")->type_name("i/n");
    explore_->add_option("--trace", explore_options_.trace_file, "Record the one seed of --seed")
        ->type_name("FILE")
        ->needs(seed);
    explore_->add_flag("--json", explore_options_.json,
                       "One JSON object per seed, then a summary, on stdout");
    explore_->add_option("--junit", explore_options_.junit_file, "Also write a JUnit report")
        ->type_name("FILE");
    explore_
        ->add_option(
            "--out", explore_options_.out_directory,
            "Where traces of violated seeds go (default: raftlab-out/<time>, with a link raftlab-out/latest)")
        ->type_name("DIR");
    explore_->add_flag("--keep-going", explore_options_.keep_going, "Go on after a violated seed");
    explore_->footer(exit_codes);
  }

  void understand_explore() {
    ExploreOptions& options = explore_options_;
    const auto given = [&](const char* flag) { return explore_->count(flag) != 0; };
    if (given("--seed")) {
      const auto seed = parsed("--seed", raw_.seed, "a number below 2^64", parse_number);
      options.seeds = SeedRange{seed, seed};
      options.single_seed = true;
    }
    if (given("--seeds")) {
      options.seeds = parsed("--seeds", raw_.seeds, "a range A..B with A <= B, or a count", parse_seeds);
    }
    if (given("--shard"))
      options.shard = parsed("--shard", raw_.shard, "of the form i/n with i < n", parse_shard);
    if (given("--time-budget")) {
      options.time_budget =
          parsed("--time-budget", raw_.time_budget, "a time such as 90, 30s, 10m, 2h", parse_duration);
    } else if (!given("--seed") && !given("--seeds")) {
      options.time_budget = std::chrono::seconds(default_budget_s);
    }
    for (const char* flag : {"--profile", "--trace", "--junit", "--out"}) {
      if (given(flag) && explore_->get_option(flag)->as<std::string>().empty()) {
        throw CLI::ValidationError(flag, "the name is empty");
      }
    }
    options.checks = raw_.checks == "full";
  }

  void add_run() {
    run_ = app_.add_subcommand("run", "Run scenarios (docs/scenarios.md)");
    run_->add_option("path", run_options_.paths, "Scenario files, or directories of *.scn files")
        ->required()
        ->type_name("FILE|DIR");
    run_->add_flag("--rewrite", run_options_.rewrite,
                   "Put the output of the commands in place of the expected output");
    run_->footer(exit_codes);
  }

  void add_replay() {
    replay_ = app_.add_subcommand("replay", "Re-execute a recorded run and compare every step");
    replay_->add_option("trace", replay_options_.trace_file, "A trace")->required()->type_name("TRACE");
    replay_->footer(exit_codes);
  }

  void add_show() {
    show_ = app_.add_subcommand("show", "Print a trace, one line per step");
    show_->add_option("trace", show_options_.trace_file, "A trace")->required()->type_name("TRACE");
    show_->add_flag("--json", show_options_.json, "One JSON object per line: a header, the steps, the end");
    const auto add_number = [&](const char* flag, auto& variable, const char* description, const char* type) {
      show_->add_option(flag, variable, description)->transform(number())->type_name(type);
    };
    add_number("--around", show_options_.around, "Only the steps next to this one", "STEP");
    add_number("--context", show_options_.context, "How many on either side of it (default: 10)", "N");
    add_number("--node", show_options_.node, "Only the steps of this node", "N");
    add_number("--last", show_options_.last, "Only the last so many", "N");
    show_->add_flag("--long", show_options_.long_lines, "Wrap what does not fit on a line");
    show_->footer(exit_codes);
  }

  void add_audit() {
    audit_ = app_.add_subcommand("audit", "Judge what real nodes have written down (docs/cli.md#audit)");
    audit_->add_option("path", audit_options_.paths, "Directories that nodes were given as --trace")
        ->required()
        ->type_name("DIR|FILE");
    audit_
        ->add_option("--history", audit_options_.history_file,
                     "What the clients were told, one JSON object a line")
        ->type_name("FILE");
    audit_->add_flag("--json", audit_options_.json, "One JSON object in place of text");
    audit_->footer(exit_codes);
  }

  void add_ladder() {
    ladder_ = app_.add_subcommand("ladder", "Every rung of the invariant ladder, and what it says");
  }

  void add_bench() {
    bench_ = app_.add_subcommand("bench", "Measure profiles with checks off and on")->group("Measuring");
    bench_
        ->add_option("--profile", bench_options_.profile_files,
                     "Profiles (default: w1, w2, w3 of scenarios/profiles)")
        ->type_name("FILE.toml");
    bench_->add_option("--nodes", bench_options_.nodes, "Size of the cluster (default: as the profile says)")
        ->transform(number())
        ->check(CLI::Range(1U, 64U))
        ->type_name("1..64");
    bench_
        ->add_option("--repetitions", bench_options_.repetitions,
                     "Runs of each kind; the median counts (default: 3)")
        ->transform(number())
        ->check(CLI::Range(1U, 100U))
        ->type_name("N");
  }

  void add_complete() {
    complete_ = app_.add_subcommand("__complete", "Print the completions of a shell")->group("");
    complete_->add_option("shell", shell_, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  }

  /// What the completions have to know of the commands and flags that are not hidden.
  [[nodiscard]] std::vector<CompletedCommand> completed_commands() const {
    std::vector<CompletedCommand> commands;
    for (const CLI::App* command :
         app_.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); })) {
      CompletedCommand& completed = commands.emplace_back();
      completed.name = command->get_name();
      completed.description = command->get_description();
      for (const CLI::Option* option : command->get_options()) {
        if (option->get_positional()) {
          completed.takes_files = true;
        } else {
          completed.flags.push_back({"--" + option->get_lnames().front(), option->get_description(),
                                     option->get_items_expected_max() > 0});
        }
      }
    }
    return commands;
  }

  int dispatch() {
    if (explore_->parsed()) return explore(explore_options_);
    if (run_->parsed()) return run_scenarios(run_options_);
    if (replay_->parsed()) return replay(replay_options_);
    if (show_->parsed()) return show(show_options_);
    if (audit_->parsed()) return audit(audit_options_);
    if (ladder_->parsed()) return ladder();
    if (bench_->parsed()) return bench(bench_options_);
    std::cout << completion_script(shell_, completed_commands());
    return printed(0);
  }

  CLI::App app_;
  CLI::App* explore_ = nullptr;
  CLI::App* run_ = nullptr;
  CLI::App* replay_ = nullptr;
  CLI::App* show_ = nullptr;
  CLI::App* audit_ = nullptr;
  CLI::App* ladder_ = nullptr;
  CLI::App* bench_ = nullptr;
  CLI::App* complete_ = nullptr;
  RawExplore raw_;
  ExploreOptions explore_options_;
  RunOptions run_options_;
  ReplayOptions replay_options_;
  ShowOptions show_options_;
  AuditOptions audit_options_;
  BenchOptions bench_options_;
  std::string shell_;
};

}  // namespace

int run(int count, const char* const* arguments) {
  std::ios::sync_with_stdio(false);
  try {
    return App().run(count, arguments);
  } catch (const std::exception& error) {
    return tell(Failure{ExitCode::internal, std::string("internal error: ") + error.what()});
  }
}

}  // namespace raftlab::tool
