#include "simulator/disk.hpp"

#include "raft/assert.hpp"
#include "raft/hash.hpp"

#include <algorithm>
#include <utility>

namespace raftlab::simulator {

std::variant<std::vector<std::string>, DiskError> SimulatedDisk::list() {
  std::vector<std::string> names;
  for (const auto& [name, file] : files_) names.push_back(name);
  return names;
}

std::variant<std::vector<std::byte>, DiskError> SimulatedDisk::read(std::string_view name) {
  const auto found = files_.find(name);
  if (found == files_.end()) return DiskError::not_found;
  return found->second.bytes;
}

DiskError SimulatedDisk::lock() { return std::exchange(locked_, true) ? DiskError::locked : DiskError::none; }

OperationId SimulatedDisk::fail(DiskError error) {
  const OperationId operation = begin();
  started_.push_back(Started{operation, error});
  return operation;
}

SimulatedDisk::File* SimulatedDisk::file_of(std::uint32_t id) {
  for (auto& [name, file] : files_) {
    if (file.id == id) return &file;
  }
  return nullptr;
}

SimulatedDisk::File* SimulatedDisk::file_of(FileHandle handle) { return file_of(handle.value()); }

OperationId SimulatedDisk::create(std::string_view name, FileHandle& handle) {
  if (files_.contains(name)) return fail(DiskError::exists);
  File& file = files_[std::string(name)];
  file.id = ++next_file_;
  handle = FileHandle(file.id);
  return begin();
}

OperationId SimulatedDisk::open(std::string_view name, FileHandle& handle) {
  const auto found = files_.find(name);
  if (found == files_.end()) return fail(DiskError::not_found);
  handle = FileHandle(found->second.id);
  return begin();
}

OperationId SimulatedDisk::append(FileHandle handle, raft::Bytes bytes) {
  File* file = file_of(handle);
  if (file == nullptr) return fail(DiskError::not_found);
  if (full_) {
    // A short write: what fits stays behind as a torn record.
    file->bytes.insert(file->bytes.end(), bytes.begin(),
                       bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2));
    return fail(DiskError::no_space);
  }
  file->last_append_at = file->bytes.size();
  file->bytes.insert(file->bytes.end(), bytes.begin(), bytes.end());
  last_append_ = begin();
  appends_.push_back(PendingAppend{last_append_, file->id, file->bytes.size()});
  return last_append_;
}

OperationId SimulatedDisk::preallocate(FileHandle handle, std::uint64_t /*bytes*/) {
  if (file_of(handle) == nullptr) return fail(DiskError::not_found);
  return full_ ? fail(DiskError::no_space) : begin();
}

OperationId SimulatedDisk::truncate(FileHandle handle, std::uint64_t size) {
  File* file = file_of(handle);
  if (file == nullptr) return fail(DiskError::not_found);
  file->bytes.resize(size);
  file->synced = std::min(file->synced, size);
  file->cached = std::min(file->cached, size);
  return begin();
}

OperationId SimulatedDisk::sync(FileHandle handle) {
  const File* file = file_of(handle);
  if (file == nullptr) return fail(DiskError::not_found);
  const OperationId operation = begin();
  syncs_.push_back(PendingSync{operation, file->id, file->bytes.size(), 0});
  started_.push_back(Started{operation, DiskError::none});
  return operation;
}

OperationId SimulatedDisk::rename(std::string_view from, std::string_view to) {
  auto node = files_.extract(std::string(from));
  if (node.empty()) return fail(DiskError::not_found);
  if (const auto target = files_.find(to); target != files_.end()) {
    removed_.push_back(Removed{target->first, std::move(target->second)});
    files_.erase(target);
  }
  node.key() = std::string(to);
  node.mapped().entry_durable = false;
  files_.insert(std::move(node));
  return begin();
}

OperationId SimulatedDisk::remove(std::string_view name) {
  const auto found = files_.find(name);
  if (found == files_.end()) return fail(DiskError::not_found);
  if (found->second.entry_durable) removed_.push_back(Removed{found->first, std::move(found->second)});
  files_.erase(found);
  return begin();
}

OperationId SimulatedDisk::sync_directory() {
  const OperationId operation = begin();
  syncs_.push_back(PendingSync{operation, 0, next_file_, removed_.size()});
  started_.push_back(Started{operation, DiskError::none});
  return operation;
}

