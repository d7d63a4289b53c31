#pragma once

#include "raft/snapshot/image.hpp"
#include "raft/types.hpp"
#include "raft/wal/disk.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace raftlab::raft::snapshot {

/// An intact image in memory.
struct Image {
  Header header;
  std::uint64_t checksum = 0;
  std::vector<std::byte> bytes;
};

/// None when the bytes are no intact image of this snapshot in this cluster. Fills `content`, if wanted, with
/// the state machine's bytes.
[[nodiscard]] std::optional<Image> judge(std::vector<std::byte> bytes, LogId last, std::uint64_t cluster,
                                         std::vector<std::byte>* content = nullptr);

/// Reads images from the disk, and keeps the last few that were asked for: an image is sent in many chunks,
/// and a disk reads whole files.
class Images {
 public:
  Images(wal::Disk& disk, std::uint64_t cluster) : disk_(&disk), cluster_(cluster) {}

  /// From the disk, as it is now. None when it is not there, cannot be read, or is damaged.
  [[nodiscard]] std::optional<Image> read(LogId last, std::vector<std::byte>* content = nullptr) const;
  /// The same as it was when it was last read. Valid until the next call of this object.
  [[nodiscard]] const Image* get(LogId last);
  void forget(LogId last);
  void forget_all() { kept_.clear(); }

  static constexpr std::size_t kept_max = 2;

 private:
  wal::Disk* disk_;
  std::uint64_t cluster_;
  std::vector<Image> kept_;  // the latest last
};

}  // namespace raftlab::raft::snapshot
