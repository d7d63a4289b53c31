#include "net/disks.hpp"

#include "net/memory_disk.hpp"
#include "raft/wal/posix_disk.hpp"

#include <utility>
#include <variant>

namespace raftlab::net {

using raft::wal::AfterFailure;
using raft::wal::DiskCompletion;
using raft::wal::PosixDisk;

class NodeDisks::Directory {
 public:
  explicit Directory(std::function<void()> wake) : disk_(std::in_place_type<MemoryDisk>, std::move(wake)) {}
  Directory(std::filesystem::path path, std::function<void()> wake, AfterFailure after_failure)
      : disk_(std::in_place_type<PosixDisk>, std::move(path), std::move(wake), after_failure) {}

  raft::wal::Disk& disk() {
    return std::visit([](auto& disk) -> raft::wal::Disk& { return disk; }, disk_);
  }
  std::vector<DiskCompletion> take() {
    return std::visit([](auto& disk) { return disk.take_completions(); }, disk_);
  }

 private:
  std::variant<MemoryDisk, PosixDisk> disk_;
};

NodeDisks::NodeDisks(const std::optional<std::filesystem::path>& data, std::function<void()> wake) {
  if (!data) {
    log_ = std::make_unique<Directory>(wake);
    snapshots_ = std::make_unique<Directory>(std::move(wake));
    return;
  }
  std::filesystem::create_directories(*data);
  std::filesystem::permissions(*data, std::filesystem::perms::owner_all);
  log_ = std::make_unique<Directory>(*data / "log", wake, AfterFailure::nothing_more);
  snapshots_ =
      std::make_unique<Directory>(*data / "snapshots", std::move(wake), AfterFailure::what_is_asked_next);
}

NodeDisks::~NodeDisks() = default;

raft::Disks NodeDisks::disks() { return raft::Disks{&log_->disk(), &snapshots_->disk()}; }
std::vector<DiskCompletion> NodeDisks::take_log() { return log_->take(); }
std::vector<DiskCompletion> NodeDisks::take_snapshots() { return snapshots_->take(); }

}  // namespace raftlab::net
