#include "simulator/liveness.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>

namespace raftlab::simulator {
namespace {

using raft::Index;
using raft::LogId;
using raft::Progress;
using raft::ProgressState;
using raft::Role;
using raft::Term;

constexpr std::uint32_t heartbeat_ticks = 5;

/// Three nodes as a judge sees them: n1 leads term 7, the others follow, nothing waits. A test changes what
/// it likes.
class Stub {
 public:
  Stub() {
    for (std::uint32_t id = 1; id <= nodes.size(); ++id) {
      Sighting& node = nodes[id - 1];
      node.node = NodeId(id);
      raft::State& state = node.view.state;
      state.hard.term = Term(7);
      state.leader = NodeId(1);
      state.last = LogId{Term(7), Index(40)};
      state.commit = state.handed = state.applied = state.durable = Index(40);
      state.issued = state.written = raft::WriteSeq(12);
      Progress& peer = peers[id - 1];
      peer.id = NodeId(id);
      peer.state = ProgressState::replicate;
      peer.match = Index(40);
      peer.next = Index(41);
      peer.recently_active = true;
    }
    at(1).view.state.role = Role::leader;
    at(1).view.peers = peers;
  }
  Stub(const Stub&) = delete;
  Stub& operator=(const Stub&) = delete;
  ~Stub() = default;

  Sighting& at(std::uint32_t node) { return nodes[node - 1]; }
  raft::State& state(std::uint32_t node) { return at(node).view.state; }
  /// As it looks to a node that was cut off for a while.
  void cut_off(std::uint32_t node) {
    state(node).leader = NodeId{};
    state(node).role = Role::pre_candidate;
    state(node).elapsed_ticks = 3;
    peers[node - 1].recently_active = false;
  }
  void come_back(std::uint32_t node) {
    state(node).leader = NodeId(1);
    state(node).role = Role::follower;
    peers[node - 1].recently_active = true;
  }

