#include "raft/snapshot/files.hpp"

#include "raft/snapshot/test_files.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdio>
#include <deque>

/// Whatever happens to chunks, disks and processes: what is told to be stored or taken is there, exactly, and
/// stays.
namespace raftlab::raft::snapshot {
namespace {

using namespace testing;

/// A sender and a network that loses, doubles, delays and reorders, and a receiver that now and then is
/// killed, or loses its power, or has a disk that fails; meanwhile it takes snapshots of its own.
class Transfer {
 public:
  explicit Transfer(std::uint64_t seed) : random_(seed) {
    std::uint64_t index = 1;
    for (int i = 0; i < 4; ++i) {
      index += 1 + random_(3);
      const auto bytes = random_(4) == 0 ? random_(100'000) : random_(1500);
      images_.push_back(example(at(index, 1 + random_(3)), bytes, seed + index));
    }
    // Another image of the same snapshot.
    images_.push_back(example(images_[1].last, random_(2000), seed + 99));
    chunk_bytes_ = 1 + random_(900);
    disk_.silent = random_(2) == 0;
    start();
  }

  void run() {
    for (int i = 0; i < 400; ++i) act();
    // Then everything works, and the newest one gets there.
    disk_.fail_at.clear();
    disk_.behind = TestDisk::Behind::carried_out;
    network_.clear();
    while (!disk_.idle()) work();
    present_ = 3;
    const std::uint64_t before = stored_;
    const std::uint64_t got = receive(*files_, images_[3], chunk_bytes_);
    if (got != images_[3].image.size()) {
      RC_ASSERT(receive(*files_, images_[3], chunk_bytes_) == images_[3].image.size());
    }
    while (!disk_.idle()) work();
    listen();
    RC_ASSERT(stored_ > before);
    RC_ASSERT(files_->content(images_[3].last) == images_[3].content);
    RC_ASSERT(disk_.mistakes == 0 || failures_ != 0);
  }

  [[nodiscard]] std::uint64_t stored() const { return stored_; }
  [[nodiscard]] std::uint64_t lives() const { return lives_; }
  [[nodiscard]] std::uint64_t failures() const { return failures_; }

 private:
  void act() {
    switch (random_(16)) {
      case 0: return send(random_(5), 0);  // the sender starts again
      case 1: return send(random_(5), random_(4000));
      case 2:
      case 3:
        if (!network_.empty()) network_.push_back(network_[random_(size())]);  // doubled
        return;
      case 4:
        if (!network_.empty()) network_.pop_front();  // lost
        return;
      case 5: return take_own();
      case 6:
        if (random_(12) == 0) restart();
        return;
      case 7:
        if (random_(8) == 0) fail_soon();
        return;
      case 8:
        if (random_(6) == 0) keep();
        return;
      case 9:
      case 10:
      case 11: return work();
      default: return deliver();
    }
  }

  void send(std::uint32_t image, std::uint64_t offset) {
    present_ = image;
    const std::uint64_t size = images_[image].image.size();
    network_.push_back(images_[image].chunk(std::min(offset, size), chunk_bytes_));
  }

  void deliver() {
    if (network_.empty()) return send(present_, 0);
    const std::size_t which = random_(4) == 0 ? random_(size()) : 0;
    const InstallSnapshot chunk = network_[which];
    network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(which));
    const std::uint64_t next = files_->receive(chunk);
    RC_ASSERT(next <= chunk.total);
    listen();
    if (network_.size() > 20) network_.pop_front();
    if (chunk.last != images_[present_].last || chunk.checksum != images_[present_].checksum) return;
    network_.push_back(images_[present_].chunk(next, chunk_bytes_));
  }

