#include "net/receiver.hpp"

#include "net/dialer.hpp"
#include "net/forward.hpp"
#include "net/listener.hpp"

#include <boost/asio/co_spawn.hpp>

#include <utility>

namespace raftlab::net {

namespace asio = boost::asio;

namespace {

/// Keepalives that come faster are not all answered: nobody makes us write by asking.
constexpr std::chrono::milliseconds answers_apart{100};

}  // namespace

Receiver::Receiver(std::shared_ptr<TransportState> state, asio::ip::tcp::socket socket, Admission::Id id)
    : state_(std::move(state)),
      connection_(state_->io),
      id_(id),
      remote_(remote_of(socket)),
      tls_(state_->tls) {
  set_up(socket, state_->options.write_timeout);
  connection_.set_socket(std::move(socket), *tls_->listening());
}

void Receiver::start() {
  // Both the function object and the receiver live until the coroutine is over.
  asio::co_spawn(
      state_->io, [self = shared_from_this()]() -> asio::awaitable<void> { co_await self->run(); }, rethrow);
}

asio::awaitable<void> Receiver::run() {
  connection_.open_by(Clock::now() + state_->options.handshake_timeout);
  if (const std::optional<raft::NodeId> peer = co_await admit()) {
    co_await receive();
    connection_.close();
    --state_->counters.links_in;
    state_->link_closed(*peer, remote_, connection_.failure());
    const auto current = state_->receivers.find(*peer);
    if (current != state_->receivers.end() && current->second.get() == this) state_->receivers.erase(current);
  } else {
    // Why is told when it is known; then the peer gets a moment to read it.
    state_->handshake_failed(peer_, remote_, connection_.failure());
    co_await connection_.linger(state_->options.linger);
    connection_.close();
  }
  if (state_->listener) state_->listener->forget(id_);
}

asio::awaitable<std::optional<raft::NodeId>> Receiver::admit() {
  if (!co_await connection_.handshake(Side::server)) co_return std::nullopt;

  const X509* certificate = SSL_get0_peer_certificate(&connection_.session());
  if (certificate == nullptr) {
    connection_.fail(Reason::no_certificate);
    co_return std::nullopt;
  }
  const auto identity = identity_of(*certificate);
  const auto peer = peer_of(identity, state_->options.self);
  if (const auto* reason = std::get_if<Reason>(&peer)) {
    co_await refuse(*reason);
    connection_.fail(*reason, claim_of(*certificate));
    co_return std::nullopt;
  }
  peer_ = std::get<raft::NodeId>(peer);
  if (!state_->members.contains(peer_)) {
    co_await refuse(Reason::not_member);
    connection_.fail(Reason::not_member);
    co_return std::nullopt;
  }

  const std::optional<Frame> frame = co_await connection_.read();
  if (!frame) co_return std::nullopt;
  if (frame->kind != FrameKind::hello) {
    connection_.fail(Reason::protocol, "no hello");
    co_return std::nullopt;
  }
  const std::optional<Hello> hello = decode_hello(frame->body);
  if (!hello) {
    connection_.fail(Reason::protocol, "hello cannot be read");
    co_return std::nullopt;
  }
  const HelloAnswer answer = answer_to(*hello, peer_, state_->options.self, state_->options.life);
  if (const auto* reason = std::get_if<Reason>(&answer)) {
    co_await refuse(*reason);
    connection_.fail(*reason, "hello of node " + std::to_string(hello->node.value()) + " to node " +
                                  std::to_string(hello->expected.value()));
    co_return std::nullopt;
  }
  // The membership may have changed while we waited for the hello.
  if (!state_->members.contains(peer_)) {
    co_await refuse(Reason::not_member);
    connection_.fail(Reason::not_member);
    co_return std::nullopt;
  }
  // So may the certificates.
  if (tls_ != state_->tls) {
    if (const std::optional<Reason> objection = state_->tls->objection_to(connection_.session())) {
      connection_.fail(*objection, "after the certificates were read again");
      co_return std::nullopt;
    }
  }
  if (!state_->is_same_life(peer_, hello->life)) {
    co_await refuse(Reason::forgetful);
    connection_.fail(Reason::forgetful);
    co_return std::nullopt;
  }
  FrameBatch batch;
  batch.add(FrameKind::hello_answer, encode(answer));
  take_over();
  co_await connection_.write(batch.bytes());
  co_return peer_;
}

asio::awaitable<void> Receiver::refuse(Reason reason) {
  FrameBatch batch;
  batch.add(FrameKind::hello_answer, encode(HelloAnswer(reason)));
  co_await connection_.write(batch.bytes());
}

/// The younger connection wins. The node at the other end dials one at a time, so that it has given up the older one: that
/// may be half dead, and would keep the peer out until its idle time was over.
void Receiver::take_over() {
  state_->listener->forget(id_);
  const std::shared_ptr<Receiver> older = std::exchange(state_->receivers[peer_], shared_from_this());
  if (older) older->end(Reason::superseded);
  ++state_->counters.links_in;
  state_->event(peer_, remote_, Reason::connected, "in");
  const auto dialer = state_->dialers.find(peer_);
  if (dialer != state_->dialers.end()) dialer->second->peer_is_alive();
}

asio::awaitable<void> Receiver::receive() {
  const TlsTransportOptions& options = state_->options;
  connection_.set_deadlines(options.frame_timeout, options.idle_timeout, options.write_timeout);
  connection_.set_body_bytes_max(raft::wire::frame_bytes_max);
  while (const std::optional<Frame> frame = co_await connection_.read()) {
    ++state_->counters.frames_in;
    state_->counters.bytes_in += frame_header_bytes + frame->body.size();
    if (frame->kind == FrameKind::envelope) {
      deliver(frame->body);
    } else if (frame->kind == FrameKind::request) {
      deliver_request(frame->body);
    } else if (frame->kind == FrameKind::answer) {
      deliver_answer(frame->body);
    } else if (frame->kind == FrameKind::keepalive && frame->body.empty()) {
      co_await answer_keepalive();
    } else {
      connection_.fail(
          Reason::protocol,
          "a frame of kind " + std::to_string(static_cast<unsigned>(frame->kind)) + " where it has no place");
    }
  }
}

void Receiver::deliver(raft::Bytes body) {
  auto decoded = state_->decoder.decode(body);
  if (const auto* error = std::get_if<raft::wire::DecodeError>(&decoded))
    return connection_.fail(Reason::decode, raft::wire::name(*error));
  auto& envelope = std::get<raft::Envelope>(decoded);
  if (envelope.from != peer_)
    return connection_.fail(Reason::wrong_sender, "from " + std::to_string(envelope.from.value()));
  if (envelope.to != state_->options.self.node)
    return connection_.fail(Reason::wrong_receiver, "to " + std::to_string(envelope.to.value()));
  if (state_->stopped) return;
  if (state_->handlers.objection) {
    if (const std::optional<Reason> reason = state_->handlers.objection(envelope))
      return connection_.fail(*reason, std::string(raft::name(envelope.message)) + " in term " +
                                           std::to_string(envelope.term.value()));
  }
  if (state_->handlers.deliver) state_->handlers.deliver(std::move(envelope));
}

void Receiver::deliver_request(raft::Bytes body) {
  std::optional<kv::Request> request = decode_request(body);
  if (!request) return connection_.fail(Reason::decode, "a request");
  if (!state_->stopped && state_->handlers.request) state_->handlers.request(peer_, std::move(*request));
}

void Receiver::deliver_answer(raft::Bytes body) {
  std::optional<kv::Answer> answer = decode_answer(body);
  if (!answer) return connection_.fail(Reason::decode, "an answer");
  if (!state_->stopped && state_->handlers.answer) state_->handlers.answer(peer_, std::move(*answer));
}

asio::awaitable<void> Receiver::answer_keepalive() {
  const Clock::time_point now = Clock::now();
  if (now - answered_ < answers_apart) co_return;
  answered_ = now;
  FrameBatch batch;
  batch.add(FrameKind::keepalive, {});
  co_await connection_.write(batch.bytes());
}

void Receiver::verify_again(const TlsContexts& contexts) {
  if (const std::optional<Reason> objection = contexts.objection_to(connection_.session()))
    connection_.end(*objection, "after the certificates were read again");
}

}  // namespace raftlab::net
