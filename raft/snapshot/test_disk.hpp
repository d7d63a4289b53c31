#pragma once

#include "raft/wal/disk.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// A disk for the tests of this folder: it renames, knows several ways to leave undefined what was asked
/// behind a failure, and may be silent about successes. The simulator has another one.
namespace raftlab::raft::snapshot::testing {

using wal::DiskCompletion;
using wal::DiskError;
using wal::FileHandle;
using wal::OperationId;

/// Something from 0 to count - 1.
using Choose = std::function<std::uint32_t(std::uint32_t count)>;
using Directory = std::map<std::string, std::vector<std::byte>>;

/// Changes wait in a queue; `step` carries out the oldest one.
class TestDisk final : public wal::Disk {
 public:
  enum class Kind : std::uint8_t { create, open, append, sync, rename, remove, sync_directory, nothing };
  /// What becomes of what was asked behind a failure, before the failure was reported.
  enum class Behind : std::uint8_t {
    carried_out,
    failing,  ///< not carried out, each with a report
    lost,     ///< not carried out, and reported as if it had been
    latched,  ///< as `failing`, and so for ever
  };

  std::set<std::uint64_t> fail_at;  ///< numbers of changes that fail
  DiskError fail_with = DiskError::io;
  Behind behind = Behind::carried_out;
  bool silent = false;     ///< about successes that nobody waits for
  std::string unreadable;  ///< reading this file fails
  bool unlistable = false;
  std::uint64_t mistakes =
      0;  ///< changes that made no sense: a file made twice, a name that is not there ...
  std::uint64_t reads = 0;

  [[nodiscard]] bool idle() const { return queue_.empty(); }
  [[nodiscard]] std::uint64_t asked() const { return last_operation_.value(); }
  /// The kinds of all changes, in order.
  [[nodiscard]] const std::vector<Kind>& kinds() const { return kinds_; }
  [[nodiscard]] std::uint64_t done() const { return done_; }

  /// Carries out the oldest change, and tells of it.
  std::optional<DiskCompletion> step() {
    const Operation operation = std::move(queue_.front());
    queue_.pop_front();
    ++done_;
    const bool undefined = operation.id <= undefined_through_;
    if (latched_ || (undefined && behind == Behind::failing)) return DiskCompletion{operation.id, fail_with};
    if (undefined && behind == Behind::lost) return success(operation);
    if (!fail_at.contains(operation.id.value())) {
      const std::uint64_t before = mistakes;
      carry_out(operation);
      if (mistakes != before) {
        if (undefined) mistakes = before;  // nobody could know
        return failure(operation, DiskError::not_found);
      }
      return success(operation);
    }
    if (operation.kind == Kind::append) {
      auto half = operation;
      half.bytes.resize(half.bytes.size() / 2);
      carry_out(half);
    }
    return failure(operation, fail_with);
  }

  /// The process ends: what was carried out stays.
  void kill() {
    queue_.clear();
    open_.clear();
    undefined_through_ = OperationId();
    locked_ = false;
    latched_ = false;
  }

  /// The machine ends: of what was not synced, any part survives; of a rename all or nothing.
  void lose_power(const Choose& choose) {
    kill();
    for (const auto& change : changed_names_) {
      if (choose(2) != 0) apply(change, durable_names_);
    }
    changed_names_.clear();
    for (auto& [name, file] : durable_names_) {
      file->cached = survivor(*file, choose);
      file->synced = file->cached;
    }
    names_ = durable_names_;
  }

  [[nodiscard]] Directory files() const {
    Directory files;
    for (const auto& [name, file] : names_) files[name] = file->cached;
    return files;
  }
  /// All of it durable.
  void set_files(const Directory& files) {
    names_.clear();
    for (const auto& [name, bytes] : files) names_[name] = std::make_shared<File>(File{bytes, bytes});
    durable_names_ = names_;
    changed_names_.clear();
    kill();
  }

  [[nodiscard]] std::variant<std::vector<std::string>, DiskError> list() override {
    if (unlistable) return DiskError::io;
    std::vector<std::string> names;
    for (const auto& [name, file] : names_) names.push_back(name);
    return names;
  }
  [[nodiscard]] std::variant<std::vector<std::byte>, DiskError> read(std::string_view name) override {
    ++reads;
    const auto found = names_.find(std::string(name));
    if (found == names_.end()) return DiskError::not_found;
    if (name == unreadable) return DiskError::io;
    return found->second->cached;
  }
  [[nodiscard]] DiskError lock() override {
    return std::exchange(locked_, true) ? DiskError::locked : DiskError::none;
  }

