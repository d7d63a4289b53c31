#include "net/listener.hpp"

#include "net/listen.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace raftlab::net {

namespace asio = boost::asio;

namespace {

/// When descriptors or memory have run out, the same connection would be offered again at once, and for ever.
constexpr std::chrono::milliseconds accept_pause{100};

}  // namespace

Listener::Listener(std::shared_ptr<TransportState> state)
    : state_(std::move(state)),
      acceptor_(state_->io),
      pause_(state_->io),
      admission_(state_->options.pending_max, state_->options.pending_per_address_max) {
  listen_on(acceptor_, state_->options.listen);
  port_ = acceptor_.local_endpoint().port();
}

void Listener::start() {
  asio::co_spawn(
      state_->io, [self = shared_from_this()]() -> asio::awaitable<void> { co_await self->accept(); },
      rethrow);
}

asio::awaitable<void> Listener::accept() {
  while (acceptor_.is_open()) {
    boost::system::error_code error;
    asio::ip::tcp::socket socket =
        co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (!acceptor_.is_open()) co_return;
    if (!error) {
      admit(std::move(socket));
      continue;
    }
    state_->event(raft::NodeId(), "", Reason::accept_failed, error.message());
    pause_.expires_after(accept_pause);
    co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
}

void Listener::admit(asio::ip::tcp::socket socket) {
  boost::system::error_code error;
  const asio::ip::tcp::endpoint remote = socket.remote_endpoint(error);
  if (error) return;  // gone already
  const Admission::Id id = next_id_++;
  ++state_->counters.accepted;
  if (const std::optional<Admission::Id> evicted = admission_.enter(id, remote.address().to_string())) {
    const auto older = pending_.find(*evicted);
    if (older != pending_.end()) {
      older->second->end(Reason::overloaded);
      pending_.erase(older);
    }
  }
  const auto receiver = std::make_shared<Receiver>(state_, std::move(socket), id);
  pending_[id] = receiver;
  state_->counters.pending = pending_.size();
  receiver->start();
}

void Listener::forget(Admission::Id id) {
  admission_.leave(id);
  pending_.erase(id);
  state_->counters.pending = pending_.size();
}

void Listener::stop() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
  for (const auto& [id, receiver] : std::exchange(pending_, {})) receiver->end(Reason::stopped);
  state_->counters.pending = 0;
}

}  // namespace raftlab::net
