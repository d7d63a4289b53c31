#include "net/transport_state.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace raftlab::net {

TransportState::TransportState(boost::asio::io_context& context, TlsTransportOptions given,
                               std::shared_ptr<const TlsContexts> contexts)
    : io(context),
      options(std::move(given)),
      tls(std::move(contexts)),
      events(options.observer, counters.events_suppressed) {}
TransportState::~TransportState() = default;

void TransportState::handshake_failed(raft::NodeId peer, const std::string& remote, const Failure& failure) {
  ++counters.handshake_failures[static_cast<std::size_t>(failure.reason)];
  event(peer, remote, failure.reason, failure.detail);
}

void TransportState::link_closed(raft::NodeId peer, const std::string& remote, const Failure& failure) {
  ++counters.links_closed[static_cast<std::size_t>(failure.reason)];
  event(peer, remote, failure.reason, failure.detail);
}

void TransportState::event(raft::NodeId peer, const std::string& remote, Reason reason,
                           const std::string& detail) {
  // The end of every link is no news once the transport has been told to end them all.
  if (!stopped) events.tell(Clock::now(), peer, remote, reason, detail);
}

void TransportState::drop(Drop reason, std::uint64_t count) {
  counters.dropped[static_cast<std::size_t>(reason)] += count;
}

bool TransportState::is_same_life(raft::NodeId peer, std::uint64_t life) {
  return lives.try_emplace(peer, life).first->second == life;
}

void TransportState::report_unreachable(raft::NodeId peer) {
  if (stopped) return;
  const bool posted = !unreachable_.empty();
  unreachable_.insert(peer);
  if (posted) return;
  boost::asio::post(io, [self = shared_from_this()] {
    for (const raft::NodeId node : std::exchange(self->unreachable_, {}))
      if (!self->stopped && self->handlers.unreachable) self->handlers.unreachable(node);
  });
}

void rethrow(const std::exception_ptr& exception) {
  if (exception) std::rethrow_exception(exception);
}

}  // namespace raftlab::net
