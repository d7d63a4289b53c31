#include "raft/snapshot/test_files.hpp"
#include "raft/wal/posix_disk.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>

/// Snapshots on a real file system.
namespace raftlab::raft::snapshot {
namespace {

using namespace testing;
using namespace std::chrono_literals;

/// A directory that goes away with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "raftlab-snapshot-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::filesystem::filesystem_error("mkdtemp", {});
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
  }

 private:
  std::filesystem::path path_;
};

/// A disk, the thread that waits for it, and the snapshots on it.
class Host {
 public:
  explicit Host(const std::filesystem::path& path)
      : disk_(
            path,
            [this] {
              const std::lock_guard guard(mutex_);
              woken_ = true;
              wake_.notify_one();
            },
            wal::AfterFailure::what_is_asked_next) {
    auto opening = Files::open(disk_, cluster);
    auto& opened = std::get<Files::Opened>(opening);
    found = std::move(opened.found);
    damaged = std::move(opened.damaged);
    files.emplace(std::move(opened.files));
  }

  /// Until something happened; "" when nothing did for a long time.
  std::string wait() {
    for (;;) {
      if (const auto events = files->take_events(); !events.empty()) return text(events);
      std::unique_lock lock(mutex_);
      if (!wake_.wait_for(lock, 20s, [&] { return woken_; })) return "";
      woken_ = false;
      lock.unlock();
      for (const auto& completion : disk_.take_completions()) files->complete(completion);
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false;
  wal::PosixDisk disk_;

 public:
  std::optional<Files> files;
  std::vector<Found> found;
  std::vector<std::string> damaged;
};

TEST(SnapshotFilesPosix, TakenReceivedReadBackAndRemoved) {
  const TemporaryDirectory directory;
  const Example one = example(at(10), 300'000);
  const Example two = example(at(20, 2), 200'000);
  {
    Host host(directory.path());
    EXPECT_TRUE(host.found.empty());
    take(*host.files, one);
    EXPECT_EQ(host.wait(), "taken@10");
    EXPECT_EQ(receive(*host.files, two, 50'000), two.image.size());
    EXPECT_EQ(host.wait(), "stored@20");
    EXPECT_EQ(directory.names(), (std::vector<std::string>{"LOCK", one.name(), two.name()}));
    EXPECT_EQ(host.files->chunk(two.last, 1000, 5000), two.chunk(1000, 5000));
    host.files->begin(header_of(at(30)));  // its part is left behind
  }
  {
    Host host(directory.path());
    ASSERT_EQ(host.found.size(), 2U);
    EXPECT_EQ(host.found[0].header, two.header());
    EXPECT_EQ(host.found[1].checksum, one.checksum);
    EXPECT_EQ(directory.names().size(), 4U);
    EXPECT_EQ(host.files->content(one.last), one.content);
    host.files->keep_only({two.last});
    // Behind the removals, which end with their sync.
    EXPECT_EQ(host.files->receive(two.chunk(0, 10)), two.image.size());
    EXPECT_EQ(host.wait(), "stored@20");
  }
  EXPECT_EQ(directory.names(), (std::vector<std::string>{"LOCK", two.name()}));
}

TEST(SnapshotFilesPosix, ADamagedFileIsToldAndReplaced) {
  const TemporaryDirectory directory;
  const Example one = example(at(10), 3000);
  {
    Host host(directory.path());
    take(*host.files, one);
    EXPECT_EQ(host.wait(), "taken@10");
  }
  std::filesystem::resize_file(directory.path() / one.name(), 2000);
  Host host(directory.path());
  EXPECT_TRUE(host.found.empty());
  EXPECT_EQ(host.damaged, std::vector{one.name()});
  EXPECT_EQ(receive(*host.files, one, 1000), one.image.size());
  EXPECT_EQ(host.wait(), "stored@10");
  EXPECT_EQ(host.files->content(one.last), one.content);
}

/// A full disk and the like end one attempt, not all of them.
TEST(SnapshotFilesPosix, AfterAFailureTheNextAttemptWorks) {
  const TemporaryDirectory directory;
  const Example one = example(at(10), 3000);
  Host host(directory.path());
  std::filesystem::create_directory(directory.path() / one.name());
  take(*host.files, one);
  EXPECT_EQ(host.wait(), "taking_failed@10") << "a directory has its name";
  std::filesystem::remove(directory.path() / one.name());
  take(*host.files, one);
  EXPECT_EQ(host.wait(), "taken@10");
  EXPECT_EQ(host.files->content(one.last), one.content);
}

/// The directory is gone: every change fails.
TEST(SnapshotFilesPosix, AFailingDiskIsAnEvent) {
  const TemporaryDirectory directory;
  const Example one = example(at(10), 3000);
  Host host(directory.path());
  std::filesystem::remove_all(directory.path());
  take(*host.files, one);
  EXPECT_EQ(host.wait(), "taking_failed@10");
  EXPECT_FALSE(host.files->taking());
}

}  // namespace
}  // namespace raftlab::raft::snapshot
