#include "invariants/model.hpp"

#include <gtest/gtest.h>

namespace raftlab::invariants {
namespace {

using raft::Index;

Value at(const KvModel& model, const char* key, std::uint64_t index) {
  const ModelValue value = model.at(key, Index(index));
  return value.kept ? *value.value : Value("not kept");
}

TEST(Model, answers_for_the_past_from_the_index_that_is_remembered) {
  KvModel model;
  model.apply(Index(1), {1, 1}, Put{"x", "1"});
  model.apply(Index(3), {1, 2}, PutBatch{{{"x", "2"}, {"x", "3"}, {"y", "3"}}});
  model.apply(Index(4), {1, 3}, Delete{"x"});
  model.apply(Index(5), {1, 4}, Put{"x", "5"});
  EXPECT_EQ(at(model, "x", 0), Value());
  EXPECT_EQ(at(model, "x", 1), Value("1"));
  EXPECT_EQ(at(model, "x", 2), Value("1"));
  EXPECT_EQ(at(model, "x", 3), Value("3"));
  EXPECT_EQ(at(model, "x", 4), Value());
  EXPECT_EQ(at(model, "x", 5), Value("5"));
  EXPECT_EQ(at(model, "y", 2), Value());
  EXPECT_EQ(at(model, "z", 5), Value());
  EXPECT_EQ(model.last_written("x", "3"), Index(3));
  EXPECT_EQ(model.last_written("x", "2"), std::nullopt);
  model.forget_before(Index(4));
  EXPECT_EQ(at(model, "x", 3), Value("not kept"));
  EXPECT_EQ(at(model, "x", 4), Value());
  EXPECT_EQ(at(model, "x", 5), Value("5"));
  EXPECT_EQ(model.old_versions(), 1U);
}

TEST(Model, a_deleted_key_is_gone_when_nobody_can_ask_for_it) {
  KvModel model;
  model.apply(Index(1), {1, 1}, Put{"x", "1"});
  model.apply(Index(2), {1, 2}, Delete{"x"});
  EXPECT_EQ(model.keys(), 1U);
  model.forget_before(Index(1));
  EXPECT_EQ(at(model, "x", 1), Value("1"));
  model.forget_before(Index(2));
  EXPECT_EQ(model.keys(), 0U);
  EXPECT_EQ(at(model, "x", 2), Value());
  model.apply(Index(3), {1, 3}, Put{"x", "3"});
  EXPECT_EQ(at(model, "x", 2), Value());
  EXPECT_EQ(at(model, "x", 3), Value("3"));
}

TEST(Model, a_compare_tells_what_it_found) {
  KvModel model;
  EXPECT_EQ(model.apply(Index(1), {1, 1}, CompareAndSwap{"x", "1", "2"}).outcome,
            Outcome::compare_failed({}));
  EXPECT_EQ(model.apply(Index(2), {1, 2}, CompareAndSwap{"x", {}, "2"}).outcome, Outcome::done());
  EXPECT_EQ(model.apply(Index(3), {1, 3}, CompareAndSwap{"x", {}, "3"}).outcome,
            Outcome::compare_failed(Value("2")));
  EXPECT_EQ(model.apply(Index(4), {1, 4}, Append{"x", "4"}).outcome, Outcome::done());
  EXPECT_EQ(at(model, "x", 4), Value("24"));
}

TEST(Model, the_highest_sequence_of_a_client_decides) {
  KvModel model;
  const Operation put = Put{"x", "1"};
  EXPECT_EQ(model.apply(Index(1), {1, 5}, put).effect, ModelEffect::took_effect);
  EXPECT_EQ(model.apply(Index(2), {1, 5}, put).effect, ModelEffect::duplicate);
  EXPECT_EQ(model.apply(Index(3), {1, 4}, put).effect, ModelEffect::expired);
  EXPECT_EQ(model.apply(Index(4), {2, 1}, put).effect, ModelEffect::took_effect);
  EXPECT_EQ(model.apply(Index(5), {1, 6}, put).effect, ModelEffect::took_effect);
  EXPECT_EQ(model.apply(Index(6), {0, 0}, put).effect, ModelEffect::took_effect);
  EXPECT_EQ(model.apply(Index(7), {0, 0}, put).effect, ModelEffect::took_effect);
  EXPECT_FALSE(model.may_take_effect({1, 6}));
  EXPECT_TRUE(model.may_take_effect({1, 7}));
  EXPECT_TRUE(model.may_take_effect({9, 1}));
}

TEST(Model, another_operation_under_the_latest_sequence_is_refused) {
  KvModel model;
  model.apply(Index(1), {1, 1}, Put{"x", "1"});
  std::uint64_t index = 1;
  for (const Operation& other :
       std::vector<Operation>{Put{"x", "2"}, Delete{"x"}, CompareAndSwap{"x", {}, "1"},
                              CompareAndSwap{"x", "", "1"}, PutBatch{{{"x", "1"}}}})
    EXPECT_EQ(model.apply(Index(++index), {1, 1}, other).effect, ModelEffect::reused);
  EXPECT_EQ(model.apply(Index(++index), {1, 1}, Put{"x", "1"}).effect, ModelEffect::duplicate);
  EXPECT_EQ(at(model, "x", index), Value("1"));
  EXPECT_EQ(model.apply(Index(++index), {1, 2}, Delete{"x"}).effect, ModelEffect::took_effect);
  EXPECT_EQ(model.apply(Index(++index), {1, 1}, Delete{"x"}).effect, ModelEffect::expired);
}

TEST(Model, sessions_are_opened_by_the_log_and_evicted_by_last_use) {
  KvModel model({.sessions_max = 2});
  const Operation put = Put{"x", "1"};
  EXPECT_EQ(model.apply(Index(1), {1, 1}, put).effect, ModelEffect::expired);  // not a session
  model.open_session(Index(2));
  model.open_session(Index(3));
  EXPECT_EQ(model.apply(Index(4), {2, 1}, put).effect, ModelEffect::took_effect);
  model.open_session(Index(5));
  EXPECT_EQ(model.evicted(), std::vector<std::uint64_t>{3});
  EXPECT_EQ(model.apply(Index(6), {3, 1}, put).effect, ModelEffect::expired);
  EXPECT_FALSE(model.may_take_effect({3, 1}));
  EXPECT_EQ(model.apply(Index(7), {2, 1}, put).effect, ModelEffect::duplicate);
  EXPECT_EQ(model.apply(Index(8), {5, 1}, put).effect, ModelEffect::took_effect);
  EXPECT_EQ(model.sessions(), 2U);
}

TEST(Model, what_failed_compares_found_has_a_bound) {
  KvModel model({.sessions_max = 10, .found_bytes_max = 10});
  model.open_session(Index(1));
  model.open_session(Index(2));
  model.apply(Index(3), {1, 1}, Put{"x", "123456"});
  const Operation swap = CompareAndSwap{"x", "1", "2"};
  model.apply(Index(4), {1, 2}, swap);
  EXPECT_TRUE(model.evicted().empty());
  model.apply(Index(5), {2, 1}, swap);
  EXPECT_EQ(model.evicted(), std::vector<std::uint64_t>{1});
  EXPECT_EQ(model.sessions(), 1U);
}

}  // namespace
}  // namespace raftlab::invariants
