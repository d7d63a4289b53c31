#include "tools/diskeyval/process_audit.hpp"
#include "tools/diskeyval/process_cluster.hpp"
#include "tools/diskeyval/process_io_faults.hpp"
#include "tools/diskeyval/process_load.hpp"
#include "tools/diskeyval/process_waits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

/// Real processes, whose disks fail under load: what docs/faults.md says of F1, F11 to F13, F23 and F30 is seen from outside.
namespace raftlab::diskeyval {
namespace {

using namespace test;

constexpr int disk_failed = 74;  // the exit code of a node whose disk has failed

/// Every file of a directory, byte for byte.
std::map<std::string, std::string> contents(const fs::path& directory) {
  std::map<std::string, std::string> files;
  for (const fs::directory_entry& file : fs::directory_iterator(directory)) {
    std::ifstream in(file.path(), std::ios::binary);
    files[file.path().filename().string()] = {std::istreambuf_iterator<char>(in), {}};
  }
  return files;
}

/// Three nodes with such disks.
class DiskFaults : public ::testing::Test {
 protected:
  explicit DiskFaults(std::string part = "log", std::uint64_t compact_every = 2000)
      : part_(std::move(part)), cluster_(options(compact_every)) {}

  /// Under load, with a leader.
  void SetUp() override {
    ASSERT_NE(wait_for_leader(cluster_), 0U) << cluster_.said(1);
    ASSERT_TRUE(goes_on(load_, 100));
    for (std::uint32_t id = 1; id <= 3; ++id)
      ASSERT_TRUE(wait_for([&] { return disk(id).seen().syncs > 0; }) || part_ != "log")
          << "the faults do not stand before the disk of node " << id;
  }

  FaultyDisk& disk(std::uint32_t id) { return disks_[id - 1]; }

  /// Each of these nodes says that its disk has failed, and ends with the exit code for that.
  void expect_stopped_by_its_disk(std::uint32_t id) {
    EXPECT_EQ(cluster_.ended(id), disk_failed) << cluster_.said(id);
    EXPECT_NE(cluster_.said(id).find("\"disk_failed\""), std::string::npos) << cluster_.said(id);
    EXPECT_GE(disk(id).seen().struck, 1U);
    EXPECT_EQ(disk(id).seen().behind, 0U) << "a disk that failed was used again";
  }
  void start_again(std::uint32_t id) {
    cluster_.start(id);
    EXPECT_TRUE(wait_until_ready(cluster_, id)) << cluster_.said(id);
  }
  /// Nothing goes on without the node then.
  void expect_needed(std::uint32_t id) {
    const std::uint32_t other = id % 3 + 1;
    cluster_.kill(other);
    EXPECT_TRUE(goes_on(load_, 100)) << cluster_.said(id);
    start_again(other);
  }
  /// All disks have this fault at once. Two of them strike, which ends their nodes so; the third one may hear of nothing to
  /// write any more, and is killed. Then all of them start again.
  void expect_all_survive(Fault fault, std::uint64_t amount, int how) {
    std::uint64_t before = 0;
    for (std::uint32_t id = 1; id <= 3; ++id) before += disk(id).seen().struck;
    for (std::uint32_t id = 1; id <= 3; ++id) disk(id).fail(fault, amount);
    std::set<std::uint32_t> alive{1, 2, 3};
    ASSERT_TRUE(wait_for([&] {
      std::erase_if(alive, [&](std::uint32_t id) {
        const std::optional<int> ended = cluster_.ended(id, std::chrono::seconds(0));
        if (ended) {
          EXPECT_EQ(*ended, how) << cluster_.said(id);
        }
        return ended.has_value();
      });
      return alive.size() < 2;
    }));
    for (const std::uint32_t id : alive) cluster_.kill(id);
    std::uint64_t after = 0;
    for (std::uint32_t id = 1; id <= 3; ++id) {
      after += disk(id).seen().struck;
      EXPECT_EQ(disk(id).seen().behind, 0U) << "a disk that failed was used again";
      disk(id).work_again();
      cluster_.start(id);
    }
    EXPECT_GE(after, before + 2);
    EXPECT_TRUE(goes_on(load_, 100)) << cluster_.said(1);
    for (std::uint32_t id = 1; id <= 3; ++id)
      EXPECT_TRUE(wait_until_ready(cluster_, id)) << cluster_.said(id);
  }

 private:
  ClusterOptions options(std::uint64_t compact_every) {
    ClusterOptions options;
    options.compact_every = compact_every;
    options.launch = [this](std::uint32_t id, Launch what) {
      const std::string flag = "--data=";
      const auto data =
          std::ranges::find_if(what.words, [&](const std::string& word) { return word.starts_with(flag); });
      disk(id).come_before(what, fs::path(data->substr(flag.size())) / part_);
      return launch(what);
    };
    return options;
  }

  std::string part_;
  std::array<FaultyDisk, 3> disks_;

