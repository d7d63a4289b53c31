#include "invariants/cluster_record.hpp"

#include "raft/hash.hpp"

#include <gtest/gtest.h>

#include <map>

namespace raftlab::invariants {
namespace {

/// Against the definition, index by index, under draws from a hash.
TEST(CommitTerms, AreTheLeastTermOfALeaderThatMovedOverAnIndex) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CommitTerms terms;
    std::map<std::uint64_t, std::uint64_t> expected;
    for (std::uint64_t draw = 0; draw < 30; ++draw) {
      const std::uint64_t term = 1 + raft::Hasher(seed).add(draw).add(std::uint64_t{1}).value() % 8;
      const std::uint64_t index = 1 + raft::Hasher(seed).add(draw).add(std::uint64_t{2}).value() % 20;
      bool news = false;
      for (std::uint64_t k = 1; k <= index; ++k) {
        if (expected.contains(k) && expected[k] <= term) continue;
        expected[k] = term;
        news = true;
      }
      EXPECT_EQ(terms.note(term, index), news);
      for (std::uint64_t k = 1; k <= 21; ++k) EXPECT_EQ(terms.at(k), expected.contains(k) ? expected[k] : 0);
      for (std::uint64_t t = 1; t <= 9; ++t) {
        std::uint64_t last = 0;
        for (const auto& [k, least] : expected) last = least < t ? std::max(last, k) : last;
        EXPECT_EQ(terms.last_below(t), last);
      }
    }
  }
}

TEST(Elections, AreATreeOfLogs) {
  Elections elections;
  EXPECT_TRUE(elections.add({2, raft::NodeId(1), 1, Mark(1, 0)}));
  EXPECT_TRUE(elections.add({4, raft::NodeId(3), 3, Mark(2, 0)}));
  EXPECT_TRUE(elections.add({3, raft::NodeId(2), 1, Mark(1, 0)}));
  EXPECT_FALSE(elections.add({3, raft::NodeId(1), 1, Mark(1, 0)}));
  EXPECT_EQ(elections.find(3)->leader, raft::NodeId(2));
  EXPECT_EQ(elections.find(5), nullptr);
  EXPECT_EQ(elections.last_term(), 4U);
  // A log that ends with (6, term 4) is 1, then 2 and 3 of term 2, then term 4.
  EXPECT_TRUE(elections.log_held(6, Mark(4, 0), 5, Mark(4, 0)));
  EXPECT_TRUE(elections.log_held(6, Mark(4, 0), 3, Mark(2, 0)));
  EXPECT_FALSE(elections.log_held(6, Mark(4, 0), 2, Mark(3, 0)));
  EXPECT_FALSE(elections.log_held(6, Mark(4, 0), 4, Mark(3, 0)));
  EXPECT_FALSE(elections.log_held(6, Mark(4, 0), 7, Mark(4, 0)));
  EXPECT_TRUE(elections.log_held(6, Mark(4, 0), 1, Mark(1, 0)));
}

TEST(Votes, AreWrittenOnce) {
  Votes votes;
  EXPECT_EQ(votes.write(raft::Term(2), raft::NodeId(1)), raft::NodeId(1));
  EXPECT_EQ(votes.write(raft::Term(5), raft::NodeId(2)), raft::NodeId(2));
  EXPECT_EQ(votes.write(raft::Term(3), raft::NodeId(3)), raft::NodeId(3));
  EXPECT_EQ(votes.write(raft::Term(2), raft::NodeId(3)), raft::NodeId(1));
  EXPECT_EQ(votes.write(raft::Term(3), raft::NodeId(1)), raft::NodeId(3));
  EXPECT_EQ(votes.write(raft::Term(5), raft::NodeId(2)), raft::NodeId(2));
}

TEST(Votes, MayHaveBeenGivenWhenTheyAreForgotten) {
  Votes votes;
  votes.write(raft::Term(2), raft::NodeId(1));
  votes.write(raft::Term(5), raft::NodeId(2));
  EXPECT_TRUE(votes.may_have_voted(raft::Term(2), raft::NodeId(1)));
  EXPECT_FALSE(votes.may_have_voted(raft::Term(2), raft::NodeId(2)));
  EXPECT_FALSE(votes.may_have_voted(raft::Term(3), raft::NodeId(1)));
  votes.forget_below(raft::Term(5));
  EXPECT_EQ(votes.size(), 1U);
  EXPECT_TRUE(votes.may_have_voted(raft::Term(2), raft::NodeId(2)));
  EXPECT_TRUE(votes.may_have_voted(raft::Term(5), raft::NodeId(2)));
  EXPECT_FALSE(votes.may_have_voted(raft::Term(5), raft::NodeId(1)));
}

TEST(VoterSets, NeedAMajorityOfEverySet) {
  VoterSets sets;
  EXPECT_FALSE(sets.majority(~NodeSet{0}));
  sets.voters = 0b1111;
  EXPECT_FALSE(sets.majority(0b0011));
  EXPECT_TRUE(sets.majority(0b0111));
  sets.outgoing = 0b110000;
  EXPECT_FALSE(sets.majority(0b011111));
  EXPECT_TRUE(sets.majority(0b110111));
  EXPECT_EQ(size_of(0), 0U);
  EXPECT_EQ(size_of(~NodeSet{0}), 64U);
  EXPECT_EQ(size_of(0x8000000000000001ULL), 2U);
}

}  // namespace
}  // namespace raftlab::invariants
