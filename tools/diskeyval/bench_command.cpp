#include "tools/diskeyval/bench_command.hpp"

#include "tools/diskeyval/bench_requests.hpp"
#include "tools/diskeyval/bench_session.hpp"
#include "tools/diskeyval/bench_work.hpp"
#include "tools/diskeyval/client.hpp"
#include "tools/diskeyval/client_tls.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <csignal>
#include <ostream>
#include <thread>
#include <utility>

namespace raftlab::diskeyval {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Error = boost::system::error_code;

constexpr std::chrono::milliseconds between_checks{20};
constexpr std::chrono::milliseconds between_questions{50};

/// The endpoint of the node that leads, as it says itself.
Result<std::size_t> leader_among(const BenchOptions& options) {
  ClientOptions asking;
  asking.endpoints = options.endpoints;
  asking.tls = options.tls;
  asking.timeout = options.timeout;
  const auto client = Client::make(std::move(asking));
  if (const Failure* failed = failure(client)) return *failed;
  std::string why = "nobody";
  const auto end = Clock::now() + options.timeout;
  do {
    for (std::size_t at = 0; at < options.endpoints.size(); ++at) {
      const Reply reply =
          std::get<std::unique_ptr<Client>>(client)->ask_one(options.endpoints[at], "GET", "/status", "");
      if (reply.status == 200 && reply.body.is_object() && reply.body.value("role", "") == "leader")
        return at;
      why = net::text_of(options.endpoints[at]) + ": ";
      why += reply.status == 0 ? reply.why : "does not lead";
    }
    std::this_thread::sleep_for(between_questions);
  } while (Clock::now() < end);
  return Failure{ExitCode::unavailable, "no endpoint is that of the leader (" + why + ")"};
}

class Bench {
 public:
  explicit Bench(const BenchOptions& options) : options_(options), requests_(options) {}

  std::optional<Failure> prepare() {
    if (options_.tls) {
      if (options_.target == BenchTarget::diskeyval) {
        const auto cluster = cluster_in(options_.tls->authorities);
        if (const Failure* failed = failure(cluster)) return *failed;
        shared_.cluster = std::get<net::ClusterId>(cluster);
      }
      if (auto failed = load_tls(tls_, *options_.tls)) return failed;
      shared_.tls = &tls_;
    }
    asio::ip::tcp::resolver resolver(loop_);
    for (const net::Address& address : options_.endpoints) {
      Error error;
      BenchEndpoint endpoint;
      endpoint.name = net::text_of(address);
      endpoint.addresses = resolver.resolve(address.host, std::to_string(address.port), error);
      if (error)
        return Failure{ExitCode::unavailable, "cannot find " + address.host + ": " + error.message()};
      shared_.endpoints.push_back(std::move(endpoint));
    }
    if (options_.spread == BenchSpread::leader && options_.target == BenchTarget::diskeyval) {
      const auto leads = leader_among(options_);
      if (const Failure* failed = failure(leads)) return *failed;
      leader_ = std::get<std::size_t>(leads);
    }
    return std::nullopt;
  }

  Result<BenchResult> run() {
    work_.emplace(options_, Clock::now());
    shared_.loop = &loop_;
    shared_.requests = &requests_;
    shared_.work = &*work_;
    shared_.timeout = options_.timeout;
    for (std::uint32_t client = 0; client < options_.clients; ++client) {
      const std::size_t endpoint = leader_ ? *leader_ : client % shared_.endpoints.size();
      sessions_.push_back(std::make_shared<BenchSession>(shared_, endpoint));
    }
    under_way_ = sessions_.size();
    await_signal();
    await_check();
    for (const auto& session : sessions_) session->start([this] { ended(); });
    loop_.run();
    if (work_->failed()) return *work_->failed();
    return work_->result();
  }

 private:
  void ended() {
    if (--under_way_ != 0) return;
    Error ignored;
    signals_.cancel(ignored);
    checks_.cancel();
  }

  void await_signal() {
    signals_.async_wait([this](const Error& error, int /*number*/) {
      if (error || under_way_ == 0) return;
      if (interrupted_) {
        for (const auto& session : sessions_) session->interrupt();
      }
      interrupted_ = true;
      work_->end(Clock::now());
      await_signal();
    });
  }

  void await_check() {
    checks_.expires_after(between_checks);
    checks_.async_wait([this](const Error& error) {
      // What has expired when it is cancelled still comes without an error.
      if (error || under_way_ == 0) return;
      const auto now = Clock::now();
      for (const auto& session : sessions_) session->check(now);
      await_check();
    });
  }

  const BenchOptions& options_;
  // In this order: sessions end before the loop and the context that their connections use.
  asio::ssl::context tls_{asio::ssl::context::tls_client};
  asio::io_context loop_{1};
  asio::signal_set signals_{loop_, SIGINT, SIGTERM};
  asio::steady_timer checks_{loop_};
  BenchRequests requests_;
  std::optional<BenchWork> work_;
  BenchShared shared_;
  std::optional<std::size_t> leader_;
  std::vector<std::shared_ptr<BenchSession>> sessions_;
  std::size_t under_way_ = 0;
  bool interrupted_ = false;
};

}  // namespace

Result<BenchResult> run_bench(const BenchOptions& options) {
  if (const auto failed = objection_to(options)) return *failed;
  Bench run(options);
  if (const auto failed = run.prepare()) return *failed;
  return run.run();
}

std::optional<Failure> bench(const BenchOptions& options, bool json, std::ostream& out) {
  const auto measured = run_bench(options);
  if (const Failure* failed = failure(measured)) return *failed;
  const auto& result = std::get<BenchResult>(measured);
  out << (json ? bench_json(options, result) : bench_text(options, result));
  out.flush();
  return objection_to(result);
}

}  // namespace raftlab::diskeyval
