#pragma once

#include "net/host.hpp"
#include "net/test_memory.hpp"
#include "net/test_pki.hpp"
#include "net/tls_transport.hpp"
#include "raft/wire/codec.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

/// A transport on a thread of its own, with everything that it has told its host.
namespace raftlab::net::test {

using namespace std::chrono_literals;

inline constexpr auto patience = 10s;

/// Waits for a condition that another thread brings about.
template <class Condition>
bool eventually(Condition&& condition, std::chrono::milliseconds longest = patience) {
  const auto deadline = std::chrono::steady_clock::now() + longest;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

inline std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                                                std::filesystem::directory_iterator()));
}

inline raft::Envelope vote(std::uint32_t from, std::uint32_t to, std::uint64_t term) {
  return {raft::NodeId(from), raft::NodeId(to), raft::Term(term), raft::RequestVote{}};
}

class TestNode {
 public:
  using Tweak = std::function<void(TlsTransportOptions&)>;

  TestNode(std::uint32_t number, const TlsFiles& files, const Tweak& tweak = nullptr) : number_(number) {
    TlsTransportOptions options;
    options.self = self(number);
    options.listen = "127.0.0.1:0";
    options.files = files;
    options.random = [draws = std::uint64_t{number}]() mutable { return draws += 0x9e3779b97f4a7c15ULL; };
    options.linger = 20ms;
    options.backoff_first = 5ms;
    options.backoff_longest = 50ms;
    options.observer = [this](const LinkEvent& event) {
      const std::scoped_lock lock(mutex_);
      events_.push_back(event);
    };
    if (tweak) tweak(options);
    auto made = TlsTransport::make(io_, std::move(options));
    if (const auto* error = std::get_if<TlsError>(&made)) throw std::runtime_error(error->detail);
    transport_ = std::move(std::get<std::unique_ptr<TlsTransport>>(made));
    HostOptions host;
    host.id = raft::NodeId(number);
    host.cluster = cluster.value();
    host.election_timeout = 600'000ms;
    host.first_members = {
        {raft::NodeId(1), "n1", ""}, {raft::NodeId(2), "n2", ""}, {raft::NodeId(3), "n3", ""}};
    core_ = std::make_unique<Host>(io_, host, unheard_, HostEvents{});
    transport_->start({.deliver =
                           [this](raft::Envelope&& envelope) {
                             hear(envelope);
                             const std::scoped_lock lock(mutex_);
                             delivered_.push_back(std::move(envelope));
                           },
                       .objection = {},  // the strangers of these tests may claim what they like
                       .unreachable =
                           [this](raft::NodeId node) {
                             const std::scoped_lock lock(mutex_);
                             unreachable_.push_back(node);
                           },
                       .request =
                           [this](raft::NodeId from, kv::Request&& request) {
                             const std::scoped_lock lock(mutex_);
                             requests_.emplace_back(from, std::move(request));
                           },
                       .answer =
                           [this](raft::NodeId from, kv::Answer&& answer) {
                             const std::scoped_lock lock(mutex_);
                             answers_.emplace_back(from, std::move(answer));
                           }});
    port_ = transport_->port();
    thread_ = std::thread([this] { io_.run(); });
  }
  TestNode(const TestNode&) = delete;
  TestNode& operator=(const TestNode&) = delete;

  /// On the node's thread.
  template <class Call>
  auto run(Call&& call) {
    // Shared: the future may be ready, and this function over, before the task has returned.
    auto task = std::make_shared<std::packaged_task<decltype(call())()>>(std::forward<Call>(call));
    auto result = task->get_future();
    boost::asio::post(io_, [task] { (*task)(); });
    return result.get();
  }

  /// What the messages that were delivered have made of a core: it hears all of them, and nobody hears it.
  struct Consensus {
    raft::HardState hard;
    raft::Index commit;
    raft::LogId last;
    friend bool operator==(const Consensus&, const Consensus&) = default;
  };
  Consensus consensus() {
    return run([this] {
      const raft::State state = core_->status().state;
      return Consensus{state.hard, state.commit, state.last};
    });
  }

