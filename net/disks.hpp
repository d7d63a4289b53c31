#pragma once

#include "raft/replica/replica.hpp"
#include "raft/wal/disk.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace raftlab::net {

/// The two directories of a node, on stable storage or in memory: `log/` and `snapshots/` below its data directory. One
/// thread, that of the node.
class NodeDisks {
 public:
  /// `wake` is called from any thread whenever there is something to take. Throws `std::filesystem::filesystem_error` when the
  /// data directory cannot be made.
  NodeDisks(const std::optional<std::filesystem::path>& data, std::function<void()> wake);
  NodeDisks(const NodeDisks&) = delete;
  NodeDisks& operator=(const NodeDisks&) = delete;
  ~NodeDisks();

  [[nodiscard]] raft::Disks disks();
  [[nodiscard]] std::vector<raft::wal::DiskCompletion> take_log();
  [[nodiscard]] std::vector<raft::wal::DiskCompletion> take_snapshots();

 private:
  class Directory;
  std::unique_ptr<Directory> log_;
  std::unique_ptr<Directory> snapshots_;
};

}  // namespace raftlab::net
