#include "net/frame.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace raftlab::net {
namespace {

using Next = std::variant<Frame, std::monostate, Reason>;

std::vector<std::byte> bytes(std::initializer_list<unsigned> numbers) {
  std::vector<std::byte> all;
  for (const unsigned number : numbers) all.push_back(static_cast<std::byte>(number));
  return all;
}

void feed(FrameParser& parser, raft::Bytes input) {
  while (!input.empty()) {
    const auto room = parser.room();
    const std::size_t count = std::min(room.size(), input.size());
    std::copy_n(input.begin(), count, room.begin());
    parser.filled(count);
    input = input.subspan(count);
  }
}

std::string outcome(const Next& next) {
  if (std::holds_alternative<Frame>(next)) return "frame";
  const auto* reason = std::get_if<Reason>(&next);
  return reason == nullptr ? "none" : name(*reason);
}

std::string outcome_of(std::initializer_list<unsigned> input, std::uint32_t body_bytes_max = 100) {
  FrameParser parser(body_bytes_max);
  feed(parser, bytes(input));
  return outcome(parser.next());
}

TEST(Frame, IsALengthAKindAndABody) {
  FrameBatch batch;
  batch.add(FrameKind::keepalive, {});
  batch.add(FrameKind::hello, bytes({0xaa, 0xbb}));
  batch.add({raft::NodeId(1), raft::NodeId(2), raft::Term(3), raft::VoteReply{}});
  EXPECT_EQ(batch.frames(), 3U);
  const auto expected = bytes({1, 0, 0, 0, 4,              //
                               3, 0, 0, 0, 1, 0xaa, 0xbb,  //
                               9, 0, 0, 0, 3, 8,    1,    0x10, 2, 0x18, 3, 0x2a, 0});
  EXPECT_TRUE(std::ranges::equal(batch.bytes(), expected));
}

TEST(Frame, ComesOutAsItWentIn) {
  FrameParser parser(100);
  feed(parser, bytes({3, 0, 0, 0, 1, 0xaa, 0xbb, 1, 0, 0, 0, 4, 9}));
  const auto first = parser.next();
  ASSERT_EQ(outcome(first), "frame");
  EXPECT_EQ(std::get<Frame>(first).kind, FrameKind::hello);
  EXPECT_TRUE(std::ranges::equal(std::get<Frame>(first).body, bytes({0xaa, 0xbb})));
  const auto second = parser.next();
  ASSERT_EQ(outcome(second), "frame");
  EXPECT_EQ(std::get<Frame>(second).kind, FrameKind::keepalive);
  EXPECT_TRUE(std::get<Frame>(second).body.empty());
  EXPECT_EQ(outcome(parser.next()), "none");
  EXPECT_TRUE(parser.in_frame());
}

TEST(Frame, LengthsThatCannotBeAreRefusedWithTheFourthByte) {
  EXPECT_EQ(outcome_of({0, 0, 0}), "none");
  EXPECT_EQ(outcome_of({0, 0, 0, 0}), "frame_empty");
  EXPECT_EQ(outcome_of({101, 0, 0, 0}), "none");
  EXPECT_EQ(outcome_of({102, 0, 0, 0}), "frame_too_large");
  EXPECT_EQ(outcome_of({0, 0, 0, 0x80}), "frame_too_large");
  EXPECT_EQ(outcome_of({255, 255, 255, 255}), "frame_too_large");
  EXPECT_EQ(outcome_of({255, 255, 255, 255, 255, 255, 255, 255}), "frame_too_large");
}

TEST(Frame, UnknownKindsAreRefusedBeforeTheBody) {
  EXPECT_EQ(outcome_of({50, 0, 0, 0, 0}), "frame_unknown");
  EXPECT_EQ(outcome_of({50, 0, 0, 0, 7}), "frame_unknown");
  EXPECT_EQ(outcome_of({50, 0, 0, 0, 4}), "none");
}

TEST(Frame, AnAnnouncedLengthTakesNoMemory) {
  FrameParser parser(raft::wire::frame_bytes_max, 64);
  feed(parser, bytes({0, 0, 0x40, 0, 3}));  // 4 MiB
  EXPECT_EQ(outcome(parser.next()), "none");
  EXPECT_EQ(parser.buffer_bytes(), 64U);
  feed(parser, std::vector<std::byte>(1'000));
  EXPECT_EQ(outcome(parser.next()), "none");
  EXPECT_LE(parser.buffer_bytes(), 2'048U);
}

TEST(Frame, TheMemoryOfALongFrameIsGivenBack) {
  FrameParser parser(100'000, 64);
  FrameBatch batch;
  batch.add(FrameKind::envelope, std::vector<std::byte>(100'000));
  feed(parser, batch.bytes());
  EXPECT_EQ(outcome(parser.next()), "frame");
  EXPECT_GT(parser.buffer_bytes(), 100'000U);
  EXPECT_FALSE(parser.room().empty());
  EXPECT_EQ(parser.buffer_bytes(), 64U);
}

}  // namespace
}  // namespace raftlab::net
