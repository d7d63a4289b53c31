#pragma once

#include "net/admission.hpp"
#include "net/connection.hpp"
#include "net/hello.hpp"
#include "net/transport_state.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>

/// For the .cpp files of net/.
namespace raftlab::net {

/// A connection that was accepted: first it has to say who it is, then its messages are delivered. It keeps itself alive
/// until it is over.
class Receiver : public std::enable_shared_from_this<Receiver> {
 public:
  Receiver(std::shared_ptr<TransportState> state, boost::asio::ip::tcp::socket socket, Admission::Id id);

  void start();
  void end(Reason reason) { connection_.end(reason); }
  /// Closes the link if these certificates would not let its peer in.
  void verify_again(const TlsContexts& contexts);
  [[nodiscard]] Admission::Id id() const { return id_; }

 private:
  boost::asio::awaitable<void> run();
  /// The peer, or none: the connection has failed.
  boost::asio::awaitable<std::optional<raft::NodeId>> admit();
  /// Says it; what follows is the failure.
  boost::asio::awaitable<void> refuse(Reason reason);
  void take_over();
  boost::asio::awaitable<void> receive();
  void deliver(raft::Bytes body);
  void deliver_request(raft::Bytes body);
  void deliver_answer(raft::Bytes body);
  boost::asio::awaitable<void> answer_keepalive();

  std::shared_ptr<TransportState> state_;
  Connection connection_;
  Admission::Id id_;
  std::string remote_;
  raft::NodeId peer_;                       ///< once the certificate names one
  std::shared_ptr<const TlsContexts> tls_;  ///< those of the handshake
  Clock::time_point answered_;
};

}  // namespace raftlab::net
