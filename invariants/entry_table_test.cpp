#include "invariants/entry_table.hpp"

#include <gtest/gtest.h>

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
