#include "net/certificates.hpp"

#include "net/certificate_builder.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace raftlab::net {
namespace {

constexpr std::int64_t clocks_differ_s = 5 * 60;
constexpr std::int64_t day_s = 24 * 60 * 60;
constexpr std::size_t host_bytes_max = 253;
constexpr std::size_t serial_digits_max = 40;
constexpr std::string_view authority_name = "authority";

std::optional<Validity> validity_of(const Lifetime& lifetime) {
  if (lifetime.days < 1 || lifetime.days > lifetime_days_max || lifetime.now_s < clocks_differ_s)
    return std::nullopt;
  return Validity{lifetime.now_s - clocks_differ_s, lifetime.now_s + lifetime.days * day_s};
}

/// An authority with the key that belongs to it.
std::variant<BuiltCertificate, CertificateError> authority_of(const Issued& issued) {
  std::vector<CertificatePointer> certificates = certificates_of(issued.certificate);
  if (certificates.size() != 1) return CertificateError::not_a_certificate;
  BuiltCertificate authority{std::move(certificates.front()), key_of(issued.key)};
  if (authority.key == nullptr) return CertificateError::not_a_key;
  if (X509_check_ca(authority.certificate.get()) != 1 ||
      X509_check_private_key(authority.certificate.get(), authority.key.get()) != 1)
    return CertificateError::not_an_authority;
  return authority;
}

/// Letters, digits, hyphens and dots; no wildcards, which have no place in the name of a node.
bool is_host(std::string_view text) {
  if (text.empty() || text.size() > host_bytes_max) return false;
  std::size_t label = 0;
  char before = '.';
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (c == '.' ? before == '.' || before == '-' : !letter && (c != '-' || before == '.')) return false;
    label = c == '.' ? 0 : label + 1;
    if (label > 63) return false;
    before = c;
  }
  return before != '.' && before != '-';
}

/// The authority's key besides its name, because an authority and the one that replaces it have the same name.
void set_list_extensions(X509_CRL& list, X509& authority, std::int64_t now_s) {
  while (X509_CRL_get_ext_count(&list) > 0) ExtensionPointer(X509_CRL_delete_ext(&list, 0));
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &authority, nullptr, nullptr, &list, 0);
  const ExtensionPointer key(
      X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
  // Numbers of lists rise (RFC 5280, 5.2.3), and so does the time.
  const IntegerPointer number(ASN1_INTEGER_new());
  require(key != nullptr && number != nullptr && ASN1_INTEGER_set_int64(number.get(), now_s) == 1 &&
              X509_CRL_add_ext(&list, key.get(), -1) == 1 &&
              X509_CRL_add1_ext_i2d(&list, NID_crl_number, number.get(), 0, X509V3_ADD_DEFAULT) == 1,
          "adding extensions to a list of revoked certificates");
}

std::optional<AlternativeName> name_of_host(const std::string& host) {
  std::array<char, sizeof(in6_addr)> address{};
  if (::inet_pton(AF_INET, host.c_str(), address.data()) == 1)
    return AlternativeName{NameKind::ip, std::string(address.data(), sizeof(in_addr))};
  if (::inet_pton(AF_INET6, host.c_str(), address.data()) == 1)
    return AlternativeName{NameKind::ip, std::string(address.data(), sizeof(in6_addr))};
  if (!is_host(host)) return std::nullopt;
  return AlternativeName{NameKind::dns, host};
}

Issued issued_of(const BuiltCertificate& built) { return {pem_of(*built.certificate), pem_of(*built.key)}; }

std::variant<Issued, CertificateError> issue(const Issued& authority, CertificateSpec spec,
                                             const Lifetime& lifetime) {
  const std::optional<Validity> validity = validity_of(lifetime);
  if (!validity) return CertificateError::bad_lifetime;
  const auto issuer = authority_of(authority);
  if (const auto* error = std::get_if<CertificateError>(&issuer)) return *error;
  spec.validity = *validity;
  return issued_of(build_certificate(spec, &std::get<BuiltCertificate>(issuer)));
}

std::optional<ClusterId> cluster_of_one(const CertificateDescription& authority) {
  std::string_view name = authority.subject;
  if (!authority.authority || !name.starts_with("CN=") || !name.ends_with(authority_name))
    return std::nullopt;
  name.remove_prefix(3);
  name.remove_suffix(authority_name.size());
  const std::optional<Identity> first = parse_identity(std::string(name) + '1');
  const auto* node = first ? std::get_if<NodeIdentity>(&*first) : nullptr;
  if (node == nullptr) return std::nullopt;
  return node->cluster;
}

}  // namespace

const char* name(CertificateError error) {
  switch (error) {
    case CertificateError::not_a_certificate: return "not_a_certificate";
    case CertificateError::not_a_key: return "not_a_key";
    case CertificateError::not_an_authority: return "not_an_authority";
    case CertificateError::not_a_list: return "not_a_list";
    case CertificateError::bad_identity: return "bad_identity";
    case CertificateError::bad_host: return "bad_host";
    case CertificateError::bad_lifetime: return "bad_lifetime";
    case CertificateError::bad_serial: return "bad_serial";
  }
  return "?";
}

std::variant<Issued, CertificateError> make_authority(ClusterId cluster, const Lifetime& lifetime) {
  const std::optional<Validity> validity = validity_of(lifetime);
  if (!validity) return CertificateError::bad_lifetime;
  if (!cluster) return CertificateError::bad_identity;
  CertificateSpec spec;
  // The name of a node without its number: two authorities of one cluster have one name and different keys.
  spec.common_name = uri_of(NodeIdentity{cluster, raft::NodeId()});
  spec.common_name.replace(spec.common_name.size() - 1, 1, authority_name);
  spec.authority = true;
  spec.validity = *validity;
  return issued_of(build_certificate(spec, nullptr));
}

