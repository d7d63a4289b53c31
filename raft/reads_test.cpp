#include "raft/core_fixture.hpp"

#include <gtest/gtest.h>

namespace raftlab::raft::testing {
namespace {

/// A leader that applied everything it committed: entries 1 and 2.
Driver reader(std::uint32_t nodes = 3) {
  Driver leader = leader_of(nodes);
  leader.step(Applied{leader.state().handed});
  return leader;
}

std::vector<std::uint64_t> tags(const Output& out) {
  std::vector<std::uint64_t> tags;
  for (const ReadReady& read : out.reads) tags.push_back(read.tag);
  return tags;
}

using Tags = std::vector<std::uint64_t>;

TEST(ReadIndex, IsRefusedByANodeThatKnowsNoLeader) {
  Driver follower = settled(plain(), recovered(3));
  follower.step(Read{7});
  ASSERT_EQ(follower.out.rejected.size(), 1U);
  EXPECT_EQ(follower.out.rejected.front().tag, 7U);
  EXPECT_EQ(follower.out.rejected.front().reason, Rejection::not_leader);
  EXPECT_FALSE(follower.out.rejected.front().leader);
}

TEST(ReadIndex, IsRefusedUntilTheLeaderHasCommittedInItsTerm) {
  Driver leader = settled(plain(), recovered(3, {1}));
  leader.lead();
  leader.step(Read{1});
  ASSERT_EQ(leader.out.rejected.size(), 1U);
  EXPECT_EQ(leader.out.rejected.front().reason, Rejection::not_ready);
  leader.acknowledge_all(2);
  leader.step(Read{2});
  EXPECT_TRUE(leader.out.rejected.empty());
}

TEST(ReadIndex, IsServedOnlyAfterAQuorumAnsweredARoundThatBeganAfterIt) {
  Driver leader = reader();
  leader.step(Read{1});
  EXPECT_TRUE(leader.out.reads.empty());
  ASSERT_TRUE(leader.one<Heartbeat>(2)) << "the round begins at once";
  EXPECT_EQ(leader.one<Heartbeat>(2)->read, ReadSeq(1));
  leader.receive(2, 2, HeartbeatReply{ReadSeq(0)});
  EXPECT_TRUE(leader.out.reads.empty()) << "an answer to an older heartbeat";
  leader.receive(2, 2, HeartbeatReply{ReadSeq(1)});
  EXPECT_EQ(tags(leader.out), Tags{1});
  EXPECT_EQ(leader.out.reads.front().index, Index(2));
  leader.receive(3, 2, HeartbeatReply{ReadSeq(1)});
  EXPECT_TRUE(leader.out.reads.empty()) << "once";
}

TEST(ReadIndex, AnswersOfOnePeerCountOnce) {
  Driver leader = reader(5);
  leader.step(Read{1});
  for (int i = 0; i < 3; ++i) leader.receive(2, 2, HeartbeatReply{ReadSeq(1)});
  EXPECT_TRUE(leader.out.reads.empty());
  leader.receive(3, 2, HeartbeatReply{ReadSeq(1)});
  EXPECT_EQ(tags(leader.out), Tags{1});
}

TEST(ReadIndex, AnswersToARoundThatWasNeverOpenedDoNotCount) {
  Driver leader = reader();
  leader.step(Read{1});
  leader.receive(2, 2, HeartbeatReply{ReadSeq(99)});
  leader.receive(3, 2, HeartbeatReply{ReadSeq(99)});
  EXPECT_TRUE(leader.out.reads.empty());
  EXPECT_LE(leader.state().read_confirmed, leader.state().read_issued);
}

TEST(ReadIndex, OneRoundServesAllReadsThatCameBeforeIt) {
  Driver leader = reader();
  leader.step({Read{1}, Read{2}, Read{3}});
  EXPECT_EQ(leader.all<Heartbeat>().size(), 2U) << "one to each peer";
  leader.receive(2, 2, HeartbeatReply{ReadSeq(1)});
  EXPECT_EQ(tags(leader.out), (Tags{1, 2, 3}));
}

TEST(ReadIndex, ReadsThatComeDuringARoundShareTheNextOne) {
  Driver leader = reader();
  leader.step(Read{1});
  leader.step(Read{2});
  EXPECT_TRUE(leader.sent.empty());
  leader.step(Read{3});
  EXPECT_TRUE(leader.sent.empty());
  leader.receive(2, 2, HeartbeatReply{ReadSeq(1)});
  EXPECT_EQ(tags(leader.out), Tags{1});
  ASSERT_TRUE(leader.one<Heartbeat>(3)) << "the next round follows at once";
  EXPECT_EQ(leader.one<Heartbeat>(3)->read, ReadSeq(2));
  leader.receive(3, 2, HeartbeatReply{ReadSeq(2)});
  EXPECT_EQ(tags(leader.out), (Tags{2, 3}));
}

TEST(ReadIndex, ALostRoundIsRepeatedByTheNextHeartbeats) {
  Driver leader = reader();
  leader.step(Read{1});
  leader.tick(5);
  ASSERT_TRUE(leader.one<Heartbeat>(2));
  EXPECT_EQ(leader.one<Heartbeat>(2)->read, ReadSeq(1));
}

TEST(ReadIndex, AppendsCarryTheRoundToo) {
  Driver leader = reader();
  leader.step({Read{1}, Propose{2, bytes("x")}});
  ASSERT_TRUE(leader.one<AppendEntries>(2));
  EXPECT_EQ(leader.one<AppendEntries>(2)->read, ReadSeq(1));
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq(1)});
  EXPECT_EQ(tags(leader.out), Tags{1});
}

