#include "raft/wal/record.hpp"
#include "raft/wal/test_state.hpp"
#include "raft/wal/wal.hpp"

#include <gtest/gtest.h>

#include <functional>

/// Checkpoints of a log that is in use.
namespace raftlab::raft::wal {
namespace {

using namespace testing;

TEST(WalCheckpoint, ACheckpointRestatesTheLogBehindItsBase) {
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

TEST(WalCheckpoint, AnInstalledSnapshotLeavesAnEmptyLogBehindIt) {
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
TEST(WalCheckpoint, ACheckpointSaysHowMuchOfItWasDurableBefore) {
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
TEST(WalCheckpoint, WritesAroundACheckpointAreCarriedOutInTheirOrder) {
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

TEST(WalCheckpoint, ACheckpointOfManyRecordsIsAppendedWithItsLast) {
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
    removing = removing || !files.contains(segment_name(SegmentNumber(1)));
    if (removing) {
      EXPECT_EQ(run.log.wal.appended(), run.seq);
    }
    EXPECT_EQ(outcome.has_value(), !files.contains(old_file) && run.disk.idle());
  }
  EXPECT_GT(old_files, 3U);
  EXPECT_GT(run.disk.files().size(), 3U);
  run.disk.kill();
  EXPECT_EQ(state_of(opened(run.disk, options).recovered), run.state);
}

/// Two checkpoints, one behind the other in memory: each replaces what was there before it.
TEST(WalCheckpoint, CheckpointsMayFollowEachOtherWithoutAPause) {
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

TEST(WalCheckpoint, WithCheckpointsTheDiskAndTheMemoryStayBounded) {
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

/// F11, F12 while a checkpoint of several records is on its way, and while what it replaces is removed.
TEST(WalCheckpoint, AFailureWhileACheckpointIsWrittenIsFinalAndLosesNothing) {
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

}  // namespace
}  // namespace raftlab::raft::wal
