#include "raft/wal/wal.hpp"

#include "raft/wal/test_state.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

/// R1, R3, R4 and R7 under random writes and random crashes, one after the other on the same disk.
namespace raftlab::raft::wal {
namespace {

using namespace testing;

/// A small generator whose whole life follows from its seed.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint32_t operator()(std::uint32_t count) {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111eb;
    return static_cast<std::uint32_t>((mixed ^ (mixed >> 31U)) % count);
  }

 private:
  std::uint64_t state_;
};

/// One disk, many lives. `legal_` holds every state in which the next life may begin: the last one that was
/// acknowledged, and each one that a change after it led to.
class Lives {
 public:
  explicit Lives(std::uint64_t seed) : random_(seed) {
    options_.segment_bytes = 200 + random_(2000);
    options_.record_bytes_max = 100 + random_(2000);
    legal_.push_back(state_of(first_state()));
  }

  void run() {
    for (std::uint32_t life = 0; life < 6; ++life) {
      live();
      if (random_(4) == 0) {
        finish(random_(static_cast<std::uint32_t>(disk_.waiting()) + 1));
        disk_.kill();
      } else {
        finish(random_(static_cast<std::uint32_t>(disk_.waiting()) + 1));
        disk_.lose_power([this](std::uint32_t count) { return random_(count); });
      }
    }
  }

  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }
  [[nodiscard]] std::uint64_t acknowledged_checkpoints() const { return acknowledged_checkpoints_; }

 private:
  void live() {
    Opening opening = testing::open(disk_, options_);
    if (const auto* refusal = std::get_if<Refusal>(&opening)) {
      RC_FAIL(std::string("refused: ") + name(refusal->code) + " " + refusal->file + " " + refusal->detail);
    }
    auto& opened = std::get<Wal::Opened>(opening);
    State state = state_of(opened.recovered);
    RC_ASSERT(std::ranges::find(legal_, state) != legal_.end());
    RC_ASSERT(!opened.fresh || nothing_acknowledged_);
    const Index durable = opened.recovered.durable;
    RC_ASSERT(durable <= state.log.last());
    // What is said to have been durable is never missing in a later life, acknowledged or not.
    if (durable) {
      std::erase_if(legal_, [&](const State& other) {
        const bool compacted = durable < other.log.base().index;
        return !compacted && other.log.term_at(durable) != state.log.term_at(durable);
      });
    }
    begins_.clear();
    checkpoints_.clear();
    next_checkpoint_ = 0;
    mark(WriteSeq(1), state);

    const std::uint32_t writes = random_(12);
    for (WriteSeq seq(2); seq.value() < 2 + writes; seq = seq.next()) {
      serve(opened.wal, random_(4));
      if (random_(6) == 0) opened.wal.tick();
      const bool checkpoint = random_(5) == 0;
      opened.wal.write(checkpoint ? random_checkpoint(seq, state) : random_write(seq, state));
    }
    serve(opened.wal, random_(20));
  }

  void serve(Wal& wal, std::uint32_t steps) {
    for (; steps > 0 && !disk_.idle(); --steps) {
      const auto outcome = wal.complete(disk_.step());
      if (!outcome) continue;
      RC_ASSERT(outcome->error == DiskError::none);
      ++acknowledged_;
      for (; next_checkpoint_ < checkpoints_.size() && checkpoints_[next_checkpoint_] <= outcome->seq;
           ++next_checkpoint_)
        ++acknowledged_checkpoints_;
      nothing_acknowledged_ = false;
      const std::size_t from = begins_.at(outcome->seq.value());
      legal_.erase(legal_.begin(), legal_.begin() + static_cast<std::ptrdiff_t>(from));
      for (auto& [seq, at] : begins_) at = at < from ? 0 : at - from;
    }
  }

  /// Changes whose completion nobody hears of any more.
  void finish(std::uint32_t steps) {
    for (; steps > 0; --steps) (void)disk_.step();
  }

  void mark(WriteSeq seq, const State& state) {
    begins_[seq.value()] = legal_.size();
    legal_.push_back(state);
  }

  Write random_write(WriteSeq seq, State& state) {
    Write write;
    write.seq = seq;
    if (random_(3) == 0) {
      state.hard = HardState{state.hard.term.plus(random_(2)), NodeId(random_(4))};
      write.hard = state.hard;
      legal_.push_back(state);
    }
    if (const std::uint64_t behind = state.log.last().value() - state.snapshot.index.value();
        random_(4) == 0 && behind > 0) {
      const Index from(state.log.last().value() -
                       random_(static_cast<std::uint32_t>(std::min<std::uint64_t>(3, behind))));
      write.truncate_from = from;
      state.log.truncate(from);
      legal_.push_back(state);
    }
    for (std::uint32_t slices = random_(3); slices > 0; --slices) {
      const Slice entries = random_entries(state);
      write.entries.push_back(entries);
      for (Index index = entries.first_index(); index <= entries.last_index(); index = index.next()) {
        state.log.append(entries.sub(index, index));
        legal_.push_back(state);
      }
    }
    mark(seq, state);
    return write;
  }

  Slice random_entries(const State& state) {
    const std::uint32_t size = random_(8) == 0 ? random_(600) : random_(20);
    const std::string text(size, static_cast<char>('a' + random_(26)));
    return entries_from(state.log.last().next(), state.hard.term, 1 + random_(5), text);
  }

  /// All or nothing: one legal state comes of it. What else happened in the same step is in it.
  Write random_checkpoint(WriteSeq seq, State& state) {
    checkpoints_.push_back(seq);
    if (random_(3) == 0) state.hard = HardState{state.hard.term.plus(random_(2)), NodeId(random_(4))};
    const std::uint64_t last = state.log.last().value();
    const std::uint64_t snapshot = state.snapshot.index.value();
    if (random_(3) == 0) {  // received; it goes beyond the log, or disagrees with it
      state.hard.term = state.hard.term.next();
      const LogId received{state.hard.term,
                           Index(snapshot + 1 + random_(static_cast<std::uint32_t>(last - snapshot + 4)))};
      (void)installed_snapshot(state, seq, received);
    } else {  // its own, or a received one that the log agrees with
      const Index to(snapshot + random_(static_cast<std::uint32_t>(last - snapshot + 1)));
      (void)own_snapshot(state, seq, to, random_(4));
      if (random_(3) == 0 && state.log.last() > to) {
        state.log.truncate(state.log.last());
        state.hard.term = state.hard.term.next();
      }
    }
    if (random_(2) == 0)
      state.configuration = random_(2) == 0 ? Configuration{} : voters_up_to(1 + random_(4));
    if (random_(3) == 0) state.log.append(random_entries(state));
    mark(seq, state);
    return checkpoint_of(state, seq);
  }

  Random random_;
  WalOptions options_;
  TestDisk disk_;
  std::vector<State> legal_;
  std::map<std::uint64_t, std::size_t> begins_;  // where in legal_ the state behind a write stands
  bool nothing_acknowledged_ = true;
  std::uint64_t acknowledged_ = 0;
  std::vector<WriteSeq> checkpoints_;  // of the present life
  std::size_t next_checkpoint_ = 0;
  std::uint64_t acknowledged_checkpoints_ = 0;
};

