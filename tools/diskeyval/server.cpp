#include "tools/diskeyval/server.hpp"

#include "net/address.hpp"
#include "net/api.hpp"
#include "net/certificates.hpp"
#include "net/fresh_number.hpp"
#include "net/host.hpp"
#include "net/http_server.hpp"
#include "net/tls_transport.hpp"
#include "tools/diskeyval/memory_mark.hpp"
#include "tools/diskeyval/metrics.hpp"
#include "tools/diskeyval/service_manager.hpp"
#include "tools/version/version.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <iomanip>
#include <optional>
#include <sstream>
#include <utility>
#include <variant>
#include <vector>

namespace raftlab::diskeyval {

namespace asio = boost::asio;
using Json = nlohmann::ordered_json;
using raft::NodeId;

namespace {

constexpr std::size_t certificate_bytes_max = 1U << 20U;
constexpr std::chrono::seconds answers_longest{5};  // of requests under way when the node is told to end
constexpr std::chrono::seconds links_longest{2};    // of links to be let go of, after that

Result<net::NodeIdentity> identity_of(const Settings& settings) {
  const std::string file = settings.tls.certificate.string();
  const auto text = net::read_file(settings.tls.certificate, certificate_bytes_max);
  if (const auto* error = std::get_if<net::FileError>(&text))
    return Failure{ExitCode::io, "--cert: " + file + " cannot be read (" + net::name(*error) + ")"};
  const auto all = net::describe(std::get<std::string>(text));
  const auto* certificates = std::get_if<std::vector<net::CertificateDescription>>(&all);
  if (certificates == nullptr)
    return Failure{ExitCode::bad_data, "--cert: " + file + " holds no certificate"};
  const std::optional<net::Identity> identity = net::parse_identity(certificates->front().identity);
  const auto* node = identity ? std::get_if<net::NodeIdentity>(&*identity) : nullptr;
  if (node == nullptr) {
    return Failure{ExitCode::bad_data, "--cert: " + file + " is no node's certificate: its identity is '" +
                                           certificates->front().identity + "'"};
  }
  if (settings.id && *settings.id != node->node) {
    return Failure{ExitCode::usage, "--id: the certificate is that of node " +
                                        std::to_string(node->node.value()) + ", not " +
                                        std::to_string(settings.id->value())};
  }
  return *node;
}

raft::Member member_of(NodeId id, std::string address) {
  return raft::Member{id, "node" + std::to_string(id.value()), std::move(address)};
}

net::HostOptions host_options(const Settings& settings, const net::NodeIdentity& self) {
  net::HostOptions host;
  host.id = self.node;
  host.cluster = self.cluster.value();
  std::vector<raft::Member> others;
  for (const auto& [id, address] : settings.peers) {
    if (id != self.node) others.push_back(member_of(id, address));
  }
  if (settings.join) {
    host.contacts = std::move(others);
  } else {
    host.first_members = std::move(others);
    host.first_members.push_back(member_of(self.node, settings.address.value_or(settings.listen)));
  }
  host.data = settings.data;
  host.election_timeout = settings.election_timeout;
  host.heartbeat = settings.heartbeat;
  host.lease_drift_ppm = settings.lease_drift_ppm;
  host.read_policy = settings.read_policy;
  host.priority = settings.priority;
  host.snapshot.entries = settings.compact_every;
  host.trace = settings.trace;
  return host;
}

Result<std::unique_ptr<net::TlsTransport>> make_transport(asio::io_context& loop, const Settings& settings,
                                                          const net::NodeIdentity& self,
                                                          net::LinkObserver observer) {
  net::TlsTransportOptions options;
  options.self = self;
  options.listen = settings.listen;
  options.files = settings.tls;
  options.observer = std::move(observer);
  options.random = net::fresh_number;
  if (settings.memory) options.life = net::fresh_number() | 1U;
  options.handshake_timeout = options.frame_timeout = options.write_timeout = settings.peer_timeout;
  auto made = net::TlsTransport::make(loop, std::move(options));
  if (const auto* error = std::get_if<net::TlsError>(&made))
    return Failure{ExitCode::bad_data, std::string(net::name(error->kind)) + ": " + error->detail};
  return std::move(std::get<std::unique_ptr<net::TlsTransport>>(made));
}

/// The voter that has most of the log: who takes the leadership over soonest.
NodeId successor_of(const raft::View& view) {
  NodeId successor;
  raft::Index best;
  for (const raft::Progress& peer : view.peers) {
    const auto& voters = view.configurations.back().configuration.voters;
    if (peer.id == view.id || std::ranges::find(voters, peer.id) == voters.end()) continue;
    if (successor && peer.match <= best) continue;
    successor = peer.id;
    best = peer.match;
  }
  return successor;
}

Severity severity_of(net::Reason reason) {
  switch (reason) {
    case net::Reason::connected:
    case net::Reason::closed_by_peer:
    case net::Reason::stopped:
    case net::Reason::superseded: return Severity::info;
    case net::Reason::two_leaders:
    case net::Reason::committed_conflict:
    case net::Reason::forgetful: return Severity::error;  // what the safety of the cluster rests on is broken
    default: return Severity::warning;
  }
}

std::string hexadecimal(std::uint64_t number) {
  std::ostringstream text;
  text << std::hex << std::setw(16) << std::setfill('0') << number;
  return text.str();
}

}  // namespace

class Server::Implementation {
 public:
  Implementation(const Settings& settings, const net::NodeIdentity& self, EventLog& log)
      : settings_(settings),
        self_(self),
        log_(log),
        signals_(loop_, SIGTERM, SIGINT, SIGHUP),
        timer_(loop_) {}

