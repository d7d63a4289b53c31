#include "tools/diskeyval/process_network.hpp"

#include "tools/diskeyval/process_audit.hpp"
#include "tools/diskeyval/process_cluster.hpp"
#include "tools/diskeyval/process_load.hpp"
#include "tools/diskeyval/process_waits.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// Real processes on hosts of their own, and a network between them that fails under load.
namespace raftlab::diskeyval {
namespace {

using namespace test;
using std::chrono::milliseconds;
using std::chrono::seconds;

class NetworkFaults : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string obstacle = ProcessNetwork::obstacle();
    if (obstacle.empty()) return;
    // Where these tests count they must not vanish without a word.
    if (std::getenv("CI") != nullptr && ::geteuid() == 0) FAIL() << "no network namespaces: " << obstacle;
    GTEST_SKIP() << "no network namespaces: " << obstacle;
  }
  void TearDown() override {
    load_.reset();
    cluster_.reset();
    network_.reset();
  }

  /// Nodes under load, with a leader.
  void begin(std::uint32_t nodes, std::vector<std::string> flags = {}) {
    network_ = std::make_unique<ProcessNetwork>(nodes);
    ClusterOptions options;
    options.nodes = nodes;
    options.flags = std::move(flags);
    // A client that asks a node without a leader must not wait for longer than the fault lasts.
    options.flags.emplace_back("--request-timeout=1s");
    options.host = [](std::uint32_t id) { return ProcessNetwork::address(id); };
    options.launch = [this](std::uint32_t id, const Launch& what) { return network_->launch_at(id, what); };
    cluster_ = std::make_unique<ProcessCluster>(std::move(options));
    ASSERT_NE(wait_for_leader(*cluster_), 0U) << cluster_->said(1);
    load_ = std::make_unique<Load>(*cluster_, 4);
    ASSERT_TRUE(goes_on(*load_, 100));
  }

  [[nodiscard]] std::vector<std::uint32_t> others(std::vector<std::uint32_t> than) const {
    std::vector<std::uint32_t> ids;
    for (std::uint32_t id = 1; id <= cluster_->nodes(); ++id) {
      if (std::ranges::find(than, id) == than.end()) ids.push_back(id);
    }
    return ids;
  }

  Reply ask(std::uint32_t node, const std::string& method, const std::string& target,
            const std::string& body = "") {
    return cluster_->client(seconds(10))->ask_one(cluster_->endpoint(node), method, target, body);
  }
  static std::string value(const Reply& reply) {
    return reply.status == 200 ? reply.body.at("value").get<std::string>() : reply.text;
  }
  /// Writes through a node, under whatever number of its own; for a test that knows nobody else writes there.
  bool write(std::uint32_t node, const std::string& key, const std::string& text) {
    return wait_for([&] {
      return ask(node, "PUT", "/kv/" + key + "?timeout_ms=5000", R"({"value":")" + text + "\"}").status ==
             200;
    });
  }

  /// A majority goes on without those that are cut off from it, which serve nothing. `cut_off` may hold the leader.
  void expect_served_by_majority_only(const std::vector<std::uint32_t>& cut_off) {
    const std::vector<std::uint32_t> majority = others(cut_off);
    const std::uint64_t dropped = network_->dropped();
    for (const std::uint32_t node : majority) {
      EXPECT_NE(wait_for_leader_at(*cluster_, node,
                                   [&](std::uint32_t leads) {
                                     return std::ranges::find(majority, leads) != majority.end();
                                   }),
                0U);
    }
    ASSERT_TRUE(write(majority.front(), "mark", "new")) << cluster_->said(majority.front());
    for (const std::uint32_t node : cut_off) {
      for (const char* policy : {"read_index", "lease"}) {
        const Reply reply = ask(node, "GET", std::string("/kv/mark?timeout_ms=300&read=") + policy);
        EXPECT_GE(reply.status, 503U) << policy << ": " << reply.text;
      }
      EXPECT_GE(ask(node, "PUT", "/kv/lost?timeout_ms=300", R"({"value":"x"})").status, 503U);
    }
    EXPECT_TRUE(goes_on(*load_, 100));
    EXPECT_GT(network_->dropped(), dropped) << "nothing was cut";
  }
  /// Nothing of what was written meanwhile has come through.
  void expect_behind(const std::vector<std::uint32_t>& cut_off) {
    for (const std::uint32_t node : cut_off) EXPECT_EQ(value(ask(node, "GET", "/kv/mark?read=stale")), "old");
  }
  /// All of them know the latest write.
  void expect_healed() {
    network_->heal();
    for (std::uint32_t id = 1; id <= cluster_->nodes(); ++id) {
      EXPECT_TRUE(wait_for([&] { return value(ask(id, "GET", "/kv/mark")) == "new"; })) << cluster_->said(id);
    }
    EXPECT_TRUE(goes_on(*load_, 100));
  }

  std::unique_ptr<ProcessNetwork> network_;
  std::unique_ptr<ProcessCluster> cluster_;
  std::unique_ptr<Load> load_;
};

/// Leases: the former leader may go on answering for as long as its own lasts, and nobody leads before that.
const std::vector<std::string> with_leases = {"--lease-drift-ppm=1000", "--read-policy=lease"};

