#include "net/tls_stream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace raftlab::net {

namespace asio = boost::asio;

struct TlsStream::State {
  State(asio::ip::tcp::socket socket, SSL_CTX& context) : stream(std::move(socket), new_session(context)) {}

  /// The session keeps the context alive: a reload may let go of it meanwhile.
  static SSL* new_session(SSL_CTX& context) {
    SSL* session = SSL_new(&context);
    require(session != nullptr, "making a TLS session");
    return session;
  }

  asio::ssl::stream<asio::ip::tcp::socket> stream;  // owns the session
};

TlsStream::TlsStream(asio::ip::tcp::socket socket, SSL_CTX& context)
    : state_(std::make_unique<State>(std::move(socket), context)) {}
TlsStream::~TlsStream() = default;

asio::awaitable<boost::system::error_code> TlsStream::handshake(Side side) {
  boost::system::error_code error;
  const auto type = side == Side::server ? asio::ssl::stream_base::server : asio::ssl::stream_base::client;
  co_await state_->stream.async_handshake(type, asio::redirect_error(asio::use_awaitable, error));
  co_return error;
}

asio::awaitable<TlsStream::Transferred> TlsStream::read_some(std::span<std::byte> room) {
  Transferred transferred;
  transferred.bytes = co_await state_->stream.async_read_some(
      asio::buffer(room.data(), room.size()), asio::redirect_error(asio::use_awaitable, transferred.error));
  co_return transferred;
}

asio::awaitable<boost::system::error_code> TlsStream::write(raft::Bytes bytes) {
  boost::system::error_code error;
  co_await asio::async_write(state_->stream, asio::buffer(bytes.data(), bytes.size()),
                             asio::redirect_error(asio::use_awaitable, error));
  co_return error;
}

asio::awaitable<void> TlsStream::shut_down() {
  boost::system::error_code ignored;
  co_await state_->stream.async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
}

asio::ip::tcp::socket& TlsStream::socket() { return state_->stream.next_layer(); }
SSL& TlsStream::session() { return *state_->stream.native_handle(); }

}  // namespace raftlab::net
