#include "net/identity.hpp"
#include "tools/diskeyval/process_audit.hpp"
#include "tools/diskeyval/process_cluster.hpp"
#include "tools/diskeyval/process_load.hpp"
#include "tools/diskeyval/process_waits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

/// What operators do to a cluster of real processes while it works, and a larger cluster that loses two nodes at a time.
namespace raftlab::diskeyval {
namespace {

using namespace test;
using std::chrono::seconds;

TEST(FiveProcesses, LeaderAndFollowerAreKilledTogetherAndEveryNodeTakesWrites) {
  ProcessCluster cluster(5);
  ASSERT_NE(wait_for_leader(cluster), 0U) << cluster.said(1);
  Load load(cluster, 5);
  for (std::uint32_t id = 1; id <= 5; ++id)
    EXPECT_TRUE(wait_for([&] { return load.writes_at(id) >= 10; })) << "node " << id;
  for (int times = 0; times < 3; ++times) {
    const std::uint32_t leads = wait_for_leader(cluster);
    ASSERT_NE(leads, 0U);
    const std::uint32_t follower = leads % 5 + 1;
    cluster.kill(leads);
    cluster.kill(follower);
    EXPECT_TRUE(goes_on(load, 100)) << "after kill " << times << "\n" << cluster.said(follower % 5 + 1);
    for (const std::uint32_t id : {leads, follower}) {
      cluster.start(id);
      EXPECT_TRUE(wait_until_ready(cluster, id)) << cluster.said(id);
    }
  }
  expect_audited(cluster, load.end(), 350);
}

TEST(ProcessesInMemory, ANumberHasOneLife) {
  ProcessCluster cluster(ClusterOptions{.memory = true});
  ASSERT_NE(wait_for_leader(cluster), 0U) << cluster.said(1);
  for (std::uint32_t id = 1; id <= 3; ++id) {
    EXPECT_TRUE(wait_until_ready(cluster, id));
    EXPECT_NE(cluster.said(id).find("in_memory"), std::string::npos) << "it does not say so";
  }
  Load load(cluster, 3);
  EXPECT_TRUE(goes_on(load, 100));
  const std::uint32_t leads = wait_for_leader(cluster);
  cluster.kill(leads);
  EXPECT_TRUE(goes_on(load, 100)) << cluster.said(leads % 3 + 1);

  // It could vote a second time in a term, and be counted for entries that it has no more: it does not start ...
  cluster.start(leads);
  EXPECT_EQ(cluster.ended(leads), 65);
  EXPECT_NE(cluster.said(leads).find("has been running in memory before"), std::string::npos);

  // ... and when somebody removes what tells it so, the others do not let it take part.
  std::vector<fs::path> marks;
  for (const fs::directory_entry& entry : fs::directory_iterator(cluster.directory())) {
    if (entry.path().filename().string().ends_with("-" + std::to_string(leads) + ".in-memory"))
      marks.push_back(entry.path());
  }
  ASSERT_EQ(marks.size(), 1U);
  fs::remove(marks.front());
  cluster.start(leads);
  EXPECT_TRUE(wait_for([&] { return cluster.said(leads).find("forgetful") != std::string::npos; }))
      << cluster.said(leads);
  EXPECT_TRUE(goes_on(load, 100));
  const auto asking = cluster.client(seconds(1));
  EXPECT_EQ(asking->ask_one(cluster.endpoint(leads), "GET", "/readyz", "").status, 503U);
  expect_linearizable(load.end(), 200);
}

TEST(Processes, C25_MetricsTellNothingOfKeysAndValues) {
  ProcessCluster cluster(1);
  ASSERT_EQ(wait_for_leader(cluster), 1U) << cluster.said(1);
  const auto asking = cluster.client();
  ASSERT_EQ(asking->ask("PUT", "/kv/a-secret-key", R"({"value":"a-secret-value"})").status, 200U);
  ASSERT_EQ(asking->ask("GET", "/kv/a-secret-key").status, 200U);
  const std::string metrics = asking->ask_one(cluster.endpoint(1), "GET", "/metrics", "").text;
  EXPECT_NE(metrics.find("diskeyval_request_seconds_count{kind=\"write\"} 1"), std::string::npos) << metrics;
  for (const std::string& text : {metrics, cluster.said(1)}) {
    EXPECT_EQ(text.find("a-secret"), std::string::npos) << text;
  }
}

class Operation : public ::testing::Test {
 protected:
  /// As an operator says it: all voters that there shall be. It is refused while another change has not ended.
  static void reconfigure(const ProcessCluster& cluster, const std::vector<std::string>& voters) {
    std::string endpoints;
    for (std::uint32_t id = 1; id <= 4; ++id)
      endpoints += (endpoints.empty() ? "" : ",") + net::text_of(cluster.endpoint(id));
    std::vector<std::string> words = {"reconfigure", "--endpoints=" + endpoints,
                                      "--cert=" + (cluster.directory() / "admin-test.crt").string()};
    words.insert(words.end(), voters.begin(), voters.end());
    std::string why;
    EXPECT_TRUE(wait_for([&] {
      try {
        run(ProcessCluster::program().string(), words);
        return true;
      } catch (const std::exception& error) {
        why = error.what();
        return false;
      }
    })) << why;
  }

