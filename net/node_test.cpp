#include "net/node.hpp"

#include "net/test_pki.hpp"
#include "raft/wire/codec.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

namespace raftlab::net {
namespace {

namespace asio = boost::asio;
using kv::Status;
using raft::NodeId;

/// Carries messages between the threads of several nodes.
class Network {
 public:
  class Wire final : public Transport {
   public:
    Wire(Network& network, NodeId self, asio::io_context& loop)
        : network_(&network), self_(self), loop_(&loop) {}
    ~Wire() override { network_->leave(self_); }

    void start(Handlers handlers) override { network_->join(self_, *loop_, std::move(handlers)); }
    void send(raft::Envelope&& envelope) override {
      const NodeId to = envelope.to;
      std::vector<std::byte> bytes;
      raft::wire::encode(envelope, bytes);
      network_->carry(to, [bytes = std::move(bytes)](Handlers& at) {
        at.deliver(std::get<raft::Envelope>(raft::wire::decode(bytes)));
      });
    }
    void send(NodeId to, const kv::Request& request) override {
      network_->carry(to, [from = self_, request](Handlers& at) { at.request(from, kv::Request(request)); });
    }
    void send(NodeId to, const kv::Answer& answer) override {
      network_->carry(to, [from = self_, answer](Handlers& at) { at.answer(from, kv::Answer(answer)); });
    }
    void set_members(const std::vector<raft::Member>& /*members*/) override {}
    void stop() override { network_->leave(self_); }

   private:
    Network* network_;
    NodeId self_;
    asio::io_context* loop_;
  };

 private:
  /// The handlers are gone when the node has stopped; used on its thread only.
  struct End {
    asio::io_context* loop = nullptr;
    std::shared_ptr<std::optional<Transport::Handlers>> handlers;
  };

  void join(NodeId node, asio::io_context& loop, Transport::Handlers handlers) {
    const std::lock_guard lock(mutex_);
    ends_[node] = End{&loop, std::make_shared<std::optional<Transport::Handlers>>(std::move(handlers))};
  }
  void leave(NodeId node) {
    const std::lock_guard lock(mutex_);
    const auto end = ends_.find(node);
    if (end == ends_.end()) return;
    end->second.handlers->reset();
    ends_.erase(end);
  }
  void carry(NodeId to, std::function<void(Transport::Handlers&)> deliver) {
    const std::lock_guard lock(mutex_);
    const auto end = ends_.find(to);
    if (end == ends_.end()) return;
    asio::post(*end->second.loop, [handlers = end->second.handlers, deliver = std::move(deliver)] {
      if (*handlers) deliver(**handlers);
    });
  }

  std::mutex mutex_;
  std::map<NodeId, End> ends_;
};

class NodeTest : public testing::Test {
 protected:
  NodeOptions options(std::uint32_t id, std::uint32_t members = 3) {
    NodeOptions options;
    options.id = NodeId(id);
    options.cluster = 42;
    for (std::uint32_t member = 1; member <= members; ++member)
      options.peers.push_back(raft::Member{NodeId(member), "n" + std::to_string(member), ""});
    options.election_timeout = std::chrono::milliseconds(100);
    options.transport = [this, id](asio::io_context& loop) {
      return std::make_unique<Network::Wire>(network, NodeId(id), loop);
    };
    return options;
  }
  void start_all() {
    for (std::uint32_t id = 1; id <= 3; ++id) nodes.push_back(Node::start(options(id)));
  }

