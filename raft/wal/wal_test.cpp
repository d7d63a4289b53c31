#include "raft/wal/wal.hpp"

#include "raft/wal/record.hpp"
#include "raft/wal/test_state.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace raftlab::raft::wal {
namespace {

using namespace testing;

Wal::Opened opened(TestDisk& disk, const WalOptions& options = {}) {
  return std::get<Wal::Opened>(testing::open(disk, options));
}

Write append(WriteSeq seq, Index first, const std::string& text = "command") {
  Write write;
  write.seq = seq;
  write.entries.push_back(entries_from(first, Term(1), 1, text));
  return write;
}

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

/// Some writes of a log, as a test writes them down: each is carried out before the next.
struct Process {
  TestDisk disk;
  Wal::Opened log;
  State state;
  WriteSeq seq{1};

  explicit Process(const WalOptions& options = {})
      : log(opened(disk, options)), state(state_of(log.recovered)) {
    drive(log.wal, disk);
  }
  void append(std::uint64_t count, const std::string& text = "command") {
    for (; count > 0; --count) {
      seq = seq.next();
      Write write;
      write.seq = seq;
      write.entries.push_back(entries_from(state.log.last().next(), state.hard.term, 1, text));
      apply(write, state);
      log.wal.write(write);
      drive(log.wal, disk);
    }
  }
  void compact(Index snapshot, std::uint64_t tail) {
    seq = seq.next();
    log.wal.write(own_snapshot(state, seq, snapshot, tail));
  }
  void install(LogId snapshot) {
    seq = seq.next();
    log.wal.write(installed_snapshot(state, seq, snapshot));
  }
};

TEST(Wal, ACheckpointRestatesTheLogBehindItsBase) {
  Process run;
  run.append(9);
  run.compact(Index(7), 2);
  const auto outcomes = drive(run.log.wal, run.disk);
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].seq, run.seq);
  ASSERT_EQ(run.disk.files().size(), 1U);
  EXPECT_EQ(run.disk.files().begin()->first, "wal-0000000000000002.log");
  run.append(1);
  for (int life = 0; life < 3; ++life) {
    run.disk.kill();
    auto again = opened(run.disk);
    EXPECT_EQ(state_of(again.recovered), run.state);
    EXPECT_EQ(again.recovered.snapshot, (LogId{Term(1), Index(7)}));
    EXPECT_EQ(again.recovered.snapshot_configuration, voters_up_to(3));
    EXPECT_EQ(again.recovered.base, (LogId{Term(1), Index(5)}));
    EXPECT_EQ(state_of(again.recovered).log.last(), Index(11));
    drive(again.wal, run.disk);
  }
}

TEST(Wal, AnInstalledSnapshotLeavesAnEmptyLogBehindIt) {
  Process run;
  run.append(4);
  run.state.hard.term = Term(6);
  run.install(LogId{Term(6), Index(100)});
  drive(run.log.wal, run.disk);
  run.disk.kill();
  auto again = opened(run.disk);
  EXPECT_EQ(state_of(again.recovered), run.state);
  EXPECT_EQ(again.recovered.base, (LogId{Term(6), Index(100)}));
  EXPECT_TRUE(again.recovered.entries.empty());
  drive(again.wal, run.disk);
  again.wal.write([] {
    Write write;
    write.seq = WriteSeq(2);
    write.entries.push_back(entries_from(Index(101), Term(6), 1, "x"));
    return write;
  }());
  drive(again.wal, run.disk);
  run.disk.kill();
  const auto third = opened(run.disk);
  EXPECT_EQ(state_of(third.recovered).log.last(), Index(101));
  EXPECT_EQ(third.recovered.durable, Index(100)) << "its watermark covers the checkpoint";
}

