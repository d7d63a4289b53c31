#include "invariants/entry_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace raftlab::invariants {
namespace {

raft::EntryView entry(std::uint64_t index, std::uint64_t term, const std::vector<std::byte>& payload) {
  return raft::EntryView{{raft::Term(term), raft::Index(index)}, raft::EntryKind::command, payload};
}
const std::vector<std::byte> a(3, std::byte(1));
const std::vector<std::byte> b(5, std::byte(2));

Mirror mirror(std::initializer_list<std::uint64_t> terms) {
  Mirror result;
  for (const std::uint64_t term : terms) result.extend(result.last() + 1, Mark(term, 0));
  return result;
}

TEST(EntryTable, GivesOneMarkToOneEntry) {
  EntryTable table;
  const auto first = table.intern(0, {}, entry(1, 1, a));
  const auto again = table.intern(0, {}, entry(1, 1, a));
  EXPECT_EQ(first.mark, again.mark);
  EXPECT_EQ(first.hash, again.hash);
  EXPECT_FALSE(again.conflicts);
  EXPECT_EQ(table.hash(1, first.mark), first.hash);
  EXPECT_FALSE(table.conflicted());
}

TEST(EntryTable, KeepsEntriesOfDifferentTermsBesideEachOther) {
  EntryTable table;
  const auto one = table.intern(0, {}, entry(1, 1, a));
  const auto two = table.intern(one.hash, one.mark, entry(2, 2, a));
  const auto three = table.intern(one.hash, one.mark, entry(2, 3, b));
  EXPECT_FALSE(three.conflicts);
  EXPECT_NE(two.mark, three.mark);
  EXPECT_EQ(table.bytes(2, two.mark), 6U);
  EXPECT_EQ(table.bytes(2, three.mark), 8U);
  EXPECT_EQ(table.intern(one.hash, one.mark, entry(2, 3, b)).hash, three.hash);
}

TEST(EntryTable, GivesABranchToASecondEntryOfOneTermAndToWhatFollowsIt) {
  EntryTable table;
  const auto left = table.intern(0, {}, entry(1, 1, a));
  const auto right = table.intern(0, {}, entry(1, 1, b));
  EXPECT_TRUE(right.conflicts);
  EXPECT_TRUE(right.same_parent);
  EXPECT_EQ(right.other, left.mark);
  EXPECT_NE(right.mark, left.mark);
  EXPECT_EQ(right.mark.term(), 1U);
  // The same payload behind different logs: different marks, whoever comes first.
  const auto right2 = table.intern(right.hash, right.mark, entry(2, 1, a));
  const auto left2 = table.intern(left.hash, left.mark, entry(2, 1, a));
  EXPECT_NE(left2.mark, right2.mark);
  EXPECT_EQ(right2.mark, right.mark);
  EXPECT_TRUE(left2.conflicts);
  EXPECT_FALSE(left2.same_parent);
  const auto left3 = table.intern(left2.hash, left2.mark, entry(3, 2, a));
  const auto right3 = table.intern(right2.hash, right2.mark, entry(3, 2, a));
  EXPECT_NE(left3.mark, right3.mark);
  EXPECT_EQ(table.intern(right2.hash, right2.mark, entry(3, 2, a)).mark, right3.mark);
}

TEST(EntryTable, ForgetsWhatLiesBelowAndKeepsTheChainAbove) {
  EntryTable table;
  EntryTable::Interned last;
  EntryTable::Interned at150;
  for (std::uint64_t index = 1; index <= 200; ++index) {
    last = table.intern(last.hash, last.mark, entry(index, 1, a));
    if (index == 150) at150 = last;
    if (index % 3 == 0) table.intern(last.hash, last.mark, entry(index, 2, b));  // one more, beside it
  }
  const auto beside = table.intern(at150.hash, at150.mark, entry(151, 7, b));
  const std::size_t before = table.entries();
  table.forget_below(150);
  EXPECT_LT(table.entries(), before / 2);
  EXPECT_EQ(table.hash(150, at150.mark), at150.hash);
  EXPECT_EQ(table.hash(200, last.mark), last.hash);
  EXPECT_EQ(table.hash(151, beside.mark), beside.hash);
  EXPECT_EQ(table.hash(149, at150.mark), 0U);
  EXPECT_EQ(table.intern(at150.hash, at150.mark, entry(151, 7, b)).hash, beside.hash);
  EXPECT_TRUE(table.intern(at150.hash, at150.mark, entry(151, 7, a)).conflicts);
  // What comes from below is taken as it comes, and is on the chain again at the floor.
  EXPECT_FALSE(table.intern(1, {}, entry(149, 1, b)).conflicts);
  EXPECT_EQ(table.intern(1, {}, entry(150, 1, b)).hash, at150.hash);
}

TEST(Trail, IsAtMostTwiceAsLongAsWhatIsKnown) {
  Trail<std::uint64_t> trail;
  for (std::uint64_t index = 1; index <= 10'000; ++index) {
    trail.at(index) = index;
    if (index > 100) trail.forget_below(index - 100);
    EXPECT_LE(trail.size(), 203U);
    EXPECT_EQ(*trail.find(index - std::min<std::uint64_t>(index - 1, 100)),
              index - std::min<std::uint64_t>(index - 1, 100));
  }
  EXPECT_EQ(trail.find(1), nullptr);
  EXPECT_EQ(trail.find(10'001), nullptr);
}

TEST(Mirror, ForgetsItsBeginning) {
  Mirror log = mirror({1, 1, 2, 2, 3});
  log.forget_below(4);
  EXPECT_FALSE(log.at(3));
  EXPECT_EQ(log.at(4).term(), 2U);
  EXPECT_EQ(log.at(5).term(), 3U);
  EXPECT_EQ(log, mirror({1, 1, 2, 2, 3}));
  EXPECT_EQ(log.runs_up_to(4), 1U);
  EXPECT_EQ(common_prefix(log, mirror({1, 1, 2, 2, 4})), 4U);
  EXPECT_EQ(common_prefix(mirror({1, 1, 2, 2, 4}), log), 4U);
  log.forget_below(9);
  EXPECT_EQ(log.last(), 5U);
  EXPECT_EQ(log.at(5).term(), 3U);
}

TEST(Mirror, AnswersLikeALogOfTerms) {
  Mirror log = mirror({1, 1, 2, 3, 4, 5, 6, 7, 7});
  EXPECT_EQ(log.last(), 9U);
  const std::uint64_t terms[] = {0, 1, 1, 2, 3, 4, 5, 6, 7, 7, 0};
  for (std::uint64_t index = 0; index <= 10; ++index) EXPECT_EQ(log.at(index).term(), terms[index]) << index;
  EXPECT_EQ(log.run_end(1), 2U);
  EXPECT_EQ(log.run_end(9), 9U);
  log.truncate(4);
  EXPECT_EQ(log.last(), 3U);
  EXPECT_EQ(log.last_mark().term(), 2U);
  log.truncate(4);
  EXPECT_EQ(log.last(), 3U);
  log.truncate(1);
  EXPECT_EQ(log.last(), 0U);
  EXPECT_FALSE(log.last_mark());
}

TEST(Mirror, TakesOverTheEndOfAnother) {
  const Mirror other = mirror({1, 1, 2, 2, 3});
  for (std::uint64_t from = 1; from <= 6; ++from) {
    for (std::uint64_t to = 0; to <= 6; ++to) {
      Mirror log = other;
      log.truncate(from);
      log.extend_from(other, to);
      EXPECT_EQ(log.last(), std::max(from - 1, std::min<std::uint64_t>(to, 5)));
      for (std::uint64_t index = 1; index <= log.last(); ++index) EXPECT_EQ(log.at(index), other.at(index));
    }
  }
}

TEST(Mirror, FindsTheCommonPrefix) {
  EXPECT_EQ(common_prefix(mirror({1, 1, 2, 2, 3}), mirror({1, 1, 2, 4})), 3U);
  EXPECT_EQ(common_prefix(mirror({1, 1, 2, 2, 3}), mirror({1, 1, 2, 2, 3})), 5U);
  EXPECT_EQ(common_prefix(mirror({1, 1}), mirror({1, 1, 1, 2})), 2U);
  EXPECT_EQ(common_prefix(mirror({1, 2}), mirror({3})), 0U);
  EXPECT_EQ(common_prefix(mirror({}), mirror({1})), 0U);
}

}  // namespace
}  // namespace raftlab::invariants
