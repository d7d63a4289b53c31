#include "raft/snapshot/files.hpp"

#include "raft/snapshot/test_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace raftlab::raft::snapshot {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> names(const TestDisk& disk) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : disk.files()) names.push_back(name);
  return names;
}

// ---- Taking

TEST(SnapshotFiles, AnEmptyDirectoryHasNone) {
  TestDisk disk;
  const Files::Opened opened = open(disk);
  EXPECT_THAT(opened.found, IsEmpty());
  EXPECT_THAT(opened.damaged, IsEmpty());
  EXPECT_EQ(disk.asked(), 0U);
}

TEST(SnapshotFiles, WhatWasTakenIsFoundAndReadBack) {
  for (const std::size_t bytes : {0U, 1U, 1000U, 65536U, 200'000U}) {
    const Example one = example(at(20, 3), bytes);
    TestDisk disk;
    Files files = open(disk).files;
    take(files, one);
    EXPECT_TRUE(files.taking());
    const auto events = drive(files, disk);
    ASSERT_EQ(text(events), "taken@20");
    EXPECT_EQ(events[0].last, one.last);
    EXPECT_EQ(events[0].configuration, one.header().configuration);
    EXPECT_FALSE(files.taking());
    EXPECT_EQ(disk.files(), (Directory{{one.name(), one.image}}));
    EXPECT_EQ(files.content(one.last), one.content);

    disk.lose_power([](std::uint32_t) { return 0U; });
    Files::Opened opened = open(disk);
    ASSERT_EQ(opened.found.size(), 1U);
    EXPECT_EQ(opened.found[0].header, one.header());
    EXPECT_EQ(opened.found[0].bytes, one.image.size());
    EXPECT_EQ(opened.found[0].checksum, one.checksum);
    EXPECT_EQ(opened.files.content(one.last), one.content);
    EXPECT_EQ(disk.mistakes, 0U);
  }
}

TEST(SnapshotFiles, TheFinalNameWaitsForTheSync) {
  using Kind = TestDisk::Kind;
  const Example one = example(at(20), 100);
  TestDisk disk;
  Files files = open(disk).files;
  take(files, one);
  EXPECT_THAT(disk.kinds(), ElementsAre(Kind::create, Kind::append, Kind::append, Kind::sync));
  (void)drive(files, disk);
  EXPECT_THAT(disk.kinds(), ElementsAre(Kind::create, Kind::append, Kind::append, Kind::sync, Kind::rename,
                                        Kind::sync_directory));
}

TEST(SnapshotFiles, SmallWritesGatherInBlocks) {
  const Example one = example(at(20), 3 * block_bytes + 5);
  TestDisk disk;
  Files files = open(disk).files;
  take(files, one, 10);
  EXPECT_EQ(text(drive(files, disk)), "taken@20");
  EXPECT_EQ(std::ranges::count(disk.kinds(), TestDisk::Kind::append), 5);  // header, three blocks, the rest
  EXPECT_EQ(disk.files().at(one.name()), one.image);
}

TEST(SnapshotFiles, ASilentDiskIsEnough) {
  const Example one = example(at(20), 1000);
  const Example two = example(at(30), 1000);
  TestDisk disk;
  disk.silent = true;
  Files files = open(disk).files;
  take(files, one);
  EXPECT_EQ(receive(files, two, 100), two.image.size());
  EXPECT_EQ(text(drive(files, disk)), "taken@20 stored@30");
  files.keep_only({two.last});
  (void)drive(files, disk);
  EXPECT_EQ(disk.files(), (Directory{{two.name(), two.image}}));
}

TEST(SnapshotFiles, WhatIsAbandonedGoes) {
  const Example one = example(at(20), 1000);
  TestDisk disk;
  Files files = open(disk).files;
  files.abandon();
  EXPECT_EQ(disk.asked(), 0U);
  files.begin(one.header());
  files.write(one.content);
  files.abandon();
  EXPECT_FALSE(files.taking());
  files.write(one.content);  // of no consequence
  files.finish();
  take(files, one);  // the next one, at once
  EXPECT_EQ(text(drive(files, disk)), "taken@20");
  EXPECT_EQ(disk.files(), (Directory{{one.name(), one.image}}));
  EXPECT_EQ(disk.mistakes, 0U);
}

TEST(SnapshotFiles, ASnapshotMayBeAbandonedAtAnyPoint) {
  const Example one = example(at(20), 1000);
  for (std::uint64_t steps = 0; steps < 6; ++steps) {
    TestDisk disk;
    Files files = open(disk).files;
    take(files, one);
    for (std::uint64_t i = 0; i < steps; ++i) step(files, disk);
    files.abandon();
    EXPECT_EQ(text(drive(files, disk)), "") << steps;
    EXPECT_EQ(disk.mistakes, 0U) << steps;
    // Once the final name was asked for, the file keeps it: it is complete.
    if (steps < 4) {
      EXPECT_THAT(names(disk), IsEmpty()) << steps;
    } else {
      EXPECT_EQ(disk.files(), (Directory{{one.name(), one.image}})) << steps;
    }
  }
}

TEST(SnapshotFiles, OneIsTakenAtATimeInThisClusterOnly) {
  TestDisk disk;
  Files files = open(disk).files;
  EXPECT_THROW(files.begin(Header{cluster + 1, at(5), voters_up_to(3)}), AssertionError);
  EXPECT_THROW(files.begin(Header{cluster, at(5), {}}), AssertionError);
  EXPECT_FALSE(files.taking());
  files.begin(header_of(at(5)));
  EXPECT_THROW(files.begin(header_of(at(6))), AssertionError);
  files.finish();
  EXPECT_THROW(files.finish(), AssertionError);
}

// ---- Sending

TEST(SnapshotFiles, ChunksMakeUpTheImage) {
  const Example one = example(at(20), 10'000);
  TestDisk disk;
  disk.set_files({{one.name(), one.image}});
  Files files = open(disk).files;
  const std::uint64_t reads = disk.reads;
  std::uint64_t offset = 0;
  while (offset < one.image.size()) {
    const auto chunk = files.chunk(one.last, offset, 777);
    ASSERT_TRUE(chunk);
    EXPECT_EQ(*chunk, one.chunk(offset, 777));
    offset += chunk->chunk.size();
  }
  EXPECT_EQ(disk.reads, reads + 1);  // however many chunks
  // All of it is there, and nothing is left: an empty chunk asks whether it has become durable.
  EXPECT_EQ(files.chunk(one.last, one.image.size(), 777), one.chunk(one.image.size(), 0));
  EXPECT_EQ(files.chunk(one.last, one.image.size() + 1, 777), std::nullopt);
  EXPECT_EQ(files.chunk(at(21), 0, 777), std::nullopt);
  EXPECT_EQ(files.chunk(at(20, 2), 0, 777), std::nullopt);
}

TEST(SnapshotFiles, AtMostTwoImagesAreKeptInMemory) {
  const std::vector<Example> all = {example(at(10), 500), example(at(20), 500), example(at(30), 500)};
  TestDisk disk;
  Directory directory;
  for (const Example& one : all) directory[one.name()] = one.image;
  disk.set_files(directory);
  Files files = open(disk).files;
  const auto reads_for = [&](std::size_t number) {
    const std::uint64_t before = disk.reads;
    EXPECT_EQ(files.chunk(all[number].last, 0, 100), all[number].chunk(0, 100));
    return disk.reads - before;
  };
  EXPECT_EQ(reads_for(0), 1U);
  EXPECT_EQ(reads_for(1), 1U);
  EXPECT_EQ(reads_for(0), 0U);
  EXPECT_EQ(reads_for(2), 1U);
  EXPECT_EQ(reads_for(0), 0U);
  EXPECT_EQ(reads_for(1), 1U);
  files.keep_only({at(10), at(20), at(30)});
  EXPECT_EQ(reads_for(1), 1U);
}

TEST(SnapshotFiles, WhatWasReplacedIsNotSentFromMemory) {
  const Example one = example(at(20), 500, 1);
  const Example other = example(at(20), 500, 2);
  TestDisk disk;
  disk.set_files({{one.name(), one.image}});
  Files files = open(disk).files;
  EXPECT_EQ(files.chunk(at(20), 0, 100), one.chunk(0, 100));
  disk.set_files({{one.name(), {}}});  // damaged meanwhile
  EXPECT_EQ(receive(files, other, 100), other.image.size());
  EXPECT_EQ(text(drive(files, disk)), "stored@20");
  EXPECT_EQ(files.chunk(at(20), 0, 100), other.chunk(0, 100));
}

TEST(SnapshotFiles, WhatCannotBeReadIsNotSent) {
  const Example one = example(at(20), 500);
  TestDisk disk;
  disk.set_files({{one.name(), one.image}});
  Files files = open(disk).files;
  disk.unreadable = one.name();
  EXPECT_EQ(files.chunk(one.last, 0, 100), std::nullopt);
  EXPECT_EQ(files.content(one.last), std::nullopt);
  disk.unreadable.clear();
  EXPECT_TRUE(files.chunk(one.last, 0, 100));
  EXPECT_TRUE(files.content(one.last));
}

TEST(SnapshotFiles, FromOneDirectoryToAnother) {
  const Example one = example(at(20, 4), 200'000);
  TestDisk source;
  TestDisk target;
  Files from = open(source).files;
  Files to = open(target).files;
  take(from, one);
  (void)drive(from, source);
  std::uint64_t offset = 0;
  while (offset < one.image.size()) offset = to.receive(*from.chunk(one.last, offset, 65'536));
  EXPECT_EQ(text(drive(to, target)), "stored@20");
  EXPECT_EQ(source.files(), target.files());
  EXPECT_EQ(to.content(one.last), one.content);
}

// ---- Opening

TEST(SnapshotFiles, OpeningTellsWhatIsThereNewestFirstAndChangesNothing) {
  const Example one = example(at(10, 1), 100);
  const Example two = example(at(300, 2), 100);
  const Example three = example(at(20, 5), 100);
  Directory directory;
  for (const Example& each : {one, two, three}) directory[each.name()] = each.image;
  directory[finished_name(at(40))] = {};
  directory[finished_name(at(21))] = one.image;  // of another name
  directory[part_name(at(50), 3)] = one.image;
  directory["LOCK"] = {};
  directory["snapshot-1-1.snap"] = one.image;
  TestDisk disk;
  disk.set_files(directory);
  const Files::Opened opened = open(disk);
  std::vector<LogId> found;
  for (const Found& each : opened.found) found.push_back(each.header.last);
  EXPECT_THAT(found, ElementsAre(two.last, three.last, one.last));
  EXPECT_THAT(opened.damaged, ElementsAre(finished_name(at(21)), finished_name(at(40))));
  EXPECT_EQ(disk.asked(), 0U);
  EXPECT_EQ(disk.files(), directory);
}

TEST(SnapshotFiles, OfAnotherClusterIsAsGoodAsDamaged) {
  const Example one = example(at(10), 100);
  TestDisk disk;
  disk.set_files({{one.name(), one.image}});
  auto opening = Files::open(disk, cluster + 1);
  auto& opened = std::get<Files::Opened>(opening);
  EXPECT_THAT(opened.found, IsEmpty());
  EXPECT_THAT(opened.damaged, ElementsAre(one.name()));
}

/// F17: what cannot be read is not taken for absent. F27: a directory has one owner.
TEST(SnapshotFiles, ADirectoryThatCannotBeReadOrIsTakenIsNotOpened) {
  const Example one = example(at(10), 100);
  TestDisk disk;
  disk.set_files({{one.name(), one.image}});
  disk.unreadable = one.name();
  EXPECT_EQ(std::get<DiskError>(Files::open(disk, cluster)), DiskError::io);
  disk.kill();
  disk.unreadable.clear();
  disk.unlistable = true;
  EXPECT_EQ(std::get<DiskError>(Files::open(disk, cluster)), DiskError::io);
  disk.kill();
  disk.unlistable = false;
  const Files::Opened opened = open(disk);
  EXPECT_EQ(std::get<DiskError>(Files::open(disk, cluster)), DiskError::locked);
}

// ---- Removing

TEST(SnapshotFiles, KeepOnlyRemovesTheRest) {
  const Example one = example(at(10), 100);
  const Example two = example(at(20), 100);
  const Example three = example(at(30), 100);
  Directory directory;
  for (const Example& each : {one, two, three}) directory[each.name()] = each.image;
  directory[finished_name(at(40))] = {};
  directory[part_name(at(50), 3)] = {};
  directory["LOCK"] = {};
  directory["other.snap"] = {};
  TestDisk disk;
  disk.set_files(directory);
  Files files = open(disk).files;
  EXPECT_TRUE(files.chunk(one.last, 0, 10));
  files.keep_only({two.last});
  EXPECT_EQ(files.chunk(one.last, 0, 10), std::nullopt);
  EXPECT_EQ(files.content(three.last), std::nullopt);
  EXPECT_TRUE(files.content(two.last));
  EXPECT_EQ(text(drive(files, disk)), "");
  EXPECT_THAT(names(disk), ElementsAre("LOCK", "other.snap", two.name()));
  EXPECT_EQ(disk.mistakes, 0U);
  const std::uint64_t asked = disk.asked();
  files.keep_only({two.last});
  EXPECT_EQ(disk.asked(), asked);
}

TEST(SnapshotFiles, KeepOnlyMayBeAskedForAgainBeforeItEnds) {
  const Example one = example(at(10), 100);
  const Example two = example(at(20), 100);
  for (std::uint64_t steps = 0; steps < 4; ++steps) {
    TestDisk disk;
    disk.set_files({{one.name(), one.image}, {two.name(), two.image}, {part_name(at(30), 1), {}}});
    Files files = open(disk).files;
    files.keep_only({one.last, two.last});
    for (std::uint64_t i = 0; i < steps && !disk.idle(); ++i) step(files, disk);
    files.keep_only({two.last});
    (void)drive(files, disk);
    EXPECT_EQ(disk.files(), (Directory{{two.name(), two.image}})) << steps;
    EXPECT_EQ(disk.mistakes, 0U) << steps;
  }
}

/// F19: the names of what stays are durable before anything goes.
TEST(SnapshotFiles, NothingIsRemovedBeforeWhatStaysIsDurable) {
  using Kind = TestDisk::Kind;
  const Example one = example(at(10), 100);
  const Example two = example(at(20), 100);
  TestDisk disk;
  disk.set_files({{one.name(), one.image}, {two.name(), two.image}});
  Files files = open(disk).files;
  files.keep_only({two.last});
  EXPECT_THAT(disk.kinds(), ElementsAre(Kind::sync_directory));
  (void)drive(files, disk);
  EXPECT_THAT(disk.kinds(), ElementsAre(Kind::sync_directory, Kind::remove, Kind::sync_directory));
}

TEST(SnapshotFiles, KeepOnlyLeavesWhatIsBeingWorkedAt) {
  const Example one = example(at(10), 1000);
  const Example two = example(at(20), 1000);
  const Example old = example(at(5), 1000);
  for (std::uint64_t steps = 0; steps < 20; ++steps) {
    TestDisk disk;
    disk.set_files({{old.name(), old.image}});
    Files files = open(disk).files;
    take(files, one);
    EXPECT_EQ(receive(files, two, 500), two.image.size());
    for (std::uint64_t i = 0; i < steps && !disk.idle(); ++i) step(files, disk);
    files.keep_only({});
    EXPECT_EQ(text(drive(files, disk)), "taken@10 stored@20") << steps;
    EXPECT_EQ(disk.files(), (Directory{{one.name(), one.image}, {two.name(), two.image}})) << steps;
    EXPECT_EQ(disk.mistakes, 0U) << steps;
    files.keep_only({two.last});
    (void)drive(files, disk);
    EXPECT_EQ(disk.files(), (Directory{{two.name(), two.image}})) << steps;
  }
}

TEST(SnapshotFiles, ADamagedFileThatIsReplacedIsNotRemovedAfterwards) {
  const Example one = example(at(10), 1000);
  for (std::uint64_t steps = 0; steps < 10; ++steps) {
    TestDisk disk;
    disk.set_files({{one.name(), {}}});
    Files files = open(disk).files;
    EXPECT_EQ(receive(files, one, 500), one.image.size());
    for (std::uint64_t i = 0; i < steps && !disk.idle(); ++i) step(files, disk);
    files.keep_only({});
    EXPECT_EQ(text(drive(files, disk)), "stored@10") << steps;
    EXPECT_EQ(disk.files(), (Directory{{one.name(), one.image}})) << steps;
  }
}

/// Given up when its final name was asked for already: neither name is removed meanwhile.
TEST(SnapshotFiles, KeepOnlyWaitsForARenamingThatNobodyWaitsFor) {
  const Example one = example(at(10), 1000);
  for (std::uint64_t steps = 0; steps < 3; ++steps) {
    TestDisk disk;
    Files files = open(disk).files;
    take(files, one);
    while (disk.kinds().back() != TestDisk::Kind::sync_directory) step(files, disk);
    files.abandon();
    for (std::uint64_t i = 0; i < steps; ++i) step(files, disk);
    files.keep_only({});
    EXPECT_EQ(text(drive(files, disk)), "") << steps;
    EXPECT_EQ(disk.mistakes, 0U) << steps;
    files.keep_only({});
    (void)drive(files, disk);
    EXPECT_THAT(names(disk), IsEmpty()) << steps;
  }
}

TEST(SnapshotFiles, LeftoversDoNotStandInTheWay) {
  const Example one = example(at(10), 100);
  TestDisk disk;
  disk.set_files({{part_name(one.last, 1), {}}, {part_name(one.last, 2), {}}});
  Files files = open(disk).files;
  take(files, one);
  EXPECT_EQ(text(drive(files, disk)), "taken@10");
  EXPECT_EQ(disk.mistakes, 0U);
}

TEST(SnapshotFiles, KeepOnlyOfADirectoryThatCannotBeListedDoesNothing) {
  const Example one = example(at(10), 100);
  TestDisk disk;
  disk.set_files({{one.name(), one.image}});
  Files files = open(disk).files;
  disk.unlistable = true;
  files.keep_only({});
  EXPECT_TRUE(disk.idle());
}

// ---- Chain

TEST(SnapshotFiles, TheChainTellsApartWhatWasAskedOfTheDisk) {
  const auto chain_of = [](const Example& one, bool abandoned, std::size_t part) {
    TestDisk disk;
    Files files = open(disk).files;
    EXPECT_EQ(files.chain(), 0U);
    take(files, one, part);
    if (abandoned) files.abandon();
    (void)drive(files, disk);
    return files.chain();
  };
  const std::uint32_t chain = chain_of(example(at(10), 1000), false, 100);
  EXPECT_EQ(chain, chain_of(example(at(10), 1000), false, 100));
  EXPECT_EQ(chain, chain_of(example(at(10), 1000), false, 333));
  EXPECT_NE(chain, chain_of(example(at(10), 1000), true, 100));
  EXPECT_NE(chain, chain_of(example(at(10), 1000, 2), false, 100));
  EXPECT_NE(chain, chain_of(example(at(11), 1000), false, 100));
  EXPECT_NE(chain, chain_of(example(at(10), 1001), false, 100));
}

}  // namespace
}  // namespace raftlab::raft::snapshot
