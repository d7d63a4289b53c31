#include "net/certificates.hpp"
#include "net/escape.hpp"
#include "net/openssl.hpp"

#include <arpa/inet.h>

#include <array>

namespace raftlab::net {
namespace {

std::string hexadecimal(const unsigned char* bytes, std::size_t count) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += digits[bytes[i] >> 4U];
    text += digits[bytes[i] & 0xfU];
  }
  return text;
}

std::string one_line(const X509_NAME* subject) {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  require(bio != nullptr && X509_NAME_print_ex(bio.get(), subject, 0, XN_FLAG_RFC2253) >= 0,
          "writing a name");
  return escaped(written_to(*bio));
}

std::string serial_of(const X509& certificate) {
  const NumberPointer number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr));
  require(number != nullptr, "reading a serial number");
  std::vector<unsigned char> bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), bytes.data());
  return hexadecimal(bytes.data(), bytes.size());
}

std::string fingerprint_of(const X509& certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  require(X509_digest(&certificate, EVP_sha256(), digest.data(), &size) == 1, "hashing a certificate");
  return hexadecimal(digest.data(), size);
}

std::string key_of(const X509& certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(&certificate);
  if (key == nullptr) return "unknown";
  const char* type = EVP_PKEY_get0_type_name(key);
  return std::string(type == nullptr ? "?" : type) + ' ' + std::to_string(EVP_PKEY_get_bits(key));
}

std::vector<std::string> hosts_of(const X509& certificate) {
  std::vector<std::string> hosts;
  const NamesPointer names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    if (type != GEN_DNS && type != GEN_IPADD) continue;
    const std::string bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                            static_cast<std::size_t>(ASN1_STRING_length(value)));
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (type == GEN_DNS) {
      hosts.push_back(escaped(bytes));
    } else if (bytes.size() == sizeof(in_addr) || bytes.size() == sizeof(in6_addr)) {
      const int family = bytes.size() == sizeof(in_addr) ? AF_INET : AF_INET6;
      hosts.emplace_back(::inet_ntop(family, bytes.data(), text.data(), text.size()));
    }
  }
  return hosts;
}

CertificateDescription describe_one(X509& certificate) {
  CertificateDescription description;
  const auto identity = identity_of(certificate);
  if (const auto* found = std::get_if<Identity>(&identity)) {
    description.identity = uri_of(*found);
  } else {
    description.identity = std::string("none (") + name(std::get<IdentityError>(identity)) + ")";
  }
  description.subject = one_line(X509_get_subject_name(&certificate));
  description.issuer = one_line(X509_get_issuer_name(&certificate));
  description.serial = serial_of(certificate);
  description.key = key_of(certificate);
  description.sha256 = fingerprint_of(certificate);
  description.hosts = hosts_of(certificate);
  description.authority = X509_check_ca(&certificate) == 1;
  description.server = X509_check_purpose(&certificate, X509_PURPOSE_SSL_SERVER, 0) == 1;
  description.client = X509_check_purpose(&certificate, X509_PURPOSE_SSL_CLIENT, 0) == 1;
  description.valid_from_s = seconds_of(X509_get0_notBefore(&certificate));
  description.valid_until_s = seconds_of(X509_get0_notAfter(&certificate));
  return description;
}

}  // namespace

std::variant<std::vector<CertificateDescription>, CertificateError> describe(std::string_view pem) {
  const std::vector<CertificatePointer> certificates = certificates_of(pem);
  if (certificates.empty()) return CertificateError::not_a_certificate;
  std::vector<CertificateDescription> descriptions;
  descriptions.reserve(certificates.size());
  for (const CertificatePointer& certificate : certificates)
    descriptions.push_back(describe_one(*certificate));
  return descriptions;
}

}  // namespace raftlab::net
