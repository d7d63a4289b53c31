#include "net/requests.hpp"

#include <gtest/gtest.h>

#include <string>

namespace raftlab::net {
namespace {

using kv::Status;
using raft::NodeId;

constexpr NodeId self{1};
constexpr NodeId other{2};

/// Requests of node 1, and the hands of its host.
class RequestsTest : public testing::Test {
 protected:
  static RequestsOptions options() {
    RequestsOptions options;
    options.attempt_ticks = 10;
    options.backoff_ticks = 2;
    options.wishes_max = 8;
    options.sessions_max = 2;
    return options;
  }

  static Wish put(std::string value) {
    Wish wish;
    wish.what = kv::Change{kv::Put{"k", std::move(value)}};
    wish.deadline_ticks = 50;
    return wish;
  }
  static Wish get() {
    Wish wish;
    wish.what = kv::GetKeys{{"k"}, std::nullopt};
    wish.deadline_ticks = 50;
    return wish;
  }

  void take() {
    out.clear();
    requests.take(out);
  }
  void ticks(int count) {
    for (int i = 0; i < count; ++i) requests.tick();
    take();
  }
  void answer(const Attempt& attempt, Status status, kv::ClientId client = {}, NodeId leader = {}) {
    kv::Answer answer;
    answer.tag = attempt.request.tag;
    answer.status = status;
    answer.client = client;
    answer.leader = leader;
    requests.answered(std::move(answer));
    take();
  }
  /// Node `leader` leads, and node 1 has a session, which is free.
  void begin(NodeId leader = self, kv::ClientId client = kv::ClientId(7)) {
    requests.leader(leader);
    requests.wish(1000, put("first"));
    take();
    answer(only(), Status::ok, client);
    answer(only(), Status::ok);
    ASSERT_EQ(out.outcomes.size(), 1U);
  }
  const Attempt& only() {
    EXPECT_EQ(out.attempts.size(), 1U);
    static const Attempt none;
    return out.attempts.empty() ? none : out.attempts.front();
  }
  static const kv::Command& command(const Attempt& attempt) {
    return std::get<kv::Command>(attempt.request.what);
  }
  static std::string value(const Attempt& attempt) {
    return std::get<kv::Put>(command(attempt).change).value;
  }

