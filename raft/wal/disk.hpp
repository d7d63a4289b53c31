#pragma once

#include "raft/types.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The file system as the log storage sees it: one directory, changes that complete later, reads that do not.
namespace raftlab::raft::wal {

/// Number of a change that was asked of a disk, from 1, rising by one with each change.
using OperationId = Number<struct OperationTag, std::uint64_t>;

/// A file that is open for appending. Chosen by the disk, valid until the disk object ends or the file is removed.
using FileHandle = Number<struct FileTag, std::uint32_t>;

enum class DiskError : std::uint8_t { none, io, no_space, not_found, exists, locked, read_only };
[[nodiscard]] const char* name(DiskError error);

/// Success is cumulative: this change and all before it on the same disk are carried out, as far as each one promises.
/// A disk may stay silent about successful changes other than `sync` and `sync_directory`. A failure
/// is always reported, for the change that failed; what was asked behind it is then undefined.
struct DiskCompletion {
  OperationId operation;
  DiskError error = DiskError::none;
};

/// One directory on stable storage. Two implementations: POSIX with a writer thread, and the simulator's.
///
/// Reading calls (`list`, `read`, `size`, `lock`) answer at once and are meant for the start of a node. All others
/// are asked for, return the number of the change, and complete in the order in which they were asked for; the host
/// hears of it and passes it on. Until a change completes it may or may not survive a crash of the process or of
/// the machine; `append` and `truncate` promise nothing beyond the page cache, `create`, `rename` and `remove`
/// nothing before `sync_directory`. All calls from the thread of the node.
class Disk {
 public:
  virtual ~Disk() = default;

  [[nodiscard]] virtual std::variant<std::vector<std::string>, DiskError> list() = 0;  ///< sorted names
  [[nodiscard]] virtual std::variant<std::vector<std::byte>, DiskError> read(std::string_view name) = 0;
  /// Takes the directory for this process until the object ends. `locked` when another one has it.
  [[nodiscard]] virtual DiskError lock() = 0;

  /// Makes an empty file and opens it. It is an error when the name exists.
  virtual OperationId create(std::string_view name, FileHandle& handle) = 0;
  /// Opens a file that exists, to append behind its present end.
  virtual OperationId open(std::string_view name, FileHandle& handle) = 0;
  virtual OperationId append(FileHandle file, Bytes bytes) = 0;
  /// Reserves room so that appends up to `bytes` in all cannot run out of space; the size does not change.
  virtual OperationId preallocate(FileHandle file, std::uint64_t bytes) = 0;
  virtual OperationId truncate(FileHandle file, std::uint64_t size) = 0;
  /// Makes the file's bytes and size durable (fdatasync). A failed sync is final: what it covered may be lost though a
  /// later sync succeeds.
  virtual OperationId sync(FileHandle file) = 0;
  virtual OperationId rename(std::string_view from, std::string_view to) = 0;
  virtual OperationId remove(std::string_view name) = 0;
  /// Makes creations, renames and removals durable (fsync of the directory).
  virtual OperationId sync_directory() = 0;
};

}  // namespace raftlab::raft::wal
