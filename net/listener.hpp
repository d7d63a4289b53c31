#pragma once

#include "net/admission.hpp"
#include "net/receiver.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <map>
#include <memory>

/// For the .cpp files of net/.
namespace raftlab::net {

/// Accepts connections, and knows those that have not yet said who they are.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  /// Listens at once. Throws std::runtime_error that names address and reason.
  explicit Listener(std::shared_ptr<TransportState> state);

  void start();
  void stop();
  /// The connection said who it is, or is over.
  void forget(Admission::Id id);
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  boost::asio::awaitable<void> accept();
  void admit(boost::asio::ip::tcp::socket socket);

  std::shared_ptr<TransportState> state_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  Admission admission_;
  std::map<Admission::Id, std::shared_ptr<Receiver>> pending_;
  Admission::Id next_id_ = 1;
  std::uint16_t port_ = 0;
};

}  // namespace raftlab::net
