#include "raft/entry.hpp"

#include "raft/core_fixture.hpp"

#include <gtest/gtest.h>

namespace raftlab::raft::testing {
namespace {

TEST(Slice, AnEmptySliceHasNoEntriesAndNoIndex) {
  const Slice slice;
  EXPECT_TRUE(slice.empty());
  EXPECT_EQ(slice.first_index(), Index{});
  EXPECT_EQ(slice.payload_bytes(), 0U);
  EXPECT_EQ(slice, Slice{});
}

TEST(Slice, EntriesComeBackAsTheyWerePutIn) {
  Slice slice = Slice::make(Index(5), 3, 16);
  EXPECT_TRUE(slice.append(Term(1), EntryKind::command, bytes("one")));
  EXPECT_TRUE(slice.append(Term(1), EntryKind::noop, Bytes{}));
  EXPECT_TRUE(slice.append(Term(2), EntryKind::configuration, bytes("three")));
  ASSERT_EQ(slice.size(), 3U);
  EXPECT_EQ(slice.first_index(), Index(5));
  EXPECT_EQ(slice.last_index(), Index(7));
  EXPECT_EQ(slice.entry(0).id, id(1, 5));
  EXPECT_EQ(text(slice.entry(0).payload), "one");
  EXPECT_EQ(slice.at(Index(6)).kind, EntryKind::noop);
  EXPECT_TRUE(slice.at(Index(6)).payload.empty());
  EXPECT_EQ(text(slice.at(Index(7)).payload), "three");
  EXPECT_EQ(slice.at(Index(7)).kind, EntryKind::configuration);
  EXPECT_EQ(slice.term_at(Index(7)), Term(2));
  EXPECT_EQ(slice.payload_bytes(), 8U);
}

TEST(Slice, ABlockTakesNoMoreEntriesThanItHasRoomFor) {
  Slice slice = Slice::make(Index(1), 2, 100);
  EXPECT_TRUE(slice.append(Term(1), EntryKind::noop, Bytes{}));
  EXPECT_TRUE(slice.append(Term(1), EntryKind::noop, Bytes{}));
  EXPECT_FALSE(slice.append(Term(1), EntryKind::noop, Bytes{}));
  EXPECT_EQ(slice.size(), 2U);
}

TEST(Slice, ABlockTakesNoMorePayloadThanItHasRoomFor) {
  Slice slice = Slice::make(Index(1), 8, 5);
  EXPECT_TRUE(slice.append(Term(1), EntryKind::command, bytes("abc")));
  EXPECT_FALSE(slice.append(Term(1), EntryKind::command, bytes("def")));
  EXPECT_TRUE(slice.append(Term(1), EntryKind::command, bytes("de")));
  EXPECT_EQ(text(slice.entry(1).payload), "de");
}

TEST(Slice, OnlyOneOfTwoCopiesCanAppendBehindTheSameEntry) {
  Slice mine = Slice::make(Index(1), 8, 64);
  ASSERT_TRUE(mine.append(Term(1), EntryKind::command, bytes("shared")));
  Slice yours = mine;
  EXPECT_TRUE(mine.append(Term(1), EntryKind::command, bytes("mine")));
  EXPECT_FALSE(yours.append(Term(2), EntryKind::command, bytes("yours")));
  EXPECT_EQ(yours.size(), 1U);
  EXPECT_EQ(text(mine.entry(1).payload), "mine");
}

TEST(Slice, AShortenedSliceCannotOverwriteWhatItNoLongerShows) {
  Slice all = entries(1, {1, 1, 1});
  Slice head = all.sub(Index(1), Index(2));
  EXPECT_FALSE(head.append(Term(2), EntryKind::command, bytes("other")));
  EXPECT_EQ(text(all.entry(2).payload), "3@1");
}

TEST(Slice, ASubSliceSharesTheBlockAndKeepsItAlive) {
  Slice part;
  {
    const Slice all = entries(10, {1, 1, 2, 2});
    part = all.sub(Index(11), Index(12));
    EXPECT_TRUE(all.starts_block());
  }
  ASSERT_EQ(part.size(), 2U);
  EXPECT_FALSE(part.starts_block());
  EXPECT_EQ(part.first_index(), Index(11));
  EXPECT_EQ(text(part.entry(0).payload), "11@1");
  EXPECT_EQ(text(part.entry(1).payload), "12@2");
  EXPECT_EQ(part.payload_bytes(), 8U);
  EXPECT_TRUE(part.sub(Index(12), Index(11)).empty());
}

TEST(Slice, NeighboursInABlockCanBeJoined) {
  const Slice all = entries(1, {1, 1, 1, 1});
  Slice head = all.sub(Index(1), Index(2));
  const Slice tail = all.sub(Index(3), Index(4));
  EXPECT_TRUE(head.is_continued_by(tail));
  EXPECT_FALSE(tail.is_continued_by(head));
  EXPECT_FALSE(head.is_continued_by(all.sub(Index(4), Index(4)))) << "a hole";
  EXPECT_FALSE(head.is_continued_by(entries(3, {1, 1}))) << "equal entries of another block";
  head.extend_by(tail);
  EXPECT_EQ(head, all);
}

TEST(Slice, EqualityIsThatOfEntriesWhereverTheyAreStored) {
  const Slice slice = entries(3, {1, 2});
  EXPECT_EQ(slice, entries(3, {1, 2}));
  EXPECT_EQ(slice.sub(Index(4), Index(4)), entries(4, {2}));
  EXPECT_NE(slice, entries(3, {1, 3}));
  EXPECT_NE(slice, entries(4, {1, 2}));
  EXPECT_NE(slice, entries(3, {1}));
  Slice other_payload = Slice::make(Index(3), 2, 64);
  ASSERT_TRUE(other_payload.append(Term(1), EntryKind::command, bytes("3@1")));
  ASSERT_TRUE(other_payload.append(Term(2), EntryKind::command, bytes("4@3")));
  EXPECT_NE(slice, other_payload);
  Slice other_kind = Slice::make(Index(3), 2, 64);
  ASSERT_TRUE(other_kind.append(Term(1), EntryKind::command, bytes("3@1")));
  ASSERT_TRUE(other_kind.append(Term(2), EntryKind::configuration, bytes("4@2")));
  EXPECT_NE(slice, other_kind);
}

TEST(Slice, AssignmentAndMoveKeepTheBlockAsLongAsSomebodyHoldsIt) {
  Slice a = entries(1, {1, 1});
  Slice b = a;
  const Slice c = std::move(a);
  b = c;
  b = Slice();
  EXPECT_EQ(c, entries(1, {1, 1}));
  Slice d = c;
  d = std::move(d).sub(Index(2), Index(2));
  EXPECT_EQ(text(d.entry(0).payload), "2@1");
}

TEST(Slice, AskingForAnEntryOutsideIsAProgrammersError) {
  const Slice slice = entries(3, {1, 1});
  EXPECT_THROW((void)slice.at(Index(2)), AssertionError);
  EXPECT_THROW((void)slice.at(Index(5)), AssertionError);
  EXPECT_THROW((void)slice.term_at(Index(5)), AssertionError);
  EXPECT_THROW((void)slice.sub(Index(3), Index(5)), AssertionError);
}

}  // namespace
}  // namespace raftlab::raft::testing
