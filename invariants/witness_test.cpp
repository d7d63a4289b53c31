#include "invariants/witness.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace raftlab::invariants {
namespace {

using raft::Index;

/// A run written by hand: each call is one nanosecond after the one before it.
class WitnessTest : public ::testing::Test {
 protected:
  void invoke(OpId id, const Operation& op) { witness_.invoke(id, ++now_, op); }
  void ok(OpId id, Outcome outcome, std::uint64_t index) {
    witness_.ok(id, ++now_, std::move(outcome), Index(index));
  }
  void stale(OpId id, Outcome outcome, std::uint64_t index) {
    witness_.ok(id, ++now_, std::move(outcome), Index(index), ReadClaim::stale);
  }
  void log(OpId id, const Operation& op) { witness_.committed(index_ = index_.next(), id, &op); }
  void session() { witness_.committed_session(index_ = index_.next()); }
  void noop() { witness_.committed(index_ = index_.next(), std::nullopt, nullptr); }
  /// A put from invocation to answer.
  void put(OpId id, std::string key, std::string value) {
    const Operation op = Put{std::move(key), std::move(value)};
    invoke(id, op);
    log(id, op);
    ok(id, Outcome::done(), index_.value());
  }
  void finish() { witness_.finish(++now_); }

  void expect_holds() {
    finish();
    EXPECT_TRUE(witness_.findings().empty()) << witness_.findings().front().text;
    EXPECT_TRUE(witness_.fits());
  }
  void expect_one(HistoryRung rung, const std::string& part) {
    finish();
    ASSERT_EQ(witness_.findings().size(), 1U);
    EXPECT_EQ(witness_.findings()[0].rung, rung) << witness_.findings()[0].text;
    EXPECT_NE(witness_.findings()[0].text.find(part), std::string::npos) << witness_.findings()[0].text;
  }

  static constexpr auto e6 = HistoryRung::e6_acknowledged_stays_refused_never_appears;
  static constexpr auto e7 = HistoryRung::e7_applied_once;
  static constexpr auto e8 = HistoryRung::e8_linearizable;
  static constexpr auto e9 = HistoryRung::e9_read_is_fresh;

