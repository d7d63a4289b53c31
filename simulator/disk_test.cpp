#include "simulator/disk.hpp"

#include "simulator/test_support.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <optional>
#include <string>

namespace raftlab::simulator::testing {
namespace {

constexpr std::uint64_t all = ~std::uint64_t{0};
constexpr std::size_t sector = 512;

class SimulatedDiskTest : public ::testing::Test {
 protected:
  FileHandle create(std::string_view name) {
    FileHandle handle;
    disk.create(name, handle);
    return handle;
  }
  OperationId append(FileHandle file, std::string_view text) { return disk.append(file, bytes_of(text)); }
  DiskError sync(FileHandle file, SimulatedDisk::SyncFate fate = SimulatedDisk::SyncFate::ok) {
    return disk.finish(disk.sync(file), fate, chooser, 1).error;
  }
  DiskError sync_directory() {
    return disk.finish(disk.sync_directory(), SimulatedDisk::SyncFate::ok, chooser, 1).error;
  }
  CrashDamage crash(Crash how) { return disk.crash(how, chooser, ++crashes_); }
  CrashDamage kill() { return crash(Crash{}); }
  CrashDamage lose_power() { return crash(Crash{Crash::Kind::power_loss}); }

  [[nodiscard]] std::optional<std::string> text(std::string_view name) {
    const auto read = disk.read(name);
    const auto* bytes = std::get_if<std::vector<std::byte>>(&read);
    if (bytes == nullptr) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  }
  [[nodiscard]] std::vector<std::string> names() { return std::get<std::vector<std::string>>(disk.list()); }
  [[nodiscard]] DiskError last_error() const {
    return disk.started().empty() ? DiskError::none : disk.started().back().error;
  }

  /// A file "a" with a durable name that durably holds `text`.
  FileHandle durable(std::string_view text) {
    const FileHandle file = create("a");
    append(file, text);
    sync(file);
    sync_directory();
    return file;
  }

  SimulatedDisk disk;
  ScriptedChooser chooser;

