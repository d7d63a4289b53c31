#include "net/node.hpp"
#include "net/test_pki.hpp"
#include "net/tls_transport.hpp"

#include <arpa/inet.h>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

/// Nodes as they run: threads, files, mutual TLS on loopback.
namespace raftlab::net {
namespace {

using namespace test;
using boost::asio::use_future;
using kv::Status;
using raft::NodeId;

bool is_free(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  ::close(socket);
  return bound;
}

/// Ports that stay free until a node listens, and while it is down: none of those that the system gives to whoever asks for
/// any (from 32768 on), and others for each process that runs beside this one.
class Ports {
 public:
  std::uint16_t next() {
    while (!is_free(++last_)) {
    }
    return last_;
  }

 private:
  std::uint16_t last_ = static_cast<std::uint16_t>(12'000 + ::getpid() % 1000 * 20);
};

class ClusterTest : public testing::Test {
 protected:
  ClusterTest() {
    for (std::uint32_t id = 1; id <= 4; ++id) {
      members.push_back(
          raft::Member{NodeId(id), "n" + std::to_string(id), "127.0.0.1:" + std::to_string(ports.next())});
    }
  }

  std::vector<raft::Member> first_three() { return {members.begin(), members.begin() + 3}; }

  NodeOptions options(std::uint32_t id) {
    NodeOptions options;
    options.id = NodeId(id);
    options.cluster = test::cluster.value();
    options.peers = first_three();
    options.persistence = Persistence{directory.path() / std::to_string(id)};
    options.transport = [this, id](boost::asio::io_context& loop) -> std::unique_ptr<Transport> {
      TlsTransportOptions tls;
      tls.self = NodeIdentity{test::cluster, NodeId(id)};
      tls.listen = members[id - 1].address;
      tls.files = pki.files(id);
      tls.random = [draws = std::uint64_t{id}]() mutable { return draws += 0x9e3779b97f4a7c15ULL; };
      tls.backoff_first = std::chrono::milliseconds(5);
      tls.backoff_longest = std::chrono::milliseconds(50);
      auto made = TlsTransport::make(loop, std::move(tls));
      if (const auto* error = std::get_if<TlsError>(&made)) throw std::runtime_error(error->detail);
      return std::move(std::get<std::unique_ptr<TlsTransport>>(made));
    };
    return options;
  }
  void start(std::uint32_t id) { nodes[id] = Node::start(options(id)); }

  TestDirectory directory;
  Pki pki;
  Ports ports;
  std::vector<raft::Member> members;
  std::map<std::uint32_t, std::unique_ptr<Node>> nodes;
};

TEST_F(ClusterTest, WhatOneNodeTakesAnotherOneGives) {
  for (std::uint32_t id = 1; id <= 3; ++id) start(id);
  for (int i = 0; i < 30; ++i) {
    Node& node = *nodes[static_cast<std::uint32_t>(1 + i % 3)];
    EXPECT_EQ(node.put("k" + std::to_string(i), std::to_string(i), use_future).get().status, Status::ok);
  }
  for (int i = 0; i < 30; ++i) {
    Node& node = *nodes[static_cast<std::uint32_t>(1 + (i + 1) % 3)];
    const kv::Answer read = node.get("k" + std::to_string(i), use_future).get();
    ASSERT_EQ(read.status, Status::ok);
    EXPECT_EQ(read.values.at(0), std::to_string(i));
  }
}

TEST_F(ClusterTest, TheLeaderGoesAndNothingIsLost) {
  for (std::uint32_t id = 1; id <= 3; ++id) start(id);
  ASSERT_EQ(nodes[1]->put("k", "1", use_future).get().status, Status::ok);
  std::uint32_t leads = 0;
  for (const auto& [id, node] : nodes) {
    if (node->is_leader()) leads = id;
  }
  ASSERT_NE(leads, 0U);
  nodes.erase(leads);
  Node& other = *nodes.begin()->second;
  EXPECT_EQ(other.put("k", "2", use_future).get().status, Status::ok);
  start(leads);
  EXPECT_EQ(nodes[leads]->get("k", use_future).get().values.at(0), "2");
}

TEST_F(ClusterTest, ANewNodeThatKnowsTheOthersIsAdded) {
  for (std::uint32_t id = 1; id <= 3; ++id) start(id);
  ASSERT_EQ(nodes[1]->put("k", "v", use_future).get().status, Status::ok);
  NodeOptions joining = options(4);
  joining.peers.clear();
  joining.contacts = first_three();
  nodes[4] = Node::start(std::move(joining));
  raft::Configuration target;
  target.members = members;
  for (const raft::Member& member : members) target.voters.push_back(member.id);
  bool accepted = false;
  for (int attempt = 0; attempt < 1000 && !accepted; ++attempt) {
    for (std::uint32_t id = 1; id <= 3 && !accepted; ++id) {
      accepted = nodes[id]->reconfigure(target, true, use_future).get().outcome ==
                 kv::ChangeAnswer::Outcome::accepted;
    }
  }
  ASSERT_TRUE(accepted);
  EXPECT_EQ(nodes[4]->put("k", "w", use_future).get().status, Status::ok);
  EXPECT_EQ(nodes[4]->get("k", use_future).get().values.at(0), "w");
  EXPECT_EQ(nodes[4]->peers().size(), 4U);
}

}  // namespace
}  // namespace raftlab::net
