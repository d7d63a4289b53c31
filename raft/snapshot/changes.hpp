#pragma once

#include "raft/wal/disk.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace raftlab::raft::snapshot {

/// The changes that are asked of the disk, with a checksum over all of them, and what is known of those that
/// concern the whole directory.
class Changes {
 public:
  explicit Changes(wal::Disk& disk) : disk_(&disk) {}

  wal::OperationId create(std::string_view name, wal::FileHandle& handle);
  wal::OperationId append(std::string_view name, wal::FileHandle handle, Bytes bytes);
  wal::OperationId sync(std::string_view name, wal::FileHandle handle);
  wal::OperationId rename(std::string_view from, std::string_view to);
  wal::OperationId remove(std::string_view name);
  wal::OperationId sync_directory();

  /// This change and all before it are carried out.
  void succeeded(wal::OperationId operation);
  /// This change failed, and what was asked behind it is undefined.
  void failed(wal::OperationId operation);

  [[nodiscard]] wal::OperationId last() const { return last_; }
  [[nodiscard]] std::uint32_t chain() const { return chain_; }
  /// The directory was synced, and nothing failed or got another name since: the names of finished snapshots
  /// survive.
  [[nodiscard]] bool names_proven() const { return names_proven_; }
  /// A sync of the directory was asked for, and is not known to have ended.
  [[nodiscard]] bool proving() const { return static_cast<bool>(proof_); }
  /// Its removal was asked for, and is not known to have ended.
  [[nodiscard]] bool removing(std::string_view name) const;
  /// The same of a renaming from or to it.
  [[nodiscard]] bool renaming(std::string_view name) const;

 private:
  enum class Kind : std::uint8_t { create = 1, append, sync, rename, remove, sync_directory };
  struct NameChange {
    wal::OperationId operation;
    std::string name;
    std::string to;  // empty: removed
  };

  void note(Kind kind, std::string_view name, Bytes bytes = {});

  wal::Disk* disk_;
  wal::OperationId last_;
  std::uint32_t chain_ = 0;
  std::vector<NameChange> name_changes_;  // under way
  wal::OperationId proof_;                // the oldest sync of the directory under way
  bool names_proven_ = false;
};

}  // namespace raftlab::raft::snapshot
