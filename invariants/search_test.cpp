#include "invariants/search.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace raftlab::invariants {
namespace {

/// Histories written by hand; every operation is of a client of its own.
class SearchTest : public ::testing::Test {
 protected:
  std::size_t add(Operation op, Fate fate, Outcome outcome, std::int64_t from_ns, std::int64_t to_ns) {
    HistoryEntry& entry = history_.entries.emplace_back();
    entry.id = {history_.entries.size(), 1};
    entry.op = std::move(op);
    entry.fate = fate;
    entry.outcome = std::move(outcome);
    entry.invoked_ns = from_ns;
    entry.returned_ns = to_ns;
    return history_.entries.size() - 1;
  }
  std::size_t ok(Operation op, std::int64_t from_ns, std::int64_t to_ns, Outcome outcome = Outcome::done()) {
    return add(std::move(op), Fate::ok, std::move(outcome), from_ns, to_ns);
  }
  std::size_t unknown(Operation op, std::int64_t from_ns) {
    return add(std::move(op), Fate::unknown, {}, from_ns, 0);
  }
  std::size_t get(const char* key, Value value, std::int64_t from_ns, std::int64_t to_ns) {
    return ok(Get{key}, from_ns, to_ns, Outcome::read(std::move(value)));
  }
  [[nodiscard]] SearchVerdict verdict() const { return search(history_).verdict; }

