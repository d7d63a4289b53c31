#include "net/attack_host_fixture.hpp"

#include <gtest/gtest.h>

namespace raftlab::net {
namespace {

using namespace test;

/// Chunks of snapshots that do not belong together, of a member that leads.
class AttackSnapshot : public AttackHost {
 protected:
  /// A sound image of something behind the log, although no store wrote it.
  static std::vector<std::byte> image(raft::LogId last, std::uint64_t of = cluster.value()) {
    raft::Configuration configuration = raft::voters_up_to(3);
    std::vector<std::byte> bytes;
    raft::snapshot::Encoder encoder({of, last, std::move(configuration)}, bytes);
    encoder.write(std::vector<std::byte>(100'000, std::byte{0x5a}), bytes);
    encoder.finish(bytes);
    return bytes;
  }
  static std::uint64_t checksum(const std::vector<std::byte>& image) {
    raft::snapshot::Verifier verifier(cluster.value());
    return verifier.feed(image) ? verifier.checksum() : 1;
  }
  raft::Envelope chunk(raft::LogId last, const std::vector<std::byte>& image, std::size_t offset,
                       std::size_t size) {
    raft::InstallSnapshot install;
    install.last = last;
    install.offset = offset;
    install.total = image.size();
    install.checksum = checksum(image);
    const auto part = raft::Bytes(image).subspan(offset, std::min(size, image.size() - offset));
    install.chunk.assign(part.begin(), part.end());
    return from(2, base_term, install);
  }
  static raft::InstallSnapshot& content(raft::Envelope& envelope) {
    return std::get<raft::InstallSnapshot>(envelope.message);
  }
  [[nodiscard]] bool parts_are(std::size_t count) {
    return eventually([&] { return snapshot_files().size() == count; });
  }
  /// Nothing of it was taken over, whatever is in the directory.
  void expect_nothing_came_of(const Kept& before) {
    EXPECT_EQ(kept(), before);
    EXPECT_EQ(now().snapshot, raft::LogId{});
  }
};

TEST_F(AttackSnapshot, P40_WhatDoesNotBeginAtItsBeginningTakesNoFile) {
  begin();
  const auto bytes = image(at(5, 9));
  raft::Envelope huge = chunk(at(5, 9), bytes, 0, 100);
  content(huge).total = 1ULL << 60U;
  raft::Envelope nothing = chunk(at(5, 9), bytes, 0, 0);
  expect_ignored(leader(), {chunk(at(5, 9), bytes, 100, 100), huge, nothing});
  EXPECT_TRUE(snapshot_files().empty());
  raft::Envelope beyond = chunk(at(5, 9), bytes, 0, 100);
  content(beyond).total = 50;
  expect_closed(2, beyond, Reason::decode);
  // A snapshot of a term that is not there yet, or of nothing.
  expect_ignored(member(2), {chunk(at(6, 9), bytes, 0, 100), chunk(at(0, 9), bytes, 0, 100),
                             chunk(at(5, 0), bytes, 0, 100)});
  EXPECT_TRUE(snapshot_files().empty());
}

TEST_F(AttackSnapshot, P40_GapsAndOverlapsAreNotWritten) {
  begin();
  const auto bytes = image(at(5, 9));
  const Kept before = kept();
  say(leader(), {chunk(at(5, 9), bytes, 0, 1'000)});
  EXPECT_TRUE(parts_are(1));
  say(leader(), {chunk(at(5, 9), bytes, 2'000, 1'000), chunk(at(5, 9), bytes, 500, 1'000),
                 chunk(at(5, 9), bytes, 0, 1'000)});
  EXPECT_TRUE(parts_are(1));
  expect_nothing_came_of(before);
}

TEST_F(AttackSnapshot, P40_ADamagedImageIsGivenUpAndItsFileGoes) {
  begin();
  const Kept before = kept();
  const auto sound = image(at(5, 9));
  // A flipped bit in the header, in a block and in the trailer; the image of another cluster; another checksum.
  for (const std::size_t place : {std::size_t{20}, std::size_t{70'000}, sound.size() - 10}) {
    auto damaged = sound;
    damaged[place] ^= std::byte{1};
    std::vector<raft::Envelope> all;
    for (std::size_t offset = 0; offset < damaged.size(); offset += 30'000)
      all.push_back(chunk(at(5, 9), damaged, offset, 30'000));
    say(leader(), all);
    EXPECT_TRUE(parts_are(0)) << place;
  }
  say(leader(), {chunk(at(5, 9), image(at(5, 9), other_cluster.value()), 0, 30'000)});
  EXPECT_TRUE(parts_are(0));
  raft::Envelope whole = chunk(at(5, 9), sound, 0, sound.size());
  content(whole).checksum ^= 1U;
  say(leader(), {whole});
  EXPECT_TRUE(parts_are(0));
  whole = chunk(at(5, 8), sound, 0, sound.size());  // whose header names another entry
  say(leader(), {whole});
  EXPECT_TRUE(parts_are(0));
  expect_nothing_came_of(before);
}

TEST_F(AttackSnapshot, P40_AHundredImagesAtOnceAreOne) {
  begin();
  const Kept before = kept();
  std::size_t most = 0;
  for (std::uint64_t index = 9; index < 109; ++index) {
    say(leader(), {chunk(at(5, index), image(at(5, index)), 0, 1'000)});
    most = std::max(most, snapshot_files().size());
  }
  EXPECT_TRUE(parts_are(1)) << "the files of those that were given up";
  EXPECT_LE(most, 3U) << "one, and those whose removal is on its way";
  expect_nothing_came_of(before);
}

TEST_F(AttackSnapshot, P40_WhatIsNeverFinishedGoesWhenTheNodeHasASnapshotThatIsNewer) {
  begin();
  say(leader(), {chunk(at(5, 7), image(at(5, 7)), 0, 1'000)});
  EXPECT_TRUE(parts_are(1));
  say(leader(), {from(2, base_term, append(at(5, 5), {5, 5, 5}, 8))});
  ASSERT_TRUE(eventually([&] { return now().applied == raft::Index(8); }));
  run([&] { host_->take_snapshot(); });
  ASSERT_TRUE(eventually([&] { return now().snapshot == at(5, 8); }));
  EXPECT_TRUE(eventually([&] {
    const auto files = snapshot_files();
    return files.size() == 1 && files.front().ends_with(".snap");
  })) << snapshot_files().size();
}

TEST_F(AttackSnapshot, P41_WhatIsAppliedAlreadyIsNotStored) {
  begin();
  for (const std::uint64_t index : {1U, 2U, 4U}) {
    const raft::LogId last = at(index == 1 ? 1 : 5, index);
    expect_ignored(leader(), {chunk(last, image(last), 0, 1'000'000)});
  }
  EXPECT_TRUE(snapshot_files().empty());
}

TEST_F(AttackSnapshot, P41_WhoDoesNotLeadSendsNoSnapshots) {
  begin();
  raft::Envelope envelope = chunk(at(5, 9), image(at(5, 9)), 0, 1'000);
  envelope.from = raft::NodeId(3);
  expect_closed(3, envelope, Reason::two_leaders);
  envelope.term = raft::Term(base_term - 1);
  expect_ignored(member(3), {envelope});
  EXPECT_TRUE(snapshot_files().empty());
}

}  // namespace
}  // namespace raftlab::net
