#pragma once

#include "net/openssl.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Certificates with any content, sensible or not: net/certificates.hpp makes the sensible ones out of it, and tests the
/// others. Throws std::runtime_error when OpenSSL lacks memory or randomness.
namespace raftlab::net {

/// From when to when, both included, in seconds since 1970 UTC.
struct Validity {
  std::int64_t from_s = 0;
  std::int64_t until_s = 0;
  friend bool operator==(const Validity&, const Validity&) = default;
};

enum class NameKind : std::uint8_t { uri, dns, ip };

/// `value` is put into the certificate as it is, zeros included; an IP address is its 4 or 16 bytes.
struct AlternativeName {
  NameKind kind = NameKind::uri;
  std::string value;
};

struct CertificateSpec {
  std::string common_name;
  std::optional<std::vector<AlternativeName>> names;  ///< none: no such extension; empty: an empty list
  bool authority = false;                             ///< may issue certificates
  int path_length = 0;         ///< of an authority: how many authorities may be below it
  std::string extended_usage;  ///< as OpenSSL writes it; empty: no such extension
  Validity validity;
  EVP_PKEY* key = nullptr;         ///< a new P-256 key when there is none; stays the caller's
  const EVP_MD* digest = nullptr;  ///< SHA-256 when there is none
};

struct BuiltCertificate {
  CertificatePointer certificate;
  KeyPointer key;
};

/// Signed by the issuer, or by itself when there is none.
[[nodiscard]] BuiltCertificate build_certificate(const CertificateSpec& spec, const BuiltCertificate* issuer);

[[nodiscard]] KeyPointer make_p256_key();
[[nodiscard]] std::string pem_of(const X509& certificate);
[[nodiscard]] std::string pem_of(const EVP_PKEY& key);
[[nodiscard]] std::string pem_of(const X509_CRL& list);
[[nodiscard]] TimePointer time_of(std::int64_t seconds);

}  // namespace raftlab::net
