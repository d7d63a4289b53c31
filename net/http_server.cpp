#include "net/http_server.hpp"

#include "net/address.hpp"
#include "net/http_acceptor.hpp"
#include "net/http_session.hpp"
#include "raft/assert.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>

#include <stdexcept>
#include <utility>
#include <vector>

namespace raftlab::net {

namespace asio = boost::asio;

namespace {

bool is_loopback(const std::string& listen) {
  const std::optional<Address> address = parse_address(listen);
  if (!address) return false;
  boost::system::error_code error;
  const asio::ip::address ip = asio::ip::make_address(address->host, error);
  return !error && ip.is_loopback();
}

/// A copy, because sessions that end leave the set.
std::vector<std::shared_ptr<HttpSession>> sessions_of(const HttpState& state) {
  return {state.sessions.begin(), state.sessions.end()};
}

}  // namespace

struct HttpServer::Stopping {
  explicit Stopping(asio::io_context& io) : deadline(io) {}
  asio::steady_timer deadline;
};

std::variant<std::unique_ptr<HttpServer>, HttpError> HttpServer::make(asio::io_context& io, Api& api,
                                                                      HttpOptions options) {
  HttpError error;
  std::shared_ptr<const TlsContexts> contexts;
  if (options.tls) {
    auto loaded = TlsContexts::load(options.tls->files, options.tls->self);
    if (const auto* problem = std::get_if<TlsError>(&loaded)) {
      error.kind = HttpError::Kind::tls_failed;
      error.tls = problem->kind;
      error.detail = std::string(name(problem->kind)) + ": " + problem->detail;
      return error;
    }
    contexts = std::move(std::get<std::shared_ptr<const TlsContexts>>(loaded));
  } else if (parse_address(options.listen) && !is_loopback(options.listen)) {
    error.kind = HttpError::Kind::plain_not_loopback;
    error.detail = options.listen + ": without TLS clients are served on a loopback address only";
    return error;
  }
  auto state = std::make_shared<HttpState>(io, api, std::move(options), std::move(contexts));
  try {
    auto acceptor = std::make_shared<HttpAcceptor>(state);
    acceptor->start();
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(state), std::move(acceptor)));
  } catch (const std::runtime_error& problem) {
    error.kind = HttpError::Kind::listen_failed;
    error.detail = problem.what();
    return error;
  }
}

HttpServer::HttpServer(std::shared_ptr<HttpState> state, std::shared_ptr<HttpAcceptor> acceptor)
    : state_(std::move(state)), acceptor_(std::move(acceptor)) {}

HttpServer::~HttpServer() {
  state_->stopping = true;
  state_->ended = true;
  acceptor_->stop();
  for (const auto& session : sessions_of(*state_)) session->close();
}

void HttpServer::stop(std::chrono::milliseconds longest, std::function<void()> stopped) {
  RAFTLAB_ASSERT(!state_->stopping);
  state_->stopping = true;
  state_->stopped = std::move(stopped);
  acceptor_->stop();
  for (const auto& session : sessions_of(*state_)) session->finish();
  stopping_ = std::make_unique<Stopping>(state_->io);
  stopping_->deadline.expires_after(longest);
  stopping_->deadline.async_wait([weak = std::weak_ptr(state_)](const boost::system::error_code& error) {
    const auto state = weak.lock();
    if (error || !state) return;
    for (const auto& session : sessions_of(*state)) session->close();
  });
  state_->look_whether_stopped();
}

std::optional<TlsError> HttpServer::reload() {
  if (!state_->tls) return std::nullopt;
  auto contexts = TlsContexts::load(state_->options.tls->files, state_->options.tls->self);
  if (auto* error = std::get_if<TlsError>(&contexts)) {
    ++state_->counters.reload_failures;
    state_->event("", Reason::reload_failed, std::string(name(error->kind)) + ": " + error->detail);
    return std::move(*error);
  }
  state_->tls = std::move(std::get<std::shared_ptr<const TlsContexts>>(contexts));
  ++state_->counters.reloads;
  state_->event("", Reason::reloaded, "");
  for (const auto& session : sessions_of(*state_)) session->verify_again(*state_->tls);
  return std::nullopt;
}

std::uint16_t HttpServer::port() const { return acceptor_->port(); }
HttpCounters HttpServer::counters() const { return state_->counters; }
std::shared_ptr<const TlsContexts> HttpServer::contexts() const { return state_->tls; }

}  // namespace raftlab::net
