#pragma once

#include "simulator/trace.hpp"

#include <cstdint>

namespace raftlab::tool {

/// What a trace says of this program.
[[nodiscard]] simulator::TraceHeader trace_header(std::uint64_t seed, const simulator::Profile& profile,
                                                  bool checks);

/// CPU time of the calling thread.
[[nodiscard]] std::int64_t thread_cpu_ns();

}  // namespace raftlab::tool
