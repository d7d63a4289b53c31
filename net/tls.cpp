#include "net/tls.hpp"

#include "net/files.hpp"
#include "net/openssl.hpp"
#include "net/tls_verification.hpp"

#include <openssl/err.h>

#include <ctime>
#include <utility>

namespace raftlab::net {
namespace {

constexpr std::size_t pem_bytes_max = 256U << 10U;
constexpr std::size_t revocations_bytes_max = 8U << 20U;

constexpr const char* suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* groups = "X25519:P-256:P-384";

/// Loads step by step; the first failure is kept and ends the loading.
class Loader {
 public:
  Loader(const TlsFiles& files, const NodeIdentity& self) : files_(files), self_(self) {}

  bool load() {
    return load_certificate() && load_key() && load_authorities() && load_revocations() &&
           verify_own_certificate();
  }

  [[nodiscard]] TlsError error() const { return error_; }
  [[nodiscard]] bool with_revocations() const { return !revocations_.empty(); }
  [[nodiscard]] const std::vector<CertificatePointer>& chain() const { return chain_; }
  [[nodiscard]] EVP_PKEY* key() const { return key_.get(); }
  [[nodiscard]] StorePointer& store() { return store_; }
  [[nodiscard]] std::optional<std::int64_t> revocations_expire_s() const { return revocations_expire_s_; }

 private:
  bool fail(TlsErrorKind kind, const std::filesystem::path& file, const std::string& why) {
    error_ = {kind, file.string() + ": " + why};
    ERR_clear_error();
    return false;
  }

  bool read(const std::filesystem::path& file, std::size_t bytes_max, Access access, std::string& text) {
    auto content = read_file(file, bytes_max, access);
    if (auto* error = std::get_if<FileError>(&content)) {
      const TlsErrorKind kind = *error == FileError::missing ? TlsErrorKind::file_missing
                                : *error == FileError::permissions && access == Access::owner_only
                                    ? TlsErrorKind::key_permissions
                                    : TlsErrorKind::file_unreadable;
      return fail(kind, file, name(*error));
    }
    text = std::move(std::get<std::string>(content));
    return true;
  }

  bool load_certificate() {
    std::string text;
    if (!read(files_.certificate, pem_bytes_max, Access::anybody, text)) return false;
    chain_ = certificates_of(text);
    if (chain_.empty())
      return fail(TlsErrorKind::certificate_unusable, files_.certificate, "holds no certificate");
    const auto identity = identity_of(*chain_.front());
    if (const auto* error = std::get_if<IdentityError>(&identity))
      return fail(TlsErrorKind::certificate_identity, files_.certificate,
                  std::string("the identity is ") + name(*error));
    const Identity& found = std::get<Identity>(identity);
    if (found != Identity(self_))
      return fail(TlsErrorKind::certificate_identity, files_.certificate,
                  "is of " + uri_of(found) + ", this node is " + uri_of(self_));
    return true;
  }

  bool load_key() {
    std::string text;
    if (!read(files_.key, pem_bytes_max, Access::owner_only, text)) return false;
    key_ = key_of(text);
    OPENSSL_cleanse(text.data(), text.size());
    if (key_ == nullptr)
      return fail(TlsErrorKind::key_unusable, files_.key, "holds no private key that is not encrypted");
    if (X509_check_private_key(chain_.front().get(), key_.get()) != 1)
      return fail(TlsErrorKind::key_mismatch, files_.key, "is not the key of the certificate");
    return true;
  }

  bool load_authorities() {
    std::string text;
    if (!read(files_.authorities, pem_bytes_max, Access::anybody, text)) return false;
    authorities_ = certificates_of(text);
    if (authorities_.empty())
      return fail(TlsErrorKind::authorities_unusable, files_.authorities, "holds no certificate");
    store_.reset(X509_STORE_new());
    require(store_ != nullptr, "making a store of certificates");
    for (const CertificatePointer& authority : authorities_) {
      if (X509_check_ca(authority.get()) != 1)
        return fail(TlsErrorKind::authorities_unusable, files_.authorities, "holds one that is no authority");
      require(X509_STORE_add_cert(store_.get(), authority.get()) == 1, "adding an authority");
    }
    return true;
  }

