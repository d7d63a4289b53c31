#include "net/openssl.hpp"
#include "net/tls.hpp"
#include "net/tls_verification.hpp"

#include <openssl/err.h>

namespace raftlab::net {

Reason verification_reason(int result) {
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return Reason::certificate_expired;
    case X509_V_ERR_CERT_NOT_YET_VALID: return Reason::certificate_not_yet_valid;
    case X509_V_ERR_CERT_REVOKED: return Reason::certificate_revoked;
    case X509_V_ERR_INVALID_PURPOSE: return Reason::certificate_purpose;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK: return Reason::certificate_weak;
    case X509_V_ERR_CERT_CHAIN_TOO_LONG: return Reason::chain_too_large;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE: return Reason::revocations_unusable;
    default: return Reason::certificate_untrusted;
  }
}

Reason handshake_reason(const ssl_st& session, unsigned long error) {
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return Reason::tls_failed;
  const int reason = ERR_GET_REASON(error);
  // OpenSSL numbers an alert that came from the peer by 1000 and the alert's own number.
  if (reason > SSL_AD_REASON_OFFSET) return Reason::refused_by_peer;
  switch (reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return verification_reason(static_cast<int>(SSL_get_verify_result(&session)));
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return Reason::no_certificate;
    case SSL_R_EXCESSIVE_MESSAGE_SIZE: return Reason::chain_too_large;
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER: return Reason::not_tls;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_WRONG_SSL_VERSION: return Reason::tls_version;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_CIPHERS_SPECIFIED:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SUITABLE_KEY_SHARE: return Reason::tls_cipher;
    default: return Reason::tls_failed;
  }
}

std::string handshake_detail(const ssl_st& session, unsigned long error) {
  const bool verification =
      ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED;
  if (verification) return X509_verify_cert_error_string(SSL_get_verify_result(&session));
  const char* reason = ERR_reason_error_string(error);
  return reason == nullptr ? "unknown error" : reason;
}

}  // namespace raftlab::net
