#include "invariants/audit.hpp"

#include "invariants/ladder_cores.hpp"
#include "raft/trace/record.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>
#include <string>
#include <vector>

/// Real cores in chaos write down their steps as nodes do, and the traces are judged; some of them after something was done to
/// the nodes, the traces or the clocks.
namespace raftlab::invariants {
namespace {

namespace trace = raft::trace;
using raft::NodeId;

/// Everything that the nodes of a cluster write down.
class Traces {
 public:
  explicit Traces(Cores& cores) {
    cores.before_step = [this](const Cores::Node& node, const std::vector<raft::Input>& inputs) {
      step(node, inputs);
    };
  }

  /// By how much the clock of a node is ahead.
  std::map<NodeId, std::int64_t> ahead_ns;
  /// The last word on what is written down.
  std::function<void(NodeId, trace::StepHead&)> change_step;
  std::function<void(trace::StartRecord&)> change_start;

  struct File {
    NodeId node;
    std::string name;
    std::vector<std::byte> bytes;
    trace::RecordWriter writer;
    std::uint64_t incarnation = 0;
  };
  std::vector<File> files;

  [[nodiscard]] std::variant<AuditResult, AuditError> judge(const OnCommit& on_commit = {}) const {
    std::vector<AuditFile> all;
    for (const File& file : files) all.push_back(AuditFile{file.name, file.bytes});
    return audit(all, on_commit);
  }
  void forget(NodeId node) {
    std::erase_if(files, [&](const File& file) { return file.node == node; });
  }

 private:
  File& begin(const Cores::Node& node) {
    std::uint64_t previous = 0;
    for (const File& file : files) {
      if (file.node == node.id) previous = file.incarnation;
    }
    const std::string name =
        "node-" + std::to_string(node.id.value()) + "-" + std::to_string(node.incarnation);
    File& file = files.emplace_back();
    file.node = node.id;
    file.name = name;
    file.incarnation = node.incarnation;
    trace::StartRecord start;
    start.time_ns = now(node.id);
    start.previous = previous;
    start.options = node.options;
    start.recovered = node.recovered;
    if (change_start) change_start(start);
    file.writer.start(start, file.bytes);
    return file;
  }
  std::int64_t now(NodeId node) {
    return time_ns_ += 1000 + ahead_ns[node] - std::exchange(last_ahead_, ahead_ns[node]);
  }

  void step(const Cores::Node& node, const std::vector<raft::Input>& inputs) {
    File* file = nullptr;
    for (File& one : files) {
      if (one.node == node.id && one.incarnation == node.incarnation) file = &one;
    }
    if (file == nullptr) file = &begin(node);
    trace::StepHead head{now(node.id), node.core->fingerprint(), node.applied.index, node.digest};
    if (change_step) change_step(node.id, head);
    file->writer.step(head, inputs, file->bytes);
  }