DiskCompletion SimulatedDisk::finish(OperationId operation, SyncFate fate, Chooser& chooser,
                                     std::uint64_t about) {
  const auto found = std::ranges::find(syncs_, operation, &PendingSync::operation);
  RAFTLAB_ASSERT(found != syncs_.end(), operation);
  const PendingSync sync = *found;
  syncs_.erase(found);
  if (sync.file == 0) {
    if (fate != SyncFate::ok) return DiskCompletion{operation, DiskError::io};
    for (auto& [name, file] : files_) {
      if (file.id <= sync.size) file.entry_durable = true;
    }
    removed_.erase(removed_.begin(), removed_.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(
                                                            sync.names, removed_.size())));
    ++durable_names_;
  } else if (File* file = file_of(sync.file); file != nullptr) {
    const std::uint64_t until = std::min<std::uint64_t>(sync.size, file->bytes.size());
    if (fate != SyncFate::ok) {
      lose_pages(*file, until, fate == SyncFate::failed_in_parts, chooser, about);
      return DiskCompletion{operation, DiskError::io};
    }
    file->synced = std::max(file->synced, until);
  }
  advance_durable();
  return DiskCompletion{operation, DiskError::none};
}

void SimulatedDisk::zero(File& file, Range range) {
  const std::uint64_t size = file.bytes.size();
  std::fill(file.bytes.begin() + static_cast<std::ptrdiff_t>(std::min(range.from, size)),
            file.bytes.begin() + static_cast<std::ptrdiff_t>(std::min(range.to, size)), std::byte{0});
}

void SimulatedDisk::lose_pages(File& file, std::uint64_t until, bool in_parts, Chooser& chooser,
                               std::uint64_t about) {
  for (std::uint64_t sector = file.synced / sector_bytes; sector * sector_bytes < until; ++sector) {
    const Key key{Choice::page_fate, subject(about, std::uint64_t{file.id}, in_parts ? sector : 0)};
    const auto fate = static_cast<PageFate>(chooser.choose(key, 3));
    const Range page{std::max(sector * sector_bytes, file.synced),
                     std::min((sector + 1) * sector_bytes, until)};
    if (fate != PageFate::durable) file.lost.push_back(page);
    if (fate == PageFate::dropped) zero(file, page);
  }
  // The pages are clean now: no later sync writes them. What they held is not durable, whatever later syncs report.
  for (const PendingAppend& append : appends_) {
    if (append.file != file.id || append.end <= file.synced) continue;
    if (!failed_append_ || append.operation < failed_append_) failed_append_ = append.operation;
    break;
  }
  file.synced = until;
}

void SimulatedDisk::advance_durable() {
  std::size_t done = 0;
  for (; done < appends_.size(); ++done) {
    const PendingAppend& append = appends_[done];
    if (failed_append_ && append.operation >= failed_append_) break;
    const File* file = file_of(append.file);
    // A file that was removed again needs no durability of its own.
    if (file != nullptr && (!file->entry_durable || file->synced < append.end)) break;
    durable_through_ = append.operation;
  }
  appends_.erase(appends_.begin(), appends_.begin() + static_cast<std::ptrdiff_t>(done));
}

/// Holes in the unsynced end of a file.
void SimulatedDisk::punch(File& file, Chooser& chooser, std::uint64_t about, CrashDamage& damage) {
  const std::uint64_t size = file.bytes.size();
  for (std::uint64_t sector = file.synced / sector_bytes; sector * sector_bytes < size; ++sector) {
    if (!chooser.happens(Key{Choice::page_fate, subject(about, sector)}, million / 3)) continue;
    zero(file, Range{std::max(sector * sector_bytes, file.synced), (sector + 1) * sector_bytes});
    damage.torn = damage.lost = true;
  }
}

