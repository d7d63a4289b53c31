#include "raft/wal/wal.hpp"

#include "raft/wal/record.hpp"
#include "raft/wal/test_state.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace raftlab::raft::wal {
namespace {

using namespace testing;

TEST(Wal, AnEmptyDirectoryGivesWhatTheCallerSaysAndWritesItAsWriteOne) {
  TestDisk disk;
  auto wal = opened(disk);
  EXPECT_TRUE(wal.fresh);
  EXPECT_FALSE(wal.torn_tail);
  EXPECT_EQ(state_of(wal.recovered), state_of(first_state()));
  EXPECT_EQ(wal.recovered.durable, Index(0));
  const auto outcomes = drive(wal.wal, disk);
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].seq, WriteSeq(1));
  disk.kill();
  const auto again = opened(disk);
  EXPECT_FALSE(again.fresh);
  EXPECT_EQ(state_of(again.recovered), state_of(first_state()));
}

TEST(Wal, AnEmptyDirectoryWithoutAFirstStateIsAnEmptyLog) {
  TestDisk disk;
  auto opening = Wal::open(disk, identity, {}, std::nullopt);
  auto& wal = std::get<Wal::Opened>(opening);
  EXPECT_TRUE(wal.fresh);
  EXPECT_EQ(state_of(wal.recovered), State{});
  wal.wal.begin(wal.recovered);
  drive(wal.wal, disk);
  disk.kill();
  EXPECT_EQ(state_of(opened(disk).recovered), State{});
}

TEST(Wal, WritesDuringASyncShareTheNextOne) {
  TestDisk disk;
  auto wal = opened(disk);
  drive(wal.wal, disk);
  const std::uint64_t syncs = wal.wal.syncs();
  wal.wal.write(append(WriteSeq(2), Index(2)));
  const std::size_t waiting = disk.waiting();
  for (std::uint64_t seq = 3; seq <= 6; ++seq) wal.wal.write(append(WriteSeq(seq), Index(seq)));
  EXPECT_EQ(disk.waiting(), waiting) << "one record at a time";
  const auto outcomes = drive(wal.wal, disk);
  ASSERT_EQ(outcomes.size(), 2U);
  EXPECT_EQ(outcomes[0].seq, WriteSeq(2));
  EXPECT_EQ(outcomes[1].seq, WriteSeq(6));
  EXPECT_EQ(wal.wal.syncs(), syncs + 2);
  disk.kill();
  EXPECT_EQ(state_of(opened(disk).recovered).log.last(), Index(6));
}

TEST(Wal, ADiskMayBeSilentAboutEverythingButSyncs) {
  TestDisk disk;
  auto wal = opened(disk);
  std::vector<WriteOutcome> outcomes;
  DiskCompletion last;
  while (!disk.idle()) {
    last = disk.step();
    if (!disk.idle()) continue;  // only the last of what is waiting is told
    if (const auto outcome = wal.wal.complete(last)) outcomes.push_back(*outcome);
  }
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].seq, WriteSeq(1));
}

TEST(Wal, AWriteBeyondTheRecordLimitBecomesSeveralRecordsAndCountsWithTheLast) {
  TestDisk disk;
  WalOptions options;
  options.record_bytes_max = 300;
  auto wal = opened(disk, options);
  drive(wal.wal, disk);
  Write write;
  write.seq = WriteSeq(2);
  write.hard = HardState{Term(3), NodeId(2)};
  write.entries.push_back(entries_from(Index(2), Term(3), 20, std::string(100, 'x')));
  const std::uint64_t syncs = wal.wal.syncs();
  wal.wal.write(write);
  Write next;
  next.seq = WriteSeq(3);
  next.entries.push_back(entries_from(Index(22), Term(3), 1, "y"));
  wal.wal.write(next);
  const auto outcomes = drive(wal.wal, disk);
  EXPECT_GT(wal.wal.syncs(), syncs + 5);
  ASSERT_FALSE(outcomes.empty());
  EXPECT_EQ(outcomes.back().seq, WriteSeq(3));
  disk.kill();
  EXPECT_EQ(state_of(opened(disk, options).recovered).log.last(), Index(22));
}