  Witness witness_;
  Index index_;
  std::int64_t now_ = 0;
};

TEST_F(WitnessTest, a_plain_run_holds_and_every_answer_is_witnessed) {
  put({1, 1}, "x", "1");
  invoke({2, 1}, Get{"x"});
  ok({2, 1}, Outcome::read(Value("1")), 1);
  const Operation swap = CompareAndSwap{"x", "7", "2"};
  invoke({1, 2}, swap);
  log({1, 2}, swap);
  ok({1, 2}, Outcome::compare_failed(Value("1")), 2);
  const Operation erase = Delete{"x"};
  invoke({1, 3}, erase);
  log({1, 3}, erase);
  ok({1, 3}, Outcome::done(), 3);
  invoke({2, 2}, MultiGet{{"x", "y"}});
  ok({2, 2}, Outcome::read(std::vector<Value>{std::nullopt, std::nullopt}), 3);
  expect_holds();
  EXPECT_EQ(witness_.counts().witnessed, 5U);
  EXPECT_EQ(witness_.counts().reads, 2U);
  EXPECT_EQ(witness_.held().operations, 0U);
}

TEST_F(WitnessTest, e6_an_acknowledged_write_that_is_nowhere_in_the_log_is_lost) {
  invoke({1, 1}, Put{"x", "1"});
  ok({1, 1}, Outcome::done(), 0);
  noop();
  expect_one(e6, "acknowledged write lost: 1.1 (put x=\"1\")");
}

TEST_F(WitnessTest, e6_an_acknowledged_write_whose_index_holds_something_else_is_lost) {
  invoke({1, 1}, Put{"x", "1"});
  ok({1, 1}, Outcome::done(), 1);
  noop();
  expect_one(e6, "at index 1, where the log does not have it");
}

TEST_F(WitnessTest, e6_a_write_acknowledged_at_an_index_never_committed_is_lost) {
  noop();
  invoke({1, 1}, Put{"x", "1"});
  ok({1, 1}, Outcome::done(), 2);
  expect_one(e6, "never committed");
}

TEST_F(WitnessTest, e6_a_write_acknowledged_at_an_earlier_index_that_is_not_its_own) {
  noop();
  const Operation op = Put{"x", "1"};
  invoke({1, 1}, op);
  log({1, 1}, op);
  ok({1, 1}, Outcome::done(), 1);
  expect_one(e6, "acknowledged at index 1");
}

TEST_F(WitnessTest, e6_a_refused_operation_that_appears_later) {
  invoke({1, 1}, Put{"x", "1"});
  witness_.fail({1, 1}, ++now_);
  log({1, 1}, Put{"x", "1"});
  expect_one(e6, "refused, yet in the log: 1.1");
}

TEST_F(WitnessTest, e6_a_refused_operation_that_appears_after_a_later_one_of_its_client) {
  invoke({1, 1}, Put{"x", "1"});
  witness_.fail({1, 1}, ++now_);
  put({1, 2}, "x", "2");
  log({1, 1}, Put{"x", "1"});
  expect_one(e6, "refused, yet in the log: 1.1");
}

TEST_F(WitnessTest, e6_an_operation_in_the_log_that_is_refused_afterwards) {
  invoke({1, 1}, Put{"x", "1"});
  log({1, 1}, Put{"x", "1"});
  witness_.fail({1, 1}, ++now_);
  expect_one(e6, "refused, yet in the log");
}

TEST_F(WitnessTest, a_refused_operation_that_never_appears_is_fine) {
  invoke({1, 1}, Put{"x", "1"});
  witness_.fail({1, 1}, ++now_);
  put({1, 2}, "x", "2");
  expect_holds();
}

TEST_F(WitnessTest, e7_a_store_that_applies_a_retry_again) {
  put({1, 1}, "x", "1");
  witness_.applied(Index(1), true);
  log({1, 1}, Put{"x", "1"});
  witness_.applied(Index(2), false);
  EXPECT_TRUE(witness_.findings().empty());
  witness_.applied(Index(2), true);
  witness_.applied(Index(2), true);  // a second node; one finding is enough
  expect_one(e7, "applied twice: a store applied 1.1");
}

TEST_F(WitnessTest, e8_another_operation_under_the_number_of_a_retry) {
  put({1, 1}, "x", "1");
  log({1, 1}, Put{"x", "2"});
  expect_one(HistoryRung::e8_linearizable, "nobody asked for it");
}

TEST_F(WitnessTest, e7_a_read_that_sees_a_retry_applied_again) {
  put({1, 1}, "x", "1");
  put({2, 1}, "x", "2");
  log({1, 1}, Put{"x", "1"});
  invoke({3, 1}, Get{"x"});
  ok({3, 1}, Outcome::read(Value("1")), 3);
  expect_one(e7, "applied twice: 1.1");
}

TEST_F(WitnessTest, e7_a_retried_compare_and_swap_that_finds_its_own_value) {
  put({1, 1}, "x", "1");
  const Operation swap = CompareAndSwap{"x", "1", "2"};
  invoke({1, 2}, swap);
  log({1, 2}, swap);
  log({1, 2}, swap);
  ok({1, 2}, Outcome::compare_failed(Value("2")), 3);
  expect_one(e7, "applied twice: 1.2");
}

TEST_F(WitnessTest, a_retry_is_placed_once_and_may_be_answered_at_either_index) {
  for (const std::uint64_t named : {2U, 3U}) {
    Witness witness;
    const Operation put = Put{"x", "1"};
    const Operation other = Put{"x", "2"};
    witness.invoke({1, 1}, 1, put);
    witness.invoke({2, 1}, 1, other);
    witness.committed(Index(1), std::nullopt, nullptr);
    witness.committed(Index(2), OpId{1, 1}, &put);
    witness.committed(Index(3), OpId{1, 1}, &put);
    witness.committed(Index(4), OpId{2, 1}, &other);
    witness.committed(Index(5), OpId{1, 1}, &put);
    witness.ok({1, 1}, 2, Outcome::done(), Index(named));
    witness.ok({2, 1}, 2, Outcome::done(), Index(4));
    witness.invoke({3, 1}, 3, Get{"x"});
    witness.ok({3, 1}, 4, Outcome::read(Value("2")), Index(5));
    witness.finish(5);
    EXPECT_TRUE(witness.findings().empty());
    EXPECT_EQ(witness.counts().retries_seen, 2U);
  }
}

TEST_F(WitnessTest, an_answer_may_come_before_the_commit_of_its_index_is_told) {
  const Operation op = Put{"x", "1"};
  invoke({1, 1}, op);
  ok({1, 1}, Outcome::done(), 2);
  invoke({2, 1}, Get{"x"});
  ok({2, 1}, Outcome::read(Value("1")), 2);
  log({1, 1}, op);
  log({1, 1}, op);
  expect_holds();
  EXPECT_EQ(witness_.counts().witnessed, 2U);
}

TEST_F(WitnessTest, e8_a_value_never_written) {
  put({1, 1}, "x", "1");
  invoke({2, 1}, Get{"x"});
  ok({2, 1}, Outcome::read(Value("9")), 1);
  expect_one(e8, "read \"9\", the log has \"1\" (since 1), nobody is known to have written it");
  EXPECT_FALSE(witness_.fits());
}

TEST_F(WitnessTest, e8_a_value_that_was_overwritten) {
  put({1, 1}, "x", "1");
  put({1, 2}, "x", "2");
  invoke({2, 1}, Get{"x"});
  ok({2, 1}, Outcome::read(Value("1")), 2);
  expect_one(e8, "read \"1\", the log has \"2\" (since 2), what was read was written at index 1");
}

TEST_F(WitnessTest, e8_a_failed_compare_that_found_something_else) {
  put({1, 1}, "x", "1");
  const Operation swap = CompareAndSwap{"x", "7", "8"};
  invoke({1, 2}, swap);
  log({1, 2}, swap);
  ok({1, 2}, Outcome::compare_failed(Value("3")), 2);
  expect_one(e8, "\"compare failed, found \"3\"\", the log says \"compare failed, found \"1\"\"");
}

TEST_F(WitnessTest, e8_a_compare_that_should_have_failed) {
  const Operation swap = CompareAndSwap{"x", "7", "8"};
  invoke({1, 1}, swap);
  log({1, 1}, swap);
  ok({1, 1}, Outcome::done(), 1);
  expect_one(e8, "the log says \"compare failed, found none\"");
}

TEST_F(WitnessTest, e8_split_mget_sees_half_a_batch) {
  const Operation first = PutBatch{{{"x", "1"}, {"y", "1"}}};
  const Operation second = PutBatch{{{"x", "2"}, {"y", "2"}}};
  invoke({1, 1}, first);
  log({1, 1}, first);
  ok({1, 1}, Outcome::done(), 1);
  invoke({2, 1}, MultiGet{{"x", "y"}});
  invoke({1, 2}, second);
  log({1, 2}, second);
  ok({1, 2}, Outcome::done(), 2);
  ok({2, 1}, Outcome::read(std::vector<Value>{"1", "2"}), 1);
  expect_one(e8, "key y: read \"2\", the log has \"1\" (since 1), what was read was written at index 2");
}

TEST_F(WitnessTest, a_multi_get_may_see_either_side_of_a_batch_that_overlaps_it) {
  const Operation batch = PutBatch{{{"x", "1"}, {"y", "1"}}};
  noop();
  invoke({2, 1}, MultiGet{{"x", "y"}});
  invoke({3, 1}, MultiGet{{"x", "y"}});
  invoke({1, 1}, batch);
  log({1, 1}, batch);
  ok({1, 1}, Outcome::done(), 2);
  ok({2, 1}, Outcome::read(std::vector<Value>{std::nullopt, std::nullopt}), 1);
  ok({3, 1}, Outcome::read(std::vector<Value>{"1", "1"}), 2);
  expect_holds();
}

TEST_F(WitnessTest, e8_an_entry_that_nobody_asked_for) {
  log({1, 1}, Put{"x", "1"});
  expect_one(e8, "nobody asked for it");
}

TEST_F(WitnessTest, e8_an_entry_that_differs_from_what_was_asked) {
  invoke({1, 1}, Put{"x", "1"});
  log({1, 1}, Put{"x", "2"});
  expect_one(e8, "the log holds 1.1 (put x=\"2\") at index 1, but the client asked for put x=\"1\"");
}

TEST_F(WitnessTest, e8_a_write_that_returned_before_one_placed_earlier_was_invoked) {
  invoke({1, 1}, Put{"x", "1"});
  ok({1, 1}, Outcome::done(), 2);
  invoke({2, 1}, Put{"y", "2"});
  log({2, 1}, Put{"y", "2"});
  log({1, 1}, Put{"x", "1"});
  expect_one(e8, "real-time order: 1.1");
}

TEST_F(WitnessTest, e8_a_read_that_returned_before_a_write_it_stands_behind_was_invoked) {
  invoke({1, 1}, Get{"y"});
  ok({1, 1}, Outcome::read(Value()), 1);
  invoke({2, 1}, Put{"x", "2"});
  log({2, 1}, Put{"x", "2"});
  expect_one(e8, "real-time order: 1.1");
}

TEST_F(WitnessTest, e8_a_read_served_below_a_write_that_had_returned_unseen) {
  noop();
  invoke({1, 1}, Put{"x", "1"});
  ok({1, 1}, Outcome::done(), 0);  // its place is not known yet
  invoke({2, 1}, Get{"x"});
  log({1, 1}, Put{"x", "1"});
  ok({2, 1}, Outcome::read(Value()), 1);
  expect_one(e8, "real-time order: 2.1");
}

TEST_F(WitnessTest, e8_a_read_that_goes_back_behind_another_read) {
  noop();
  invoke({1, 1}, Get{"y"});
  ok({1, 1}, Outcome::read(Value()), 2);
  invoke({2, 1}, Get{"y"});
  ok({2, 1}, Outcome::read(Value()), 1);
  noop();
  expect_one(e8, "real-time order: 2.1");
}

TEST_F(WitnessTest, e8_a_read_at_an_index_that_is_never_committed) {
  invoke({1, 1}, Get{"x"});
  ok({1, 1}, Outcome::read(Value()), 5);
  expect_one(e8, "which was never committed");
}

TEST_F(WitnessTest, e9_a_read_below_what_was_committed_when_it_was_invoked) {
  put({1, 1}, "x", "1");
  noop();
  invoke({2, 1}, Get{"x"});
  ok({2, 1}, Outcome::read(Value("1")), 1);  // the value is right by chance
  expect_one(e9,
             "stale read: 2.1 (get x) was served at index 1, but when it was invoked index 2 was committed");
}

TEST_F(WitnessTest, e10_is_e9_for_a_read_under_a_lease) {
  put({1, 1}, "x", "1");
  noop();
  invoke({2, 1}, Get{"x"});
  witness_.ok({2, 1}, ++now_, Outcome::read(Value("1")), Index(1), ReadClaim::lease);
  expect_one(HistoryRung::e10_lease_read_is_fresh, "stale read: 2.1 (get x) was served at index 1");
}

TEST_F(WitnessTest, a_stale_read_is_judged_as_a_state_that_existed) {
  put({1, 1}, "x", "1");
  put({1, 2}, "x", "2");
  invoke({2, 1}, Get{"x"});
  stale({2, 1}, Outcome::read(Value("1")), 1);
  EXPECT_TRUE(witness_.findings().empty());
  invoke({2, 2}, Get{"x"});
  stale({2, 2}, Outcome::read(Value("2")), 1);
  expect_one(e8, "2.2");
}

TEST_F(WitnessTest, a_stale_read_from_before_the_window_is_counted_and_not_judged) {
  WitnessOptions options;
  options.stale_window_entries = 2;
  witness_ = Witness(options);
  put({1, 1}, "x", "1");
  for (int at = 0; at < 5; ++at) noop();
  invoke({2, 1}, Get{"x"});
  stale({2, 1}, Outcome::read(Value("9")), 1);
  expect_holds();
  EXPECT_EQ(witness_.counts().stale_unjudged, 1U);
}

TEST_F(WitnessTest, an_unknown_write_that_appears_later_is_fine) {
  invoke({1, 1}, Put{"x", "1"});
  witness_.unknown({1, 1}, ++now_);
  put({2, 1}, "x", "2");
  log({1, 1}, Put{"x", "1"});
  invoke({2, 2}, Get{"x"});
  ok({2, 2}, Outcome::read(Value("1")), 2);
  expect_holds();
  EXPECT_EQ(witness_.counts().unknown_seen, 1U);
  EXPECT_EQ(witness_.held().operations, 0U);
}

TEST_F(WitnessTest, an_unknown_write_that_never_appears_is_fine) {
  invoke({1, 1}, Put{"x", "1"});
  witness_.unknown({1, 1}, ++now_);
  invoke({2, 2}, Get{"x"});
  noop();
  ok({2, 2}, Outcome::read(Value()), 1);
  EXPECT_EQ(witness_.held().operations, 1U);
  expect_holds();
}

TEST_F(WitnessTest, an_unknown_write_is_forgotten_when_a_later_one_of_its_client_takes_effect) {
  invoke({1, 1}, Put{"x", "1"});
  witness_.unknown({1, 1}, ++now_);
  put({1, 2}, "x", "2");
  EXPECT_EQ(witness_.held().operations, 0U);
  log({1, 1}, Put{"x", "1"});
  invoke({2, 1}, Get{"x"});
  ok({2, 1}, Outcome::read(Value("2")), 2);
  expect_holds();
}

TEST_F(WitnessTest, e7_a_retry_behind_the_eviction_of_its_session_that_takes_effect_again) {
  WitnessOptions options;
  options.model.sessions_max = 1;
  witness_ = Witness(options);
  session();
  put({1, 1}, "x", "1");
  session();
  put({3, 1}, "x", "2");
  log({1, 1}, Put{"x", "1"});
  witness_.applied(index_, false);
  invoke({4, 1}, Get{"x"});
  ok({4, 1}, Outcome::read(Value("2")), 5);
  EXPECT_TRUE(witness_.findings().empty());
  witness_.applied(index_, true);
  expect_one(e7, "applied twice: a store applied 1.1");
}

TEST_F(WitnessTest, an_unknown_write_of_an_evicted_session_is_forgotten) {
  WitnessOptions options;
  options.model.sessions_max = 1;
  witness_ = Witness(options);
  session();
  invoke({1, 1}, Put{"x", "1"});
  witness_.unknown({1, 1}, ++now_);
  EXPECT_EQ(witness_.held().operations, 1U);
  session();
  EXPECT_EQ(witness_.held().operations, 0U);
  log({1, 1}, Put{"x", "1"});
  invoke({2, 1}, Get{"x"});
  ok({2, 1}, Outcome::read(Value()), 3);
  expect_holds();
}

TEST_F(WitnessTest, operations_at_one_time_overlap) {
  noop();
  invoke({1, 1}, Get{"y"});
  witness_.ok({1, 1}, ++now_, Outcome::read(Value()), Index(2));
  witness_.invoke({2, 1}, now_, Get{"y"});
  ok({2, 1}, Outcome::read(Value()), 1);
  noop();
  expect_holds();
}

TEST_F(WitnessTest, without_indices_or_identities_it_does_not_fit_and_finds_nothing) {
  invoke({1, 1}, Get{"x"});
  ok({1, 1}, Outcome::read(Value()), 0);
  EXPECT_FALSE(witness_.fits());
  EXPECT_TRUE(witness_.findings().empty());

  witness_ = Witness();
  invoke({0, 1}, Put{"x", "1"});
  log({0, 1}, Put{"x", "1"});
  ok({0, 1}, Outcome::done(), 1);
  invoke({2, 1}, Get{"x"});
  ok({2, 1}, Outcome::read(Value("1")), 1);
  finish();
  EXPECT_FALSE(witness_.fits());
  EXPECT_TRUE(witness_.findings().empty());
}

TEST_F(WitnessTest, findings_have_a_limit_and_are_counted_beyond_it) {
  noop();
  for (std::uint64_t at = 1; at <= 100; ++at) {
    invoke({1, at}, Get{"x"});
    ok({1, at}, Outcome::read(Value("9")), 1);
  }
  EXPECT_EQ(witness_.findings().size(), WitnessOptions().findings_max);
  EXPECT_EQ(witness_.counts().findings, 100U);
}

TEST_F(WitnessTest, what_is_held_does_not_grow_with_the_run) {
  WitnessOptions options;
  options.stale_window_entries = 16;
  witness_ = Witness(options);
  Witness::Held early;
  std::uint64_t sequence = 0;
  for (std::uint64_t round = 0; round < 20'000; ++round) {
    const OpId id{1 + round % 5, ++sequence};
    const std::string key = std::string("k") + std::to_string(round % 50);
    const Operation op = round % 3 == 0 ? Operation(Delete{key}) : Operation(Put{key, "v"});
    invoke(id, op);
    invoke({7, sequence}, Get{key});
    invoke({8, sequence}, Put{key, "refused"});
    witness_.fail({8, sequence}, now_);
    invoke({9, sequence}, Put{key, "given up"});
    witness_.unknown({9, sequence}, now_);
    log(id, op);
    log(id, op);
    log({9, sequence}, Put{key, "given up"});
    ok(id, Outcome::done(), index_.value() - 1);
    ok({7, sequence}, Outcome::read(Value("given up")), index_.value());
    // Every key is new once in a while, and deleted.
    const Operation once = Put{std::string("once") + std::to_string(round), "v"};
    const Operation gone = Delete{std::string("once") + std::to_string(round)};
    invoke({10, ++sequence}, once);
    log({10, sequence}, once);
    ok({10, sequence}, Outcome::done(), index_.value());
    invoke({10, ++sequence}, gone);
    log({10, sequence}, gone);
    ok({10, sequence}, Outcome::done(), index_.value());
    if (round == 5'000) early = witness_.held();
  }
  const Witness::Held late = witness_.held();
  EXPECT_EQ(late.operations, early.operations);
  EXPECT_EQ(late.operations, 0U);
  EXPECT_LE(late.keys, 50U + 16U);
  EXPECT_LE(late.old_versions, 32U);
  EXPECT_EQ(late.sessions, early.sessions);
  EXPECT_LE(late.remembered, Witness::refused_max + Witness::duplicates_max);
  expect_holds();
}

}  // namespace
}  // namespace raftlab::invariants
