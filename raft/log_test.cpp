#include "raft/log.hpp"

#include "raft/core_fixture.hpp"
#include "raft/limits.hpp"

#include <gtest/gtest.h>

namespace raftlab::raft::testing {
namespace {

Log log_with(std::initializer_list<std::uint64_t> terms, LogId snapshot = LogId{}) {
  Log log(snapshot);
  log.append(entries(snapshot.index.value() + 1, terms));
  return log;
}

/// Where the log is cut into pieces: the last index of each.
std::vector<std::uint64_t> cuts(const Log& log) {
  std::vector<std::uint64_t> cuts;
  for (const Slice& piece : log.pieces()) cuts.push_back(piece.last_index().value());
  return cuts;
}

TEST(Log, AnEmptyLogHoldsOnlyTheEntryBeforeTheFirst) {
  const Log log;
  EXPECT_EQ(log.first(), Index(1));
  EXPECT_EQ(log.last_id(), LogId{});
  EXPECT_TRUE(log.matches(LogId{}));
  EXPECT_FALSE(log.matches(id(1, 1)));
}

TEST(Log, TheTermOfEveryEntryIsKnownAndOfNoOther) {
  const Log log = log_with({1, 1, 3, 3, 7});
  EXPECT_EQ(log.term_at(Index(0)), Term(0));
  EXPECT_EQ(log.term_at(Index(2)), Term(1));
  EXPECT_EQ(log.term_at(Index(3)), Term(3));
  EXPECT_EQ(log.term_at(Index(4)), Term(3));
  EXPECT_EQ(log.term_at(Index(5)), Term(7));
  EXPECT_EQ(log.term_at(Index(6)), Term(0));
  EXPECT_EQ(log.last_id(), id(7, 5));
  EXPECT_EQ(log.runs(),
            (std::vector<TermRun>{{Index(1), Term(1)}, {Index(3), Term(3)}, {Index(5), Term(7)}}));
}

TEST(Log, BehindASnapshotTheTermOfItsLastEntryIsStillKnown) {
  const Log log = log_with({4, 5}, id(3, 10));
  EXPECT_EQ(log.first(), Index(11));
  EXPECT_EQ(log.last_id(), id(5, 12));
  EXPECT_EQ(log.term_at(Index(9)), Term(0));
  EXPECT_EQ(log.term_at(Index(10)), Term(3));
  EXPECT_TRUE(log.matches(id(3, 10)));
  EXPECT_EQ(Log(id(3, 10)).last_id(), id(3, 10));
}

TEST(Log, TheLastEntryAtOrBelowSkipsWholeTerms) {
  const Log log = log_with({1, 1, 3, 3, 7});
  EXPECT_EQ(log.last_at_or_below(Index(9), Term(9)), id(7, 5));
  EXPECT_EQ(log.last_at_or_below(Index(5), Term(6)), id(3, 4));
  EXPECT_EQ(log.last_at_or_below(Index(4), Term(2)), id(1, 2));
  EXPECT_EQ(log.last_at_or_below(Index(3), Term(3)), id(3, 3));
  EXPECT_EQ(log.last_at_or_below(Index(5), Term(0)), LogId{});
  EXPECT_EQ(log.last_at_or_below(Index(0), Term(9)), LogId{});
  EXPECT_EQ(log_with({4, 5}, id(3, 10)).last_at_or_below(Index(12), Term(3)), id(3, 10));
  EXPECT_EQ(log_with({4, 5}, id(3, 10)).last_at_or_below(Index(9), Term(9)), LogId{}) << "compacted";
}

TEST(Log, TruncationDropsEntriesAndTheirTermRuns) {
  Log log = log_with({1, 1, 3, 3, 7});
  log.truncate(Index(4));
  EXPECT_EQ(terms_of(log), (std::vector<std::uint64_t>{1, 1, 3}));
  EXPECT_EQ(log.last_id(), id(3, 3));
  log.truncate(Index(3));
  EXPECT_EQ(log.last_id(), id(1, 2));
  EXPECT_EQ(log.runs().size(), 1U);
  log.truncate(Index(9));
  EXPECT_EQ(log.last_id(), id(1, 2)) << "nothing to drop";
  log.truncate(Index(1));
  EXPECT_EQ(log, Log());
}

TEST(Log, WhatSomebodyStillHoldsStaysValidAfterATruncation) {
  Log log = log_with({1, 1, 1});
  const Slice held = log.slice_from(Index(2), 1000);
  log.truncate(Index(2));
  log.append(Term(2), EntryKind::command, bytes("new 2"));
  log.append(Term(2), EntryKind::command, bytes("new 3"));
  EXPECT_EQ(text(held.entry(0).payload), "2@1");
  EXPECT_EQ(text(held.entry(1).payload), "3@1");
  EXPECT_EQ(text(log.entry(Index(2)).payload), "new 2");
}

TEST(Log, ACopyStaysAsItWasWhenTheOriginalIsTruncatedAndAppended) {
  Log log = log_with({1, 1, 1});
  const Log copy = log;
  log.truncate(Index(3));
  log.append(Term(2), EntryKind::command, bytes("other"));
  EXPECT_EQ(copy, log_with({1, 1, 1}));
  EXPECT_NE(copy, log);
}

TEST(Log, TwoCopiesCanAppendDifferentEntriesBehindTheSameOne) {
  Log mine;
  mine.append(Term(1), EntryKind::command, bytes("shared"));
  Log yours = mine;
  mine.append(Term(1), EntryKind::command, bytes("mine"));
  yours.append(Term(2), EntryKind::command, bytes("yours"));
  mine.append(Term(1), EntryKind::command, bytes("mine too"));
  EXPECT_EQ(text(mine.entry(Index(2)).payload), "mine");
  EXPECT_EQ(text(yours.entry(Index(2)).payload), "yours");
  EXPECT_EQ(yours.last(), Index(2));
  EXPECT_EQ(text(mine.entry(Index(1)).payload), text(yours.entry(Index(1)).payload));
}

TEST(Log, EqualLogsAreCutIntoEqualPiecesWhateverTheirBlocksWentThrough) {
  Log straight;
  for (int i = 0; i < 200; ++i) straight.append(Term(1), EntryKind::command, bytes("0123456789abcdef"));
  Log copied;
  Log pushed_aside;
  for (int i = 0; i < 200; ++i) {
    Log earlier = copied;
    copied.append(Term(1), EntryKind::command, bytes("0123456789abcdef"));
    earlier.append(Term(9), EntryKind::command, bytes("takes no place"));
    pushed_aside.append(Term(1), EntryKind::command, bytes("this one goes"));
    pushed_aside.truncate(pushed_aside.last());
    pushed_aside.append(Term(1), EntryKind::command, bytes("0123456789abcdef"));
  }
  Log received_one_by_one;
  Log received_in_runs;
  for (Index at(1); at <= straight.last(); at = at.next()) {
    Slice small = Slice::make(at, 1, 16);
    ASSERT_TRUE(small.append(Term(1), EntryKind::command, straight.entry(at).payload));
    received_one_by_one.append(small);
  }
  for (Index at(1); at <= straight.last(); at = received_in_runs.last().next()) {
    Slice run = straight.slice_from(at, 1U << 20U);
    received_in_runs.append(run.size() > 40 ? run.sub(at, at.plus(39)) : run);
  }
  for (const Log* log : {&copied, &pushed_aside, &received_one_by_one, &received_in_runs}) {
    EXPECT_EQ(*log, straight);
    EXPECT_EQ(cuts(*log), cuts(straight));
  }
}

TEST(Log, ReceivedEntriesOfAFullSizedBlockAreSharedAndNotCopied) {
  Log leader;
  leader.append(Term(1), EntryKind::command, bytes("a"));
  Log follower;
  follower.append(leader.slice_from(Index(1), 1000));
  leader.append(Term(1), EntryKind::command, bytes("b"));
  follower.append(leader.slice_from(Index(2), 1000));
  EXPECT_EQ(follower, leader);
  EXPECT_EQ(follower.entry(Index(2)).payload.data(), leader.entry(Index(2)).payload.data());
}

TEST(Log, EntriesThatDoNotFollowTheLogAreAProgrammersError) {
  Log log = log_with({1, 1});
  EXPECT_THROW(log.append(entries(4, {1})), AssertionError);
  EXPECT_THROW(log.append(entries(2, {1})), AssertionError);
}

TEST(Log, SlicesCoverExactlyWhatIsAskedForAcrossBlocks) {
  Log log;
  for (int i = 0; i < 200; ++i) log.append(Term(1), EntryKind::command, bytes("x"));
  std::vector<Slice> out;
  log.slices(Index(10), Index(150), out);
  Index expected(10);
  for (const Slice& slice : out) {
    EXPECT_EQ(slice.first_index(), expected);
    expected = slice.last_index().next();
  }
  EXPECT_EQ(expected, Index(151));
  out.clear();
  log.slices(Index(5), Index(4), out);
  EXPECT_TRUE(out.empty());
}

TEST(Log, ASliceIsBoundedByBytesButHoldsAtLeastOneEntry) {
  Log log;
  for (int i = 0; i < 5; ++i) log.append(Term(1), EntryKind::command, bytes("0123456789"));
  EXPECT_EQ(log.slice_from(Index(2), 25).size(), 2U);
  EXPECT_EQ(log.slice_from(Index(2), 30).size(), 3U);
  EXPECT_EQ(log.slice_from(Index(2), 1).size(), 1U);
  EXPECT_EQ(log.slice_from(Index(2), 1000).size(), 4U);
}

TEST(Log, APayloadLargerThanABlockGetsOneOfItsOwn) {
  Log log;
  const std::string large(block_payload_bytes + 1, 'x');
  log.append(Term(1), EntryKind::command, bytes("small"));
  log.append(Term(1), EntryKind::command, bytes(large));
  log.append(Term(1), EntryKind::command, bytes("small"));
  EXPECT_EQ(cuts(log), (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(text(log.entry(Index(2)).payload), large);
  EXPECT_EQ(text(log.entry(Index(3)).payload), "small");
}

TEST(Log, EqualityLooksAtEveryEntryAndTheSnapshot) {
  EXPECT_EQ(log_with({1, 2}), log_with({1, 2}));
  EXPECT_NE(log_with({1, 2}), log_with({1, 1}));
  EXPECT_NE(log_with({1, 2}), log_with({1}));
  EXPECT_NE(log_with({4}, id(3, 10)), log_with({4}, id(2, 10)));
}

// ---- Compaction (§7) -------------------------------------------------------------------------------------------

TEST(LogCompaction, TheEntryThatItEndsWithIsTheBase) {
  const std::initializer_list<std::uint64_t> terms = {1, 1, 2, 2, 2, 5};
  for (std::uint64_t to = 0; to <= terms.size(); ++to) {
    Log log = log_with(terms);
    const Log whole = log;
    log.compact(Index(to));
    EXPECT_EQ(log.base(), (LogId{whole.term_at(Index(to)), Index(to)}));
    EXPECT_EQ(log.first(), Index(to + 1));
    EXPECT_EQ(log.last_id(), whole.last_id());
    for (std::uint64_t at = to; at <= terms.size(); ++at)
      EXPECT_EQ(log.term_at(Index(at)), whole.term_at(Index(at)));
    for (std::uint64_t at = 1; at < to; ++at) EXPECT_EQ(log.term_at(Index(at)), Term(0));
    for (std::uint64_t at = to + 1; at <= terms.size(); ++at) {
      EXPECT_EQ(text(log.entry(Index(at)).payload), text(whole.entry(Index(at)).payload));
    }
    EXPECT_TRUE(log.matches(log.base()));
    if (!log.runs().empty()) {
      EXPECT_EQ(log.runs().front().first, log.first());
    }
  }
}

TEST(LogCompaction, WhatIsAppendedAndTruncatedBehindItIsAsEver) {
  Log log = log_with({1, 1, 2, 2});
  log.compact(Index(4));
  log.append(entries(5, {2, 3}));
  EXPECT_EQ(terms_of(log), (std::vector<std::uint64_t>{2, 3}));
  log.truncate(Index(5));
  EXPECT_EQ(log.last_id(), id(2, 4));
  EXPECT_TRUE(log.runs().empty());
}

TEST(LogCompaction, ATailIsBoundedByEntriesAndByBytes) {
  const Log log = log_with({1, 1, 1, 1, 1});  // three bytes each
  EXPECT_EQ(log.tail_before(Index(4), 2, 1000), Index(3));
  EXPECT_EQ(log.tail_before(Index(4), 0, 1000), Index(5));
  EXPECT_EQ(log.tail_before(Index(4), 100, 1000), Index(1));
  EXPECT_EQ(log.tail_before(Index(4), 100, 8), Index(3));
  EXPECT_EQ(log.tail_before(Index(0), 100, 8), Index(1));
}

}  // namespace
}  // namespace raftlab::raft::testing