  std::int64_t time_ns_ = 0;
  std::int64_t last_ahead_ = 0;
};

/// Messages arrive in any order, some twice or never; disks are slow; processes end, and start again.
void live(Cores& cores, int rounds, std::uint64_t crashes = 300, std::uint64_t snapshots = 60) {
  std::uint64_t reads = 0;
  for (int round = 0; round < rounds; ++round) {
    Cores::Node& node = cores.nodes()[cores.draw(cores.nodes().size())];
    if (!node.core) {
      if (cores.draw(30) == 0) cores.start(node);
      continue;
    }
    if (crashes != 0 && cores.draw(crashes) == 0) {
      cores.crash(node);
      continue;
    }
    if (snapshots != 0 && cores.draw(snapshots) == 0) cores.take_snapshot(node);
    std::vector<raft::Input> inputs;
    if (cores.draw(3) == 0) inputs.emplace_back(raft::Tick{});
    if (cores.draw(8) == 0)
      inputs.emplace_back(raft::Propose{1, std::vector<std::byte>(1 + cores.draw(30), std::byte(round))});
    if (cores.draw(12) == 0) inputs.emplace_back(raft::Read{++reads});
    if (cores.draw(2) == 0) {
      cores.sync(node, 1 + cores.draw(3));
      for (raft::Input& owed : node.inbox) inputs.push_back(std::move(owed));
      node.inbox.clear();
    }
    std::vector<raft::Envelope>& queue = cores.messages();
    for (std::size_t at = 0; at < queue.size() && inputs.size() < 5;) {
      if (queue[at].to != node.id || cores.draw(4) == 0) {
        ++at;
        continue;
      }
      if (cores.draw(20) != 0) inputs.emplace_back(raft::Receive{queue[at]});
      if (cores.draw(20) != 0)
        queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(at));
      else
        ++at;
    }
    if (queue.size() > 300) queue.erase(queue.begin(), queue.begin() + 50);
    cores.step(node, inputs);
  }
}

AuditResult judged(const Traces& traces) {
  auto result = traces.judge();
  if (const auto* error = std::get_if<AuditError>(&result)) {
    ADD_FAILURE() << error->file << " at byte " << error->offset << ": " << error->what;
    return {};
  }
  return std::get<AuditResult>(std::move(result));
}

std::string told(const AuditResult& result) {
  std::string text = std::string(name(result.verdict)) + " " + result.text + "\n";
  for (const Finding& finding : result.findings)
    text += std::string(info(finding.rung).id) + " n" + std::to_string(finding.node.value()) + " " +
            finding.text + "\n";
  return text;
}

bool fired(const AuditResult& result, Rung rung) {
  return std::ranges::any_of(result.findings, [&](const Finding& finding) { return finding.rung == rung; });
}

class AuditInChaos : public testing::TestWithParam<std::uint64_t> {};

TEST_P(AuditInChaos, WhatCorrectNodesDidHolds) {
  const std::uint64_t seed = GetParam();
  Cores cores(3 + static_cast<std::uint32_t>(seed % 3), seed, core_options(seed % 3 != 0, seed % 2 != 0));
  cores.tails_below(0);
  Traces traces(cores);
  live(cores, 5000);
  ASSERT_FALSE(cores.ladder().broken()) << told(cores.ladder());
  std::uint64_t committed = 0;
  auto result =
      traces.judge([&](const raft::EntryView& entry) { EXPECT_EQ(entry.id.index.value(), ++committed); });
  ASSERT_TRUE(std::holds_alternative<AuditResult>(result));
  const auto& audited = std::get<AuditResult>(result);
  EXPECT_EQ(audited.verdict, AuditVerdict::holds) << "seed " << seed << "\n" << told(audited);
  EXPECT_EQ(audited.lives.size(), traces.files.size());
  EXPECT_EQ(audited.committed.value(), committed);
  EXPECT_EQ(audited.steps, cores.steps());
  EXPECT_GT(committed, 10U);
  for (const Rung rung : {Rung::G1, Rung::G3, Rung::G4, Rung::G10, Rung::E1, Rung::E2, Rung::E3, Rung::E4,
                          Rung::R1, Rung::R2, Rung::D20})
    EXPECT_GT(audited.evaluated(rung), 0U) << info(rung).id;
}

TEST_P(AuditInChaos, ClocksThatAreFarApartChangeNothing) {
  const std::uint64_t seed = GetParam();
  Cores cores(3, seed, core_options(true, true));
  Traces traces(cores);
  traces.ahead_ns = {{NodeId(1), -3'600'000'000'000}, {NodeId(3), 86'400'000'000'000}};
  live(cores, 4000);
  const AuditResult audited = judged(traces);
  EXPECT_EQ(audited.verdict, AuditVerdict::holds) << "seed " << seed << "\n" << told(audited);
  EXPECT_EQ(audited.steps, cores.steps());
}

INSTANTIATE_TEST_SUITE_P(Seeds, AuditInChaos, testing::Range(std::uint64_t{1}, std::uint64_t{16}));

TEST(Audit, EveryRungIsJudgedOrSaysWhyNot) {
  std::size_t judged_rungs = 0;
  for (const RungInfo& rung : rungs()) {
    const char* why = not_audited(rung.rung);
    if (why == nullptr) {
      ++judged_rungs;
    } else {
      EXPECT_GT(std::string(why).size(), 5U) << rung.id;
    }
  }
  EXPECT_GT(judged_rungs, 50U);
  for (const Rung rung : {Rung::G1, Rung::G3, Rung::G4, Rung::G6, Rung::G10, Rung::E1, Rung::E5})
    EXPECT_EQ(not_audited(rung), nullptr);
  EXPECT_NE(not_audited(Rung::E9), nullptr);
  EXPECT_NE(not_audited(Rung::V1), nullptr);
}

TEST(Audit, LeadersThatFollowOneAnotherAreJudgedByWhatWasCommitted) {
  std::array<std::uint64_t, 5> evaluated{};
  for (std::uint64_t seed = 30; seed < 36; ++seed) {
    Cores cores(3, seed, core_options(false, false));
    Traces traces(cores);
    live(cores, 4000);
    const AuditResult audited = judged(traces);
    EXPECT_EQ(audited.verdict, AuditVerdict::holds) << told(audited);
    std::size_t at = 0;
    for (const Rung rung : {Rung::G6, Rung::E5, Rung::R3, Rung::R5, Rung::G11})
      evaluated[at++] += audited.evaluated(rung);
  }
  for (const std::uint64_t times : evaluated) EXPECT_GT(times, 0U);
}

TEST(Audit, ATraceThatIsMissingLeavesItUndecided) {
  Cores cores(3, 5, core_options(true, true));
  Traces traces(cores);
  live(cores, 3000, 0);
  traces.forget(NodeId(2));
  const AuditResult audited = judged(traces);
  EXPECT_EQ(audited.verdict, AuditVerdict::inconclusive);
  EXPECT_NE(audited.text.find("from n2, which left no trace"), std::string::npos) << audited.text;
}

TEST(Audit, ALifeThatIsMissingLeavesItUndecided) {
  Cores cores(3, 6, core_options(true, true));
  Traces traces(cores);
  live(cores, 5000, 100);
  const auto second = std::ranges::find_if(
      traces.files, [](const Traces::File& file) { return file.node == NodeId(1) && file.incarnation == 2; });
  ASSERT_NE(second, traces.files.end());
  traces.files.erase(second);
  const AuditResult audited = judged(traces);
  EXPECT_EQ(audited.verdict, AuditVerdict::inconclusive);
  EXPECT_NE(audited.text.find("of which there is no trace"), std::string::npos) << audited.text;
}

TEST(Audit, ATraceThatEndsTooEarlyLeavesItUndecided) {
  Cores cores(3, 7, core_options(true, true));
  Traces traces(cores);
  live(cores, 3000, 0);
  traces.files.front().bytes.resize(traces.files.front().bytes.size() / 2);
  const AuditResult audited = judged(traces);
  EXPECT_EQ(audited.verdict, AuditVerdict::inconclusive);
  EXPECT_NE(audited.text.find("ends too early"), std::string::npos) << audited.text;
}

TEST(Audit, OfAProcessThatWasKilledTheLastRecordMayBeTorn) {
  Cores cores(3, 8, core_options(true, true));
  Traces traces(cores);
  live(cores, 3000, 0);
  // A step that was begun to be written down is one that was not taken.
  Traces::File& file = traces.files.front();
  const std::size_t whole = file.bytes.size();
  file.writer.step(trace::StepHead{}, {}, file.bytes);
  file.bytes.resize(whole + 7);
  const AuditResult audited = judged(traces);
  EXPECT_EQ(audited.verdict, AuditVerdict::holds) << told(audited);
  EXPECT_EQ(std::ranges::count_if(audited.lives, &AuditedLife::torn), 1);
}

TEST(Audit, DamageIsToldWithItsPlace) {
  Cores cores(3, 9, core_options(true, true));
  Traces traces(cores);
  live(cores, 500, 0);
  traces.files.back().bytes[traces.files.back().bytes.size() / 2] ^= std::byte{1};
  const auto result = traces.judge();
  const auto* error = std::get_if<AuditError>(&result);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->file, traces.files.back().name);
  EXPECT_GT(error->offset, 8U);
}

