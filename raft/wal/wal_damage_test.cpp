#include "raft/wal/record.hpp"
#include "raft/wal/test_state.hpp"
#include "raft/wal/wal.hpp"

#include <gtest/gtest.h>

/// The damage matrix: every cut and every flipped bit of small logs (R4). What must come of each is computed
/// from where the records lie, not from the bytes.
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

struct Expected {
  State state;
  bool fresh = false;
};

/// `expected`: what must come back; none: a refusal is due.
void check(const Files& files, const std::optional<Expected>& expected, const WalOptions& options,
           Counts& counts, const std::string& what) {
  TestDisk disk;
  disk.set_files(files);
  Opening opening = testing::open(disk, options);
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
  const State& state = expected->state;
  EXPECT_EQ(state_of(opened.recovered), state) << what << ": not the exact prefix";
  EXPECT_EQ(opened.fresh, expected->fresh) << what;
  EXPECT_LE(opened.recovered.durable, state.log.last()) << what;
  // The repair is complete: a second start finds the same, without a torn tail.
  drive(opened.wal, disk);
  disk.kill();
  Opening again = testing::open(disk, options);
  ASSERT_TRUE(std::holds_alternative<Wal::Opened>(again)) << what << ": " << std::get<Refusal>(again).detail;
  EXPECT_EQ(state_of(std::get<Wal::Opened>(again).recovered), state) << what;
  EXPECT_FALSE(std::get<Wal::Opened>(again).torn_tail) << what;
}

/// `expected`: how many records must come back.
void check(const Example& example, const Files& files, std::optional<std::size_t> expected, Counts& counts,
           const std::string& what) {
  std::optional<Expected> state;
  if (expected == std::size_t{0}) state = Expected{state_of(first_state()), true};
  if (expected && *expected > 0) state = Expected{example.records[*expected - 1].state};
  check(files, state, example.options, counts, what);
}

/// Records that lie completely in front of this place. Of a file before the last one: those of the whole log
/// before it.
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

/// A process that wrote `before`, then a checkpoint, then as many writes as `behind` says.
struct Checkpointed {
  Example old;                ///< up to the checkpoint
  Example running;            ///< from the checkpoint on; its first record is the checkpoint as a whole
  std::vector<Files> stages;  ///< after each change of the disk while the checkpoint was written
};

Checkpointed make_checkpoint(std::size_t behind, const WalOptions& options, bool received = false) {
  Checkpointed result;
  result.old.options = result.running.options = options;
  TestDisk disk;
  Opening opening = testing::open(disk, options);
  auto& opened = std::get<Wal::Opened>(opening);
  State state = state_of(opened.recovered);
  drive(opened.wal, disk);
  note_record(disk, state, result.old);
  WriteSeq seq(2);
  const auto write_on = [&](std::size_t count, Example& example) {
    for (; count > 0; --count, seq = seq.next()) {
      const Write write = write_behind(state, seq);
      apply(write, state);
      opened.wal.write(write);
      drive(opened.wal, disk);
      note_record(disk, state, example);
    }
  };
  write_on(8, result.old);
  result.old.files = disk.files();
  opened.wal.write(received ? installed_snapshot(state, seq, LogId{state.hard.term, Index(90)})
                            : own_snapshot(state, seq, Index(state.log.last().value() - 2), 3));
  seq = seq.next();
  while (!disk.idle()) {
    (void)opened.wal.complete(disk.step());
    result.stages.push_back(disk.files());
  }
  note_record(disk, state, result.running);
  result.running.first_life = false;
  write_on(behind, result.running);
  result.running.files = disk.files();
  return result;
}

TEST(DamageMatrix, ARunningCheckpointAloneIsRefusedWithEveryDamage) {
  for (const bool received : {false, true}) {
    const Checkpointed example = make_checkpoint(0, WalOptions{}, received);
    ASSERT_EQ(example.running.files.size(), 1U);
    const Counts counts = damage_everything(example.running);
    std::printf("running checkpoint alone: %d started, %d refused\n", counts.started, counts.refused);
    EXPECT_EQ(counts.started, 0);
    EXPECT_GT(counts.refused, 0);
  }
}

TEST(DamageMatrix, ARunningCheckpointAndWritesBehindIt) {
  const Checkpointed example = make_checkpoint(5, WalOptions{});
  ASSERT_EQ(example.running.files.size(), 1U);
  expect_both("running checkpoint and writes behind it", damage_everything(example.running));
}

TEST(DamageMatrix, ARunningCheckpointInSeveralSegmentsAndWritesBehindIt) {
  WalOptions options;
  options.segment_bytes = 200;
  options.record_bytes_max = 60;
  const Checkpointed example = make_checkpoint(6, options);
  ASSERT_GE(example.running.files.size(), 3U);
  // Where the checkpoint is cut within its last segment, nothing of it counts, and nothing else is there.
  expect_both("running checkpoint in several segments", damage_everything(example.running));
}

