#pragma once

#include "net/tls_verification.hpp"
#include "raft/types.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/errc.hpp>
#include <boost/system/error_code.hpp>

#include <memory>
#include <span>

/// For the .cpp files of net/.
namespace raftlab::net {

/// A TCP connection under TLS. One read and one write may be under way at the same time. It is here so that one file, and
/// not each that talks to a peer, pays for Asio's templates of SSL.
class TlsStream {
 public:
  struct Transferred {
    boost::system::error_code error;
    std::size_t bytes = 0;
  };

  /// What an operation ends with when the peer has sent more messages of TLS than a correct one does.
  static constexpr auto record_flood = boost::system::errc::protocol_error;

  TlsStream(boost::asio::ip::tcp::socket socket, SSL_CTX& context);
  ~TlsStream();

  boost::asio::awaitable<boost::system::error_code> handshake(Side side);
  boost::asio::awaitable<Transferred> read_some(std::span<std::byte> room);
  /// All of it.
  boost::asio::awaitable<boost::system::error_code> write(raft::Bytes bytes);

  /// Says that nothing more will be written, and waits until the peer has said so as well or is gone. A read may be under way.
  boost::asio::awaitable<void> shut_down();

  [[nodiscard]] boost::asio::ip::tcp::socket& socket();
  [[nodiscard]] SSL& session();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace raftlab::net
