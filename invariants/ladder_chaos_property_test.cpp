#include "invariants/ladder_cores.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <vector>

/// The ladder on real cores under faults: what is correct must not break a rung, and every rung must be evaluated.
namespace raftlab::invariants {
namespace {

/// Any set of voters, and of the others any learners.
raft::Configuration any_configuration(Cores& cores) {
  raft::Configuration target;
  for (const Cores::Node& node : cores.nodes()) {
    const std::uint64_t part = cores.draw(5);
    if (part < 3) target.voters.push_back(node.id);
    if (part == 3) target.learners.push_back(node.id);
    if (part < 4) target.members.push_back(raft::Member{node.id, "n" + std::to_string(node.id.value()), ""});
  }
  return target;  // without voters now and then: that is refused
}

/// What an operator asks of a leader, or of who has just led: a change of the members, or a transfer.
raft::Input operation(Cores& cores) {
  if (cores.draw(3) == 0)
    return raft::Transfer{3, raft::NodeId(1 + std::uint32_t(cores.draw(cores.nodes().size())))};
  return raft::ProposeConfiguration{Cores::change_tag, any_configuration(cores), cores.draw(4) != 0};
}

/// Loss, duplicates, reordering, slow disks, spans of several inputs, power losses: chaos, drawn from the
/// seed. With `snapshots`, each node takes one every so many rounds of its own; with `operations`, each is
/// asked to change the members or to hand over about that often.
void chaos(Cores& cores, int rounds, std::uint64_t snapshots = 0, std::uint64_t operations = 0) {
  std::uint64_t reads = 0;
  for (int round = 0; round < rounds; ++round) {
    // Who leads is asked more often than others, because they refuse.
    const bool asked = operations != 0 && cores.draw(operations) == 0;
    Cores::Node* leader = asked ? cores.leader() : nullptr;
    Cores::Node& node = leader != nullptr ? *leader : cores.nodes()[cores.draw(cores.nodes().size())];
    if (!node.core) {
      if (cores.draw(40) == 0) cores.start(node);
      continue;
    }
    if (cores.draw(400) == 0) {
      cores.crash(node);
      continue;
    }
    if (snapshots != 0 && cores.draw(snapshots) == 0) cores.take_snapshot(node);
    std::vector<raft::Input> inputs;
    const std::uint64_t wanted = 1 + cores.draw(4);
    if (asked) inputs.push_back(operation(cores));
    while (inputs.size() < wanted) {
      const std::uint64_t choice = cores.draw(20);
      if (choice < 3) {
        inputs.emplace_back(raft::Tick{});
      } else if (choice < 5) {
        inputs.emplace_back(
            raft::Propose{1, std::vector<std::byte>(cores.draw(40), std::byte(cores.draw(256)))});
      } else if (choice < 6) {
        inputs.emplace_back(raft::Read{++reads});
      } else if (choice < 7) {
        cores.sync(node, 1 + cores.draw(3));
        for (raft::Input& owed : node.inbox) inputs.push_back(std::move(owed));
        node.inbox.clear();
        if (inputs.empty()) inputs.emplace_back(raft::Tick{});
      } else if (choice == 7 && cores.draw(30) == 0) {
        inputs.emplace_back(
            raft::Unreachable{raft::NodeId(1 + std::uint32_t(cores.draw(cores.nodes().size())))});
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

/// Everything arrives, and every node takes snapshots.
void calm(Cores& cores) {
  for (int round = 0; round < 200; ++round) {
    for (Cores::Node& node : cores.nodes()) {
      if (round % 4 == 0) cores.step(node, raft::Tick{});
      if (round % 20 == 19) cores.take_snapshot(node);
      cores.sync(node, SIZE_MAX);
      cores.settle(node);
    }
    if (Cores::Node* leader = cores.leader())
      cores.step(*leader, raft::Propose{1, std::vector<std::byte>(8)});
    std::vector<raft::Envelope> messages;
    std::swap(messages, cores.messages());
    for (raft::Envelope& envelope : messages) {
      Cores::Node& node = cores.nodes()[envelope.to.value() - 1];
      cores.step(node, raft::Receive{std::move(envelope)});
    }
  }
}

/// More seeds for a long run: RAFTLAB_CHAOS_SEEDS=5000.
std::uint64_t first_seed_not_run() {
  const char* wanted = std::getenv("RAFTLAB_CHAOS_SEEDS");
  return 1 + (wanted == nullptr ? 40 : std::strtoull(wanted, nullptr, 10));
}

class LadderInChaos : public testing::TestWithParam<std::uint64_t> {};

TEST_P(LadderInChaos, CorrectCoresBreakNothing) {
  const std::uint64_t seed = GetParam();
  Cores cores(static_cast<std::uint32_t>(3 + seed % 3), seed, core_options(seed % 3 != 0, seed % 5 != 0));
  chaos(cores, 6000);
  EXPECT_FALSE(cores.ladder().broken()) << "seed " << seed << "\n" << told(cores.ladder());
}

INSTANTIATE_TEST_SUITE_P(Seeds, LadderInChaos, testing::Range(std::uint64_t{1}, first_seed_not_run()));

TEST_P(LadderInChaos, CorrectCoresThatTakeSnapshotsBreakNothing) {
  const std::uint64_t seed = GetParam();
  Cores cores(static_cast<std::uint32_t>(3 + seed % 3), seed, core_options(seed % 3 != 0, seed % 5 != 0));
  cores.tails_below(1 + seed % 7);
  chaos(cores, 6000, 10 + seed % 50);
  EXPECT_FALSE(cores.ladder().broken()) << "seed " << seed << "\n" << told(cores.ladder());
}

/// From any set of members to any other, with nodes that start outside, learners, transfers, snapshots, and
/// crashes.
TEST_P(LadderInChaos, CorrectCoresThatChangeTheirMembersBreakNothing) {
  const std::uint64_t seed = GetParam();
  const auto voters = static_cast<std::uint32_t>(1 + seed % 5);
  Cores cores(voters, 5 - voters, seed, core_options(seed % 3 != 0, seed % 5 != 0));
  cores.tails_below(1 + seed % 7);
  for (int part = 0; part < 3; ++part) {
    chaos(cores, 2500, seed % 4 == 0 ? 0 : 10 + seed % 50, 5 + seed % 30);
    for (Cores::Node& node : cores.nodes()) {
      if (!node.core) cores.start(node);
    }
    calm(cores);
  }
  cores.finish();
  EXPECT_FALSE(cores.ladder().broken()) << "seed " << seed << "\n" << told(cores.ladder());
}

TEST(LadderChaos, ChangesMembersOftenEnoughToEvaluateWhatIsSaidOfThem) {
  std::uint64_t changes = 0;
  std::uint64_t transfers = 0;
  std::uint64_t installs = 0;
  std::array<std::uint64_t, rung_count> evaluations{};
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Cores cores(3, 2, seed, core_options(true, true));
    cores.tails_below(4);
    chaos(cores, 20000, 30, 20);
    EXPECT_FALSE(cores.ladder().broken()) << "seed " << seed << "\n" << told(cores.ladder());
    changes += cores.changes();
    transfers += cores.transfers();
    installs += cores.installs();
    for (const RungInfo& rung : rungs()) {
      evaluations[static_cast<std::size_t>(rung.rung)] += cores.ladder().evaluations(rung.rung);
    }
  }
  EXPECT_GT(changes, 100U);
  EXPECT_GT(transfers, 20U);
  EXPECT_GT(installs, 20U);
  for (const Rung rung : {Rung::N10, Rung::N11, Rung::D18, Rung::G12, Rung::G13, Rung::G15}) {
    EXPECT_GT(evaluations[static_cast<std::size_t>(rung)], 50U) << info(rung).id;
    RecordProperty(info(rung).id, std::to_string(evaluations[static_cast<std::size_t>(rung)]));
  }
  RecordProperty("changes", std::to_string(changes));
  RecordProperty("transfers", std::to_string(transfers));
}

/// What the ladder remembers depends on how far the nodes are apart, not on how long they have run.
TEST(LadderChaos, RemembersNoMoreInALongRunThanInAShortOne) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Cores cores(3, seed, core_options(true, true));
    cores.tails_below(8);
    std::size_t most = 0;
    for (int part = 0; part < 40; ++part) {
      chaos(cores, 4000, 20);
      // Who is down stays so for a while, and holds up what may be forgotten; now all are up, and catch up.
      for (Cores::Node& node : cores.nodes()) {
        if (!node.core) cores.start(node);
      }
      calm(cores);
      most = std::max(most, cores.ladder().entries_kept());
    }
    EXPECT_FALSE(cores.ladder().broken()) << "seed " << seed << "\n" << told(cores.ladder());
    EXPECT_GT(cores.nodes()[0].core->view().state.commit, raft::Index(1500));
    EXPECT_GT(cores.installs(), 10U);
    EXPECT_LT(most, 1500U) << "seed " << seed;
  }
}

/// Who was never told anything holds up nothing.
TEST(LadderChaos, RemembersNoMoreBecauseOfASpareThatIsNeverAsked) {
  raft::Options options = core_options(true, true);
  options.limits.tail_entries = 4;
  Cores cores(3, 1, 5, options);
  std::size_t most = 0;
  for (int part = 0; part < 20; ++part) {
    calm(cores);
    most = std::max(most, cores.ladder().entries_kept());
  }
  cores.finish();
  EXPECT_FALSE(cores.ladder().broken()) << told(cores.ladder());
  EXPECT_GT(cores.nodes()[0].core->view().state.commit, raft::Index(3000));
  EXPECT_LT(most, 1000U);
}

TEST(LadderChaos, EvaluatesRecoveryAndHistory) {
  std::array<std::uint64_t, rung_count> evaluations{};
  for (std::uint64_t seed = 100; seed < 110; ++seed) {
    Cores cores(3, seed, core_options(seed % 2 == 0, true));
    cores.tails_below(4);
    chaos(cores, 6000, 30, 40);
    EXPECT_FALSE(cores.ladder().broken()) << "seed " << seed << "\n" << told(cores.ladder());
    for (const RungInfo& rung : rungs()) {
      evaluations[static_cast<std::size_t>(rung.rung)] += cores.ladder().evaluations(rung.rung);
    }
  }
  for (const RungInfo& rung : rungs()) {
    // A fault is not part of the chaos.
    if (rung.external || rung.rung == Rung::D19) continue;
    EXPECT_GT(evaluations[static_cast<std::size_t>(rung.rung)], 0U) << rung.id;
  }
}

}  // namespace
}  // namespace raftlab::invariants
