#include "kv/walk.hpp"

#include "raft/assert.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace raftlab::kv {
namespace {

/// A sequence without holes that is walked over, as the owner of a walk keeps it.
class WalkTest : public ::testing::Test {
 protected:
  void begin() { walk_.begin(static_cast<Slot>(items_.size())); }
  void set(Slot slot, const std::string& item) {
    before_change(slot);
    items_[slot] = item;
  }
  void remove(Slot slot) {
    before_change(slot);
    const auto last = static_cast<Slot>(items_.size() - 1);
    before_change(last);
    items_[slot] = items_[last];
    items_.pop_back();
  }
  void before_change(Slot slot) {
    walk_.before_change(slot, [&] {
      ++copies_;
      return items_[slot];
    });
  }
  std::string next() {
    std::string shown;
    walk_.advance([&](Slot slot) { shown = items_[slot]; }, [&](const std::string& kept) { shown = kept; });
    return shown;
  }
  std::vector<std::string> rest() {
    std::vector<std::string> shown;
    while (walk_.under_way()) shown.push_back(next());
    return shown;
  }

  std::vector<std::string> items_ = {"a", "b", "c", "d"};
  Walk<std::string> walk_;
  int copies_ = 0;
};

using Shown = std::vector<std::string>;

TEST_F(WalkTest, shows_every_slot_in_order) {
  begin();
  EXPECT_EQ(rest(), (Shown{"a", "b", "c", "d"}));
  EXPECT_FALSE(walk_.under_way());
}

TEST_F(WalkTest, over_nothing_ends_at_once) {
  walk_.begin(0);
  EXPECT_FALSE(walk_.under_way());
  EXPECT_THROW(next(), raft::AssertionError);
}

TEST_F(WalkTest, shows_what_a_slot_held_at_the_beginning) {
  begin();
  set(1, "B");
  set(3, "D");
  EXPECT_EQ(rest(), (Shown{"a", "b", "c", "d"}));
}

TEST_F(WalkTest, keeps_one_copy_however_often_a_slot_changes) {
  begin();
  for (int i = 0; i < 10; ++i) set(2, std::to_string(i));
  EXPECT_EQ(copies_, 1);
  EXPECT_EQ(walk_.kept(), 1U);
  EXPECT_EQ(rest(), (Shown{"a", "b", "c", "d"}));
}

TEST_F(WalkTest, copies_nothing_behind_itself) {
  begin();
  next();
  next();
  set(0, "A");
  set(1, "B");
  EXPECT_EQ(copies_, 0);
  set(2, "C");
  EXPECT_EQ(copies_, 1);
  EXPECT_EQ(rest(), (Shown{"c", "d"}));
}

TEST_F(WalkTest, copies_nothing_when_there_is_none) {
  set(0, "A");
  begin();
  rest();
  set(0, "AA");
  EXPECT_EQ(copies_, 0);
}

TEST_F(WalkTest, what_is_added_is_not_shown) {
  begin();
  items_.emplace_back("e");
  set(4, "E");
  EXPECT_EQ(copies_, 0);
  EXPECT_EQ(rest(), (Shown{"a", "b", "c", "d"}));
}

TEST_F(WalkTest, what_is_removed_is_shown_and_what_takes_its_slot_is_shown_in_the_old_one) {
  begin();
  next();
  remove(1);
  EXPECT_EQ(items_, (Shown{"a", "d", "c"}));
  EXPECT_EQ(rest(), (Shown{"b", "c", "d"}));
}

TEST_F(WalkTest, an_item_that_moves_behind_the_walk_is_shown_all_the_same) {
  begin();
  next();
  next();
  remove(0);
  EXPECT_EQ(items_, (Shown{"d", "b", "c"}));
  EXPECT_EQ(rest(), (Shown{"c", "d"}));
}

TEST_F(WalkTest, a_slot_that_is_freed_and_taken_again_shows_what_it_held_first) {
  begin();
  while (!items_.empty()) remove(0);
  for (const char* item : {"1", "2", "3", "4", "5"}) items_.emplace_back(item);
  for (Slot slot = 0; slot < 5; ++slot) set(slot, "x");
  EXPECT_EQ(rest(), (Shown{"a", "b", "c", "d"}));
  EXPECT_EQ(walk_.kept(), 0U);
}

TEST_F(WalkTest, an_ended_walk_forgets_its_copies_and_the_next_one_starts_anew) {
  begin();
  next();
  set(2, "C");
  walk_.end();
  EXPECT_EQ(walk_.kept(), 0U);
  EXPECT_FALSE(walk_.under_way());
  begin();
  EXPECT_EQ(rest(), (Shown{"a", "b", "C", "d"}));
}

TEST_F(WalkTest, begins_only_when_the_last_one_has_ended) {
  begin();
  EXPECT_THROW(begin(), raft::AssertionError);
}

}  // namespace
}  // namespace raftlab::kv
