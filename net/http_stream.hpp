#pragma once

#include "net/tls_stream.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <span>
#include <variant>

/// For the .cpp files of net/.
namespace raftlab::net {

/// A TCP connection with or without TLS. One read and one write may be under way at the same time.
class HttpStream {
 public:
  /// Without TLS.
  explicit HttpStream(boost::asio::ip::tcp::socket socket) : stream_(std::move(socket)) {}
  HttpStream(boost::asio::ip::tcp::socket socket, SSL_CTX& context)
      : stream_(std::in_place_type<TlsStream>, std::move(socket), context) {}

  /// As a server; without TLS nothing.
  boost::asio::awaitable<boost::system::error_code> handshake();
  boost::asio::awaitable<TlsStream::Transferred> read_some(std::span<std::byte> room);
  /// All of it.
  boost::asio::awaitable<boost::system::error_code> write(std::span<const std::byte> bytes);
  /// Says that nothing more will be written; with TLS waits for the peer to say so as well.
  boost::asio::awaitable<void> shut_down();
  void close();

  [[nodiscard]] boost::asio::ip::tcp::socket& socket();
  [[nodiscard]] SSL* session();  ///< null without TLS

 private:
  std::variant<boost::asio::ip::tcp::socket, TlsStream> stream_;
};

}  // namespace raftlab::net
