#include "invariants/ladder_cores.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

/// The ladder on real cores: what is correct must not break a rung.
namespace raftlab::invariants {
namespace {

/// Delivers everything in order until nothing is on its way.
void deliver_all(Cores& cores) {
  bool busy = true;
  while (busy) {
    busy = false;
    for (Cores::Node& node : cores.nodes()) {
      cores.sync(node, SIZE_MAX);
      busy = busy || !node.inbox.empty();
      cores.settle(node);
    }
    std::vector<raft::Envelope> messages;
    std::swap(messages, cores.messages());
    for (raft::Envelope& envelope : messages) {
      busy = true;
      Cores::Node& node = cores.nodes()[envelope.to.value() - 1];
      cores.step(node, raft::Receive{std::move(envelope)});
    }
  }
}

TEST(LadderOnCores, ACorrectRunWithoutFaultsBreaksNothing) {
  Cores cores(3, 1, core_options(true, true));
  for (int tick = 0; tick < 400; ++tick) {
    for (Cores::Node& node : cores.nodes()) cores.step(node, raft::Tick{});
    deliver_all(cores);
    if (Cores::Node* leader = cores.leader()) {
      cores.step(*leader, raft::Propose{std::uint64_t(tick), std::vector<std::byte>(16)});
      cores.step(*leader, raft::Read{std::uint64_t(tick)});
      deliver_all(cores);
    }
  }
  cores.finish();
  EXPECT_FALSE(cores.ladder().broken()) << told(cores.ladder());
  ASSERT_NE(cores.leader(), nullptr);
  EXPECT_GT(cores.leader()->core->view().state.commit, raft::Index(300));
  for (const Rung rung :
       {Rung::N12, Rung::N13, Rung::N14, Rung::N15, Rung::N16, Rung::N18, Rung::N19, Rung::D2,
        Rung::D3,  Rung::D4,  Rung::D7,  Rung::D9,  Rung::D10, Rung::D11, Rung::D12, Rung::D13,
        Rung::D14, Rung::D16, Rung::D17, Rung::D21, Rung::R7,  Rung::G1,  Rung::G3,  Rung::G4,
        Rung::G5,  Rung::G7,  Rung::G8,  Rung::G10, Rung::G14, Rung::E1,  Rung::E2,  Rung::E4}) {
    EXPECT_GT(cores.ladder().evaluations(rung), 0U) << info(rung).id;
  }
}

TEST(LadderOnCores, ASingleVoterBreaksNothing) {
  Cores cores(1, 7, core_options(true, true));
  for (int tick = 0; tick < 60; ++tick) {
    cores.step(cores.nodes()[0], raft::Tick{});
    if (cores.leader() != nullptr) cores.step(cores.nodes()[0], raft::Propose{1, std::vector<std::byte>(3)});
    if (cores.draw(3) == 0) deliver_all(cores);
  }
  deliver_all(cores);
  cores.finish();
  EXPECT_FALSE(cores.ladder().broken()) << told(cores.ladder());
  EXPECT_NE(cores.leader(), nullptr);
}

/// Entries that one input of a span appends and a later one takes away again are seen by nobody.
TEST(LadderOnCores, ASpanThatAppendsAndTruncatesBreaksNothing) {
  Cores cores(3, 3, core_options(false, true));
  Cores::Node& node = cores.nodes()[1];
  cores.sync(node, SIZE_MAX);
  cores.settle(node);
  const auto append = [](std::uint32_t from, std::uint64_t term, std::size_t entries) {
    raft::AppendEntries message{{raft::Term(1), raft::Index(1)}, {}, {}, {}};
    message.entries = raft::Slice::make(raft::Index(2), 8, 64);
    for (std::size_t at = 0; at < entries; ++at) {
      EXPECT_TRUE(
          message.entries.append(raft::Term(term), raft::EntryKind::command, std::vector<std::byte>(4)));
    }
    return raft::Receive{{raft::NodeId(from), raft::NodeId(2), raft::Term(term), message}};
  };
  cores.step(node, std::vector<raft::Input>{append(1, 2, 3), append(3, 3, 1), raft::Tick{}, append(1, 4, 2)});
  cores.sync(node, SIZE_MAX);
  cores.settle(node);
  EXPECT_EQ(node.core->view().state.last, (raft::LogId{raft::Term(4), raft::Index(3)}));
  cores.finish();
  EXPECT_FALSE(cores.ladder().broken()) << told(cores.ladder());
  EXPECT_EQ(cores.ladder().evaluations(Rung::D8), 2U);
}

raft::Receive append_from(std::uint32_t from, std::uint64_t term, std::size_t entries) {
  raft::AppendEntries message{{raft::Term(1), raft::Index(1)}, {}, {}, {}};
  message.entries = raft::Slice::make(raft::Index(2), 8, 64);
  for (std::size_t at = 0; at < entries; ++at) {
    EXPECT_TRUE(
        message.entries.append(raft::Term(term), raft::EntryKind::command, std::vector<std::byte>(4)));
  }
  return raft::Receive{{raft::NodeId(from), raft::NodeId(1), raft::Term(term), message}};
}

/// N18: one completion covers the vote and a truncation that came after it. What the requests would advertise is gone.
TEST(LadderOnCores, AFormerCandidateDoesNotAdvertiseALogThatItHasLostSince) {
  Cores cores(3, 3, core_options(false, false));
  Cores::Node& node = cores.nodes()[0];
  const auto settle = [&] {
    cores.sync(node, SIZE_MAX);
    cores.settle(node);
  };
  settle();
  cores.step(node, append_from(2, 2, 2));
  settle();
  cores.messages().clear();
  cores.step(node, raft::Campaign{});
  cores.step(node, append_from(3, 3, 1));
  EXPECT_TRUE(cores.messages().empty());
  settle();
  const auto advertises = [](const raft::Envelope& envelope) {
    return std::holds_alternative<raft::RequestVote>(envelope.message);
  };
  EXPECT_EQ(std::count_if(cores.messages().begin(), cores.messages().end(), advertises), 0);
  EXPECT_EQ(node.core->view().state.last, (raft::LogId{raft::Term(3), raft::Index(2)}));
  EXPECT_FALSE(cores.ladder().broken()) << told(cores.ladder());
}

/// A leader's change that the same span takes away again, after something was committed by it.
TEST(LadderOnCores, ASpanThatCommitsByAConfigurationAndLosesItBreaksNothing) {
  Cores cores(3, 3, core_options(true, true));
  for (int tick = 0; tick < 60 && cores.leader() == nullptr; ++tick) {
    for (Cores::Node& node : cores.nodes()) cores.step(node, raft::Tick{});
    deliver_all(cores);
  }
  ASSERT_NE(cores.leader(), nullptr);
  Cores::Node& leader = *cores.leader();
  const raft::Term term = leader.core->view().state.hard.term;
  const raft::Index proposed = leader.core->view().state.last.index.next();
  cores.step(leader, raft::Propose{1, std::vector<std::byte>(8)});
  cores.sync(leader, SIZE_MAX);
  cores.settle(leader);
  const raft::NodeId follower(leader.id == raft::NodeId(1) ? 2 : 1);
  const raft::NodeId third(6 - leader.id.value() - follower.value());
  cores.messages().clear();

  raft::Configuration target;
  for (const raft::NodeId id : {std::min(leader.id, follower), std::max(leader.id, follower)}) {
    target.voters.push_back(id);
    target.members.push_back({id, "n" + std::to_string(id.value()), ""});
  }
  raft::AppendEntries append{{term, proposed}, {}, {}, raft::Slice::make(proposed.next(), 1, 8)};
  ASSERT_TRUE(append.entries.append(term.next(), raft::EntryKind::noop, {}));
  // The follower holds the proposal: as if its copy had come another way.
  raft::AppendEntries copy{{leader.core->view().log->term_at(proposed.previous()), proposed.previous()},
                           {},
                           {},
                           leader.core->view().log->slice_from(proposed, 100)};
  Cores::Node& holder = cores.nodes()[follower.value() - 1];
  cores.step(holder, raft::Receive{{leader.id, follower, term, copy}});
  cores.sync(holder, SIZE_MAX);
  cores.settle(holder);
  cores.messages().clear();

  cores.step(leader, std::vector<raft::Input>{
                         raft::ProposeConfiguration{Cores::change_tag, target, false},
                         raft::Receive{{follower, leader.id, term, raft::AppendReply{proposed, {}}}},
                         raft::Receive{{third, leader.id, term.next(), append}}});
  EXPECT_EQ(leader.core->view().state.commit, proposed);
  EXPECT_EQ(leader.core->view().state.last, (raft::LogId{term.next(), proposed.next()}));
  EXPECT_EQ(cores.changes(), 1U);
  EXPECT_FALSE(cores.ladder().broken()) << told(cores.ladder());
}

/// The correction of D14: a span holds one PreVote twice, before and after the tick that ends the lease.
TEST(LadderOnCores, ASpanMayRefuseAPreVoteAndGrantItsDuplicate) {
  Cores cores(3, 3, core_options(true, true));
  Cores::Node& node = cores.nodes()[0];
  cores.sync(node, SIZE_MAX);
  cores.settle(node);
  cores.step(node, append_from(2, 2, 1));
  cores.sync(node, SIZE_MAX);
  cores.settle(node);
  cores.messages().clear();
  for (int tick = 0; tick < 9; ++tick) cores.step(node, raft::Tick{});
  const raft::RequestVote request{{raft::Term(2), raft::Index(2)}, true, false};
  const raft::Receive pre_vote{{raft::NodeId(3), raft::NodeId(1), raft::Term(3), request}};
  cores.step(node, std::vector<raft::Input>{pre_vote, raft::Tick{}, pre_vote});
  const auto granted = [](const raft::Envelope& envelope) {
    const auto* reply = std::get_if<raft::VoteReply>(&envelope.message);
    return reply != nullptr && reply->pre && reply->granted;
  };
  EXPECT_EQ(std::count_if(cores.messages().begin(), cores.messages().end(), granted), 1);
  EXPECT_FALSE(cores.ladder().broken()) << told(cores.ladder());
}

}  // namespace
}  // namespace raftlab::invariants