TEST(Wal, AnIdleLogWritesItsWatermarkOnce) {
  TestDisk disk;
  WalOptions options;
  options.idle_ticks = 3;
  auto wal = opened(disk, options);
  drive(wal.wal, disk);
  wal.wal.write(append(WriteSeq(2), Index(2)));
  drive(wal.wal, disk);
  wal.wal.tick();
  wal.wal.tick();
  EXPECT_TRUE(disk.idle());
  wal.wal.tick();
  EXPECT_FALSE(disk.idle());
  EXPECT_TRUE(drive(wal.wal, disk).empty()) << "nobody asked for this record";
  for (int i = 0; i < 10; ++i) wal.wal.tick();
  EXPECT_TRUE(disk.idle()) << "a watermark of a watermark would never end";

  disk.kill();
  const Files files = disk.files();
  EXPECT_EQ(opened(disk, options).recovered.durable, Index(2));
  // Now damage to the last write is known to be damage.
  Files flipped = files;
  auto& bytes = flipped.begin()->second;
  bytes[bytes.size() - record_header_bytes - record_trailer_bytes - 1] ^= std::byte{1};
  disk.set_files(flipped);
  EXPECT_EQ(std::get<Refusal>(testing::open(disk, options)).code, RefusalCode::corrupt_middle);
}

TEST(Wal, TheDurableIndexIsTheOneOfTheHighestWatermarkAndFallsWithTruncations) {
  TestDisk disk;
  auto wal = opened(disk);
  drive(wal.wal, disk);
  for (std::uint64_t seq = 2; seq <= 5; ++seq) {
    wal.wal.write(append(WriteSeq(seq), Index(seq)));
    drive(wal.wal, disk);
  }
  const Files files = disk.files();
  disk.kill();
  EXPECT_EQ(opened(disk).recovered.durable, Index(4));
  disk.set_files(files);
  auto next = opened(disk);
  drive(next.wal, disk);
  Write truncation;
  truncation.seq = WriteSeq(2);
  truncation.truncate_from = Index(3);
  next.wal.write(truncation);
  drive(next.wal, disk);
  disk.kill();
  EXPECT_EQ(opened(disk).recovered.durable, Index(2));
}

TEST(Wal, OldSegmentsGoOnlyAfterTheNewOneIsDurableAndBeforeItCounts) {
  TestDisk disk;
  {
    auto wal = opened(disk);
    drive(wal.wal, disk);
    disk.kill();
  }
  auto wal = opened(disk);
  bool acknowledged = false;
  while (!disk.idle()) {
    const bool both = disk.files().size() == 2;
    acknowledged = wal.wal.complete(disk.step()).has_value();
    EXPECT_FALSE(both && acknowledged);
  }
  EXPECT_TRUE(acknowledged);
  ASSERT_EQ(disk.files().size(), 1U);
  EXPECT_EQ(disk.files().begin()->first, "wal-0000000000000002.log");
}

/// F11, F12: each change of the disk fails once; nothing is acknowledged afterwards, and nothing acknowledged
/// is lost.
TEST(Wal, AFailureOfAnyChangeIsFinal) {
  WalOptions options;
  options.segment_bytes = 250;
  for (const DiskError error : {DiskError::io, DiskError::no_space}) {
    bool failed = true;
    std::uint64_t at = 1;
    for (; failed; ++at) {
      TestDisk disk;
      {
        auto wal = opened(disk, options);
        drive(wal.wal, disk);
        disk.kill();
      }
      disk.fail_at = OperationId(disk.asked() + at);
      disk.fail_with = error;
      auto wal = opened(disk, options);
      std::vector<State> states{state_of(wal.recovered)};
      std::vector<WriteOutcome> outcomes = drive(wal.wal, disk);
      for (WriteSeq seq(2); seq.value() <= 12; seq = seq.next()) {
        State state = states.back();
        const Write write = write_behind(state, seq);
        apply(write, state);
        states.push_back(state);
        wal.wal.write(write);
        const auto more = drive(wal.wal, disk);
        outcomes.insert(outcomes.end(), more.begin(), more.end());
      }
      std::size_t acknowledged = 0;
      std::size_t errors = 0;
      for (const WriteOutcome& outcome : outcomes) {
        if (outcome.error == DiskError::none) {
          EXPECT_EQ(errors, 0U) << "acknowledged after a failure at change " << at;
          acknowledged = outcome.seq.value();
        } else {
          EXPECT_EQ(outcome.error, error);
          ++errors;
        }
      }
      failed = errors != 0;
      EXPECT_LE(errors, 1U);
      disk.fail_at = OperationId();
      disk.lose_power([](std::uint32_t) { return 0U; });
      const auto again = testing::open(disk, options);
      ASSERT_TRUE(std::holds_alternative<Wal::Opened>(again)) << at << ' ' << std::get<Refusal>(again).detail;
      // The write that failed may have got to the disk all the same.
      const std::size_t index = acknowledged == 0 ? 0 : acknowledged - 1;
      const State state = state_of(std::get<Wal::Opened>(again).recovered);
      EXPECT_TRUE(state == states.at(index) || state == states.at(std::min(index + 1, states.size() - 1)))
          << at;
    }
    EXPECT_GT(at, 30U);
  }
}

