#include "simulator/disk.hpp"

#include "simulator/test_support.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

/// Random changes, syncs and crashes of a simulated disk against a naive model of what must be there.
namespace raftlab::simulator::testing {
namespace {

using Content = std::vector<std::byte>;

struct Append {
  OperationId operation;
  std::size_t begin = 0;
  std::size_t end = 0;
};

struct ModelFile {
  FileHandle handle;
  Content written;  // everything that was appended and not lost since
  std::size_t synced = 0;
  bool name_synced = false;
  std::vector<Append> appends;
};

struct ModelSync {
  OperationId operation;
  std::string file;  // empty: the directory
  std::size_t size = 0;
  std::vector<std::string> names;
};

bool starts_with(const Content& content, const Content& start, std::size_t length) {
  return content.size() >= length && start.size() >= length &&
         std::equal(start.begin(), start.begin() + static_cast<std::ptrdiff_t>(length), content.begin());
}

Content::const_iterator at(const Content& content, std::size_t position) {
  return content.begin() + static_cast<std::ptrdiff_t>(position);
}

class Model {
 public:
  Model(std::uint64_t seed, bool syncs_fail) : random_(Seed(seed)), syncs_fail_(syncs_fail) {}

  void turn() {
    switch (below(20)) {
      case 0:
      case 1: return create();
      case 2: return remove();
      case 3: return sync_directory();
      case 4:
      case 5:
      case 6:
      case 7: return sync();
      case 8:
      case 9:
      case 10:
      case 11:
      case 12: return finish();
      case 13: return crash();
      default: return append();
    }
  }

  /// Any crash now would leave everything that is known to be durable. The disk itself goes on.
  void check_crash_of_a_copy() {
    SimulatedDisk copy = disk_;
    static_cast<void>(copy.crash(draw_crash(), random_, below(1U << 30U)));
    check(copy);
  }

 private:
  std::uint64_t below(std::uint64_t range) { return random_.choose(Key{Choice::profile, ++draws_}, range); }

  std::map<std::string, ModelFile>::iterator any() {
    auto it = files_.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(below(files_.size())));
    return it;
  }

  void create() {
    const std::string name = "f" + std::to_string(++created_);
    disk_.create(name, files_[name].handle);
  }

  void remove() {
    if (files_.empty()) return;
    const auto it = any();
    disk_.remove(it->first);
    files_.erase(it);
  }

  void append() {
    if (files_.empty()) return;
    ModelFile& file = any()->second;
    const Content bytes(1 + below(700), static_cast<std::byte>(1 + below(255)));
    Append append;
    append.begin = file.written.size();
    append.operation = disk_.append(file.handle, bytes);
    file.written.insert(file.written.end(), bytes.begin(), bytes.end());
    append.end = file.written.size();
    file.appends.push_back(append);
  }

  void sync() {
    if (files_.empty()) return;
    const auto it = any();
    syncs_.push_back(ModelSync{disk_.sync(it->second.handle), it->first, it->second.written.size(), {}});
  }

  void sync_directory() {
    ModelSync sync{disk_.sync_directory(), {}, 0, {}};
    for (const auto& [name, file] : files_) sync.names.push_back(name);
    syncs_.push_back(std::move(sync));
  }

  void finish() {
    if (syncs_.empty()) return;
    const ModelSync sync = syncs_.front();
    syncs_.erase(syncs_.begin());
    auto fate = SimulatedDisk::SyncFate::ok;
    if (syncs_fail_ && below(4) == 0) {
      fate = below(2) == 0 ? SimulatedDisk::SyncFate::failed : SimulatedDisk::SyncFate::failed_in_parts;
    }
    const auto file = files_.find(sync.file);
    const bool known = sync.file.empty() || file != files_.end();
    const DiskCompletion completion = disk_.finish(sync.operation, fate, random_, sync.operation.value());
    RC_ASSERT(completion.operation == sync.operation);
    RC_ASSERT((completion.error == DiskError::none) == (fate == SimulatedDisk::SyncFate::ok || !known));
    if (!known) return;
    if (sync.file.empty()) {
      if (fate != SimulatedDisk::SyncFate::ok) return;
      for (const std::string& name : sync.names) {
        if (files_.contains(name)) files_.at(name).name_synced = true;
      }
    } else if (fate == SimulatedDisk::SyncFate::ok) {
      // After a failure nothing more is known of the file's end, whatever later syncs say.
      if (!failed_.contains(sync.file)) file->second.synced = std::max(file->second.synced, sync.size);
    } else {
      failed_[sync.file] = true;
    }
  }

