#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// Owners of OpenSSL's objects, for the .cpp files of net/ alone: no header that others include names this one.
namespace raftlab::net {

template <auto release>
struct Releaser {
  template <class Object>
  void operator()(Object* object) const {
    release(object);
  }
};

using BioPointer = std::unique_ptr<BIO, Releaser<BIO_free_all>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using CertificatePointer = std::unique_ptr<X509, Releaser<X509_free>>;
using RevocationListPointer = std::unique_ptr<X509_CRL, Releaser<X509_CRL_free>>;
using RevokedPointer = std::unique_ptr<X509_REVOKED, Releaser<X509_REVOKED_free>>;
using ExtensionPointer = std::unique_ptr<X509_EXTENSION, Releaser<X509_EXTENSION_free>>;
using StorePointer = std::unique_ptr<X509_STORE, Releaser<X509_STORE_free>>;
using StoreContextPointer = std::unique_ptr<X509_STORE_CTX, Releaser<X509_STORE_CTX_free>>;
using NamesPointer = std::unique_ptr<GENERAL_NAMES, Releaser<GENERAL_NAMES_free>>;
using NamePointer = std::unique_ptr<GENERAL_NAME, Releaser<GENERAL_NAME_free>>;
using NumberPointer = std::unique_ptr<BIGNUM, Releaser<BN_free>>;
using IntegerPointer = std::unique_ptr<ASN1_INTEGER, Releaser<ASN1_INTEGER_free>>;
using TimePointer = std::unique_ptr<ASN1_TIME, Releaser<ASN1_TIME_free>>;
using ContextPointer = std::unique_ptr<SSL_CTX, Releaser<SSL_CTX_free>>;
using SessionPointer = std::unique_ptr<SSL, Releaser<SSL_free>>;

/// Reads what stands in the text, which must outlive it.
[[nodiscard]] BioPointer reader_of(std::string_view text);
/// Everything that was written to a memory BIO.
[[nodiscard]] std::string written_to(BIO& bio);

/// What OpenSSL left in this thread's queue of errors, oldest first, or "no reason given"; the queue is empty afterwards.
[[nodiscard]] std::string take_openssl_errors();

/// All certificates of a PEM text, in order. Empty when there is none, or anything in it cannot be read.
[[nodiscard]] std::vector<CertificatePointer> certificates_of(std::string_view pem);
/// None when the text holds no private key in the clear. Nobody is asked for a password.
[[nodiscard]] KeyPointer key_of(std::string_view pem);

/// Seconds since 1970; 0 when the time cannot be read.
[[nodiscard]] std::int64_t seconds_of(const ASN1_TIME* time);

/// Throws std::runtime_error with OpenSSL's reasons when a call failed that fails only for want of memory or randomness.
void require(bool succeeded, const char* what);

}  // namespace raftlab::net