  bool load_revocations() {
    set_verification(*X509_STORE_get0_param(store_.get()), !files_.revocations.empty());
    if (files_.revocations.empty()) return true;
    std::string text;
    if (!read(files_.revocations, revocations_bytes_max, Access::anybody, text)) return false;
    const BioPointer bio = reader_of(text);
    while (RevocationListPointer list{PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr)})
      revocations_.push_back(std::move(list));
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE || revocations_.empty())
      return fail(TlsErrorKind::revocations_unusable, files_.revocations, "holds no list that can be read");
    ERR_clear_error();
    for (const RevocationListPointer& list : revocations_)
      if (!add_list(*list)) return false;
    // An authority without a list would have all its certificates refused: say so now, and not peer by peer.
    for (const CertificatePointer& authority : authorities_)
      if (!has_list(*authority))
        return fail(TlsErrorKind::revocations_unusable, files_.revocations, "holds no list of one authority");
    return true;
  }

  bool add_list(X509_CRL& list) {
    bool known = false;
    for (const CertificatePointer& authority : authorities_) known = known || is_list_of(list, *authority);
    if (!known)
      return fail(TlsErrorKind::revocations_unusable, files_.revocations, "a list is not of an authority");
    const ASN1_TIME* next = X509_CRL_get0_nextUpdate(&list);
    if (next == nullptr || X509_cmp_current_time(next) <= 0)
      return fail(TlsErrorKind::revocations_unusable, files_.revocations, "a list has expired");
    if (X509_cmp_current_time(X509_CRL_get0_lastUpdate(&list)) >= 0)
      return fail(TlsErrorKind::revocations_unusable, files_.revocations, "a list is of the future");
    const std::int64_t expires_s = seconds_of(next);
    if (!revocations_expire_s_ || expires_s < *revocations_expire_s_) revocations_expire_s_ = expires_s;
    require(X509_STORE_add_crl(store_.get(), &list) == 1, "adding a list of revoked certificates");
    return true;
  }

  static bool is_list_of(X509_CRL& list, X509& authority) {
    const bool same = X509_NAME_cmp(X509_CRL_get_issuer(&list), X509_get_subject_name(&authority)) == 0 &&
                      X509_CRL_verify(&list, X509_get0_pubkey(&authority)) == 1;
    ERR_clear_error();
    return same;
  }

  [[nodiscard]] bool has_list(X509& authority) const {
    for (const RevocationListPointer& list : revocations_)
      if (is_list_of(*list, authority)) return true;
    return false;
  }

  /// As our peers will: what they would refuse is a mistake that is better found here.
  bool verify_own_certificate() {
    STACK_OF(X509)* others = sk_X509_new_null();
    require(others != nullptr, "making a list of certificates");
    for (std::size_t i = 1; i < chain_.size(); ++i) sk_X509_push(others, chain_[i].get());
    int result = verify(*store_, *chain_.front(), others, Side::server);
    if (result == X509_V_OK) result = verify(*store_, *chain_.front(), others, Side::client);
    sk_X509_free(others);
    if (result == X509_V_OK) return true;
    return fail(TlsErrorKind::certificate_unverified, files_.certificate,
                std::string("peers would refuse it: ") + name(verification_reason(result)) + " (" +
                    X509_verify_cert_error_string(result) + ")");
  }

  const TlsFiles& files_;
  const NodeIdentity& self_;
  TlsError error_{};
  std::vector<CertificatePointer> chain_;
  KeyPointer key_;
  std::vector<CertificatePointer> authorities_;
  std::vector<RevocationListPointer> revocations_;
  std::optional<std::int64_t> revocations_expire_s_;
  StorePointer store_;
};