RC_GTEST_PROP(WalProperty, EachLifeBeginsWithAllThatWasAcknowledgedAndAPrefixOfTheRest,
              (std::uint64_t seed)) {
  for (std::uint64_t i = 0; i < 20; ++i) Lives(seed + i * 7919).run();
}

/// A life that was killed before it was acknowledged, another that was killed at once, and a power loss that
/// takes the directory entry of the first segment, but not that of the second.
TEST(WalProperty, TheFirstSegmentIsDurableBeforeTheSecondIsCreated) {
  for (std::uint32_t steps = 0; steps < 12; ++steps) {
    for (std::uint32_t survivors = 0; survivors < 4; ++survivors) {
      TestDisk disk;
      const auto live = [&](std::uint32_t changes) {
        Opening opening = testing::open(disk);
        ASSERT_TRUE(std::holds_alternative<Wal::Opened>(opening)) << std::get<Refusal>(opening).detail;
        auto& opened = std::get<Wal::Opened>(opening);
        EXPECT_EQ(state_of(opened.recovered), state_of(first_state()));
        for (; changes > 0 && !disk.idle(); --changes) (void)opened.wal.complete(disk.step());
      };
      live(3);
      disk.kill();
      live(steps);
      std::uint32_t asked = 0;
      disk.lose_power(
          [&](std::uint32_t count) { return (survivors >> (asked++ % 2)) % 2 == 0 ? 0 : count - 1; });
      live(0);
    }
  }
}