TEST(ReadIndex, ARefusedAppendConfirmsTheRoundAllTheSame) {
  Driver leader = reader();
  leader.step({Read{1}, Propose{2, bytes("x")}});
  leader.receive(2, 2, AppendReject{Index(9), id(1, 1), ReadSeq(1)});
  EXPECT_EQ(tags(leader.out), Tags{1}) << "the peer follows this leader, whatever its log is";
}

TEST(ReadIndex, WaitsUntilTheStateMachineHasAppliedItsIndex) {
  Driver leader = reader();
  leader.propose("x");
  leader.settle();
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  ASSERT_EQ(leader.state().commit, Index(3));
  leader.step(Read{1});
  leader.receive(2, 2, HeartbeatReply{ReadSeq(1)});
  EXPECT_TRUE(leader.out.reads.empty());
  leader.step(Applied{Index(3)});
  ASSERT_EQ(tags(leader.out), Tags{1});
  EXPECT_EQ(leader.out.reads.front().index, Index(3));
}

TEST(ReadIndex, IsTakenWhenTheReadArrivesNotWhenItIsServed) {
  Driver leader = reader();
  leader.step(Read{1});
  leader.propose("x");
  leader.settle();
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq(1)});
  ASSERT_EQ(tags(leader.out), Tags{1}) << "entry 3 is committed but not yet applied";
  EXPECT_EQ(leader.out.reads.front().index, Index(2));
}

TEST(ReadIndex, WaitingReadsAreRejectedWhenLeadershipIsLost) {
  Driver leader = reader();
  leader.step({Read{1}, Read{2}});
  leader.receive(3, 3, Heartbeat{});
  ASSERT_EQ(leader.out.rejected.size(), 2U);
  EXPECT_EQ(leader.out.rejected.back().reason, Rejection::not_leader);
  EXPECT_EQ(leader.out.rejected.back().leader, node(3));
  EXPECT_TRUE(leader.view().reads.empty());
}

TEST(ReadIndex, RoundsOfAnEarlierLeadershipConfirmNothingInALaterOne) {
  Driver leader = reader();
  leader.step(Read{1});
  leader.exchange(3, 3, Heartbeat{});
  leader.lead();
  ASSERT_EQ(leader.state().hard.term, Term(4));
  leader.acknowledge_all(2);
  leader.step(Applied{leader.state().handed});
  leader.step(Read{2});
  ASSERT_EQ(leader.state().read_issued, ReadSeq(2))
      << "the round that nobody answered does not block the next";
  leader.receive(2, 2, HeartbeatReply{ReadSeq(2)});
  leader.receive(3, 2, HeartbeatReply{ReadSeq(2)});
  leader.receive(2, 4, HeartbeatReply{ReadSeq(1)});
  leader.receive(3, 4, HeartbeatReply{ReadSeq(1)});
  EXPECT_TRUE(leader.out.reads.empty());
  leader.receive(2, 4, HeartbeatReply{ReadSeq(2)});
  EXPECT_EQ(tags(leader.out), Tags{2});
}

TEST(ReadIndex, TheOnlyVoterConfirmsByItself) {
  Driver leader = reader(1);
  leader.step(Read{1});
  EXPECT_EQ(tags(leader.out), Tags{1});
}

TEST(ReadIndex, AppliedBeyondWhatWasHandedOutIsDropped) {
  Driver leader = reader();
  leader.step(Applied{Index(99)});
  EXPECT_EQ(leader.state().applied, Index(2));
  EXPECT_EQ(leader.view().dropped, 1U);
  leader.step(Applied{Index(1)});
  EXPECT_EQ(leader.state().applied, Index(2)) << "it never falls";
}

}  // namespace
}  // namespace raftlab::raft::testing
