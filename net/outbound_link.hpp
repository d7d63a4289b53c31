#pragma once

#include "net/connection.hpp"
#include "net/transport_state.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <string>

/// For the .cpp files of net/.
namespace raftlab::net {

/// One connection to one peer, from looking up its address to its end.
class OutboundLink : public std::enable_shared_from_this<OutboundLink> {
 public:
  OutboundLink(std::shared_ptr<TransportState> state, raft::Member peer);

  /// True: the peer has accepted our hello, and listens.
  boost::asio::awaitable<bool> open();
  /// Reads what the peer says: signs of life, and the end. To be spawned beside the writing.
  boost::asio::awaitable<void> listen();
  /// Waits until `wake`, the end, or that time.
  boost::asio::awaitable<void> sleep_until(Clock::time_point time);
  void wake() { alarm_.cancel(); }

  [[nodiscard]] Connection& connection() { return connection_; }
  /// Address and port once there is a connection, the address as configured before.
  [[nodiscard]] const std::string& remote() const { return remote_; }
  /// Closes a link that is up if these certificates would not let its peer in.
  void verify_again(const TlsContexts& contexts);

 private:
  boost::asio::awaitable<bool> connect();
  boost::asio::awaitable<bool> greet();

  std::shared_ptr<TransportState> state_;
  raft::Member peer_;
  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::ip::tcp::socket socket_;  ///< until it is connected
  boost::asio::steady_timer alarm_;
  Connection connection_;
  std::string remote_;
  std::shared_ptr<const TlsContexts> tls_;  ///< those of the handshake
  bool up_ = false;
};

}  // namespace raftlab::net
