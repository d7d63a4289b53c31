#pragma once

#include "raft/wal/disk.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// A disk for the tests of this folder. The simulator has a better one.
namespace raftlab::raft::wal::testing {

/// Something from 0 to count - 1.
using Choose = std::function<std::uint32_t(std::uint32_t count)>;
using Files = std::map<std::string, std::vector<std::byte>>;

/// Changes wait in a queue; `step` carries out the oldest one.
class TestDisk final : public Disk {
 public:
  /// The change with this number, counted over the disk's whole life from 1, fails with this error; 0: none does.
  OperationId fail_at;
  DiskError fail_with = DiskError::io;
  /// Reading this file fails.
  std::string unreadable;

  [[nodiscard]] bool idle() const { return queue_.empty(); }
  [[nodiscard]] std::size_t waiting() const { return queue_.size(); }
  [[nodiscard]] std::uint64_t asked() const { return last_operation_.value(); }

  /// Carries out the oldest change and reports it.
  DiskCompletion step() {
    const Operation operation = std::move(queue_.front());
    queue_.pop_front();
    if (operation.id != fail_at) {
      carry_out(operation);
      return DiskCompletion{operation.id, DiskError::none};
    }
    if (operation.kind == Kind::append) {
      auto half = operation;
      half.bytes.resize(half.bytes.size() / 2);
      carry_out(half);
    }
    return DiskCompletion{operation.id, fail_with};
  }

  /// The process ends: what was carried out stays.
  void kill() {
    queue_.clear();
    locked_ = false;
  }

  /// The machine ends: of what was not synced, any part survives.
  void lose_power(const Choose& choose) {
    kill();
    for (auto& [name, file] : changed_names_) {
      if (choose(2) == 0) continue;
      if (file) {
        durable_names_[name] = file;
      } else {
        durable_names_.erase(name);
      }
    }
    changed_names_.clear();
    for (auto& [name, file] : durable_names_) {
      file->cached = survivor(*file, choose);
      file->synced = file->cached;
    }
    names_ = durable_names_;
  }

  [[nodiscard]] Files files() const {
    Files files;
    for (const auto& [name, file] : names_) files[name] = file->cached;
    return files;
  }
  /// All of it durable.
  void set_files(const Files& files) {
    names_.clear();
    for (const auto& [name, bytes] : files) names_[name] = std::make_shared<File>(File{bytes, bytes});
    durable_names_ = names_;
    changed_names_.clear();
    kill();
  }

  [[nodiscard]] std::variant<std::vector<std::string>, DiskError> list() override {
    std::vector<std::string> names;
    for (const auto& [name, file] : names_) names.push_back(name);
    return names;
  }
  [[nodiscard]] std::variant<std::vector<std::byte>, DiskError> read(std::string_view name) override {
    const auto found = names_.find(std::string(name));
    if (found == names_.end()) return DiskError::not_found;
    if (name == unreadable) return DiskError::io;
    return found->second->cached;
  }
  [[nodiscard]] DiskError lock() override {
    return std::exchange(locked_, true) ? DiskError::locked : DiskError::none;
  }

