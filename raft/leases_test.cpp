#include "raft/core_fixture.hpp"

#include <gtest/gtest.h>

namespace raftlab::raft::testing {
namespace {

constexpr std::uint32_t election = 15;
constexpr std::uint32_t heartbeat = 5;

Options leased(std::uint32_t drift_ppm = 0) {
  Options options = guarded();
  options.lease_drift_ppm = drift_ppm;
  return options;
}

/// A leader that has applied what it committed, and has heard nothing since its election.
Driver reader(std::uint32_t nodes = 3, const Options& options = leased()) {
  Driver leader(options, recovered(nodes));
  leader.settle();
  leader.tick(2 * election);  // no promise is left
  if (leader.state().role != Role::leader) {
    leader.lead();
    for (std::uint32_t peer = 2; peer <= nodes; ++peer) leader.acknowledge_all(peer);
  }
  leader.step(Applied{leader.state().handed});
  return leader;
}

ReadSeq beat(Driver& leader) {
  leader.tick(heartbeat);
  EXPECT_FALSE(leader.all<Heartbeat>().empty());
  return leader.state().read_issued;
}

void answer(Driver& leader, std::uint32_t from, ReadSeq round) {
  leader.receive(from, leader.state().hard.term.value(), HeartbeatReply{round});
}

/// True when the read is served without a round of its own.
bool serves(Driver& leader) {
  Core before = leader.core;
  leader.step(Read{1, ReadMode::lease});
  const bool served = leader.out.reads.size() == 1;
  EXPECT_EQ(served, leader.view().reads.empty()) << "otherwise it waits for a round";
  leader.core = before;
  return served;
}

TEST(Lease, ServesAReadWithoutARound) {
  Driver leader = reader();
  EXPECT_FALSE(serves(leader)) << "no quorum has answered a round of this term";
  const ReadSeq round = beat(leader);
  answer(leader, 2, round);
  EXPECT_TRUE(serves(leader));
  leader.step(Read{1});
  EXPECT_TRUE(leader.out.reads.empty()) << "who does not ask for it is not given it";
}

TEST(Lease, ReadsWhatIsCommittedAndWaitsForTheStateMachine) {
  Driver leader = reader();
  answer(leader, 2, beat(leader));
  leader.propose("x");
  leader.settle();
  leader.receive(2, leader.state().hard.term.value(), AppendReply{Index(3), leader.state().read_issued});
  ASSERT_EQ(leader.state().commit, Index(3));
  leader.step(Read{1, ReadMode::lease});
  EXPECT_TRUE(leader.out.reads.empty());
  EXPECT_TRUE(leader.sent.empty());
  leader.step(Applied{Index(3)});
  ASSERT_EQ(leader.out.reads.size(), 1U);
  EXPECT_EQ(leader.out.reads.front().index, Index(3));
}

/// E = 15 without drift: a round of tick s carries reads of the ticks s to s + 13.
TEST(Lease, CountsFromTheSendingOfTheRoundAndEndsATickBeforeThePromises) {
  Driver leader = reader();
  const ReadSeq round = beat(leader);
  leader.tick(4);
  answer(leader, 2, round);
  leader.tick(9);
  EXPECT_TRUE(serves(leader)) << "13 ticks after it was sent";
  leader.tick(1);
  EXPECT_FALSE(serves(leader)) << "14 ticks after it was sent, 10 after it was answered";
}

TEST(Lease, IsShorterByTheDrift) {
  for (const auto& [ppm, last] : {std::pair{0U, 13U}, std::pair{1U, 12U}, std::pair{76'000U, 12U},
                                  std::pair{77'000U, 11U}, std::pair{1'000'000U, 6U}}) {
    Driver leader = reader(3, leased(ppm));
    answer(leader, 2, beat(leader));
    leader.tick(last);
    EXPECT_TRUE(serves(leader)) << ppm;
    leader.tick(1);
    EXPECT_FALSE(serves(leader)) << ppm;
  }
}

TEST(Lease, ALateAnswerToAnOldRoundRenewsNothing) {
  Driver leader = reader();
  const ReadSeq old = beat(leader);
  for (int i = 0; i < 2; ++i) {  // it would step down if it heard nothing at all
    beat(leader);
    answer(leader, 2, old);
  }
  leader.tick(4);
  answer(leader, 3, old);
  EXPECT_FALSE(serves(leader));
}

TEST(Lease, NeedsAQuorum) {
  Driver leader = reader(5);
  const ReadSeq round = beat(leader);
  answer(leader, 2, round);
  answer(leader, 2, round);
  EXPECT_FALSE(serves(leader));
  answer(leader, 3, round);
  EXPECT_TRUE(serves(leader));
}

TEST(Lease, NeedsBothHalvesOfAJointConfiguration) {
  Driver leader = reader(3);
  leader.step(ProposeConfiguration{1, Configuration{{{node(1), "", ""}, {node(4), "", ""}, {node(5), "", ""}},
                                                    {node(1), node(4), node(5)},
                                                    {},
                                                    {},
                                                    {}}});
  ASSERT_TRUE(leader.out.rejected.empty());
  ASSERT_TRUE(leader.view().configurations.back().configuration.joint());
  const ReadSeq round = beat(leader);
  answer(leader, 2, round);
  EXPECT_FALSE(serves(leader)) << "the old half only";
  answer(leader, 4, round);
  EXPECT_TRUE(serves(leader));
}

TEST(Lease, OfTheOldHalfDoesNotOutliveTheChange) {
  Driver leader = reader(3);
  answer(leader, 2, beat(leader));
  ASSERT_TRUE(serves(leader));
  leader.step(ProposeConfiguration{1, Configuration{{{node(1), "", ""}, {node(4), "", ""}, {node(5), "", ""}},
                                                    {node(1), node(4), node(5)},
                                                    {},
                                                    {},
                                                    {}}});
  ASSERT_TRUE(leader.out.rejected.empty());
  EXPECT_FALSE(serves(leader)) << "nobody of the new half has promised anything";
}

TEST(Lease, NeedsAnEntryOfTheTermThatIsCommitted) {
  Driver leader(leased(), recovered(3));
  leader.settle();
  leader.tick(2 * election);
  leader.lead();
  answer(leader, 2, beat(leader));
  leader.step(Read{1, ReadMode::lease});
  ASSERT_EQ(leader.out.rejected.size(), 1U);
  EXPECT_EQ(leader.out.rejected.front().reason, Rejection::not_ready);
}

TEST(Lease, IsNotUsedWithoutTheOptionOrWithoutCheckQuorum) {
  Options without_check = leased();
  without_check.check_quorum = false;
  for (const Options& options : {guarded(), without_check}) {
    Driver leader = leader_of(3, options);
    leader.step(Applied{leader.state().handed});
    leader.tick(heartbeat);
    leader.step(Read{1, ReadMode::lease});
    ASSERT_EQ(leader.all<Heartbeat>().size(), 2U) << "a round is begun instead";
    const ReadSeq round = leader.state().read_issued;
    answer(leader, 2, round);
    EXPECT_EQ(leader.out.reads.size(), 1U);
    leader.step(Read{2, ReadMode::lease});
    EXPECT_TRUE(leader.out.reads.empty());
  }
}

TEST(Lease, EndsForTheTermWithTimeoutNow) {
  Driver leader = reader();
  answer(leader, 2, beat(leader));
  ASSERT_TRUE(serves(leader));
  leader.step(Transfer{9, node(3)});
  ASSERT_TRUE(leader.one<TimeoutNow>(3));
  EXPECT_FALSE(serves(leader));
  for (std::uint32_t tick = 0; tick < election; tick += heartbeat) answer(leader, 2, beat(leader));
  ASSERT_FALSE(leader.view().transferee) << "given up";
  EXPECT_FALSE(serves(leader)) << "the target may stand all the same";
}

TEST(Lease, GoesOnWhileATransferHasNotToldItsTarget) {
  Driver leader = reader();
  answer(leader, 2, beat(leader));
  leader.propose("x");
  leader.step(Transfer{9, node(3)});
  ASSERT_TRUE(leader.all<TimeoutNow>().empty()) << "the target lacks an entry";
  EXPECT_TRUE(serves(leader));
}

TEST(Lease, OfTheOnlyVoterIsItsOwn) {
  Driver leader = reader(1);
  ASSERT_EQ(leader.state().role, Role::leader);
  EXPECT_TRUE(serves(leader));
}

TEST(Lease, AtAFollowerIsForwarded) {
  Driver follower = settled(leased(), recovered(3));
  follower.receive(2, 2, Heartbeat{});
  follower.step(Read{1, ReadMode::lease});
  EXPECT_TRUE(follower.one<ReadIndex>(2));
}

TEST(Lease, RemembersOneMarkForEachTickAndNoneThatIsTooOld) {
  Driver leader = reader();
  for (int i = 0; i < 50; ++i) {
    leader.step(Read{1});
    answer(leader, 2, leader.state().read_issued);
    leader.step(Read{1});
    answer(leader, 3, leader.state().read_issued);
    leader.tick();
    answer(leader, 2, leader.state().read_issued);
  }
  EXPECT_TRUE(serves(leader));
  EXPECT_EQ(leader.view().reads.size(), 0U);
}

TEST(Lease, IsPartOfTheCoresValue) {
  Driver leader = reader();
  const Core before = leader.core;
  leader.tick(1);
  EXPECT_NE(before.hash(), leader.core.hash());
  answer(leader, 2, beat(leader));
  const Core leased_core = leader.core;
  leader.step(Transfer{9, node(3)});
  EXPECT_NE(leased_core, leader.core);
  EXPECT_NE(leased_core.hash(), leader.core.hash());
}

// ---- The promise -----------------------------------------------------------------------------------------------

/// Node 1 has kept quiet for long enough, and hears node 2 lead term 2.
Driver voter(const Options& options = leased()) {
  Driver voter = settled(options, recovered(3));
  while (voter.state().elapsed_ticks + 1 < voter.state().deadline_ticks) voter.tick();
  voter.receive(2, 2, Heartbeat{});
  for (std::uint32_t tick = 0; tick < 2 * election; ++tick) {
    voter.tick();
    voter.receive(2, 2, Heartbeat{});
  }
  voter.settle();
  voter.sent.clear();
  return voter;
}

bool grants(Driver& voter, std::uint64_t term, bool transfer = false, bool pre = false) {
  voter.exchange(3, term, RequestVote{id(9, 99), pre, transfer});
  const auto reply = voter.one<VoteReply>(3);
  return reply && reply->granted;
}

TEST(Promise, HoldsForAnElectionTimeoutInWhateverTerm) {
  Driver early = voter();
  early.receive(3, 5, AppendReply{Index(1), ReadSeq{}});  // it learns of a term, and forgets its leader
  ASSERT_EQ(early.state().hard.term, Term(5));
  ASSERT_FALSE(early.state().leader);
  early.tick(election - 1);
  EXPECT_FALSE(grants(early, 5));
  EXPECT_FALSE(grants(early, 6));
  EXPECT_EQ(early.state().hard.term, Term(5));
  EXPECT_FALSE(grants(early, 6, false, true));
  early.tick(1);
  EXPECT_TRUE(grants(early, 6));
}

TEST(Promise, DoesNotBindAgainstACandidateThatTheLeaderSent) {
  Driver asked = voter();
  EXPECT_TRUE(grants(asked, 3, true));
}

TEST(Promise, IsNotMadeWithoutLeases) {
  Driver plain_voter = voter(guarded());
  plain_voter.receive(3, 5, AppendReply{Index(1), ReadSeq{}});
  EXPECT_TRUE(grants(plain_voter, 5));
}

TEST(Promise, KeepsANodeFromStandingOnRequest) {
  Driver asked = voter();
  asked.step(Campaign{});
  EXPECT_EQ(asked.state().role, Role::follower);
  EXPECT_TRUE(asked.sent.empty());
}

TEST(Promise, OfAnEarlierLifeIsKeptForALongestElectionTimeout) {
  for (const bool leases : {true, false}) {
    Driver restarted = settled(leases ? leased() : guarded(), recovered(3));
    EXPECT_EQ(grants(restarted, 2), !leases);
  }
  Driver restarted = settled(leased(), recovered(3));
  for (std::uint32_t tick = 1; tick < 2 * election; ++tick) {
    restarted.tick();
    ASSERT_FALSE(grants(restarted, 90)) << tick;
  }
  restarted.tick();
  EXPECT_TRUE(grants(restarted, 90));
  Driver by_transfer = settled(leased(), recovered(3));
  EXPECT_TRUE(grants(by_transfer, 2, true));
}

TEST(Promise, IsPartOfTheCoresValue) {
  Driver long_ago = voter();
  Core before = long_ago.core;
  long_ago.step(Tick{});
  long_ago.receive(3, 5, AppendReply{Index(1), ReadSeq{}});
  Driver just_now(leased(), recovered(3));
  just_now.core = before;
  just_now.receive(3, 5, AppendReply{Index(1), ReadSeq{}});
  EXPECT_EQ(long_ago.state(), just_now.state());
  EXPECT_NE(long_ago.core, just_now.core);
  EXPECT_NE(long_ago.core.hash(), just_now.core.hash());
}

}  // namespace
}  // namespace raftlab::raft::testing
