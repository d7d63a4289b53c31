#include "reports/format.hpp"
#include "reports/text.hpp"
#include "tools/raftlab/commands.hpp"
#include "tools/raftlab/files.hpp"
#include "tools/raftlab/signals.hpp"
#include "tools/raftlab/terminal.hpp"
#include "tools/version/version.hpp"

#include <iostream>

namespace raftlab::tool {
namespace {

std::string recorder(const simulator::TraceHeader& header) {
  return "raftlab " + header.version + " (commit " + header.commit + ", " + header.compiler + ", " +
         header.build_type + ")";
}

void print_identical(const simulator::Trace& trace, const simulator::ReplayResult& result,
                     const std::string& path) {
  using reports::printable;
  std::cout << "identical  seed " << trace.header.seed << ", "
            << reports::counted(trace.steps.size(), "step", "steps") << ", digest "
            << reports::hexadecimal(trace.digest) << '\n'
            << "           recorded by " << printable(recorder(trace.header)) << "\n\n";
  if (trace.verdict == simulator::Verdict::violated) {
    const reports::SeedReport report{trace.header.seed, trace.header.profile, result.run, 0};
    reports::NextSteps next;
    next.show = "raftlab show " + quoted(path);
    if (const auto* found = simulator::root(result.run))
      next.show += " --around " + std::to_string(found->step);
    std::cout << reports::violation(report, next, stdout_colour());
    return;
  }
  std::cout << reports::verdict_word(trace.verdict, stdout_colour()) << "  seed " << trace.header.seed << ", "
            << (trace.header.checks ? "all checks on" : "checks off") << '\n';
  if (!trace.reason.empty()) std::cout << "  " << reports::wrap(printable(trace.reason), 2) << '\n';
  std::cout << "  profile " << reports::wrap(simulator::summary(trace.header.profile), 10) << '\n';
}

void print_difference(const simulator::Trace& trace, const simulator::ReplayResult& result,
                      const std::string& path) {
  std::cout << "differs  seed " << trace.header.seed << " at step " << reports::grouped(result.step) << ": "
            << result.field << "\n\n  recorded  " << reports::printable(result.expected) << "\n  now       "
            << reports::printable(result.found) << "\n\n  recorded by "
            << reports::printable(recorder(trace.header)) << "\n  replayed by raftlab " << version::line()
            << "\n  show        raftlab show " << quoted(path) << " --around " << result.step << '\n';
}

}  // namespace

int replay(const ReplayOptions& options) {
  auto trace = read_trace(options.trace_file);
  if (const Failure* failed = failure(trace)) return tell(*failed);
  const auto& recorded = std::get<simulator::Trace>(trace);
  watch_signals();
  const simulator::ReplayResult result = simulator::replay(recorded, &signal_stop());
  constexpr int signal_base = 128;
  if (noted_signal() != 0) return signal_base + noted_signal();
  if (result.identical) {
    print_identical(recorded, result, options.trace_file);
  } else {
    print_difference(recorded, result, options.trace_file);
  }
  if (!flush_stdout()) return tell(Failure{ExitCode::io, "stdout: cannot be written"});
  return static_cast<int>(result.identical ? ExitCode::holds : ExitCode::differs);
}

}  // namespace raftlab::tool