  /// What is still under way has to end by itself when the transport stops: otherwise the thread never does.
  ~TestNode() {
    run([this] {
      transport_->stop();
      core_->stop();
    });
    work_.reset();
    thread_.join();
  }

  void set_members(const std::vector<raft::Member>& members) {
    run([&] { transport_->set_members(members); });
  }
  void send(raft::Envelope envelope) {
    run([&] { transport_->send(std::move(envelope)); });
  }
  std::optional<TlsError> reload() {
    return run([&] { return transport_->reload(); });
  }
  Counters counters() {
    return run([&] { return transport_->counters(); });
  }
  TlsTransport& transport() { return *transport_; }

  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] raft::Member member() const {
    return {raft::NodeId(number_), "n" + std::to_string(number_), "127.0.0.1:" + std::to_string(port_)};
  }

  std::vector<raft::Envelope> delivered() {
    const std::scoped_lock lock(mutex_);
    return delivered_;
  }
  std::vector<std::pair<raft::NodeId, kv::Request>> requests() {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }
  std::vector<std::pair<raft::NodeId, kv::Answer>> answers() {
    const std::scoped_lock lock(mutex_);
    return answers_;
  }
  std::vector<LinkEvent> events() {
    const std::scoped_lock lock(mutex_);
    return events_;
  }
  std::vector<LinkEvent> events(Reason reason) {
    std::vector<LinkEvent> all = events();
    std::erase_if(all, [&](const LinkEvent& event) { return event.reason != reason; });
    return all;
  }
  bool was_told_unreachable(std::uint32_t node) {
    const std::scoped_lock lock(mutex_);
    return std::count(unreachable_.begin(), unreachable_.end(), raft::NodeId(node)) > 0;
  }
  std::string history() {
    std::string text = "events of node " + std::to_string(number_) + ":\n";
    for (const LinkEvent& event : events())
      text += "  " + std::to_string(event.peer.value()) + ' ' + event.remote + ' ' + name(event.reason) +
              ' ' + event.detail + '\n';
    return text;
  }

 private:
  /// The core has entries of its own: those of what was delivered are looked at from the test's thread.
  void hear(const raft::Envelope& envelope) {
    std::vector<std::byte> bytes;
    raft::wire::encode(envelope, bytes);
    core_->handlers().deliver(std::get<raft::Envelope>(raft::wire::decode(bytes)));
  }

  std::uint32_t number_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  class Unheard final : public Transport {
   public:
    void start(Handlers /*handlers*/) override {}
    void send(raft::Envelope&& /*envelope*/) override {}
    void send(raft::NodeId /*to*/, const kv::Request& /*request*/) override {}
    void send(raft::NodeId /*to*/, const kv::Answer& /*answer*/) override {}
    void set_members(const std::vector<raft::Member>& /*members*/) override {}
    void stop() override {}
  } unheard_;
  std::unique_ptr<TlsTransport> transport_;
  std::unique_ptr<Host> core_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::vector<raft::Envelope> delivered_;
  std::vector<raft::NodeId> unreachable_;
  std::vector<std::pair<raft::NodeId, kv::Request>> requests_;
  std::vector<std::pair<raft::NodeId, kv::Answer>> answers_;
  std::vector<LinkEvent> events_;
  std::thread thread_;
};

inline bool linked(TestNode& node, std::uint64_t peers) {
  return eventually([&] {
    const Counters counters = node.counters();
    return counters.links_in == peers && counters.links_out == peers;
  });
}

/// Sends one message, which no other message equals, and sees it arrive.
inline bool reaches(TestNode& from, TestNode& to, std::uint64_t term) {
  const raft::Envelope sent = vote(from.number(), to.number(), term);
  from.send(sent);
  return eventually([&] {
    const auto all = to.delivered();
    return std::find(all.begin(), all.end(), sent) != all.end();
  });
}

}  // namespace raftlab::net::test
