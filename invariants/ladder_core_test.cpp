#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "invariants/ladder_cores.hpp"

/// The ladder on real cores: what is correct must not break a rung.
namespace raftlab::invariants {
namespace {

raft::Options core_options(bool pre_vote, bool check_quorum) {
  raft::Options options;
  options.election_ticks_min = 10;
  options.heartbeat_ticks = 2;
  options.pre_vote = pre_vote;
  options.check_quorum = check_quorum;
  return options;
}

std::string told(const Ladder& ladder) {
  std::string text;
  for (const Finding& finding : ladder.findings()) {
    text += std::string(info(finding.rung).id) + " at step " + std::to_string(finding.step) + ", n" +
            std::to_string(finding.node.value()) + ": " + finding.text + "\n";
  }
  return text;
}

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
  for (const Rung rung : {Rung::N12, Rung::N13, Rung::N14, Rung::N15, Rung::N16, Rung::N18, Rung::N19, Rung::D2, Rung::D3,
                          Rung::D4, Rung::D7, Rung::D9, Rung::D10, Rung::D11, Rung::D12, Rung::D13, Rung::D14, Rung::D16,
                          Rung::D17, Rung::D21, Rung::R7, Rung::G1, Rung::G3, Rung::G4, Rung::G5, Rung::G7, Rung::G8,
                          Rung::G10, Rung::G14, Rung::E1, Rung::E2, Rung::E4}) {
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
      EXPECT_TRUE(message.entries.append(raft::Term(term), raft::EntryKind::command, std::vector<std::byte>(4)));
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

/// Loss, duplicates, reordering, slow disks, spans of several inputs, power losses: chaos, drawn from the seed.
void chaos(Cores& cores, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    Cores::Node& node = cores.nodes()[cores.draw(cores.nodes().size())];
    if (!node.core) {
      if (cores.draw(40) == 0) cores.start(node);
      continue;
    }
    if (cores.draw(400) == 0) {
      cores.crash(node);
      continue;
    }
    std::vector<raft::Input> inputs;
    const std::uint64_t wanted = 1 + cores.draw(4);
    while (inputs.size() < wanted) {
      const std::uint64_t choice = cores.draw(20);
      if (choice < 3) {
        inputs.emplace_back(raft::Tick{});
      } else if (choice < 5) {
        inputs.emplace_back(raft::Propose{1, std::vector<std::byte>(cores.draw(40), std::byte(cores.draw(256)))});
      } else if (choice < 6) {
        inputs.emplace_back(raft::Read{1});
      } else if (choice < 7) {
        cores.sync(node, 1 + cores.draw(3));
        for (raft::Input& owed : node.inbox) inputs.push_back(std::move(owed));
        node.inbox.clear();
        if (inputs.empty()) inputs.emplace_back(raft::Tick{});
      } else if (choice == 7 && cores.draw(30) == 0) {
        inputs.emplace_back(raft::Unreachable{raft::NodeId(1 + std::uint32_t(cores.draw(cores.nodes().size())))});
      } else {
        // One of the first messages to this node; sometimes it stays and comes again, sometimes it is lost.
        std::vector<raft::Envelope>& queue = cores.messages();
        std::uint64_t skip = cores.draw(6);
        auto at = queue.begin();
        for (auto it = queue.begin(); it != queue.end(); ++it) {
          if (it->to != node.id) continue;
          at = it;
          if (skip-- == 0) break;
        }
        if (at == queue.end() || at->to != node.id) {
          inputs.emplace_back(raft::Tick{});
          continue;
        }
        const std::uint64_t fate = cores.draw(20);
        if (fate != 0) inputs.emplace_back(raft::Receive{*at});
        if (fate != 1) queue.erase(at);
        if (queue.size() > 300) queue.erase(queue.begin(), queue.begin() + 50);
      }
    }
    cores.step(node, inputs);
  }
  cores.finish();
}

/// More seeds for a long run: RAFTLAB_CHAOS_SEEDS=5000.
std::uint64_t first_seed_not_run() {
  const char* wanted = std::getenv("RAFTLAB_CHAOS_SEEDS");
  return 1 + (wanted == nullptr ? 40 : std::strtoull(wanted, nullptr, 10));
}

class LadderInChaos : public testing::TestWithParam<std::uint64_t> {};

TEST_P(LadderInChaos, CorrectCoresBreakNothing) {
  const std::uint64_t seed = GetParam();
  Cores cores(seed % 2 == 0 ? 3 : 5, seed, core_options(seed % 3 != 0, seed % 5 != 0));
  chaos(cores, 6000);
  EXPECT_FALSE(cores.ladder().broken()) << "seed " << seed << "\n" << told(cores.ladder());
}

INSTANTIATE_TEST_SUITE_P(Seeds, LadderInChaos, testing::Range(std::uint64_t{1}, first_seed_not_run()));

TEST(LadderOnCores, ChaosEvaluatesRecoveryAndHistory) {
  std::array<std::uint64_t, rung_count> evaluations{};
  for (std::uint64_t seed = 100; seed < 110; ++seed) {
    Cores cores(3, seed, core_options(seed % 2 == 0, true));
    chaos(cores, 6000);
    EXPECT_FALSE(cores.ladder().broken()) << "seed " << seed << "\n" << told(cores.ladder());
    for (const RungInfo& rung : rungs()) {
      evaluations[static_cast<std::size_t>(rung.rung)] += cores.ladder().evaluations(rung.rung);
    }
  }
  for (const RungInfo& rung : rungs()) {
    // A fault is not part of the chaos.
    if (!rung.active || rung.external || rung.rung == Rung::D19) continue;
    EXPECT_GT(evaluations[static_cast<std::size_t>(rung.rung)], 0U) << rung.id;
  }
}

}  // namespace
}  // namespace raftlab::invariants
