#include "net/http_stream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace raftlab::net {

namespace asio = boost::asio;
using boost::system::error_code;

asio::awaitable<error_code> HttpStream::handshake() {
  TlsStream* const tls = std::get_if<TlsStream>(&stream_);
  error_code error;
  if (tls != nullptr) error = co_await tls->handshake(Side::server);
  co_return error;
}

asio::awaitable<TlsStream::Transferred> HttpStream::read_some(std::span<std::byte> room) {
  TlsStream* const tls = std::get_if<TlsStream>(&stream_);
  TlsStream::Transferred transferred;
  if (tls != nullptr) {
    transferred = co_await tls->read_some(room);
    co_return transferred;
  }
  transferred.bytes = co_await socket().async_read_some(
      asio::buffer(room.data(), room.size()), asio::redirect_error(asio::use_awaitable, transferred.error));
  co_return transferred;
}

asio::awaitable<error_code> HttpStream::write(std::span<const std::byte> bytes) {
  TlsStream* const tls = std::get_if<TlsStream>(&stream_);
  error_code error;
  if (tls != nullptr) {
    error = co_await tls->write(bytes);
    co_return error;
  }
  co_await asio::async_write(socket(), asio::buffer(bytes.data(), bytes.size()),
                             asio::redirect_error(asio::use_awaitable, error));
  co_return error;
}

asio::awaitable<void> HttpStream::shut_down() {
  TlsStream* const tls = std::get_if<TlsStream>(&stream_);
  if (tls != nullptr) co_await tls->shut_down();
  error_code ignored;
  socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void HttpStream::close() {
  error_code ignored;
  socket().close(ignored);
}

asio::ip::tcp::socket& HttpStream::socket() {
  if (auto* tls = std::get_if<TlsStream>(&stream_)) return tls->socket();
  return std::get<asio::ip::tcp::socket>(stream_);
}

SSL* HttpStream::session() {
  auto* tls = std::get_if<TlsStream>(&stream_);
  return tls == nullptr ? nullptr : &tls->session();
}

}  // namespace raftlab::net
