#pragma once

#include "raft/wal/disk.hpp"

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace raftlab::raft::wal {

/// What a disk does after a change that failed.
enum class AfterFailure : std::uint8_t {
  nothing_more,  ///< for a log: each later change is reported as failed, too
  what_is_asked_next,  ///< for snapshots: what was asked before the host took the news is dropped, what it asks then is new
};

/// A directory of the file system, with one thread that carries out changes in the order in which they were asked for.
/// Nothing is tried twice, a sync least of all: the kernel may have dropped the pages and called them clean.
///
/// Owned by the thread of the node. `wake` is called by the disk's own thread whenever completions have become
/// available; it may only tell the node's thread to take them.
class PosixDisk final : public Disk {
 public:
  /// The directory is made when it is missing. `wake` may be empty.
  PosixDisk(std::filesystem::path directory, std::function<void()> wake,
            AfterFailure after_failure = AfterFailure::nothing_more);
  PosixDisk(const PosixDisk&) = delete;
  PosixDisk& operator=(const PosixDisk&) = delete;
  /// Carries out what was asked for, then closes files and gives up the lock.
  ~PosixDisk() override;

  /// What has completed since the last call, oldest first.
  [[nodiscard]] std::vector<DiskCompletion> take_completions();

  [[nodiscard]] std::variant<std::vector<std::string>, DiskError> list() override;
  [[nodiscard]] std::variant<std::vector<std::byte>, DiskError> read(std::string_view name) override;
  [[nodiscard]] DiskError lock() override;

  OperationId create(std::string_view name, FileHandle& handle) override;
  OperationId open(std::string_view name, FileHandle& handle) override;
  OperationId append(FileHandle file, Bytes bytes) override;
  OperationId preallocate(FileHandle file, std::uint64_t bytes) override;
  OperationId truncate(FileHandle file, std::uint64_t size) override;
  OperationId sync(FileHandle file) override;
  OperationId rename(std::string_view from, std::string_view to) override;
  OperationId remove(std::string_view name) override;
  OperationId sync_directory() override;

 private:
  enum class Kind : std::uint8_t {
    create,
    open,
    append,
    preallocate,
    truncate,
    sync,
    rename,
    remove,
    sync_directory
  };
  struct Operation {
    OperationId id;
    Kind kind = Kind::append;
    FileHandle file;
    std::string name;
    std::string to;
    std::vector<std::byte> bytes;
    std::uint64_t size = 0;
  };

  OperationId submit(Operation operation);
  void work(const std::stop_token& stop);
  [[nodiscard]] DiskError carry_out(const Operation& operation);
  [[nodiscard]] DiskError open_file(const Operation& operation, int flags);

  std::filesystem::path directory_;
  std::function<void()> wake_;
  AfterFailure after_failure_;
  int directory_descriptor_ = -1;
  int lock_descriptor_ = -1;
  DiskError broken_ = DiskError::none;  // the directory could not be opened

  // The node's thread.
  OperationId last_operation_;
  FileHandle last_handle_;

  // The writer's thread.
  std::map<FileHandle, int> descriptors_;
  std::map<FileHandle, std::string> names_;
  DiskError failed_ = DiskError::none;
  OperationId failed_at_;

  // Both.
  std::mutex mutex_;
  std::condition_variable_any asked_;
  std::deque<Operation> queue_;
  std::vector<DiskCompletion> completions_;
  OperationId known_through_;  // what was asked when the host took the news of the latest failure
  std::jthread writer_;
};

}  // namespace raftlab::raft::wal
