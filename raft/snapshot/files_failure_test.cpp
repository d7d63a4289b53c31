#include "raft/snapshot/files.hpp"
#include "raft/snapshot/test_files.hpp"

#include <gtest/gtest.h>

#include <cstdio>

/// Every change of the disk fails once, and a process or machine ends behind every change (F11, F13, F18,
/// F19, F21, F24).
namespace raftlab::raft::snapshot {
namespace {

using namespace testing;

const Example older = example(at(5), 300);
const Example taken = example(at(10, 2), 150'000);
const Example received = example(at(20, 3), 2000);

/// One is taken and another received, step by step at the same time; then the older one goes. Between the
/// steps the disk carries out `pace` changes.
class Script {
 public:
  Script(TestDisk& disk, std::uint64_t pace) : disk_(disk), pace_(pace), files_(open(disk).files) {}

  /// Stops, and returns false, when the disk has carried out this many changes.
  bool run(std::uint64_t changes_max = ~0ULL) {
    changes_max_ = changes_max;
    files_.begin(taken.header());
    constexpr std::size_t steps = 10;
    for (std::size_t step = 0; step < steps; ++step) {
      if (!work()) return false;
      const std::size_t part = taken.content.size() / steps;
      files_.write(Bytes(taken.content).subspan(step * part, part));
      if (!work()) return false;
      next_ = files_.receive(received.chunk(next_, received.image.size() / (steps - 1)));
    }
    if (!work()) return false;
    files_.finish();
    if (!finish()) return false;
    if (events_.find("stored@20") == std::string::npos) return true;
    files_.keep_only({received.last});
    return finish();
  }

  [[nodiscard]] Files& files() { return files_; }
  /// All so far.
  [[nodiscard]] const std::string& events() const { return events_; }

 private:
  bool work() {
    for (std::uint64_t i = 0; i < pace_ && !disk_.idle(); ++i) {
      if (!step()) return false;
    }
    return true;
  }
  bool finish() {
    while (!disk_.idle()) {
      if (!step()) return false;
    }
    return true;
  }
  bool step() {
    if (disk_.done() == changes_max_) return false;
    testing::step(files_, disk_);
    events_ += text(files_.take_events());
    expect_intact(disk_);
    return true;
  }

 public:
  /// Whatever has the name of a finished snapshot is one, at any time.
  static void expect_intact(const TestDisk& disk) {
    for (const auto& [name, bytes] : disk.files()) {
      if (!finished(name)) continue;
      const bool known = (name == older.name() && bytes == older.image) ||
                         (name == taken.name() && bytes == taken.image) ||
                         (name == received.name() && bytes == received.image);
      EXPECT_TRUE(known) << name << " is damaged";
    }
  }

 private:
  TestDisk& disk_;
  std::uint64_t pace_;
  Files files_;
  std::uint64_t next_ = 0;
  std::string events_;
  std::uint64_t changes_max_ = 0;
};

constexpr std::uint64_t paces[] = {0, 1, 2, 3, 100};

std::uint64_t changes_of(std::uint64_t pace) {
  TestDisk disk;
  disk.set_files({{older.name(), older.image}});
  Script script(disk, pace);
  EXPECT_TRUE(script.run());
  EXPECT_EQ(disk.mistakes, 0U);
  EXPECT_EQ(disk.files(), (Directory{{received.name(), received.image}}));
  return disk.asked();
}

bool has(const std::string& events, const char* event) { return events.find(event) != std::string::npos; }

struct Counts {
  int runs = 0;
  int taken = 0;
  int stored = 0;
  int neither = 0;
};

void fail_once(std::uint64_t pace, const std::set<std::uint64_t>& fail_at, TestDisk::Behind behind,
               DiskError error, bool silent, Counts& counts) {
  TestDisk disk;
  disk.set_files({{older.name(), older.image}});
  disk.fail_at = fail_at;
  disk.fail_with = error;
  disk.behind = behind;
  disk.silent = silent;
  Script script(disk, pace);
  (void)script.run();
  const std::string& events = script.events();
  const bool was_taken = has(events, "taken@10");
  const bool was_stored = has(events, "stored@20");
  ++counts.runs;
  counts.taken += was_taken;
  counts.stored += was_stored;
  counts.neither += !was_taken && !was_stored;
  EXPECT_NE(was_taken, has(events, "taking_failed@10")) << events;
  EXPECT_FALSE(script.files().taking());
  if (!was_stored) {
    EXPECT_TRUE(disk.files().contains(older.name()));
  }
  if (behind == TestDisk::Behind::latched) return;

  // The next attempts work, and nothing is left behind.
  disk.fail_at.clear();
  take(script.files(), taken);
  EXPECT_EQ(text(drive(script.files(), disk)), "taken@10");
  EXPECT_EQ(receive(script.files(), received, 500), received.image.size());
  EXPECT_EQ(text(drive(script.files(), disk)), "stored@20");
  script.files().keep_only({taken.last, received.last});
  (void)drive(script.files(), disk);
  const Directory expected{{taken.name(), taken.image}, {received.name(), received.image}};
  EXPECT_EQ(disk.files().size(), expected.size());
  EXPECT_TRUE(disk.files() == expected);
  disk.lose_power([](std::uint32_t) { return 0U; });
  EXPECT_EQ(open(disk).found.size(), 2U);
}

TEST(SnapshotFailure, OfAnyChangeEndsInAnEventAndTheNextAttemptWorks) {
  Counts counts;
  for (const std::uint64_t pace : paces) {
    const std::uint64_t changes = changes_of(pace);
    for (std::uint64_t failing = 1; failing <= changes; ++failing) {
      for (const auto behind : {TestDisk::Behind::carried_out, TestDisk::Behind::failing,
                                TestDisk::Behind::lost, TestDisk::Behind::latched}) {
        for (const bool silent : {false, true}) {
          SCOPED_TRACE(std::to_string(failing) + " fails at pace " + std::to_string(pace) + ", behind " +
                       std::to_string(static_cast<int>(behind)));
          const DiskError error = failing % 2 == 0 ? DiskError::io : DiskError::no_space;
          fail_once(pace, {failing}, behind, error, silent, counts);
        }
      }
    }
  }
  std::printf("%d runs: %d taken, %d stored, %d neither\n", counts.runs, counts.taken, counts.stored,
              counts.neither);
  EXPECT_GT(counts.taken, 0);
  EXPECT_GT(counts.stored, 0);
  EXPECT_GT(counts.neither, 0);
}

TEST(SnapshotFailure, OfTwoChangesToo) {
  Counts counts;
  const std::uint64_t changes = changes_of(2);
  for (std::uint64_t one = 1; one <= changes; ++one) {
    for (std::uint64_t other = one + 1; other <= std::min(changes, one + 6); ++other) {
      for (const auto behind :
           {TestDisk::Behind::carried_out, TestDisk::Behind::failing, TestDisk::Behind::lost}) {
        SCOPED_TRACE(std::to_string(one) + " and " + std::to_string(other));
        fail_once(2, {one, other}, behind, DiskError::io, true, counts);
      }
    }
  }
  std::printf("%d runs: %d taken, %d stored, %d neither\n", counts.runs, counts.taken, counts.stored,
              counts.neither);
}

/// What the disk had carried out of the other one counts.
TEST(SnapshotFailure, OfOneDoesNotConcernTheOtherThatHasNothingUnderWay) {
  for (std::uint64_t failing = 3; failing <= 9; ++failing) {
    TestDisk disk;
    Files files = open(disk).files;
    EXPECT_EQ(files.receive(received.chunk(0, 500)), 500U);
    EXPECT_EQ(text(drive(files, disk)), "");
    disk.fail_at = {failing};
    take(files, taken, 200'000);
    EXPECT_EQ(text(drive(files, disk)), "taking_failed@10") << failing;
    EXPECT_EQ(files.receive(received.chunk(500, 5000)), received.image.size()) << failing;
    EXPECT_EQ(text(drive(files, disk)), "stored@20") << failing;
    EXPECT_EQ(disk.mistakes, 0U) << failing;
  }
}

TEST(SnapshotFailure, TakesWithItWhatWasAskedBehindIt) {
  TestDisk disk;
  Files files = open(disk).files;
  files.begin(taken.header());  // changes 1 and 2
  EXPECT_EQ(files.receive(received.chunk(0, 500)), 500U);
  disk.fail_at = {2};
  EXPECT_EQ(text(drive(files, disk)), "taking_failed@10 storing_failed@20");
  EXPECT_EQ(files.receive(received.chunk(500, 500)), 0U);
  EXPECT_FALSE(files.taking());
}

/// A removal of what is not there would be another failure.
TEST(SnapshotFailure, OfACreationLeavesNothingToRemove) {
  TestDisk disk;
  Files files = open(disk).files;
  disk.fail_at = {1};
  disk.behind = TestDisk::Behind::failing;
  files.begin(taken.header());
  EXPECT_EQ(files.receive(received.chunk(0, 500)), 500U);  // its creation may or may not be carried out
  EXPECT_EQ(text(drive(files, disk)), "taking_failed@10 storing_failed@20");
  EXPECT_EQ(std::ranges::count(disk.kinds(), TestDisk::Kind::remove), 0);
}

TEST(SnapshotFailure, BeforeTheRenameLeavesNoFinalName) {
  for (std::uint64_t failing = 1; failing <= 6; ++failing) {
    TestDisk disk;
    Files files = open(disk).files;
    disk.fail_at = {failing};
    disk.fail_with = DiskError::no_space;
    EXPECT_EQ(receive(files, received, 5000), received.image.size());
    EXPECT_EQ(text(drive(files, disk)), failing <= 5 ? "storing_failed@20" : "stored@20") << failing;
    // The fifth change is the sync of the directory: by then the file is complete and has its name.
    EXPECT_EQ(disk.files().size(), failing >= 5 ? 1U : 0U) << failing;
    EXPECT_EQ(disk.files().contains(received.name()), failing >= 5) << failing;
    EXPECT_EQ(disk.mistakes, 0U) << failing;
  }
}

TEST(SnapshotFailure, OfTheProofThatAFoundSnapshotIsDurable) {
  TestDisk disk;
  disk.set_files({{received.name(), received.image}});
  Files files = open(disk).files;
  disk.fail_at = {1};
  EXPECT_EQ(files.receive(received.chunk(0, 100)), received.image.size());
  EXPECT_EQ(text(drive(files, disk)), "storing_failed@20");
  EXPECT_EQ(files.receive(received.chunk(0, 100)), received.image.size());
  EXPECT_EQ(text(drive(files, disk)), "stored@20");
  EXPECT_TRUE(disk.files().contains(received.name()));
}

/// It may still be carried out: the snapshot must not be taken for one that stays.
TEST(SnapshotFailure, InFrontOfARemovalLeavesItUndefined) {
  TestDisk disk;
  disk.set_files({{older.name(), older.image}, {received.name(), received.image}});
  Files files = open(disk).files;
  files.keep_only({older.last, received.last});
  EXPECT_EQ(files.receive(older.chunk(0, 10)), older.image.size());
  EXPECT_EQ(text(drive(files, disk)), "stored@5");  // and with it the names are durable
  disk.fail_at = {3};
  files.begin(taken.header());    // changes 2 and 3
  files.keep_only({older.last});  // changes 4 and 5
  step(files, disk);
  step(files, disk);
  EXPECT_EQ(text(files.take_events()), "taking_failed@10");
  EXPECT_TRUE(disk.files().contains(received.name()));
  EXPECT_EQ(receive(files, received, 500), received.image.size());
  EXPECT_EQ(text(files.take_events()), "");
  EXPECT_EQ(text(drive(files, disk)), "stored@20");
  EXPECT_EQ(files.content(received.last), received.content);
}

TEST(SnapshotFailure, OfTheSyncBeforeARemovalLeavesAllAsItIs) {
  TestDisk disk;
  const Directory directory{{older.name(), older.image}, {received.name(), received.image}};
  disk.set_files(directory);
  Files files = open(disk).files;
  disk.fail_at = {1};
  files.keep_only({received.last});
  (void)drive(files, disk);
  EXPECT_TRUE(disk.files() == directory);
  files.keep_only({received.last});
  (void)drive(files, disk);
  EXPECT_EQ(disk.files().size(), 1U);
}

// ---- The end of a process, and of a machine

struct Survivors {
  int runs = 0;
  int with_taken = 0;
  int with_received = 0;
  int with_parts = 0;
};

void crash(std::uint64_t pace, std::uint64_t changes, std::optional<std::uint64_t> power,
           Survivors& survivors) {
  TestDisk disk;
  disk.set_files({{older.name(), older.image}});
  std::string events;
  {
    Script script(disk, pace);
    (void)script.run(changes);
    events = script.events();
  }
  if (power) {
    Random random(*power);
    disk.lose_power([&](std::uint32_t count) { return random(count); });
  } else {
    disk.kill();
  }
  Script::expect_intact(disk);
  const Files::Opened opened = open(disk);
  EXPECT_TRUE(opened.damaged.empty());
  const auto found = [&](const Example& one) {
    return std::ranges::any_of(opened.found, [&](const Found& each) {
      return each.header == one.header() && each.checksum == one.checksum && each.bytes == one.image.size();
    });
  };
  EXPECT_TRUE(found(older) || found(received)) << "nothing is left to start from";
  if (has(events, "stored@20")) {
    EXPECT_TRUE(found(received)) << "it had been durable";
  } else {
    EXPECT_TRUE(found(older)) << "nobody asked for its removal";
    if (has(events, "taken@10")) {
      EXPECT_TRUE(found(taken)) << "it had been durable";
    }
  }
  ++survivors.runs;
  survivors.with_taken += found(taken);
  survivors.with_received += found(received);
  survivors.with_parts +=
      std::ranges::any_of(disk.files(), [](const auto& file) { return part(file.first).has_value(); });
}

TEST(SnapshotCrash, BehindAnyChangeLeavesEachSnapshotIntactOrNotThereAtAll) {
  Survivors killed;
  Survivors unpowered;
  for (const std::uint64_t pace : paces) {
    const std::uint64_t last = changes_of(pace);
    for (std::uint64_t changes = 0; changes <= last; ++changes) {
      SCOPED_TRACE(std::to_string(changes) + " changes at pace " + std::to_string(pace));
      crash(pace, changes, std::nullopt, killed);
      for (std::uint64_t seed = 0; seed < 20; ++seed) crash(pace, changes, seed, unpowered);
    }
  }
  for (const auto* survivors : {&killed, &unpowered}) {
    std::printf(
        "%s: %d runs, afterwards %d with the taken one, %d with the received one, %d with leftovers\n",
        survivors == &killed ? "killed" : "without power", survivors->runs, survivors->with_taken,
        survivors->with_received, survivors->with_parts);
    EXPECT_GT(survivors->with_taken, 0);
    EXPECT_GT(survivors->with_received, 0);
    EXPECT_GT(survivors->with_parts, 0);
  }
}

/// Killed between the rename and the sync of the directory; the next life counts on what it finds; then the
/// power fails.
TEST(SnapshotCrash, AFoundNameIsDurableBeforeTheOlderSnapshotGoes) {
  for (std::uint64_t steps = 0; steps < 8; ++steps) {
    for (std::uint64_t seed = 0; seed < 16; ++seed) {
      TestDisk disk;
      disk.set_files({{older.name(), older.image}});
      {
        Files files = open(disk).files;
        EXPECT_EQ(receive(files, received, 5000), received.image.size());
        while (!disk.files().contains(received.name())) step(files, disk);
        EXPECT_EQ(text(files.take_events()), "");
      }
      disk.kill();
      {
        Files::Opened opened = open(disk);
        EXPECT_EQ(opened.found.size(), 2U);
        opened.files.keep_only({received.last});
        for (std::uint64_t i = 0; i < steps && !disk.idle(); ++i) step(opened.files, disk);
      }
      Random random(seed);
      disk.lose_power([&](std::uint32_t count) { return random(count); });
      EXPECT_FALSE(open(disk).found.empty()) << steps << ' ' << seed;
    }
  }
}

}  // namespace
}  // namespace raftlab::raft::snapshot
