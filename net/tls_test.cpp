#include "net/tls.hpp"

#include "net/test_pki.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace raftlab::net {
namespace {

using namespace test;

/// The files of node 1, which a test spoils.
class Tls : public ::testing::Test {
 protected:
  std::optional<TlsError> load() {
    auto contexts = TlsContexts::load(files_, self(1));
    if (auto* error = std::get_if<TlsError>(&contexts)) return *error;
    contexts_ = std::get<std::shared_ptr<const TlsContexts>>(contexts);
    return std::nullopt;
  }
  void expect_error(TlsErrorKind kind, const std::filesystem::path& file) {
    const std::optional<TlsError> error = load();
    ASSERT_TRUE(error) << "it was accepted";
    EXPECT_STREQ(name(error->kind), name(kind)) << error->detail;
    EXPECT_NE(error->detail.find(file.string()), std::string::npos) << error->detail;
    EXPECT_EQ(error->detail.find("PRIVATE"), std::string::npos);
  }
  void revocations(const std::string& text) {
    files_.revocations = pki_.directory.path() / "revoked";
    put(files_.revocations, text);
  }

  Pki pki_;
  Issued node_ = pki_.node(1);
  TlsFiles files_ = pki_.files(1, node_);
  std::shared_ptr<const TlsContexts> contexts_;
};

TEST_F(Tls, GoodFilesAreLoaded) {
  EXPECT_FALSE(load());
  EXPECT_EQ(contexts_->certificate_expires_s(), must(describe(node_.certificate)).front().valid_until_s);
  EXPECT_FALSE(contexts_->revocations_expire_s());
}

TEST_F(Tls, P48_AKeyThatOthersMayReadIsRefused) {
  for (const mode_t mode : {0640U, 0604U, 0644U, 0660U, 0610U}) {
    ASSERT_EQ(::chmod(files_.key.c_str(), mode), 0);
    expect_error(TlsErrorKind::key_permissions, files_.key);
  }
  ASSERT_EQ(::chmod(files_.key.c_str(), 0400), 0);
  EXPECT_FALSE(load());
}

TEST_F(Tls, P48_AnEncryptedKeyIsRefusedWithoutAQuestion) {
  const KeyPointer key = key_of(node_.key);
  const BioPointer bio(BIO_new(BIO_s_mem()));
  char password[] = "secret";
  ASSERT_EQ(
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), EVP_aes_128_cbc(), password, 6, nullptr, nullptr),
      1);
  put(files_.key, written_to(*bio), true);
  expect_error(TlsErrorKind::key_unusable, files_.key);
}

TEST_F(Tls, P48_MissingFilesAreNamed) {
  std::filesystem::remove(files_.key);
  expect_error(TlsErrorKind::file_missing, files_.key);
  std::filesystem::remove(files_.certificate);
  expect_error(TlsErrorKind::file_missing, files_.certificate);
}

TEST_F(Tls, AKeyOfAnotherCertificateIsRefused) {
  put(files_.key, pki_.node(1).key, true);
  expect_error(TlsErrorKind::key_mismatch, files_.key);
}

TEST_F(Tls, ACertificateOfAnotherNodeIsRefused) {
  files_ = pki_.files(2);
  expect_error(TlsErrorKind::certificate_identity, files_.certificate);
}