TEST(Wal, ANumberFromWhichCountingOnWouldWrapIsRefused) {
  for (const std::uint64_t number : {numbers_max + 1, ~std::uint64_t{0}}) {
    TestDisk disk;
    {
      auto wal = opened(disk);
      drive(wal.wal, disk);
    }
    Files files = disk.files();
    files[segment_name(SegmentNumber(number))] = {};
    disk.set_files(files);
    const auto opening = testing::open(disk);
    ASSERT_TRUE(std::holds_alternative<Refusal>(opening));
    EXPECT_EQ(std::get<Refusal>(opening).code, RefusalCode::corrupt_header);
    EXPECT_EQ(std::get<Refusal>(opening).file, segment_name(SegmentNumber(number)));
    EXPECT_EQ(disk.files(), files);
  }
  std::vector<std::byte> header(segment_header_bytes);
  put(SegmentHeader{identity, SegmentNumber(1), SegmentNumber(1), RecordSeq(numbers_max + 1), 0},
      header.data());
  TestDisk disk;
  disk.set_files({{segment_name(SegmentNumber(1)), header}});
  EXPECT_EQ(std::get<Refusal>(testing::open(disk)).code, RefusalCode::corrupt_header);
}

/// A file with a great number that holds nothing: the next segment is beyond it, not in its place.
TEST(Wal, ALeftoverNameIsNeverInTheWay) {
  TestDisk disk;
  {
    auto wal = opened(disk);
    drive(wal.wal, disk);
  }
  Files files = disk.files();
  files[segment_name(SegmentNumber(2))] = {};
  files[segment_name(SegmentNumber(9))] = std::vector<std::byte>(70);
  disk.set_files(files);
  auto wal = opened(disk);
  EXPECT_TRUE(wal.torn_tail);
  ASSERT_EQ(drive(wal.wal, disk).size(), 1U);
  ASSERT_EQ(disk.files().size(), 1U);
  EXPECT_EQ(disk.files().begin()->first, segment_name(SegmentNumber(10)));
}

TEST(Wal, ALogOfAnotherClusterOrNodeIsRefused) {
  TestDisk disk;
  {
    auto wal = opened(disk);
    drive(wal.wal, disk);
  }
  const Files files = disk.files();
  for (const Identity& other :
       {Identity{identity.cluster + 1, identity.node}, Identity{identity.cluster, NodeId(8)}}) {
    disk.kill();
    const auto opening = Wal::open(disk, other, {}, first_state());
    const auto& refusal = std::get<Refusal>(opening);
    EXPECT_EQ(refusal.code, RefusalCode::wrong_identity);
    EXPECT_EQ(refusal.file, "wal-0000000000000001.log");
    EXPECT_EQ(refusal.offset, 12U);
    EXPECT_EQ(disk.files(), files);
  }
}

TEST(Wal, AnotherVersionIsRefusedWhateverFollowsIt) {
  TestDisk disk;
  {
    auto wal = opened(disk);
    drive(wal.wal, disk);
  }
  Files files = disk.files();
  files.begin()->second[8] = std::byte{2};
  for (const std::size_t size : {std::size_t{12}, std::size_t{70}, files.begin()->second.size()}) {
    files.begin()->second.resize(size, std::byte{0});
    disk.set_files(files);
    const auto opening = testing::open(disk);
    ASSERT_TRUE(std::holds_alternative<Refusal>(opening));
    EXPECT_EQ(std::get<Refusal>(opening).code, RefusalCode::unknown_version);
    EXPECT_EQ(std::get<Refusal>(opening).offset, 8U);
  }
}

TEST(Wal, ADirectoryInUseIsRefused) {
  TestDisk disk;
  auto wal = opened(disk);
  const auto opening = testing::open(disk);
  EXPECT_EQ(std::get<Refusal>(opening).code, RefusalCode::locked);
}

TEST(Wal, AnUnreadableFileIsNotAMissingOne) {
  TestDisk disk;
  {
    auto wal = opened(disk);
    drive(wal.wal, disk);
  }
  disk.kill();
  disk.unreadable = "wal-0000000000000001.log";
  const auto opening = testing::open(disk);
  EXPECT_EQ(std::get<Refusal>(opening).code, RefusalCode::unreadable);
  EXPECT_EQ(std::get<Refusal>(opening).file, disk.unreadable);
}