std::optional<ClusterId> cluster_of(std::string_view authorities) {
  const auto described = describe(authorities);
  const auto* certificates = std::get_if<std::vector<CertificateDescription>>(&described);
  if (certificates == nullptr) return std::nullopt;
  std::optional<ClusterId> cluster;
  for (const CertificateDescription& certificate : *certificates) {
    const std::optional<ClusterId> one = cluster_of_one(certificate);
    if (!one || (cluster && *cluster != *one)) return std::nullopt;
    cluster = one;
  }
  return cluster;
}

std::variant<Issued, CertificateError> issue_node(const Issued& authority, const NodeIdentity& identity,
                                                  const std::vector<std::string>& hosts,
                                                  const Lifetime& lifetime) {
  if (!identity.cluster || !identity.node) return CertificateError::bad_identity;
  if (hosts.size() >= static_cast<std::size_t>(alternative_names_max)) return CertificateError::bad_host;
  CertificateSpec spec;
  spec.common_name = "node " + std::to_string(identity.node.value());
  spec.names = {{NameKind::uri, uri_of(identity)}};
  for (const std::string& host : hosts) {
    const std::optional<AlternativeName> name = name_of_host(host);
    if (!name) return CertificateError::bad_host;
    spec.names->push_back(*name);
  }
  spec.extended_usage = "serverAuth,clientAuth";
  return issue(authority, std::move(spec), lifetime);
}

std::variant<Issued, CertificateError> issue_client(const Issued& authority, const ClientIdentity& identity,
                                                    const Lifetime& lifetime) {
  CertificateSpec spec;
  spec.names = {{NameKind::uri, uri_of(identity)}};
  if (!identity.cluster || !parse_identity(spec.names->front().value)) return CertificateError::bad_identity;
  spec.common_name = std::string(name(identity.role)) + ' ' + identity.name;
  // X.509 ends a common name at 64 characters; it is for people, the identity is the URI.
  spec.common_name.resize(std::min<std::size_t>(spec.common_name.size(), 64));
  spec.extended_usage = "clientAuth";
  return issue(authority, std::move(spec), lifetime);
}

std::variant<std::string, CertificateError> revoke(const Issued& authority, std::string_view list,
                                                   std::string_view serial, const Lifetime& lifetime) {
  const std::optional<Validity> validity = validity_of(lifetime);
  if (!validity) return CertificateError::bad_lifetime;
  const auto issuer = authority_of(authority);
  if (const auto* error = std::get_if<CertificateError>(&issuer)) return *error;
  const auto& [certificate, key] = std::get<BuiltCertificate>(issuer);

  RevocationListPointer revoked;
  if (list.empty()) {
    revoked.reset(X509_CRL_new());
  } else {
    revoked.reset(PEM_read_bio_X509_CRL(reader_of(list).get(), nullptr, nullptr, nullptr));
    // Without this check whoever can write the file decides what our signature stands under.
    if (revoked == nullptr || X509_CRL_verify(revoked.get(), key.get()) != 1)
      return CertificateError::not_a_list;
  }
  require(revoked != nullptr && X509_CRL_set_version(revoked.get(), X509_CRL_VERSION_2) == 1 &&
              X509_CRL_set_issuer_name(revoked.get(), X509_get_subject_name(certificate.get())) == 1 &&
              X509_CRL_set1_lastUpdate(revoked.get(), time_of(validity->from_s).get()) == 1 &&
              X509_CRL_set1_nextUpdate(revoked.get(), time_of(validity->until_s).get()) == 1,
          "filling in a list of revoked certificates");
  set_list_extensions(*revoked, *certificate, lifetime.now_s);

  if (!serial.empty()) {
    const bool digits = std::all_of(serial.begin(), serial.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
    if (!digits || serial.size() > serial_digits_max) return CertificateError::bad_serial;
    BIGNUM* number = nullptr;
    require(BN_hex2bn(&number, std::string(serial).c_str()) > 0, "reading a serial number");
    const NumberPointer owned(number);
    const IntegerPointer integer(BN_to_ASN1_INTEGER(number, nullptr));
    X509_REVOKED* already = nullptr;
    if (X509_CRL_get0_by_serial(revoked.get(), &already, integer.get()) == 0) {
      RevokedPointer entry(X509_REVOKED_new());
      require(entry != nullptr && X509_REVOKED_set_serialNumber(entry.get(), integer.get()) == 1 &&
                  X509_REVOKED_set_revocationDate(entry.get(), time_of(lifetime.now_s).get()) == 1 &&
                  X509_CRL_add0_revoked(revoked.get(), entry.get()) == 1,
              "revoking a certificate");
      static_cast<void>(entry.release());
    }
  }
  require(X509_CRL_sort(revoked.get()) == 1 && X509_CRL_sign(revoked.get(), key.get(), EVP_sha256()) > 0,
          "signing a list of revoked certificates");
  return pem_of(*revoked);
}

FileError write_issued(const std::filesystem::path& directory, std::string_view stem, const Issued& issued) {
  const std::filesystem::path key = directory / (std::string(stem) + ".key");
  const std::filesystem::path certificate = directory / (std::string(stem) + ".crt");
  if (const FileError error = write_new_file(key, issued.key, Access::owner_only); error != FileError::none)
    return error;
  const FileError error = write_new_file(certificate, issued.certificate, Access::anybody);
  std::error_code ignored;
  if (error != FileError::none) std::filesystem::remove(key, ignored);
  return error;
}

}  // namespace raftlab::net
