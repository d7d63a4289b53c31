#pragma once

namespace raftlab::tool {

/// Reads the command line and carries out the subcommand. Returns the exit code of the process.
[[nodiscard]] int run(int count, const char* const* arguments);

}  // namespace raftlab::tool