  Network network;
  std::vector<std::unique_ptr<Node>> nodes;
};

TEST_F(NodeTest, FuturesOfEveryRequest) {
  start_all();
  Node& node = *nodes[1];
  EXPECT_EQ(node.put("a", "1", asio::use_future).get().status, Status::ok);
  EXPECT_EQ(node.get("a", asio::use_future).get().values.at(0), "1");
  EXPECT_EQ(node.cas("a", "1", "2", asio::use_future).get().status, Status::ok);
  const kv::Answer failed = node.cas("a", "1", "3", asio::use_future).get();
  EXPECT_EQ(failed.status, Status::compare_failed);
  EXPECT_EQ(failed.found, "2");
  EXPECT_EQ(node.mput({kv::Put{"b", "x"}, kv::Put{"c", "y"}}, asio::use_future).get().status, Status::ok);
  EXPECT_EQ(node.del("b", asio::use_future).get().status, Status::ok);
  const kv::Answer read = node.mget({"a", "b", "c"}, asio::use_future).get();
  EXPECT_EQ(read.values, (std::vector<std::optional<std::string>>{"2", std::nullopt, "y"}));
  EXPECT_EQ(node.put("", "", asio::use_future).get().status, Status::bad_request);
}

TEST_F(NodeTest, WhatANodeMeasures) {
  start_all();
  ASSERT_EQ(nodes[0]->put("a", "1", asio::use_future).get().status, Status::ok);
  ASSERT_EQ(nodes[0]->get("a", asio::use_future).get().status, Status::ok);
  const NodeMetrics metrics = nodes[0]->metrics();
  EXPECT_EQ(metrics.latencies.writes.count(), 1U);
  EXPECT_EQ(metrics.latencies.reads.count(), 1U);
  EXPECT_GE(metrics.latencies.log_writes.count(), 1U);
  EXPECT_EQ(metrics.status.keys, 1U);
  EXPECT_FALSE(metrics.links) << "the transport is ours";
}

TEST(NodeOverTls, NeedsAnAddressAndCertificates) {
  const test::Pki pki;
  NodeOptions options;
  options.id = NodeId(1);
  options.cluster = test::cluster.value();
  options.host = "127.0.0.1";
  options.port = 0;  // any
  options.peers = {raft::Member{NodeId(1), "n1", "127.0.0.1:1"}};
  EXPECT_THROW(static_cast<void>(Node::start(options)), StartError) << "without a certificate";
  options.tls = pki.files(2);
  EXPECT_THROW(static_cast<void>(Node::start(options)), StartError) << "with that of another node";
  options.tls = pki.files(1);
  const auto node = Node::start(options);
  EXPECT_EQ(node->put("a", "1", asio::use_future).get().status, Status::ok);
  ASSERT_TRUE(node->metrics().links);
  EXPECT_EQ(node->metrics().links->accepted, 0U);
}

TEST_F(NodeTest, CoroutinesGoOnWhereTheyWere) {
  start_all();
  asio::io_context own;
  std::thread::id before;
  std::thread::id after;
  kv::Answer answer;
  asio::co_spawn(
      own,
      [&]() -> asio::awaitable<void> {
        before = std::this_thread::get_id();
        static_cast<void>(co_await nodes[0]->put("k", "v", asio::use_awaitable));
        answer = co_await nodes[2]->get("k", asio::use_awaitable);
        after = std::this_thread::get_id();
      },
      asio::detached);
  own.run();
  EXPECT_EQ(answer.values.at(0), "v");
  EXPECT_EQ(before, after);
}

TEST_F(NodeTest, CallbacksMayAskForMore) {
  start_all();
  std::promise<kv::Answer> last;
  nodes[0]->put("k", "v", [&](const kv::Answer& first) {
    EXPECT_EQ(first.status, Status::ok);
    nodes[0]->get("k", [&](const kv::Answer& second) { last.set_value(second); });
  });
  EXPECT_EQ(last.get_future().get().values.at(0), "v");
}

TEST_F(NodeTest, WhatANodeKnows) {
  start_all();
  ASSERT_EQ(nodes[0]->put("k", "v", asio::use_future).get().status, Status::ok);
  EXPECT_EQ(nodes[0]->peers().size(), 3U);
  EXPECT_TRUE(nodes[0]->leader_id());
}

TEST_F(NodeTest, AFollowerThatIsNotToForwardNamesTheLeader) {
  start_all();
  ASSERT_EQ(nodes[0]->put("k", "v", asio::use_future).get().status, Status::ok);
  RequestOptions here;
  here.forward = false;
  int refused = 0;
  int done = 0;
  for (const auto& node : nodes) {
    const kv::Answer answer = node->put("k", "w", asio::use_future, here).get();
    (answer.status == Status::not_leader ? refused : done) += 1;
  }
  EXPECT_EQ(refused + done, 3);
  EXPECT_GE(refused, 2);
}

TEST_F(NodeTest, EventsOfChangesInTheirOrder) {
  std::mutex mutex;
  std::condition_variable heard;
  std::vector<std::string> changes;
  NodeEvents events;
  events.change = [&](const std::string& key, const std::optional<std::string>& value) {
    const std::lock_guard lock(mutex);
    changes.push_back(key + "=" + value.value_or("-"));
    heard.notify_all();
  };
  nodes.push_back(Node::start(options(1, 1), events));
  Node& node = *nodes[0];
  EXPECT_EQ(node.put("a", "1", asio::use_future).get().status, Status::ok);
  EXPECT_EQ(node.cas("a", "nothing", "2", asio::use_future).get().status, Status::compare_failed);
  EXPECT_EQ(node.mput({kv::Put{"b", "2"}, kv::Put{"c", "3"}}, asio::use_future).get().status, Status::ok);
  EXPECT_EQ(node.del("a", asio::use_future).get().status, Status::ok);
  std::unique_lock lock(mutex);
  ASSERT_TRUE(heard.wait_for(lock, std::chrono::seconds(10), [&] { return changes.size() >= 4; }));
  EXPECT_EQ(changes, (std::vector<std::string>{"a=1", "b=2", "c=3", "a=-"}));
}

TEST_F(NodeTest, WithinItsTimeARequestIsAnsweredWithoutAnybodyElse) {
  nodes.push_back(Node::start(options(1)));  // one of three
  RequestOptions hasty;
  hasty.timeout = std::chrono::milliseconds(60);
  EXPECT_EQ(nodes[0]->put("k", "v", asio::use_future, hasty).get().status, Status::not_ready);
  EXPECT_NE(nodes[0]->get("k", asio::use_future, hasty).get().status, Status::ok);
}

TEST_F(NodeTest, WhoWaitsIsAnsweredWhenTheNodeEndsAndSoIsWhoComesLater) {
  nodes.push_back(Node::start(options(1)));
  auto waiting = nodes[0]->put("k", "v", asio::use_future);
  nodes[0]->end();
  EXPECT_EQ(waiting.get().status, Status::not_ready);
  EXPECT_EQ(nodes[0]->put("k", "v", asio::use_future).get().status, Status::not_ready);
  EXPECT_EQ(nodes[0]->transfer(NodeId(2), asio::use_future).get().outcome,
            kv::ChangeAnswer::Outcome::rejected);
  EXPECT_EQ(nodes[0]->status().keys, 0U);
  nodes[0]->end();
}

}  // namespace
}  // namespace raftlab::net