  Crash draw_crash() {
    Crash how;
    how.kind = static_cast<Crash::Kind>(below(3));
    how.lose = below(2) == 0;
    how.tear = below(2) == 0;
    return how;
  }

  void crash() {
    const Crash how = draw_crash();
    static_cast<void>(disk_.crash(how, random_, ++crashes_));
    check(disk_);
    const bool power = how.kind != Crash::Kind::kill;
    // A new process reads what is there and goes on from it.
    std::map<std::string, ModelFile> found;
    const auto names = std::get<std::vector<std::string>>(disk_.list());
    for (const std::string& name : names) {
      ModelFile& file = found[name];
      file.written = std::get<Content>(disk_.read(name));
      disk_.open(name, file.handle);
      const auto before = files_.find(name);
      file.synced = power ? file.written.size() : before == files_.end() ? 0 : before->second.synced;
      file.name_synced = power || (before != files_.end() && before->second.name_synced);
    }
    files_ = std::move(found);
    if (power) failed_.clear();
    syncs_.clear();
  }

  /// `disk` has just crashed.
  void check(SimulatedDisk& disk) {
    for (const auto& [name, file] : files_) {
      const auto read = disk.read(name);
      const auto* content = std::get_if<Content>(&read);
      if (file.name_synced) RC_ASSERT(content != nullptr);
      if (content == nullptr) continue;
      RC_ASSERT(starts_with(*content, file.written, file.synced));
      RC_ASSERT(content->size() <= file.written.size());
      for (const Append& append : file.appends) {
        if (append.operation > disk_.durable_through()) continue;
        RC_ASSERT(content->size() >= append.end);
        RC_ASSERT(std::equal(at(file.written, append.begin), at(file.written, append.end),
                             at(*content, append.begin)));
      }
    }
  }

  RandomChooser random_;
  bool syncs_fail_;
  SimulatedDisk disk_;
  std::map<std::string, ModelFile> files_;
  std::map<std::string, bool> failed_;
  std::vector<ModelSync> syncs_;
  std::uint64_t draws_ = 0;
  std::uint64_t created_ = 0;
  std::uint64_t crashes_ = 0;
};

void drive(bool syncs_fail) {
  Model model(*rc::gen::noShrink(rc::gen::arbitrary<std::uint64_t>()).as("seed"), syncs_fail);
  const auto turns = *rc::gen::inRange(1, 150).as("turns");
  for (int i = 0; i < turns; ++i) {
    model.turn();
    if (i % 4 == 0) model.check_crash_of_a_copy();
  }
}

RC_GTEST_PROP(SimulatedDiskProperty, WhatIsKnownToBeDurableSurvivesAnyCrash, ()) { drive(false); }

RC_GTEST_PROP(SimulatedDiskProperty, WhatIsKnownToBeDurableSurvivesAnyCrashAlsoAfterFailedSyncs, ()) {
  drive(true);
}

RC_GTEST_PROP(SimulatedDiskProperty, WithoutHolesAFileKeepsAPrefixAndZeros, ()) {
  RandomChooser random{Seed(*rc::gen::noShrink(rc::gen::arbitrary<std::uint64_t>()).as("seed"))};
  SimulatedDisk disk;
  FileHandle file;
  disk.create("a", file);
  disk.finish(disk.sync_directory(), SimulatedDisk::SyncFate::ok, random, 1);
  Content written;
  const auto appends = *rc::gen::inRange(1, 12).as("appends");
  const auto synced_after = *rc::gen::inRange(0, 12).as("synced after");
  for (int i = 0; i < appends; ++i) {
    const Content bytes(static_cast<std::size_t>(50 * (i + 1)), static_cast<std::byte>(i + 1));
    disk.append(file, bytes);
    written.insert(written.end(), bytes.begin(), bytes.end());
    if (i == synced_after) disk.finish(disk.sync(file), SimulatedDisk::SyncFate::ok, random, 2);
  }
  Crash how;
  how.kind = *rc::gen::element(Crash::Kind::kill, Crash::Kind::power_loss).as("kind");
  how.lose = *rc::gen::arbitrary<bool>().as("lose");
  how.tear = *rc::gen::arbitrary<bool>().as("tear");
  const CrashDamage damage = disk.crash(how, random, 3);
  const auto after = std::get<Content>(disk.read("a"));
  RC_ASSERT(after.size() <= written.size());
  const auto [kept, unused] = std::ranges::mismatch(after, written);
  RC_ASSERT(std::all_of(kept, after.end(), [](std::byte byte) { return byte == std::byte{0}; }));
  RC_ASSERT(damage.lost == (after != written));
}

}  // namespace
}  // namespace raftlab::simulator::testing
