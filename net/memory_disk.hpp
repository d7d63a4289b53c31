#pragma once

#include "raft/wal/disk.hpp"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace raftlab::net {

/// A directory that ends with the process: what a node without a data directory writes to. Everything succeeds at once, and
/// as with any disk the host brings the completions back.
class MemoryDisk final : public raft::wal::Disk {
 public:
  /// `wake` is called whenever there is something to take, from within the call that asked for it. It may be empty.
  explicit MemoryDisk(std::function<void()> wake) : wake_(std::move(wake)) {}

  [[nodiscard]] std::vector<raft::wal::DiskCompletion> take_completions() {
    return std::exchange(completions_, {});
  }
  /// Of all files together.
  [[nodiscard]] std::uint64_t bytes() const;

  [[nodiscard]] std::variant<std::vector<std::string>, raft::wal::DiskError> list() override;
  [[nodiscard]] std::variant<std::vector<std::byte>, raft::wal::DiskError> read(
      std::string_view name) override;
  [[nodiscard]] raft::wal::DiskError lock() override { return raft::wal::DiskError::none; }

  raft::wal::OperationId create(std::string_view name, raft::wal::FileHandle& handle) override;
  raft::wal::OperationId open(std::string_view name, raft::wal::FileHandle& handle) override;
  raft::wal::OperationId append(raft::wal::FileHandle file, raft::Bytes bytes) override;
  raft::wal::OperationId preallocate(raft::wal::FileHandle file, std::uint64_t bytes) override;
  raft::wal::OperationId truncate(raft::wal::FileHandle file, std::uint64_t size) override;
  raft::wal::OperationId sync(raft::wal::FileHandle file) override;
  raft::wal::OperationId rename(std::string_view from, std::string_view to) override;
  raft::wal::OperationId remove(std::string_view name) override;
  raft::wal::OperationId sync_directory() override;

 private:
  raft::wal::FileHandle handle_of(std::string_view name);
  raft::wal::OperationId done(raft::wal::DiskError error);

  std::function<void()> wake_;
  std::map<std::string, std::vector<std::byte>, std::less<>> files_;
  std::map<raft::wal::FileHandle, std::string> open_;  // the name of a file that is gone leads nowhere
  std::vector<raft::wal::DiskCompletion> completions_;
  raft::wal::OperationId last_operation_;
  raft::wal::FileHandle last_handle_;
};

}  // namespace raftlab::net