  void take_own() {
    const Example& one = images_[own_];
    if (!files_->taking()) {
      own_ = random_(4);
      files_->begin(images_[own_].header());
      written_ = 0;
      finished_ = false;
    } else if (finished_) {
      if (random_(8) == 0) files_->abandon();
    } else if (written_ < one.content.size()) {
      const std::size_t part = std::min<std::size_t>(one.content.size() - written_, 1 + random_(30'000));
      files_->write(Bytes(one.content).subspan(written_, part));
      written_ += part;
    } else {
      files_->finish();
      finished_ = true;
    }
  }

  void work() {
    if (disk_.idle()) return;
    step(*files_, disk_);
    check_names();
    listen();
  }

  void listen() {
    for (const Event& event : files_->take_events()) {
      if (event.kind == Event::Kind::taking_failed || event.kind == Event::Kind::storing_failed) continue;
      // Durable: it is there from now on, as long as it is wanted.
      RC_ASSERT(event.configuration == header_of(event.last).configuration);
      RC_ASSERT(is_known(event.last, files_->content(event.last)));
      std::erase(durable_, event.last);
      durable_.push_back(event.last);
      if (event.kind == Event::Kind::stored) ++stored_;
    }
  }

  [[nodiscard]] bool is_known(LogId last, const std::optional<std::vector<std::byte>>& content) const {
    return std::ranges::any_of(
        images_, [&](const Example& one) { return one.last == last && one.content == content; });
  }

  void check_names() const {
    for (const auto& [name, bytes] : disk_.files()) {
      const auto& image = bytes;
      if (!finished(name)) continue;
      RC_ASSERT(std::ranges::any_of(images_, [&, &file = name](const Example& one) {
        return one.name() == file && one.image == image;
      }));
    }
  }

  void keep() {
    if (durable_.empty()) return;
    const LogId wanted = durable_[random_(static_cast<std::uint32_t>(durable_.size()))];
    files_->keep_only({wanted});
    durable_ = {wanted};
  }

  void fail_soon() {
    ++failures_;
    disk_.behind = static_cast<TestDisk::Behind>(random_(3));
    disk_.fail_at.insert(disk_.asked() + random_(4));
  }

  void restart() {
    ++lives_;
    for (std::uint32_t steps = random_(4); steps > 0 && !disk_.idle(); --steps)
      (void)disk_.step();  // unheard
    if (random_(2) == 0) {
      disk_.kill();
    } else {
      disk_.lose_power([this](std::uint32_t count) { return random_(count); });
    }
    check_names();
    start();
  }

  void start() {
    files_.reset();
    Files::Opened opened = open(disk_);
    RC_ASSERT(opened.damaged.empty());
    for (const LogId last : durable_) {
      RC_ASSERT(
          std::ranges::any_of(opened.found, [&](const Found& found) { return found.header.last == last; }));
      RC_ASSERT(is_known(last, opened.files.content(last)));
    }
    files_.emplace(std::move(opened.files));
  }

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(network_.size()); }

  Random random_;
  TestDisk disk_;
  std::vector<Example> images_;
  std::optional<Files> files_;
  std::deque<InstallSnapshot> network_;
  std::vector<LogId> durable_;  // and wanted
  std::uint32_t present_ = 0;   // that the sender sends
  std::size_t chunk_bytes_ = 1;
  std::uint32_t own_ = 0;
  std::size_t written_ = 0;
  bool finished_ = false;
  std::uint64_t stored_ = 0;
  std::uint64_t lives_ = 1;
  std::uint64_t failures_ = 0;
};

RC_GTEST_PROP(SnapshotFilesProperty, WhatIsToldToBeDurableIsThereExactly, (std::uint64_t seed)) {
  for (std::uint64_t i = 0; i < 20; ++i) Transfer(seed + i * 7919).run();
}

/// The property says something: in its runs snapshots are stored, disks fail and processes end.
TEST(SnapshotFilesProperty, SeesWhatItIsMeantToSee) {
  std::uint64_t stored = 0;
  std::uint64_t lives = 0;
  std::uint64_t failures = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Transfer transfer(seed);
    transfer.run();
    stored += transfer.stored();
    lives += transfer.lives();
    failures += transfer.failures();
  }
  std::printf("200 transfers: %llu stored, %llu lives, %llu failures\n",
              static_cast<unsigned long long>(stored), static_cast<unsigned long long>(lives),
              static_cast<unsigned long long>(failures));
  EXPECT_GT(stored, 400U);
  EXPECT_GT(lives, 400U);
  EXPECT_GT(failures, 400U);
}

}  // namespace
}  // namespace raftlab::raft::snapshot
