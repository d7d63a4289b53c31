#pragma once

#include "kv/service.hpp"
#include "net/reason.hpp"
#include "raft/configuration.hpp"
#include "raft/messages.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace raftlab::net {

/// What carries the envelopes of one node to its peers and theirs to it. It may lose, repeat and reorder them, as consensus
/// allows; it never changes one, and delivers none whose `from` is not the peer that is proved to be at the other end. An
/// envelope shares its entries with the core that made it: it reaches another thread as bytes only.
/// All calls, and all calls of the handlers, are made on the node's thread.
class Transport {
 public:
  struct Handlers {
    std::function<void(raft::Envelope&&)> deliver;  ///< addressed to this node, of its cluster, from a member
    /// Asked before each delivery: why no correct member can have sent this. None: it is delivered; otherwise it is not, and
    /// the link that it came by ends for that reason. May be empty: nothing is objected to.
    std::function<std::optional<Reason>(const raft::Envelope&)> objection;
    /// The link broke, or what was sent may be lost. Never called from within `send`; several losses may be one call.
    std::function<void(raft::NodeId)> unreachable;
    /// Of a client of that member, to this node's service.
    std::function<void(raft::NodeId, kv::Request&&)> request;
    /// To a request of a client of this node, from that member's service.
    std::function<void(raft::NodeId, kv::Answer&&)> answer;
  };

  virtual ~Transport() = default;

  /// Once, before anything else. Throws when the node cannot listen (the message names address and reason).
  virtual void start(Handlers handlers) = 0;
  /// Never blocks. What does not fit in the bounded queue of the peer is dropped, and the peer reported unreachable.
  virtual void send(raft::Envelope&& envelope) = 0;
  /// Likewise, for a request of a client that another node's service is to answer, and for an answer to one of that
  /// node's. Only commands are forwarded.
  virtual void send(raft::NodeId to, const kv::Request& request) = 0;
  virtual void send(raft::NodeId to, const kv::Answer& answer) = 0;
  /// Whom to keep links with, from now on, and under which addresses; links with others are closed. The node itself may be
  /// among them.
  virtual void set_members(const std::vector<raft::Member>& members) = 0;
  /// Closes everything. No handler is called afterwards.
  virtual void stop() = 0;
};

}  // namespace raftlab::net
