#pragma once

#include "net/openssl.hpp"
#include "net/reason.hpp"

/// How a chain of certificates is verified, here and in the handshake alike. For the .cpp files of net/.
namespace raftlab::net {

enum class Side : std::uint8_t { server, client };

/// Sets what a handshake and `verify` have in common: depth and, with lists of revoked certificates, their use.
void set_verification(X509_VERIFY_PARAM& parameters, bool revocations);

/// X509_V_OK, or why the chain is not to be trusted for somebody on that side of a connection. `others` may be null.
[[nodiscard]] int verify(X509_STORE& store, X509& certificate, STACK_OF(X509) * others, Side side);

/// Of a result of OpenSSL's verification other than X509_V_OK.
[[nodiscard]] Reason verification_reason(int result);

}  // namespace raftlab::net
