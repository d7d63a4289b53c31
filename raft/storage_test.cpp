#include "raft/core_fixture.hpp"

#include <gtest/gtest.h>

namespace raftlab::raft::testing {
namespace {

AppendEntries append_at_2(std::initializer_list<std::uint64_t> terms) {
  return AppendEntries{id(1, 1), Index{}, ReadSeq{}, entries(2, terms)};
}

// ---- Numbered writes --------------------------------------------------------------------------------------

TEST(Writes, AreNumberedFromTwoBecauseWhatWasRecoveredIsWriteOne) {
  Driver follower(plain(), recovered(3));
  EXPECT_EQ(follower.state().issued, WriteSeq(1));
  EXPECT_EQ(follower.state().written, WriteSeq(0));
  follower.receive(2, 1, append_at_2({1}));
  EXPECT_EQ(follower.out.write.seq, WriteSeq(2));
  follower.receive(2, 1, AppendEntries{id(1, 2), {}, {}, entries(3, {1})});
  EXPECT_EQ(follower.out.write.seq, WriteSeq(3));
}

TEST(Writes, AStepWithoutChangesWritesNothing) {
  Driver follower = settled(plain(), recovered(3, {1}));
  follower.receive(2, 1, append_at_2({1}));
  EXPECT_FALSE(follower.out.write.seq);
  EXPECT_EQ(follower.one<AppendReply>(2), (AppendReply{Index(2), ReadSeq{}})) << "durable already";
}

TEST(Writes, OneStepMakesOneWriteOfHardStateTruncationAndEntries) {
  Driver follower = settled(plain(), recovered(3, {1, 1, 1}));
  follower.step({follower.envelope(2, 2, append_at_2({2})),
                 follower.envelope(2, 2, AppendEntries{id(2, 2), {}, {}, entries(3, {2})})});
  const Write& write = follower.out.write;
  EXPECT_EQ(write.seq, WriteSeq(2));
  EXPECT_EQ(write.hard, (HardState{Term(2), NodeId{}}));
  EXPECT_EQ(write.truncate_from, Index(2));
  std::vector<std::uint64_t> indices;
  for (const Slice& slice : write.entries) {
    for (std::uint32_t i = 0; i < slice.size(); ++i) indices.push_back(slice.entry(i).id.index.value());
  }
  EXPECT_EQ(indices, (std::vector<std::uint64_t>{2, 3}));
}

TEST(Writes, TwoTruncationsInOneStepWriteTheDeeperOne) {
  Driver follower = settled(plain(), recovered(3, {1, 1, 1}));
  follower.step({follower.envelope(2, 2, AppendEntries{id(1, 3), {}, {}, entries(4, {2})}),
                 follower.envelope(3, 3, AppendEntries{id(1, 2), {}, {}, entries(3, {3})})});
  EXPECT_EQ(follower.out.write.truncate_from, Index(3));
  EXPECT_EQ(follower.out.write.hard, (HardState{Term(3), NodeId{}}));
  EXPECT_EQ(terms_of(follower.log()), (std::vector<std::uint64_t>{1, 1, 3}));
  ASSERT_EQ(follower.out.write.entries.size(), 1U);
  EXPECT_EQ(follower.out.write.entries.front(), entries(3, {3}));
}

TEST(Writes, EntriesThatCameAndWentWithinAStepAreNotTruncatedOnDisk) {
  Driver follower = settled(plain(), recovered(3));
  follower.step({follower.envelope(2, 2, append_at_2({2, 2})), follower.envelope(3, 3, append_at_2({3}))});
  EXPECT_FALSE(follower.out.write.truncate_from);
  ASSERT_EQ(follower.out.write.entries.size(), 1U);
  EXPECT_EQ(follower.out.write.entries.front(), entries(2, {3}));
}

TEST(Writes, CompletionIsCumulative) {
  Driver follower = settled(plain(), recovered(3));
  follower.receive(2, 1, append_at_2({1}));
  follower.receive(2, 1, AppendEntries{id(1, 2), {}, {}, entries(3, {1})});
  follower.written(3);
  EXPECT_EQ(follower.state().durable, Index(3));
  EXPECT_EQ(follower.all<AppendReply>(2).size(), 2U);
}

TEST(Writes, CompletionOfWhatWasNeverIssuedOrIsDoneIsDropped) {
  Driver follower = settled(plain(), recovered(3));
  follower.receive(2, 1, append_at_2({1}));
  follower.written(1);
  follower.written(9);
  EXPECT_EQ(follower.view().dropped, 2U);
  EXPECT_EQ(follower.state().durable, Index(1));
  EXPECT_TRUE(follower.all<AppendReply>().empty());
}

// ---- What waits for the disk ------------------------------------------------------------------------------

TEST(Held, AnAcknowledgementWaitsForTheWriteThatHoldsItsEntries) {
  Driver follower = settled(plain(), recovered(3));
  follower.receive(2, 1, append_at_2({1}));
  EXPECT_TRUE(follower.sent.empty());
  follower.written(2);
  EXPECT_EQ(follower.one<AppendReply>(2), (AppendReply{Index(2), ReadSeq{}}));
}

TEST(Held, AnAcknowledgementDoesNotWaitForLaterEntries) {
  Driver follower = settled(plain(), recovered(3));
  follower.receive(2, 1, append_at_2({1}));
  follower.receive(2, 1, AppendEntries{id(1, 2), {}, {}, entries(3, {1})});
  follower.receive(2, 1, append_at_2({1}));
  follower.written(2);
  EXPECT_EQ(follower.one<AppendReply>(2), (AppendReply{Index(2), ReadSeq{}}));
}

TEST(Held, AnAcknowledgementAlsoWaitsForItsTerm) {
  Driver follower = settled(plain(), recovered(3, {1}));
  follower.receive(2, 5, append_at_2({1}));
  EXPECT_TRUE(follower.sent.empty()) << "the entry is durable, term 5 is not";
  follower.written(2);
  EXPECT_TRUE(follower.one<AppendReply>(2));
}

TEST(Held, AGrantWaitsForTheHardStateButNotForTheLog) {
  Driver voter = settled(plain(), recovered(3));
  voter.step(voter.envelope(3, 2, RequestVote{id(1, 1)}));
  voter.receive(2, 1, append_at_2({1}));
  EXPECT_TRUE(voter.all<VoteReply>().empty());
  voter.written(2);
  EXPECT_EQ(voter.one<VoteReply>(3), (VoteReply{false, true}));
}

TEST(Held, RefusalsAndHeartbeatAnswersDoNotWait) {
  Driver follower(plain(), recovered(3));
  follower.receive(2, 5, Heartbeat{Index{}, ReadSeq(1)});
  EXPECT_TRUE(follower.one<HeartbeatReply>(2));
  follower.receive(2, 5, AppendEntries{id(4, 9), {}, {}, {}});
  EXPECT_TRUE(follower.one<AppendReject>(2));
  follower.receive(3, 5, RequestVote{id(0, 0)});
  EXPECT_EQ(follower.one<VoteReply>(3), (VoteReply{false, false}));
}

TEST(Held, AnAcknowledgementOfAnOlderTermIsDropped) {
  Driver follower = settled(plain(), recovered(3));
  follower.receive(2, 1, append_at_2({1}));
  follower.receive(3, 2, Heartbeat{});
  follower.settle();
  EXPECT_TRUE(follower.all<AppendReply>().empty());
}

TEST(Held, NoMoreThanOneAcknowledgementPerIndexWaitsHoweverOftenTheLeaderAsks) {
  Driver follower = settled(plain(), recovered(3));
  follower.receive(2, 1, append_at_2({1}));
  for (std::uint64_t round = 1; round <= 100; ++round) {
    follower.receive(2, 1, AppendEntries{id(1, 2), {}, ReadSeq(round), {}});
  }
  follower.written(2);
  EXPECT_EQ(follower.one<AppendReply>(2), (AppendReply{Index(2), ReadSeq(100)}))
      << "a stalled disk, a patient leader";
}

// ---- Durable ----------------------------------------------------------------------------------------------

TEST(Durable, FallsAtATruncation) {
  Driver follower = settled(plain(), recovered(3, {1, 1, 1}));
  ASSERT_EQ(follower.state().durable, Index(4));
  follower.receive(2, 2, AppendEntries{id(1, 2), {}, {}, entries(3, {2})});
  EXPECT_EQ(follower.state().durable, Index(2));
  follower.written(2);
  EXPECT_EQ(follower.state().durable, Index(3));
}

TEST(Durable, ACompletionFromBeforeATruncationDoesNotVouchForWhatReplacedIt) {
  Driver follower = settled(plain(), recovered(3));
  follower.receive(2, 1, append_at_2({1, 1, 1}));
  follower.receive(3, 2, append_at_2({2, 2, 2}));
  follower.written(2);
  EXPECT_EQ(follower.state().durable, Index(1)) << "the same indices, other entries (ABA)";
  EXPECT_TRUE(follower.all<AppendReply>().empty());
  follower.written(3);
  EXPECT_EQ(follower.state().durable, Index(4));
  EXPECT_EQ(follower.one<AppendReply>(3), (AppendReply{Index(4), ReadSeq{}}));
}

TEST(Durable, ACompletionInTheStepOfATruncationDoesNotVouchEitherInAnyOrder) {
  for (const bool completion_first : {false, true}) {
    Driver follower = settled(plain(), recovered(3));
    follower.receive(2, 1, append_at_2({1, 1, 1}));
    const Input append = follower.envelope(3, 2, append_at_2({2}));
    const Input completion = Written{WriteSeq(2)};
    follower.step(completion_first ? std::vector<Input>{completion, append}
                                   : std::vector<Input>{append, completion});
    EXPECT_EQ(follower.state().durable, Index(1)) << completion_first;
    follower.written(3);
    EXPECT_EQ(follower.state().durable, Index(2));
  }
}

TEST(Durable, TheSameEntriesWrittenTwiceNeedTheSecondWrite) {
  Driver follower = settled(plain(), recovered(3));
  follower.receive(2, 1, append_at_2({1, 1}));
  follower.receive(3, 2, append_at_2({2}));
  follower.receive(2, 3, AppendEntries{id(2, 2), {}, {}, entries(3, {3})});
  follower.written(3);
  EXPECT_EQ(follower.state().durable, Index(2));
  EXPECT_TRUE(follower.all<AppendReply>().empty());
  follower.written(4);
  EXPECT_EQ(follower.one<AppendReply>(2), (AppendReply{Index(3), ReadSeq{}}));
}

TEST(Durable, OnlyWhatIsDurableIsApplied) {
  Driver follower = settled(plain(), recovered(3));
  follower.receive(2, 1, AppendEntries{id(1, 1), Index(3), ReadSeq{}, entries(2, {1, 1})});
  EXPECT_EQ(follower.state().commit, Index(3));
  EXPECT_EQ(follower.state().handed, Index(1));
  follower.written(2);
  EXPECT_EQ(follower.state().handed, Index(3));
}

// ---- Recovered is not durable (R7) ------------------------------------------------------------------------

TEST(Recovered, ACoreHoldsGrantsUntilWriteOne) {
  Driver voter(plain(), recovered(3, {1}, 2, 2));
  EXPECT_EQ(voter.state().durable, Index(0));
  voter.receive(2, 2, RequestVote{id(1, 2)});
  EXPECT_TRUE(voter.sent.empty()) << "its vote may come from the page cache";
  voter.written(1);
  EXPECT_EQ(voter.one<VoteReply>(2), (VoteReply{false, true}));
  EXPECT_EQ(voter.state().durable, Index(2));
}

TEST(Recovered, ACoreHoldsAcknowledgementsUntilWriteOne) {
  Driver follower(plain(), recovered(3, {1}));
  follower.receive(2, 1, append_at_2({1}));
  EXPECT_TRUE(follower.sent.empty());
  follower.written(1);
  EXPECT_EQ(follower.one<AppendReply>(2), (AppendReply{Index(2), ReadSeq{}}));
}

TEST(Recovered, ACoreAppliesNothingUntilWriteOne) {
  Driver follower(plain(), recovered(3, {1}));
  follower.receive(2, 1, AppendEntries{id(1, 2), Index(2), ReadSeq{}, {}});
  EXPECT_EQ(follower.state().commit, Index(2));
  EXPECT_TRUE(follower.out.apply.empty());
  follower.written(1);
  EXPECT_EQ(follower.state().handed, Index(2));
}

TEST(Recovered, WhatWasCertainlyDurableCountsAtOnce) {
  Recovered image = recovered(3, {1, 1});
  image.durable = Index(2);
  Driver follower(plain(), image);
  EXPECT_EQ(follower.state().durable, Index(2));
}

TEST(Recovered, AnImageThatCannotBeIsRefusedWithATypedError) {
  const auto error_of = [](const Options& options, const Recovered& image) {
    const auto result = Core::recover(options, image);
    const auto* error = std::get_if<RecoverError>(&result);
    return error == nullptr ? std::string("none") : std::string(name(*error));
  };
  EXPECT_EQ(error_of(plain(), recovered(3)), "none");
  EXPECT_EQ(error_of(plain(0), recovered(3)), name(RecoverError::bad_options));
  Options options = plain();
  options.heartbeat_ticks = options.election_ticks_min;
  EXPECT_EQ(error_of(options, recovered(3)), name(RecoverError::bad_options));
  options = plain();
  options.limits.window_messages = 0;
  EXPECT_EQ(error_of(options, recovered(3)), name(RecoverError::bad_options));
  options = plain();
  options.limits.window_bytes = 0;
  EXPECT_EQ(error_of(options, recovered(3)), name(RecoverError::bad_options)) << "nothing would ever be sent";
  Recovered image = recovered(3);
  image.entries.push_back(entries(3, {1}));
  EXPECT_EQ(error_of(plain(), image), name(RecoverError::gap));
  image = recovered(3, {2, 1}, 2);
  EXPECT_EQ(error_of(plain(), image), name(RecoverError::falling_term));
  EXPECT_EQ(error_of(plain(), recovered(3, {2}, 1)), name(RecoverError::term_above_hard_state));
  image = recovered(3);
  image.durable = Index(2);
  EXPECT_EQ(error_of(plain(), image), name(RecoverError::gap));
  image = recovered(3);
  Slice nonsense = Slice::make(Index(2), 1, 8);
  ASSERT_TRUE(nonsense.append(Term(1), EntryKind::configuration, bytes("x")));
  image.entries.push_back(nonsense);
  EXPECT_EQ(error_of(plain(), image), name(RecoverError::bad_configuration));
}

// ---- A failed write is final ------------------------------------------------------------------------------

TEST(WriteFault, FreezesTheCoreForEver) {
  Driver leader = leader_of(3);
  leader.propose("x");
  leader.step(
      {leader.envelope(2, 2, AppendReply{Index(3), ReadSeq{}}), WriteFailed{leader.state().issued}, Tick{}});
  const auto only_the_fault = [&] {
    const Output& out = leader.out;
    return out.fault == Fault::write_failed && out.messages.empty() && !out.write.seq && out.apply.empty() &&
           out.reads.empty() && out.accepted.empty() && out.rejected.empty() && !out.role && !out.lost_from;
  };
  EXPECT_TRUE(only_the_fault());
  const std::uint64_t frozen = leader.core.hash();
  for (const Input& input : std::vector<Input>{Tick{}, Written{leader.state().issued}, Propose{1, bytes("y")},
                                               leader.envelope(2, 9, Heartbeat{}), Campaign{}}) {
    leader.step(input);
    EXPECT_TRUE(only_the_fault());
    EXPECT_EQ(leader.core.hash(), frozen);
  }
  EXPECT_TRUE(leader.view().faulty);
}

}  // namespace
}  // namespace raftlab::raft::testing
