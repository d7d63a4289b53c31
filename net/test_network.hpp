#pragma once

#include "net/host.hpp"
#include "net/transport.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

/// Several hosts on one event loop, without sockets. The transport over TLS has tests of its own.
namespace raftlab::net::test {

class Network {
 public:
  explicit Network(boost::asio::io_context& loop) : loop_(&loop) {}

  class Wire final : public Transport {
   public:
    Wire(Network& network, raft::NodeId self) : network_(&network), self_(self) {}
    ~Wire() override { stop(); }

    void start(Handlers handlers) override { network_->handlers_[self_] = std::move(handlers); }
    void send(raft::Envelope&& envelope) override {
      const raft::NodeId to = envelope.to;
      network_->carry(self_, to, [envelope = std::move(envelope)](Handlers& at) {
        at.deliver(raft::Envelope(envelope));
      });
    }
    void send(raft::NodeId to, const kv::Request& request) override {
      ++network_->requests;
      network_->carry(self_, to,
                      [from = self_, request](Handlers& at) { at.request(from, kv::Request(request)); });
    }
    void send(raft::NodeId to, const kv::Answer& answer) override {
      network_->carry(self_, to,
                      [from = self_, answer](Handlers& at) { at.answer(from, kv::Answer(answer)); });
    }
    void set_members(const std::vector<raft::Member>& now) override { members = now; }
    void stop() override { network_->handlers_.erase(self_); }

    std::vector<raft::Member> members;

   private:
    Network* network_;
    raft::NodeId self_;
  };

  /// Neither reaches anybody, nor hears of anybody.
  void isolate(raft::NodeId node) { isolated_.insert(node); }
  void heal() { isolated_.clear(); }

  std::uint64_t requests = 0;  ///< that were forwarded

 private:
  void carry(raft::NodeId from, raft::NodeId to, std::function<void(Transport::Handlers&)> deliver) {
    if (isolated_.contains(from) || isolated_.contains(to)) return;
    boost::asio::post(*loop_, [this, to, deliver = std::move(deliver)] {
      const auto at = handlers_.find(to);
      if (at != handlers_.end() && !isolated_.contains(to)) deliver(at->second);
    });
  }

  boost::asio::io_context* loop_;
  std::map<raft::NodeId, Transport::Handlers> handlers_;
  std::set<raft::NodeId> isolated_;
};

/// Runs the loop until the condition holds; false when it does not in time.
template <class Condition>
[[nodiscard]] bool run_until(boost::asio::io_context& loop, Condition condition,
                             std::chrono::seconds most = std::chrono::seconds(10)) {
  const auto end = std::chrono::steady_clock::now() + most;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    loop.restart();
    loop.run_one_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace raftlab::net::test
