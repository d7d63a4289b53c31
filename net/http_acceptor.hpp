#pragma once

#include "net/http_state.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>

/// For the .cpp files of net/.
namespace raftlab::net {

/// Accepts clients as long as there is room for them.
class HttpAcceptor : public std::enable_shared_from_this<HttpAcceptor> {
 public:
  /// Listens at once. Throws std::runtime_error that names address and reason.
  explicit HttpAcceptor(std::shared_ptr<HttpState> state);

  void start();
  void stop();
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> pause();
  bool make_room();
  void admit(boost::asio::ip::tcp::socket socket);

  std::shared_ptr<HttpState> state_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  std::uint16_t port_ = 0;
};

}  // namespace raftlab::net
