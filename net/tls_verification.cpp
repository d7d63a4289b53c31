#include "net/tls_verification.hpp"

#include "net/tls.hpp"

namespace raftlab::net {

void set_verification(X509_VERIFY_PARAM& parameters, bool revocations) {
  // OpenSSL counts the certificates between the peer's own and the root.
  X509_VERIFY_PARAM_set_depth(&parameters, chain_certificates_max - 2);
  // Twelve times ten bits of security: neither RSA below 2048 bits nor SHA-1 (the same level as in the handshake).
  X509_VERIFY_PARAM_set_auth_level(&parameters, 2);
  if (revocations)
    X509_VERIFY_PARAM_set_flags(&parameters, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}

int verify(X509_STORE& store, X509& certificate, STACK_OF(X509) * others, Side side) {
  const StoreContextPointer context(X509_STORE_CTX_new());
  require(
      context != nullptr && X509_STORE_CTX_init(context.get(), &store, &certificate, others) == 1 &&
          X509_STORE_CTX_set_default(context.get(), side == Side::server ? "ssl_server" : "ssl_client") == 1,
      "preparing a verification");
  if (X509_verify_cert(context.get()) == 1) return X509_V_OK;
  const int error = X509_STORE_CTX_get_error(context.get());
  return error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error;
}

}  // namespace raftlab::net
