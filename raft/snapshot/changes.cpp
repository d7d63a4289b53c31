#include "raft/snapshot/changes.hpp"

#include "raft/wal/crc32c.hpp"

#include <algorithm>
#include <array>

namespace raftlab::raft::snapshot {

using wal::FileHandle;
using wal::OperationId;

OperationId Changes::create(std::string_view name, FileHandle& handle) {
  note(Kind::create, name);
  return last_ = disk_->create(name, handle);
}

OperationId Changes::append(std::string_view name, FileHandle handle, Bytes bytes) {
  note(Kind::append, name, bytes);
  return last_ = disk_->append(handle, bytes);
}

OperationId Changes::sync(std::string_view name, FileHandle handle) {
  note(Kind::sync, name);
  return last_ = disk_->sync(handle);
}

OperationId Changes::rename(std::string_view from, std::string_view to) {
  note(Kind::rename, from, std::as_bytes(std::span(to)));
  names_proven_ = false;
  proof_ = OperationId();  // only a sync behind this proves the new name, too
  last_ = disk_->rename(from, to);
  name_changes_.push_back(NameChange{last_, std::string(from), std::string(to)});
  return last_;
}

OperationId Changes::remove(std::string_view name) {
  note(Kind::remove, name);
  last_ = disk_->remove(name);
  name_changes_.push_back(NameChange{last_, std::string(name), {}});
  return last_;
}

OperationId Changes::sync_directory() {
  note(Kind::sync_directory, {});
  last_ = disk_->sync_directory();
  if (!proof_) proof_ = last_;
  return last_;
}

void Changes::succeeded(OperationId operation) {
  std::erase_if(name_changes_, [&](const NameChange& change) { return change.operation <= operation; });
  if (!proof_ || proof_ > operation) return;
  proof_ = OperationId();
  names_proven_ = true;
}

/// What was asked for behind the failed change may still be carried out: it is over when something behind it
/// completes.
void Changes::failed(OperationId operation) {
  std::erase_if(name_changes_, [&](const NameChange& change) { return change.operation <= operation; });
  names_proven_ = false;
  if (proof_ >= operation) proof_ = OperationId();
}

bool Changes::removing(std::string_view name) const {
  return std::ranges::any_of(
      name_changes_, [&](const NameChange& change) { return change.to.empty() && change.name == name; });
}

bool Changes::renaming(std::string_view name) const {
  return std::ranges::any_of(name_changes_, [&](const NameChange& change) {
    return !change.to.empty() && (change.name == name || change.to == name);
  });
}

/// Sizes go in front: no two lists of changes give the same bytes.
void Changes::note(Kind kind, std::string_view name, Bytes bytes) {
  std::array<std::byte, 13> head{};
  head[0] = static_cast<std::byte>(kind);
  for (std::size_t i = 0; i < 4; ++i) head[1 + i] = static_cast<std::byte>(name.size() >> (8 * i));
  for (std::size_t i = 0; i < 8; ++i) head[5 + i] = static_cast<std::byte>(bytes.size() >> (8 * i));
  chain_ = wal::crc32c(chain_, head);
  chain_ = wal::crc32c(chain_, std::as_bytes(std::span(name)));
  chain_ = wal::crc32c(chain_, bytes);
}

}  // namespace raftlab::raft::snapshot
