#pragma once

#include <atomic>
#include <cstdint>

/// What a test and the shim in the node that it starts have in common: a file that both map. Zeros are a disk without
/// faults; what the file says outlives the node. The log of a node is written by one thread.
namespace raftlab::diskeyval::io_faults {

/// Environment of the node: the file with the control, and the directory below which files and directories are watched.
inline constexpr const char* control_variable = "DISKEYVAL_IO_FAULTS";
inline constexpr const char* directory_variable = "DISKEYVAL_IO_FAULTS_UNDER";

enum class Fault : std::uint32_t {
  none,
  /// There is room for `amount` more bytes. The write that needs more is a short one, the next ones fail with ENOSPC, and so
  /// does reserving room.
  no_room,
  /// The next sync fails with EIO, and the kernel has dropped what was not synced yet: the file ends where the last sync
  /// of this process left it. Syncs behind that succeed, as if nothing had been. Strikes once.
  failed_sync,
  /// Each sync takes `amount` milliseconds more.
  slow_sync,
  /// Of the next write that is longer than `amount` bytes so many reach the file, and the process is gone. Strikes once.
  torn_write,
};

struct Control {
  std::atomic<Fault> fault{Fault::none};
  std::atomic<std::uint64_t> amount{0};  ///< is set before `fault`
  // What the shim has counted.
  std::atomic<std::uint64_t> writes{0};
  std::atomic<std::uint64_t> syncs{0};
  std::atomic<std::uint64_t> struck{0};  ///< calls that a fault changed
  std::atomic<std::uint64_t> behind{0};  ///< writes and syncs of a process in which a sync had failed before
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "two processes share them");

}  // namespace raftlab::diskeyval::io_faults
