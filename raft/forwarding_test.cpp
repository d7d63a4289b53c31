#include "raft/core_fixture.hpp"

#include <gtest/gtest.h>

namespace raftlab::raft::testing {
namespace {

using Tags = std::vector<std::uint64_t>;

Tags served(const Output& out) {
  Tags tags;
  for (const ReadReady& read : out.reads) tags.push_back(read.tag);
  return tags;
}

Tags rejected(const Output& out, Rejection reason) {
  Tags tags;
  for (const Rejected& read : out.rejected) {
    if (read.reason == reason) tags.push_back(read.tag);
  }
  return tags;
}

constexpr std::uint64_t life = 77;

/// Node 1 follows node 2 in term 2, has 2 entries, and has applied both.
Driver follower_of_2(Options options = plain()) {
  options.incarnation = life;
  Driver follower = settled(options, recovered(3, {1}));
  follower.exchange(2, 2, AppendEntries{id(1, 2), Index(2), ReadSeq{}, Slice{}});
  follower.step(Applied{Index(2)});
  return follower;
}

ReadIndexReply answer(std::uint64_t tag, std::uint64_t index, std::uint64_t incarnation = life) {
  return ReadIndexReply{tag, incarnation, Index(index)};
}

// ---- The follower ----------------------------------------------------------------------------------------------

TEST(ForwardedRead, AsksTheLeaderAtOnceAndIsServedByTheAnswer) {
  Driver follower = follower_of_2();
  follower.step({Read{5}, Read{6}});
  ASSERT_TRUE(follower.one<ReadIndex>(2));
  EXPECT_EQ(*follower.one<ReadIndex>(2), (ReadIndex{1, life})) << "one question for both";
  EXPECT_EQ(follower.sent.front().term, Term(2));
  follower.receive(2, 2, answer(1, 2));
  EXPECT_EQ(served(follower.out), (Tags{5, 6}));
  EXPECT_EQ(follower.out.reads.front().index, Index(2));
  follower.receive(2, 2, answer(1, 2));
  EXPECT_TRUE(follower.out.reads.empty()) << "once";
}

TEST(ForwardedRead, WaitsForItsOwnStateMachine) {
  Driver follower = follower_of_2();
  follower.step(Read{5});
  follower.receive(2, 2, answer(1, 3));
  EXPECT_TRUE(follower.out.reads.empty());
  EXPECT_TRUE(follower.core.waits_for_applied());
  EXPECT_EQ(follower.view().reads_confirmed, 1U);
  follower.exchange(2, 2, AppendEntries{id(1, 2), Index(3), ReadSeq{}, entries(3, {2})});
  EXPECT_TRUE(follower.out.reads.empty()) << "committed and not applied";
  follower.step(Applied{Index(3)});
  EXPECT_EQ(served(follower.out), Tags{5});
  EXPECT_FALSE(follower.core.waits_for_applied());
}

TEST(ForwardedRead, ReadsThatComeWhileAQuestionIsOutShareTheNextOne) {
  Driver follower = follower_of_2();
  follower.step(Read{5});
  follower.step(Read{6});
  follower.step(Read{7});
  EXPECT_TRUE(follower.all<ReadIndex>().empty());
  EXPECT_EQ(follower.view().forwarded.size(), 3U);
  follower.receive(2, 2, answer(1, 2));
  EXPECT_EQ(served(follower.out), Tags{5}) << "the others came after it was asked";
  ASSERT_TRUE(follower.one<ReadIndex>(2));
  EXPECT_EQ(follower.one<ReadIndex>(2)->tag, 2U);
  follower.receive(2, 2, answer(1, 2));
  EXPECT_TRUE(follower.out.reads.empty()) << "a late answer to an older question";
  follower.receive(2, 2, answer(2, 2));
  EXPECT_EQ(served(follower.out), (Tags{6, 7}));
}

TEST(ForwardedRead, AnAnswerToAnEarlierLifeSatisfiesNothing) {
  Driver follower = follower_of_2();
  follower.step(Read{5});
  follower.receive(2, 2, answer(1, 2, life - 1));
  EXPECT_TRUE(follower.out.reads.empty());
  EXPECT_EQ(follower.view().forwarded.size(), 1U);
}

TEST(ForwardedRead, OnlyTheLeaderOfTheTermAnswers) {
  Driver follower = follower_of_2();
  follower.step(Read{5});
  follower.receive(3, 2, answer(1, 2));
  EXPECT_TRUE(follower.out.reads.empty());
  follower.receive(2, 1, answer(1, 2));
  EXPECT_TRUE(follower.out.reads.empty());
  EXPECT_EQ(follower.view().forwarded.size(), 1U);
}

TEST(ForwardedRead, IsNotReadyWhenTheLeaderRefuses) {
  Driver follower = follower_of_2();
  follower.step(Read{5});
  follower.receive(2, 2, answer(1, 0));
  EXPECT_EQ(rejected(follower.out, Rejection::not_ready), Tags{5});
  EXPECT_EQ(follower.out.rejected.front().leader, node(2));
  follower.step(Read{6});
  ASSERT_TRUE(follower.one<ReadIndex>(2));
  EXPECT_EQ(follower.one<ReadIndex>(2)->tag, 2U);
}

TEST(ForwardedRead, IsAskedAgainWithEachHeartbeatIntervalAndGivenUpAfterAnElectionTimeout) {
  Driver follower = follower_of_2();
  const Options options;
  follower.step(Read{5});
  const auto tick_and_hear = [&](std::uint32_t ticks) {  // the leader is there, its answers are lost
    std::size_t asked = 0;
    for (std::uint32_t tick = 0; tick < ticks; ++tick) {
      follower.tick();
      asked += follower.all<ReadIndex>(2).size();
      if (tick + 1 < ticks) follower.receive(2, 2, Heartbeat{});
    }
    return asked;
  };
  EXPECT_EQ(tick_and_hear(options.heartbeat_ticks), 1U);
  EXPECT_EQ(follower.one<ReadIndex>(2)->tag, 1U) << "the same question";
  follower.step(Read{6});
  tick_and_hear(options.election_ticks_min - options.heartbeat_ticks - 1);
  EXPECT_TRUE(follower.out.rejected.empty());
  tick_and_hear(1);
  EXPECT_EQ(rejected(follower.out, Rejection::timed_out), Tags{5});
  ASSERT_EQ(follower.all<ReadIndex>(2).size(), 1U) << "the reads that came later have their own time";
  EXPECT_EQ(follower.one<ReadIndex>(2)->tag, 2U);
  follower.receive(2, 2, answer(1, 2));
  EXPECT_TRUE(follower.out.reads.empty());
}

TEST(ForwardedRead, EndsWithTheLeaderThatWasAsked) {
  for (const bool confirmed : {false, true}) {
    Driver follower = follower_of_2();
    follower.step(Read{5});
    if (confirmed) follower.receive(2, 2, answer(1, 9));
    follower.step({Read{6}, follower.envelope(3, 3, Heartbeat{})});
    EXPECT_EQ(rejected(follower.out, Rejection::not_leader), (Tags{5, 6}));
    EXPECT_EQ(follower.out.rejected.front().leader, node(3));
    EXPECT_TRUE(follower.view().forwarded.empty());
    EXPECT_EQ(follower.view().reads_confirmed, 0U);
    follower.receive(2, 2, answer(1, 2));
    EXPECT_TRUE(follower.out.reads.empty());
    follower.step(Read{7});
    EXPECT_EQ(follower.one<ReadIndex>(3)->tag, 2U) << "no number is used twice in one life";
  }
}

TEST(ForwardedRead, EndsWhenTheFollowerStands) {
  Driver by_timeout = follower_of_2(guarded());
  by_timeout.step(Read{5});
  by_timeout.receive(2, 2, answer(1, 9));
  by_timeout.tick(by_timeout.state().deadline_ticks - by_timeout.state().elapsed_ticks - 1);
  by_timeout.step(Read{6});
  by_timeout.tick();
  EXPECT_EQ(rejected(by_timeout.out, Rejection::not_leader), (Tags{5, 6}));

  Driver by_transfer = follower_of_2();
  by_transfer.step(Read{5});
  by_transfer.receive(2, 2, TimeoutNow{});
  EXPECT_EQ(rejected(by_transfer.out, Rejection::not_leader), Tags{5});
}

TEST(ForwardedRead, BeyondTheLimitIsOverloaded) {
  Options options = plain();
  options.limits.reads_max = 2;
  Driver follower = follower_of_2(options);
  follower.step({Read{5}, Read{6}, Read{7}});
  EXPECT_EQ(rejected(follower.out, Rejection::overloaded), Tags{7});
  follower.receive(2, 2, answer(1, 9));
  follower.step(Read{8});
  EXPECT_EQ(rejected(follower.out, Rejection::overloaded), Tags{8})
      << "those that wait to be applied count, too";
}

TEST(ForwardedRead, OfALearnerIsAskedLikeAnyOther) {
  Recovered spare;  // a node that joins knows nothing of the cluster
  spare.hard = HardState{Term(1), NodeId{}};
  Options options = plain(4);
  options.incarnation = life;
  Driver learner = settled(options, spare);
  learner.step(Read{4});
  EXPECT_EQ(rejected(learner.out, Rejection::not_leader), Tags{4});
  learner.exchange(2, 2, Heartbeat{});
  learner.step(Read{5});
  ASSERT_TRUE(learner.one<ReadIndex>(2));
  learner.receive(2, 2, answer(1, 1));
  EXPECT_TRUE(learner.out.reads.empty()) << "it has applied nothing";
}

TEST(ForwardedRead, AnAnswerWithoutANumberIsDroppedAndCounted) {
  Driver follower = follower_of_2();
  const std::uint64_t dropped = follower.view().dropped;
  follower.receive(2, 2, answer(0, 2));
  EXPECT_EQ(follower.view().dropped, dropped + 1);
}

TEST(ForwardedRead, IsPartOfTheCoresValue) {
  Driver follower = follower_of_2();
  const Core before = follower.core;
  follower.step(Read{5});
  const Core asking = follower.core;
  EXPECT_NE(before, asking);
  EXPECT_NE(before.hash(), asking.hash());
  follower.receive(2, 2, answer(1, 9));
  EXPECT_NE(asking, follower.core);
  EXPECT_NE(asking.hash(), follower.core.hash());
  follower.step(Read{6});
  const Core early = follower.core;
  follower.tick();
  follower.receive(2, 2, Heartbeat{});
  EXPECT_NE(early, follower.core) << "how long it has been asking";
  EXPECT_NE(early.hash(), follower.core.hash());
}

// ---- The leader ------------------------------------------------------------------------------------------------

TEST(ReadIndexOfAFollower, IsAnsweredAfterARoundOfTheQuorumWithoutWaitingForTheStateMachine) {
  Driver leader = leader_of(3);  // it has applied nothing
  ASSERT_EQ(leader.state().applied, Index(0));
  leader.receive(2, 2, ReadIndex{4, 9});
  EXPECT_TRUE(leader.all<ReadIndexReply>().empty());
  ASSERT_TRUE(leader.one<Heartbeat>(2));
  leader.receive(3, 2, HeartbeatReply{ReadSeq(1)});
  ASSERT_TRUE(leader.one<ReadIndexReply>(2));
  EXPECT_EQ(*leader.one<ReadIndexReply>(2), (ReadIndexReply{4, 9, Index(2)}));
  EXPECT_TRUE(leader.out.reads.empty());
}

TEST(ReadIndexOfAFollower, DoesNotWaitBehindTheLeadersOwnReads) {
  Driver leader = leader_of(3);
  leader.step(Read{1});
  leader.receive(2, 2, HeartbeatReply{ReadSeq(1)});
  EXPECT_TRUE(leader.out.reads.empty());
  leader.step({Read{2}, leader.envelope(3, 2, ReadIndex{4, 9})});
  leader.receive(2, 2, HeartbeatReply{ReadSeq(2)});
  EXPECT_TRUE(leader.one<ReadIndexReply>(3));
  leader.step(Applied{Index(2)});
  EXPECT_EQ(served(leader.out), (Tags{1, 2}));
}

TEST(ReadIndexOfAFollower, ThatIsAskedAgainIsAnsweredOnce) {
  Driver leader = leader_of(3);
  leader.receive(2, 2, ReadIndex{4, 9});
  leader.receive(2, 2, ReadIndex{4, 9});
  EXPECT_EQ(leader.view().reads.size(), 1U);
  leader.receive(2, 2, ReadIndex{4, 8});
  leader.receive(3, 2, ReadIndex{4, 9});
  EXPECT_EQ(leader.view().reads.size(), 3U) << "another life, another node";
}

void expect_refused(Driver& leader) {
  leader.receive(2, leader.state().hard.term.value(), ReadIndex{4, 9});
  ASSERT_TRUE(leader.one<ReadIndexReply>(2));
  EXPECT_EQ(*leader.one<ReadIndexReply>(2), (ReadIndexReply{4, 9, Index(0)}));
}

TEST(ReadIndexOfAFollower, IsRefusedUntilTheLeaderHasCommittedInItsTerm) {
  Driver leader = settled(plain(), recovered(3, {1}));
  leader.lead();
  expect_refused(leader);
}

TEST(ReadIndexOfAFollower, IsRefusedByWhoDoesNotLead) {
  Driver follower = follower_of_2();
  expect_refused(follower);
}

TEST(ReadIndexOfAFollower, IsRefusedBeyondTheLimit) {
  Options options = plain();
  options.limits.reads_max = 1;
  Driver leader = leader_of(3, options);
  leader.step(Read{1});
  expect_refused(leader);
  leader.receive(2, 2, HeartbeatReply{ReadSeq(1)});
  expect_refused(leader);
}

TEST(ReadIndexOfAFollower, OfAnOlderTermLearnsTheNewOne) {
  Driver leader = leader_of(3);
  leader.receive(2, 1, ReadIndex{4, 9});
  ASSERT_EQ(leader.sent.size(), 1U);
  EXPECT_EQ(leader.sent.front().term, Term(2));
  EXPECT_EQ(*leader.one<ReadIndexReply>(2), (ReadIndexReply{4, 9, Index(0)}));
}

TEST(ReadIndexOfAFollower, OfANodeThatWasRemovedAndDoesNotKnowItIsRefused) {
  Driver leader = leader_of(3);
  leader.receive(4, 2, ReadIndex{4, 9});
  EXPECT_EQ(*leader.one<ReadIndexReply>(4), (ReadIndexReply{4, 9, Index(0)}));
  EXPECT_EQ(leader.view().dropped, 0U);
  EXPECT_TRUE(leader.view().reads.empty());
}

TEST(ReadIndexOfAFollower, WithoutANumberIsDroppedAndCounted) {
  Driver leader = leader_of(3);
  leader.receive(2, 2, ReadIndex{0, 9});
  EXPECT_EQ(leader.view().dropped, 1U);
  EXPECT_TRUE(leader.sent.empty());
  EXPECT_TRUE(leader.view().reads.empty());
}

TEST(ReadIndexOfAFollower, EndsSilentlyWithTheLeadership) {
  Driver leader = leader_of(3);
  leader.step({Read{1}, leader.envelope(2, 2, ReadIndex{4, 9})});
  leader.receive(3, 3, Heartbeat{});
  EXPECT_EQ(rejected(leader.out, Rejection::not_leader), Tags{1})
      << "its tag is the follower's, not the host's";
  EXPECT_TRUE(leader.all<ReadIndexReply>().empty());
}

TEST(ReadIndexOfAFollower, ThatIsRemovedMeanwhileIsNotAnswered) {
  Driver leader = leader_of(3);
  leader.receive(3, 2, ReadIndex{4, 9});
  Configuration without = voters_up_to(2);
  leader.step(ProposeConfiguration{8, without});
  leader.settle();
  leader.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  leader.settle();
  leader.acknowledge_all(2);
  ASSERT_EQ(leader.view().peers.size(), 2U);
  leader.receive(2, 2, HeartbeatReply{ReadSeq(1)});
  EXPECT_TRUE(leader.all<ReadIndexReply>().empty());
  EXPECT_TRUE(leader.view().reads.empty());
}

}  // namespace
}  // namespace raftlab::raft::testing