 private:
  std::uint64_t crashes_ = 0;
};

// ---- As a process sees it ----------------------------------------------------------------------------------------

TEST_F(SimulatedDiskTest, AProcessReadsWhatItAppendedAtOnce) {
  const FileHandle file = create("b");
  static_cast<void>(create("a"));
  append(file, "one");
  append(file, "two");
  EXPECT_EQ(text("b"), "onetwo");
  EXPECT_EQ(text("a"), "");
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(disk.bytes(), 6U);
}

TEST_F(SimulatedDiskTest, NumbersOfChangesRiseByOne) {
  FileHandle file;
  EXPECT_EQ(disk.create("a", file), OperationId(1));
  EXPECT_EQ(disk.append(file, bytes_of("x")), OperationId(2));
  EXPECT_EQ(disk.last_append(), OperationId(2));
  EXPECT_EQ(disk.preallocate(file, 1000), OperationId(3));
  EXPECT_EQ(disk.sync(file), OperationId(4));
  EXPECT_EQ(disk.sync_directory(), OperationId(5));
  EXPECT_EQ(disk.last_append(), OperationId(2));
}

TEST_F(SimulatedDiskTest, AnAppendGoesBehindTheEndOfAnOpenedFile) {
  append(create("a"), "one");
  FileHandle again;
  disk.open("a", again);
  append(again, "two");
  EXPECT_EQ(text("a"), "onetwo");
}

TEST_F(SimulatedDiskTest, MistakesAreReportedAsFailedChanges) {
  FileHandle file = create("a");
  FileHandle other;
  disk.create("a", other);
  EXPECT_EQ(last_error(), DiskError::exists);
  disk.open("missing", other);
  EXPECT_EQ(last_error(), DiskError::not_found);
  disk.rename("missing", "b");
  EXPECT_EQ(last_error(), DiskError::not_found);
  disk.remove("missing");
  EXPECT_EQ(last_error(), DiskError::not_found);
  disk.remove("a");
  append(file, "x");
  EXPECT_EQ(last_error(), DiskError::not_found);
  disk.sync(file);
  EXPECT_EQ(last_error(), DiskError::not_found);
  EXPECT_EQ(std::get<DiskError>(disk.read("a")), DiskError::not_found);
}

TEST_F(SimulatedDiskTest, SyncsAndFailuresAreStartedInOrder) {
  const FileHandle file = create("a");
  append(file, "x");
  const OperationId first = disk.sync(file);
  disk.set_full(true);
  const OperationId second = append(file, "yy");
  const OperationId third = disk.sync_directory();
  ASSERT_EQ(disk.started().size(), 3U);
  EXPECT_EQ(disk.started()[0].operation, first);
  EXPECT_EQ(disk.started()[0].error, DiskError::none);
  EXPECT_EQ(disk.started()[1].operation, second);
  EXPECT_EQ(disk.started()[1].error, DiskError::no_space);
  EXPECT_EQ(disk.started()[2].operation, third);
  disk.clear_started();
  EXPECT_TRUE(disk.started().empty());
}

TEST_F(SimulatedDiskTest, OneProcessHasTheLockUntilItEnds) {
  EXPECT_EQ(disk.lock(), DiskError::none);
  EXPECT_EQ(disk.lock(), DiskError::locked);
  kill();
  EXPECT_EQ(disk.lock(), DiskError::none);
}

TEST_F(SimulatedDiskTest, RenameReplacesAndTruncateCuts) {
  append(create("a"), "old");
  const FileHandle file = create("b");
  append(file, "new one");
  disk.rename("b", "a");
  EXPECT_EQ(names(), std::vector<std::string>{"a"});
  EXPECT_EQ(text("a"), "new one");
  disk.truncate(file, 3);
  EXPECT_EQ(text("a"), "new");
}

// ---- What survives -----------------------------------------------------------------------------------------------

TEST_F(SimulatedDiskTest, SyncedBytesSurviveEveryKindOfCrash) {
  for (const auto kind : {Crash::Kind::kill, Crash::Kind::power_loss, Crash::Kind::power_loss_sectors}) {
    for (const bool lose : {false, true}) {
      for (const bool tear : {false, true}) {
        for (const std::uint64_t fate : {std::uint64_t{0}, std::uint64_t{1}, all}) {
          disk = SimulatedDisk{};
          for (const auto choice :
               {Choice::crash_cut, Choice::crash_fate, Choice::page_fate, Choice::entry_fate}) {
            chooser.answer(choice, fate);
          }
          const std::string synced(700, 's');
          const FileHandle file = durable(synced);
          append(file, std::string(900, 'u'));
          append(file, std::string(900, 'v'));
          crash(Crash{kind, lose, tear});
          ASSERT_TRUE(text("a").has_value());
          EXPECT_EQ(text("a")->substr(0, 700), synced);
        }
      }
    }
  }
}

TEST_F(SimulatedDiskTest, AKillKeepsThePageCache) {
  const FileHandle file = durable("synced");
  append(file, " cached");
  append(create("b"), "without a durable name");
  chooser.answer(Choice::entry_fate, 1);
  const CrashDamage damage = kill();
  EXPECT_EQ(text("a"), "synced cached");
  EXPECT_EQ(text("b"), "without a durable name");
  EXPECT_FALSE(damage.lost || damage.torn || damage.entry_lost);
}

TEST_F(SimulatedDiskTest, TheLastAppendsAreLostAsWholes) {
  const std::string left[] = {"synced-one-two-three", "synced-one-two", "synced-one", "synced"};
  for (std::uint64_t lost = 0; lost < 4; ++lost) {
    for (const auto kind : {Crash::Kind::kill, Crash::Kind::power_loss}) {
      disk = SimulatedDisk{};
      const FileHandle file = durable("synced");
      for (const char* more : {"-one", "-two", "-three"}) append(file, more);
      chooser.answer(Choice::crash_cut, lost);
      const CrashDamage damage = crash(Crash{kind, true, false});
      EXPECT_EQ(text("a"), left[lost]);
      EXPECT_EQ(damage.lost, lost != 0);
      EXPECT_FALSE(damage.torn);
    }
  }
}

TEST_F(SimulatedDiskTest, ATornAppendSurvivesInPart) {
  const FileHandle file = durable("synced");
  append(file, "-one");
  append(file, "-two");
  chooser.answer(Choice::crash_cut, 2);
  const CrashDamage damage = crash(Crash{Crash::Kind::power_loss, false, true});
  EXPECT_EQ(text("a"), "synced-one-t");
  EXPECT_TRUE(damage.torn);
  EXPECT_TRUE(damage.lost);
}

TEST_F(SimulatedDiskTest, ATornAppendNeverSurvivesAsAWhole) {
  const FileHandle file = durable("synced");
  append(file, "-one");
  chooser.answer(Choice::crash_cut, [](const Key& /*key*/) { return all; });
  crash(Crash{Crash::Kind::power_loss, false, true});
  EXPECT_EQ(text("a"), "synced-on");
}

TEST_F(SimulatedDiskTest, LossAndTearTogetherKeepAPrefixAndAPart) {
  const FileHandle file = durable("synced");
  append(file, "-one");
  append(file, "-two");
  chooser.answer(Choice::crash_cut, 1);  // one append is lost, and one byte of it survives
  const CrashDamage damage = crash(Crash{Crash::Kind::kill, true, true});
  EXPECT_EQ(text("a"), "synced-one-");
  EXPECT_TRUE(damage.torn);
}

TEST_F(SimulatedDiskTest, TheSizeMayGrowOverZerosWhenPowerIsLost) {
  for (const auto kind : {Crash::Kind::power_loss, Crash::Kind::kill}) {
    disk = SimulatedDisk{};
    const FileHandle file = durable("synced");
    append(file, "-one");
    chooser.answer(Choice::crash_cut, 1);
    chooser.answer(Choice::crash_fate, 1);
    crash(Crash{kind, true, false});
    EXPECT_EQ(text("a"), kind == Crash::Kind::kill ? std::string("synced") : "synced" + std::string(4, '\0'));
  }
}

TEST_F(SimulatedDiskTest, OnlyUnsyncedSectorsBecomeHoles) {
  const std::string synced(sector + 100, 's');
  const FileHandle file = durable(synced);
  append(file, std::string(3 * sector, 'u'));
  chooser.answer(Choice::page_fate, 1);
  const CrashDamage damage = crash(Crash{Crash::Kind::power_loss_sectors});
  EXPECT_EQ(text("a"), synced + std::string(3 * sector, '\0'));
  EXPECT_TRUE(damage.torn);
  EXPECT_TRUE(damage.lost);
}

TEST_F(SimulatedDiskTest, AHoleMayStandBeforeValidData) {
  const FileHandle file = durable("");
  append(file, std::string(3 * sector, 'u'));
  std::uint64_t asked = 0;
  chooser.answer(Choice::page_fate, [&](const Key& /*key*/) { return asked++ == 1 ? 1 : 0; });
  crash(Crash{Crash::Kind::power_loss_sectors});
  EXPECT_EQ(text("a"), std::string(sector, 'u') + std::string(sector, '\0') + std::string(sector, 'u'));
}

TEST_F(SimulatedDiskTest, WhatAKilledProcessLeftInTheCacheIsLostWithThePower) {
  const FileHandle file = durable("synced");
  append(file, "-one");
  append(file, "-two");
  kill();
  EXPECT_EQ(text("a"), "synced-one-two");
  chooser.answer(Choice::crash_cut, 1);
  crash(Crash{Crash::Kind::kill, true, false});
  EXPECT_EQ(text("a"), "synced-one-two") << "the cache outlives any number of processes";
  FileHandle again;
  disk.open("a", again);
  append(again, "-three");
  crash(Crash{Crash::Kind::kill, true, false});
  EXPECT_EQ(text("a"), "synced-one-two")
      << "only the last process's own appends may never have been carried out";
  EXPECT_TRUE(crash(Crash{Crash::Kind::power_loss, true, false}).lost);
  EXPECT_EQ(text("a"), "synced-one");
  chooser.answer(Choice::crash_cut, all);
  crash(Crash{Crash::Kind::power_loss, true, true});
  EXPECT_EQ(text("a"), "synced-one") << "what survived a loss of power is on the disk";
}

// ---- Names -------------------------------------------------------------------------------------------------------

TEST_F(SimulatedDiskTest, ANameThatWasNotSyncedMayBeGoneWithThePower) {
  for (const std::uint64_t fate : {0U, 1U}) {
    disk = SimulatedDisk{};
    const FileHandle file = create("a");
    append(file, "bytes");
    sync(file);
    chooser.answer(Choice::entry_fate, fate);
    const CrashDamage damage = lose_power();
    EXPECT_EQ(damage.entry_lost, fate == 1);
    EXPECT_EQ(text("a").has_value(), fate == 0);
  }
}

TEST_F(SimulatedDiskTest, ADirectorySyncCoversTheNamesThatWereThereWhenItWasAskedFor) {
  static_cast<void>(create("a"));
  const OperationId sync = disk.sync_directory();
  static_cast<void>(create("b"));
  disk.finish(sync, SimulatedDisk::SyncFate::ok, chooser, 1);
  chooser.answer(Choice::entry_fate, 1);
  lose_power();
  EXPECT_EQ(names(), std::vector<std::string>{"a"});
}

TEST_F(SimulatedDiskTest, AFailedDirectorySyncMakesNoNameDurable) {
  static_cast<void>(create("a"));
  EXPECT_EQ(disk.finish(disk.sync_directory(), SimulatedDisk::SyncFate::failed, chooser, 1).error,
            DiskError::io);
  chooser.answer(Choice::entry_fate, 1);
  lose_power();
  EXPECT_TRUE(names().empty());
}

TEST_F(SimulatedDiskTest, ARemovalThatWasNotSyncedMayBeUndone) {
  for (const std::uint64_t fate : {0U, 1U}) {
    for (const bool synced : {false, true}) {
      disk = SimulatedDisk{};
      durable("bytes");
      disk.remove("a");
      EXPECT_FALSE(text("a").has_value());
      if (synced) sync_directory();
      chooser.answer(Choice::entry_fate, fate);
      EXPECT_EQ(lose_power().entry_lost, fate == 1 && !synced);
      EXPECT_EQ(text("a"), fate == 1 && !synced ? std::optional<std::string>("bytes") : std::nullopt);
    }
  }
}

// ---- Syncs that fail ---------------------------------------------------------------------------------------------

TEST_F(SimulatedDiskTest, PagesOfAFailedSyncMayBeDurableAllTheSame) {
  const FileHandle file = durable("synced");
  append(file, "-more");
  chooser.answer(Choice::page_fate, static_cast<std::uint64_t>(SimulatedDisk::PageFate::durable));
  EXPECT_EQ(sync(file, SimulatedDisk::SyncFate::failed), DiskError::io);
  chooser.answer(Choice::crash_cut, all);
  crash(Crash{Crash::Kind::power_loss, true, true});
  EXPECT_EQ(text("a"), "synced-more");
}

TEST_F(SimulatedDiskTest, PagesOfAFailedSyncMayStayInTheCacheOnly) {
  const FileHandle file = durable("synced");
  append(file, "-more");
  chooser.answer(Choice::page_fate, static_cast<std::uint64_t>(SimulatedDisk::PageFate::cached_only));
  sync(file, SimulatedDisk::SyncFate::failed);
  EXPECT_EQ(text("a"), "synced-more");
  append(file, "-later");
  EXPECT_EQ(sync(file), DiskError::none) << "the pages are clean now: a later sync does not write them";
  kill();
  EXPECT_EQ(text("a"), "synced-more-later");
  EXPECT_TRUE(lose_power().lost);
  EXPECT_EQ(text("a"), "synced" + std::string(5, '\0') + "-later");
}

TEST_F(SimulatedDiskTest, PagesOfAFailedSyncMayBeGoneFromTheCache) {
  const FileHandle file = durable("synced");
  append(file, "-more");
  chooser.answer(Choice::page_fate, static_cast<std::uint64_t>(SimulatedDisk::PageFate::dropped));
  sync(file, SimulatedDisk::SyncFate::failed);
  EXPECT_EQ(text("a"), "synced" + std::string(5, '\0'));
}

TEST_F(SimulatedDiskTest, AllPagesOfAFailedSyncShareOneFate) {
  const std::string written(4 * sector, 'w');
  RandomChooser random{Seed(1)};
  bool survived = false;
  bool dropped = false;
  for (std::uint64_t about = 0; about < 20; ++about) {
    disk = SimulatedDisk{};
    const FileHandle file = durable("");
    append(file, written);
    disk.finish(disk.sync(file), SimulatedDisk::SyncFate::failed, random, about);
    ASSERT_TRUE(text("a") == written || text("a") == std::string(4 * sector, '\0'));
    (text("a") == written ? survived : dropped) = true;
  }
  EXPECT_TRUE(survived);
  EXPECT_TRUE(dropped);
}

TEST_F(SimulatedDiskTest, EachPageMayHaveAFateOfItsOwn) {
  RandomChooser random{Seed(1)};
  bool mixed = false;
  for (std::uint64_t about = 0; about < 20; ++about) {
    disk = SimulatedDisk{};
    const FileHandle file = durable("");
    append(file, std::string(4 * sector, 'w'));
    disk.finish(disk.sync(file), SimulatedDisk::SyncFate::failed_in_parts, random, about);
    const std::string found = *text("a");
    mixed = mixed || (found.find('w') != std::string::npos && found.find('\0') != std::string::npos);
    for (std::size_t page = 0; page < 4; ++page) {
      EXPECT_TRUE(found.substr(page * sector, sector) == std::string(sector, found[page * sector]));
    }
  }
  EXPECT_TRUE(mixed);
}

TEST_F(SimulatedDiskTest, AFailedSyncLeavesWhatWasSyncedBefore) {
  const FileHandle file = durable("synced");
  append(file, "-more");
  chooser.answer(Choice::page_fate, static_cast<std::uint64_t>(SimulatedDisk::PageFate::dropped));
  sync(file, SimulatedDisk::SyncFate::failed_in_parts);
  lose_power();
  EXPECT_EQ(text("a")->substr(0, 6), "synced");
}

// ---- Full disks --------------------------------------------------------------------------------------------------

TEST_F(SimulatedDiskTest, AFullDiskLeavesATornAppend) {
  const FileHandle file = durable("synced");
  const OperationId before = disk.last_append();
  disk.set_full(true);
  append(file, "-12345");
  EXPECT_EQ(last_error(), DiskError::no_space);
  EXPECT_EQ(text("a"), "synced-12");
  EXPECT_EQ(disk.last_append(), before);
  disk.preallocate(file, 1000);
  EXPECT_EQ(last_error(), DiskError::no_space);
  disk.clear_started();
  disk.set_full(false);
  append(file, "-more");
  EXPECT_EQ(last_error(), DiskError::none);
  EXPECT_EQ(text("a"), "synced-12-more");
}

// ---- Rot ---------------------------------------------------------------------------------------------------------

TEST_F(SimulatedDiskTest, RotNeedsALaterRecord) {
  EXPECT_FALSE(disk.rot(chooser, 1)) << "no file";
  const FileHandle file = create("a");
  EXPECT_FALSE(disk.rot(chooser, 1)) << "no bytes";
  append(file, "first");
  sync(file);
  EXPECT_FALSE(disk.rot(chooser, 1)) << "nothing behind the first append";
  append(file, "second");
  EXPECT_TRUE(disk.rot(chooser, 1));
}

TEST_F(SimulatedDiskTest, RotFlipsOneBitOfDurableDataBeforeTheLastAppend) {
  const std::string before = "first, second, third";
  for (std::uint64_t place = 0; place < 8 * before.size(); ++place) {
    disk = SimulatedDisk{};
    const FileHandle file = durable("first, ");
    append(file, "second, ");
    append(file, "third");  // a record behind the damage, but not durable itself
    chooser.answer(Choice::rot_place, place);
    ASSERT_TRUE(disk.rot(chooser, place));
    const std::string after = *text("a");
    int flipped = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
      const int bits = std::popcount(static_cast<unsigned>(static_cast<unsigned char>(before[i] ^ after[i])));
      flipped += bits;
      if (bits != 0) {
        EXPECT_LT(i, 7U);
      }
    }
    EXPECT_EQ(flipped, 1);
  }
}

TEST_F(SimulatedDiskTest, RotSparesWhatHasOnlyATornAppendBehindIt) {
  for (const bool power : {false, true}) {
    for (const bool grown : {false, true}) {
      disk = SimulatedDisk{};
      const FileHandle file = durable("first");
      append(file, "second");
      append(file, "third");
      chooser.answer(Choice::crash_cut, 2);
      chooser.answer(Choice::crash_fate, grown ? 1 : 0);
      sync(file);
      append(file, "fourth");
      crash(Crash{power ? Crash::Kind::power_loss : Crash::Kind::kill, false, true});
      EXPECT_FALSE(disk.rot(chooser, 1)) << "the third record has nothing valid behind it";
    }
  }
}

// ---- What is known to be durable ---------------------------------------------------------------------------------

TEST_F(SimulatedDiskTest, AnAppendIsDurableWhenItsBytesAndItsNameAre) {
  const FileHandle file = create("a");
  const OperationId first = append(file, "x");
  EXPECT_EQ(disk.durable_through(), OperationId{});
  sync(file);
  EXPECT_EQ(disk.durable_through(), OperationId{}) << "the name may be gone";
  sync_directory();
  EXPECT_EQ(disk.durable_through(), first);
  const OperationId second = append(file, "y");
  EXPECT_EQ(disk.durable_through(), first);
  sync(file);
  EXPECT_EQ(disk.durable_through(), second);
}

TEST_F(SimulatedDiskTest, ASyncCoversTheAppendsThatWereAskedForBeforeIt) {
  const FileHandle file = durable("x");
  const OperationId first = append(file, "y");
  const OperationId sync = disk.sync(file);
  append(file, "z");
  disk.finish(sync, SimulatedDisk::SyncFate::ok, chooser, 1);
  EXPECT_EQ(disk.durable_through(), first);
}

TEST_F(SimulatedDiskTest, DurableThroughWaitsForEarlierAppendsToOtherFiles) {
  const FileHandle a = durable("x");
  const OperationId before = disk.durable_through();
  append(a, "y");
  const FileHandle b = create("b");
  const OperationId second = append(b, "z");
  sync(b);
  sync_directory();
  EXPECT_EQ(disk.durable_through(), before);
  sync(a);
  EXPECT_EQ(disk.durable_through(), second);
}

TEST_F(SimulatedDiskTest, NothingBehindAFailedSyncIsEverDurable) {
  const FileHandle file = durable("x");
  const OperationId before = disk.durable_through();
  append(file, "y");
  chooser.answer(Choice::page_fate, static_cast<std::uint64_t>(SimulatedDisk::PageFate::durable));
  sync(file, SimulatedDisk::SyncFate::failed);
  append(file, "z");
  sync(file);
  EXPECT_EQ(disk.durable_through(), before);
}

TEST_F(SimulatedDiskTest, TheDurableDigestTellsAppendsSyncsAndNames) {
  std::vector<std::uint64_t> digests = {disk.durable_digest()};
  const FileHandle file = create("a");
  append(file, "x");
  digests.push_back(disk.durable_digest());
  sync_directory();
  digests.push_back(disk.durable_digest());
  sync(file);
  digests.push_back(disk.durable_digest());
  std::ranges::sort(digests);
  EXPECT_EQ(std::ranges::adjacent_find(digests), digests.end());
}

}  // namespace
}  // namespace raftlab::simulator::testing
