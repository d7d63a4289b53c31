#include "net/api.hpp"

#include "net/test_network.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace raftlab::net {
namespace {

using nlohmann::json;
using raft::NodeId;

/// The API of node 1, which is alone unless the test says otherwise.
class ApiTest : public testing::Test {
 public:
  ~ApiTest() override {
    if (host) host->stop();
    loop.restart();
    loop.poll();
  }

 protected:
  void start(std::uint32_t members) {
    HostOptions options;
    options.id = NodeId(1);
    options.cluster = 5;
    options.tick = std::chrono::milliseconds(5);
    options.election_timeout = std::chrono::milliseconds(50);
    options.heartbeat = std::chrono::milliseconds(20);
    for (std::uint32_t id = 1; id <= members; ++id)
      options.first_members.push_back(
          raft::Member{NodeId(id), "n" + std::to_string(id), "h:" + std::to_string(id)});
    host = std::make_unique<Host>(loop, options, wire, HostEvents{});
    wire.start(host->handlers());
    host->start();
    ApiOptions api_options;
    api_options.address = [this](NodeId node) -> std::optional<std::string> {
      const auto at = addresses.find(node);
      return at == addresses.end() ? std::nullopt : std::optional(at->second);
    };
    api.emplace(*host, api_options);
  }

  ApiReply ask(std::string method, std::string target, std::string body = "",
               ApiRole role = ApiRole::client) {
    if (!api) start(1);
    std::optional<ApiReply> reply;
    api->handle(ApiRequest{std::move(method), std::move(target), std::move(body), role}, [&](ApiReply given) {
      EXPECT_FALSE(reply) << "answered twice";
      reply = std::move(given);
    });
    EXPECT_TRUE(test::run_until(loop, [&] { return reply.has_value(); }));
    return reply.value_or(ApiReply{0, "{}", {}});
  }
  static json body(const ApiReply& reply) { return json::parse(reply.body); }
  static std::string error(const ApiReply& reply) { return body(reply).value("error", ""); }
  static std::string header(const ApiReply& reply, const std::string& name) {
    for (const auto& [field, value] : reply.headers) {
      if (field == name) return value;
    }
    return "";
  }

  boost::asio::io_context loop{1};
  test::Network network{loop};
  test::Network::Wire wire{network, NodeId(1)};
  std::unique_ptr<Host> host;
  std::optional<Api> api;
  std::map<NodeId, std::string> addresses;
};

TEST_F(ApiTest, AKeyIsWrittenReadAndDeleted) {
  EXPECT_EQ(error(ask("GET", "/kv/k")), "not_found");
  const ApiReply put = ask("PUT", "/kv/k", R"({"value":"v"})");
  EXPECT_EQ(put.status, 200U);
  EXPECT_FALSE(body(put)["duplicate"]);
  const json read = body(ask("GET", "/kv/k"));
  EXPECT_EQ(read["key"], "k");
  EXPECT_EQ(read["value"], "v");
  EXPECT_FALSE(read.contains("encoding"));
  EXPECT_EQ(read["index"], body(put)["index"]);
  EXPECT_EQ(ask("DELETE", "/kv/k").status, 200U);
  EXPECT_EQ(ask("GET", "/kv/k").status, 404U);
}

TEST_F(ApiTest, WhatIsNoTextTravelsAsBase64) {
  EXPECT_EQ(ask("PUT", "/kv/%00%ff", R"({"value":"AP8=","encoding":"base64"})").status, 200U);
  const json read = body(ask("GET", "/kv/%00%FF"));
  EXPECT_EQ(read, json::parse(
                      R"({"key":"AP8=","key_encoding":"base64","value":"AP8=","encoding":"base64","index":)" +
                      read["index"].dump() + "}"));
}

TEST_F(ApiTest, ACompareAndSwapTellsWhatItFound) {
  EXPECT_EQ(ask("POST", "/kv/k/cas", R"({"expected":null,"value":"1"})").status, 200U);
  const ApiReply failed = ask("POST", "/kv/k/cas", R"({"expected":"0","value":"2"})");
  EXPECT_EQ(failed.status, 409U);
  EXPECT_EQ(error(failed), "compare_failed");
  EXPECT_EQ(body(failed)["found"], "1");
  EXPECT_EQ(body(ask("POST", "/kv/other/cas", R"({"expected":"0","value":"2"})"))["found"], nullptr);
}

TEST_F(ApiTest, SeveralKeysAtOnce) {
  EXPECT_EQ(
      ask("POST", "/kv/mput", R"({"entries":[{"key":"a","value":"1"},{"key":"b","value":"2"}]})").status,
      200U);
  const json read = body(ask("POST", "/kv/mget", R"({"keys":["b","c","a"]})"));
  EXPECT_EQ(read["values"],
            json::parse(R"([{"key":"b","value":"2"},{"key":"c","value":null},{"key":"a","value":"1"}])"));
}

TEST_F(ApiTest, KeysThatAreNamedLikeARouteAreKeys) {
  EXPECT_EQ(ask("PUT", "/kv/mput", R"({"value":"v"})").status, 200U);
  EXPECT_EQ(body(ask("GET", "/kv/mput"))["value"], "v");
  EXPECT_EQ(ask("PUT", "/kv/a%2Fcas", R"({"value":"w"})").status, 200U);
  EXPECT_EQ(body(ask("GET", "/kv/a%2Fcas"))["value"], "w");
}

TEST_F(ApiTest, ARetryInASessionHasNoFurtherEffect) {
  const ApiReply opened = ask("POST", "/sessions");
  EXPECT_EQ(opened.status, 201U);
  const std::string session = body(opened)["client_id"].dump();
  const std::string first = R"({"client_id":)" + session + R"(,"seq":1,"value":"1"})";
  EXPECT_FALSE(body(ask("PUT", "/kv/k", first))["duplicate"]);
  EXPECT_EQ(ask("PUT", "/kv/k", R"({"value":"2"})").status, 200U);
  EXPECT_TRUE(body(ask("PUT", "/kv/k", first))["duplicate"]);
  EXPECT_EQ(body(ask("GET", "/kv/k"))["value"], "2");
  EXPECT_EQ(error(ask("PUT", "/kv/k", R"({"client_id":999999,"seq":1,"value":""})")), "session_expired");
}

TEST_F(ApiTest, WhatTheStoreDoesNotTakeIsSaidWithItsReason) {
  EXPECT_EQ(ask("PUT", "/kv/", R"({"value":"v"})").status, 400U);
  EXPECT_EQ(ask("PUT", "/kv/" + std::string(4097, 'k'), R"({"value":"v"})").status, 413U);
  EXPECT_EQ(ask("PUT", "/kv/k", R"({"value":")" + std::string((1U << 20U) + 1, 'v') + "\"}").status, 413U);
  EXPECT_EQ(ask("PUT", "/kv/k", R"({"value":"v","x":1})").status, 400U);
  EXPECT_EQ(ask("PUT", "/kv/%zz", R"({"value":"v"})").status, 400U);
  EXPECT_EQ(ask("POST", "/kv/mget", R"({"keys":[]})").status, 400U);
}

