#include "raft/limits.hpp"

#include "raft/core_fixture.hpp"

#include <gtest/gtest.h>

namespace raftlab::raft::testing {
namespace {

Options with(Limits limits) {
  Options options = plain();
  options.limits = limits;
  return options;
}

TEST(Limits, AProposalThatIsTooLargeIsRejected) {
  Limits limits;
  limits.proposal_bytes_max = 10;
  Driver leader = leader_of(3, with(limits));
  leader.propose("0123456789", 1);
  EXPECT_EQ(leader.out.accepted.size(), 1U);
  leader.propose("0123456789x", 2);
  ASSERT_EQ(leader.out.rejected.size(), 1U);
  EXPECT_EQ(leader.out.rejected.front().reason, Rejection::too_large);
  EXPECT_EQ(leader.state().last, id(2, 3)) << "a rejected proposal leaves no trace";
}

TEST(Limits, ALargeProposalGoesThroughWhole) {
  Driver leader = leader_of(3);
  const std::string large(Limits{}.proposal_bytes_max, 'x');
  leader.propose(large);
  ASSERT_TRUE(leader.one<AppendEntries>(2));
  EXPECT_EQ(text(leader.one<AppendEntries>(2)->entries.entry(0).payload), large);
}

TEST(Limits, ALeaderWithTooMuchUncommittedIsOverloadedUntilItCommits) {
  Limits limits;
  limits.uncommitted_bytes_max = 25;
  Driver leader = leader_of(3, with(limits));
  leader.propose("0123456789", 1);
  leader.propose("0123456789", 2);
  EXPECT_EQ(leader.view().uncommitted_bytes, 20U);
  leader.propose("0123456789", 3);
  ASSERT_EQ(leader.out.rejected.size(), 1U);
  EXPECT_EQ(leader.out.rejected.front().reason, Rejection::overloaded);
  leader.settle();
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  EXPECT_EQ(leader.view().uncommitted_bytes, 10U);
  leader.propose("0123456789", 4);
  EXPECT_EQ(leader.out.accepted.size(), 1U);
  leader.settle();
  leader.receive(2, 2, AppendReply{Index(5), ReadSeq{}});
  EXPECT_EQ(leader.view().uncommitted_bytes, 0U) << "the count does not leak";
}

TEST(Limits, WhatIsInheritedUncommittedDoesNotCount) {
  Limits limits;
  limits.uncommitted_bytes_max = 10;
  Driver leader = settled(with(limits), recovered(3, {1, 1, 1, 1, 1, 1, 1, 1}));
  leader.lead();
  EXPECT_EQ(leader.view().uncommitted_bytes, 0U);
  leader.propose("0123456789");
  leader.settle();
  leader.acknowledge_all(2);
  EXPECT_EQ(leader.state().commit, leader.state().last.index);
  EXPECT_EQ(leader.view().uncommitted_bytes, 0U);
}

TEST(Limits, TooManyWaitingReadsAreRejected) {
  Limits limits;
  limits.reads_max = 2;
  Driver leader = leader_of(3, with(limits));
  leader.step({Read{1}, Read{2}, Read{3}});
  ASSERT_EQ(leader.out.rejected.size(), 1U);
  EXPECT_EQ(leader.out.rejected.front().tag, 3U);
  EXPECT_EQ(leader.out.rejected.front().reason, Rejection::overloaded);
  EXPECT_EQ(leader.view().reads.size(), 2U);
}

TEST(Limits, AProposalToANodeThatDoesNotLeadIsRejected) {
  Driver follower = settled(plain(), recovered(3));
  follower.receive(2, 1, Heartbeat{});
  follower.propose("x", 5);
  ASSERT_EQ(follower.out.rejected.size(), 1U);
  EXPECT_EQ(follower.out.rejected.front().tag, 5U);
  EXPECT_EQ(follower.out.rejected.front().reason, Rejection::not_leader);
  EXPECT_EQ(follower.out.rejected.front().leader, node(2));
}

TEST(Limits, AnAppendNeverCarriesMoreEntriesThanABlockHolds) {
  Driver leader = settled(plain(), recovered(3));
  leader.lead();
  for (int i = 0; i < 200; ++i) leader.propose("x");
  leader.receive(2, 2, AppendReply{Index(2), ReadSeq{}});
  Index next(3);
  for (const AppendEntries& append : leader.all<AppendEntries>(2)) {
    EXPECT_LE(append.entries.size(), block_entries_max);
    EXPECT_EQ(append.entries.first_index(), next);
    next = append.entries.last_index().next();
  }
  EXPECT_EQ(next, Index(203));
  EXPECT_LE(leader.all<AppendEntries>(2).size(), 4U);
}

}  // namespace
}  // namespace raftlab::raft::testing
