#pragma once

#include "raft/wal/disk.hpp"
#include "simulator/chooser.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace raftlab::simulator {

using raft::wal::DiskCompletion;
using raft::wal::DiskError;
using raft::wal::FileHandle;
using raft::wal::OperationId;

/// How a process ends, for what it had not synced.
struct Crash {
  enum class Kind : std::uint8_t {
    kill,               ///< the page cache stays
    power_loss,         ///< names that were not synced may be gone, too
    power_loss_sectors  ///< of what was not synced any subset of sectors survives, as disks that reorder writes do
  };
  Kind kind = Kind::kill;
  bool lose = false;  ///< the last appends that were not synced may never have been carried out
  bool tear = false;  ///< and the first of them that was not may have been carried out in part
};

/// What a crash or a failure did to the data, for counting.
struct CrashDamage {
  bool torn = false;        ///< an append survives in part
  bool lost = false;        ///< unsynced bytes are gone
  bool entry_lost = false;  ///< an unsynced creation, rename or removal did not persist
};

/// The directory of one simulated node: what processes see (the page cache) and what a loss of power leaves. Reads and appends
/// are carried out at once; the driver decides when a sync ends and whether it fails.
///
/// Every byte that a completed sync covers, in a file whose name was made durable by a completed directory sync, is there after
/// any crash, unless `rot` strikes it.
class SimulatedDisk final : public raft::wal::Disk {
 public:
  enum class SyncFate : std::uint8_t {
    ok,
    failed,           ///< all pages that it covered share one fate
    failed_in_parts,  ///< each page has a fate of its own, so that a hole may stand before valid data
  };
  /// After a failed sync, what it covered may be durable all the same, or be in the cache only and never written again,
  /// or be gone from the cache too (fsyncgate).
  enum class PageFate : std::uint8_t { durable, cached_only, dropped };

  // wal::Disk
  [[nodiscard]] std::variant<std::vector<std::string>, DiskError> list() override;
  [[nodiscard]] std::variant<std::vector<std::byte>, DiskError> read(std::string_view name) override;
  [[nodiscard]] DiskError lock() override;
  OperationId create(std::string_view name, FileHandle& handle) override;
  OperationId open(std::string_view name, FileHandle& handle) override;
  OperationId append(FileHandle handle, raft::Bytes bytes) override;
  OperationId preallocate(FileHandle handle, std::uint64_t bytes) override;
  OperationId truncate(FileHandle handle, std::uint64_t size) override;
  OperationId sync(FileHandle handle) override;
  OperationId rename(std::string_view from, std::string_view to) override;
  OperationId remove(std::string_view name) override;
  OperationId sync_directory() override;

  // The driver's side.

  /// What was asked for since the last call and needs time: syncs, and changes that failed at once. In order.
  struct Started {
    OperationId operation;
    DiskError error;  ///< none: a sync, which the driver ends with `finish`
  };
  [[nodiscard]] const std::vector<Started>& started() const { return started_; }
  void clear_started() { started_.clear(); }
  /// Ends a sync. A failed one decides the fate of the pages that it covered.
  DiskCompletion finish(OperationId operation, SyncFate fate, Chooser& chooser, std::uint64_t about);

  /// The process ends. Handles and the lock are gone.
  CrashDamage crash(const Crash& crash, Chooser& chooser, std::uint64_t about);
  /// Further appends fail with `no_space` while set.
  void set_full(bool full) { full_ = full; }
  /// Flips one bit of durable data that has a later record behind it. False when there is no such place.
  bool rot(Chooser& chooser, std::uint64_t about);
  /// Flips one bit of what is durable, in any file. False when nothing is.
  bool rot_anywhere(Chooser& chooser, std::uint64_t about);
  /// True once after each time that `rot_anywhere` struck.
  [[nodiscard]] bool take_rotten() { return std::exchange(rotten_, false); }

  /// The last append that was carried out, and the greatest append such that it and all before it survive a power loss.
  [[nodiscard]] OperationId last_append() const { return last_append_; }
  [[nodiscard]] OperationId durable_through() const { return durable_through_; }
  /// Hash of what is durable, as far as it changes: names and durable sizes.
  [[nodiscard]] std::uint64_t durable_digest() const;
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  static constexpr std::uint64_t sector_bytes = 512;

  struct Range {
    std::uint64_t from;
    std::uint64_t to;
  };
  struct File {
    std::uint32_t id = 0;
    std::vector<std::byte> bytes;  // as a process reads it
    std::uint64_t synced = 0;      // bytes below are durable
    std::uint64_t cached = 0;      // bytes below were left by earlier processes: a kill does not undo them
    bool entry_durable = false;    // the name survives a power loss
    std::uint64_t last_append_at = 0;  // where the latest append starts
    std::vector<Range> lost;           // in the cache only, for ever: a sync over them failed
  };
  struct Removed {
    std::string name;
    File file;
  };
  struct PendingSync {
    OperationId operation;
    std::uint32_t file = 0;  // 0: the directory
    std::uint64_t size = 0;
    std::uint64_t names = 0;  // directory: changes of names covered
  };
  struct PendingAppend {
    OperationId operation;
    std::uint32_t file = 0;
    std::uint64_t end = 0;
  };

  OperationId begin() { return next_ = next_.next(); }
  OperationId fail(DiskError error);
  File* file_of(FileHandle handle);
  File* file_of(std::uint32_t id);
  void lose_pages(File& file, std::uint64_t until, bool in_parts, Chooser& chooser, std::uint64_t about);
  static void zero(File& file, Range range);
  void cut(File& file, const Crash& crash, Chooser& chooser, std::uint64_t about, CrashDamage& damage);
  static void punch(File& file, Chooser& chooser, std::uint64_t about, CrashDamage& damage);
  void advance_durable();

  std::map<std::string, File, std::less<>> files_;
  std::vector<Removed> removed_;  // names removed, not yet durably so
  std::vector<PendingSync> syncs_;
  std::vector<PendingAppend> appends_;  // not yet durable
  std::vector<PendingAppend>
      cached_;  // of processes that were killed: in the page cache, but perhaps not durable
  std::vector<Started> started_;
  OperationId next_;
  OperationId last_append_;
  OperationId durable_through_;
  OperationId failed_append_;  // an append whose pages a failed sync lost: nothing from it on becomes durable
  std::uint32_t next_file_ = 0;
  std::uint64_t durable_names_ = 0;  // changes, for the digest
  bool locked_ = false;
  bool full_ = false;
  bool rotten_ = false;
};

}  // namespace raftlab::simulator
