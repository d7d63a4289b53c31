#pragma once

#include "net/identity.hpp"
#include "net/reason.hpp"
#include "raft/types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

/// What nodes say to each other before the first message, and who is let in. The certificate of the peer has been verified
/// by then; here its identity, what the peer says, and the membership are held against each other. No I/O.
namespace raftlab::net {

inline constexpr std::uint32_t protocol_version_min = 1;
inline constexpr std::uint32_t protocol_version_max = 1;

struct Hello {
  std::uint32_t version_min = protocol_version_min;
  std::uint32_t version_max = protocol_version_max;
  ClusterId cluster;
  raft::NodeId node;      ///< the sender
  raft::NodeId expected;  ///< whom the sender takes the receiver for
  std::uint64_t life =
      0;  ///< of a node in memory: a number of this life; 0: what it promises it keeps on disk
  friend bool operator==(const Hello&, const Hello&) = default;
};

/// The answer of who accepts.
struct Welcome {
  std::uint32_t version = protocol_version_max;
  ClusterId cluster;
  raft::NodeId node;
  raft::NodeId expected;
  std::uint64_t life = 0;  ///< as in `Hello`
  friend bool operator==(const Welcome&, const Welcome&) = default;
};

/// A welcome, or why not: one of the reasons that have a number (`refusal_of`).
using HelloAnswer = std::variant<Welcome, Reason>;

[[nodiscard]] std::vector<std::byte> encode(const Hello& hello);
[[nodiscard]] std::vector<std::byte> encode(const HelloAnswer& answer);
/// None for what is no hello, and for a refusal with a number that means nothing.
[[nodiscard]] std::optional<Hello> decode_hello(raft::Bytes bytes);
[[nodiscard]] std::optional<HelloAnswer> decode_hello_answer(raft::Bytes bytes);

/// The node that a verified certificate names, if it may be at the other end of a link of `self`; otherwise why not.
/// Membership is not looked at.
[[nodiscard]] std::variant<raft::NodeId, Reason> peer_of(
    const std::variant<Identity, IdentityError>& certificate, const NodeIdentity& self);

/// The answer of `self`, in this life, to a hello on a connection whose certificate names `peer`. Who the peer was before is not looked at.
[[nodiscard]] HelloAnswer answer_to(const Hello& hello, raft::NodeId peer, const NodeIdentity& self,
                                    std::uint64_t life = 0);

/// Whether who dialled `peer` and got this welcome takes it. None: the link is up.
[[nodiscard]] std::optional<Reason> objection_to(const Welcome& welcome, raft::NodeId peer,
                                                 const NodeIdentity& self);

}  // namespace raftlab::net