  OperationId create(std::string_view name, FileHandle& handle) override {
    handle = FileHandle(static_cast<std::uint32_t>(++handles_));
    return ask({.id = {}, .kind = Kind::create, .file = handle, .name = std::string(name), .bytes = {}});
  }
  OperationId open(std::string_view name, FileHandle& handle) override {
    handle = FileHandle(static_cast<std::uint32_t>(++handles_));
    return ask({.id = {}, .kind = Kind::open, .file = handle, .name = std::string(name), .bytes = {}});
  }
  OperationId append(FileHandle file, Bytes bytes) override {
    return ask(
        {.id = {}, .kind = Kind::append, .file = file, .name = {}, .bytes = {bytes.begin(), bytes.end()}});
  }
  OperationId preallocate(FileHandle file, std::uint64_t) override {
    return ask({.id = {}, .kind = Kind::nothing, .file = file, .name = {}, .bytes = {}});
  }
  OperationId truncate(FileHandle file, std::uint64_t) override {
    return ask({.id = {}, .kind = Kind::nothing, .file = file, .name = {}, .bytes = {}});
  }
  OperationId sync(FileHandle file) override {
    return ask({.id = {}, .kind = Kind::sync, .file = file, .name = {}, .bytes = {}});
  }
  OperationId rename(std::string_view, std::string_view) override {
    return ask({.id = {}, .kind = Kind::nothing, .file = {}, .name = {}, .bytes = {}});
  }
  OperationId remove(std::string_view name) override {
    return ask({.id = {}, .kind = Kind::remove, .file = {}, .name = std::string(name), .bytes = {}});
  }
  OperationId sync_directory() override {
    return ask({.id = {}, .kind = Kind::sync_directory, .file = {}, .name = {}, .bytes = {}});
  }

 private:
  enum class Kind : std::uint8_t { create, open, append, sync, remove, sync_directory, nothing };
  struct Operation {
    OperationId id;
    Kind kind = Kind::nothing;
    FileHandle file;
    std::string name;
    std::vector<std::byte> bytes;
  };
  struct File {
    std::vector<std::byte> cached;
    std::vector<std::byte> synced;
  };

  OperationId ask(Operation operation) {
    operation.id = last_operation_ = last_operation_.next();
    queue_.push_back(std::move(operation));
    return last_operation_;
  }

  void carry_out(const Operation& operation) {
    switch (operation.kind) {
      case Kind::create: {
        auto file = std::make_shared<File>();
        open_[operation.file] = file;
        names_[operation.name] = file;
        changed_names_.emplace_back(operation.name, file);
        break;
      }
      case Kind::open: open_[operation.file] = names_.at(operation.name); break;
      case Kind::append: {
        const auto found = open_.find(operation.file);
        if (found == open_.end()) break;  // its creation failed
        auto& cached = found->second->cached;
        cached.insert(cached.end(), operation.bytes.begin(), operation.bytes.end());
        break;
      }
      case Kind::sync:
        if (const auto found = open_.find(operation.file); found != open_.end())
          found->second->synced = found->second->cached;
        break;
      case Kind::remove:
        names_.erase(operation.name);
        changed_names_.emplace_back(operation.name, nullptr);
        break;
      case Kind::sync_directory:
        durable_names_ = names_;
        changed_names_.clear();
        break;
      case Kind::nothing: break;
    }
  }

  /// Files only grow: what is in doubt is the part behind the synced one.
  static std::vector<std::byte> survivor(const File& file, const Choose& choose) {
    constexpr std::size_t sector_bytes = 512;
    const std::size_t from = file.synced.size();
    std::vector<std::byte> bytes = file.cached;
    const auto doubtful = static_cast<std::uint32_t>(bytes.size() - from);
    switch (choose(4)) {
      case 0: return file.synced;
      case 1: return bytes;
      case 2: bytes.resize(from + choose(doubtful + 1)); return bytes;
      default:
        // The size has grown, over zeros where a sector did not get to the disk.
        for (std::size_t at = from; at < bytes.size();) {
          const std::size_t end = std::min(bytes.size(), (at / sector_bytes + 1) * sector_bytes);
          if (choose(2) == 0)
            std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                      bytes.begin() + static_cast<std::ptrdiff_t>(end), std::byte{0});
          at = end;
        }
        return bytes;
    }
  }

  using Names = std::map<std::string, std::shared_ptr<File>>;
  Names names_;
  Names durable_names_;
  std::vector<std::pair<std::string, std::shared_ptr<File>>> changed_names_;
  std::map<FileHandle, std::shared_ptr<File>> open_;
  std::deque<Operation> queue_;
  OperationId last_operation_;
  std::uint64_t handles_ = 0;
  bool locked_ = false;
};

}  // namespace raftlab::raft::wal::testing