  std::optional<Failure> open() {
    auto transport =
        make_transport(loop_, settings_, self_, [this](const net::LinkEvent& e) { tell("link", e); });
    if (const Failure* failed = failure(transport)) return *failed;
    transport_ = std::move(std::get<std::unique_ptr<net::TlsTransport>>(transport));
    try {
      host_ = std::make_unique<net::Host>(loop_, host_options(settings_, self_), *transport_, events());
    } catch (const net::StartError& error) {
      return Failure{error.refusal ? ExitCode::bad_data : ExitCode::io,
                     std::string("--data: ") + error.what()};
    } catch (const std::filesystem::filesystem_error& error) {
      return Failure{ExitCode::io, std::string("--data: ") + error.what()};
    }
    api_ = std::make_unique<net::Api>(*host_, api_options());
    auto http = net::HttpServer::make(loop_, *api_, http_options());
    if (const auto* error = std::get_if<net::HttpError>(&http)) {
      const bool plain = error->kind == net::HttpError::Kind::plain_not_loopback;
      return Failure{plain ? ExitCode::usage : ExitCode::io, "--http: " + error->detail};
    }
    http_ = std::move(std::get<std::unique_ptr<net::HttpServer>>(http));
    try {
      transport_->start(host_->handlers());
    } catch (const std::exception& error) {
      return Failure{ExitCode::io, std::string("--listen: ") + error.what()};
    }
    return settings_.memory ? use_number_up(self_, settings_.tls.key) : std::nullopt;
  }

  ExitCode run() {
    host_->start();
    watch_signals();
    tell_start();
    tell_service_manager("READY=1");
    loop_.run();
    loop_.restart();
    loop_.run_for(links_longest);
    if (exit_ == ExitCode::ok) log_.tell(Severity::info, "ended", Json::object());
    return exit_;
  }

 private:
  net::HostEvents events() {
    net::HostEvents events;
    events.role = [this](raft::RoleChange change) {
      log_.tell(Severity::info, "role",
                {{"role", raft::name(change.role)},
                 {"term", change.term.value()},
                 {"leader", change.leader.value()}});
      if (change.role == raft::Role::candidate) ++tally_.elections;
      if (change.role == raft::Role::leader) ++tally_.terms_led;
      if (handing_over_ && change.role != raft::Role::leader) stop_answering();
    };
    events.leader = [this](NodeId leader) {
      if (leader) ++tally_.leader_changes;
    };
    events.fault = [this](raft::Fault /*fault*/) {
      log_.tell(
          Severity::error, "disk_failed",
          {{"meaning",
            "a write or a sync failed: what is on disk is not known, and the node does nothing any more"}});
      exit_ = ExitCode::io;
      end();
    };
    events.trace_failed = [this](const std::string& why) {
      log_.tell(Severity::warning, "trace_failed",
                {{"why", why}, {"meaning", "the steps of this life are not written down any more"}});
    };
    return events;
  }

  net::ApiOptions api_options() {
    net::ApiOptions options;
    options.timeout = settings_.request_timeout;
    options.address = [this](NodeId id) -> std::optional<std::string> {
      const auto known = settings_.apis.find(id);
      return known == settings_.apis.end() ? std::nullopt : std::optional(known->second);
    };
    return options;
  }

  net::HttpOptions http_options() {
    net::HttpOptions options;
    options.listen = settings_.http;
    if (!settings_.plain) {
      net::HttpTlsOptions tls;
      tls.files = settings_.tls;
      tls.self = self_;
      options.tls = std::move(tls);
    }
    options.observer = [this](const net::LinkEvent& event) { tell("client", event); };
    options.metrics = [this] { return metrics(); };
    return options;
  }

