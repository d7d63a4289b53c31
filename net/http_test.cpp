#include "net/http_fixture.hpp"

namespace raftlab::net {
namespace {

using namespace test;

/// The client port without attackers.
class HttpTest : public HttpFixture {};

TEST_F(HttpTest, KeysAreWrittenAndReadOnOneConnection) {
  start();
  HttpTestClient& client = dial();
  EXPECT_EQ(ask(client, put("/kv/k", "v")).status, 200U);
  const HttpTestAnswer read = ask(client, request("GET", "/kv/k"));
  EXPECT_EQ(read.status, 200U);
  EXPECT_EQ(value(read), "v");
  EXPECT_EQ(read.header("Content-Type"), "application/json");
  EXPECT_EQ(read.header("Cache-Control"), "no-store");
  EXPECT_EQ(read.header("Connection"), "");
  EXPECT_EQ(read.header("Server"), "");
  EXPECT_EQ(ask(client, request("DELETE", "/kv/k")).status, 200U);
  EXPECT_EQ(ask(client, request("GET", "/kv/k")).status, 404U);
  EXPECT_FALSE(client.ended());
  const HttpCounters counters = server().counters();
  EXPECT_EQ(counters.accepted, 1U);
  EXPECT_EQ(counters.connections, 1U);
  EXPECT_EQ(counters.requests, 4U);
  EXPECT_EQ(counters.answers[2], 3U);
  EXPECT_EQ(counters.answers[4], 1U);
}

TEST_F(HttpTest, BodiesComeInChunksToo) {
  start();
  HttpTestClient& client = dial();
  EXPECT_EQ(ask(client,
                "PUT /kv/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
                "Content-Type: application/json; charset=utf-8\r\n\r\n"
                "8\r\n{\"value\"\r\n5\r\n:\"v\"}\r\n0\r\n\r\n")
                .status,
            200U);
  EXPECT_EQ(value(ask(client, request("GET", "/kv/k"))), "v");
}

TEST_F(HttpTest, WritesOfOneConnectionAreOneAfterTheOther) {
  start(nullptr, 3);
  HttpTestClient& client = dial();
  for (const char* target : {"/kv/k?timeout_ms=1500", "/kv/k?timeout_ms=50", "/kv/k?timeout_ms=50"})
    client.send(request("PUT", target, R"({"value":"v"})"));
  client.send(request("GET", "/healthz") + request("GET", "/healthz"));
  ASSERT_TRUE(until([&] { return server().counters().requests == 1; }));
  pass(50ms);
  EXPECT_EQ(server().counters().requests, 1U);
  for (const unsigned status : {503U, 503U, 503U, 200U, 200U}) EXPECT_EQ(answer(client).status, status);
}

TEST_F(HttpTest, HeadIsGetWithoutABody) {
  start();
  HttpTestClient& client = dial();
  EXPECT_EQ(ask(client, put("/kv/k", "v")).status, 200U);
  const HttpTestAnswer whole = ask(client, request("GET", "/kv/k"));
  client.send(request("HEAD", "/kv/k"));
  const HttpTestAnswer head = answer(client, true);
  EXPECT_EQ(head.status, 200U);
  EXPECT_EQ(head.header("Content-Length"), whole.header("Content-Length"));
  client.send(request("HEAD", "/kv/none"));
  EXPECT_EQ(answer(client, true).status, 404U);
  EXPECT_EQ(ask(client, request("GET", "/healthz")).status, 200U) << "a body was sent after all";
  client.send("HEAD /kv/k HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_EQ(answer(client, true).status, 403U);
  EXPECT_TRUE(ends(client));
  EXPECT_EQ(client.received, "");
}

TEST_F(HttpTest, MethodsThatAPathDoesNotHaveAreToldWithThoseThatItHas) {
  start();
  HttpTestClient& client = dial();
  const HttpTestAnswer patched = ask(client, request("PATCH", "/kv/k"));
  EXPECT_EQ(patched.status, 405U);
  EXPECT_EQ(patched.header("Allow"), "GET, HEAD, PUT, DELETE");
  EXPECT_EQ(ask(client, request("GET", "/sessions")).header("Allow"), "POST");
  EXPECT_EQ(ask(client, request("OPTIONS", "/healthz")).header("Allow"), "GET, HEAD");
  EXPECT_FALSE(client.ended());
}

TEST_F(HttpTest, WhoAsksForItIsAnsweredAndLeft) {
  start();
  HttpTestClient& client = dial();
  client.send(request("GET", "/healthz", "", "Connection: close\r\n") + request("GET", "/healthz"));
  const HttpTestAnswer last = answer(client);
  EXPECT_EQ(last.status, 200U);
  EXPECT_EQ(last.header("Connection"), "close");
  EXPECT_TRUE(ends(client));
  EXPECT_EQ(client.received, "");
  client.close();
  EXPECT_TRUE(nobody_is_left());
}

TEST_F(HttpTest, MetricsAreForClientsAndAdministrators) {
  start([](HttpOptions& options) {
    options.metrics = [] { return std::string("a_total 1\n"); };
    options.plain_role = ApiRole::client;
  });
  HttpTestClient& client = dial();
  const HttpTestAnswer metrics = ask(client, request("GET", "/metrics"));
  EXPECT_EQ(metrics.status, 200U);
  EXPECT_EQ(metrics.body, "a_total 1\n");
  EXPECT_EQ(metrics.header("Content-Type"), "text/plain; version=0.0.4");
  const HttpTestAnswer refused = ask(client, request("POST", "/metrics", "{}"));
  EXPECT_EQ(refused.status, 405U);
  EXPECT_EQ(refused.header("Allow"), "GET, HEAD");
  serve(0, [](HttpOptions& options) {
    options.metrics = [] { return std::string("a_total 1\n"); };
    options.plain_role = ApiRole::none;
  });
  EXPECT_EQ(ask(dial(), request("GET", "/metrics")).status, 403U);
  serve(0);
  EXPECT_EQ(ask(dial(), request("GET", "/metrics")).status, 404U);
}

TEST_F(HttpTest, WithoutTlsTheRoleIsAnOption) {
  start([](HttpOptions& options) { options.plain_role = ApiRole::client; });
  EXPECT_EQ(ask(dial(), request("POST", "/admin/snapshot")).status, 403U);
  EXPECT_TRUE(told(Reason::request_forbidden));
  serve(0);
  EXPECT_EQ(ask(dial(), request("POST", "/admin/snapshot")).status, 202U);
}

TEST_F(HttpTest, WithoutTlsItListensOnLoopbackOnly) {
  start();
  for (const char* listen : {"0.0.0.0:0", "[::]:0", "192.0.2.1:80", "[::ffff:127.0.0.1]:0"}) {
    HttpOptions options;
    options.listen = listen;
    const auto made = HttpServer::make(loop, *nodes[0].api, options);
    ASSERT_TRUE(std::holds_alternative<HttpError>(made)) << listen;
    EXPECT_EQ(std::get<HttpError>(made).kind, HttpError::Kind::plain_not_loopback) << listen;
  }
  for (const std::string& listen :
       {std::string("localhost:0"), std::string("x"), "127.0.0.1:" + std::to_string(server().port())}) {
    HttpOptions options;
    options.listen = listen;
    const auto made = HttpServer::make(loop, *nodes[0].api, options);
    ASSERT_TRUE(std::holds_alternative<HttpError>(made)) << listen;
    EXPECT_NE(std::get<HttpError>(made).detail.find(listen), std::string::npos);
  }
}

TEST_F(HttpTest, AStopAnswersWhatIsUnderWayAndThenNobody) {
  // Two of three members are not there: a write waits for its deadline.
  start([](HttpOptions& options) { options.linger = 50ms; }, 3);
  HttpTestClient& waits = dial();
  HttpTestClient& idles = dial();
  HttpTestClient& half = dial();
  EXPECT_EQ(ask(idles, request("GET", "/healthz")).status, 200U);
  waits.send(request("PUT", "/kv/k?timeout_ms=2000", R"({"value":"v"})"));
  half.send("PUT /kv/k HTTP/1.1\r\nHo");
  ASSERT_TRUE(until([&] { return server().counters().requests == 2; }));
  pass(20ms);
  bool stopped = false;
  server().stop(http_patience, [&] { stopped = true; });
  EXPECT_THROW(HttpTestClient(server().port()), std::runtime_error) << "it still listens";
  EXPECT_TRUE(ends(idles));
  EXPECT_EQ(answer(half).status, 503U);
  EXPECT_FALSE(stopped);
  const HttpTestAnswer last = answer(waits);
  EXPECT_EQ(last.status, 503U);
  EXPECT_EQ(last.header("Connection"), "close");
  EXPECT_EQ(last.header("Retry-After"), "1");
  EXPECT_TRUE(ends(waits));
  for (HttpTestClient* client : {&waits, &idles, &half}) client->close();
  EXPECT_TRUE(until([&] { return stopped; }));
}

TEST_F(HttpTest, AStopEndsWhatDoesNotEndInTime) {
  start(nullptr, 3);
  HttpTestClient& waits = dial();
  waits.send(request("PUT", "/kv/k?timeout_ms=60000", R"({"value":"v"})"));
  ASSERT_TRUE(until([&] { return server().counters().requests == 1; }));
  bool stopped = false;
  server().stop(50ms, [&] { stopped = true; });
  EXPECT_TRUE(until([&] { return stopped; }));
  EXPECT_TRUE(ends(waits));
  EXPECT_EQ(waits.received, "");
}

TEST_F(HttpTest, AStopWithoutConnectionsIsOverAtOnce) {
  start();
  bool stopped = false;
  server().stop(http_patience, [&] { stopped = true; });
  EXPECT_FALSE(stopped) << "told from within the call";
  EXPECT_TRUE(until([&] { return stopped; }));
}

TEST_F(HttpTest, AnswersThatComeAfterConnectionAndServerAreGoneDoNothing) {
  start(nullptr, 3);
  HttpTestClient& leaves = dial();
  HttpTestClient& stays = dial();
  for (HttpTestClient* client : {&leaves, &stays})
    client->send(request("PUT", "/kv/k?timeout_ms=200", R"({"value":"v"})"));
  ASSERT_TRUE(until([&] { return server().counters().requests == 2; }));
  leaves.reset();
  ASSERT_TRUE(until([&] { return server().counters().connections == 1; }));
  nodes[0].server.reset();
  EXPECT_TRUE(ends(stays));
  pass(400ms);
}

}  // namespace
}  // namespace raftlab::net