  Requests requests{self, options()};
  RequestsOutput out;
};

TEST_F(RequestsTest, AWriteOpensASessionFirst) {
  requests.leader(self);
  requests.wish(1, put("a"));
  take();
  const Attempt opening = only();
  EXPECT_TRUE(std::holds_alternative<kv::OpenSession>(command(opening).change));
  EXPECT_FALSE(command(opening).client);
  answer(opening, Status::ok, kv::ClientId(7));
  const Attempt attempt = only();
  EXPECT_EQ(command(attempt).client, kv::ClientId(7));
  EXPECT_EQ(command(attempt).sequence, kv::Sequence(1));
  EXPECT_EQ(value(attempt), "a");
  answer(attempt, Status::ok);
  ASSERT_EQ(out.outcomes.size(), 1U);
  EXPECT_EQ(out.outcomes.front().wish, 1U);
  EXPECT_EQ(out.outcomes.front().answer.status, Status::ok);
  EXPECT_EQ(requests.under_way(), 0U);
}

TEST_F(RequestsTest, TheNextWriteOfASessionHasTheNextNumber) {
  begin();
  requests.wish(2, put("b"));
  take();
  EXPECT_EQ(command(only()).client, kv::ClientId(7));
  EXPECT_EQ(command(only()).sequence, kv::Sequence(2));
}

TEST_F(RequestsTest, TwoWritesAtATimeTakeTwoSessionsAndMoreWait) {
  begin();
  for (std::uint64_t id = 2; id <= 4; ++id) requests.wish(id, put("v" + std::to_string(id)));
  take();
  ASSERT_EQ(out.attempts.size(), 2U);  // a write, and the opening of a second session
  const Attempt first = out.attempts[0];
  const Attempt opening = out.attempts[1];
  answer(opening, Status::ok, kv::ClientId(9));
  EXPECT_EQ(value(only()), "v3");
  answer(first, Status::ok);
  EXPECT_EQ(value(only()), "v4");
  EXPECT_EQ(command(only()).client, kv::ClientId(7));
  EXPECT_EQ(command(only()).sequence, kv::Sequence(3));
  EXPECT_EQ(requests.sessions().open(), 2U);
}

TEST_F(RequestsTest, ARetryHasTheSameNumber) {
  begin();
  requests.wish(2, put("b"));
  take();
  const Attempt first = only();
  answer(first, Status::unknown);
  EXPECT_TRUE(out.attempts.empty());
  ticks(1);
  const Attempt second = only();
  EXPECT_NE(second.request.tag, first.request.tag);
  EXPECT_EQ(command(second), command(first));
}

TEST_F(RequestsTest, WritesGoToTheLeaderAndReadsToTheOwnService) {
  begin(other);
  requests.wish(2, put("b"));
  requests.wish(3, get());
  take();
  ASSERT_EQ(out.attempts.size(), 2U);
  EXPECT_EQ(out.attempts[0].at, other);
  EXPECT_FALSE(out.attempts[1].at);
}

TEST_F(RequestsTest, WhoDoesNotWantToBeForwardedHearsAtOnceWhoLeads) {
  Wish wish = put("b");
  wish.forward = false;
  requests.wish(1, Wish(wish));
  take();
  ASSERT_EQ(out.outcomes.size(), 1U);
  EXPECT_EQ(out.outcomes.front().answer.status, Status::not_leader);
  EXPECT_FALSE(out.outcomes.front().answer.leader);

  requests.leader(other);
  requests.wish(2, Wish(wish));
  take();
  EXPECT_TRUE(out.attempts.empty());
  ASSERT_EQ(out.outcomes.size(), 1U);
  EXPECT_EQ(out.outcomes.front().answer.leader, other);

  requests.leader(self);
  requests.wish(3, Wish(wish));
  take();
  EXPECT_TRUE(out.outcomes.empty());
  EXPECT_FALSE(only().at);
}

TEST_F(RequestsTest, WithoutALeaderAWriteWaitsForOne) {
  begin();
  requests.leader(NodeId{});
  requests.wish(2, put("b"));
  ticks(5);
  EXPECT_TRUE(out.attempts.empty());
  requests.leader(other);
  ticks(1);
  EXPECT_EQ(only().at, other);
}

TEST_F(RequestsTest, AnAttemptElsewhereThatIsNotAnsweredIsMadeAgain) {
  begin(other);
  requests.wish(2, put("b"));
  take();
  const Attempt first = only();
  ticks(10);
  EXPECT_TRUE(out.attempts.empty());
  ticks(1);
  EXPECT_EQ(command(only()), command(first));
  answer(first, Status::ok);  // it was only late
  ASSERT_EQ(out.outcomes.size(), 1U);
  EXPECT_EQ(out.outcomes.front().answer.status, Status::ok);
}

TEST_F(RequestsTest, ALateRefusalOfAnEarlierAttemptDecidesNothing) {
  begin(other);
  requests.wish(2, put("b"));
  take();
  const Attempt first = only();
  ticks(11);
  const Attempt second = only();
  answer(first, Status::session_expired);
  EXPECT_TRUE(out.outcomes.empty());
  EXPECT_TRUE(out.attempts.empty());
  answer(second, Status::ok);
  EXPECT_EQ(out.outcomes.size(), 1U);
}

TEST_F(RequestsTest, ASessionThatHasExpiredIsReplacedIfNothingCanHaveHappened) {
  begin();
  requests.wish(2, put("b"));
  take();
  answer(only(), Status::session_expired);
  const Attempt opening = only();
  EXPECT_TRUE(std::holds_alternative<kv::OpenSession>(command(opening).change));
  answer(opening, Status::ok, kv::ClientId(11));
  EXPECT_EQ(command(only()).client, kv::ClientId(11));
  EXPECT_EQ(requests.sessions().open(), 1U);
}

TEST_F(RequestsTest, ASessionThatHasExpiredAfterAnAttemptOfWhichNothingIsKnownMakesItUnknown) {
  begin();
  requests.wish(2, put("b"));
  take();
  answer(only(), Status::unknown);
  ticks(1);
  answer(only(), Status::session_expired);
  ASSERT_EQ(out.outcomes.size(), 1U);
  EXPECT_EQ(out.outcomes.front().answer.status, Status::unknown);
  EXPECT_EQ(requests.sessions().open(), 0U);
}

TEST_F(RequestsTest, TheCallersOwnSessionIsUsedAsItIs) {
  begin();
  Wish wish = put("b");
  wish.client = kv::ClientId(99);
  wish.sequence = kv::Sequence(5);
  requests.wish(2, std::move(wish));
  take();
  EXPECT_EQ(command(only()).client, kv::ClientId(99));
  EXPECT_EQ(command(only()).sequence, kv::Sequence(5));
  answer(only(), Status::session_expired);
  ASSERT_EQ(out.outcomes.size(), 1U);
  EXPECT_EQ(out.outcomes.front().answer.status, Status::session_expired);
  EXPECT_EQ(requests.sessions().open(), 1U);
}

TEST_F(RequestsTest, AtTheDeadlineItIsSaidWhetherAnythingCanHaveHappened) {
  begin();
  requests.leader(NodeId{});
  requests.wish(2, put("never asked"));
  ticks(50);
  ASSERT_EQ(out.outcomes.size(), 1U);
  EXPECT_EQ(out.outcomes.front().answer.status, Status::not_ready);

  requests.leader(self);
  requests.wish(3, put("refused"));
  take();
  while (out.outcomes.empty()) {
    for (const Attempt& attempt : std::vector(out.attempts)) answer(attempt, Status::not_ready);
    ticks(1);
  }
  EXPECT_EQ(out.outcomes.front().answer.status, Status::not_ready);

  requests.wish(4, put("asked, and no answer"));
  ticks(51);
  ASSERT_EQ(out.outcomes.size(), 1U);
  EXPECT_EQ(out.outcomes.front().answer.status, Status::timed_out);

  requests.wish(5, get());
  ticks(51);
  ASSERT_EQ(out.outcomes.size(), 1U);
  EXPECT_EQ(out.outcomes.front().answer.status, Status::timed_out);
}

TEST_F(RequestsTest, AfterAWriteThatWasGivenUpTheSessionGoesOnWithTheNextNumber) {
  begin();
  requests.wish(2, put("b"));
  ticks(51);
  requests.wish(3, put("c"));
  take();
  EXPECT_EQ(command(only()).client, kv::ClientId(7));
  EXPECT_EQ(command(only()).sequence, kv::Sequence(3));
}

TEST_F(RequestsTest, WhoWasAskedAndDoesNotLeadTellsWhoDoes) {
  begin(other);
  requests.wish(2, put("b"));
  take();
  answer(only(), Status::not_leader, {}, NodeId(3));
  ticks(2);
  EXPECT_EQ(only().at, NodeId(3));
}

TEST_F(RequestsTest, WhatTheOldLeaderHasIsAskedOfTheNewOneAtOnce) {
  begin(other);
  requests.wish(2, put("b"));
  take();
  const Attempt first = only();
  EXPECT_EQ(first.at, other);
  requests.leader(NodeId{});
  ticks(1);
  EXPECT_TRUE(out.attempts.empty());  // nobody to ask
  requests.leader(NodeId(3));
  ticks(1);
  EXPECT_EQ(only().at, NodeId(3));
  EXPECT_EQ(command(only()).client, command(first).client);
  EXPECT_EQ(command(only()).sequence, command(first).sequence);
  answer(first, Status::ok);  // it was not gone after all
  ASSERT_EQ(out.outcomes.size(), 1U);
  EXPECT_EQ(out.outcomes.front().answer.status, Status::ok);
}

TEST_F(RequestsTest, TooManyWishesAreRefused) {
  for (std::uint64_t id = 1; id <= 8; ++id) requests.wish(id, get());
  take();
  EXPECT_TRUE(out.outcomes.empty());
  requests.wish(9, get());
  take();
  ASSERT_EQ(out.outcomes.size(), 1U);
  EXPECT_EQ(out.outcomes.front().wish, 9U);
  EXPECT_EQ(out.outcomes.front().answer.status, Status::overloaded);
}

TEST_F(RequestsTest, AnOverloadedServiceIsNotAskedAgainUnlessSomethingMayHaveHappened) {
  begin();
  requests.wish(2, put("b"));
  take();
  answer(only(), Status::overloaded);
  ASSERT_EQ(out.outcomes.size(), 1U);
  EXPECT_EQ(out.outcomes.front().answer.status, Status::overloaded);

  requests.wish(3, put("c"));
  take();
  answer(only(), Status::unknown);
  ticks(1);
  answer(only(), Status::overloaded);
  EXPECT_TRUE(out.outcomes.empty());
  ticks(2);
  answer(only(), Status::ok);
  EXPECT_EQ(out.outcomes.size(), 1U);
}

TEST_F(RequestsTest, WhoGaveUpWaitingForASessionIsPassedOver) {
  Wish hasty = put("hasty");
  hasty.deadline_ticks = 3;
  requests.leader(self);
  requests.wish(1, std::move(hasty));
  requests.wish(2, put("patient"));
  take();
  ASSERT_EQ(out.attempts.size(), 2U);
  const Attempt opening = out.attempts[0];
  ticks(3);
  ASSERT_EQ(out.outcomes.size(), 1U);
  EXPECT_EQ(out.outcomes.front().answer.status, Status::not_ready);
  answer(opening, Status::ok, kv::ClientId(7));
  EXPECT_EQ(value(only()), "patient");
}

}  // namespace
}  // namespace raftlab::net