TEST(Audit, ACoreThatDoesSomethingElseWithTheSameInputsIsTold) {
  Cores cores(3, 10, core_options(true, true));
  Traces traces(cores);
  std::uint64_t step = 0;
  traces.change_step = [&](NodeId node, trace::StepHead& head) {
    if (node == NodeId(2) && ++step == 300) head.fingerprint ^= 1;
  };
  live(cores, 3000, 0);
  const AuditResult audited = judged(traces);
  EXPECT_EQ(audited.verdict, AuditVerdict::differs);
  EXPECT_NE(audited.text.find("node-2-1: before its step 300 "), std::string::npos) << audited.text;
}

TEST(Audit, ACoreThatWasStartedWithOtherOptionsThanItsTraceSaysIsTold) {
  Cores cores(3, 11, core_options(true, true));
  Traces traces(cores);
  traces.change_start = [](trace::StartRecord& start) {
    if (start.options.id == NodeId(3)) start.options.seed = raft::Seed(1);
  };
  live(cores, 1000, 0);
  EXPECT_EQ(judged(traces).verdict, AuditVerdict::differs);
}

TEST(Audit, NodesWithSettingsThatTheLadderTakesOneOfLeaveItUndecided) {
  Cores cores(3, 12, core_options(true, true));
  Traces traces(cores);
  traces.change_start = [](trace::StartRecord& start) {
    if (start.options.id == NodeId(3)) start.options.election_ticks_min += 1;
  };
  live(cores, 1000, 0);
  const AuditResult audited = judged(traces);
  EXPECT_EQ(audited.verdict, AuditVerdict::inconclusive);
  EXPECT_NE(audited.text.find("node-3-1 is of a node with other settings"), std::string::npos)
      << audited.text;
}