  /// These are the voters, says the node, and no change is under way.
  static bool wait_for_voters(const ProcessCluster& cluster, std::uint32_t node,
                              const std::vector<std::uint32_t>& voters) {
    const auto asking = cluster.client(seconds(1));
    return wait_for([&] {
      const Reply reply = asking->ask_one(cluster.endpoint(node), "GET", "/status", "");
      if (reply.status != 200 || reply.body.at("joint").get<bool>()) return false;
      std::vector<std::uint32_t> found;
      for (const auto& member : reply.body.at("members")) {
        if (member.at("voter").get<bool>()) found.push_back(member.at("id").get<std::uint32_t>());
      }
      std::ranges::sort(found);
      return found == voters;
    });
  }
};

TEST_F(Operation, ANodeIsAddedAndTheLeaderRemovedUnderLoad) {
  ClusterOptions options;
  options.spares = 1;
  ProcessCluster cluster(std::move(options));
  ASSERT_NE(wait_for_leader(cluster), 0U) << cluster.said(1);
  Load load(cluster, 4);
  ASSERT_TRUE(goes_on(load, 100));

  cluster.start(4);
  reconfigure(cluster, {"node1", "node2", "node3", "node4=" + cluster.peer_address(4)});
  ASSERT_TRUE(wait_for_voters(cluster, 4, {1, 2, 3, 4})) << cluster.said(4);
  EXPECT_TRUE(goes_on(load, 100));

  const std::uint32_t leaves = wait_for_leader(cluster);
  ASSERT_NE(leaves, 0U);
  std::vector<std::uint32_t> stay;
  std::vector<std::string> named;
  for (std::uint32_t id = 1; id <= 4; ++id) {
    if (id == leaves) continue;
    stay.push_back(id);
    named.push_back("node" + std::to_string(id));
  }
  named.emplace_back("--force");  // the leader is asked to leave itself out
  reconfigure(cluster, named);
  for (const std::uint32_t id : stay) EXPECT_TRUE(wait_for_voters(cluster, id, stay)) << cluster.said(id);
  EXPECT_NE(wait_for_leader_at(cluster, stay[0], [&](std::uint32_t leads) { return leads != leaves; }), 0U);
  EXPECT_TRUE(goes_on(load, 100));
  EXPECT_EQ(cluster.end(leaves), 0) << cluster.said(leaves);

  // Two of three are a majority; two of four would not be one.
  cluster.kill(stay[0]);
  EXPECT_TRUE(goes_on(load, 100)) << cluster.said(stay[1]);
  expect_audited(cluster, load.end(), 400);
}

/// The files of a cluster, which are exchanged while it works.
class Rotation : public ::testing::Test {
 protected:
  static std::string read(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// Whole or not at all, under the permissions that the old one has.
  static void replace(const fs::path& file, const std::string& text) {
    const fs::path next = file.string() + ".next";
    fs::copy_file(file, next, fs::copy_options::overwrite_existing);
    std::ofstream(next, std::ios::binary | std::ios::trunc) << text;
    fs::rename(next, file);
  }
  /// Tells a node to read its files again, and waits until both ports have.
  static void reload(ProcessCluster& cluster, std::uint32_t id) {
    const auto count = [&] {
      const std::string said = cluster.said(id);
      const std::string event = "\"event\":\"reloaded\"";
      std::size_t times = 0;
      for (std::size_t at = said.find(event); at != std::string::npos; at = said.find(event, at + 1)) ++times;
      return times;
    };
    const std::size_t before = count();
    cluster.signal(id, SIGHUP);
    EXPECT_TRUE(wait_for([&] { return count() >= before + 2; })) << cluster.said(id);
    EXPECT_EQ(cluster.said(id).find("\"event\":\"reload_failed\""), std::string::npos) << cluster.said(id);
  }
  /// Until when the certificate is valid that a node works with.
  static double expiry(const ProcessCluster& cluster, std::uint32_t id) {
    const Reply reply = cluster.client(seconds(10))->ask_one(cluster.endpoint(id), "GET", "/metrics", "");
    const std::string name = "\ndiskeyval_tls_certificate_expiry_timestamp_seconds ";
    const std::size_t at = reply.text.find(name);
    return at == std::string::npos ? 0 : std::stod(reply.text.substr(at + name.size()));
  }
};

TEST_F(Rotation, CertificatesAndAuthorityAreExchangedUnderLoad) {
  ProcessCluster cluster(3);
  const fs::path files = cluster.directory();
  ASSERT_NE(wait_for_leader(cluster), 0U) << cluster.said(1);
  Load before(cluster, 2);
  ASSERT_TRUE(goes_on(before, 100));

  const fs::path next = files / "next";
  const std::string old_authority = read(files / "ca.crt");
  CertsInit init;
  init.cluster = net::cluster_of(old_authority)->value();
  init.days = 3;
  cluster.make_certificates(next, init);
  const std::string authority = read(next / "ca.crt");

  // First everybody trusts both of them ...
  replace(files / "ca.crt", old_authority + authority);
  for (std::uint32_t id = 1; id <= 3; ++id) reload(cluster, id);
  EXPECT_TRUE(goes_on(before, 100));

  // ... then certificates are exchanged one after the other, so that old and new ones talk to each other ...
  for (std::uint32_t id = 1; id <= 3; ++id) {
    const double was = expiry(cluster, id);
    for (const char* ending : {".key", ".crt"}) {
      const std::string name = "node-" + std::to_string(id) + ending;
      replace(files / name, read(next / name));
    }
    reload(cluster, id);
    EXPECT_GT(expiry(cluster, id), was + 86'400) << "the certificate is the old one";
    EXPECT_TRUE(goes_on(before, 50)) << cluster.said(id);
  }
  const fs::path former = files / "former";
  fs::create_directory(former);
  for (const char* name : {"admin-test.key", "admin-test.crt"}) {
    fs::copy_file(files / name, former / name);
    replace(files / name, read(next / name));
  }
  Load after(cluster, 2, "n");
  EXPECT_TRUE(goes_on(after, 50));
  EXPECT_TRUE(goes_on(before, 50)) << "clients with old certificates are still served";
  expect_linearizable(before.end(), 350);

  // ... and last, nobody trusts the old one any more.
  replace(files / "ca.crt", authority);
  for (std::uint32_t id = 1; id <= 3; ++id) {
    reload(cluster, id);
    EXPECT_TRUE(goes_on(after, 50)) << cluster.said(id);
  }
  const auto refused = cluster.client(seconds(1), 1, former);
  for (std::uint32_t id = 1; id <= 3; ++id) {
    EXPECT_EQ(refused->ask_one(cluster.endpoint(id), "GET", "/status", "").status, 0U) << "node " << id;
    EXPECT_TRUE(wait_until_ready(cluster, id)) << cluster.said(id);
  }
  const std::uint32_t leads = wait_for_leader(cluster);
  cluster.kill(leads);
  EXPECT_TRUE(goes_on(after, 100)) << cluster.said(leads % 3 + 1);
  cluster.start(leads);
  EXPECT_TRUE(wait_until_ready(cluster, leads)) << cluster.said(leads);
  expect_audited(cluster, after.end(), 300);
}

}  // namespace
}  // namespace raftlab::diskeyval
