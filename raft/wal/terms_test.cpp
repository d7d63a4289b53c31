#include "raft/wal/terms.hpp"

#include "raft/wal/test_state.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace raftlab::raft::wal {
namespace {

using namespace testing;

Terms terms_of(const Log& log) {
  Terms terms(log.base());
  std::vector<Slice> slices;
  if (log.last() >= log.first()) log.slices(log.first(), log.last(), slices);
  for (const Slice& slice : slices) terms.append(slice);
  return terms;
}

/// A log behind (1, `base`) with one entry for each of these, which say by how much the term rises.
Log log_of(std::uint64_t base, const std::vector<bool>& rises) {
  Log log(LogId{Term(base == 0 ? 0 : 1), Index(base)});
  Term term(1);
  for (const bool rise : rises) {
    if (rise) term = term.next();
    log.append(term, EntryKind::noop, {});
  }
  return log;
}

RC_GTEST_PROP(Terms, KnowWhatALogKnowsOfItsTerms, (const std::vector<bool>& rises, std::uint8_t cut)) {
  Log log = log_of(3, rises);
  Terms terms = terms_of(log);
  const Index from(4U + cut % (rises.size() + 1));
  if (from <= log.last()) {
    log.truncate(from);
    terms.truncate(from);
  }
  RC_ASSERT(terms.last() == log.last());
  for (std::uint64_t index = 0; index < 10 + rises.size(); ++index)
    RC_ASSERT(terms.term_at(Index(index)) == log.term_at(Index(index)));
}

RC_GTEST_PROP(Terms, AgreeAsFarAsEveryEntryDoes,
              (const std::vector<bool>& rises, const std::vector<bool>& others, std::uint8_t shared,
               std::uint8_t base)) {
  const std::size_t common = std::min<std::size_t>(shared % 8, rises.size());
  std::vector<bool> theirs(rises.begin(), rises.begin() + static_cast<std::ptrdiff_t>(common));
  theirs.insert(theirs.end(), others.begin(), others.end());
  const Log older = log_of(0, rises);
  Log newer = log_of(0, theirs);
  newer.compact(Index(base % (theirs.size() + 1)));
  Index expected;
  if (newer.base().index <= older.last() && older.matches(newer.base())) {
    expected = newer.base().index;
    while (expected < std::min(older.last(), newer.last()) &&
           older.term_at(expected.next()) == newer.term_at(expected.next()))
      expected = expected.next();
  }
  RC_ASSERT(terms_of(newer).agrees_up_to(terms_of(older)) == expected);
}

TEST(Terms, OfALogThatBeganAnewAgreeWithNothing) {
  const Log older = log_of(5, {false, false, true});
  EXPECT_EQ(Terms(LogId{Term(9), Index(20)}).agrees_up_to(terms_of(older)), Index(0)) << "behind its end";
  EXPECT_EQ(Terms(LogId{Term(9), Index(7)}).agrees_up_to(terms_of(older)), Index(0)) << "of another term";
  EXPECT_EQ(Terms().agrees_up_to(terms_of(older)), Index(0)) << "below its base";
  EXPECT_EQ(Terms(LogId{Term(1), Index(5)}).agrees_up_to(terms_of(older)), Index(5))
      << "empty behind its base";
}

}  // namespace
}  // namespace raftlab::raft::wal
