#include "net/hello.hpp"

#include "net/hello.pb.h"
#include "net/protobuf.hpp"

#include <algorithm>

namespace raftlab::net {
std::vector<std::byte> encode(const Hello& hello) {
  pb::Hello message;
  message.set_version_min(hello.version_min);
  message.set_version_max(hello.version_max);
  message.set_cluster(hello.cluster.value());
  message.set_node(hello.node.value());
  message.set_expected(hello.expected.value());
  message.set_life(hello.life);
  return bytes_of(message);
}

std::vector<std::byte> encode(const HelloAnswer& answer) {
  pb::HelloAnswer message;
  if (const auto* refusal = std::get_if<Reason>(&answer)) {
    message.set_refusal(static_cast<std::uint32_t>(*refusal));
    return bytes_of(message);
  }
  const auto& welcome = std::get<Welcome>(answer);
  message.set_version(welcome.version);
  message.set_cluster(welcome.cluster.value());
  message.set_node(welcome.node.value());
  message.set_expected(welcome.expected.value());
  message.set_life(welcome.life);
  return bytes_of(message);
}

std::optional<Hello> decode_hello(raft::Bytes bytes) {
  pb::Hello message;
  if (!parse(bytes, message)) return std::nullopt;
  return Hello{message.version_min(),
               message.version_max(),
               ClusterId(message.cluster()),
               raft::NodeId(message.node()),
               raft::NodeId(message.expected()),
               message.life()};
}

std::optional<HelloAnswer> decode_hello_answer(raft::Bytes bytes) {
  pb::HelloAnswer message;
  if (!parse(bytes, message)) return std::nullopt;
  if (message.refusal() == 0)
    return Welcome{message.version(), ClusterId(message.cluster()), raft::NodeId(message.node()),
                   raft::NodeId(message.expected()), message.life()};
  const std::optional<Reason> refusal = refusal_of(message.refusal());
  if (!refusal) return std::nullopt;
  return *refusal;
}

std::variant<raft::NodeId, Reason> peer_of(const std::variant<Identity, IdentityError>& certificate,
                                           const NodeIdentity& self) {
  if (const auto* error = std::get_if<IdentityError>(&certificate)) {
    switch (*error) {
      case IdentityError::missing: return Reason::identity_missing;
      case IdentityError::ambiguous: return Reason::identity_ambiguous;
      case IdentityError::malformed:
      case IdentityError::too_many: return Reason::identity_malformed;
    }
  }
  const auto* node = std::get_if<NodeIdentity>(&std::get<Identity>(certificate));
  if (node == nullptr) return Reason::identity_role;
  if (node->cluster != self.cluster) return Reason::cluster_mismatch;
  if (node->node == self.node) return Reason::self_connect;
  return node->node;
}

HelloAnswer answer_to(const Hello& hello, raft::NodeId peer, const NodeIdentity& self, std::uint64_t life) {
  const std::uint32_t version = std::min(hello.version_max, protocol_version_max);
  if (version < std::max(hello.version_min, protocol_version_min)) return Reason::version;
  if (hello.cluster != self.cluster) return Reason::cluster_mismatch;
  if (hello.node != peer || hello.expected != self.node) return Reason::identity_mismatch;
  return Welcome{version, self.cluster, self.node, peer, life};
}

std::optional<Reason> objection_to(const Welcome& welcome, raft::NodeId peer, const NodeIdentity& self) {
  if (welcome.version < protocol_version_min || welcome.version > protocol_version_max)
    return Reason::version;
  if (welcome.cluster != self.cluster) return Reason::cluster_mismatch;
  if (welcome.node != peer || welcome.expected != self.node) return Reason::identity_mismatch;
  return std::nullopt;
}

}  // namespace raftlab::net