 protected:
  ProcessCluster cluster_;
  Load load_{cluster_, 4};
};

/// F12, F30.
TEST_F(DiskFaults, AFullDiskStopsTheLeaderUntilThereIsRoom) {
  const std::uint32_t leads = wait_for_leader(cluster_);
  disk(leads).fail(Fault::no_room, 5000);
  expect_stopped_by_its_disk(leads);
  EXPECT_TRUE(goes_on(load_, 100));

  const auto before = contents(cluster_.data(leads) / "log");
  cluster_.start(leads);
  EXPECT_EQ(cluster_.ended(leads), disk_failed) << "there still is no room\n" << cluster_.said(leads);
  const auto after = contents(cluster_.data(leads) / "log");
  for (const auto& [name, bytes] : before)
    EXPECT_TRUE(after.contains(name) && after.at(name) == bytes) << name << " has changed";

  disk(leads).work_again();
  start_again(leads);
  expect_needed(leads);
  expect_audited(cluster_, load_.end(), 300);
}

/// F11: the sync fails once and would succeed then; what it did not cover is gone.
TEST_F(DiskFaults, ASyncThatFailsStopsTheLeaderForGood) {
  const std::uint32_t leads = wait_for_leader(cluster_);
  disk(leads).fail(Fault::failed_sync);
  expect_stopped_by_its_disk(leads);
  EXPECT_EQ(disk(leads).seen().struck, 1U);
  EXPECT_TRUE(goes_on(load_, 100));
  start_again(leads);
  expect_needed(leads);
  expect_audited(cluster_, load_.end(), 300);
}

/// Whatever one of them had acknowledged without having it would be missing now.
TEST_F(DiskFaults, ASyncThatFailsEverywhereLosesNothingThatWasAcknowledged) {
  for (int round = 0; round < 3; ++round) expect_all_survive(Fault::failed_sync, 0, disk_failed);
  expect_audited(cluster_, load_.end(), 400);
}

/// F1, with F21: cut in the frame of a record, in its payload, and right behind its first byte.
TEST_F(DiskFaults, ATornWriteIsCutOffWhereverItWasTorn) {
  for (const std::uint64_t bytes : {20U, 50U, 1U}) {
    for (std::uint32_t id = 1; id <= 3; ++id) {
      const std::uint64_t before = disk(id).seen().struck;
      disk(id).fail(Fault::torn_write, bytes);
      EXPECT_EQ(cluster_.ended(id), -SIGKILL) << cluster_.said(id);
      EXPECT_EQ(disk(id).seen().struck, before + 1);
      EXPECT_TRUE(goes_on(load_, 20));
      start_again(id);
    }
  }
  expect_audited(cluster_, load_.end(), 280);
}

TEST_F(DiskFaults, WritesThatAreTornEverywhereLoseNothingThatWasAcknowledged) {
  for (int round = 0; round < 3; ++round) expect_all_survive(Fault::torn_write, 40, -SIGKILL);
  expect_audited(cluster_, load_.end(), 400);
}

/// F23.
TEST_F(DiskFaults, ALeaderWhoseDiskSaysNothingAnyMoreHandsOver) {
  const std::uint32_t leads = wait_for_leader(cluster_);
  disk(leads).fail(Fault::slow_sync, 20);
  EXPECT_TRUE(goes_on(load_, 50)) << "merely slow";
  disk(leads).fail(Fault::slow_sync, 3'000);
  EXPECT_NE(wait_for_leader_at(cluster_, leads % 3 + 1, [&](std::uint32_t other) { return other != leads; }),
            0U);
  EXPECT_TRUE(goes_on(load_, 100));
  EXPECT_GE(disk(leads).seen().struck, 2U);
  disk(leads).work_again();
  EXPECT_TRUE(wait_until_ready(cluster_, leads)) << cluster_.said(leads);
  EXPECT_TRUE(goes_on(load_, 50));
  EXPECT_EQ(cluster_.end(leads), 0) << "it has lived through all of it\n" << cluster_.said(leads);
  expect_audited(cluster_, load_.end(), 250);
}

/// The directory of the snapshots has no room, that of the log has.
class SnapshotFaults : public DiskFaults {
 protected:
  SnapshotFaults() : DiskFaults("snapshots", 50) {}

  std::uint64_t snapshot_of(std::uint32_t id) {
    const Reply reply =
        cluster_.client(std::chrono::seconds(1))->ask_one(cluster_.endpoint(id), "GET", "/status", "");
    return reply.status == 200 ? reply.body.at("snapshot").get<std::uint64_t>() : 0;
  }
};

/// F13.
TEST_F(SnapshotFaults, WithoutRoomForSnapshotsTheyGoOnAndTryAgain) {
  for (std::uint32_t id = 1; id <= 3; ++id) {
    disk(id).fail(Fault::no_room, 100);
    const std::uint64_t before = disk(id).seen().struck;
    EXPECT_TRUE(wait_for([&] { return disk(id).seen().struck >= before + 2; })) << cluster_.said(id);
  }
  EXPECT_TRUE(goes_on(load_, 100));
  for (std::uint32_t id = 1; id <= 3; ++id) {
    const std::uint64_t before = snapshot_of(id);
    disk(id).work_again();
    EXPECT_TRUE(wait_for([&] { return snapshot_of(id) > before; })) << cluster_.said(id);
  }
  for (std::uint32_t id = 1; id <= 3; ++id) {
    EXPECT_EQ(cluster_.end(id), 0) << cluster_.said(id);
    start_again(id);
  }
  expect_audited(cluster_, load_.end(), 200);
}

}  // namespace
}  // namespace raftlab::diskeyval
