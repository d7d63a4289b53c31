#include "net/http_fixture.hpp"

namespace raftlab::net {
namespace {

using namespace test;

/// Three nodes, each with a client port.
class HttpCluster : public HttpFixture {
 protected:
  void begin() {
    start(nullptr, 3, 3);
    serve(1);
    serve(2);
    ASSERT_TRUE(until([&] { return find_leader() < nodes.size(); }));
    for (std::uint32_t id = 1; id <= 3; ++id)
      addresses[raft::NodeId(id)] = "https://node" + std::to_string(id) + ".example:8080";
  }
  /// The node that leads and that all others follow; 3: there is none.
  [[nodiscard]] std::size_t find_leader() const {
    const raft::NodeId leader = nodes[0].host->status().state.leader;
    for (const Node& node : nodes)
      if (node.host->status().state.leader != leader) return nodes.size();
    return leader ? leader.value() - 1 : nodes.size();
  }
  [[nodiscard]] std::size_t find_follower() const { return (find_leader() + 1) % 3; }
};

TEST_F(HttpCluster, C13_AFollowerBringsAWriteToTheLeader) {
  begin();
  HttpTestClient& client = dial(find_follower());
  EXPECT_EQ(ask(client, put("/kv/k", "v")).status, 200U);
  EXPECT_EQ(value(ask(client, request("GET", "/kv/k"))), "v");
}

TEST_F(HttpCluster, C13_ARedirectionNamesTheLeaderAsConfigured) {
  begin();
  const std::size_t leader = find_leader();
  HttpTestClient& client = dial(find_follower());
  const HttpTestAnswer moved =
      ask(client,
          "PUT /kv/a%0d%0ab?redirect=true HTTP/1.1\r\nHost: 192.0.2.66:80\r\nContent-Length: 13\r\n\r\n"
          "{\"value\":\"v\"}");
  EXPECT_EQ(moved.status, 307U);
  EXPECT_EQ(moved.header("Location"),
            "https://node" + std::to_string(leader + 1) + ".example:8080/kv/a%0d%0ab?redirect=true");
  EXPECT_EQ(ask(dial(leader), request("PUT", "/kv/k?redirect=true", R"({"value":"v"})")).status, 200U);
  addresses.clear();
  const HttpTestAnswer unknown = ask(client, request("PUT", "/kv/k?redirect=true", R"({"value":"v"})"));
  EXPECT_EQ(unknown.status, 503U);
  EXPECT_EQ(unknown.header("Retry-After"), "1");
}

TEST_F(HttpCluster, C14_ALeaderThatIsCutOffServesNothingOld) {
  begin();
  const std::size_t old = find_leader();
  HttpTestClient& client = dial(old);
  ASSERT_EQ(ask(client, put("/kv/k", "old")).status, 200U);
  network.isolate(raft::NodeId(static_cast<std::uint32_t>(old + 1)));
  HttpTestClient& other = dial((old + 1) % 3);
  ASSERT_TRUE(until([&] { return nodes[(old + 1) % 3].host->status().state.leader.value() != old + 1; }));
  ASSERT_EQ(ask(other, request("PUT", "/kv/k?timeout_ms=20000", R"({"value":"new"})")).status, 200U);
  const HttpTestAnswer read = ask(client, request("GET", "/kv/k?timeout_ms=500"));
  EXPECT_GE(read.status, 503U) << read.body;
  EXPECT_GE(ask(client, request("PUT", "/kv/k?timeout_ms=500", R"({"value":"x"})")).status, 503U);
  network.heal();
  EXPECT_EQ(value(ask(client, request("GET", "/kv/k?timeout_ms=20000"))), "new");
}

TEST_F(HttpCluster, C15_WhoIsCutOffTriesAgainAndItHappensOnce) {
  begin();
  HttpTestClient& client = dial();
  const std::string session = json::parse(ask(client, request("POST", "/sessions")).body)["client_id"].dump();
  const std::string swap =
      request("POST", "/kv/k/cas", R"({"expected":null,"value":"1","seq":1,"client_id":)" + session + "}");
  const std::uint64_t before = server().counters().requests;
  HttpTestClient& impatient = dial();
  impatient.send(swap);
  ASSERT_TRUE(until([&] { return server().counters().requests == before + 1; }));
  impatient.reset();
  // The same again: were it done anew, the key would exist.
  const HttpTestAnswer again = ask(client, swap);
  EXPECT_EQ(again.status, 200U) << again.body;
  EXPECT_EQ(value(ask(client, request("GET", "/kv/k"))), "1");
  EXPECT_EQ(ask(client, swap).status, 200U);
}

TEST_F(HttpCluster, C17_AFloodOfSessionsLeavesTheSameOnesOnEveryNode) {
  begin();
  HttpTestClient& client = dial();
  const std::string first = json::parse(ask(client, request("POST", "/sessions")).body)["client_id"].dump();
  const std::size_t most = kv::StoreOptions{}.sessions_max;
  std::size_t opened = 0;
  std::size_t asked = 0;
  // As POST /sessions asks for them, without the bodies; again where the node is busy.
  ASSERT_TRUE(until([&] {
    for (; asked < opened + 1'000 && asked < most + 500; ++asked) {
      Wish wish;
      wish.what = kv::Change{kv::OpenSession{}};
      nodes[asked % 3].host->request(std::move(wish), [&](const kv::Answer& answer) {
        answer.status == kv::Status::ok ? ++opened : --asked;
      });
    }
    return opened >= most + 500;
  }));
  const auto store = [&](std::size_t node) -> const kv::Store& {
    return nodes[node].host->service().store();
  };
  EXPECT_TRUE(until(
      [&] { return store(0).applied() == store(1).applied() && store(1).applied() == store(2).applied(); }));
  for (const std::size_t node : {0U, 1U, 2U}) {
    EXPECT_EQ(store(node).sessions(), most);
    EXPECT_EQ(store(node).digest(), store(0).digest());
  }
  const HttpTestAnswer evicted =
      ask(client, request("PUT", "/kv/k", R"({"value":"v","seq":1,"client_id":)" + first + "}"));
  EXPECT_EQ(evicted.status, 410U) << evicted.body;
  EXPECT_EQ(ask(client, put("/kv/k", "v")).status, 200U) << "others are served";
}

TEST_F(HttpCluster, C16_TheSameNumberWithAnotherBodyIsRefused) {
  begin();
  HttpTestClient& client = dial();
  const std::string session = json::parse(ask(client, request("POST", "/sessions")).body)["client_id"].dump();
  const auto write = [&](const char* text) {
    return request("PUT", "/kv/k", R"({"seq":1,"client_id":)" + session + R"(,"value":")" + text + "\"}");
  };
  EXPECT_EQ(json::parse(ask(client, write("1")).body)["duplicate"], false);
  // Through whichever node.
  for (const std::size_t node : {0U, 1U, 2U}) {
    const HttpTestAnswer refused = ask(dial(node), write("2"));
    EXPECT_EQ(refused.status, 409U) << refused.body;
    EXPECT_EQ(error(refused), "sequence_reused");
    EXPECT_EQ(json::parse(ask(dial(node), write("1")).body)["duplicate"], true);
  }
  const HttpTestAnswer deleted =
      ask(client, request("DELETE", "/kv/k", R"({"seq":1,"client_id":)" + session + "}"));
  EXPECT_EQ(deleted.status, 409U);
  EXPECT_EQ(value(ask(client, request("GET", "/kv/k"))), "1");
  // The same numbers of another client are numbers of another session.
  const std::string other = json::parse(ask(client, request("POST", "/sessions")).body)["client_id"].dump();
  const std::string body = R"({"seq":1,"client_id":)" + other + R"(,"value":"3"})";
  EXPECT_EQ(json::parse(ask(client, request("PUT", "/kv/k", body)).body)["duplicate"], false);
  EXPECT_EQ(value(ask(client, request("GET", "/kv/k"))), "3");
}

}  // namespace
}  // namespace raftlab::net