TEST(Audit, TracesOfTwoClustersAreNotJudgedTogether) {
  Cores cores(2, 13, core_options(true, true));
  Traces traces(cores);
  traces.change_start = [](trace::StartRecord& start) { start.cluster = start.options.id.value(); };
  live(cores, 200, 0);
  EXPECT_EQ(judged(traces).verdict, AuditVerdict::inconclusive);
  EXPECT_EQ(std::get<AuditResult>(audit({})).verdict, AuditVerdict::inconclusive);
}

TEST(Audit, StoresThatDifferBreakG10) {
  Cores cores(3, 14, core_options(true, true));
  Traces traces(cores);
  traces.change_step = [](NodeId node, trace::StepHead& head) {
    if (node == NodeId(2) && head.applied > raft::Index(20)) head.store_digest ^= 1;
  };
  live(cores, 5000, 0, 0);
  const AuditResult audited = judged(traces);
  EXPECT_EQ(audited.verdict, AuditVerdict::violated);
  EXPECT_TRUE(fired(audited, Rung::G10)) << told(audited);
  EXPECT_TRUE(audited.text.starts_with("G10 state-machine-safety: n")) << audited.text;
}

/// One node's disk is changed while its process is down.
AuditResult after_a_change_of_the_disk(const std::function<bool(Cores::Node&)>& change) {
  for (std::uint64_t seed = 100;; ++seed) {
    Cores cores(3, seed, core_options(false, false));
    Traces traces(cores);
    live(cores, 2500, 0, 0);
    Cores::Node& node = cores.nodes()[seed % 3];
    cores.sync(node, SIZE_MAX);
    cores.settle(node);
    cores.crash(node);
    if (!change(node)) continue;
    cores.start(node);
    live(cores, 1500, 0, 0);
    return judged(traces);
  }
}

TEST(Audit, ANodeThatForgotItsVoteBreaksR1AndR2) {
  const AuditResult audited = after_a_change_of_the_disk([](Cores::Node& node) {
    if (!node.hard.voted_for || node.hard.voted_for == node.id) return false;
    node.hard.voted_for = NodeId{};
    return true;
  });
  EXPECT_EQ(audited.verdict, AuditVerdict::violated);
  EXPECT_TRUE(fired(audited, Rung::R1)) << told(audited);
  EXPECT_TRUE(fired(audited, Rung::R2)) << told(audited);
}

TEST(Audit, ANodeThatForgotTheEndOfItsLogBreaksR1AndR3) {
  const AuditResult audited = after_a_change_of_the_disk([](Cores::Node& node) {
    if (node.entries.size() < 10) return false;
    node.entries.resize(node.entries.size() - 5);
    return true;
  });
  EXPECT_EQ(audited.verdict, AuditVerdict::violated);
  EXPECT_TRUE(fired(audited, Rung::R1)) << told(audited);
  EXPECT_TRUE(fired(audited, Rung::R3)) << told(audited);
}

/// An operator puts the copy of a disk back that was taken a while ago.
TEST(Audit, ANodeThatStartsFromAnOlderImageBreaksR6) {
  Cores cores(3, 17, core_options(false, false));
  Traces traces(cores);
  live(cores, 1500, 0, 0);
  Cores::Node& node = cores.nodes()[1];
  cores.sync(node, SIZE_MAX);
  cores.settle(node);
  const raft::HardState hard = node.hard;
  const std::vector<raft::Slice> entries = node.entries;
  live(cores, 1500, 0, 0);
  cores.sync(node, SIZE_MAX);
  cores.settle(node);
  cores.crash(node);
  ASSERT_GT(node.entries.size(), entries.size() + 5);
  node.hard = hard;
  node.entries = entries;
  cores.start(node);
  live(cores, 300, 0, 0);
  const AuditResult audited = judged(traces);
  EXPECT_EQ(audited.verdict, AuditVerdict::violated);
  EXPECT_TRUE(fired(audited, Rung::R6)) << told(audited);
}

}  // namespace
}  // namespace raftlab::invariants
