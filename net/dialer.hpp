#pragma once

#include "net/backoff.hpp"
#include "net/outbound_link.hpp"
#include "net/send_queue.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <vector>

/// For the .cpp files of net/.
namespace raftlab::net {

/// Keeps a link to one peer and sends over it. While none is up and none is being made, messages are dropped: those of
/// consensus are old soon, and sent again by those who know what is still true. It keeps itself alive until it is stopped.
class Dialer : public std::enable_shared_from_this<Dialer> {
 public:
  Dialer(std::shared_ptr<TransportState> state, raft::Member peer);

  void start();
  void stop(Reason reason);
  void send(raft::Envelope&& envelope);
  void send(FrameKind kind, std::vector<std::byte>&& body);
  /// The peer has just dialled us: there is no reason to wait with the next attempt.
  void peer_is_alive() { pause_.cancel(); }
  void verify_again(const TlsContexts& contexts);
  [[nodiscard]] const raft::Member& peer() const { return peer_; }
  [[nodiscard]] const SendQueue& queue() const { return queue_; }

 private:
  template <class... What>
  void enqueue(What&&... what);
  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> serve(std::shared_ptr<OutboundLink> link);
  void account_for(OutboundLink& link, bool was_up);

  std::shared_ptr<TransportState> state_;
  raft::Member peer_;
  SendQueue queue_;
  Backoff backoff_;
  boost::asio::steady_timer pause_;
  std::shared_ptr<OutboundLink> link_;  ///< up, or being made
  bool stopped_ = false;
  bool was_up_before_ = false;
};

}  // namespace raftlab::net
