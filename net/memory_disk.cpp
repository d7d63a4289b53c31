#include "net/memory_disk.hpp"

namespace raftlab::net {

using raft::wal::DiskError;
using raft::wal::FileHandle;
using raft::wal::OperationId;

std::uint64_t MemoryDisk::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [name, content] : files_) sum += content.size();
  return sum;
}

std::variant<std::vector<std::string>, DiskError> MemoryDisk::list() {
  std::vector<std::string> names;
  for (const auto& [name, content] : files_) names.push_back(name);
  return names;
}

std::variant<std::vector<std::byte>, DiskError> MemoryDisk::read(std::string_view name) {
  const auto file = files_.find(name);
  if (file == files_.end()) return DiskError::not_found;
  return file->second;
}

OperationId MemoryDisk::create(std::string_view name, FileHandle& handle) {
  const bool made = files_.try_emplace(std::string(name)).second;
  handle = handle_of(name);
  return done(made ? DiskError::none : DiskError::exists);
}

OperationId MemoryDisk::open(std::string_view name, FileHandle& handle) {
  handle = handle_of(name);
  return done(files_.contains(name) ? DiskError::none : DiskError::not_found);
}

OperationId MemoryDisk::append(FileHandle file, raft::Bytes bytes) {
  const auto found = files_.find(open_[file]);
  if (found == files_.end()) return done(DiskError::not_found);
  found->second.insert(found->second.end(), bytes.begin(), bytes.end());
  return done(DiskError::none);
}

OperationId MemoryDisk::preallocate(FileHandle /*file*/, std::uint64_t /*bytes*/) {
  return done(DiskError::none);
}

OperationId MemoryDisk::truncate(FileHandle file, std::uint64_t size) {
  const auto found = files_.find(open_[file]);
  if (found == files_.end()) return done(DiskError::not_found);
  found->second.resize(size);
  return done(DiskError::none);
}

OperationId MemoryDisk::sync(FileHandle /*file*/) { return done(DiskError::none); }

OperationId MemoryDisk::rename(std::string_view from, std::string_view to) {
  const auto file = files_.find(from);
  if (file == files_.end()) return done(DiskError::not_found);
  std::vector<std::byte> content = std::move(file->second);
  files_.erase(file);
  files_.insert_or_assign(std::string(to), std::move(content));
  for (auto& [handle, name] : open_) {
    if (name == from) name = to;
  }
  return done(DiskError::none);
}

OperationId MemoryDisk::remove(std::string_view name) {
  const auto file = files_.find(name);
  if (file == files_.end()) return done(DiskError::not_found);
  files_.erase(file);
  std::erase_if(open_, [&](const auto& open) { return open.second == name; });
  return done(DiskError::none);
}

OperationId MemoryDisk::sync_directory() { return done(DiskError::none); }

FileHandle MemoryDisk::handle_of(std::string_view name) {
  last_handle_ = last_handle_.next();
  open_.emplace(last_handle_, name);
  return last_handle_;
}

OperationId MemoryDisk::done(DiskError error) {
  last_operation_ = last_operation_.next();
  completions_.push_back(raft::wal::DiskCompletion{last_operation_, error});
  if (wake_) wake_();
  return last_operation_;
}

}  // namespace raftlab::net
