#include "reports/json.hpp"
#include "reports/show.hpp"
#include "tools/raftlab/commands.hpp"
#include "tools/raftlab/files.hpp"
#include "tools/raftlab/terminal.hpp"

#include <iostream>

namespace raftlab::tool {

int show(const ShowOptions& options) {
  auto read = read_trace(options.trace_file);
  if (const Failure* failed = failure(read)) return tell(*failed);
  const auto& trace = std::get<simulator::Trace>(read);
  if (options.node && (*options.node == 0 || *options.node > trace.header.profile.nodes)) {
    return tell(Failure{ExitCode::usage,
                        "--node: the trace has nodes 1 to " + std::to_string(trace.header.profile.nodes)});
  }
  reports::ShowOptions chosen;
  chosen.around = options.around;
  chosen.context = options.context;
  chosen.last = options.last;
  chosen.node = options.node;
  chosen.long_lines = options.long_lines;
  if (options.json) {
    std::cout << reports::json_trace_header(trace) << '\n';
    for (const reports::ShownLine& line : reports::choose_lines(trace, chosen)) {
      std::cout << (line.incident ? reports::json_trace_incident(trace.incidents[line.position])
                                  : reports::json_trace_step(trace.steps[line.position]))
                << '\n';
    }
    std::cout << reports::json_trace_end(trace) << '\n';
  } else {
    reports::show(std::cout, trace, chosen);
  }
  return flush_stdout() ? 0 : tell(Failure{ExitCode::io, "stdout: cannot be written"});
}

}  // namespace raftlab::tool
