#pragma once

#include "net/identity.hpp"
#include "net/reason.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>

struct ssl_st;
struct ssl_ctx_st;

/// TLS between nodes: version 1.3, certificates of both sides verified, every handshake a full one. What exactly is
/// verified is in docs/security.md. Contexts are made once and do not change; a reload makes new ones. Any thread, but a
/// context is not made on two at once.
namespace raftlab::net {

/// Where a node's certificates are. All PEM.
struct TlsFiles {
  std::filesystem::path certificate;  ///< the node's, followed by authorities between it and a root, if any
  std::filesystem::path key;          ///< mode 0600 or less, not encrypted
  std::filesystem::path authorities;  ///< who is trusted; several at once while one replaces another
  std::filesystem::path
      revocations;  ///< lists of revoked certificates, one for each authority; empty: none is used
};

enum class TlsErrorKind : std::uint8_t {
  file_missing,
  file_unreadable,       ///< also one that is too large
  key_permissions,       ///< group or others may read the key
  key_unusable,          ///< no key, or one that is encrypted
  key_mismatch,          ///< not the key of the certificate
  certificate_unusable,  ///< no certificate, or one that is too weak
  certificate_identity,  ///< not the certificate of this node
  certificate_unverified,  ///< our peers would refuse it: not yet valid, expired, revoked, of an authority not in the file
  authorities_unusable,  ///< none, or one that may not issue certificates
  revocations_unusable,  ///< not a list, expired, not of an authority in the file, or none for one of them
};
[[nodiscard]] const char* name(TlsErrorKind kind);

struct TlsError {
  TlsErrorKind kind;
  std::string detail;  ///< names the file; holds nothing of what is in it
};

class TlsContexts {
 public:
  /// All or nothing: the files are read and checked, our own certificate as a peer would check it.
  [[nodiscard]] static std::variant<std::shared_ptr<const TlsContexts>, TlsError> load(
      const TlsFiles& files, const NodeIdentity& self);

  ~TlsContexts();
  TlsContexts(const TlsContexts&) = delete;
  TlsContexts& operator=(const TlsContexts&) = delete;

  [[nodiscard]] ssl_ctx_st* dialing() const;
  [[nodiscard]] ssl_ctx_st* listening() const;

  /// Whether the peer of an established session would be let in by these contexts. None: it would.
  [[nodiscard]] std::optional<Reason> objection_to(ssl_st& session) const;

  /// When our certificate, and when the first list of revoked ones, expire; seconds since 1970 UTC.
  [[nodiscard]] std::int64_t certificate_expires_s() const;
  [[nodiscard]] std::optional<std::int64_t> revocations_expire_s() const;

 private:
  struct State;
  explicit TlsContexts(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Bytes of a peer's chain of certificates, and certificates in it: its own, one between, and the root.
inline constexpr long chain_bytes_max = 16L << 10U;
inline constexpr int chain_certificates_max = 3;

/// Why a handshake failed: `error` is the code that OpenSSL left behind.
[[nodiscard]] Reason handshake_reason(const ssl_st& session, unsigned long error);

/// What OpenSSL calls the error, for the detail of an event; an alert of the peer is "alert: ..." .
[[nodiscard]] std::string handshake_detail(const ssl_st& session, unsigned long error);

}  // namespace raftlab::net
