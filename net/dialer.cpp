#include "net/dialer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace raftlab::net {

namespace asio = boost::asio;

Dialer::Dialer(std::shared_ptr<TransportState> state, raft::Member peer)
    : state_(std::move(state)),
      peer_(std::move(peer)),
      queue_(state_->options.queue),
      backoff_(state_->options.backoff_first, state_->options.backoff_longest, state_->options.random),
      pause_(state_->io) {}

void Dialer::start() {
  asio::co_spawn(
      state_->io, [self = shared_from_this()]() -> asio::awaitable<void> { co_await self->run(); }, rethrow);
}

void Dialer::stop(Reason reason) {
  stopped_ = true;
  pause_.cancel();
  if (link_) link_->connection().end(reason);
}

void Dialer::send(raft::Envelope&& envelope) { enqueue(std::move(envelope)); }
void Dialer::send(FrameKind kind, std::vector<std::byte>&& body) { enqueue(kind, std::move(body)); }

template <class... What>
void Dialer::enqueue(What&&... what) {
  if (!link_ || link_->connection().failed()) {
    state_->drop(Drop::link_down);
  } else if (!queue_.push(std::forward<What>(what)...)) {
    state_->drop(Drop::queue_full);
  } else {
    return link_->wake();
  }
  state_->report_unreachable(peer_.id);
}

asio::awaitable<void> Dialer::run() {
  while (!stopped_) {
    const auto link = std::make_shared<OutboundLink>(state_, peer_);
    link_ = link;
    ++state_->counters.dialled;
    const bool up = co_await link->open();
    const Clock::time_point since = Clock::now();
    if (up) co_await serve(link);
    link->connection().close();
    link_.reset();
    account_for(*link, up);
    if (stopped_) break;
    // A peer that accepts and hangs up at once is not dialled faster than one that never answers.
    if (up && Clock::now() - since > state_->options.backoff_longest) backoff_.reset();
    boost::system::error_code ignored;
    pause_.expires_after(backoff_.next());
    co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

void Dialer::account_for(OutboundLink& link, bool was_up) {
  const Failure& failure = link.connection().failure();
  if (was_up) {
    --state_->counters.links_out;
    state_->link_closed(peer_.id, link.remote(), failure);
  } else if (!stopped_) {
    state_->handshake_failed(peer_.id, link.remote(), failure);
  }
  state_->drop(Drop::link_broken, queue_.clear());
  if (!stopped_) state_->report_unreachable(peer_.id);
}

asio::awaitable<void> Dialer::serve(std::shared_ptr<OutboundLink> link) {
  ++state_->counters.links_out;
  if (std::exchange(was_up_before_, true)) ++state_->counters.reconnects;
  state_->event(peer_.id, link->remote(), Reason::connected, "out");
  asio::co_spawn(
      state_->io, [link]() -> asio::awaitable<void> { co_await link->listen(); }, rethrow);

  FrameBatch batch;
  Clock::time_point keepalive = Clock::now() + state_->options.keepalive_interval;
  while (!link->connection().failed()) {
    batch.clear();
    queue_.take(batch);
    // Also when there is enough to write: the answer is what tells us that the peer lives.
    if (const Clock::time_point now = Clock::now(); now >= keepalive) {
      batch.add(FrameKind::keepalive, {});
      keepalive = now + state_->options.keepalive_interval;
    }
    if (!batch.empty()) {
      if (!co_await link->connection().write(batch.bytes())) break;
      state_->counters.frames_out += batch.frames();
      state_->counters.bytes_out += batch.bytes().size();
    } else if (queue_.empty()) {
      co_await link->sleep_until(keepalive);
    }
  }
}

void Dialer::verify_again(const TlsContexts& contexts) {
  if (link_) link_->verify_again(contexts);
}

}  // namespace raftlab::net
