#include "net/tls_stream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace raftlab::net {

namespace asio = boost::asio;

namespace {

/// Of a connection, after its handshake. Correct peers of ours send none.
constexpr unsigned handshake_messages_max = 32;

}  // namespace

struct TlsStream::State {
  State(asio::ip::tcp::socket socket, SSL_CTX& context) : stream(std::move(socket), new_session(context)) {
    SSL_set_msg_callback(stream.native_handle(), count_message);
    SSL_set_msg_callback_arg(stream.native_handle(), this);
  }

  /// The session keeps the context alive: a reload may let go of it meanwhile.
  static SSL* new_session(SSL_CTX& context) {
    SSL* session = SSL_new(&context);
    require(session != nullptr, "making a TLS session");
    return session;
  }

  /// OpenSSL has limits of its own for empty records and for alerts, and none for updates of keys: those it would go on
  /// reading for ever without ever coming back to us. It only counts, and lets go of the socket.
  static void count_message(int sent, int /*version*/, int type, const void* /*message*/,
                            std::size_t /*size*/, SSL* /*session*/, void* state) {
    auto& self = *static_cast<State*>(state);
    if (sent != 0 || type != SSL3_RT_HANDSHAKE || !self.established) return;
    if (++self.handshake_messages <= handshake_messages_max) return;
    self.flooded = true;
    boost::system::error_code ignored;
    self.stream.next_layer().close(ignored);
  }
  /// What an operation ended with, or why it had to.
  [[nodiscard]] boost::system::error_code judged(boost::system::error_code error) const {
    return flooded ? make_error_code(record_flood) : error;
  }

  asio::ssl::stream<asio::ip::tcp::socket> stream;  // owns the session
  bool established = false;
  unsigned handshake_messages = 0;
  bool flooded = false;
};

TlsStream::TlsStream(asio::ip::tcp::socket socket, SSL_CTX& context)
    : state_(std::make_unique<State>(std::move(socket), context)) {}
TlsStream::~TlsStream() = default;

asio::awaitable<boost::system::error_code> TlsStream::handshake(Side side) {
  boost::system::error_code error;
  const auto type = side == Side::server ? asio::ssl::stream_base::server : asio::ssl::stream_base::client;
  co_await state_->stream.async_handshake(type, asio::redirect_error(asio::use_awaitable, error));
  state_->established = !error;
  co_return error;
}

asio::awaitable<TlsStream::Transferred> TlsStream::read_some(std::span<std::byte> room) {
  Transferred transferred;
  transferred.bytes = co_await state_->stream.async_read_some(
      asio::buffer(room.data(), room.size()), asio::redirect_error(asio::use_awaitable, transferred.error));
  transferred.error = state_->judged(transferred.error);
  co_return transferred;
}

asio::awaitable<boost::system::error_code> TlsStream::write(raft::Bytes bytes) {
  boost::system::error_code error;
  co_await asio::async_write(state_->stream, asio::buffer(bytes.data(), bytes.size()),
                             asio::redirect_error(asio::use_awaitable, error));
  co_return state_->judged(error);
}

asio::awaitable<void> TlsStream::shut_down() {
  boost::system::error_code ignored;
  co_await state_->stream.async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
}

asio::ip::tcp::socket& TlsStream::socket() { return state_->stream.next_layer(); }
SSL& TlsStream::session() { return *state_->stream.native_handle(); }

}  // namespace raftlab::net
