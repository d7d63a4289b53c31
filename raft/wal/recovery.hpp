#pragma once

#include "raft/wal/disk.hpp"
#include "raft/wal/record.hpp"
#include "raft/wal/wal.hpp"

#include <string>
#include <variant>
#include <vector>

/// Reading a log back. Nothing here changes a file.
namespace raftlab::raft::wal {

struct Found {
  Recovered recovered;
  bool fresh = true;       ///< no log, or one whose creation was never finished
  bool torn_tail = false;  ///< bytes were left out that no checksum vouches for
  /// What was read is a first life, of which nothing may be durable yet. To be synced, and the directory too,
  /// before another segment is created: otherwise a power loss could leave the new segment without the one
  /// before it. Later lives lean on an older one until their checkpoint is durable, and need none of this.
  std::vector<std::string> unproven_files;
  SegmentNumber next_segment{1};
  RecordSeq next_record{1};
  /// What never counted, in the order in which it must go before anything else is done: the highest number
  /// first.
  std::vector<std::string> leftovers;
  /// What is of no use once the next checkpoint is durable, in the order in which it must go: the lowest
  /// number first.
  std::vector<std::string> old_files;
};

[[nodiscard]] std::variant<Found, Refusal> recover_log(Disk& disk, const Identity& identity);

}  // namespace raftlab::raft::wal
