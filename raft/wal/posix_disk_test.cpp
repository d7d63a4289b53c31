#include "raft/wal/posix_disk.hpp"

#include "raft/wal/test_state.hpp"
#include "raft/wal/wal.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>

namespace raftlab::raft::wal {
namespace {

using namespace testing;
using namespace std::chrono_literals;

/// A directory that goes away with the test.
class Directory {
 public:
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "raftlab-wal-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::filesystem::filesystem_error("mkdtemp", {});
    path_ = name;
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A disk together with a thread that waits for it.
class Host {
 public:
  explicit Host(const std::filesystem::path& path, AfterFailure after = AfterFailure::nothing_more)
      : disk(
            path,
            [this] {
              const std::lock_guard guard(mutex_);
              woken_ = true;
              wake_.notify_one();
            },
            after) {}

  /// What has completed, once there is something; empty when nothing came for a long time. A call of `wake` may come
  /// when its completion was taken already, together with an older one: it says nothing then.
  std::vector<DiskCompletion> wait() {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    std::unique_lock lock(mutex_);
    while (wake_.wait_until(lock, deadline, [&] { return woken_; })) {
      woken_ = false;
      if (auto completions = disk.take_completions(); !completions.empty()) return completions;
    }
    return {};
  }

  /// Until this write is acknowledged or something fails.
  WriteOutcome wait_for(Wal& wal, WriteSeq seq) {
    for (;;) {
      const auto completions = wait();
      if (completions.empty()) return WriteOutcome{WriteSeq(), DiskError::io};
      for (const DiskCompletion& completion : completions) {
        const auto outcome = wal.complete(completion);
        if (outcome && (outcome->error != DiskError::none || outcome->seq >= seq)) return *outcome;
      }
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false;

 public:
  PosixDisk disk;
};

TEST(PosixDisk, ALogOnARealDirectorySurvivesItsProcess) {
  const Directory directory;
  WalOptions options;
  options.segment_bytes = 2000;
  State state = state_of(first_state());
  for (int life = 0; life < 3; ++life) {
    Host host(directory.path());
    Opening opening = Wal::open(host.disk, identity, options, first_state());
    ASSERT_TRUE(std::holds_alternative<Wal::Opened>(opening)) << std::get<Refusal>(opening).detail;
    auto& opened = std::get<Wal::Opened>(opening);
    EXPECT_EQ(opened.fresh, life == 0);
    EXPECT_FALSE(opened.torn_tail);
    EXPECT_EQ(state_of(opened.recovered), state);
    opened.wal.begin(opened.recovered);
    WriteSeq seq(1);
    for (; seq.value() < 100; seq = seq.next()) {
      const Write write = write_behind(state, seq.next());
      apply(write, state);
      opened.wal.write(write);
    }
    const WriteOutcome outcome = host.wait_for(opened.wal, seq);
    ASSERT_EQ(outcome.error, DiskError::none);
    ASSERT_EQ(outcome.seq, seq);
  }
}

TEST(PosixDisk, CheckpointsOfARunningLogLeaveOneLifeOnARealDirectory) {
  const Directory directory;
  WalOptions options;
  options.segment_bytes = 2000;
  options.record_bytes_max = 500;
  State state = state_of(first_state());
  for (int life = 0; life < 2; ++life) {
    Host host(directory.path());
    Opening opening = Wal::open(host.disk, identity, options, first_state());
    ASSERT_TRUE(std::holds_alternative<Wal::Opened>(opening)) << std::get<Refusal>(opening).detail;
    auto& opened = std::get<Wal::Opened>(opening);
    EXPECT_EQ(state_of(opened.recovered), state);
    opened.wal.begin(opened.recovered);
    WriteSeq seq(1);
    for (int round = 0; round < 5; ++round) {
      for (int i = 0; i < 60; ++i) {
        seq = seq.next();
        const Write write = write_behind(state, seq);
        apply(write, state);
        opened.wal.write(write);
      }
      seq = seq.next();
      opened.wal.write(own_snapshot(state, seq, Index(state.log.last().value() - 5), 10));
      const WriteOutcome outcome = host.wait_for(opened.wal, seq);
      ASSERT_EQ(outcome.error, DiskError::none);
      ASSERT_EQ(outcome.seq, seq);
      std::uintmax_t bytes = 0;
      for (const auto& file : std::filesystem::directory_iterator(directory.path()))
        bytes += file.file_size();
      EXPECT_LT(bytes, 1500U) << "a header, a snapshot and some 15 entries";
    }
  }
}

TEST(PosixDisk, ADirectoryBelongsToOneProcess) {
  const Directory directory;
  Host first(directory.path());
  ASSERT_EQ(first.disk.lock(), DiskError::none);
  EXPECT_EQ(first.disk.lock(), DiskError::none) << "it has it already";
  {
    Host second(directory.path());
    EXPECT_EQ(second.disk.lock(), DiskError::locked);
    EXPECT_EQ(std::get<Refusal>(Wal::open(second.disk, identity, {}, std::nullopt)).code,
              RefusalCode::locked);
  }
}

TEST(PosixDisk, TheLockEndsWithItsOwner) {
  const Directory directory;
  {
    Host first(directory.path());
    ASSERT_EQ(first.disk.lock(), DiskError::none);
  }
  Host second(directory.path());
  EXPECT_EQ(second.disk.lock(), DiskError::none);
}

TEST(PosixDisk, ChangesAreCarriedOutInOrder) {
  const Directory directory;
  Host host(directory.path());
  FileHandle file;
  host.disk.create("a", file);
  host.disk.preallocate(file, 1U << 20U);
  host.disk.append(file, payload_of("one "));
  host.disk.append(file, payload_of("two three"));
  host.disk.truncate(file, 7);
  host.disk.sync(file);
  host.disk.rename("a", "b");
  const OperationId last = host.disk.sync_directory();
  for (bool done = false; !done;) {
    const auto completions = host.wait();
    ASSERT_FALSE(completions.empty());
    for (const DiskCompletion& completion : completions) ASSERT_EQ(completion.error, DiskError::none);
    done = completions.back().operation == last;
  }
  EXPECT_EQ(std::get<0>(host.disk.list()), std::vector<std::string>{"b"});
  EXPECT_EQ(std::get<0>(host.disk.read("b")), payload_of("one two"))
      << "room that was reserved is not content";
  EXPECT_EQ(std::get<DiskError>(host.disk.read("a")), DiskError::not_found);

  FileHandle again;
  host.disk.open("b", again);
  host.disk.append(again, payload_of("!"));
  host.disk.sync(again);
  ASSERT_FALSE(host.wait().empty());
  EXPECT_EQ(std::get<0>(host.disk.read("b")), payload_of("one two!"));
  host.disk.remove("b");
  host.disk.sync_directory();
  ASSERT_FALSE(host.wait().empty());
  EXPECT_TRUE(std::get<0>(host.disk.list()).empty());
}

TEST(PosixDisk, AfterAFailureEverythingFails) {
  const Directory directory;
  Host host(directory.path());
  FileHandle file;
  host.disk.create("a", file);
  const OperationId twice = host.disk.create("a", file);
  const OperationId sync = host.disk.sync_directory();
  std::vector<DiskCompletion> told;
  while (told.size() < 2) {
    const auto more = host.wait();
    ASSERT_FALSE(more.empty());
    told.insert(told.end(), more.begin(), more.end());
  }
  EXPECT_EQ(told[0].operation, twice);
  EXPECT_EQ(told[0].error, DiskError::exists);
  EXPECT_EQ(told[1].operation, sync);
  EXPECT_NE(told[1].error, DiskError::none);
  host.disk.sync_directory();
  const auto later = host.wait();
  ASSERT_EQ(later.size(), 1U);
  EXPECT_NE(later[0].error, DiskError::none) << "for ever";
}

TEST(PosixDisk, ForSnapshotsWhatIsAskedAfterTheNewsOfAFailureIsANewStart) {
  const Directory directory;
  Host host(directory.path(), AfterFailure::what_is_asked_next);
  FileHandle file;
  host.disk.create("a", file);
  const OperationId twice = host.disk.create("a", file);
  host.disk.create("lost", file);
  host.disk.sync_directory();
  const auto told = host.wait();
  ASSERT_EQ(told.size(), 1U) << "what stands behind it is dropped without a word";
  EXPECT_EQ(told[0].operation, twice);
  EXPECT_EQ(told[0].error, DiskError::exists);
  host.disk.create("b", file);
  host.disk.append(file, std::vector<std::byte>(10));
  const OperationId again = host.disk.sync(file);
  const auto completed = host.wait();
  ASSERT_EQ(completed.size(), 1U);
  EXPECT_EQ(completed[0].operation, again);
  EXPECT_EQ(completed[0].error, DiskError::none);
  EXPECT_EQ(std::get<0>(host.disk.list()), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(std::get<0>(host.disk.read("b")).size(), 10U);
  host.disk.create("b", file);
  EXPECT_EQ(host.wait().at(0).error, DiskError::exists) << "the next failure is one, too";
}

TEST(PosixDisk, ADirectoryThatCannotBeMadeIsAnErrorNotAnEmptyLog) {
  const Directory directory;
  Host host(directory.path() / "missing" / "deeper");
  EXPECT_EQ(std::get<DiskError>(host.disk.list()), DiskError::not_found);
  EXPECT_EQ(std::get<Refusal>(Wal::open(host.disk, identity, {}, std::nullopt)).code,
            RefusalCode::unreadable);
}

}  // namespace
}  // namespace raftlab::raft::wal
