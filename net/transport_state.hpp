#pragma once

#include "net/connection.hpp"
#include "net/tls_transport.hpp"
#include "raft/wire/codec.hpp"

#include <boost/asio/io_context.hpp>

#include <exception>
#include <map>
#include <memory>
#include <set>
#include <string>

/// For the .cpp files of net/.
namespace raftlab::net {

class Dialer;
class Listener;
class Receiver;

/// What the parts of one transport share. It is kept alive by them, and `stop` takes them apart.
struct TransportState : std::enable_shared_from_this<TransportState> {
  TransportState(boost::asio::io_context& context, TlsTransportOptions given,
                 std::shared_ptr<const TlsContexts> contexts);
  ~TransportState();

  boost::asio::io_context& io;
  const TlsTransportOptions options;
  std::shared_ptr<const TlsContexts> tls;
  Transport::Handlers handlers;
  Counters counters;
  LinkEvents events;
  raft::wire::Decoder decoder;

  std::map<raft::NodeId, raft::Member> members;  ///< without this node
  std::shared_ptr<Listener> listener;
  std::map<raft::NodeId, std::shared_ptr<Dialer>> dialers;      ///< one for each member
  std::map<raft::NodeId, std::shared_ptr<Receiver>> receivers;  ///< the link in use from each peer
  std::map<raft::NodeId, std::uint64_t> lives;  ///< of peers that were met; never forgotten while we live
  bool stopped = false;

  void handshake_failed(raft::NodeId peer, const std::string& remote, const Failure& failure);
  void link_closed(raft::NodeId peer, const std::string& remote, const Failure& failure);
  void event(raft::NodeId peer, const std::string& remote, Reason reason, const std::string& detail);
  void drop(Drop reason, std::uint64_t count = 1);

  /// Remembers in which life the peer was met first. False: it is in another one now, and knows nothing of what it promised in
  /// the first, so that it must not take part under this number any more.
  [[nodiscard]] bool is_same_life(raft::NodeId peer, std::uint64_t life);

  /// Tells the host, once for all reports until it hears of it, and never from within its own call.
  void report_unreachable(raft::NodeId peer);

 private:
  std::set<raft::NodeId> unreachable_;
};

/// What became of a coroutine that nobody awaits: an exception ends the event loop, and so the node.
void rethrow(const std::exception_ptr& exception);

}  // namespace raftlab::net
