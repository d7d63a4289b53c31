#include "raft/snapshot/files.hpp"
#include "raft/snapshot/test_files.hpp"

#include <gtest/gtest.h>

#include <cstdio>

/// The damage matrix: every cut and every flipped bit of a small image, on the disk and on the way (F6, P40).
namespace raftlab::raft::snapshot {
namespace {

using namespace testing;

const Example& original() {
  static const Example one = example(at(9, 2), 150);
  return one;
}

template <class Check>
int damage_everything(const Check& check) {
  const std::vector<std::byte>& image = original().image;
  int count = 0;
  for (std::size_t offset = 0; offset < image.size(); ++offset) {
    std::vector<std::byte> cut = image;
    cut.resize(offset);
    check(cut, "cut at " + std::to_string(offset));
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::vector<std::byte> flipped = image;
      flipped[offset] ^= std::byte{1} << bit;
      check(flipped, "bit " + std::to_string(bit) + " of byte " + std::to_string(offset));
    }
    count += 9;
  }
  return count;
}

TEST(SnapshotDamage, WhatIsDamagedOnTheDiskIsNeitherFoundNorSentNorRead) {
  const Example older = example(at(5), 10);
  const int count = damage_everything([&](const std::vector<std::byte>& damaged, const std::string& what) {
    TestDisk disk;
    const Directory directory{{older.name(), older.image}, {original().name(), damaged}};
    disk.set_files(directory);
    Files::Opened opened = open(disk);
    ASSERT_EQ(opened.found.size(), 1U) << what;
    EXPECT_EQ(opened.found[0].header, older.header()) << what;
    EXPECT_EQ(opened.damaged, std::vector{original().name()}) << what;
    EXPECT_FALSE(opened.files.chunk(original().last, 0, 100)) << what;
    EXPECT_FALSE(opened.files.content(original().last)) << what;
    EXPECT_TRUE(disk.idle() && disk.files() == directory) << what;
  });
  std::printf("on the disk: %d of %d refused\n", count, count);
}

TEST(SnapshotDamage, WhatWasDamagedAfterItWasOpenedIsNeitherSentNorRead) {
  damage_everything([&](const std::vector<std::byte>& damaged, const std::string& what) {
    TestDisk disk;
    disk.set_files({{original().name(), original().image}});
    Files files = open(disk).files;
    disk.set_files({{original().name(), damaged}});
    EXPECT_FALSE(files.chunk(original().last, 0, 100)) << what;
    EXPECT_FALSE(files.content(original().last)) << what;
  });
}

/// The chunks say what the sender believes: total and checksum of the image that it means.
TEST(SnapshotDamage, WhatIsDamagedOnTheWayIsNotStored) {
  for (const std::size_t part : {1U, 40U, 1000U}) {
    const int count = damage_everything([&](const std::vector<std::byte>& damaged, const std::string& what) {
      if (damaged.size() < original().image.size()) return;
      TestDisk disk;
      Files files = open(disk).files;
      Example sent = original();
      sent.image = damaged;
      EXPECT_EQ(receive(files, sent, part), 0U) << what;
      EXPECT_EQ(text(drive(files, disk)), "storing_failed@9") << what;
      EXPECT_TRUE(disk.files().empty()) << what;
      EXPECT_EQ(disk.mistakes, 0U) << what;
      // The sender starts from the beginning.
      EXPECT_EQ(receive(files, original(), part), original().image.size()) << what;
      EXPECT_EQ(text(drive(files, disk)), "stored@9") << what;
    });
    std::printf("on the way, in chunks of %zu: %d flips refused\n", part, count / 9 * 8);
  }
}

/// The sender itself is wrong about the image.
TEST(SnapshotDamage, AnImageThatIsNotWhatItsChunksSayIsNotStored) {
  const auto refused = [](const char* what, const Example& sent) {
    TestDisk disk;
    Files files = open(disk).files;
    EXPECT_EQ(receive(files, sent, 64), 0U) << what;
    EXPECT_EQ(text(drive(files, disk)), "storing_failed@9") << what;
    EXPECT_TRUE(disk.files().empty()) << what;
  };
  for (std::size_t size = 1; size < original().image.size(); ++size) {
    Example cut = original();
    cut.image.resize(size);
    refused("cut", cut);
  }
  Example longer = original();
  longer.image.push_back(std::byte{0});
  refused("longer", longer);
  Example checksum = original();
  checksum.checksum ^= 1U << 31U;
  refused("another checksum", checksum);
  Example high = original();
  high.checksum ^= 1ULL << 40U;
  refused("a checksum beyond 32 bits", high);
  Example term = original();
  term.last.term = Term(3);
  refused("another last term", term);
  Example foreign = original();
  foreign.image = image_of(Header{cluster + 1, foreign.last, voters_up_to(3)}, foreign.content);
  refused("another cluster", foreign);
}

TEST(SnapshotDamage, OfANewerOneNothingHappensToTheOlderOnes) {
  const Example older = example(at(5), 10);
  TestDisk disk;
  disk.set_files({{older.name(), older.image}});
  Files files = open(disk).files;
  Example sent = original();
  sent.image[100] ^= std::byte{1};
  EXPECT_EQ(receive(files, sent, 64), 0U);
  EXPECT_EQ(text(drive(files, disk)), "storing_failed@9");
  EXPECT_EQ(disk.files(), (Directory{{older.name(), older.image}}));
}

}  // namespace
}  // namespace raftlab::raft::snapshot
