#include "net/connection.hpp"

#include "net/address.hpp"
#include "net/tls.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>
#include <netinet/tcp.h>

#include <array>
#include <utility>

namespace raftlab::net {

namespace asio = boost::asio;

namespace {

/// Of what a refused peer still sends while it is told so.
constexpr std::size_t linger_bytes_max = 256U << 10U;
constexpr int unsent_bytes_max = 256 << 10;

}  // namespace

Connection::Connection(asio::io_context& io)
    : reading_(io, [this](Reason reason) { end(reason); }),
      writing_(io, [this](Reason reason) { end(reason); }) {}

void Connection::set_socket(asio::ip::tcp::socket socket, SSL_CTX& context) {
  stream_.emplace(std::move(socket), context);
}

void Connection::open_by(Clock::time_point deadline) { reading_.arm(deadline, Reason::handshake_timeout); }

void Connection::set_deadlines(Duration frame, Duration idle, Duration write) {
  deadlines_ = Deadlines{frame, idle, write};
}

asio::awaitable<bool> Connection::handshake(Side side) {
  const boost::system::error_code error = co_await stream_->handshake(side);
  if (error) fail_by(error);
  co_return !failed();
}

asio::awaitable<std::optional<Frame>> Connection::read() {
  while (!failed()) {
    const auto next = parser_.next();
    if (const auto* frame = std::get_if<Frame>(&next)) {
      frame_begun_.reset();
      co_return *frame;
    }
    if (const auto* reason = std::get_if<Reason>(&next)) {
      fail(*reason);
      break;
    }
    arm_reading();
    const auto [error, bytes] = co_await stream_->read_some(parser_.room());
    if (error) {
      fail_by(error);
      break;
    }
    parser_.filled(bytes);
  }
  co_return std::nullopt;
}

void Connection::arm_reading() {
  if (!deadlines_) return;
  if (!parser_.in_frame()) {
    reading_.arm(Clock::now() + deadlines_->idle, Reason::idle_timeout);
    return;
  }
  // From the first byte, and not from the last one: a byte now and then is no progress.
  if (!frame_begun_) frame_begun_.emplace(Clock::now());
  reading_.arm(*frame_begun_ + deadlines_->frame, Reason::frame_timeout);
}

asio::awaitable<bool> Connection::write(raft::Bytes bytes) {
  if (failed()) co_return false;
  if (deadlines_) writing_.arm(Clock::now() + deadlines_->write, Reason::write_timeout);
  const boost::system::error_code error = co_await stream_->write(bytes);
  writing_.disarm();
  if (error) fail_by(error);
  co_return !failed();
}

asio::awaitable<void> Connection::linger(Duration longest) {
  if (!stream_) co_return;
  asio::ip::tcp::socket& socket = stream_->socket();
  boost::system::error_code error;
  socket.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  // A socket that is closed while it has bytes unread sends a reset, which may overtake what the peer should read.
  reading_.arm(Clock::now() + longest, Reason::handshake_timeout);
  std::array<std::byte, 1024> rest;
  std::size_t total = 0;
  while (!error && total < linger_bytes_max)
    total += co_await socket.async_read_some(asio::buffer(rest.data(), rest.size()),
                                             asio::redirect_error(asio::use_awaitable, error));
}

void Connection::fail(Reason reason, std::string_view detail) {
  if (!failure_) failure_.emplace(reason, detail);
}

void Connection::close() {
  fail(Reason::stopped);
  reading_.disarm();
  writing_.disarm();
  boost::system::error_code ignored;
  if (stream_) stream_->socket().close(ignored);
  if (closed) closed();
}

void Connection::fail_by(const boost::system::error_code& error) {
  const Failure failure = failure_of(error, &session());
  fail(failure.reason, failure.detail);
}

Failure failure_of(const boost::system::error_code& error, const SSL* session) {
  if (error == TlsStream::record_flood) return Failure(Reason::record_flood);
  if (session != nullptr && error.category() == asio::error::get_ssl_category()) {
    const auto code = static_cast<unsigned long>(static_cast<unsigned>(error.value()));
    return Failure(handshake_reason(*session, code), handshake_detail(*session, code));
  }
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated)
    return Failure(Reason::closed_by_peer);
  return Failure(Reason::closed_by_peer, error.message());
}

std::string remote_of(const asio::ip::tcp::socket& socket) {
  boost::system::error_code error;
  const asio::ip::tcp::endpoint endpoint = socket.remote_endpoint(error);
  return error ? std::string() : text_of({endpoint.address().to_string(), endpoint.port()});
}

void set_up(asio::ip::tcp::socket& socket, Connection::Duration unacknowledged) {
  boost::system::error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  const auto milliseconds = static_cast<unsigned>(unacknowledged.count());
  const int descriptor = socket.native_handle();
  // Improvements: a kernel that knows one of them not carries the link all the same.
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof(milliseconds));
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes_max, sizeof(unsent_bytes_max));
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

}  // namespace raftlab::net
