#include "net/outbound_link.hpp"

#include "net/address.hpp"
#include "net/hello.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace raftlab::net {

namespace asio = boost::asio;

OutboundLink::OutboundLink(std::shared_ptr<TransportState> state, raft::Member peer)
    : state_(std::move(state)),
      peer_(std::move(peer)),
      resolver_(state_->io),
      socket_(state_->io),
      alarm_(state_->io),
      connection_(state_->io),
      remote_(peer_.address) {
  connection_.closed = [this] {
    boost::system::error_code ignored;
    resolver_.cancel();
    socket_.close(ignored);
    alarm_.cancel();
  };
}

asio::awaitable<bool> OutboundLink::open() {
  connection_.open_by(Clock::now() + state_->options.handshake_timeout);
  if (!co_await connect()) co_return false;
  if (!co_await greet()) co_return false;
  up_ = true;
  if (tls_ != state_->tls) verify_again(*state_->tls);
  if (connection_.failed()) co_return false;
  const TlsTransportOptions& options = state_->options;
  connection_.set_deadlines(options.frame_timeout, options.idle_timeout, options.write_timeout);
  co_return true;
}

asio::awaitable<bool> OutboundLink::connect() {
  const std::optional<Address> address = parse_address(peer_.address);
  if (!address) {
    connection_.fail(Reason::address_invalid);
    co_return false;
  }
  boost::system::error_code error;
  std::vector<asio::ip::tcp::endpoint> endpoints;
  const asio::ip::address ip = asio::ip::make_address(address->host, error);
  if (!error) {
    endpoints.emplace_back(ip, address->port);
  } else {
    const auto found = co_await resolver_.async_resolve(address->host, std::to_string(address->port),
                                                        asio::redirect_error(asio::use_awaitable, error));
    if (error) connection_.fail(Reason::address_unresolved, error.message());
    for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  }
  if (connection_.failed()) co_return false;
  co_await asio::async_connect(socket_, endpoints, asio::redirect_error(asio::use_awaitable, error));
  if (error) connection_.fail(Reason::connect_failed, error.message());
  if (connection_.failed()) co_return false;
  set_up(socket_, state_->options.write_timeout);
  remote_ = remote_of(socket_);
  tls_ = state_->tls;
  connection_.set_socket(std::move(socket_), *tls_->dialing());
  co_return co_await connection_.handshake(Side::client);
}

/// In TLS 1.3 our handshake is over before the peer has looked at our certificate: only its answer to the hello says that
/// it has let us in. Before we say a word, we look at its certificate.
asio::awaitable<bool> OutboundLink::greet() {
  const NodeIdentity& self = state_->options.self;
  const auto refuse = [&](Reason reason, const std::string& detail) {
    connection_.fail(reason, detail);
    return false;
  };
  const X509* certificate = SSL_get0_peer_certificate(&connection_.session());
  if (certificate == nullptr) co_return refuse(Reason::no_certificate, "");
  const auto identity = identity_of(*certificate);
  const auto found = peer_of(identity, self);
  const std::string who = claim_of(*certificate);
  if (const auto* reason = std::get_if<Reason>(&found)) co_return refuse(*reason, who);
  if (std::get<raft::NodeId>(found) != peer_.id) co_return refuse(Reason::identity_mismatch, who);

  FrameBatch batch;
  batch.add(FrameKind::hello, encode(Hello{protocol_version_min, protocol_version_max, self.cluster,
                                           self.node, peer_.id, state_->options.life}));
  if (!co_await connection_.write(batch.bytes())) co_return false;
  const std::optional<Frame> frame = co_await connection_.read();
  if (!frame) co_return false;
  if (frame->kind != FrameKind::hello_answer) co_return refuse(Reason::protocol, "no answer to the hello");
  const std::optional<HelloAnswer> answer = decode_hello_answer(frame->body);
  if (!answer) co_return refuse(Reason::protocol, "the answer to the hello cannot be read");
  if (const auto* reason = std::get_if<Reason>(&*answer))
    co_return refuse(Reason::refused_by_peer, name(*reason));
  if (const auto objection = objection_to(std::get<Welcome>(*answer), peer_.id, self))
    co_return refuse(*objection, "welcome");
  if (!state_->is_same_life(peer_.id, std::get<Welcome>(*answer).life))
    co_return refuse(Reason::forgetful, "welcome");
  co_return true;
}

asio::awaitable<void> OutboundLink::listen() {
  while (const std::optional<Frame> frame = co_await connection_.read()) {
    if (frame->kind == FrameKind::keepalive && frame->body.empty()) continue;
    connection_.fail(Reason::protocol, "more than a sign of life");
  }
  connection_.close();
}

asio::awaitable<void> OutboundLink::sleep_until(Clock::time_point time) {
  boost::system::error_code ignored;
  alarm_.expires_at(time);
  co_await alarm_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

void OutboundLink::verify_again(const TlsContexts& contexts) {
  if (!up_) return;  // it looks for itself when it is
  if (const std::optional<Reason> objection = contexts.objection_to(connection_.session()))
    connection_.end(*objection, "after the certificates were read again");
}

}  // namespace raftlab::net
