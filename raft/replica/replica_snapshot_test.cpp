#include "raft/replica/replica_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// Snapshots of a replica: when they are taken, what a node starts from, what goes over the wire.
namespace raftlab::raft {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// The only voter, which takes a snapshot after each `each` entries and keeps `tail` of them.
Host lone(std::uint64_t each, std::uint64_t tail) {
  Host host(1);
  host.options.snapshot.entries = each;
  host.options.core.limits.tail_entries = tail;
  lead_alone(host);
  return host;
}

void propose_until(Host& host, std::uint64_t last) {
  while (host.state().last.index < Index(last)) {
    host.propose(1, "command " + std::to_string(host.state().last.index.value() + 1));
    host.settle();
    host.step();
  }
  host.settle();
  host.step();
  host.settle();
}

std::vector<std::string> snapshot_files(Host& host) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : host.snapshot_disk.files()) names.push_back(name);
  return names;
}

TEST(ReplicaSnapshots, OneIsTakenAfterSoManyEntries) {
  Host host = lone(10, 3);
  propose_until(host, 30);
  EXPECT_GE(host.state().snapshot.index, Index(20));
  EXPECT_EQ(host.state().base.index.value(), host.state().snapshot.index.value() - 3);
  EXPECT_THAT(snapshot_files(host), SizeIs(1)) << "older ones go";
}

TEST(ReplicaSnapshots, OneIsTakenAfterSoManyBytes) {
  Host host = lone(0, 0);
  host.kill();
  host.options.snapshot.bytes = 50;
  ASSERT_TRUE(host.start());
  host.lead();
  propose_until(host, 20);
  EXPECT_GE(host.state().snapshot.index, Index(10));
}

TEST(ReplicaSnapshots, NoneIsTakenWithoutABound) {
  Host host = lone(0, 0);
  host.kill();
  host.options.snapshot.bytes = 0;
  ASSERT_TRUE(host.start());
  host.lead();
  propose_until(host, 200);
  EXPECT_EQ(host.state().snapshot, LogId{});
  EXPECT_THAT(snapshot_files(host), IsEmpty());
}

TEST(ReplicaSnapshots, OneIsTakenWhenItIsAskedFor) {
  Host host = lone(0, 0);
  propose_until(host, 10);
  host.replica->take_snapshot();
  host.step();
  host.settle();
  EXPECT_EQ(host.state().snapshot.index, Index(10));
  host.replica->take_snapshot();
  host.step();
  host.settle();
  EXPECT_EQ(host.state().snapshot.index, Index(10)) << "nothing is new";
}

TEST(ReplicaSnapshots, EntriesAreAppliedWhileOneIsWritten) {
  Host host = lone(0, 0);
  host.options.snapshot.part_bytes = 4;
  host.kill();
  ASSERT_TRUE(host.start());
  host.lead();
  propose_until(host, 10);
  const Index before = host.state().applied;
  host.replica->take_snapshot();
  host.step();
  propose_until(host, 60);
  EXPECT_EQ(host.state().snapshot.index, before);
  host.kill();
  ASSERT_TRUE(host.start());
  EXPECT_EQ(host.machine.applied.size(), before.value());
}

TEST(ReplicaSnapshots, ANodeStartsFromItsSnapshotAndAppliesWhatFollows) {
  Host host = lone(10, 3);
  propose_until(host, 35);
  const std::vector<std::string> applied = host.machine.applied;
  const LogId snapshot = host.state().snapshot;
  host.kill();
  ASSERT_TRUE(host.start()) << host.refusal->detail;
  EXPECT_EQ(host.machine.restored, snapshot.index);
  EXPECT_EQ(host.state().applied, snapshot.index);
  host.lead();
  host.settle();
  host.step();
  ASSERT_GE(host.machine.applied.size(), applied.size());
  EXPECT_TRUE(std::equal(applied.begin(), applied.end(), host.machine.applied.begin()));
}

TEST(ReplicaSnapshots, AFailedOneIsGivenUpAndTheNodeGoesOn) {
  Host host = lone(10, 3);
  propose_until(host, 5);
  host.snapshot_disk.fail_at.insert(host.snapshot_disk.done() + 3);
  propose_until(host, 15);
  EXPECT_EQ(host.state().snapshot, LogId{});
  EXPECT_FALSE(host.replica->view().faulty);
  propose_until(host, 40);
  EXPECT_GT(host.state().snapshot.index, Index(15)) << "the next one succeeds";
}

/// Recovered is not durable: the log that was read may stand in the page cache only, and behind a loss of power there is an
/// older one, which starts from an older snapshot.
TEST(ReplicaSnapshots, OlderOnesStayUntilWhatWasRecoveredIsDurable) {
  Host host = lone(10, 3);
  propose_until(host, 15);
  auto files = host.snapshot_disk.files();
  propose_until(host, 35);
  host.kill();
  auto newest = host.snapshot_disk.files();
  files.merge(newest);
  host.snapshot_disk.set_files(files);
  ASSERT_TRUE(host.start());
  host.step();
  while (!host.snapshot_disk.idle()) host.snapshot_disk_step();
  EXPECT_THAT(snapshot_files(host), SizeIs(2));
  host.settle();
  host.step();
  host.settle();
  EXPECT_THAT(snapshot_files(host), SizeIs(1));
}