/// What a file looks like when `change` has damaged it: each cut, and each flipped bit.
template <class Check>
void each_damage(const Files& files, const std::string& file, const Check& damaged) {
  for (std::size_t offset = 0; offset < files.at(file).size(); ++offset) {
    Files cut = files;
    cut[file].resize(offset);
    damaged(cut, offset, true, file + " cut at " + std::to_string(offset));
    for (unsigned bit = 0; bit < 8; ++bit) {
      Files flipped = files;
      flipped[file][offset] ^= std::byte{1} << bit;
      damaged(flipped, offset, false,
              file + " bit " + std::to_string(bit) + " of byte " + std::to_string(offset));
    }
  }
}

/// 0 is no version: a torn creation leaves it.
bool has_another_version(const std::vector<std::byte>& bytes) {
  std::uint32_t version = 0;
  for (std::size_t i = 4; i > 0; --i) version = version << 8U | std::to_integer<std::uint32_t>(bytes[7 + i]);
  return version != format_version && version != 0;
}

/// A crash between the end of the checkpoint and the removal of the life before: nobody was told of it yet.
/// Damage to it gives what was before; damage to what it replaces matters no more.
TEST(DamageMatrix, ARunningCheckpointBesideTheOldLife) {
  const Checkpointed example = make_checkpoint(0, WalOptions{});
  const std::string old_file = example.old.last_file();
  const std::string new_file = example.running.last_file();
  const auto both = std::ranges::find_if(example.stages, [&](const Files& files) {
    return files.contains(new_file) && !files.at(new_file).empty();
  });
  ASSERT_NE(both, example.stages.end());
  ASSERT_EQ(both->size(), 2U);
  const Expected old{example.old.records.back().state};
  const Expected next{example.running.records.back().state};
  Counts counts;
  check(*both, next, WalOptions{}, counts, "undamaged");
  each_damage(
      *both, new_file, [&](const Files& files, std::size_t offset, bool cut, const std::string& what) {
        const bool header = !cut && offset < segment_header_bytes;  // its record is valid: no torn creation
        check(files, header ? std::nullopt : std::optional(old), WalOptions{}, counts, what);
      });
  expect_both("running checkpoint beside the old life, damaged", counts);
  counts = {};
  each_damage(*both, old_file, [&](const Files& files, std::size_t, bool cut, const std::string& what) {
    const bool version = !cut && has_another_version(files.at(old_file));
    check(files, version ? std::nullopt : std::optional(next), WalOptions{}, counts, what);
  });
  Files gone = *both;
  gone.erase(old_file);
  check(gone, next, WalOptions{}, counts, "the old life is gone");
  expect_both("old life beside a running checkpoint, damaged", counts);
}

/// The first record of the checkpoint is there, and no more. Its segment says that all of the life before was
/// durable, and where it ended: not even damage to its last record, or its loss, passes for a torn write.
TEST(DamageMatrix, PartOfARunningCheckpointProvesTheOldLife) {
  WalOptions options;
  options.segment_bytes = 400;
  options.record_bytes_max = 60;
  const Checkpointed example = make_checkpoint(0, options);
  const std::string new_file = segment_name(segment_number(example.old.last_file())->next());
  const auto part = std::ranges::find_if(example.stages, [&](const Files& files) {
    return files.contains(new_file) && !files.at(new_file).empty();
  });
  ASSERT_NE(part, example.stages.end());
  ASSERT_GE(part->size(), 3U);
  const Expected old{example.old.records.back().state};
  Counts counts;
  check(*part, old, options, counts, "undamaged");
  each_damage(*part, new_file,
              [&](const Files& files, std::size_t offset, bool cut, const std::string& what) {
                const bool header = !cut && offset < segment_header_bytes;
                check(files, header ? std::nullopt : std::optional(old), options, counts, what);
              });
  expect_both("part of a running checkpoint, damaged", counts);
  counts = {};
  for (const auto& [file, bytes] : example.old.files) {
    each_damage(*part, file, [&](const Files& files, std::size_t, bool, const std::string& what) {
      check(files, std::nullopt, options, counts, what);
    });
    Files gone = *part;
    gone.erase(file);
    check(gone, std::nullopt, options, counts, file + " is gone");
  }
  std::printf("old life beside part of a running checkpoint, damaged: %d started, %d refused\n",
              counts.started, counts.refused);
  EXPECT_EQ(counts.started, 0);
}

/// The segment of the checkpoint exists, and says nothing: the old life is judged as it stands, but for its
/// own first segment, which was no torn creation.
TEST(DamageMatrix, TheOldLifeBesideACheckpointWhoseCreationWasTorn) {
  const Checkpointed example = make_checkpoint(0, WalOptions{});
  const std::string old_file = example.old.last_file();
  const std::string new_file = example.running.last_file();
  for (const std::size_t size : {std::size_t{0}, std::size_t{40}, std::size_t{200}}) {
    Files files = example.old.files;
    files[new_file] = std::vector<std::byte>(size);
    Counts counts;
    check(example.old, files, example.old.records.size(), counts, "undamaged");
    each_damage(files, old_file,
                [&](const Files& damaged, std::size_t offset, bool cut, const std::string& what) {
                  const std::size_t intact = records_before(example.old, old_file, offset);
                  const bool last = intact + 1 == example.old.records.size();
                  const bool starts = intact > 0 && (cut || last);
                  check(example.old, damaged, starts ? std::optional(intact) : std::nullopt, counts, what);
                });
    expect_both("old life beside a torn creation, damaged", counts);
  }
}

}  // namespace
}  // namespace raftlab::raft::wal
