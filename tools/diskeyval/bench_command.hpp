#pragma once

#include "tools/diskeyval/bench_options.hpp"
#include "tools/diskeyval/bench_result.hpp"

#include <iosfwd>
#include <optional>

/// A load generator for a cluster that runs: each client asks, waits for the answer, and asks again (a closed loop). One
/// thread, which runs an event loop of its own.
namespace raftlab::diskeyval {

/// Asks until the time is up, or until SIGINT or SIGTERM: then what is under way is still waited for; a second signal cuts it
/// off. Failures: files that cannot be used, names that are not found, nobody who leads, keys that cannot be written.
[[nodiscard]] Result<BenchResult> run_bench(const BenchOptions& options);

/// Runs it and prints what was measured, also when nothing succeeded, which is a failure.
[[nodiscard]] std::optional<Failure> bench(const BenchOptions& options, bool json, std::ostream& out);

}  // namespace raftlab::diskeyval
