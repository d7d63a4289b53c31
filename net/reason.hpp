#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace raftlab::net {

/// Why something happened to a link, or to a connection of a client. The names are for logs and metrics and never change; the numbers of those from
/// `version` to `forgetful` stand in a hello's answer (docs/peer-protocol.md) and never change either.
enum class Reason : std::uint8_t {
  // What a node may say to a node that it refuses.
  version = 1,        ///< no version of the protocol that both speak
  cluster_mismatch,   ///< the certificate or the hello is of another cluster
  identity_mismatch,  ///< certificate, hello and whom we expect are not one and the same node
  identity_role,      ///< a client's certificate where a node's is needed
  identity_missing,   ///< a certificate without an identity of ours
  identity_malformed,
  identity_ambiguous,
  not_member,    ///< a node, but none of this cluster's, or not any more
  self_connect,  ///< our own identity at the other end
  overloaded,    ///< too many connections that have not said who they are; this one was the oldest
  forgetful,  ///< a node in memory in another life than the one that we have met: it has forgotten its votes

  // How links begin and end.
  connected,
  closed_by_peer,  ///< also by a failure of the network
  stopped,         ///< by our own will: the transport stops, or the member has another address
  superseded,      ///< by a younger connection of the same node
  address_invalid,
  address_unresolved,
  connect_failed,
  accept_failed,

  // Deadlines.
  handshake_timeout,  ///< of TCP, TLS and hello together
  frame_timeout,      ///< in the middle of a frame
  idle_timeout,       ///< no frame, not even a keepalive
  write_timeout,      ///< the peer does not read

  // TLS.
  not_tls,
  tls_version,
  tls_cipher,
  tls_failed,       ///< anything that has no name of its own
  refused_by_peer,  ///< the peer said no; the detail is what it said
  no_certificate,   ///< the peer has shown none
  chain_too_large,  ///< in bytes or in certificates
  certificate_untrusted,
  certificate_expired,
  certificate_not_yet_valid,
  certificate_revoked,
  certificate_purpose,
  certificate_weak,
  revocations_unusable,  ///< the list has expired, or none is there for the issuer
  record_flood,          ///< more records without content than a correct peer sends

  // Frames.
  frame_empty,
  frame_too_large,
  frame_unknown,   ///< a kind of frame that this version does not know
  decode,          ///< the detail is the codec's error
  protocol,        ///< a frame where it has no place, or one that is not what it says
  wrong_sender,    ///< `from` is not the node that the certificate names
  wrong_receiver,  ///< `to` is not this node

  // What no correct member says (net/judge.hpp).
  term_impossible,     ///< so far ahead of ours that no number of elections leads there
  two_leaders,         ///< somebody else leads in this very term
  committed_conflict,  ///< a leader without what is committed here

  // Certificates of our own.
  reloaded,
  reload_failed,  ///< the old ones stay in use

  // Requests over HTTP.
  request_malformed,    ///< 400
  request_forbidden,    ///< 403
  request_unsupported,  ///< 405, 415, 417, 501
  request_too_large,    ///< 413, 414, 431
  request_timeout,      ///< 408: in the middle of a request
  connections_full,     ///< as many as there may be: nobody is accepted until one ends
};
inline constexpr std::size_t reasons = static_cast<std::size_t>(Reason::connections_full) + 1;

/// "not_member" ...
[[nodiscard]] const char* name(Reason reason);

/// Of a number in a hello's answer; none when a node has no business to say it.
[[nodiscard]] std::optional<Reason> refusal_of(std::uint32_t number);

}  // namespace raftlab::net