  History history_;
};

constexpr SearchVerdict holds = SearchVerdict::holds;
constexpr SearchVerdict violated = SearchVerdict::violated;

TEST_F(SearchTest, an_empty_history_holds) { EXPECT_EQ(verdict(), holds); }

TEST_F(SearchTest, a_read_may_see_a_write_that_overlaps_it_or_not) {
  ok(Put{"x", "1"}, 0, 10);
  get("x", "1", 1, 2);
  get("x", "1", 3, 4);
  EXPECT_EQ(verdict(), holds);
  get("x", std::nullopt, 5, 6);  // gone again
  EXPECT_EQ(verdict(), violated);
}

TEST_F(SearchTest, equal_times_overlap) {
  ok(Put{"x", "1"}, 0, 5);
  get("x", std::nullopt, 5, 6);
  EXPECT_EQ(verdict(), holds);
  get("x", std::nullopt, 6, 7);
  EXPECT_EQ(verdict(), violated);
}

TEST_F(SearchTest, a_stale_read_after_a_write_is_violated_and_named) {
  const std::size_t write = ok(Put{"x", "1"}, 0, 1);
  const std::size_t read = get("x", std::nullopt, 2, 3);
  const SearchResult result = search(history_);
  EXPECT_EQ(result.verdict, violated);
  EXPECT_EQ(result.order, std::vector<std::size_t>{write});
  EXPECT_EQ(result.stuck, read);
  EXPECT_EQ(result.text,
            "no order explains 2.1 get x [2,3] ok: read none (placed before it at best: 1 operations, the "
            "last 1.1 put "
            "x=\"1\" [0,1] ok: done)");
}

TEST_F(SearchTest, an_unknown_write_may_take_effect_late_or_never_but_not_twice) {
  unknown(Put{"x", "1"}, 0);
  get("x", std::nullopt, 1, 2);
  EXPECT_EQ(verdict(), holds);
  get("x", "1", 3, 4);
  EXPECT_EQ(verdict(), holds);
  ok(Put{"x", "2"}, 5, 6);
  get("x", "2", 7, 8);
  EXPECT_EQ(verdict(), holds);
  get("x", "1", 9, 10);
  EXPECT_EQ(verdict(), violated);
  unknown(Put{"x", "1"}, 0);  // a second one that does the same
  EXPECT_EQ(verdict(), holds);
}

TEST_F(SearchTest, an_unknown_write_nobody_reads_may_be_what_a_compare_found) {
  ok(Put{"x", "1"}, 0, 1);
  ok(CompareAndSwap{"x", "1", "2"}, 2, 3, Outcome::compare_failed_untold());
  EXPECT_EQ(verdict(), violated);
  unknown(Put{"x", "7"}, 0);
  EXPECT_EQ(verdict(), holds);
}

TEST_F(SearchTest, refused_operations_and_stale_reads_are_left_out) {
  add(Put{"x", "1"}, Fate::fail, {}, 0, 1);
  get("x", "9", 0, 1);
  history_.entries.back().stale = true;
  get("x", std::nullopt, 2, 3);
  EXPECT_EQ(verdict(), holds);
  get("x", "1", 4, 5);
  EXPECT_EQ(verdict(), violated);
}

TEST_F(SearchTest, split_mget_sees_half_a_batch) {
  ok(PutBatch{{{"x", "1"}, {"y", "1"}}}, 0, 10);
  ok(MultiGet{{"x", "y"}}, 2, 3, Outcome::read(std::vector<Value>{"1", "1"}));
  EXPECT_EQ(verdict(), holds);
  ok(MultiGet{{"x", "y"}}, 1, 4, Outcome::read(std::vector<Value>{"1", std::nullopt}));
  EXPECT_EQ(verdict(), violated);
}

TEST_F(SearchTest, two_reads_that_disagree_about_the_order_of_two_keys) {
  ok(Put{"x", "1"}, 0, 10);
  ok(Put{"y", "1"}, 0, 10);
  ok(MultiGet{{"x", "y"}}, 1, 9, Outcome::read(std::vector<Value>{"1", std::nullopt}));
  EXPECT_EQ(verdict(), holds);
  ok(MultiGet{{"x", "y"}}, 1, 9, Outcome::read(std::vector<Value>{std::nullopt, "1"}));
  EXPECT_EQ(verdict(), violated);
}

TEST_F(SearchTest, a_failed_compare_is_an_operation) {
  ok(Put{"x", "1"}, 0, 1);
  ok(CompareAndSwap{"x", "2", "3"}, 2, 3, Outcome::compare_failed(Value("1")));
  EXPECT_EQ(verdict(), holds);
  ok(CompareAndSwap{"x", "1", "3"}, 4, 5, Outcome::compare_failed(Value("1")));
  EXPECT_EQ(verdict(), violated);  // it found what it expected
}

TEST_F(SearchTest, append_adds_to_what_is_there) {
  ok(Append{"x", "a"}, 0, 5);
  ok(Append{"x", "b"}, 0, 5);
  get("x", "ba", 6, 7);
  EXPECT_EQ(verdict(), holds);
  get("x", "ab", 8, 9);
  EXPECT_EQ(verdict(), violated);
}

TEST_F(SearchTest, a_spent_budget_is_never_holds) {
  for (std::int64_t at = 0; at < 12; ++at) ok(Append{"x", std::to_string(at)}, 0, 100);
  get("x", "never", 101, 102);
  const SearchResult result = search(history_, {.states_max = 100});
  EXPECT_EQ(result.verdict, SearchVerdict::inconclusive);
  EXPECT_LE(result.states, 200U);
  EXPECT_TRUE(result.order.empty());
  EXPECT_STREQ(name(result.verdict), "inconclusive");
}

TEST_F(SearchTest, a_hard_key_does_not_hide_a_violation_of_an_easy_one) {
  for (std::int64_t at = 0; at < 12; ++at) ok(Append{"x", std::to_string(at)}, 0, 100);
  get("x", "never", 101, 102);
  const std::size_t read = get("y", "1", 0, 1);
  const SearchResult result = search(history_, {.states_max = 1000});
  EXPECT_EQ(result.verdict, violated);
  EXPECT_EQ(result.stuck, read);
}

TEST_F(SearchTest, hundreds_of_unknown_writes_that_nobody_reads_cost_nothing) {
  for (std::int64_t at = 0; at < 500; ++at) unknown(Put{"x", std::to_string(1000 + at)}, at);
  ok(Put{"x", "1"}, 0, 1000);
  get("x", "2", 1001, 1002);
  const SearchResult result = search(history_);
  EXPECT_EQ(result.verdict, violated);
  EXPECT_LE(result.states, 3U);
}

}  // namespace
}  // namespace raftlab::invariants
