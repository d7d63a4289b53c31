#include "net/host.hpp"

#include "net/test_network.hpp"
#include "net/test_pki.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace raftlab::net {
namespace {

using kv::Status;
using raft::NodeId;
using raft::Role;

class HostTest : public testing::Test {
 public:
  ~HostTest() override {
    for (auto& [id, node] : nodes) node.host->stop();
    loop.restart();
    loop.poll();
  }

 protected:
  struct Node {
    std::unique_ptr<test::Network::Wire> wire;
    std::unique_ptr<Host> host;
  };

  HostOptions options(std::uint32_t id) {
    HostOptions options;
    options.id = NodeId(id);
    options.cluster = 77;
    options.tick = std::chrono::milliseconds(5);
    options.election_timeout = std::chrono::milliseconds(75);
    options.heartbeat = std::chrono::milliseconds(25);
    options.first_members = members(3);
    options.requests.attempt_ticks = 40;
    if (durable) options.data = scratch.path() / std::to_string(id);
    return options;
  }
  static std::vector<raft::Member> members(std::uint32_t count) {
    std::vector<raft::Member> members;
    for (std::uint32_t id = 1; id <= count; ++id)
      members.push_back(raft::Member{NodeId(id), "n" + std::to_string(id), ""});
    return members;
  }

  Host& start(const HostOptions& options, HostEvents events = {}) {
    Node node;
    node.wire = std::make_unique<test::Network::Wire>(network, options.id);
    node.host = std::make_unique<Host>(loop, options, *node.wire, std::move(events));
    node.wire->start(node.host->handlers());
    node.host->start();
    return *(nodes[options.id] = std::move(node)).host;
  }
  void start_all() {
    for (std::uint32_t id = 1; id <= 3; ++id) start(options(id));
  }
  /// At any moment: a disk may be at work for it, and the loop may hold what is for it.
  void end(NodeId id) {
    nodes[id].wire->stop();
    nodes[id].host->stop();
    nodes.erase(id);
  }

  [[nodiscard]] NodeId leader() {
    NodeId leader;
    raft::Term term;
    for (const auto& [id, node] : nodes) {
      const HostStatus status = node.host->status();
      if (isolated == id || status.state.role != Role::leader || status.state.hard.term < term) continue;
      leader = id;
      term = status.state.hard.term;
    }
    return leader;
  }
  [[nodiscard]] NodeId wait_for_leader() {
    EXPECT_TRUE(test::run_until(loop, [&] { return static_cast<bool>(leader()); }));
    return leader();
  }
  [[nodiscard]] NodeId follower() {
    for (const auto& [id, node] : nodes) {
      if (id != leader()) return id;
    }
    return NodeId{};
  }

  kv::Answer ask(NodeId at, Wish wish) {
    std::optional<kv::Answer> answer;
    nodes.at(at).host->request(std::move(wish), [&](const kv::Answer& given) { answer = given; });
    EXPECT_FALSE(answer) << "answered from within the call";
    EXPECT_TRUE(test::run_until(loop, [&] { return answer.has_value(); }));
    return answer.value_or(kv::Answer{});
  }
  /// Asks whoever leads, until it is done: on a busy machine the leader may be another one by then.
  template <class Ask>
  void change(kv::ChangeAnswer::Outcome wanted, Ask ask_leader) {
    std::optional<kv::ChangeAnswer> answer;
    bool asked = false;
    EXPECT_TRUE(test::run_until(loop, [&] {
      if (answer && answer->outcome == wanted) return true;
      if (answer && answer->outcome == kv::ChangeAnswer::Outcome::rejected) asked = false;
      if (const NodeId leads = leader(); !asked && leads) {
        asked = true;
        answer.reset();
        ask_leader(*nodes.at(leads).host, [&](const kv::ChangeAnswer& given) { answer = given; });
      }
      return false;
    }));
  }
  static Wish put(std::string key, std::string value) {
    Wish wish;
    wish.what = kv::Change{kv::Put{std::move(key), std::move(value)}};
    return wish;
  }
  static Wish get(std::string key, kv::ReadPolicy policy = kv::ReadPolicy::read_index) {
    Wish wish;
    wish.what = kv::GetKeys{{std::move(key)}, policy};
    return wish;
  }