/// Part of a checkpoint that was never finished is not durable, however many watermarks cover it: the older
/// segments, whose tail may be lost, still count.
TEST(WalProperty, PartOfACheckpointIsNotDurable) {
  WalOptions options;
  options.record_bytes_max = 100;
  TestDisk disk;
  {
    Opening opening = testing::open(disk, options);
    Wal& wal = std::get<Wal::Opened>(opening).wal;
    drive(wal, disk);
    for (std::uint64_t seq = 2; seq <= 6; ++seq) {
      Write write;
      write.seq = WriteSeq(seq);
      write.entries.push_back(entries_from(Index(seq), Term(1), 1, std::string(60, 'x')));
      wal.write(write);
      drive(wal, disk);
    }
  }
  const Files files = disk.files();
  for (std::uint32_t changes = 0; changes < 40; ++changes) {
    disk.set_files(files);
    for (const std::uint32_t steps : {changes, 0U}) {
      Opening opening = testing::open(disk, options);
      auto& opened = std::get<Wal::Opened>(opening);
      EXPECT_EQ(opened.recovered.durable, Index(5)) << changes;  // no watermark covers the write of entry 6
      for (std::uint32_t step = 0; step < steps && !disk.idle(); ++step)
        (void)opened.wal.complete(disk.step());
      disk.kill();
    }
  }
}

TEST(WalProperty, TheRandomLivesDoAcknowledgeWrites) {
  std::uint64_t acknowledged = 0;
  std::uint64_t checkpoints = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Lives lives(seed);
    lives.run();
    acknowledged += lives.acknowledged();
    checkpoints += lives.acknowledged_checkpoints();
  }
  EXPECT_GT(acknowledged, 300U);
  EXPECT_GT(checkpoints, 100U);
}

/// Always the same unsynced part survives: nothing, everything.
class CrashEverywhere : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(CrashEverywhere, DuringTheCheckpointOfALongLogLosesNothing) {
  WalOptions options;
  options.segment_bytes = 400;
  options.record_bytes_max = 150;
  TestDisk origin;
  State state;
  {
    Opening opening = testing::open(origin, options);
    auto& opened = std::get<Wal::Opened>(opening);
    state = state_of(opened.recovered);
    for (WriteSeq seq(2); seq.value() <= 25; seq = seq.next()) {
      const Write write = write_behind(state, seq);
      apply(write, state);
      opened.wal.write(write);
      drive(opened.wal, origin);
    }
  }
  ASSERT_GT(origin.files().size(), 2U);
  const Choose choose = [](std::uint32_t count) { return std::min(GetParam(), count - 1); };
  bool finished = false;
  int crashes = 0;
  for (std::uint32_t steps = 0; !finished; ++steps, ++crashes) {
    TestDisk disk;
    disk.set_files(origin.files());
    for (int attempt = 0; attempt < 3; ++attempt) {  // a crash in each of several recoveries in turn
      Opening opening = testing::open(disk, options);
      ASSERT_TRUE(std::holds_alternative<Wal::Opened>(opening))
          << steps << ' ' << attempt << ' ' << name(std::get<Refusal>(opening).code) << ' '
          << std::get<Refusal>(opening).detail;
      auto& opened = std::get<Wal::Opened>(opening);
      ASSERT_EQ(state_of(opened.recovered), state) << steps;
      finished = false;
      for (std::uint32_t step = 0; step < steps && !disk.idle(); ++step) {
        finished = opened.wal.complete(disk.step()).has_value() || finished;
      }
      disk.lose_power(choose);
    }
  }
  EXPECT_GT(crashes, 20);
}

