#pragma once

#include "raft/configuration.hpp"
#include "raft/messages.hpp"

#include <functional>
#include <vector>

namespace raftlab::net {

/// What carries the envelopes of one node to its peers and theirs to it. It may lose, repeat and reorder them, as consensus
/// allows; it never changes one, and delivers none whose `from` is not the peer that is proved to be at the other end.
/// All calls, and all calls of the handlers, are made on the node's thread.
class Transport {
 public:
  struct Handlers {
    std::function<void(raft::Envelope&&)> deliver;  ///< addressed to this node, of its cluster, from a member
    /// The link broke, or what was sent may be lost. Never called from within `send`; several losses may be one call.
    std::function<void(raft::NodeId)> unreachable;
  };

  virtual ~Transport() = default;

  /// Once, before anything else. Throws when the node cannot listen (the message names address and reason).
  virtual void start(Handlers handlers) = 0;
  /// Never blocks. What does not fit in the bounded queue of the peer is dropped, and the peer reported unreachable.
  virtual void send(raft::Envelope&& envelope) = 0;
  /// Whom to keep links with, from now on, and under which addresses; links with others are closed. The node itself may be
  /// among them.
  virtual void set_members(const std::vector<raft::Member>& members) = 0;
  /// Closes everything. No handler is called afterwards.
  virtual void stop() = 0;
};

}  // namespace raftlab::net