  boost::asio::io_context loop{1};
  test::Network network{loop};
  test::TestDirectory scratch;
  bool durable = false;
  NodeId isolated;
  std::map<NodeId, Node> nodes;
};

TEST_F(HostTest, ThreeOfThemElectALeaderAndKeepWhatIsWritten) {
  start_all();
  const NodeId leads = wait_for_leader();
  EXPECT_EQ(ask(leads, put("k", "v")).status, Status::ok);
  const kv::Answer read = ask(leads, get("k"));
  ASSERT_EQ(read.status, Status::ok);
  EXPECT_EQ(read.values.at(0), "v");
  EXPECT_EQ(nodes.at(leads).wire->members.size(), 3U);

  // Each request, and each write to its log, was timed.
  const Latencies& latencies = nodes.at(leads).host->latencies();
  EXPECT_EQ(latencies.writes.count(), 1U);
  EXPECT_EQ(latencies.reads.count(), 1U);
  EXPECT_GT(latencies.log_writes.count(), 1U);
  EXPECT_LT(latencies.log_writes.sum(), std::chrono::minutes(1));
}

TEST_F(HostTest, AFollowerBringsWritesToTheLeaderAndReadsWhatWasWrittenElsewhere) {
  start_all();
  static_cast<void>(wait_for_leader());
  const NodeId follows = follower();
  EXPECT_EQ(ask(follows, put("k", "v")).status, Status::ok);
  EXPECT_GT(network.requests, 0U);
  const kv::Answer read = ask(follows, get("k"));
  ASSERT_EQ(read.status, Status::ok);
  EXPECT_EQ(read.values.at(0), "v");
}

TEST_F(HostTest, WritesThatArriveTogetherShareAStep) {
  start_all();
  const NodeId leads = wait_for_leader();
  ASSERT_EQ(ask(leads, put("first", "")).status, Status::ok);
  const raft::WriteSeq before = nodes.at(leads).host->status().state.issued;
  int open = 0;
  for (int i = 0; i < 100; ++i, ++open) {
    nodes.at(leads).host->request(put("k" + std::to_string(i), "v"), [&](const kv::Answer& answer) {
      EXPECT_EQ(answer.status, Status::ok);
      --open;
    });
  }
  ASSERT_TRUE(test::run_until(loop, [&] { return open == 0; }));
  const raft::WriteSeq after = nodes.at(leads).host->status().state.issued;
  EXPECT_LT(after.value() - before.value(), 20U);
  EXPECT_EQ(nodes.at(leads).host->status().keys, 101U);
}

TEST_F(HostTest, AnIsolatedLeaderAnswersNeitherWritesNorReads) {
  start_all();
  isolated = wait_for_leader();
  ASSERT_EQ(ask(isolated, put("k", "old")).status, Status::ok);
  network.isolate(isolated);
  const NodeId next = wait_for_leader();
  ASSERT_NE(next, isolated);
  EXPECT_EQ(ask(next, put("k", "new")).status, Status::ok);
  Wish late = put("k", "lost");
  late.deadline_ticks = 40;
  EXPECT_NE(ask(isolated, std::move(late)).status, Status::ok);
  Wish read = get("k");
  read.deadline_ticks = 40;
  EXPECT_NE(ask(isolated, std::move(read)).status, Status::ok);
  EXPECT_EQ(ask(isolated, get("k", kv::ReadPolicy::stale)).values.at(0), "old");

  network.heal();
  isolated = NodeId{};
  const kv::Answer healed = ask(next, get("k"));
  EXPECT_EQ(healed.values.at(0), "new");
}

TEST_F(HostTest, AWriteOutlivesItsLeader) {
  start_all();
  const NodeId follows = (static_cast<void>(wait_for_leader()), follower());
  ASSERT_EQ(ask(follows, put("k", "1")).status, Status::ok);
  isolated = leader();
  network.isolate(isolated);
  const kv::Answer answer = ask(follows, put("k", "2"));  // asked while nobody leads that can commit it
  EXPECT_EQ(answer.status, Status::ok);
  EXPECT_EQ(ask(follows, get("k")).values.at(0), "2");
}

TEST_F(HostTest, WhatWasAcknowledgedIsThereAfterARestartOfAllOfThem) {
  durable = true;
  start_all();
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(ask(wait_for_leader(), put("k" + std::to_string(i), std::to_string(i))).status, Status::ok);
  }
  for (std::uint32_t id = 1; id <= 3; ++id) end(NodeId(id));
  for (std::uint32_t id = 1; id <= 3; ++id) {
    HostOptions again = options(id);
    again.first_members.clear();  // the log decides
    start(again);
  }
  const NodeId leads = wait_for_leader();
  for (int i = 0; i < 20; ++i) {
    const kv::Answer read = ask(leads, get("k" + std::to_string(i)));
    ASSERT_EQ(read.status, Status::ok);
    EXPECT_EQ(read.values.at(0), std::to_string(i));
  }
}

TEST_F(HostTest, WhatTheLoopStillHoldsOfAHostThatHasEndedDoesNothing) {
  durable = true;
  start_all();
  const NodeId leads = wait_for_leader();
  for (int i = 0; i < 20; ++i) {
    bool answered = false;
    nodes.at(leads).host->request(put("k", "v"), [&](const kv::Answer&) { answered = true; });
    loop.restart();
    loop.poll();  // up to the disks, which take their time
    Host& host = *nodes.at(leads).host;
    host.take_snapshot();  // a step is due
    const HostOptions again = options(leads.value());
    end(leads);
    EXPECT_TRUE(answered);
    std::this_thread::sleep_for(std::chrono::milliseconds(i));
    loop.restart();
    loop.poll();
    start(again);
  }
}