  std::array<Sighting, 3> nodes;
  std::array<Progress, 3> peers;
};

// ---- Who leads --------------------------------------------------------------------------------------------

TEST(LivenessLeader, IsTheOneOfTheGreatestTerm) {
  Stub stub;
  ASSERT_NE(leader_of(stub.nodes), nullptr);
  EXPECT_EQ(leader_of(stub.nodes)->node, NodeId(1));
  stub.state(3).hard.term = Term(8);  // somebody knows of a later term, that nobody leads
  EXPECT_EQ(leader_of(stub.nodes), nullptr);
  stub.state(3).role = Role::leader;
  EXPECT_EQ(leader_of(stub.nodes)->node, NodeId(3));
  stub.at(3).life = Life::down;
  EXPECT_EQ(leader_of(stub.nodes)->node, NodeId(1));
}

// ---- V6 ---------------------------------------------------------------------------------------------------

TEST(NoDisruption, WhoComesBackAndFollowsIsOneEvaluation) {
  Stub stub;
  NoDisruption judge(heartbeat_ticks);
  judge.look(stub.nodes);
  EXPECT_EQ(judge.evaluated(), 0U) << "nobody was away";
  stub.cut_off(3);
  judge.look(stub.nodes);
  judge.look(stub.nodes);
  EXPECT_EQ(judge.evaluated(), 0U);
  stub.come_back(3);
  judge.look(stub.nodes);
  EXPECT_EQ(judge.evaluated(), 1U);
  EXPECT_FALSE(judge.objection());
}

TEST(NoDisruption, WhoRaisesTheTermIsNamed) {
  Stub stub;
  NoDisruption judge(heartbeat_ticks);
  stub.cut_off(3);
  judge.look(stub.nodes);
  stub.state(3).hard.term = Term(8);
  stub.state(3).role = Role::candidate;
  judge.look(stub.nodes);
  ASSERT_TRUE(judge.objection());
  EXPECT_EQ(judge.objection()->node, NodeId(3));
  EXPECT_EQ(
      judge.objection()->what,
      "n3 is in term 8, although a majority heard n1, the leader of term 7, and nobody had a greater term");
}

TEST(NoDisruption, ALeaderThatGivesUpIsNamed) {
  Stub stub;
  NoDisruption judge(heartbeat_ticks);
  stub.cut_off(3);
  judge.look(stub.nodes);
  stub.state(1).role = Role::follower;
  judge.look(stub.nodes);
  ASSERT_TRUE(judge.objection());
  EXPECT_EQ(judge.objection()->node, NodeId(1));
}

/// What a look must show for a rise of the term to be wrong. Each of these is a reason for an election, or
/// hides one.
TEST(NoDisruption, SaysNothingWithoutItsPremise) {
  const std::vector<std::pair<const char*, std::function<void(Stub&)>>> reasons = {
      {"a term above the leader's", [](Stub& stub) { stub.state(3).hard.term = Term(8); }},
      {"no leader", [](Stub& stub) { stub.state(1).role = Role::follower; }},
      {"a majority that has heard nothing of late",
       [](Stub& stub) { stub.state(2).elapsed_ticks = heartbeat_ticks + 3; }},
      {"a leader that has heard nobody of late", [](Stub& stub) { stub.peers[1].recently_active = false; }},
      {"a node whose term is not known", [](Stub& stub) { stub.at(2).life = Life::down; }},
  };
  for (const auto& [reason, happens] : reasons) {
    Stub stub;
    NoDisruption judge(heartbeat_ticks);
    stub.cut_off(3);
    happens(stub);
    judge.look(stub.nodes);
    for (std::uint32_t id = 1; id <= 3; ++id) stub.state(id).hard.term = Term(9);
    judge.look(stub.nodes);
    EXPECT_FALSE(judge.objection()) << reason;
    EXPECT_EQ(judge.evaluated(), 0U) << reason;
  }
}

TEST(NoDisruption, SaysNothingWhenAProcessEndsInBetween) {
  Stub stub;
  NoDisruption judge(heartbeat_ticks);
  stub.cut_off(3);
  judge.look(stub.nodes);
  ++stub.at(1).incarnation;
  stub.state(2).hard.term = Term(8);
  judge.look(stub.nodes);
  EXPECT_FALSE(judge.objection());
}

// ---- V8 ---------------------------------------------------------------------------------------------------

TEST(BackToReplicate, WhoLaggedAndIsSentToAgainIsOneEvaluation) {
  Stub stub;
  BackToReplicate judge;
  stub.peers[2].state = ProgressState::probe;
  judge.look(stub.nodes);  // it has everything: it does not lag
  stub.peers[2].state = ProgressState::replicate;
  judge.conclude(stub.nodes);
  EXPECT_EQ(judge.evaluated(), 0U);
  stub.peers[2].state = ProgressState::probe;
  stub.state(3).last = LogId{Term(6), Index(30)};
  judge.look(stub.nodes);
  EXPECT_FALSE(BackToReplicate::all_replicate(stub.nodes));
  stub.peers[2].state = ProgressState::replicate;
  judge.conclude(stub.nodes);
  EXPECT_EQ(judge.evaluated(), 1U);
  EXPECT_FALSE(judge.objection());
  EXPECT_TRUE(BackToReplicate::all_replicate(stub.nodes));
}

TEST(BackToReplicate, WhoIsStillProbedIsNamed) {
  Stub stub;
  BackToReplicate judge;
  stub.peers[2].state = ProgressState::probe;
  stub.state(3).last = LogId{Term(6), Index(30)};
  judge.look(stub.nodes);
  judge.conclude(stub.nodes);
  ASSERT_TRUE(judge.objection());
  EXPECT_EQ(judge.objection()->node, NodeId(3));
  EXPECT_EQ(judge.objection()->what, "n3 lagged and is still in probe at its leader n1");
}

TEST(BackToReplicate, WhoLaggedAndHasNoLeaderIsNamed) {
  Stub stub;
  BackToReplicate judge;
  stub.peers[1].state = ProgressState::probe;
  stub.state(2).last = LogId{Term(6), Index(30)};
  judge.look(stub.nodes);
  stub.state(1).role = Role::follower;
  judge.conclude(stub.nodes);
  ASSERT_TRUE(judge.objection());
  EXPECT_EQ(judge.objection()->what, "n2 lagged and has no leader that sends to it");
}

TEST(BackToReplicate, WhoRefusedToStartOrLeadsByNowIsNotJudged) {
  Stub stub;
  BackToReplicate judge;
  for (const std::size_t at : {1U, 2U}) {
    stub.peers[at].state = ProgressState::probe;
    stub.nodes[at].view.state.last = LogId{Term(6), Index(30)};
  }
  judge.look(stub.nodes);
  stub.at(3).life = Life::refused;
  stub.state(2).role = Role::leader;
  stub.state(2).hard.term = Term(8);
  stub.at(2).view.peers = stub.peers;
  judge.conclude(stub.nodes);
  EXPECT_FALSE(judge.objection());
  EXPECT_EQ(judge.evaluated(), 1U);
}

TEST(BackToReplicate, AMissingAcknowledgementIsNoEnd) {
  Stub stub;
  EXPECT_TRUE(BackToReplicate::all_replicate(stub.nodes));
  stub.peers[1].match = Index(39);
  EXPECT_FALSE(BackToReplicate::all_replicate(stub.nodes));
}

// ---- V9 ---------------------------------------------------------------------------------------------------

Bounded::Limits small_limits() {
  Bounded::Limits limits;
  limits.core.window_messages = 2;
  limits.core.window_bytes = 1000;
  limits.core.append_bytes_max = 100;
  limits.core.proposal_bytes_max = 50;
  limits.core.uncommitted_bytes_max = 500;
  limits.core.reads_max = 3;
  limits.requests_max = 4;
  return limits;
}

/// What the judge says of a cluster in which one thing is as given; empty when it is content.
std::string objection_to(const std::function<void(Stub&)>& change, bool at_end) {
  Stub stub;
  change(stub);
  Bounded judge(small_limits());
  judge.look(stub.nodes);
  EXPECT_EQ(judge.evaluated(), 3U);
  if (at_end) judge.conclude(stub.nodes);
  EXPECT_TRUE(Bounded::at_rest(stub.nodes) || judge.objection() || !at_end);
  return judge.objection() ? judge.objection()->what : "";
}

TEST(Bounded, EachLimitMayBeReachedAndNotPassed) {
  const std::array<raft::PendingRead, 4> reads{};
  const auto appends = [](Stub& stub, std::size_t count, std::uint32_t bytes) {
    for (std::size_t i = 0; i < count; ++i) stub.peers[1].window.add(Index(40 + i), bytes);
  };
  EXPECT_EQ(objection_to([](Stub&) {}, false), "");
  EXPECT_EQ(objection_to([](Stub& stub) { stub.at(2).waiting = 4; }, false), "");
  EXPECT_EQ(objection_to([](Stub& stub) { stub.at(2).waiting = 5; }, false),
            "n2 holds 5 requests, and 4 is the most");
  EXPECT_EQ(objection_to([&](Stub& stub) { stub.at(1).view.reads = std::span(reads).first(3); }, false), "");
  EXPECT_EQ(objection_to([&](Stub& stub) { stub.at(1).view.reads = reads; }, false),
            "n1 holds 4 pending reads, and 3 is the most");
  EXPECT_EQ(objection_to([](Stub& stub) { stub.at(1).view.uncommitted_bytes = 550; }, false), "");
  EXPECT_EQ(objection_to([](Stub& stub) { stub.at(1).view.uncommitted_bytes = 551; }, false),
            "n1 holds 551 uncommitted bytes, and 550 is the most");
  EXPECT_EQ(objection_to([&](Stub& stub) { appends(stub, 2, 10); }, false), "");
  EXPECT_EQ(objection_to([&](Stub& stub) { appends(stub, 3, 10); }, false),
            "n1 holds 3 appends in flight to one peer, and 2 is the most");
  EXPECT_EQ(objection_to([&](Stub& stub) { appends(stub, 2, 550); }, false), "");
  EXPECT_EQ(objection_to([&](Stub& stub) { appends(stub, 2, 551); }, false),
            "n1 holds 1102 bytes in flight to one peer, and 1100 is the most");
}

TEST(Bounded, NothingIsLeftOverAtRest) {
  const std::array<raft::PendingRead, 1> reads{};
  EXPECT_EQ(objection_to([](Stub&) {}, true), "");
  EXPECT_EQ(objection_to([](Stub& stub) { stub.at(3).view.held = 2; }, true),
            "n3 has 2 messages that wait for the disk left over at rest");
  EXPECT_EQ(objection_to([](Stub& stub) { stub.state(3).issued = raft::WriteSeq(13); }, true),
            "n3 has 1 writes that are not durable left over at rest");
  EXPECT_EQ(objection_to([](Stub& stub) { stub.state(3).commit = stub.state(3).applied = Index(39); }, true),
            "n3 has 1 entries that are not committed left over at rest");
  EXPECT_EQ(objection_to([](Stub& stub) { stub.state(2).applied = Index(38); }, true),
            "n2 has 2 entries that are not applied left over at rest");
  EXPECT_EQ(objection_to([](Stub& stub) { stub.at(1).view.uncommitted_bytes = 7; }, true),
            "n1 has 7 uncommitted bytes left over at rest");
  EXPECT_EQ(objection_to([&](Stub& stub) { stub.at(1).view.reads = reads; }, true),
            "n1 has 1 pending reads left over at rest");
  EXPECT_EQ(objection_to([](Stub& stub) { stub.at(2).waiting = 1; }, true),
            "n2 has 1 unanswered requests left over at rest");
  EXPECT_EQ(objection_to([](Stub& stub) { stub.peers[2].window.add(Index(41), 9); }, true),
            "n1 has 1 appends in flight to one peer left over at rest");
}

TEST(Bounded, WhoIsDownHoldsNothing) {
  Stub stub;
  stub.at(2).waiting = 99;
  stub.at(2).life = Life::refused;
  Bounded judge(small_limits());
  judge.look(stub.nodes);
  judge.conclude(stub.nodes);
  EXPECT_EQ(judge.evaluated(), 2U);
  EXPECT_FALSE(judge.objection());
}

}  // namespace
}  // namespace raftlab::simulator