/// What is known to be durable when the checkpoint is there and nothing behind it.
TEST(Wal, ACheckpointSaysHowMuchOfItWasDurableBefore) {
  const auto durable = [](const std::function<Write(Process&)>& last_write) {
    Process run;
    run.append(8);
    run.seq = run.seq.next();
    run.log.wal.write(last_write(run));
    drive(run.log.wal, run.disk);
    for (int life = 0; life < 2; ++life) {
      run.disk.kill();
      auto again = opened(run.disk);
      EXPECT_EQ(state_of(again.recovered), run.state);
      if (life == 1) return again.recovered.durable;
      drive(again.wal, run.disk);
    }
    return Index();
  };
  EXPECT_EQ(durable([](Process& run) { return own_snapshot(run.state, run.seq, Index(6), 2); }), Index(9));
  EXPECT_EQ(durable([](Process& run) {  // entries that no write before it held
              run.state.log.append(entries_from(Index(10), Term(1), 2, "x"));
              return own_snapshot(run.state, run.seq, Index(6), 2);
            }),
            Index(9));
  EXPECT_EQ(durable([](Process& run) {  // others in the place of two that were durable
              run.state.hard.term = Term(2);
              run.state.log.truncate(Index(8));
              run.state.log.append(entries_from(Index(8), Term(2), 4, "x"));
              return own_snapshot(run.state, run.seq, Index(6), 2);
            }),
            Index(7));
  EXPECT_EQ(durable([](Process& run) {
              run.state.hard.term = Term(3);
              return installed_snapshot(run.state, run.seq, LogId{Term(3), Index(50)});
            }),
            Index(0));
  EXPECT_EQ(durable([](Process& run) {  // within the log, of which it holds another entry there
              run.state.hard.term = Term(3);
              return installed_snapshot(run.state, run.seq, LogId{Term(2), Index(5)});
            }),
            Index(0));
}

/// Writes that a checkpoint overtakes while they wait are carried out before it, and told of first.
TEST(Wal, WritesAroundACheckpointAreCarriedOutInTheirOrder) {
  Process run;
  run.log.wal.write(append(WriteSeq(2), Index(2)));
  run.log.wal.write(append(WriteSeq(3), Index(3)));
  run.state.log.append(entries_from(Index(2), Term(1), 2, "command"));
  run.seq = WriteSeq(3);
  run.state.hard.term = Term(4);
  run.install(LogId{Term(4), Index(30)});
  Write behind;
  behind.seq = WriteSeq(5);
  behind.entries.push_back(entries_from(Index(31), Term(4), 1, "y"));
  run.log.wal.write(behind);
  EXPECT_EQ(run.log.wal.appended(), WriteSeq(2));
  std::vector<std::uint64_t> told;
  while (!run.disk.idle()) {
    const Files before = run.disk.files();
    const auto outcome = run.log.wal.complete(run.disk.step());
    if (!outcome) continue;
    ASSERT_EQ(outcome->error, DiskError::none);
    told.push_back(outcome->seq.value());
    EXPECT_LE(run.log.wal.appended(), outcome->seq.next()) << "at most one record is ahead";
    EXPECT_EQ(run.disk.files().size(), 1U) << "nothing counts beside what it replaces";
  }
  EXPECT_EQ(told, (std::vector<std::uint64_t>{2, 3, 4, 5}));
  run.disk.kill();
  EXPECT_EQ(state_of(opened(run.disk).recovered).log.last(), Index(31));
}

TEST(Wal, ACheckpointOfManyRecordsIsAppendedWithItsLast) {
  WalOptions options;
  options.record_bytes_max = 200;
  options.segment_bytes = 500;
  Process run(options);
  run.append(20, std::string(80, 'x'));
  const std::size_t old_files = run.disk.files().size();
  const std::string old_file = run.disk.files().rbegin()->first;
  run.compact(Index(2), 1);
  bool removing = false;
  while (!run.disk.idle()) {
    const auto outcome = run.log.wal.complete(run.disk.step());
    const Files files = run.disk.files();
    removing = removing || files.count(segment_name(SegmentNumber(1))) == 0;
    if (removing) {
      EXPECT_EQ(run.log.wal.appended(), run.seq);
    }
    EXPECT_EQ(outcome.has_value(), files.count(old_file) == 0 && run.disk.idle());
  }
  EXPECT_GT(old_files, 3U);
  EXPECT_GT(run.disk.files().size(), 3U);
  run.disk.kill();
  EXPECT_EQ(state_of(opened(run.disk, options).recovered), run.state);
}