TEST_F(Tls, GarbageIsRefusedWhereverItStands) {
  put(files_.authorities, "garbage");
  expect_error(TlsErrorKind::authorities_unusable, files_.authorities);
  put(files_.authorities,
      pki_.authority.certificate + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  expect_error(TlsErrorKind::authorities_unusable, files_.authorities);
  put(files_.key, "garbage", true);
  expect_error(TlsErrorKind::key_unusable, files_.key);
  put(files_.certificate, "garbage");
  expect_error(TlsErrorKind::certificate_unusable, files_.certificate);
  put(files_.certificate, std::string(1U << 20U, 'x'));
  expect_error(TlsErrorKind::file_unreadable, files_.certificate);
}

TEST_F(Tls, ALeafAmongTheAuthoritiesIsRefused) {
  put(files_.authorities, pki_.authority.certificate + node_.certificate);
  expect_error(TlsErrorKind::authorities_unusable, files_.authorities);
}

TEST_F(Tls, P49_ACertificateThatIsNotYetOrNoMoreValidIsRefusedWithTheReason) {
  CertificateSpec spec = pki_.spec(1);
  spec.validity = {std::time(nullptr) + day_s, std::time(nullptr) + 2 * day_s};
  files_ = pki_.files(1, pki_.build(spec));
  expect_error(TlsErrorKind::certificate_unverified, files_.certificate);
  EXPECT_NE(load()->detail.find("certificate_not_yet_valid"), std::string::npos);
  spec.validity = {std::time(nullptr) - 2 * day_s, std::time(nullptr) - day_s};
  files_ = pki_.files(1, pki_.build(spec));
  EXPECT_NE(load()->detail.find("certificate_expired"), std::string::npos);
}

TEST_F(Tls, ACertificateThatPeersWouldRefuseIsRefused) {
  CertificateSpec spec = pki_.spec(1);
  for (const char* usage : {"serverAuth", "clientAuth"}) {
    spec.extended_usage = usage;
    files_ = pki_.files(1, pki_.build(spec));
    expect_error(TlsErrorKind::certificate_unverified, files_.certificate);
  }
  const Pki other;
  put(files_.authorities, other.authority.certificate);
  expect_error(TlsErrorKind::certificate_unverified, files_.certificate);
}

TEST_F(Tls, P29_AWeakKeyOfOurOwnIsRefused) {
  const KeyPointer key(EVP_RSA_gen(1024));
  CertificateSpec spec = pki_.spec(1);
  spec.key = key.get();
  files_ = pki_.files(1, pki_.build(spec));
  expect_error(TlsErrorKind::certificate_unverified, files_.certificate);
}

TEST_F(Tls, P14_AListThatIsMissingExpiredOrGarbageIsRefused) {
  files_.revocations = pki_.directory.path() / "revoked";
  expect_error(TlsErrorKind::file_missing, files_.revocations);

  revocations("garbage");
  expect_error(TlsErrorKind::revocations_unusable, files_.revocations);
  const std::string list = must(revoke(pki_.authority, "", "", lifetime()));
  revocations(list + "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n");
  expect_error(TlsErrorKind::revocations_unusable, files_.revocations);
  revocations(must(revoke(pki_.authority, "", "", {std::time(nullptr) - 10 * day_s, 5})));
  expect_error(TlsErrorKind::revocations_unusable, files_.revocations);
  revocations(must(revoke(pki_.authority, "", "", {std::time(nullptr) + day_s, 5})));
  expect_error(TlsErrorKind::revocations_unusable, files_.revocations);

  const Pki other;
  revocations(must(revoke(other.authority, "", "", lifetime())));
  expect_error(TlsErrorKind::revocations_unusable, files_.revocations);

  revocations(list);
  EXPECT_FALSE(load());
  ASSERT_TRUE(contexts_->revocations_expire_s());
  EXPECT_GT(*contexts_->revocations_expire_s(), std::time(nullptr));
}

TEST_F(Tls, EachAuthorityNeedsAList) {
  const Pki next;
  put(files_.authorities, pki_.authority.certificate + next.authority.certificate);
  const std::string list = must(revoke(pki_.authority, "", "", lifetime()));
  revocations(list);
  expect_error(TlsErrorKind::revocations_unusable, files_.revocations);
  // Both authorities have one name: the lists are told apart by the keys.
  for (const bool first : {true, false}) {
    const std::string lists[] = {list, must(revoke(next.authority, "", "", lifetime()))};
    revocations(first ? lists[0] + lists[1] : lists[1] + lists[0]);
    const std::optional<TlsError> error = load();
    EXPECT_FALSE(error) << error->detail;
  }
}

TEST_F(Tls, OurOwnCertificateOnTheListIsRefused) {
  revocations(must(revoke(pki_.authority, "", serial_of(node_), lifetime())));
  expect_error(TlsErrorKind::certificate_unverified, files_.certificate);
}

TEST_F(Tls, AnAuthorityInBetweenIsAllowedAndASecondOneIsNot) {
  CertificateSpec between;
  between.common_name = "between";
  between.authority = true;
  between.path_length = 5;
  between.validity = validity();
  CertificateSpec root = between;
  root.common_name = "root";
  const BuiltCertificate top = build_certificate(root, nullptr);
  const BuiltCertificate first = build_certificate(between, &top);
  Issued issued = issued_of(build_certificate(pki_.spec(1), &first));
  issued.certificate += pem_of(*first.certificate);
  files_ = pki_.files(1, issued);
  put(files_.authorities, pem_of(*top.certificate));
  const std::optional<TlsError> error = load();
  EXPECT_FALSE(error) << error->detail;

  between.common_name = "further between";
  const BuiltCertificate second = build_certificate(between, &first);
  issued = issued_of(build_certificate(pki_.spec(1), &second));
  issued.certificate += pem_of(*second.certificate) + pem_of(*first.certificate);
  files_ = pki_.files(1, issued);
  put(files_.authorities, pem_of(*top.certificate));
  expect_error(TlsErrorKind::certificate_unverified, files_.certificate);
}

}  // namespace
}  // namespace raftlab::net