/// Every handshake is a full one, so that every handshake looks at certificates and lists of today: no tickets, no cache.
void forbid_resumption(SSL_CTX& context) {
  SSL_CTX_set_options(&context, SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
  require(SSL_CTX_set_num_tickets(&context, 0) == 1, "forbidding tickets");
}

/// Who asks for a server of another name has lost his way, or was sent here: he gets an alert and no answer. Who names
/// nobody is not asked: nodes know each other by their certificates.
int check_server_name(SSL* session, int* alert, void* /*unused*/) {
  const char* name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  if (X509_check_host(SSL_get_certificate(session), name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) ==
      1)
    return SSL_TLSEXT_ERR_OK;
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

ContextPointer make_context(const SSL_METHOD* method, Loader& loader) {
  ContextPointer context(SSL_CTX_new(method));
  require(context != nullptr, "making a TLS context");
  SSL_CTX_set_security_level(context.get(), 2);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  require(SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) == 1 &&
              SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION) == 1 &&
              SSL_CTX_set_ciphersuites(context.get(), suites) == 1 &&
              SSL_CTX_set1_groups_list(context.get(), groups) == 1,
          "setting up TLS 1.3");
  forbid_resumption(*context);
  // Never a callback of our own: what OpenSSL does not accept is not accepted.
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  // What the macro SSL_CTX_set_tlsext_servername_callback does, with a cast of this language.
  SSL_CTX_callback_ctrl(context.get(), SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                        reinterpret_cast<void (*)()>(check_server_name));
  SSL_CTX_set_max_cert_list(context.get(), chain_bytes_max);
  SSL_CTX_set1_cert_store(context.get(), loader.store().get());
  set_verification(*SSL_CTX_get0_param(context.get()), loader.with_revocations());

  if (SSL_CTX_use_certificate(context.get(), loader.chain().front().get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), loader.key()) != 1)
    return nullptr;
  for (std::size_t i = 1; i < loader.chain().size(); ++i)
    if (SSL_CTX_add1_chain_cert(context.get(), loader.chain()[i].get()) != 1) return nullptr;
  return context;
}

}  // namespace

const char* name(TlsErrorKind kind) {
  switch (kind) {
    case TlsErrorKind::file_missing: return "file_missing";
    case TlsErrorKind::file_unreadable: return "file_unreadable";
    case TlsErrorKind::key_permissions: return "key_permissions";
    case TlsErrorKind::key_unusable: return "key_unusable";
    case TlsErrorKind::key_mismatch: return "key_mismatch";
    case TlsErrorKind::certificate_unusable: return "certificate_unusable";
    case TlsErrorKind::certificate_identity: return "certificate_identity";
    case TlsErrorKind::certificate_unverified: return "certificate_unverified";
    case TlsErrorKind::authorities_unusable: return "authorities_unusable";
    case TlsErrorKind::revocations_unusable: return "revocations_unusable";
  }
  return "?";
}

struct TlsContexts::State {
  ContextPointer dialing;
  ContextPointer listening;
  StorePointer store;
  std::int64_t certificate_expires_s = 0;
  std::optional<std::int64_t> revocations_expire_s;
};

TlsContexts::TlsContexts(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsContexts::~TlsContexts() = default;

std::variant<std::shared_ptr<const TlsContexts>, TlsError> TlsContexts::load(const TlsFiles& files,
                                                                             const NodeIdentity& self) {
  Loader loader(files, self);
  if (!loader.load()) return loader.error();
  auto state = std::make_unique<State>();
  state->dialing = make_context(TLS_client_method(), loader);
  state->listening = make_context(TLS_server_method(), loader);
  if (state->dialing == nullptr || state->listening == nullptr)
    return TlsError{TlsErrorKind::certificate_unusable,
                    files.certificate.string() + ": " + take_openssl_errors()};
  state->certificate_expires_s = seconds_of(X509_get0_notAfter(loader.chain().front().get()));
  state->revocations_expire_s = loader.revocations_expire_s();
  state->store = std::move(loader.store());
  return std::shared_ptr<const TlsContexts>(new TlsContexts(std::move(state)));
}

SSL_CTX* TlsContexts::dialing() const { return state_->dialing.get(); }
SSL_CTX* TlsContexts::listening() const { return state_->listening.get(); }
std::int64_t TlsContexts::certificate_expires_s() const { return state_->certificate_expires_s; }
std::optional<std::int64_t> TlsContexts::revocations_expire_s() const { return state_->revocations_expire_s; }

std::optional<Reason> TlsContexts::objection_to(SSL& session) const {
  X509* certificate = SSL_get0_peer_certificate(&session);
  if (certificate == nullptr) return Reason::no_certificate;
  const Side side = SSL_is_server(&session) == 1 ? Side::client : Side::server;
  const int result = verify(*state_->store, *certificate, SSL_get_peer_cert_chain(&session), side);
  ERR_clear_error();
  if (result == X509_V_OK) return std::nullopt;
  return verification_reason(result);
}

}  // namespace raftlab::net
