#pragma once

namespace raftlab::diskeyval {

/// The command line: returns the exit code of the process. Once in a process.
[[nodiscard]] int run(int count, const char* const* arguments);

}  // namespace raftlab::diskeyval