TEST_F(NetworkFaults, ALeaderThatIsIsolatedServesNothingOldAndTheOthersGoOn) {
  ASSERT_NO_FATAL_FAILURE(begin(3, with_leases));
  const std::uint32_t old = wait_for_leader(*cluster_);
  ASSERT_TRUE(write(old, "mark", "old"));
  network_->cut(ProcessNetwork::between({old}, others({old})));
  expect_served_by_majority_only({old});
  expect_behind({old});
  expect_healed();
  expect_audited(*cluster_, load_->end(), 300);
}

TEST_F(NetworkFaults, OfTwoPartsTheLargerOneGoesOnAlsoWithoutTheLeader) {
  ASSERT_NO_FATAL_FAILURE(begin(5, with_leases));
  const std::uint32_t old = wait_for_leader(*cluster_);
  ASSERT_TRUE(write(old, "mark", "old"));
  const std::vector<std::uint32_t> minority{old, old % 5 + 1};
  ASSERT_TRUE(wait_for([&] { return value(ask(minority[1], "GET", "/kv/mark?read=stale")) == "old"; }));
  network_->cut(ProcessNetwork::between(minority, others(minority)));
  expect_served_by_majority_only(minority);
  expect_behind(minority);
  expect_healed();
  expect_audited(*cluster_, load_->end(), 300);
}

TEST_F(NetworkFaults, ALeaderWhomNobodyHearsIsReplacedThoughItHearsEverybody) {
  ASSERT_NO_FATAL_FAILURE(begin(3));
  const std::uint32_t old = wait_for_leader(*cluster_);
  ASSERT_TRUE(write(old, "mark", "old"));
  network_->cut(ProcessNetwork::one_way({old}, others({old})));
  expect_served_by_majority_only({old});
  expect_healed();
  expect_audited(*cluster_, load_->end(), 300);
}

TEST_F(NetworkFaults, ALeaderThatHearsNobodyIsReplacedThoughEverybodyHearsIt) {
  ASSERT_NO_FATAL_FAILURE(begin(3));
  const std::uint32_t old = wait_for_leader(*cluster_);
  ASSERT_TRUE(write(old, "mark", "old"));
  network_->cut(ProcessNetwork::one_way(others({old}), {old}));
  const std::uint64_t dropped = network_->dropped();
  EXPECT_NE(wait_for_leader_at(*cluster_, old % 3 + 1, [&](std::uint32_t leads) { return leads != old; }),
            0U);
  ASSERT_TRUE(write(old % 3 + 1, "mark", "new"));
  EXPECT_TRUE(goes_on(*load_, 100));
  EXPECT_GT(network_->dropped(), dropped);
  expect_healed();
  expect_audited(*cluster_, load_->end(), 300);
}

TEST_F(NetworkFaults, WithoutAMajorityAnywhereNobodyIsServedUntilThereIsOneAgain) {
  ASSERT_NO_FATAL_FAILURE(begin(3, with_leases));
  ASSERT_TRUE(write(1, "mark", "new"));
  std::vector<ProcessNetwork::Cut> all;
  for (std::uint32_t id = 1; id <= 3; ++id) {
    for (const auto& cut : ProcessNetwork::one_way({id}, others({id}))) all.push_back(cut);
  }
  network_->cut(all);
  // A lease of before ends soon.
  for (std::uint32_t id = 1; id <= 3; ++id) {
    EXPECT_TRUE(wait_for([&] { return ask(id, "GET", "/kv/mark?timeout_ms=100").status >= 503; }));
  }
  for (std::uint32_t id = 1; id <= 3; ++id) {
    EXPECT_GE(ask(id, "GET", "/kv/mark?timeout_ms=300").status, 503U);
    EXPECT_GE(ask(id, "PUT", "/kv/lost?timeout_ms=300", R"({"value":"x"})").status, 503U);
  }
  EXPECT_GT(network_->dropped(), 0U);
  expect_healed();
  expect_audited(*cluster_, load_->end(), 200);
}

/// Between the leader and one follower only: everybody still is in reach of a quorum.
TEST_F(NetworkFaults, ALinkThatComesAndGoesStopsNobody) {
  ASSERT_NO_FATAL_FAILURE(begin(3, with_leases));
  std::uint64_t dropped = network_->dropped();
  for (int times = 0; times < 6; ++times) {
    const std::uint32_t leads = wait_for_leader(*cluster_);
    ASSERT_NE(leads, 0U);
    const std::uint32_t follower = leads % 3 + 1;
    network_->cut(times % 2 == 0 ? ProcessNetwork::between({leads}, {follower})
                                 : ProcessNetwork::one_way({leads}, {follower}));
    EXPECT_TRUE(wait_for([&] { return network_->dropped() > dropped; })) << "flap " << times;
    EXPECT_TRUE(goes_on(*load_, 50)) << "flap " << times << "\n" << cluster_->said(leads);
    network_->heal();
    dropped = network_->dropped();
    EXPECT_TRUE(goes_on(*load_, 50)) << "flap " << times << "\n" << cluster_->said(leads);
  }
  ASSERT_TRUE(write(1, "mark", "new"));
  expect_healed();
  // Whoever leads now has everything that was acknowledged meanwhile.
  const std::uint32_t leads = wait_for_leader(*cluster_);
  ASSERT_NE(leads, 0U);
  cluster_->kill(leads);
  EXPECT_TRUE(goes_on(*load_, 50)) << cluster_->said(leads % 3 + 1);
  expect_audited(*cluster_, load_->end(), 750);
}

}  // namespace
}  // namespace raftlab::diskeyval
