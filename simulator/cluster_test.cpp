#include "simulator/cluster.hpp"

#include "kv/command.hpp"
#include "simulator/test_support.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

namespace raftlab::simulator::testing {
namespace {

using raft::Envelope;
using raft::Index;
using raft::LogId;
using raft::NodeId;
using raft::Term;

/// A cluster that a test drives by hand: no network, syncs end when it says so.
class Hand {
 public:
  explicit Hand(std::uint32_t nodes, bool checks = true) : cluster(quiet_profile(nodes), checks) {}

  Life start(std::uint32_t node, std::uint64_t seed = 1) {
    return cluster.start(NodeId(node), Seed(seed), now);
  }

  const kv::ServiceOutput& step(std::uint32_t node) { return cluster.step(NodeId(node), now); }
  const kv::ServiceOutput& tick(std::uint32_t node) {
    cluster.service(NodeId(node)).tick();
    return step(node);
  }
  const kv::ServiceOutput& receive(std::uint32_t node, std::uint32_t from, std::uint64_t term,
                                   raft::Message message) {
    cluster.service(NodeId(node))
        .receive(Envelope{NodeId(from), NodeId(node), Term(term), std::move(message)});
    return step(node);
  }

  /// Ends the syncs that were asked for, and those that follow from them.
  void sync(std::uint32_t node) {
    SimulatedDisk& disk = cluster.disk(NodeId(node));
    while (!disk.started().empty()) {
      const auto started = disk.started();
      disk.clear_started();
      for (const SimulatedDisk::Started& change : started) {
        cluster.finish_sync(NodeId(node), Directory::log, change.operation, SimulatedDisk::SyncFate::ok,
                            chooser, 1);
        answers(step(node));
      }
    }
  }
  /// Ends the syncs that were asked for without telling the service.
  void sync_silently(std::uint32_t node) {
    SimulatedDisk& disk = cluster.disk(NodeId(node));
    const auto started = disk.started();
    disk.clear_started();
    for (const SimulatedDisk::Started& change : started) {
      static_cast<void>(disk.finish(change.operation, SimulatedDisk::SyncFate::ok, chooser, 1));
    }
  }

  void lead(std::uint32_t node) {
    cluster.service(NodeId(node)).campaign();
    step(node);
    sync(node);
  }

  void put(std::uint32_t node, const std::string& key, const std::string& value) {
    kv::Request request;
    request.tag = 77;
    request.what = kv::Command{kv::ClientId{}, kv::Sequence{}, kv::Put{key, value}};
    cluster.service(NodeId(node)).request(request);
    answers(step(node));
    sync(node);
  }

  void answers(const kv::ServiceOutput& out) {
    told.insert(told.end(), out.answers.begin(), out.answers.end());
  }

