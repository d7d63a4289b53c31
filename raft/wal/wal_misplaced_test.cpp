#include "raft/wal/record.hpp"
#include "raft/wal/test_state.hpp"
#include "raft/wal/wal.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>

/// Disks that lie about where or whether they wrote: bytes that are valid, but not here or not now. Each ends in a
/// refusal that leaves the files alone; docs/faults.md names the faults.
namespace raftlab::raft::wal {
namespace {

using namespace testing;

/// Twelve records over several segments, and where each record of the last segment ends.
struct Written {
  Files files;
  std::vector<std::size_t> ends;

  [[nodiscard]] std::vector<std::byte>& last_file() { return files.rbegin()->second; }
};

WalOptions small_segments() {
  WalOptions options;
  options.segment_bytes = 500;
  return options;
}

Written write_log(const Identity& owner = identity) {
  TestDisk disk;
  Opening opening = Wal::open(disk, owner, small_segments(), first_state());
  auto& opened = std::get<Wal::Opened>(opening);
  State state = state_of(opened.recovered);
  opened.wal.begin(opened.recovered);
  drive(opened.wal, disk);
  Written written;
  std::size_t segments = 0;
  for (WriteSeq seq(2); seq.value() <= 12; seq = seq.next()) {
    const Write write = write_behind(state, seq);
    apply(write, state);
    opened.wal.write(write);
    drive(opened.wal, disk);
    written.files = disk.files();
    if (written.files.size() != segments) written.ends.clear();
    segments = written.files.size();
    written.ends.push_back(written.last_file().size());
  }
  return written;
}

/// What the start says to these files; it must be a refusal.
RefusalCode refusal_of(const Files& files) {
  TestDisk disk;
  disk.set_files(files);
  Opening opening = Wal::open(disk, identity, small_segments(), first_state());
  const auto* refusal = std::get_if<Refusal>(&opening);
  if (refusal == nullptr) {
    ADD_FAILURE() << "it started";
    return RefusalCode::unreadable;
  }
  EXPECT_TRUE(disk.idle());
  EXPECT_EQ(disk.files(), files);
  return refusal->code;
}

TEST(MisplacedBytes, TheExampleHasSegmentsAndRecordsToMisplace) {
  const Written written = write_log();
  EXPECT_GE(written.files.size(), 2U);
  EXPECT_GE(written.ends.size(), 2U);
}

/// F4: a header of zeros is no end of the log when something valid follows, wherever it is.
TEST(MisplacedBytes, AZeroedHeaderInTheMiddleIsDamage) {
  Written written = write_log();
  for (const auto& [name, bytes] : written.files) {
    std::size_t at = segment_header_bytes;
    std::uint32_t records = 0;
    while (at < bytes.size()) {
      Files files = written.files;
      const auto header = files[name].begin() + static_cast<std::ptrdiff_t>(at);
      std::fill_n(header, record_header_bytes, std::byte{0});
      const ReadRecord record = read_record(Bytes(bytes).subspan(at), identity_checksum(identity));
      ASSERT_EQ(record.state, RecordState::valid);
      at += record.bytes;
      ++records;
      if (name == written.files.rbegin()->first && at == bytes.size()) break;  // the last one is a torn tail
      EXPECT_EQ(refusal_of(files), RefusalCode::corrupt_middle) << name << ", record " << records;
    }
    EXPECT_GT(records, 0U);
  }
}

/// F8: a write that the disk acknowledged and forgot leaves a gap that the sequence and the chain show.
TEST(MisplacedBytes, ALostRecordBeforeAnotherIsDamage) {
  Written written = write_log();
  auto& bytes = written.last_file();
  bytes.erase(bytes.begin() + segment_header_bytes,
              bytes.begin() + static_cast<std::ptrdiff_t>(written.ends[0]));
  EXPECT_EQ(refusal_of(written.files), RefusalCode::corrupt_middle);
}

/// F9: a record in the place of another one of the same log.
TEST(MisplacedBytes, ARecordThatStandsTwiceIsDamage) {
  Written written = write_log();
  auto& bytes = written.last_file();
  const std::vector<std::byte> first(bytes.begin() + segment_header_bytes,
                                     bytes.begin() + static_cast<std::ptrdiff_t>(written.ends[0]));
  const auto second = bytes.begin() + static_cast<std::ptrdiff_t>(written.ends[0]);
  std::copy_n(first.begin(), std::min<std::ptrdiff_t>(std::ssize(first), bytes.end() - second), second);
  EXPECT_EQ(refusal_of(written.files), RefusalCode::corrupt_middle);
}

/// F9, F10: a segment under the name of another one.
TEST(MisplacedBytes, ASegmentUnderAnotherNameIsDamage) {
  Written written = write_log();
  written.files.rbegin()->second = written.files.begin()->second;
  EXPECT_EQ(refusal_of(written.files), RefusalCode::corrupt_header);
}

/// F10: what a recycled file held before. Records of another log never count, not even at the end of ours.
TEST(MisplacedBytes, RecordsOfAnotherLogDoNotCount) {
  Identity other = identity;
  other.node = NodeId(identity.node.value() + 1);
  Written ours = write_log();
  Written theirs = write_log(other);
  auto& bytes = ours.last_file();
  const std::size_t kept = bytes.size();
  const auto& foreign = theirs.last_file();
  bytes.insert(bytes.end(), foreign.begin() + segment_header_bytes, foreign.end());
  TestDisk disk;
  disk.set_files(ours.files);
  Opening opening = Wal::open(disk, identity, small_segments(), first_state());
  ASSERT_TRUE(std::holds_alternative<Wal::Opened>(opening)) << std::get<Refusal>(opening).detail;
  EXPECT_TRUE(std::get<Wal::Opened>(opening).torn_tail);
  bytes.resize(kept);
  TestDisk clean;
  clean.set_files(ours.files);
  Opening expected = Wal::open(clean, identity, small_segments(), first_state());
  EXPECT_EQ(state_of(std::get<Wal::Opened>(opening).recovered),
            state_of(std::get<Wal::Opened>(expected).recovered));

  Files foreign_segment = write_log().files;
  foreign_segment.rbegin()->second = foreign;
  EXPECT_EQ(refusal_of(foreign_segment), RefusalCode::wrong_identity);
}

/// F30: a start that must refuse needs no room to say so, and one that may start fails when it writes, not when it reads.
TEST(MisplacedBytes, AFullDiskIsToldWhenTheLogIsWrittenNotWhenItIsRead) {
  const Written written = write_log();
  TestDisk disk;
  disk.set_files(written.files);
  Opening opening = Wal::open(disk, identity, small_segments(), first_state());
  ASSERT_TRUE(std::holds_alternative<Wal::Opened>(opening));
  auto& opened = std::get<Wal::Opened>(opening);
  EXPECT_TRUE(disk.idle());
  disk.fail_at = OperationId(disk.asked() + 2);
  disk.fail_with = DiskError::no_space;
  opened.wal.begin(opened.recovered);
  std::optional<DiskError> told;
  while (!disk.idle() && !told) {
    if (const auto outcome = opened.wal.complete(disk.step()); outcome) told = outcome->error;
  }
  EXPECT_EQ(told, DiskError::no_space);
  for (const auto& [name, bytes] : written.files) EXPECT_EQ(disk.files().at(name), bytes);
}

}  // namespace
}  // namespace raftlab::raft::wal