/// Two checkpoints, one behind the other in memory: each replaces what was there before it.
TEST(Wal, CheckpointsMayFollowEachOtherWithoutAPause) {
  Process run;
  run.append(10);
  run.compact(Index(5), 2);
  run.compact(Index(9), 2);
  const auto outcomes = drive(run.log.wal, run.disk);
  ASSERT_EQ(outcomes.size(), 2U);
  EXPECT_EQ(outcomes[1].seq, run.seq);
  ASSERT_EQ(run.disk.files().size(), 1U);
  EXPECT_EQ(run.disk.files().begin()->first, "wal-0000000000000003.log");
  run.disk.kill();
  EXPECT_EQ(state_of(opened(run.disk).recovered), run.state);
}

TEST(Wal, WithCheckpointsTheDiskAndTheMemoryStayBounded) {
  WalOptions options;
  options.segment_bytes = 4000;
  options.record_bytes_max = 1000;
  Process run(options);
  std::size_t disk_bytes_max = 0;
  std::size_t memory_bytes_max = 0;
  for (int round = 0; round < 100; ++round) {
    run.append(50, std::string(40, 'x'));
    run.compact(run.state.log.last(), 10);
    // What gathers behind the checkpoint while the disk works on it.
    for (int i = 0; i < 20; ++i) {
      run.seq = run.seq.next();
      Write write;
      write.seq = run.seq;
      write.entries.push_back(entries_from(run.state.log.last().next(), Term(1), 1, std::string(900, 'y')));
      apply(write, run.state);
      run.log.wal.write(write);
    }
    drive(run.log.wal, run.disk);
    std::size_t bytes = 0;
    for (const auto& [name, content] : run.disk.files()) bytes += content.size();
    disk_bytes_max = std::max(disk_bytes_max, bytes);
    memory_bytes_max = std::max(memory_bytes_max, run.log.wal.memory_bytes());
  }
  EXPECT_EQ(run.seq.value(), 7101U);
  EXPECT_LT(disk_bytes_max, 30000U);
  EXPECT_LT(memory_bytes_max, 10000U);
  run.disk.kill();
  EXPECT_EQ(state_of(opened(run.disk, options).recovered), run.state);
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

/// F11, F12 while a checkpoint of several records is on its way, and while what it replaces is removed.
TEST(Wal, AFailureWhileACheckpointIsWrittenIsFinalAndLosesNothing) {
  WalOptions options;
  options.segment_bytes = 300;
  options.record_bytes_max = 150;
  for (const DiskError error : {DiskError::io, DiskError::no_space}) {
    bool failed = true;
    std::uint64_t at = 1;
    int before = 0;
    int after = 0;
    for (; failed; ++at) {
      Process run(options);
      run.append(8, std::string(60, 'x'));
      const State old = run.state;
      run.disk.fail_at = OperationId(run.disk.asked() + at);
      run.disk.fail_with = error;
      run.compact(Index(6), 4);
      auto outcomes = drive(run.log.wal, run.disk);
      const State next = run.state;
      ASSERT_EQ(outcomes.size(), 1U);
      failed = outcomes[0].error != DiskError::none;
      EXPECT_EQ(outcomes[0].seq, run.seq);
      if (failed) {
        EXPECT_EQ(outcomes[0].error, error);
        run.append(3);  // nothing more comes of anything
        run.compact(Index(8), 0);
        EXPECT_TRUE(run.disk.idle());
      }
      run.disk.fail_at = OperationId();
      if (at % 2 == 0) {
        run.disk.kill();
      } else {
        run.disk.lose_power([](std::uint32_t) { return 0U; });
      }
      const auto again = testing::open(run.disk, options);
      ASSERT_TRUE(std::holds_alternative<Wal::Opened>(again)) << at << ' ' << std::get<Refusal>(again).detail;
      const State state = state_of(std::get<Wal::Opened>(again).recovered);
      EXPECT_TRUE(state == next || (failed && state == old)) << at;
      ++(state == next ? after : before);
    }
    EXPECT_GT(before, 10);
    EXPECT_GT(after, 4);
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