TEST(Wal, AMissingOrMisplacedSegmentIsRefused) {
  TestDisk disk;
  WalOptions options;
  options.segment_bytes = 200;
  {
    auto wal = opened(disk, options);
    drive(wal.wal, disk);
    for (std::uint64_t seq = 2; seq <= 14; ++seq) {
      wal.wal.write(append(WriteSeq(seq), Index(seq)));
      drive(wal.wal, disk);
    }
  }
  const Files files = disk.files();
  ASSERT_GE(files.size(), 4U);
  const std::string first = segment_name(SegmentNumber(1));
  const std::string second = segment_name(SegmentNumber(2));
  const std::string third = segment_name(SegmentNumber(3));
  for (const std::string& gone : {first, second}) {
    Files without = files;
    without.erase(gone);
    disk.set_files(without);
    const auto opening = testing::open(disk, options);
    EXPECT_EQ(std::get<Refusal>(opening).code, RefusalCode::missing_segment);
    EXPECT_EQ(std::get<Refusal>(opening).file, gone);
  }
  Files swapped = files;
  std::swap(swapped[second], swapped[third]);
  disk.set_files(swapped);
  EXPECT_EQ(std::get<Refusal>(testing::open(disk, options)).code, RefusalCode::corrupt_header);
}

TEST(Wal, FilesOfOtherNamesAreNoneOfItsBusiness) {
  TestDisk disk;
  disk.set_files({{"LOCK", {}}, {"snapshot-1", {std::byte{1}}}, {"wal-1.log", {std::byte{1}}}});
  auto wal = opened(disk);
  EXPECT_TRUE(wal.fresh);
  drive(wal.wal, disk);
  EXPECT_EQ(disk.files().size(), 4U);
}

TEST(Wal, ATornFirstCreationIsNoLog) {
  WalOptions options;
  options.segment_bytes = 100;
  options.record_bytes_max = 60;
  for (const bool second : {false, true}) {
    TestDisk disk;
    disk.set_files({{segment_name(SegmentNumber(1)), std::vector<std::byte>(100)}});
    if (second) {  // a creation of several segments that came further
      disk.set_files({});
      Recovered much = first_state();
      much.entries.push_back(entries_from(Index(2), Term(1), 8, std::string(40, 'x')));
      auto opening = Wal::open(disk, identity, options, much);
      Wal& wal = std::get<Wal::Opened>(opening).wal;
      wal.begin(much);
      while (disk.files().size() < 3) (void)wal.complete(disk.step());
      disk.kill();
    }
    auto wal = opened(disk);
    EXPECT_TRUE(wal.fresh);
    EXPECT_TRUE(wal.torn_tail);
    const auto outcomes = drive(wal.wal, disk);
    ASSERT_EQ(outcomes.size(), 1U);
    EXPECT_EQ(outcomes[0].seq, WriteSeq(1));
    ASSERT_EQ(disk.files().size(), 1U);
    EXPECT_EQ(disk.files().begin()->first, segment_name(SegmentNumber(1)));
  }
}

/// A segment is created when all before it is durable: what stands before another one was never torn.
TEST(Wal, ADamagedFirstSegmentWithAnotherBehindItIsNoTornCreation) {
  Process run;
  run.append(3);
  run.disk.kill();
  const Files files = run.disk.files();
  for (const std::size_t size : {std::size_t{0}, std::size_t{30}, segment_header_bytes + 10}) {
    Files cut = files;
    cut.begin()->second.resize(size);
    cut[segment_name(SegmentNumber(2))] = {};
    run.disk.set_files(cut);
    const auto opening = testing::open(run.disk);
    ASSERT_TRUE(std::holds_alternative<Refusal>(opening)) << size;
    EXPECT_EQ(std::get<Refusal>(opening).code,
              size < segment_header_bytes ? RefusalCode::corrupt_header : RefusalCode::corrupt_committed);
    EXPECT_EQ(run.disk.files(), cut);
  }
}

TEST(Wal, TwoLogsThatWroteTheSameHaveTheSameChain) {
  TestDisk a;
  TestDisk b;
  auto x = opened(a);
  auto y = opened(b);
  drive(x.wal, a);
  drive(y.wal, b);
  x.wal.write(append(WriteSeq(2), Index(2)));
  y.wal.write(append(WriteSeq(2), Index(2)));
  EXPECT_EQ(x.wal.chain(), y.wal.chain());
  drive(x.wal, a);
  drive(y.wal, b);
  x.wal.write(append(WriteSeq(3), Index(3), "this"));
  y.wal.write(append(WriteSeq(3), Index(3), "that"));
  EXPECT_NE(x.wal.chain(), y.wal.chain());
  EXPECT_EQ(x.wal.bytes_appended(), y.wal.bytes_appended());
}

}  // namespace
}  // namespace raftlab::raft::wal
