#include "raft/snapshot/receiving.hpp"

#include <utility>

namespace raftlab::raft::snapshot {

Receiving::Receiving(Changes& changes, const InstallSnapshot& first, std::uint64_t cluster,
                     std::uint64_t attempt)
    : last_(first.last),
      total_(first.total),
      checksum_(first.checksum),
      verifier_(cluster),
      file_(std::in_place, changes, first.last, attempt) {}

Receiving::Receiving(const InstallSnapshot& first, Configuration configuration)
    : last_(first.last),
      total_(first.total),
      checksum_(first.checksum),
      received_(first.total),
      verifier_(0),
      configuration_(std::move(configuration)) {}

bool Receiving::is_of(const InstallSnapshot& chunk) const {
  return chunk.last == last_ && chunk.total == total_ && chunk.checksum == checksum_;
}

bool Receiving::take(Changes& changes, const InstallSnapshot& chunk) {
  if (!verifier_.feed(chunk.chunk)) return false;
  if (verifier_.header() && verifier_.header()->last != last_) return false;
  file_->append(changes, chunk.chunk);
  received_ += chunk.chunk.size();
  if (received_ != total_) return !verifier_.complete();
  if (!verifier_.complete() || verifier_.checksum() != checksum_) return false;
  configuration_ = verifier_.header()->configuration;
  file_->finish(changes);
  return true;
}

}  // namespace raftlab::raft::snapshot