/// A log of several segments, then one more write of it: a checkpoint of several records in several segments.
TEST_P(CrashEverywhere, DuringARunningCheckpointGivesAllOfTheOldOrAllOfTheNew) {
  WalOptions options;
  options.segment_bytes = 250;
  options.record_bytes_max = 150;
  const Choose choose = [](std::uint32_t count) { return std::min(GetParam(), count - 1); };
  for (const bool received : {false, true}) {
    int before = 0;
    int after = 0;
    bool finished = false;
    for (std::uint32_t steps = 0; !finished; ++steps) {
      TestDisk disk;
      State old;
      State next;
      {
        Opening opening = testing::open(disk, options);
        auto& opened = std::get<Wal::Opened>(opening);
        old = state_of(opened.recovered);
        for (WriteSeq seq(2); seq.value() <= 15; seq = seq.next()) {
          const Write write = write_behind(old, seq);
          apply(write, old);
          opened.wal.write(write);
          drive(opened.wal, disk);
        }
        next = old;
        const Index end = next.log.last();
        opened.wal.write(received
                             ? installed_snapshot(next, WriteSeq(16), LogId{next.hard.term, end.plus(20)})
                             : own_snapshot(next, WriteSeq(16), Index(end.value() - 4), 3));
        for (std::uint32_t step = 0; step < steps && !disk.idle(); ++step)
          finished = opened.wal.complete(disk.step()).has_value() || finished;
      }
      if (steps % 2 == 0) {
        disk.lose_power(choose);
      } else {
        disk.kill();
      }
      std::optional<State> first;
      for (std::uint32_t attempt = 0; attempt < 3; ++attempt) {  // and crashes in recoveries from it
        Opening opening = testing::open(disk, options);
        ASSERT_TRUE(std::holds_alternative<Wal::Opened>(opening))
            << steps << ' ' << attempt << ' ' << name(std::get<Refusal>(opening).code) << ' '
            << std::get<Refusal>(opening).detail;
        auto& opened = std::get<Wal::Opened>(opening);
        const State state = state_of(opened.recovered);
        ASSERT_TRUE(state == next || (!finished && state == old)) << steps << ' ' << attempt;
        if (!first) ++(state == next ? after : before);
        // A power loss may take back what a killed process left, if nobody said that it was durable.
        ASSERT_TRUE(first != old || state == old) << steps;
        if (!first) first = state;
        for (std::uint32_t step = 0; step < steps && !disk.idle(); ++step)
          (void)opened.wal.complete(disk.step());
        disk.lose_power(choose);
      }
    }
    EXPECT_GT(before, 3) << received;
    EXPECT_GT(after, 3) << received;
  }
}

/// Lives that are killed over and over before their checkpoint is whole leave nothing behind them.
TEST(WalProperty, AttemptsToStartThatFailDoNotPileUp) {
  WalOptions options;
  options.record_bytes_max = 20;
  options.segment_bytes = 100;
  TestDisk disk;
  {
    Opening opening = testing::open(disk, options);
    drive(std::get<Wal::Opened>(opening).wal, disk);
    disk.kill();
  }
  const std::size_t files_at_rest = disk.files().size();
  for (std::uint32_t attempt = 0; attempt < 40; ++attempt) {
    Opening opening = testing::open(disk, options);
    ASSERT_TRUE(std::holds_alternative<Wal::Opened>(opening)) << std::get<Refusal>(opening).detail;
    auto& opened = std::get<Wal::Opened>(opening);
    EXPECT_EQ(state_of(opened.recovered), state_of(first_state()));
    const std::string last = disk.files().rbegin()->first;
    std::size_t files_max = 0;
    const std::uint32_t more = attempt % 3;  // steps behind the first record of the checkpoint
    while (disk.files().rbegin()->first <= last || disk.files().rbegin()->second.empty()) {
      (void)opened.wal.complete(disk.step());
      files_max = std::max(files_max, disk.files().size());
    }
    for (std::uint32_t step = 0; step < more; ++step) (void)opened.wal.complete(disk.step());
    EXPECT_LE(files_max, files_at_rest + 1) << attempt;
    disk.kill();
  }
}

INSTANTIATE_TEST_SUITE_P(WalProperty, CrashEverywhere, ::testing::Values(0U, 1U, 2U, 3U));

}  // namespace
}  // namespace raftlab::raft::wal