TEST_F(HostTest, ANewNodeJoinsAndAnotherOneLeaves) {
  start_all();
  const NodeId leads = wait_for_leader();
  ASSERT_EQ(ask(leads, put("k", "v")).status, Status::ok);
  HostOptions joining = options(4);
  joining.first_members.clear();
  start(joining);
  raft::Configuration target;
  const NodeId leaves = follower();
  for (const raft::Member& member : members(4)) {
    if (member.id == leaves) continue;
    target.members.push_back(member);
    target.voters.push_back(member.id);
  }
  change(kv::ChangeAnswer::Outcome::accepted,
         [&](Host& host, Host::Changed changed) { host.reconfigure(target, true, std::move(changed)); });
  ASSERT_TRUE(test::run_until(loop, [&] {
    const HostStatus status = nodes.at(NodeId(4)).host->status();
    return status.configuration == target && status.keys == 1;
  }));
  EXPECT_EQ(nodes.at(leads).wire->members.size(), 3U);
}

TEST_F(HostTest, TheLeadershipIsHandedOver) {
  start_all();
  ASSERT_EQ(ask(wait_for_leader(), put("k", "v")).status, Status::ok);
  change(kv::ChangeAnswer::Outcome::transferred,
         [&](Host& host, Host::Changed changed) { host.transfer(follower(), std::move(changed)); });
}

TEST_F(HostTest, EventsTellOfRolesLeadersAndProgress) {
  HostEvents events;
  std::vector<Role> roles;
  NodeId led_by;
  raft::Index applied;
  events.role = [&](raft::RoleChange change) { roles.push_back(change.role); };
  events.leader = [&](NodeId leader) { led_by = leader; };
  events.applied = [&](raft::Index index) { applied = index; };
  HostOptions alone = options(1);
  alone.first_members = members(1);
  Host& host = start(alone, events);
  EXPECT_EQ(ask(NodeId(1), put("k", "v")).status, Status::ok);
  ASSERT_FALSE(roles.empty());
  EXPECT_EQ(roles.back(), Role::leader);
  EXPECT_EQ(led_by, NodeId(1));
  EXPECT_EQ(applied, host.status().applied);
}

TEST_F(HostTest, WhoWaitsIsAnsweredWhenTheNodeStops) {
  start_all();
  static_cast<void>(wait_for_leader());
  network.isolate(NodeId(1));
  network.isolate(NodeId(2));
  network.isolate(NodeId(3));
  std::optional<kv::Answer> answer;
  nodes.at(NodeId(1)).host->request(put("k", "v"), [&](const kv::Answer& given) { answer = given; });
  loop.restart();
  loop.poll();
  ASSERT_FALSE(answer);
  nodes.at(NodeId(1)).host->stop();
  ASSERT_TRUE(answer);
  EXPECT_NE(answer->status, Status::ok);
  EXPECT_NE(ask(NodeId(1), put("k", "v")).status, Status::ok);  // also who asks later
}

TEST_F(HostTest, ADamagedLogIsToldWithItsFileAndKept) {
  durable = true;
  HostOptions alone = options(1);
  alone.first_members = members(1);
  start(alone);
  ASSERT_EQ(ask(NodeId(1), put("k", "v")).status, Status::ok);
  ASSERT_EQ(ask(NodeId(1), put("k", "w")).status, Status::ok);
  end(NodeId(1));
  std::filesystem::path log;
  for (const auto& file : std::filesystem::directory_iterator(*alone.data / "log")) {
    if (file.file_size() > 64 && (log.empty() || file.path() < log)) log = file.path();
  }
  ASSERT_FALSE(log.empty());
  {
    std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(48);
    file.put('\x55');
  }
  try {
    start(alone);
    FAIL() << "it started";
  } catch (const StartError& error) {
    EXPECT_TRUE(error.refusal);
    EXPECT_NE(std::string(error.what()).find(log.filename().string()), std::string::npos) << error.what();
  }
}

TEST_F(HostTest, ADataDirectoryIsOfOneProcess) {
  durable = true;
  HostOptions alone = options(1);
  alone.first_members = members(1);
  start(alone);
  test::Network::Wire wire(network, NodeId(9));
  try {
    Host second(loop, alone, wire, {});
    FAIL() << "it started";
  } catch (const StartError& error) {
    EXPECT_EQ(error.refusal, raft::wal::RefusalCode::locked);
  }
}

}  // namespace
}  // namespace raftlab::net
