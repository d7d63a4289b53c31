#pragma once

#include "raft/types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

struct x509_st;

/// Who a certificate says that its owner is. The name stands in one URI of the subject alternative names:
///
///   raft://<cluster>/<node>            a node: 16 lower-case hexadecimal digits, and a decimal number without leading zeros
///   raft://<cluster>/client/<name>     who uses the store
///   raft://<cluster>/admin/<name>      who may also change the cluster
///
/// There is one way to write each identity, and it is compared byte by byte.
namespace raftlab::net {

/// A cluster, as in the log on disk. 0 is "none".
using ClusterId = raft::Number<struct ClusterIdTag, std::uint64_t>;

struct NodeIdentity {
  ClusterId cluster;
  raft::NodeId node;
  friend bool operator==(const NodeIdentity&, const NodeIdentity&) = default;
};

enum class ClientRole : std::uint8_t { client, admin };
[[nodiscard]] const char* name(ClientRole role);

/// 1 to `client_name_bytes_max` of a-z, 0-9, '.', '_' and '-'; the first one a letter or a digit.
struct ClientIdentity {
  ClusterId cluster;
  ClientRole role = ClientRole::client;
  std::string name;
  friend bool operator==(const ClientIdentity&, const ClientIdentity&) = default;
};

enum class IdentityError : std::uint8_t {
  missing,    ///< no name of ours in the certificate
  malformed,  ///< a name that is nearly ours, a byte 0 in a name, alternative names that cannot be read
  ambiguous,  ///< more than one name of ours
  too_many,   ///< more than `alternative_names_max` names
};
[[nodiscard]] const char* name(IdentityError error);

using Identity = std::variant<NodeIdentity, ClientIdentity>;

inline constexpr std::size_t client_name_bytes_max = 64;
inline constexpr int alternative_names_max = 64;

[[nodiscard]] std::string uri_of(const NodeIdentity& identity);
[[nodiscard]] std::string uri_of(const ClientIdentity& identity);
[[nodiscard]] std::string uri_of(const Identity& identity);

/// None when the text is not exactly what `uri_of` writes.
[[nodiscard]] std::optional<Identity> parse_identity(std::string_view uri);

/// What a certificate without a usable identity says instead, for an event: its URIs, or its common name. Bytes of a
/// stranger, at most `claim_bytes_max`; to be escaped before anybody reads them.
[[nodiscard]] std::string claim_of(const x509_st& certificate);
inline constexpr std::size_t claim_bytes_max = 512;

/// The identity in a certificate that has been verified already. The common name counts only when there are no alternative
/// names at all; an empty list of them is a list.
[[nodiscard]] std::variant<Identity, IdentityError> identity_of(const x509_st& certificate);

}  // namespace raftlab::net
