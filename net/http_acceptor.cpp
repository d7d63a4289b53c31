#include "net/http_acceptor.hpp"

#include "net/http_session.hpp"
#include "net/listen.hpp"
#include "net/transport_state.hpp"

#include <boost/asio/co_spawn.hpp>

#include <utility>

namespace raftlab::net {

namespace asio = boost::asio;

namespace {

/// When descriptors, memory or places have run out, the same connection would be offered again at once, and for ever.
constexpr std::chrono::milliseconds accept_pause{100};

}  // namespace

HttpAcceptor::HttpAcceptor(std::shared_ptr<HttpState> state)
    : state_(std::move(state)), acceptor_(state_->io), pause_(state_->io) {
  listen_on(acceptor_, state_->options.listen);
  port_ = acceptor_.local_endpoint().port();
}

void HttpAcceptor::start() {
  asio::co_spawn(
      state_->io, [self = shared_from_this()]() -> asio::awaitable<void> { co_await self->accept(); },
      rethrow);
}

asio::awaitable<void> HttpAcceptor::accept() {
  while (acceptor_.is_open()) {
    boost::system::error_code error;
    // Somebody knocks: only then it matters whether there is room.
    co_await acceptor_.async_wait(asio::socket_base::wait_read,
                                  asio::redirect_error(asio::use_awaitable, error));
    if (!acceptor_.is_open()) co_return;
    if (!make_room()) {
      co_await pause();
      continue;
    }
    asio::ip::tcp::socket socket =
        co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (!acceptor_.is_open()) co_return;
    if (!error) {
      admit(std::move(socket));
      continue;
    }
    state_->event("", Reason::accept_failed, error.message());
    // Perhaps a descriptor is all that is wanted.
    state_->evict();
    co_await pause();
  }
}

asio::awaitable<void> HttpAcceptor::pause() {
  boost::system::error_code ignored;
  pause_.expires_after(accept_pause);
  co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

/// Who idles gives way to who knocks: otherwise a handful of connections that ask for nothing keeps everybody out.
bool HttpAcceptor::make_room() {
  if (state_->sessions.size() < state_->options.connections_max) return true;
  if (state_->evict()) return true;
  state_->event("", Reason::connections_full, std::to_string(state_->sessions.size()) + " connections");
  return false;
}

void HttpAcceptor::admit(asio::ip::tcp::socket socket) {
  boost::system::error_code error;
  (void)socket.remote_endpoint(error);
  if (error) return;  // gone already
  ++state_->counters.accepted;
  const auto session = std::make_shared<HttpSession>(state_, std::move(socket));
  state_->sessions.insert(session);
  state_->counters.connections = state_->sessions.size();
  session->start();
}

void HttpAcceptor::stop() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

}  // namespace raftlab::net