  OperationId create(std::string_view name, FileHandle& handle) override {
    handle = FileHandle(++handles_);
    return ask(Kind::create, handle, name);
  }
  OperationId open(std::string_view name, FileHandle& handle) override {
    handle = FileHandle(++handles_);
    return ask(Kind::open, handle, name);
  }
  OperationId append(FileHandle file, Bytes bytes) override {
    return ask(Kind::append, file, {}, {}, {bytes.begin(), bytes.end()});
  }
  OperationId preallocate(FileHandle file, std::uint64_t) override { return ask(Kind::nothing, file); }
  OperationId truncate(FileHandle file, std::uint64_t) override { return ask(Kind::nothing, file); }
  OperationId sync(FileHandle file) override { return ask(Kind::sync, file); }
  OperationId rename(std::string_view from, std::string_view to) override {
    return ask(Kind::rename, {}, from, to);
  }
  OperationId remove(std::string_view name) override { return ask(Kind::remove, {}, name); }
  OperationId sync_directory() override { return ask(Kind::sync_directory); }

 private:
  struct Operation {
    OperationId id;
    Kind kind = Kind::nothing;
    FileHandle file;
    std::string name;
    std::string to;
    std::vector<std::byte> bytes;
  };
  struct File {
    std::vector<std::byte> cached;
    std::vector<std::byte> synced;
  };
  using Names = std::map<std::string, std::shared_ptr<File>>;
  struct NameChange {
    std::string gone;  // empty: none
    std::string name;  // empty: none
    std::shared_ptr<File> file;
  };

  OperationId ask(Kind kind, FileHandle file = {}, std::string_view name = {}, std::string_view to = {},
                  std::vector<std::byte> bytes = {}) {
    last_operation_ = last_operation_.next();
    kinds_.push_back(kind);
    queue_.push_back(
        Operation{last_operation_, kind, file, std::string(name), std::string(to), std::move(bytes)});
    return last_operation_;
  }

  std::optional<DiskCompletion> success(const Operation& operation) const {
    if (silent && operation.kind != Kind::sync && operation.kind != Kind::sync_directory) return std::nullopt;
    return DiskCompletion{operation.id, DiskError::none};
  }
  DiskCompletion failure(const Operation& operation, DiskError error) {
    undefined_through_ = last_operation_;
    latched_ = behind == Behind::latched;
    return DiskCompletion{operation.id, error};
  }

  static void apply(const NameChange& change, Names& names) {
    if (!change.gone.empty()) names.erase(change.gone);
    if (!change.name.empty()) names[change.name] = change.file;
  }
  void change(NameChange change) {
    apply(change, names_);
    changed_names_.push_back(std::move(change));
  }

  void carry_out(const Operation& operation) {
    switch (operation.kind) {
      case Kind::create: {
        if (names_.contains(operation.name)) return void(++mistakes);
        auto file = std::make_shared<File>();
        open_[operation.file] = file;
        return change({{}, operation.name, file});
      }
      case Kind::open:
        if (!names_.contains(operation.name)) return void(++mistakes);
        open_[operation.file] = names_.at(operation.name);
        return;
      case Kind::append: {
        const auto found = open_.find(operation.file);
        if (found == open_.end()) return void(++mistakes);
        auto& cached = found->second->cached;
        cached.insert(cached.end(), operation.bytes.begin(), operation.bytes.end());
        return;
      }
      case Kind::sync: {
        const auto found = open_.find(operation.file);
        if (found == open_.end()) return void(++mistakes);
        found->second->synced = found->second->cached;
        return;
      }
      case Kind::rename:
        if (!names_.contains(operation.name)) return void(++mistakes);
        return change({operation.name, operation.to, names_.at(operation.name)});
      case Kind::remove:
        if (!names_.contains(operation.name)) return void(++mistakes);
        return change({operation.name, {}, nullptr});
      case Kind::sync_directory:
        durable_names_ = names_;
        changed_names_.clear();
        return;
      case Kind::nothing: return;
    }
  }

  /// Files only grow: what is in doubt is the part behind the synced one.
  static std::vector<std::byte> survivor(const File& file, const Choose& choose) {
    std::vector<std::byte> bytes = file.cached;
    const std::size_t from = file.synced.size();
    const auto doubtful = static_cast<std::uint32_t>(bytes.size() - from);
    switch (choose(4)) {
      case 0: return file.synced;
      case 1: return bytes;
      case 2: bytes.resize(from + choose(doubtful + 1)); return bytes;
      default:
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end(), std::byte{0});
        return bytes;
    }
  }

  Names names_;
  Names durable_names_;
  std::vector<NameChange> changed_names_;
  std::map<FileHandle, std::shared_ptr<File>> open_;
  std::deque<Operation> queue_;
  std::vector<Kind> kinds_;
  OperationId last_operation_;
  OperationId undefined_through_;
  std::uint64_t done_ = 0;
  std::uint32_t handles_ = 0;
  bool locked_ = false;
  bool latched_ = false;
};

}  // namespace raftlab::raft::snapshot::testing
