#include "net/forward.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace raftlab::net {
namespace {

using kv::Status;

std::vector<std::byte> bytes(std::initializer_list<int> numbers) {
  std::vector<std::byte> bytes;
  for (const int number : numbers) bytes.push_back(static_cast<std::byte>(number));
  return bytes;
}

kv::Request request() {
  return kv::Request{7, 100, kv::Command{kv::ClientId(9), kv::Sequence(3), kv::Put{"k", "v"}}};
}

kv::Answer answer() {
  kv::Answer answer;
  answer.tag = 7;
  answer.status = Status::compare_failed;
  answer.duplicate = true;
  answer.found = std::string("\0x", 2);
  answer.index = raft::Index(300);
  answer.client = kv::ClientId(5);
  answer.leader = raft::NodeId(2);
  answer.error = kv::CommandError::key_too_large;
  return answer;
}

bool same(const kv::Answer& a, const kv::Answer& b) {
  return a.tag == b.tag && a.status == b.status && a.duplicate == b.duplicate && a.found == b.found &&
         a.index == b.index && a.client == b.client && a.leader == b.leader && a.error == b.error;
}

TEST(Forward, ARequestComesBack) {
  const auto decoded = decode_request(encode(request()));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->tag, 7U);
  EXPECT_EQ(decoded->deadline_ticks, 100U);
  EXPECT_EQ(std::get<kv::Command>(decoded->what), std::get<kv::Command>(request().what));
}

TEST(Forward, AnAnswerComesBack) {
  const auto decoded = decode_answer(encode(answer()));
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(same(*decoded, answer()));
  const auto plain = decode_answer(encode(kv::Answer{}));
  ASSERT_TRUE(plain);
  EXPECT_TRUE(same(*plain, kv::Answer{}));
}

TEST(Forward, TheBytesOfAnAnswer) {
  EXPECT_EQ(encode(answer()),
            bytes({0x08, 7, 0x10, 1, 0x18, 1, 0x22, 2, 0, 'x', 0x28, 0xac, 0x02, 0x30, 5, 0x38, 2, 0x40, 2}));
}

TEST(Forward, WhatIsCutOffIsNoRequest) {
  const std::vector<std::byte> whole = encode(request());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_request(raft::Bytes(whole).first(size))) << size;
  }
}

TEST(Forward, AnswersThatNobodyGivesAreRefused) {
  EXPECT_FALSE(decode_answer(bytes({0x10, 9})));   // a status behind the last one
  EXPECT_FALSE(decode_answer(bytes({0x40, 10})));  // likewise of an error
  EXPECT_FALSE(decode_answer(bytes({0x22, 5, 'x'})));
}

TEST(Forward, RequestsThatNobodyMakesAreRefused) {
  kv::Request late = request();
  late.deadline_ticks = 0;
  EXPECT_FALSE(decode_request(encode(late)));
  EXPECT_FALSE(decode_request(bytes({0x08, 1, 0x10, 1})));              // without a command
  EXPECT_FALSE(decode_request(bytes({0x08, 1, 0x10, 1, 0x1a, 1, 7})));  // a command that is none
}

}  // namespace
}  // namespace raftlab::net