  ScriptedChooser chooser;
  Cluster cluster;
  Time now = 0;
  std::vector<kv::Answer> told;
};

raft::AppendEntries one_entry(const std::string& payload) {
  raft::AppendEntries append;
  append.prev = LogId{Term(1), Index(1)};
  append.entries = raft::Slice::make(Index(2), 1, 64);
  EXPECT_TRUE(append.entries.append(Term(2), raft::EntryKind::command, bytes_of(payload)));
  return append;
}

/// The parts of the digest of one step, as far as they can be seen from outside.
struct Parts {
  Time time = 0;
  NodeId node;
  std::uint64_t core = 0;
  std::vector<Envelope> messages;
  std::uint64_t written = 0;
  std::uint64_t durable = 0;
  std::uint64_t store = 0;
  std::uint64_t digest = 0;
};

/// What the last step of a node looks like after `drive`.
Parts parts_after(const std::function<void(Hand&)>& drive, std::uint32_t node = 1, std::uint64_t seed = 1) {
  Hand hand(3);
  Parts parts;
  hand.cluster.on_step = [&](const StepRecord& record, const raft::trace::Step& step) {
    parts.time = record.time;
    parts.node = record.node;
    parts.messages = step.output.messages;
    parts.digest = record.digest;
  };
  hand.start(node, seed);
  drive(hand);
  const kv::Service& service = hand.cluster.service(NodeId(node));
  parts.core = service.replica().core().fingerprint();
  parts.written = service.replica().wal().chain();
  parts.durable = hand.cluster.disk(NodeId(node)).durable_digest();
  parts.store = service.store().digest();
  EXPECT_EQ(parts.digest, hand.cluster.digest());
  return parts;
}

/// How many of the parts differ; the digest itself is none of them.
int differences(const Parts& a, const Parts& b) {
  return int{a.time != b.time} + int{a.node != b.node} + int{a.core != b.core} +
         int{a.messages != b.messages} + int{a.written != b.written} + int{a.durable != b.durable} +
         int{a.store != b.store};
}

// ---- What the digest covers --------------------------------------------------------------------------------------

TEST(ClusterDigest, EqualStepsHaveEqualDigests) {
  const auto drive = [](Hand& hand) {
    hand.tick(1);
    hand.sync(1);
    hand.tick(1);
  };
  const Parts once = parts_after(drive);
  const Parts twice = parts_after(drive);
  EXPECT_EQ(differences(once, twice), 0);
  EXPECT_EQ(once.digest, twice.digest);
}

TEST(ClusterDigest, TheTimeAloneChangesIt) {
  const auto at = [](Time time) {
    return parts_after([time](Hand& hand) {
      hand.now = time;
      hand.tick(1);
    });
  };
  const Parts a = at(1000);
  const Parts b = at(1001);
  EXPECT_NE(a.time, b.time);
  EXPECT_EQ(differences(a, b), 1);
  EXPECT_NE(a.digest, b.digest);
}

TEST(ClusterDigest, TheNodeChangesIt) {
  // The log on disk names its node, so that more than one part differs here.
  const auto of = [](std::uint32_t node) {
    return parts_after([node](Hand& hand) { hand.tick(node); }, node);
  };
  const Parts a = of(1);
  const Parts b = of(2);
  EXPECT_NE(a.node, b.node);
  EXPECT_NE(a.digest, b.digest);
}

TEST(ClusterDigest, ACoreAloneChangesIt) {
  // Another seed of the core: another election timeout, and nothing else yet.
  const auto seeded = [](std::uint64_t seed) {
    return parts_after([](Hand& hand) { hand.tick(1); }, 1, seed);
  };
  const Parts a = seeded(1);
  const Parts b = seeded(2);
  EXPECT_NE(a.core, b.core);
  EXPECT_EQ(differences(a, b), 1);
  EXPECT_NE(a.digest, b.digest);
}

TEST(ClusterDigest, TheMessagesAloneChangeIt) {
  // A PreVote changes nothing at its receiver, whose answer carries the term of the request.
  const auto asked_for = [](std::uint64_t term) {
    return parts_after([term](Hand& hand) {
      for (int i = 0; i < 31; ++i) hand.tick(1);
      raft::RequestVote request;
      request.last = LogId{Term(1), Index(1)};
      request.pre = true;
      hand.receive(1, 2, term, request);
    });
  };
  const Parts a = asked_for(7);
  const Parts b = asked_for(8);
  EXPECT_FALSE(a.messages.empty());
  EXPECT_NE(a.messages, b.messages);
  EXPECT_EQ(differences(a, b), 1);
  EXPECT_NE(a.digest, b.digest);
}

TEST(ClusterDigest, WhatIsWrittenAloneChangesIt) {
  // Entries of one length: the core's fingerprint covers their numbers, not their bytes.
  const auto appended = [](const std::string& payload) {
    return parts_after([&payload](Hand& hand) {
      hand.sync(1);
      hand.receive(1, 2, 2, one_entry(payload));
    });
  };
  const Parts a = appended("payload a");
  const Parts b = appended("payload b");
  EXPECT_NE(a.written, b.written);
  EXPECT_EQ(differences(a, b), 1);
  EXPECT_NE(a.digest, b.digest);
}

TEST(ClusterDigest, WhatIsDurableAloneChangesIt) {
  const auto synced = [](bool ends) {
    return parts_after([ends](Hand& hand) {
      if (ends) hand.sync_silently(1);
      hand.tick(1);
    });
  };
  const Parts a = synced(false);
  const Parts b = synced(true);
  EXPECT_NE(a.durable, b.durable);
  EXPECT_EQ(differences(a, b), 1);
  EXPECT_NE(a.digest, b.digest);
}

TEST(ClusterDigest, TheStoreAloneChangesIt) {
  const auto holding = [](const std::string& value) {
    return parts_after([&value](Hand& hand) {
      // Behind the back of the log: a store that went wrong by itself.
      auto& store = const_cast<kv::Store&>(hand.cluster.service(NodeId(1)).store());
      store.apply(Index(1), kv::Command{kv::ClientId{}, kv::Sequence{}, kv::Put{"key", value}});
      hand.tick(1);
    });
  };
  const Parts a = holding("a");
  const Parts b = holding("b");
  EXPECT_NE(a.store, b.store);
  EXPECT_EQ(differences(a, b), 1);
  EXPECT_NE(a.digest, b.digest);
}

TEST(ClusterDigest, TheReadsThatBecomeReadyChangeIt) {
  const auto reading = [](std::uint64_t reads) {
    Hand hand(1);
    hand.start(1);
    hand.sync(1);
    hand.lead(1);
    for (std::uint64_t i = 0; i < reads; ++i) {
      kv::Request request;
      request.what = kv::GetKeys{{"key"}, kv::ReadPolicy::read_index};
      hand.cluster.service(NodeId(1)).request(request);
    }
    hand.step(1);
    return hand.cluster.digest();
  };
  EXPECT_NE(reading(0), reading(1));
  EXPECT_NE(reading(1), reading(2));
}

TEST(ClusterDigest, StartsCrashesAndNotesChangeIt) {
  const auto digest_of = [](const std::function<void(Hand&)>& drive) {
    Hand hand(3);
    drive(hand);
    return hand.cluster.digest();
  };
  const std::uint64_t none = digest_of([](Hand&) {});
  const std::uint64_t started = digest_of([](Hand& hand) { hand.start(1); });
  const std::uint64_t started_other = digest_of([](Hand& hand) { hand.start(2); });
  const std::uint64_t started_later = digest_of([](Hand& hand) {
    hand.now = 1;
    hand.start(1);
  });
  const auto crashed = [&](Crash::Kind kind) {
    return digest_of([kind](Hand& hand) {
      hand.start(1);
      static_cast<void>(hand.cluster.crash(NodeId(1), Crash{kind}, hand.chooser, 1));
    });
  };
  const std::uint64_t noted = digest_of([](Hand& hand) { hand.cluster.note(7); });
  std::vector<std::uint64_t> all = {none,
                                    started,
                                    started_other,
                                    started_later,
                                    noted,
                                    crashed(Crash::Kind::kill),
                                    crashed(Crash::Kind::power_loss)};
  std::ranges::sort(all);
  EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
}

TEST(ClusterDigest, ChecksDoNotChangeIt) {
  const auto digest_with = [](bool checks) {
    Hand hand(1, checks);
    hand.start(1);
    hand.sync(1);
    hand.lead(1);
    hand.put(1, "key", "value");
    return hand.cluster.digest();
  };
  EXPECT_EQ(digest_with(true), digest_with(false));
}

// ---- Lives -------------------------------------------------------------------------------------------------------

TEST(ClusterTest, ANodeAloneElectsItselfAndServes) {
  Hand hand(1);
  std::vector<std::uint64_t> committed;
  hand.cluster.on_commit = [&](const Commitment& commitment) {
    committed.push_back(commitment.entry.id.index.value());
  };
  EXPECT_EQ(hand.cluster.life(NodeId(1)), Life::down);
  EXPECT_EQ(hand.start(1), Life::up);
  hand.sync(1);
  EXPECT_FALSE(hand.cluster.leader());
  hand.lead(1);
  EXPECT_EQ(hand.cluster.leader(), NodeId(1));
  EXPECT_EQ(hand.cluster.elections(), 1U);
  hand.put(1, "key", "value");
  ASSERT_EQ(hand.told.size(), 1U);
  EXPECT_EQ(hand.told[0].status, kv::Status::ok);
  EXPECT_EQ(hand.told[0].tag, 77U);
  EXPECT_EQ(hand.cluster.service(NodeId(1)).store().get("key"), "value");
  EXPECT_EQ(hand.cluster.committed(), Index(3));
  EXPECT_EQ(committed, (std::vector<std::uint64_t>{1, 2, 3})) << "each once, in order";
  EXPECT_TRUE(hand.cluster.ladder().findings().empty());
}

TEST(ClusterTest, AnAcknowledgedWriteSurvivesTheLossOfPower) {
  Hand hand(1);
  hand.start(1);
  hand.sync(1);
  hand.lead(1);
  hand.put(1, "key", "value");
  hand.chooser.answer(Choice::crash_cut, 1000);
  hand.chooser.answer(Choice::entry_fate, 1);
  static_cast<void>(
      hand.cluster.crash(NodeId(1), Crash{Crash::Kind::power_loss, true, true}, hand.chooser, 1));
  EXPECT_EQ(hand.cluster.life(NodeId(1)), Life::down);
  EXPECT_FALSE(hand.cluster.leader());
  EXPECT_EQ(hand.start(1, 2), Life::up);
  EXPECT_EQ(hand.cluster.incarnation(NodeId(1)), 2U);
  hand.sync(1);
  hand.lead(1);
  hand.put(1, "other", "value");
  EXPECT_EQ(hand.cluster.service(NodeId(1)).store().get("key"), "value");
  EXPECT_TRUE(hand.cluster.ladder().findings().empty());
}

TEST(ClusterTest, ADamagedLogIsRefused) {
  Hand hand(1);
  hand.start(1);
  hand.sync(1);
  hand.lead(1);
  hand.put(1, "key", "value");
  hand.put(1, "key", "another value");
  static_cast<void>(hand.cluster.crash(NodeId(1), Crash{}, hand.chooser, 1));
  hand.chooser.answer(Choice::rot_place, 1000);
  ASSERT_TRUE(hand.cluster.disk(NodeId(1)).rot(hand.chooser, 1));
  EXPECT_EQ(hand.start(1, 2), Life::refused);
  EXPECT_EQ(hand.cluster.life(NodeId(1)), Life::refused);
  EXPECT_NE(hand.cluster.refusal(NodeId(1)).find("at byte"), std::string::npos)
      << hand.cluster.refusal(NodeId(1));
}

TEST(ClusterTest, ANodeOutsideTheClusterIsAMistake) {
  Hand hand(3);
  EXPECT_EQ(hand.cluster.size(), 3U);
  EXPECT_THROW(static_cast<void>(hand.cluster.life(NodeId(0))), raft::AssertionError);
  EXPECT_THROW(static_cast<void>(hand.cluster.life(NodeId(4))), raft::AssertionError);
  EXPECT_THROW(static_cast<void>(hand.cluster.service(NodeId(1))), raft::AssertionError) << "it is down";
  EXPECT_THROW(hand.cluster.crash(NodeId(1), Crash{}, hand.chooser, 1), raft::AssertionError);
  hand.start(1);
  EXPECT_THROW(hand.start(1), raft::AssertionError);
}

TEST(ClusterTest, StepsAndMessagesAreCounted) {
  Hand hand(3);
  hand.start(1);
  hand.sync(1);
  const std::uint64_t steps = hand.cluster.steps();
  hand.lead(1);
  EXPECT_GT(hand.cluster.steps(), steps);
  EXPECT_EQ(hand.cluster.messages_sent(), 2U) << "a PreVote to each of the others";
}

}  // namespace
}  // namespace raftlab::simulator::testing