  [[nodiscard]] std::string metrics() const {
    Measured measured;
    measured.status = host_->status();
    measured.tally = tally_;
    measured.latencies = host_->latencies();
    measured.peers = transport_->counters();
    measured.queues = transport_->queues();
    measured.clients = http_->counters();
    measured.certificate_expires_s = transport_->contexts()->certificate_expires_s();
    measured.revocations_expire_s = transport_->contexts()->revocations_expire_s();
    return metrics_text(measured);
  }

  void tell(const char* what, const net::LinkEvent& event) {
    Json fields = {{"reason", net::name(event.reason)}};
    if (event.peer) fields["peer"] = event.peer.value();
    if (!event.remote.empty()) fields["remote"] = event.remote;
    if (!event.detail.empty()) fields["detail"] = event.detail;
    if (event.suppressed != 0) fields["suppressed"] = event.suppressed;
    log_.tell(severity_of(event.reason), what, fields);
  }

  void tell_start() {
    Json fields = {{"version", version::number()},
                   {"commit", version::commit()},
                   {"node", self_.node.value()},
                   {"cluster", hexadecimal(self_.cluster.value())},
                   {"peers", settings_.listen},
                   {"clients", (settings_.plain ? "http://" : "https://") + settings_.http}};
    if (settings_.data) fields["data"] = settings_.data->string();
    if (settings_.trace) fields["trace"] = settings_.trace->string();
    log_.tell(Severity::info, "started", fields);
    if (settings_.data) return;
    log_.tell(Severity::warning, "in_memory",
              {{"meaning",
                "nothing is kept: once this node has ended, its number cannot be used again in this cluster"},
               {"mark", mark_of(self_, settings_.tls.key).string()}});
  }

  void watch_signals() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal == SIGHUP) {
        reload();
      } else if (std::exchange(told_to_end_, true)) {
        log_.tell(Severity::warning, "ending_at_once", {{"signal", signal}});
        return end();
      } else {
        log_.tell(Severity::info, "ending", {{"signal", signal}});
        tell_service_manager("STOPPING=1");
        hand_over();
      }
      watch_signals();
    });
  }

  void reload() {
    for (const auto& [port, error] :
         {std::pair{"peers", transport_->reload()}, {"clients", http_->reload()}}) {
      Json fields = {{"port", port}};
      if (error) {
        fields["error"] = net::name(error->kind);
        fields["detail"] = error->detail;
      }
      log_.tell(error ? Severity::error : Severity::info, error ? "reload_failed" : "reloaded", fields);
    }
  }

  void hand_over() {
    const raft::View view = host_->service().replica().view();
    const NodeId successor = view.state.role == raft::Role::leader ? successor_of(view) : NodeId{};
    if (!successor) return stop_answering();
    handing_over_ = true;
    host_->transfer(successor, [](const kv::ChangeAnswer&) {});
    after(settings_.election_timeout * 2, [this] { stop_answering(); });
  }

  void stop_answering() {
    if (std::exchange(stopped_answering_, true)) return;
    handing_over_ = false;
    timer_.cancel();
    http_->stop(answers_longest, [this] { asio::post(loop_, [this] { end(); }); });
  }

  void end() {
    if (std::exchange(ended_, true)) return;
    signals_.cancel();
    timer_.cancel();
    http_.reset();
    host_->stop();
    transport_->stop();
    loop_.stop();
  }

  template <class Run>
  void after(std::chrono::milliseconds time, Run run) {
    timer_.expires_after(time);
    timer_.async_wait([run](const boost::system::error_code& error) {
      if (!error) run();
    });
  }

  Settings settings_;
  net::NodeIdentity self_;
  EventLog& log_;
  asio::io_context loop_{1};
  asio::signal_set signals_;
  asio::steady_timer timer_;
  std::unique_ptr<net::TlsTransport> transport_;
  std::unique_ptr<net::Host> host_;
  std::unique_ptr<net::Api> api_;
  std::unique_ptr<net::HttpServer> http_;
  Tally tally_;
  bool told_to_end_ = false;
  bool handing_over_ = false;
  bool stopped_answering_ = false;
  bool ended_ = false;
  ExitCode exit_ = ExitCode::ok;
};

Server::Server(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::make(const Settings& settings, EventLog& log) {
  const auto self = identity_of(settings);
  if (const Failure* failed = failure(self)) return *failed;
  auto implementation = std::make_unique<Implementation>(settings, std::get<net::NodeIdentity>(self), log);
  if (const auto failed = implementation->open()) return *failed;
  return std::unique_ptr<Server>(new Server(std::move(implementation)));
}

ExitCode Server::run() { return implementation_->run(); }

}  // namespace raftlab::diskeyval
