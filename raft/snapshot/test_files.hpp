#pragma once

#include "raft/assert.hpp"
#include "raft/snapshot/files.hpp"
#include "raft/snapshot/names.hpp"
#include "raft/snapshot/test_disk.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

/// Images to test with, and the ways in which tests drive `Files`.
namespace raftlab::raft::snapshot::testing {

inline constexpr std::uint64_t cluster = 0x1122334455667788;

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

[[nodiscard]] inline LogId at(std::uint64_t index, std::uint64_t term = 1) {
  return LogId{Term(term), Index(index)};
}

[[nodiscard]] inline Header header_of(LogId last, std::uint32_t voters = 3) {
  return Header{cluster, last, voters_up_to(voters)};
}

[[nodiscard]] inline std::vector<std::byte> content_of(std::size_t bytes, std::uint64_t seed = 1) {
  Random random(seed);
  std::vector<std::byte> content(bytes);
  for (std::byte& byte : content) byte = static_cast<std::byte>(random(256));
  return content;
}

[[nodiscard]] inline std::vector<std::byte> image_of(const Header& header, Bytes content) {
  std::vector<std::byte> image;
  Encoder encoder(header, image);
  encoder.write(content, image);
  encoder.finish(image);
  return image;
}

[[nodiscard]] inline std::uint64_t checksum_of(Bytes image) {
  Verifier verifier(cluster);
  EXPECT_TRUE(verifier.feed(image) && verifier.complete());
  return verifier.checksum();
}

/// One that stands in a directory, or is to.
struct Example {
  LogId last;
  std::vector<std::byte> content;
  std::vector<std::byte> image;
  std::uint64_t checksum = 0;

  [[nodiscard]] std::string name() const { return finished_name(last); }
  [[nodiscard]] Header header() const { return header_of(last); }
  [[nodiscard]] InstallSnapshot chunk(std::uint64_t offset, std::size_t bytes) const {
    const Bytes rest = Bytes(image).subspan(offset);
    const Bytes part = rest.first(std::min(bytes, rest.size()));
    return InstallSnapshot{last, offset, image.size(), checksum, {part.begin(), part.end()}};
  }
};

[[nodiscard]] inline Example example(LogId last, std::size_t bytes, std::uint64_t seed = 1) {
  Example example{last, content_of(bytes, seed), {}, 0};
  example.image = image_of(example.header(), example.content);
  example.checksum = checksum_of(example.image);
  return example;
}

[[nodiscard]] inline Files::Opened open(TestDisk& disk) {
  auto opening = Files::open(disk, cluster);
  RAFTLAB_ASSERT(std::holds_alternative<Files::Opened>(opening), opening.index());
  return std::move(std::get<Files::Opened>(opening));
}

inline void step(Files& files, TestDisk& disk) {
  if (const auto completion = disk.step()) files.complete(*completion);
}
/// Carries out all that waits, and returns what happened.
inline std::vector<Event> drive(Files& files, TestDisk& disk) {
  while (!disk.idle()) step(files, disk);
  return files.take_events();
}

/// Asks for all of it at once.
inline void take(Files& files, const Example& example, std::size_t part = 1000) {
  files.begin(example.header());
  for (std::size_t at = 0; at < example.content.size(); at += part)
    files.write(Bytes(example.content).subspan(at, std::min(part, example.content.size() - at)));
  files.finish();
}

/// Hands over chunk by chunk, as the answers ask for. Returns the last answer.
inline std::uint64_t receive(Files& files, const Example& example, std::size_t part) {
  std::uint64_t offset = 0;
  for (;;) {
    const std::uint64_t next = files.receive(example.chunk(offset, part));
    if (next <= offset || next == example.image.size()) return next;
    offset = next;
  }
}

[[nodiscard]] inline std::string text(const std::vector<Event>& events) {
  std::string text;
  for (const Event& event : events) {
    constexpr const char* names[] = {"taken", "taking_failed", "stored", "storing_failed"};
    if (!text.empty()) text += ' ';
    text += names[static_cast<std::size_t>(event.kind)];
    text += '@';
    text += std::to_string(event.last.index.value());
  }
  return text;
}

}  // namespace raftlab::raft::snapshot::testing
