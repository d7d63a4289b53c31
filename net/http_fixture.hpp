#pragma once

#include "net/http_server.hpp"
#include "net/http_test_client.hpp"
#include "net/test_memory.hpp"
#include "net/test_network.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// Nodes with their client ports on one event loop, and clients beside them on the same thread.
namespace raftlab::net::test {

using nlohmann::json;
using namespace std::chrono_literals;

/// Deadlines of tests that wait for something that comes.
inline constexpr std::chrono::seconds http_patience{30};

inline std::size_t http_descriptors() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                                                std::filesystem::directory_iterator()));
}

class HttpFixture : public testing::Test {
 public:
  ~HttpFixture() override {
    clients_.clear();
    for (Node& node : nodes) node.server.reset();
    for (Node& node : nodes) node.host->stop();
    loop.restart();
    loop.poll();
  }

 protected:
  using Tweak = std::function<void(HttpOptions&)>;

  struct Node {
    std::unique_ptr<Network::Wire> wire;
    std::unique_ptr<Host> host;
    std::unique_ptr<Api> api;
    std::unique_ptr<HttpServer> server;
  };

  /// So many nodes of one cluster, the first of them with a client port; the others as they are asked for.
  void start(const Tweak& tweak = nullptr, std::uint32_t members = 1, std::uint32_t running = 1) {
    for (std::uint32_t id = 1; id <= running; ++id) add_node(id, members);
    serve(0, tweak);
    for (Node& node : nodes) node.host->start();
    whole_ = members == running;
    note_descriptors();
  }
  /// Term, vote, commit and the end of the log: what no attack changes.
  struct Consensus {
    raft::HardState hard;
    raft::Index commit;
    raft::LogId last;
    friend bool operator==(const Consensus&, const Consensus&) = default;
  };
  Consensus consensus() {
    // Until there is a leader, where there can be one, all that changes by itself.
    if (whole_) {
      EXPECT_TRUE(until([&] {
        const raft::State state = host().status().state;
        return state.leader && state.commit == state.last.index;
      }));
    }
    const raft::State state = host().status().state;
    return {state.hard, state.commit, state.last};
  }
  /// From now on these are no descriptors of anybody's: files of the node, say.
  void note_descriptors() { descriptors_ = http_descriptors(); }
  /// Everybody has gone, and so has all that they had.
  void expect_nothing_is_kept() {
    for (const auto& client : clients_) client->close();
    EXPECT_TRUE(nobody_is_left());
    EXPECT_TRUE(until([&] { return http_descriptors() <= descriptors_; })) << "a descriptor was kept";
  }
  void serve(std::size_t index, const Tweak& tweak = nullptr) {
    HttpOptions options;
    options.listen = "127.0.0.1:0";
    options.observer = [this](const LinkEvent& event) { events.push_back(event); };
    if (tweak) tweak(options);
    auto made = HttpServer::make(loop, *nodes[index].api, options);
    if (const auto* error = std::get_if<HttpError>(&made)) throw std::runtime_error(error->detail);
    nodes[index].server = std::move(std::get<std::unique_ptr<HttpServer>>(made));
  }

  [[nodiscard]] HttpServer& server() { return *nodes[0].server; }
  [[nodiscard]] Host& host() { return *nodes[0].host; }

  HttpTestClient& dial(std::size_t index = 0) {
    clients_.push_back(std::make_unique<HttpTestClient>(nodes[index].server->port()));
    return *clients_.back();
  }
  template <class Condition>
  [[nodiscard]] bool until(Condition condition) {
    return run_until(
        loop,
        [&] {
          for (const auto& client : clients_) client->pump();
          return condition();
        },
        http_patience);
  }
  /// Lets time pass, in which something must not happen.
  void pass(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    (void)until([&] { return std::chrono::steady_clock::now() >= end; });
  }

