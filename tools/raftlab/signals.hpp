#pragma once

#include <atomic>

namespace raftlab::tool {

/// From now on the first SIGINT or SIGTERM is noted and the program goes on to its end in good order; the second one ends
/// it at once.
void watch_signals();

/// The signal that was noted; 0: none.
[[nodiscard]] int noted_signal();

/// True from the moment of the signal on; for `RunOptions::stop`.
[[nodiscard]] const std::atomic<bool>& signal_stop();

/// "SIGINT", "SIGTERM".
[[nodiscard]] const char* signal_name(int signal);

}  // namespace raftlab::tool
