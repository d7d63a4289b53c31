#pragma once

#include "simulator/trace.hpp"

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <vector>

namespace raftlab::reports {

/// Which steps of a trace to show. Without any choice all of them.
struct ShowOptions {
  std::optional<std::uint64_t> around;  ///< the steps next to this one
  std::uint64_t context = 10;           ///< how many of them on either side
  std::optional<std::uint64_t> last;    ///< the last so many
  std::optional<std::uint32_t> node;    ///< of this node only
  bool long_lines = false;              ///< what does not fit is wrapped, not cut
};

/// One line of fixed width for each step that is chosen, in 100 columns, under a heading. A step at which a
/// rung fell is marked with it. Between the steps, under a star, stands what happened to the cluster:
/// crashes, starts, partitions and the like.
void show(std::ostream& out, const simulator::Trace& trace, const ShowOptions& options);

/// The positions in `trace.steps` that are chosen, in order.
[[nodiscard]] std::vector<std::size_t> choose_steps(const simulator::Trace& trace,
                                                    const ShowOptions& options);

/// What stands on a line: a step, or an incident.
struct ShownLine {
  bool incident = false;
  std::size_t position = 0;  ///< in `trace.steps` or `trace.incidents`
  friend bool operator==(const ShownLine&, const ShownLine&) = default;
};

/// The chosen steps, and the incidents between the first and the last of them: of the chosen node and of the
/// cluster. Where the first step of the trace is chosen, also what came before it, and so with the last one.
[[nodiscard]] std::vector<ShownLine> choose_lines(const simulator::Trace& trace, const ShowOptions& options);

}  // namespace raftlab::reports