  /// The next answer; status 0: none came.
  HttpTestAnswer answer(HttpTestClient& client, bool head_only = false) {
    std::optional<HttpTestAnswer> taken;
    EXPECT_TRUE(until([&] {
      taken = client.take(head_only);
      return taken || client.ended();
    }));
    if (!taken) taken = client.take(head_only);
    return taken.value_or(HttpTestAnswer{});
  }
  HttpTestAnswer ask(HttpTestClient& client, std::string_view bytes) {
    client.send(bytes);
    return answer(client);
  }
  static std::string request(std::string_view method, std::string_view target, std::string_view body = "",
                             std::string_view fields = "") {
    std::string text = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n";
    text += fields;
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return text + "\r\n" + std::string(body);
  }
  static std::string put(std::string_view target, std::string_view value) {
    return request("PUT", target, "{\"value\":\"" + std::string(value) + "\"}");
  }
  static std::string error(const HttpTestAnswer& answer) {
    return json::parse(answer.body).value("error", "");
  }
  static std::string value(const HttpTestAnswer& answer) {
    return json::parse(answer.body).value("value", "");
  }
  [[nodiscard]] bool ends(const HttpTestClient& client) {
    return until([&] { return client.ended(); });
  }
  /// A connection of its own gets an answer: the server is alive and well.
  void expect_alive() {
    HttpTestClient& client = dial();
    EXPECT_EQ(ask(client, request("GET", "/healthz")).status, 200U);
    client.close();
  }
  void expect_refused(std::string_view bytes, unsigned status, Reason reason) {
    SCOPED_TRACE(bytes.substr(0, 100));
    const Consensus kept = consensus();
    const std::size_t descriptors = http_descriptors();
    const std::size_t heap = heap_bytes();
    const auto before = server().counters();
    HttpTestClient& client = dial();
    const HttpTestAnswer refused = ask(client, bytes);
    EXPECT_EQ(refused.status, status) << refused.body;
    EXPECT_EQ(refused.header("Connection"), "close");
    EXPECT_TRUE(ends(client));
    EXPECT_EQ(client.received, "") << "more than one answer";
    EXPECT_EQ(server().counters().refusals(reason), before.refusals(reason) + 1) << name(reason);
    EXPECT_EQ(server().counters().requests, before.requests) << "it was taken for a request";
    client.close();
    EXPECT_EQ(consensus(), kept) << "term, vote, commit";
    EXPECT_TRUE(until([&] { return http_descriptors() <= descriptors; })) << "a descriptor was kept";
    EXPECT_TRUE(until([&] { return heap_bytes() <= heap + heap_bytes_slack; }))
        << "memory was kept: " << heap << " bytes before, " << heap_bytes() << " now, "
        << server().counters().connections << " connections";
  }
  [[nodiscard]] bool told(Reason reason) const {
    for (const LinkEvent& event : events)
      if (event.reason == reason) return true;
    return false;
  }
  [[nodiscard]] bool nobody_is_left() {
    return until([&] { return server().counters().connections == 0; });
  }

  boost::asio::io_context loop{1};
  Network network{loop};
  std::vector<Node> nodes;
  std::vector<LinkEvent> events;
  std::map<raft::NodeId, std::string> addresses;  ///< of the APIs, as the nodes were told
  std::size_t elected = 0;                        ///< times that a node became leader
  std::function<void(HostOptions&)> tweak_host;   ///< of the nodes that are made from now on; may be empty

 private:
  void add_node(std::uint32_t id, std::uint32_t members) {
    Node node;
    HostOptions options;
    options.id = raft::NodeId(id);
    options.cluster = cluster.value();
    options.election_timeout = 150ms;
    options.heartbeat = 50ms;
    for (std::uint32_t member = 1; member <= members; ++member)
      options.first_members.push_back(
          raft::Member{raft::NodeId(member), "n" + std::to_string(member), "h:" + std::to_string(member)});
    if (tweak_host) tweak_host(options);
    HostEvents host_events;
    host_events.role = [this](raft::RoleChange change) {
      if (change.role == raft::Role::leader) ++elected;
    };
    node.wire = std::make_unique<Network::Wire>(network, options.id);
    node.host = std::make_unique<Host>(loop, options, *node.wire, std::move(host_events));
    node.wire->start(node.host->handlers());
    ApiOptions api_options;
    api_options.address = [this](raft::NodeId asked) -> std::optional<std::string> {
      const auto at = addresses.find(asked);
      return at == addresses.end() ? std::nullopt : std::optional(at->second);
    };
    node.api = std::make_unique<Api>(*node.host, api_options);
    nodes.push_back(std::move(node));
  }

  std::vector<std::unique_ptr<HttpTestClient>> clients_;
  bool whole_ = true;  ///< all members run
  std::size_t descriptors_ = SIZE_MAX;
};

}  // namespace raftlab::net::test