TEST_F(ApiTest, TheQueryChoosesHowToRead) {
  EXPECT_EQ(ask("PUT", "/kv/k", R"({"value":"v"})").status, 200U);
  for (const char* policy : {"stale", "read_index", "lease"}) {
    EXPECT_EQ(ask("GET", std::string("/kv/k?read=") + policy).status, 200U) << policy;
  }
  EXPECT_EQ(ask("GET", "/kv/k?read=quick").status, 400U);
  EXPECT_EQ(ask("PUT", "/kv/k?read=stale", R"({"value":"v"})").status, 400U);
  EXPECT_EQ(ask("GET", "/kv/k?timeout_ms=100&redirect=true").status, 200U);
  for (const char* query : {"timeout_ms=0", "timeout_ms=60001", "timeout_ms=1x",
                            "timeout_ms=", "timeout_ms=-1", "redirect=1", "x=1"}) {
    EXPECT_EQ(ask("GET", std::string("/kv/k?") + query).status, 400U) << query;
  }
}

TEST_F(ApiTest, PathsAndMethodsThatAreNotThere) {
  for (const char* path : {"/", "/kv", "/kv/k/x", "/kv/k/cas/y", "/admin", "/../status", "/metric"}) {
    EXPECT_EQ(ask("GET", path, "", ApiRole::admin).status, 404U) << path;
  }
  const ApiReply refused = ask("PATCH", "/kv/k");
  EXPECT_EQ(refused.status, 405U);
  EXPECT_EQ(header(refused, "Allow"), "GET, PUT, DELETE");
  EXPECT_EQ(ask("get", "/kv/k").status, 405U);
}

TEST_F(ApiTest, RolesDecideWhatIsAllowed) {
  EXPECT_EQ(ask("GET", "/healthz", "", ApiRole::none).status, 200U);
  EXPECT_EQ(ask("GET", "/kv/k", "", ApiRole::none).status, 403U);
  EXPECT_EQ(ask("GET", "/status", "", ApiRole::none).status, 403U);
  for (const char* path :
       {"/admin/reconfigure", "/admin/transfer", "/admin/snapshot", "/admin/read-policy"}) {
    EXPECT_EQ(ask("POST", path, "{}", ApiRole::client).status, 403U) << path;
  }
  EXPECT_EQ(ask("POST", "/admin/snapshot", "", ApiRole::admin).status, 202U);
}