// ---- Damage ----------------------------------------------------------------------------------------------------

void damage(Host& host) {
  auto files = host.snapshot_disk.files();
  ASSERT_THAT(files, SizeIs(1));
  auto& bytes = files.begin()->second;
  bytes[bytes.size() / 2] ^= std::byte{4};
  host.snapshot_disk.set_files(files);
}

TEST(ReplicaSnapshots, ADamagedOneIsPassedOverWhenTheLogHoldsEverything) {
  Host host = lone(10, 1000);
  propose_until(host, 35);
  const std::vector<std::string> applied = host.machine.applied;
  host.kill();
  damage(host);
  ASSERT_TRUE(host.start()) << host.refusal->detail;
  EXPECT_EQ(host.state().snapshot, LogId{});
  EXPECT_THAT(host.machine.applied, IsEmpty());
  host.lead();
  host.settle();
  host.step();
  ASSERT_GE(host.machine.applied.size(), applied.size());
  EXPECT_TRUE(std::equal(applied.begin(), applied.end(), host.machine.applied.begin()));
}

TEST(ReplicaSnapshots, ADamagedOneThatTheLogNeedsIsARefusalThatTouchesNothing) {
  Host host = lone(10, 3);
  propose_until(host, 35);
  host.kill();
  damage(host);
  const auto log = host.disk.files();
  const auto snapshots = host.snapshot_disk.files();
  ASSERT_FALSE(host.start());
  EXPECT_EQ(host.refusal->code, wal::RefusalCode::missing_snapshot);
  EXPECT_THAT(host.refusal->file, HasSubstr("snapshot-"));
  EXPECT_TRUE(host.disk.idle());
  EXPECT_TRUE(host.snapshot_disk.idle());
  EXPECT_EQ(host.disk.files(), log);
  EXPECT_EQ(host.snapshot_disk.files(), snapshots);
}

TEST(ReplicaSnapshots, AStateMachineThatCannotReadOneIsARefusalToo) {
  Host host = lone(10, 3);
  propose_until(host, 35);
  host.kill();
  host.machine.refuse = true;
  ASSERT_FALSE(host.start());
  EXPECT_EQ(host.refusal->code, wal::RefusalCode::missing_snapshot);
}

// ---- From node to node -----------------------------------------------------------------------------------------

/// Hands every message of `from` to `to` and back until nothing is left.
void exchange(Host& leader, Host& follower) {
  for (int round = 0; round < 1000 && (!leader.sent.empty() || !follower.sent.empty()); ++round) {
    const NodeId id = follower.replica->view().id;
    for (Envelope& envelope : std::exchange(leader.sent, {})) {
      if (envelope.to == id) follower.replica->receive(std::move(envelope));
    }
    follower.step();
    follower.settle();
    for (Envelope& envelope : std::exchange(follower.sent, {})) leader.replica->receive(std::move(envelope));
    leader.step();
    leader.settle();
  }
}

struct Pair {
  Host leader{3, 1};
  Host follower{3, 3};

  Pair() {
    leader.options.snapshot.entries = 10;
    leader.options.snapshot.chunk_bytes = 64;
    leader.options.core.limits.tail_entries = 2;
    if (!leader.start()) throw std::logic_error("refused");
    leader.lead();
    leader.acknowledge_all(2);
    while (leader.state().last.index < Index(30)) {
      leader.propose(1, "command");
      leader.settle();
      leader.acknowledge_all(2);
      leader.settle();
    }
    leader.step();
    leader.settle();
    leader.sent.clear();
    if (!follower.start()) throw std::logic_error("refused");
    follower.settle();
    follower.sent.clear();
  }

  /// A few heartbeats.
  void talk() {
    for (int i = 0; i < 30; ++i) {
      leader.replica->tick();
      leader.step();
      exchange(leader, follower);
    }
  }
};

TEST(ReplicaSnapshots, AFollowerThatIsFarBehindIsGivenOne) {
  Pair pair;
  pair.talk();
  EXPECT_EQ(pair.follower.state().last, pair.leader.state().last);
  EXPECT_GT(pair.follower.machine.restored, Index(0));
  EXPECT_EQ(pair.follower.state().snapshot.index, pair.follower.machine.restored);
}

TEST(ReplicaSnapshots, ARestartInTheMiddleBeginsAgain) {
  Pair pair;
  for (int i = 0; i < 3; ++i) {
    // Some chunks, and then the process ends.
    for (int tick = 0; tick < 5 + i; ++tick) {
      pair.leader.replica->tick();
      pair.leader.step();
      for (Envelope& envelope : std::exchange(pair.leader.sent, {})) {
        if (envelope.to == node(3)) pair.follower.replica->receive(std::move(envelope));
      }
      pair.follower.step();
      for (Envelope& envelope : std::exchange(pair.follower.sent, {}))
        pair.leader.replica->receive(std::move(envelope));
      pair.leader.step();
    }
    pair.follower.kill();
    ASSERT_TRUE(pair.follower.start());
    pair.follower.settle();
  }
  pair.talk();
  EXPECT_EQ(pair.follower.state().last, pair.leader.state().last);
  pair.follower.kill();
  ASSERT_TRUE(pair.follower.start()) << "what was installed is there after a restart";
  EXPECT_GT(pair.follower.state().snapshot.index, Index(0));
}

}  // namespace
}  // namespace raftlab::raft
