#include "raft/wal/disk.hpp"

namespace raftlab::raft::wal {

const char* name(DiskError error) {
  switch (error) {
    case DiskError::none: return "none";
    case DiskError::io: return "io";
    case DiskError::no_space: return "no_space";
    case DiskError::not_found: return "not_found";
    case DiskError::exists: return "exists";
    case DiskError::locked: return "locked";
    case DiskError::read_only: return "read_only";
  }
  return "?";
}

}  // namespace raftlab::raft::wal
