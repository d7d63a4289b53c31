#include "raft/wal/record.hpp"
#include "raft/wal/test_state.hpp"
#include "raft/wal/wal.hpp"

#include <gtest/gtest.h>

/// The damage matrix: every cut and every flipped bit of small logs (R4). What must come of each is computed from
/// where the records lie, not from the bytes.
namespace raftlab::raft::wal {
namespace {

using namespace testing;

/// A log at rest whose state after each record is known.
struct Example {
  struct Record {
    std::string file;
    std::size_t end = 0;  ///< offset behind it
    State state;          ///< when it is the last one
  };
  Files files;
  std::vector<Record> records;
  bool first_life = true;  ///< nothing but the creation of the log stands before its first record
  WalOptions options;

  [[nodiscard]] const std::string& last_file() const { return files.rbegin()->first; }
};

void note_record(const TestDisk& disk, const State& state, Example& example) {
  const Files files = disk.files();
  const auto& [file, bytes] = *files.rbegin();
  example.records.push_back({file, bytes.size(), state});
}

/// `lives` times: open the log, then write until the last life has `count` records.
Example make_example(std::size_t count, const WalOptions& options, int lives) {
  Example example;
  example.options = options;
  TestDisk disk;
  State state;
  for (int life = 1; life <= lives; ++life) {
    Opening opening = testing::open(disk, options);
    auto& opened = std::get<Wal::Opened>(opening);
    state = state_of(opened.recovered);
    drive(opened.wal, disk);
    example.records.clear();
    note_record(disk, state, example);
    for (WriteSeq seq(2); seq.value() <= count; seq = seq.next()) {
      const Write write = write_behind(state, seq);
      apply(write, state);
      opened.wal.write(write);
      drive(opened.wal, disk);
      note_record(disk, state, example);
    }
    disk.kill();
  }
  example.first_life = lives == 1;
  example.files = disk.files();
  return example;
}

struct Counts {
  int started = 0;
  int refused = 0;
};

/// `expected`: how many records must come back; none: a refusal is due.
void check(const Example& example, const Files& files, std::optional<std::size_t> expected, Counts& counts,
           const std::string& what) {
  TestDisk disk;
  disk.set_files(files);
  Opening opening = testing::open(disk, example.options);
  if (const auto* refusal = std::get_if<Refusal>(&opening)) {
    ++counts.refused;
    EXPECT_FALSE(expected) << what << ": refused, but must start: " << name(refusal->code) << ' '
                           << refusal->detail;
    EXPECT_TRUE(disk.idle() && disk.files() == files) << what << ": a refusal must not touch the files";
    EXPECT_FALSE(refusal->file.empty() || refusal->detail.empty()) << what;
    return;
  }
  ++counts.started;
  auto& opened = std::get<Wal::Opened>(opening);
  ASSERT_TRUE(expected) << what << ": started, but must refuse";
  const State state = *expected == 0 ? state_of(first_state()) : example.records[*expected - 1].state;
  EXPECT_EQ(state_of(opened.recovered), state)
      << what << ": not the exact prefix of " << *expected << " records";
  EXPECT_EQ(opened.fresh, *expected == 0) << what;
  EXPECT_LE(opened.recovered.durable, state.log.last()) << what;
  // The repair is complete: a second start finds the same, without a torn tail.
  drive(opened.wal, disk);
  disk.kill();
  Opening again = testing::open(disk, example.options);
  ASSERT_TRUE(std::holds_alternative<Wal::Opened>(again)) << what << ": " << std::get<Refusal>(again).detail;
  EXPECT_EQ(state_of(std::get<Wal::Opened>(again).recovered), state) << what;
  EXPECT_FALSE(std::get<Wal::Opened>(again).torn_tail) << what;
}

/// Records that lie completely in front of this place. Of a file before the last one: those of the whole log before it.
std::size_t records_before(const Example& example, const std::string& file, std::size_t offset) {
  std::size_t count = 0;
  for (const auto& record : example.records) {
    if (record.file < file || (record.file == file && record.end <= offset)) ++count;
  }
  return count;
}

Counts damage_everything(const Example& example) {
  Counts counts;
  for (const auto& [file, bytes] : example.files) {
    const bool last_file = file == example.last_file();
    for (std::size_t offset = 0; offset < bytes.size(); ++offset) {
      const std::size_t intact = records_before(example, file, offset);
      const bool life_is_proven = intact > 0 || example.first_life;

      Files cut = example.files;
      cut[file].resize(offset);
      const bool cut_is_tail = last_file && life_is_proven;
      check(example, cut, cut_is_tail ? std::optional(intact) : std::nullopt, counts,
            file + " cut at " + std::to_string(offset));

      const bool in_last_record = last_file && intact + 1 == example.records.size() &&
                                  offset >= segment_header_bytes && life_is_proven;
      for (unsigned bit = 0; bit < 8; ++bit) {
        Files flipped = example.files;
        flipped[file][offset] ^= std::byte{1} << bit;
        check(example, flipped, in_last_record ? std::optional(intact) : std::nullopt, counts,
              file + " bit " + std::to_string(bit) + " of byte " + std::to_string(offset));
        if (::testing::Test::HasFatalFailure()) return counts;
      }
    }
  }
  return counts;
}

void expect_both(const char* title, const Counts& counts) {
  std::printf("%s: %d started with the exact prefix, %d refused\n", title, counts.started, counts.refused);
  EXPECT_GT(counts.started, 0);
  EXPECT_GT(counts.refused, 0);
}

TEST(DamageMatrix, OneSegmentOfTwentyRecords) {
  const Example example = make_example(20, WalOptions{}, 1);
  ASSERT_EQ(example.records.size(), 20U);
  ASSERT_EQ(example.files.size(), 1U);
  expect_both("one segment", damage_everything(example));
}

TEST(DamageMatrix, TwoSegments) {
  WalOptions options;
  options.segment_bytes = 800;
  const Example example = make_example(20, options, 1);
  ASSERT_EQ(example.files.size(), 2U);
  expect_both("two segments", damage_everything(example));
}

TEST(DamageMatrix, AfterARestart) {
  const Example example = make_example(5, WalOptions{}, 2);
  ASSERT_EQ(example.files.size(), 1U);
  expect_both("after a restart", damage_everything(example));
}

TEST(DamageMatrix, AfterARestartInThreeSegments) {
  WalOptions options;
  options.segment_bytes = 300;
  const Example example = make_example(9, options, 2);
  ASSERT_GE(example.files.size(), 3U);
  expect_both("three segments after a restart", damage_everything(example));
}

TEST(DamageMatrix, RightAfterARestartTheCheckpointAloneIsRefusedWithEveryDamage) {
  const Example example = make_example(1, WalOptions{}, 2);
  ASSERT_EQ(example.files.size(), 1U);
  const Counts counts = damage_everything(example);
  EXPECT_EQ(counts.started, 0);
  EXPECT_GT(counts.refused, 0);
}

/// Nothing valid is left behind the damage, but a header that knows better.
TEST(DamageMatrix, ATornRecordWhoseHeaderCoversADamagedOneProvesThatItCounted) {
  const Example example = make_example(5, WalOptions{}, 1);
  Files files = example.files;
  auto& bytes = files.begin()->second;
  bytes[example.records[3].end - 1] ^= std::byte{1};
  bytes.resize(bytes.size() - 1);
  TestDisk disk;
  disk.set_files(files);
  const Opening opening = testing::open(disk);
  ASSERT_TRUE(std::holds_alternative<Refusal>(opening));
  const auto& refusal = std::get<Refusal>(opening);
  EXPECT_EQ(refusal.code, RefusalCode::corrupt_committed);
  EXPECT_EQ(refusal.file, example.files.begin()->first);
  EXPECT_EQ(refusal.offset, example.records[2].end);
  EXPECT_EQ(disk.files(), files);
}

/// A crash between the new checkpoint and the removal of what it replaces: the old segments still count.
TEST(DamageMatrix, ADamagedCheckpointBesideTheOldSegmentsChangesNothing) {
  const Example old = make_example(6, WalOptions{}, 1);
  TestDisk disk;
  disk.set_files(old.files);
  Opening opening = testing::open(disk);
  auto& wal = std::get<Wal::Opened>(opening).wal;
  while (disk.files().size() < 2 || disk.files().rbegin()->second.empty()) (void)wal.complete(disk.step());
  const Files both = disk.files();
  const std::string fresh = both.rbegin()->first;
  Counts counts;
  for (std::size_t offset = 0; offset < both.at(fresh).size(); ++offset) {
    Files cut = both;
    cut[fresh].resize(offset);
    check(old, cut, old.records.size(), counts, "cut at " + std::to_string(offset));
    for (unsigned bit = 0; bit < 8; ++bit) {
      if (offset >= 8 && offset < 12) continue;  // another version, which is refused whatever else is there
      // A header that is damaged though its record is valid is no torn creation.
      const bool header = offset < segment_header_bytes;
      Files flipped = both;
      flipped[fresh][offset] ^= std::byte{1} << bit;
      check(old, flipped, header ? std::nullopt : std::optional(old.records.size()), counts,
            "bit of byte " + std::to_string(offset));
    }
  }
  expect_both("beside the old segments", counts);
}

}  // namespace
}  // namespace raftlab::raft::wal
