#pragma once

#include "raft/wal/disk.hpp"

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// A disk in memory for the tests of the service. It never crashes; what it can do is to be slow and to fail.
namespace raftlab::kv::test {

class TestDisk final : public raft::wal::Disk {
 public:
  using Bytes = std::vector<std::byte>;
  using Error = raft::wal::DiskError;
  using Id = raft::wal::OperationId;
  using Handle = raft::wal::FileHandle;

  bool slow = false;     ///< completions stay here
  bool failing = false;  ///< syncs fail from now on

  /// What has completed since the last call; nothing while the disk is slow.
  [[nodiscard]] std::vector<raft::wal::DiskCompletion> take() {
    if (slow) return {};
    return std::exchange(completed_, {});
  }

  std::variant<std::vector<std::string>, Error> list() override {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : files_) names.push_back(name);
    return names;
  }
  std::variant<Bytes, Error> read(std::string_view name) override {
    const auto file = files_.find(name);
    if (file == files_.end()) return Error::not_found;
    return file->second;
  }
  Error lock() override { return Error::none; }

  Id create(std::string_view name, Handle& handle) override {
    const bool made = files_.emplace(name, Bytes{}).second;
    handle = handle_of(name);
    return done(made ? Error::none : Error::exists);
  }
  Id open(std::string_view name, Handle& handle) override {
    handle = handle_of(name);
    return done(files_.contains(name) ? Error::none : Error::not_found);
  }
  Id append(Handle file, raft::Bytes bytes) override {
    Bytes& content = content_of(file);
    content.insert(content.end(), bytes.begin(), bytes.end());
    return done(Error::none);
  }
  Id preallocate(Handle /*file*/, std::uint64_t /*bytes*/) override { return done(Error::none); }
  Id truncate(Handle file, std::uint64_t size) override {
    content_of(file).resize(size);
    return done(Error::none);
  }
  Id sync(Handle /*file*/) override { return done(failing ? Error::io : Error::none); }
  Id rename(std::string_view from, std::string_view to) override {
    const auto file = files_.find(from);
    if (file == files_.end()) return done(Error::not_found);
    Bytes content = std::move(file->second);
    files_.erase(file);
    files_.insert_or_assign(std::string(to), std::move(content));
    for (std::string& name : open_) {
      if (name == from) name = to;
    }
    return done(Error::none);
  }
  Id remove(std::string_view name) override {
    const auto file = files_.find(name);
    if (file == files_.end()) return done(Error::not_found);
    files_.erase(file);
    return done(Error::none);
  }
  Id sync_directory() override { return done(failing ? Error::io : Error::none); }

 private:
  Handle handle_of(std::string_view name) {
    open_.emplace_back(name);
    return Handle(static_cast<std::uint32_t>(open_.size()));
  }
  Bytes& content_of(Handle file) { return files_[open_.at(file.value() - 1)]; }
  Id done(Error error) {
    last_ = last_.next();
    completed_.push_back(raft::wal::DiskCompletion{last_, error});
    return last_;
  }

  std::map<std::string, Bytes, std::less<>> files_;
  std::vector<std::string> open_;
  std::vector<raft::wal::DiskCompletion> completed_;
  Id last_;
};

}  // namespace raftlab::kv::test
