#include "net/reason.hpp"

namespace raftlab::net {

const char* name(Reason reason) {
  switch (reason) {
    case Reason::version: return "version";
    case Reason::cluster_mismatch: return "cluster_mismatch";
    case Reason::identity_mismatch: return "identity_mismatch";
    case Reason::identity_role: return "identity_role";
    case Reason::identity_missing: return "identity_missing";
    case Reason::identity_malformed: return "identity_malformed";
    case Reason::identity_ambiguous: return "identity_ambiguous";
    case Reason::not_member: return "not_member";
    case Reason::self_connect: return "self_connect";
    case Reason::overloaded: return "overloaded";
    case Reason::forgetful: return "forgetful";
    case Reason::connected: return "connected";
    case Reason::closed_by_peer: return "closed_by_peer";
    case Reason::stopped: return "stopped";
    case Reason::superseded: return "superseded";
    case Reason::address_invalid: return "address_invalid";
    case Reason::address_unresolved: return "address_unresolved";
    case Reason::connect_failed: return "connect_failed";
    case Reason::accept_failed: return "accept_failed";
    case Reason::handshake_timeout: return "handshake_timeout";
    case Reason::frame_timeout: return "frame_timeout";
    case Reason::idle_timeout: return "idle_timeout";
    case Reason::write_timeout: return "write_timeout";
    case Reason::not_tls: return "not_tls";
    case Reason::tls_version: return "tls_version";
    case Reason::tls_cipher: return "tls_cipher";
    case Reason::tls_failed: return "tls_failed";
    case Reason::refused_by_peer: return "refused_by_peer";
    case Reason::no_certificate: return "no_certificate";
    case Reason::chain_too_large: return "chain_too_large";
    case Reason::certificate_untrusted: return "certificate_untrusted";
    case Reason::certificate_expired: return "certificate_expired";
    case Reason::certificate_not_yet_valid: return "certificate_not_yet_valid";
    case Reason::certificate_revoked: return "certificate_revoked";
    case Reason::certificate_purpose: return "certificate_purpose";
    case Reason::certificate_weak: return "certificate_weak";
    case Reason::revocations_unusable: return "revocations_unusable";
    case Reason::record_flood: return "record_flood";
    case Reason::frame_empty: return "frame_empty";
    case Reason::frame_too_large: return "frame_too_large";
    case Reason::frame_unknown: return "frame_unknown";
    case Reason::decode: return "decode";
    case Reason::protocol: return "protocol";
    case Reason::wrong_sender: return "wrong_sender";
    case Reason::wrong_receiver: return "wrong_receiver";
    case Reason::term_impossible: return "term_impossible";
    case Reason::two_leaders: return "two_leaders";
    case Reason::committed_conflict: return "committed_conflict";
    case Reason::reloaded: return "reloaded";
    case Reason::reload_failed: return "reload_failed";
    case Reason::request_malformed: return "request_malformed";
    case Reason::request_forbidden: return "request_forbidden";
    case Reason::request_unsupported: return "request_unsupported";
    case Reason::request_too_large: return "request_too_large";
    case Reason::request_timeout: return "request_timeout";
    case Reason::connections_full: return "connections_full";
  }
  return "?";
}

std::optional<Reason> refusal_of(std::uint32_t number) {
  if (number < static_cast<std::uint32_t>(Reason::version) ||
      number > static_cast<std::uint32_t>(Reason::forgetful))
    return std::nullopt;
  return static_cast<Reason>(number);
}

}  // namespace raftlab::net
