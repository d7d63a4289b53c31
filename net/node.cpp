#include "net/node.hpp"

#include "net/address.hpp"
#include "net/fresh_number.hpp"
#include "net/tls_transport.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <future>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>

namespace raftlab::net {

namespace asio = boost::asio;

namespace {

/// Tells which keys have another value.
class Changes final : public kv::ApplyObserver {
 public:
  explicit Changes(decltype(NodeEvents::change) tell) : tell_(std::move(tell)) {}

  void applied(raft::Index /*index*/, const kv::CommandView& command, const kv::Result& result) override {
    if (result.effect != kv::Effect::done) return;
    std::visit([this](const auto& change) { told(change); }, command.change);
  }
  void restored(raft::Index /*index*/) override {}

 private:
  using Text = std::string_view;
  void told(const kv::BasicPut<Text>& put) { tell_(std::string(put.key), std::string(put.value)); }
  void told(const kv::BasicDelete<Text>& del) { tell_(std::string(del.key), std::nullopt); }
  void told(const kv::BasicCompareAndSwap<Text>& swap) {
    tell_(std::string(swap.key), std::string(swap.value));
  }
  void told(const kv::BasicPutBatch<Text>& batch) {
    for (const auto& put : batch.entries) told(put);
  }
  void told(const kv::OpenSession& /*open*/) {}

  decltype(NodeEvents::change) tell_;
};

HostOptions host_options(const NodeOptions& options, kv::ApplyObserver* observer) {
  HostOptions host;
  host.id = options.id;
  host.cluster = options.cluster;
  host.first_members = options.peers;
  host.contacts = options.contacts;
  if (options.persistence) {
    host.data = options.persistence->directory;
    host.snapshot.entries = options.persistence->compact_every;
  }
  host.election_timeout = options.election_timeout;
  host.heartbeat = options.heartbeat;
  host.lease_drift_ppm = options.lease_drift_ppm;
  host.read_policy = options.read_policy;
  host.observer = observer;
  return host;
}

std::unique_ptr<TlsTransport> tls_transport(const NodeOptions& options, asio::io_context& loop) {
  TlsTransportOptions tls;
  tls.self = NodeIdentity{ClusterId(options.cluster), options.id};
  tls.listen = text_of(Address{options.host, options.port});
  tls.files = options.tls;
  tls.random = fresh_number;
  if (!options.persistence) tls.life = fresh_number() | 1U;
  auto made = TlsTransport::make(loop, std::move(tls));
  if (const auto* error = std::get_if<TlsError>(&made)) {
    const std::string& detail = error->detail;
    throw StartError(std::string(name(error->kind)) + (detail.empty() ? "" : ": " + detail));
  }
  return std::move(std::get<std::unique_ptr<TlsTransport>>(made));
}

}  // namespace

class Node::Implementation {
 public:
  Implementation(NodeOptions options, NodeEvents events)
      : options_(std::move(options)), changes_(std::move(events.change)), work_(loop_.get_executor()) {
    if (options_.transport) {
      transport_ = options_.transport(loop_);
    } else {
      auto links = tls_transport(options_, loop_);
      links_ = links.get();
      transport_ = std::move(links);
    }
    HostEvents host_events;
    host_events.role = std::move(events.role);
    host_events.leader = std::move(events.leader);
    host_events.applied = std::move(events.commit);
    host_events.fault = std::move(events.fault);
    kv::ApplyObserver* const observer = changes_ ? &observer_.emplace(changes_) : nullptr;
    host_ =
        std::make_unique<Host>(loop_, host_options(options_, observer), *transport_, std::move(host_events));
    transport_->start(host_->handlers());
    host_->start();
    thread_ = std::thread([this] { loop_.run(); });
  }

  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;
  ~Implementation() { end(); }

  void end() {
    const std::lock_guard lock(ending_);
    if (!thread_.joinable()) return;
    asio::post(loop_, [this] {
      transport_->stop();
      host_->stop();
      work_.reset();
    });
    thread_.join();
  }

  /// On the node's thread, or here and now when that has ended.
  template <class Function>
  void run(Function function) {
    asio::post(loop_, std::move(function));
    if (!loop_.stopped()) return;
    const std::lock_guard lock(ending_);
    loop_.restart();
    loop_.poll();
  }

  /// What somebody on another thread wants to know, and waits for.
  template <class Function>
  auto read(Function function) {
    std::promise<decltype(function())> promise;
    run([&] { promise.set_value(function()); });
    return promise.get_future().get();
  }

  [[nodiscard]] Host& host() { return *host_; }
  [[nodiscard]] NodeMetrics metrics() const {
    NodeMetrics metrics{host_->status(), host_->latencies(), std::nullopt};
    if (links_ != nullptr) metrics.links = links_->counters();
    return metrics;
  }
  [[nodiscard]] asio::io_context& loop() { return loop_; }
  [[nodiscard]] const NodeOptions& options() const { return options_; }

 private:
  NodeOptions options_;
  decltype(NodeEvents::change) changes_;
  std::optional<Changes> observer_;
  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::unique_ptr<Transport> transport_;
  const TlsTransport* links_ = nullptr;  ///< the transport, if it is ours
  std::unique_ptr<Host> host_;
  std::mutex ending_;
  std::thread thread_;
};

std::unique_ptr<Node> Node::start(NodeOptions options, NodeEvents events) {
  return std::unique_ptr<Node>(new Node(std::move(options), std::move(events)));
}

Node::Node(NodeOptions options, NodeEvents events)
    : implementation_(std::make_unique<Implementation>(std::move(options), std::move(events))) {}
Node::~Node() = default;

void Node::end() { implementation_->end(); }

asio::any_io_executor Node::executor() const { return implementation_->loop().get_executor(); }

Wish Node::wish_of(std::variant<kv::Change, kv::GetKeys> what, const RequestOptions& options) const {
  Wish wish;
  wish.what = std::move(what);
  wish.client = options.client;
  wish.sequence = options.sequence;
  const auto timeout = options.timeout.value_or(implementation_->options().request_timeout);
  wish.deadline_ticks = implementation_->host().in_ticks(timeout);
  wish.forward = options.forward;
  return wish;
}

void Node::submit(Wish wish, Host::Answered answered) {
  implementation_->run(
      [host = &implementation_->host(), wish = std::move(wish), answered = std::move(answered)]() mutable {
        host->request(std::move(wish), std::move(answered));
      });
}

void Node::change(std::function<void(Host&, Host::Changed)> ask, Host::Changed changed) {
  implementation_->run([host = &implementation_->host(), ask = std::move(ask),
                        changed = std::move(changed)]() mutable { ask(*host, std::move(changed)); });
}

void Node::take_snapshot() {
  implementation_->run([host = &implementation_->host()] { host->take_snapshot(); });
}

void Node::set_read_policy(kv::ReadPolicy policy) {
  implementation_->run([host = &implementation_->host(), policy] { host->set_read_policy(policy); });
}

HostStatus Node::status() const {
  return implementation_->read([node = implementation_.get()] { return node->host().status(); });
}

NodeMetrics Node::metrics() const {
  return implementation_->read([node = implementation_.get()] { return node->metrics(); });
}

}  // namespace raftlab::net