/// What becomes of the unsynced end of one file: of its last appends so many never happened, and one more in part.
void SimulatedDisk::cut(File& file, const Crash& crash, Chooser& chooser, std::uint64_t about,
                        CrashDamage& damage) {
  const std::uint64_t about_file = subject(about, std::uint64_t{file.id});
  if (crash.kind == Crash::Kind::power_loss_sectors) return punch(file, chooser, about_file, damage);
  std::vector<std::uint64_t> ends;
  const auto add_ends = [&](const std::vector<PendingAppend>& appends) {
    for (const PendingAppend& append : appends) {
      if (append.file == file.id && append.end > file.synced && append.end <= file.bytes.size())
        ends.push_back(append.end);
    }
  };
  // A kill cannot undo what an earlier process has put into the page cache; a loss of power can.
  const bool kill = crash.kind == Crash::Kind::kill;
  if (!kill) add_ends(cached_);
  add_ends(appends_);
  if (ends.empty() || (!crash.lose && !crash.tear)) return;
  std::size_t kept = ends.size();
  if (crash.lose) kept -= chooser.choose(Key{Choice::crash_cut, about_file}, ends.size() + 1);
  if (crash.tear && kept == ends.size()) --kept;
  if (kept == ends.size()) return;
  const std::uint64_t size = file.bytes.size();
  const std::uint64_t base = kill ? std::max(file.synced, file.cached) : file.synced;
  std::uint64_t survives = kept == 0 ? base : ends[kept - 1];
  damage.lost = true;
  if (crash.tear) {
    const std::uint64_t part =
        chooser.choose(Key{Choice::crash_cut, subject(about_file, std::uint64_t{1})}, ends[kept] - survives);
    damage.torn = damage.torn || part != 0;
    survives += part;
  }
  file.bytes.resize(survives);
  // The size may have become durable before the data: zeros stand where data was to be.
  const bool grown = !kill && chooser.happens(Key{Choice::crash_fate, about_file}, million / 4);
  if (grown) file.bytes.resize(size);
  file.last_append_at =
      file.bytes.size();  // nothing valid is known to stand behind what was left: no place for rot
}

CrashDamage SimulatedDisk::crash(const Crash& crash, Chooser& chooser, std::uint64_t about) {
  CrashDamage damage;
  const bool power = crash.kind != Crash::Kind::kill;
  if (power) {
    for (auto it = files_.begin(); it != files_.end();) {
      const Key key{Choice::entry_fate, subject(about, std::uint64_t{it->second.id})};
      if (!it->second.entry_durable && chooser.happens(key, million / 2)) {
        damage.entry_lost = damage.lost = true;
        it = files_.erase(it);
      } else {
        ++it;
      }
    }
    for (std::size_t i = 0; i < removed_.size(); ++i) {
      const Key key{Choice::entry_fate, subject(about, std::uint64_t{removed_[i].file.id}, std::uint64_t{1})};
      if (files_.contains(removed_[i].name) || !chooser.happens(key, million / 2)) continue;
      files_.emplace(removed_[i].name, std::move(removed_[i].file));
      damage.entry_lost = true;
    }
    removed_.clear();
  }
  for (auto& [name, file] : files_) {
    cut(file, crash, chooser, about, damage);
    file.cached = file.bytes.size();
    if (!power) continue;
    for (const Range& range : file.lost) zero(file, range);
    damage.lost = damage.lost || !file.lost.empty();
    file.lost.clear();
    file.synced = file.bytes.size();
    file.entry_durable = true;
  }
  if (power) {
    cached_.clear();
  } else {
    // What was cut off before is not there to be lost again.
    for (const PendingAppend& append : appends_) {
      const File* file = file_of(append.file);
      if (file != nullptr && append.end > file->synced && append.end <= file->bytes.size())
        cached_.push_back(append);
    }
  }
  syncs_.clear();
  appends_.clear();
  started_.clear();
  failed_append_ = OperationId{};
  locked_ = false;
  return damage;
}

bool SimulatedDisk::rot(Chooser& chooser, std::uint64_t about) {
  // The newest file decides: what stands there before the latest append has a valid record behind it.
  File* newest = nullptr;
  for (auto& [name, file] : files_) {
    if (newest == nullptr || file.id > newest->id) newest = &file;
  }
  if (newest == nullptr) return false;
  const std::uint64_t limit = std::min(newest->last_append_at, newest->synced);
  if (limit == 0 || newest->last_append_at >= newest->bytes.size()) return false;
  const std::uint64_t bit = chooser.choose(Key{Choice::rot_place, about}, limit * 8);
  newest->bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
  return true;
}

bool SimulatedDisk::rot_anywhere(Chooser& chooser, std::uint64_t about) {
  std::uint64_t bytes = 0;
  for (const auto& [name, file] : files_) bytes += file.synced;
  if (bytes == 0) return false;
  std::uint64_t bit = chooser.choose(Key{Choice::rot_place, about}, bytes * 8);
  for (auto& [name, file] : files_) {
    if (bit < file.synced * 8) {
      file.bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      rotten_ = true;
      return true;
    }
    bit -= file.synced * 8;
  }
  return false;
}

std::uint64_t SimulatedDisk::durable_digest() const {
  return raft::Hasher(durable_names_).add(durable_through_).add(last_append_).value();
}

std::uint64_t SimulatedDisk::bytes() const {
  std::uint64_t total = 0;
  for (const auto& [name, file] : files_) total += file.bytes.size();
  return total;
}

}  // namespace raftlab::simulator