TEST_F(ApiTest, TheOperatorsRequests) {
  EXPECT_EQ(ask("PUT", "/kv/k", R"({"value":"v"})").status, 200U);
  const ApiReply added = ask(
      "POST", "/admin/reconfigure",
      R"({"members":[{"id":1,"address":"h:1"},{"id":2,"address":"h:2","learner":true}]})", ApiRole::admin);
  EXPECT_EQ(added.status, 202U) << added.body;
  EXPECT_EQ(error(ask("POST", "/admin/reconfigure", R"({"members":[]})", ApiRole::admin)),
            "bad_configuration");
  EXPECT_EQ(error(ask("POST", "/admin/transfer", R"({"target":1})", ApiRole::admin)), "bad_target");
  EXPECT_EQ(ask("POST", "/admin/read-policy", R"({"read":"stale"})", ApiRole::admin).status, 200U);
  EXPECT_EQ(ask("POST", "/admin/transfer", R"({"target":"x"})", ApiRole::admin).status, 400U);
}

TEST_F(ApiTest, C27_ChangesThatNobodyCanHaveMeant) {
  EXPECT_EQ(ask("PUT", "/kv/k", R"({"value":"v"})").status, 200U);
  const auto before = host->status();
  const auto expect_conflict = [&](const char* members, const char* code) {
    const ApiReply refused = ask("POST", "/admin/reconfigure", members, ApiRole::admin);
    EXPECT_EQ(refused.status, 409U) << members << refused.body;
    EXPECT_EQ(error(refused), code) << members;
  };
  // The last voter; the same as a learner.
  expect_conflict(R"({"members":[]})", "bad_configuration");
  expect_conflict(R"({"members":[],"force":true})", "bad_configuration");
  expect_conflict(R"({"members":[{"id":1,"address":"h:1","learner":true}]})", "bad_configuration");
  // An id that stands twice, as a voter and as a learner, too.
  expect_conflict(R"({"members":[{"id":1,"address":"h:1"},{"id":1,"address":"h:2"}]})", "bad_configuration");
  expect_conflict(
      R"({"members":[{"id":1,"address":"h:1"},{"id":2,"address":"h:2"},{"id":2,"address":"h:3","learner":true}]})",
      "bad_configuration");
  // The leader itself.
  expect_conflict(R"({"members":[{"id":2,"address":"h:2"}]})", "removes_itself");
  // A node at the address of the leader.
  expect_conflict(R"({"members":[{"id":1,"address":"h:1"},{"id":2,"address":"h:1"}]})", "bad_configuration");
  expect_conflict(
      R"({"members":[{"id":1,"address":"h:1"},{"id":2,"address":"h:1","learner":true}],"force":true})",
      "bad_configuration");
  const auto after = host->status();
  EXPECT_EQ(after.state.hard, before.state.hard);
  EXPECT_EQ(after.state.last, before.state.last) << "something was appended";
  EXPECT_EQ(after.configuration, before.configuration);
}

TEST_F(ApiTest, TheStatusOfANode) {
  EXPECT_EQ(ask("PUT", "/kv/k", R"({"value":"v"})").status, 200U);
  const json status = body(ask("GET", "/status"));
  EXPECT_EQ(status["id"], 1);
  EXPECT_EQ(status["cluster"], "5");
  EXPECT_EQ(status["role"], "leader");
  EXPECT_EQ(status["leader"], 1);
  EXPECT_EQ(status["keys"], 1);
  EXPECT_EQ(status["members"], json::parse(R"([{"id":1,"name":"n1","address":"h:1","voter":true}])"));
  EXPECT_EQ(status["fault"], nullptr);
  EXPECT_EQ(ask("GET", "/readyz").status, 200U);
}

TEST_F(ApiTest, WithoutALeaderNothingIsServedButStaleReads) {
  start(3);
  EXPECT_EQ(error(ask("GET", "/readyz")), "no_leader");
  EXPECT_EQ(ask("GET", "/healthz").status, 200U);
  const ApiReply write = ask("PUT", "/kv/k?timeout_ms=50", R"({"value":"v"})");
  EXPECT_EQ(write.status, 503U);
  EXPECT_EQ(header(write, "Retry-After"), "1");
  EXPECT_NE(ask("GET", "/kv/k?timeout_ms=50").status, 200U);
  EXPECT_EQ(error(ask("GET", "/kv/k?read=stale")), "not_found");
  EXPECT_EQ(error(ask("PUT", "/kv/k?redirect=true", R"({"value":"v"})")), "no_leader");
}

TEST_F(ApiTest, WhoWantsToBeRedirectedIsToldWhereTheLeaderIs) {
  start(3);
  addresses[NodeId(2)] = "https://two:8080";
  // Node 2 says that it leads.
  raft::Envelope heartbeat;
  heartbeat.from = NodeId(2);
  heartbeat.to = NodeId(1);
  heartbeat.term = raft::Term(9);
  heartbeat.message = raft::Heartbeat{};
  host->handlers().deliver(std::move(heartbeat));
  ASSERT_TRUE(test::run_until(loop, [&] { return host->status().state.leader == NodeId(2); }));
  const ApiReply moved = ask("PUT", "/kv/a%20b?redirect=true", R"({"value":"v"})");
  EXPECT_EQ(moved.status, 307U);
  EXPECT_EQ(header(moved, "Location"), "https://two:8080/kv/a%20b?redirect=true");
  EXPECT_EQ(body(moved)["leader"], 2);
}

}  // namespace
}  // namespace raftlab::net
