#pragma once

#include "net/files.hpp"
#include "net/identity.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The certificates of a cluster: one authority, one certificate for each node, and one for each client. All keys are ECDSA
/// P-256, all files PEM. What is in which certificate is in docs/security.md. Any thread. Functions that make something
/// throw std::runtime_error when OpenSSL lacks memory or randomness.
namespace raftlab::net {

/// When a certificate is valid: from five minutes before `now_s`, because clocks differ, for so many days.
struct Lifetime {
  std::int64_t now_s = 0;  ///< seconds since 1970 UTC
  int days = 365;          ///< at least 1, at most `lifetime_days_max`
};
inline constexpr int lifetime_days_max = 36'500;

/// A certificate and its private key, in PEM. The key is a secret: it goes into files of mode 0600 and nowhere else.
struct Issued {
  std::string certificate;
  std::string key;
};

enum class CertificateError : std::uint8_t {
  not_a_certificate,  ///< the text holds no certificate, or more than one where one is wanted
  not_a_key,          ///< no private key in the clear
  not_an_authority,   ///< the issuer's certificate may not issue, or its key is that of another
  not_a_list,         ///< no list of revoked certificates, or one that the authority did not sign
  bad_identity,       ///< cluster, node or name as they cannot be
  bad_host,           ///< neither an IP address nor a host's name
  bad_lifetime,       ///< days out of range, or a time before 1970
  bad_serial,         ///< not 1 to 40 hexadecimal digits
};
[[nodiscard]] const char* name(CertificateError error);

/// The cluster's own authority, which signs itself. It issues certificates and lists of revoked ones, not authorities.
[[nodiscard]] std::variant<Issued, CertificateError> make_authority(ClusterId cluster,
                                                                    const Lifetime& lifetime);

/// Whose authorities these are, one or several of the same cluster, as `make_authority` names them; none for the text of
/// anything else.
[[nodiscard]] std::optional<ClusterId> cluster_of(std::string_view authorities);

/// For a node, which is a server and a client to its peers. `hosts` are the IP addresses and DNS names under which clients
/// reach it; peers do not look at them.
[[nodiscard]] std::variant<Issued, CertificateError> issue_node(const Issued& authority,
                                                                const NodeIdentity& identity,
                                                                const std::vector<std::string>& hosts,
                                                                const Lifetime& lifetime);

/// For a client, which never is a server.
[[nodiscard]] std::variant<Issued, CertificateError> issue_client(const Issued& authority,
                                                                  const ClientIdentity& identity,
                                                                  const Lifetime& lifetime);

/// The list of what the authority has revoked, with one more serial number (hexadecimal, as `describe` shows it) on it; an
/// empty serial only renews the list. `list` is the one so far, or empty. It says of itself that it is of now, and replaced
/// within the lifetime.
[[nodiscard]] std::variant<std::string, CertificateError> revoke(const Issued& authority,
                                                                 std::string_view list,
                                                                 std::string_view serial,
                                                                 const Lifetime& lifetime);

/// What a person wants to know of a certificate.
struct CertificateDescription {
  std::string identity;  ///< the URI, or "none (<why>)"
  std::string subject;   ///< escaped
  std::string issuer;    ///< escaped
  std::string serial;    ///< hexadecimal, lower case
  std::string key;       ///< "EC 256", "RSA 2048"
  std::string sha256;    ///< of the whole certificate: hexadecimal, lower case
  std::vector<std::string> hosts;
  bool authority = false;
  bool server = false;  ///< may be a server in TLS
  bool client = false;  ///< may be a client in TLS
  std::int64_t valid_from_s = 0;
  std::int64_t valid_until_s = 0;
};

/// Every certificate of a PEM text, in order. They are described, not verified.
[[nodiscard]] std::variant<std::vector<CertificateDescription>, CertificateError> describe(
    std::string_view pem);

/// `<stem>.crt` (mode 0644) and `<stem>.key` (mode 0600), both new. The key is written first and removed again if the
/// certificate cannot be written.
[[nodiscard]] FileError write_issued(const std::filesystem::path& directory, std::string_view stem,
                                     const Issued& issued);

}  // namespace raftlab::net
