#include "raft/snapshot/attempt.hpp"

#include "raft/assert.hpp"
#include "raft/snapshot/names.hpp"

namespace raftlab::raft::snapshot {

using wal::OperationId;

Attempt::Attempt(Changes& changes, LogId last, std::uint64_t number)
    : name_(finished_name(last)), part_(part_name(last, number)) {
  created_ = last_ = changes.create(part_, handle_);
}

void Attempt::append(Changes& changes, Bytes bytes) {
  RAFTLAB_ASSERT(phase_ == Phase::writing, part_);
  last_ = changes.append(part_, handle_, bytes);
}

void Attempt::finish(Changes& changes) {
  RAFTLAB_ASSERT(phase_ == Phase::writing, part_);
  last_ = changes.sync(part_, handle_);
  phase_ = Phase::syncing;
}

/// The final name waits for the sync: had it been asked for behind it, a failed sync might still be followed
/// by the name.
Attempt::Outcome Attempt::succeeded(Changes& changes, OperationId operation) {
  if (phase_ == Phase::writing || operation < last_) return Outcome::nothing;
  if (phase_ == Phase::naming) return Outcome::durable;
  renamed_ = changes.rename(part_, name_);
  last_ = changes.sync_directory();
  phase_ = Phase::naming;
  return Outcome::named;
}

void Attempt::give_up(Changes& changes, std::optional<OperationId> failed) {
  if (!failed) {
    if (!renamed_) changes.remove(part_);
    return;
  }
  const bool created = created_ < *failed;
  const bool still_part = !renamed_ || renamed_ == *failed;
  if (created && still_part) changes.remove(part_);
}

}  // namespace raftlab::raft::snapshot
