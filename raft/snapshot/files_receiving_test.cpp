#include "raft/snapshot/files.hpp"
#include "raft/snapshot/test_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// What comes in chunks from another node.
namespace raftlab::raft::snapshot {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(SnapshotReceiving, WhatIsReceivedIsTheSameFile) {
  for (const std::size_t part : {1U, 7U, 1000U, 70'000U, 1'000'000U}) {
    const Example one = example(at(20), part == 1 ? 300 : 150'000);
    TestDisk disk;
    Files files = open(disk).files;
    EXPECT_EQ(receive(files, one, part), one.image.size());
    EXPECT_THAT(files.take_events(), IsEmpty());
    const auto events = drive(files, disk);
    ASSERT_EQ(text(events), "stored@20");
    EXPECT_EQ(events[0].configuration, one.header().configuration);
    EXPECT_EQ(disk.files(), (Directory{{one.name(), one.image}}));
    EXPECT_EQ(files.content(one.last), one.content);
  }
}

TEST(SnapshotReceiving, OnlyAChunkAtTheExpectedOffsetExtends) {
  const Example one = example(at(20), 1000);
  TestDisk disk;
  Files files = open(disk).files;
  EXPECT_EQ(files.receive(one.chunk(100, 100)), 0U);
  EXPECT_EQ(files.receive(one.chunk(0, 0)), 0U);
  EXPECT_EQ(disk.asked(), 0U);
  EXPECT_EQ(files.receive(one.chunk(0, 100)), 100U);
  EXPECT_EQ(files.receive(one.chunk(0, 100)), 100U);
  EXPECT_EQ(files.receive(one.chunk(50, 100)), 100U);  // no overlap is taken apart
  EXPECT_EQ(files.receive(one.chunk(200, 100)), 100U);
  EXPECT_EQ(files.receive(one.chunk(100, 0)), 100U);
  EXPECT_EQ(files.receive(one.chunk(100, 2000)), one.image.size());
  EXPECT_EQ(files.receive(one.chunk(one.image.size(), 0)), one.image.size());
  EXPECT_EQ(files.receive(one.chunk(0, 100)), one.image.size());
  EXPECT_EQ(text(drive(files, disk)), "stored@20");
}

TEST(SnapshotReceiving, ChunksThatCannotBeAreDropped) {
  const Example one = example(at(20), 1000);
  TestDisk disk;
  Files files = open(disk).files;
  const auto receive_with = [&](auto change) {
    InstallSnapshot chunk = one.chunk(0, 100);
    change(chunk);
    return files.receive(chunk);
  };
  EXPECT_EQ(receive_with([](InstallSnapshot& chunk) { chunk.total = Files::received_bytes_max + 1; }), 0U);
  EXPECT_EQ(receive_with([](InstallSnapshot& chunk) { chunk.total = 99; }), 0U);
  EXPECT_EQ(receive_with([](InstallSnapshot& chunk) { chunk.total = 0; }), 0U);
  EXPECT_EQ(receive_with([](InstallSnapshot& chunk) { chunk.last.index = Index(); }), 0U);
  EXPECT_EQ(receive_with([](InstallSnapshot& chunk) { chunk.last.term = Term(); }), 0U);
  EXPECT_EQ(receive_with([](InstallSnapshot& chunk) { chunk.offset = ~0ULL; }), 0U);
  EXPECT_EQ(disk.asked(), 0U);
  EXPECT_EQ(files.receive(one.chunk(0, 100)), 100U);
  EXPECT_EQ(receive_with([](InstallSnapshot& chunk) { chunk.offset = ~0ULL; }), 100U);
  EXPECT_EQ(text(drive(files, disk)), "");
}

TEST(SnapshotReceiving, ANewerSnapshotTakesThePlaceOfAnOlderOne) {
  const Example older = example(at(20), 1000);
  const Example newer = example(at(30), 1000);
  TestDisk disk;
  Files files = open(disk).files;
  EXPECT_EQ(files.receive(older.chunk(0, 100)), 100U);
  EXPECT_EQ(files.receive(newer.chunk(100, 100)), 0U);  // that one has to begin at its beginning
  EXPECT_EQ(files.receive(older.chunk(100, 100)), 200U);
  EXPECT_EQ(files.receive(newer.chunk(0, 100)), 100U);
  EXPECT_EQ(files.receive(older.chunk(200, 100)), 0U);
  EXPECT_EQ(files.receive(newer.chunk(100, 2000)), newer.image.size());
  EXPECT_EQ(files.receive(older.chunk(0, 100)), 0U) << "the newer one is complete";
  EXPECT_EQ(text(drive(files, disk)), "stored@30");
  EXPECT_EQ(disk.files(), (Directory{{newer.name(), newer.image}}));
  EXPECT_EQ(disk.mistakes, 0U);
}

TEST(SnapshotReceiving, AnOlderSnapshotTakesThePlaceOfAPartOfANewerOne) {
  // A new leader may have an older snapshot than the one before, and nobody else sends the newer one.
  const Example older = example(at(20), 1000);
  const Example newer = example(at(30), 1000);
  TestDisk disk;
  Files files = open(disk).files;
  EXPECT_EQ(files.receive(newer.chunk(0, 100)), 100U);
  EXPECT_EQ(files.receive(older.chunk(0, 100)), 100U);
  EXPECT_EQ(files.receive(newer.chunk(100, 100)), 0U);
  EXPECT_EQ(files.receive(older.chunk(100, 2000)), older.image.size());
  EXPECT_EQ(text(drive(files, disk)), "stored@20");
  EXPECT_EQ(disk.files(), (Directory{{older.name(), older.image}}));
  EXPECT_EQ(disk.mistakes, 0U);
}

TEST(SnapshotReceiving, AnotherImageOfTheSameSnapshotStartsAgain) {
  const Example one = example(at(20), 1000, 1);
  const Example other = example(at(20), 1000, 2);
  TestDisk disk;
  Files files = open(disk).files;
  EXPECT_EQ(files.receive(one.chunk(0, 500)), 500U);
  EXPECT_EQ(files.receive(other.chunk(500, 500)), 0U);
  EXPECT_EQ(files.receive(one.chunk(500, 100)), 600U);
  EXPECT_EQ(files.receive(other.chunk(0, 500)), 500U);
  EXPECT_EQ(files.receive(one.chunk(600, 1000)), 0U);
  EXPECT_EQ(files.receive(other.chunk(500, 1000)), other.image.size());
  EXPECT_EQ(text(drive(files, disk)), "stored@20");
  EXPECT_EQ(disk.files(), (Directory{{other.name(), other.image}}));
}

TEST(SnapshotReceiving, ASnapshotThatIsHereIsStoredAtOnce) {
  const Example one = example(at(20), 1000);
  TestDisk disk;
  Files files = open(disk).files;
  take(files, one);
  (void)drive(files, disk);
  const std::uint64_t asked = disk.asked();
  EXPECT_EQ(files.receive(one.chunk(100, 100)), 0U);
  EXPECT_EQ(files.receive(one.chunk(0, 100)), one.image.size());
  EXPECT_EQ(disk.asked(), asked);
  const auto events = files.take_events();
  ASSERT_EQ(text(events), "stored@20");
  EXPECT_EQ(events[0].configuration, one.header().configuration);
}

/// The process before this one may have been killed between the rename and the sync of the directory.
TEST(SnapshotReceiving, ASnapshotThatWasFoundIsStoredOnceItsNameIsDurable) {
  const Example one = example(at(20), 1000);
  TestDisk disk;
  disk.set_files({{one.name(), one.image}});
  Files files = open(disk).files;
  EXPECT_EQ(files.receive(one.chunk(0, 100)), one.image.size());
  EXPECT_EQ(files.receive(one.chunk(0, 100)), one.image.size());
  EXPECT_EQ(disk.kinds(), std::vector{TestDisk::Kind::sync_directory});
  EXPECT_EQ(text(files.take_events()), "");
  EXPECT_EQ(text(drive(files, disk)), "stored@20");
}

TEST(SnapshotReceiving, ASnapshotWhoseNameIsOnItsWayIsStoredNoEarlierThanThat) {
  const Example one = example(at(10), 1000);
  const Example two = example(at(20), 1000);
  TestDisk disk;
  Files files = open(disk).files;
  take(files, one);
  (void)drive(files, disk);
  take(files, two);
  while (disk.kinds().back() != TestDisk::Kind::sync_directory || disk.done() + 1 < disk.asked())
    step(files, disk);
  ASSERT_TRUE(disk.files().contains(two.name()));
  EXPECT_EQ(files.receive(two.chunk(0, 100)), two.image.size());
  EXPECT_EQ(text(files.take_events()), "");
  EXPECT_EQ(text(drive(files, disk)), "taken@20 stored@20");
}

TEST(SnapshotReceiving, ADamagedSnapshotIsReplacedByTheReceivedOne) {
  const Example one = example(at(20), 1000);
  TestDisk disk;
  auto damaged = one.image;
  damaged[500] ^= std::byte{1};
  disk.set_files({{one.name(), damaged}});
  Files::Opened opened = open(disk);
  EXPECT_THAT(opened.damaged, ElementsAre(one.name()));
  EXPECT_EQ(opened.files.content(one.last), std::nullopt);
  EXPECT_EQ(opened.files.chunk(one.last, 0, 100), std::nullopt);
  EXPECT_EQ(receive(opened.files, one, 100), one.image.size());
  EXPECT_EQ(text(drive(opened.files, disk)), "stored@20");
  EXPECT_EQ(disk.files(), (Directory{{one.name(), one.image}}));
  EXPECT_EQ(opened.files.content(one.last), one.content);
}

TEST(SnapshotReceiving, TheSameSnapshotMayBeTakenAndReceivedAtOnce) {
  const Example one = example(at(20), 1000);
  TestDisk disk;
  Files files = open(disk).files;
  files.begin(one.header());
  EXPECT_EQ(files.receive(one.chunk(0, 500)), 500U);
  files.write(one.content);
  files.finish();
  EXPECT_EQ(files.receive(one.chunk(500, 1000)), one.image.size());
  EXPECT_EQ(text(drive(files, disk)), "taken@20 stored@20");
  EXPECT_EQ(disk.files(), (Directory{{one.name(), one.image}}));
  EXPECT_EQ(disk.mistakes, 0U);
}

}  // namespace
}  // namespace raftlab::raft::snapshot
