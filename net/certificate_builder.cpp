#include "net/certificate_builder.hpp"

#include <climits>

namespace raftlab::net {
namespace {

/// Serial numbers are not guessed and not counted: 127 random bits, so that they are positive and need no memory of what
/// was issued before (RFC 5280, 4.1.2.2: at most 20 bytes).
constexpr int serial_bits = 127;

void set_random_serial(X509& certificate) {
  const NumberPointer number(BN_new());
  require(number != nullptr && BN_rand(number.get(), serial_bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
              BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr,
          "making a serial number");
}

void add_extension(X509& certificate, X509V3_CTX& context, int nid, const std::string& value) {
  const ExtensionPointer extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  require(extension != nullptr && X509_add_ext(&certificate, extension.get(), -1) == 1,
          "adding an extension");
}

/// By hand and not from a text, in which commas and zeros would have a meaning.
NamePointer general_name(const AlternativeName& name) {
  NamePointer result(GENERAL_NAME_new());
  require(result != nullptr && name.value.size() <= INT_MAX, "making a name");
  const bool ip = name.kind == NameKind::ip;
  ASN1_STRING* value = ip ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
  require(value != nullptr, "making a name");
  const int type = ip ? GEN_IPADD : name.kind == NameKind::dns ? GEN_DNS : GEN_URI;
  GENERAL_NAME_set0_value(result.get(), type, value);
  require(ASN1_STRING_set(value, name.value.data(), static_cast<int>(name.value.size())) == 1,
          "making a name");
  return result;
}

void add_alternative_names(X509& certificate, const std::vector<AlternativeName>& names) {
  const NamesPointer all(sk_GENERAL_NAME_new_null());
  require(all != nullptr, "making names");
  for (const AlternativeName& name : names) {
    NamePointer one = general_name(name);
    require(sk_GENERAL_NAME_push(all.get(), one.get()) > 0, "making names");
    static_cast<void>(one.release());
  }
  require(X509_add1_ext_i2d(&certificate, NID_subject_alt_name, all.get(), 0, X509V3_ADD_DEFAULT) == 1,
          "adding alternative names");
}

void add_extensions(X509& certificate, const CertificateSpec& spec, X509& issuer) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  if (spec.authority) {
    add_extension(certificate, context, NID_basic_constraints,
                  "critical,CA:TRUE,pathlen:" + std::to_string(spec.path_length));
    add_extension(certificate, context, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    add_extension(certificate, context, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(certificate, context, NID_key_usage, "critical,digitalSignature");
  }
  if (!spec.extended_usage.empty())
    add_extension(certificate, context, NID_ext_key_usage, spec.extended_usage);
  add_extension(certificate, context, NID_subject_key_identifier, "hash");
  add_extension(certificate, context, NID_authority_key_identifier, "keyid");
  if (spec.names) add_alternative_names(certificate, *spec.names);
}

template <class Write>
std::string pem(Write&& write) {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  require(bio != nullptr && write(bio.get()) == 1, "writing PEM");
  return written_to(*bio);
}

}  // namespace

KeyPointer make_p256_key() {
  KeyPointer key(EVP_EC_gen("P-256"));
  require(key != nullptr, "making a key");
  return key;
}

TimePointer time_of(std::int64_t seconds) {
  TimePointer time(ASN1_TIME_set(nullptr, seconds));
  require(time != nullptr, "making a time");
  return time;
}

BuiltCertificate build_certificate(const CertificateSpec& spec, const BuiltCertificate* issuer) {
  BuiltCertificate built;
  if (spec.key == nullptr) {
    built.key = make_p256_key();
  } else {
    EVP_PKEY_up_ref(spec.key);
    built.key.reset(spec.key);
  }
  built.certificate.reset(X509_new());
  require(built.certificate != nullptr, "making a certificate");
  X509& certificate = *built.certificate;
  X509& signer = issuer == nullptr ? certificate : *issuer->certificate;
  EVP_PKEY* signing_key = issuer == nullptr ? built.key.get() : issuer->key.get();

  set_random_serial(certificate);
  X509_NAME* subject = X509_get_subject_name(&certificate);
  const auto* common_name = reinterpret_cast<const unsigned char*>(spec.common_name.data());
  require(X509_set_version(&certificate, X509_VERSION_3) == 1 &&
              (spec.common_name.empty() ||
               X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, common_name,
                                          static_cast<int>(spec.common_name.size()), -1, 0) == 1) &&
              X509_set_issuer_name(&certificate, X509_get_subject_name(&signer)) == 1 &&
              X509_set1_notBefore(&certificate, time_of(spec.validity.from_s).get()) == 1 &&
              X509_set1_notAfter(&certificate, time_of(spec.validity.until_s).get()) == 1 &&
              X509_set_pubkey(&certificate, built.key.get()) == 1,
          "filling in a certificate");
  add_extensions(certificate, spec, signer);
  require(X509_sign(&certificate, signing_key, spec.digest == nullptr ? EVP_sha256() : spec.digest) > 0,
          "signing a certificate");
  return built;
}

std::string pem_of(const X509& certificate) {
  return pem([&](BIO* bio) { return PEM_write_bio_X509(bio, &certificate); });
}
std::string pem_of(const EVP_PKEY& key) {
  return pem([&](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, &key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}
std::string pem_of(const X509_CRL& list) {
  return pem([&](BIO* bio) { return PEM_write_bio_X509_CRL(bio, &list); });
}

}  // namespace raftlab::net
