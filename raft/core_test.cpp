#include "raft/core.hpp"

#include "raft/core_fixture.hpp"

#include <gtest/gtest.h>

#include <set>

/// The core as a regular value: copied, compared, hashed (D20), and its account of what a step changed.
namespace raftlab::raft::testing {
namespace {

TEST(CoreValue, ACopyIsEqualAndHashesEqually) {
  Driver leader = leader_of(3);
  leader.propose("x");
  const Core copy = leader.core;
  EXPECT_EQ(copy, leader.core);
  EXPECT_EQ(copy.hash(), leader.core.hash());
  EXPECT_EQ(copy.fingerprint(), leader.core.fingerprint());
}

TEST(CoreValue, ACopyGoesItsOwnWay) {
  Driver leader = leader_of(3);
  Driver copy = leader;
  leader.propose("mine");
  copy.propose("yours");
  EXPECT_NE(copy.core, leader.core);
  EXPECT_NE(copy.core.hash(), leader.core.hash());
  EXPECT_EQ(text(leader.log().entry(Index(3)).payload), "mine");
  EXPECT_EQ(text(copy.log().entry(Index(3)).payload), "yours");
}

TEST(CoreValue, ACopyThatSharesItsBlocksSendsTheSameMessages) {
  Driver leader = leader_of(3);
  leader.step(Unreachable{node(3)});
  for (int i = 0; i < 5; ++i) leader.propose("before");
  Driver copy = leader;
  for (int i = 0; i < 5; ++i) {
    leader.propose("after");
    copy.propose("after");
    EXPECT_EQ(copy.sent, leader.sent);
    EXPECT_EQ(copy.out.write.entries, leader.out.write.entries);
  }
  leader.receive(3, 2, AppendReply{Index(2), ReadSeq{}});
  copy.receive(3, 2, AppendReply{Index(2), ReadSeq{}});
  EXPECT_FALSE(leader.sent.empty());
  EXPECT_EQ(copy.sent, leader.sent) << "wherever the blocks end";
  EXPECT_EQ(copy.core, leader.core);
}

TEST(CoreValue, OptionsArePartOfTheValue) {
  Options other = plain();
  other.limits.reads_max = 1;
  EXPECT_NE(settled(plain(), recovered(3)).core, settled(other, recovered(3)).core);
}

TEST(CoreHash, TellsGrantedVotesFromRefusedOnes) {
  Driver node3 = settled(guarded(3), recovered(7));
  node3.time_out();
  ASSERT_EQ(node3.state().role, Role::pre_candidate);
  Driver granted = node3;
  granted.receive(2, 2, VoteReply{true, true});
  granted.receive(1, 2, VoteReply{true, true});
  Driver refused = node3;
  refused.receive(2, 1, VoteReply{true, false});
  EXPECT_NE(granted.core, refused.core);
  EXPECT_NE(granted.core.hash(), refused.core.hash());
}

TEST(CoreHash, TellsWindowsApartThatHoldAsManyBytes) {
  const auto with_flights = [](std::uint64_t first_batch) {
    Driver leader = leader_of(3);
    std::vector<Input> batch(first_batch, Propose{1, bytes("x")});
    leader.step(batch);
    batch.resize(3 - first_batch, Propose{1, bytes("x")});
    leader.step(batch);
    leader.settle();
    return leader;
  };
  const Driver one_two = with_flights(1);
  const Driver two_one = with_flights(2);
  ASSERT_EQ(one_two.peer(2).window.bytes(), two_one.peer(2).window.bytes());
  ASSERT_EQ(one_two.state().written, two_one.state().written);
  EXPECT_NE(one_two.core, two_one.core);
  EXPECT_NE(one_two.core.hash(), two_one.core.hash());
}

TEST(CoreHash, ChangesWithEveryKindOfStep) {
  Driver leader = leader_of(3);
  std::set<std::uint64_t> hashes = {leader.core.hash()};
  const auto changes = [&](const Input& input) {
    leader.step(input);
    return hashes.insert(leader.core.hash()).second;
  };
  EXPECT_TRUE(changes(Tick{}));
  EXPECT_TRUE(changes(Propose{1, bytes("x")}));
  EXPECT_TRUE(changes(Propose{1, bytes("y")}));
  EXPECT_TRUE(changes(Read{1}));
  EXPECT_TRUE(changes(leader.envelope(2, 2, HeartbeatReply{ReadSeq(1)})));
  EXPECT_TRUE(changes(Written{leader.state().issued}));
  EXPECT_TRUE(changes(leader.envelope(2, 2, AppendReply{Index(3), ReadSeq{}})));
  EXPECT_TRUE(changes(Applied{Index(1)}));
  EXPECT_TRUE(changes(Unreachable{node(3)}));
  EXPECT_TRUE(changes(leader.envelope(3, 9, Heartbeat{})));
}

TEST(Bootstrap, StartsWithTheConfigurationAsEntryOne) {
  const Driver driver = settled(plain(), bootstrap(voters_up_to(3)));
  EXPECT_EQ(driver.state().last, id(1, 1));
  EXPECT_EQ(driver.log().entry(Index(1)).kind, EntryKind::configuration);
  EXPECT_EQ(driver.view().configurations.back().index, Index(1));
  EXPECT_EQ(driver.view().configurations.back().configuration, voters_up_to(3));
}

TEST(Output, OfTheLastStepIsGoneInTheNext) {
  Driver leader = leader_of(3);
  leader.step({Propose{1, bytes("x")}, Read{2}, Tick{}});
  leader.step(std::vector<Input>{});
  EXPECT_TRUE(leader.out.messages.empty());
  EXPECT_TRUE(leader.out.accepted.empty());
  EXPECT_FALSE(leader.out.write.seq);
  EXPECT_TRUE(leader.out.write.entries.empty());
}

TEST(RoleChange, IsReportedWhenRoleTermOrLeaderAreNew) {
  Driver follower = settled(plain(), recovered(3));
  follower.receive(2, 1, Heartbeat{});
  ASSERT_TRUE(follower.out.role) << "a leader is known now";
  EXPECT_EQ(follower.out.role->leader, node(2));
  follower.receive(2, 1, Heartbeat{});
  EXPECT_FALSE(follower.out.role);
  follower.receive(3, 2, RequestVote{id(1, 1)});
  ASSERT_TRUE(follower.out.role);
  EXPECT_EQ(follower.out.role->term, Term(2));
  EXPECT_EQ(follower.out.role->leader, NodeId{});
}

TEST(Deltas, ThereIsOneForEachInputAndOneForTheFlush) {
  Driver follower = settled(plain(), recovered(3, {1, 1}));
  follower.out.trace = true;
  follower.step({Tick{}, follower.envelope(2, 2, AppendEntries{id(1, 1), {}, {}, entries(2, {2})}),
                 follower.envelope(2, 2, AppendEntries{id(2, 2), Index(2), {}, entries(3, {2})})});
  ASSERT_EQ(follower.out.deltas.size(), 4U);
  const std::vector<Delta>& deltas = follower.out.deltas;
  EXPECT_EQ(deltas[0].after.elapsed_ticks, 1U);
  EXPECT_EQ(deltas[1].truncated_from, Index(2));
  EXPECT_EQ(deltas[1].appended_from, Index(2));
  EXPECT_EQ(deltas[2].truncated_from, Index{});
  EXPECT_EQ(deltas[2].appended_from, Index(3));
  EXPECT_EQ(deltas[2].after.commit, Index(2));
  EXPECT_EQ(deltas[3].input, 3U);
  EXPECT_EQ(deltas[3].after, follower.state());
}

TEST(Deltas, NameTheConfigurationByWhichALeaderCommitted) {
  Driver leader = leader_of(3);
  leader.out.trace = true;
  leader.propose("x");
  leader.step({leader.envelope(2, 2, AppendReply{Index(3), ReadSeq{}}),
               leader.envelope(3, 2, AppendReply{Index(3), ReadSeq{}}), Tick{}});
  ASSERT_EQ(leader.out.deltas.size(), 4U);
  EXPECT_EQ(leader.out.deltas[0].commit_configuration, std::nullopt);
  EXPECT_EQ(leader.out.deltas[1].commit_configuration, Index(1));
  EXPECT_EQ(leader.out.deltas[2].commit_configuration, std::nullopt);
}

}  // namespace
}  // namespace raftlab::raft::testing
