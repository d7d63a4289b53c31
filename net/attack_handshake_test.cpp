#include "net/attack_fixture.hpp"

#include <gtest/gtest.h>

namespace raftlab::net {
namespace {

using namespace test;

constexpr int alert_handshake_failure = 40;
constexpr int alert_unsupported_certificate = 43;
constexpr int alert_certificate_revoked = 44;
constexpr int alert_certificate_expired = 45;
constexpr int alert_bad_certificate = 42;
constexpr int alert_unknown_ca = 48;
constexpr int alert_protocol_version = 70;
constexpr int alert_certificate_required = 116;

class AttackHandshake : public Attack {
 protected:
  static void short_handshake(TlsTransportOptions& options) { options.handshake_timeout = 400ms; }
};

TEST_F(AttackHandshake, P01_ASilentConnectionIsClosedAtTheDeadline) {
  begin(short_handshake);
  const std::size_t before = open_descriptors();
  {
    const Stranger stranger = dial();
    EXPECT_TRUE(stranger.ends_plain());
  }
  expect_refused(Reason::handshake_timeout);
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= before; }));
}

TEST_F(AttackHandshake, P02_HttpIsNoTls) {
  begin();
  const Stranger stranger = dial();
  stranger.write_plain(bytes_of("GET /metrics HTTP/1.1\r\nHost: node1\r\n\r\n"));
  EXPECT_TRUE(stranger.ends_plain());
  expect_refused(Reason::not_tls);
}

TEST_F(AttackHandshake, P03_NoiseBeforeTheHandshakeIsNoTls) {
  begin();
  const Stranger stranger = dial();
  std::string noise;
  for (std::uint64_t i = 0; i < 8192; ++i) {
    const std::uint64_t word = (i + 1) * 0x9e3779b97f4a7c15ULL;
    noise.append(reinterpret_cast<const char*>(&word), sizeof(word));
  }
  stranger.write_plain(bytes_of(noise));
  EXPECT_TRUE(stranger.ends_plain());
  expect_refused(Reason::not_tls);
}

TEST_F(AttackHandshake, P04_AByteNowAndThenDoesNotMoveTheDeadline) {
  begin(short_handshake);
  const Stranger stranger = dial();
  // A record of a handshake of 512 bytes, and a ClientHello that never ends.
  std::string greeting("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
  greeting.resize(500, 'x');
  const auto begun = std::chrono::steady_clock::now();
  std::size_t written = 0;
  // One byte as often as the victim could be taken for waiting for it: its clock must not care.
  EXPECT_TRUE(eventually([&] {
    if (written < greeting.size() && written < 11 + 400)
      stranger.write_plain(bytes_of(std::string_view(greeting).substr(written++, 1)));
    return !stranger.is_open();
  }));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 300ms);
  EXPECT_GT(written, 20U);
  expect_refused(Reason::handshake_timeout);
}

TEST_F(AttackHandshake, P05_HalfAClientHelloAndTheEndLeavesNothing) {
  begin();
  const std::size_t before = open_descriptors();
  const std::string half("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
  for (int i = 0; i < 20; ++i) {
    Stranger stranger = dial();
    stranger.write_plain(bytes_of(half));
    if (i % 2 == 0) {
      stranger.close();
    } else {
      stranger.reset();
    }
  }
  EXPECT_TRUE(eventually([&] { return victim().counters().failures(Reason::closed_by_peer) >= 10; }));
  expect_harmless(Reason::closed_by_peer);
  // One that was reset before it was accepted is no connection at all.
  EXPECT_TRUE(eventually([&] {
    const Counters counters = victim().counters();
    return counters.failures(Reason::closed_by_peer) == counters.accepted - 1;
  })) << victim().history();
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= before; }));
}

TEST_F(AttackHandshake, P06_OlderVersionsAreRefused) {
  begin();
  std::uint64_t count = 0;
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION}) {
    Stranger stranger = dial();
    EXPECT_FALSE(stranger.handshake(&member_, [&](SSL_CTX& context) {
      SSL_CTX_set_min_proto_version(&context, version);
      SSL_CTX_set_max_proto_version(&context, version);
      SSL_CTX_set_cipher_list(&context, "ALL:@SECLEVEL=0");
    }));
    EXPECT_EQ(stranger.alert(), alert_protocol_version);
    EXPECT_TRUE(eventually([&] { return victim().counters().failures(Reason::tls_version) == count + 1; }))
        << victim().history();
    ++count;
  }
  expect_refused(Reason::tls_version, count);
}

TEST_F(AttackHandshake, P07_OtherCiphersAreRefused) {
  begin();
  Stranger stranger = dial();
  EXPECT_FALSE(stranger.handshake(&member_, [](SSL_CTX& context) {
    SSL_CTX_set_min_proto_version(&context, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(&context, "TLS_AES_128_CCM_8_SHA256");
  }));
  EXPECT_EQ(stranger.alert(), alert_handshake_failure);
  expect_refused(Reason::tls_cipher);
}

TEST_F(AttackHandshake, P07_CiphersThatHideNothingAreRefused) {
  begin();
  // A ClientHello of TLS 1.3 with the suites NULL, export, RC4 and anonymous only, which no library would send.
  std::string hello("\x03\x03", 2);
  hello.append(32, 'r').append(
      std::string("\0\0\x0a\0\0\0\x03\0\x05\0\x34\0\x6c\x01\0\0\x07\0\x2b\0\x03\x02\x03\x04", 24));
  std::string record("\x16\x03\x01\0", 4);
  record.push_back(static_cast<char>(hello.size() + 4));
  record.append(std::string("\x01\0\0", 3)).push_back(static_cast<char>(hello.size()));
  const Stranger stranger = dial();
  stranger.write_plain(bytes_of(record + hello));
  std::array<unsigned char, 7> alert{};
  EXPECT_EQ(::recv(stranger.socket(), alert.data(), alert.size(), MSG_WAITALL), 7);
  EXPECT_EQ(alert[0], 21U);
  EXPECT_EQ(alert[6], alert_handshake_failure);
  EXPECT_TRUE(stranger.ends_plain());
  expect_refused(Reason::tls_cipher);
}

TEST_F(AttackHandshake, P08_NoCertificateIsRefused) {
  begin();
  expect_certificate_refused(nullptr, Reason::no_certificate, alert_certificate_required);
}

TEST_F(AttackHandshake, P09_ASelfSignedCertificateIsRefused) {
  begin();
  const Issued issued = issued_of(build_certificate(pki_.spec(strangers_number), nullptr));
  expect_certificate_refused(&issued, Reason::certificate_untrusted, alert_unknown_ca);
}

TEST_F(AttackHandshake, P10_AnAuthorityOfTheSameNameIsNotTheAuthority) {
  begin();
  const Pki forged;  // of the same cluster, hence with the same name
  const Issued issued = forged.node(strangers_number);
  expect_certificate_refused(&issued, Reason::certificate_untrusted, alert_unknown_ca);
}

TEST_F(AttackHandshake, P11_AnExpiredCertificateIsRefused) {
  begin();
  CertificateSpec spec = pki_.spec(strangers_number);
  spec.validity = {std::time(nullptr) - 2 * day_s, std::time(nullptr) - 10};
  const Issued issued = pki_.build(spec);
  expect_certificate_refused(&issued, Reason::certificate_expired, alert_certificate_expired);
}

TEST_F(AttackHandshake, P12_ACertificateOfTheFutureIsRefused) {
  begin();
  CertificateSpec spec = pki_.spec(strangers_number);
  spec.validity = {std::time(nullptr) + day_s, std::time(nullptr) + 2 * day_s};
  const Issued issued = pki_.build(spec);
  expect_certificate_refused(&issued, Reason::certificate_not_yet_valid, alert_bad_certificate);
}

TEST_F(AttackHandshake, P13_ARevokedCertificateIsRefused) {
  TlsFiles files = pki_.files(1);
  files.revocations = pki_.directory.path() / "revoked";
  put(files.revocations, must(revoke(pki_.authority, "", serial_of(member_), lifetime())));
  begin(nullptr, &files);
  expect_certificate_refused(&member_, Reason::certificate_revoked, alert_certificate_revoked);
}

TEST_F(AttackHandshake, P15_ACertificateForServersOnlyIsNoClient) {
  begin();
  CertificateSpec spec = pki_.spec(strangers_number);
  spec.extended_usage = "serverAuth";
  const Issued issued = pki_.build(spec);
  expect_certificate_refused(&issued, Reason::certificate_purpose, alert_unsupported_certificate);
}

TEST_F(AttackHandshake, P22_ALeafIssuesNothing) {
  begin();
  const BuiltCertificate leaf = built_of(member_);
  Issued issued = issued_of(build_certificate(pki_.spec(strangers_number), &leaf));
  issued.certificate += member_.certificate;
  expect_certificate_refused(&issued, Reason::certificate_untrusted, alert_unknown_ca);
}

TEST_F(AttackHandshake, P22_ALongChainIsRefused) {
  begin();
  // A root of the victim's with room for many authorities below it would be its operator's will: depth is ours.
  CertificateSpec authority;
  authority.common_name = "root";
  authority.authority = true;
  authority.path_length = 20;
  authority.validity = validity();
  BuiltCertificate above = build_certificate(authority, nullptr);
  put(pki_.directory.path() / "1.ca", pki_.authority.certificate + pem_of(*above.certificate));
  ASSERT_FALSE(victim().reload());
  std::string between;
  for (int depth = 0; depth < 10; ++depth) {
    authority.common_name = "between " + std::to_string(depth);
    above = build_certificate(authority, &above);
    between.insert(0, pem_of(*above.certificate));
  }
  Issued issued = issued_of(build_certificate(pki_.spec(strangers_number), &above));
  issued.certificate += between;
  expect_certificate_refused(&issued, Reason::chain_too_large, alert_unknown_ca);
}

TEST_F(AttackHandshake, P22_TooManyBytesOfCertificatesAreRefusedUnread) {
  begin();
  Issued issued = member_;
  while (issued.certificate.size() < 100'000) issued.certificate += pki_.authority.certificate;
  Stranger stranger = dial();
  stranger.handshake(&issued);
  EXPECT_TRUE(stranger.ends());
  expect_refused(Reason::chain_too_large);
}

TEST_F(AttackHandshake, P22_AThousandNamesAreRefused) {
  begin();
  CertificateSpec spec = pki_.spec(strangers_number);
  for (int i = 0; i < 1000; ++i) spec.names->push_back({NameKind::dns, "n" + std::to_string(i) + ".example"});
  const Issued issued = pki_.build(spec);
  Stranger stranger = dial();
  stranger.handshake(&issued);
  EXPECT_TRUE(stranger.ends());
  expect_refused(Reason::identity_malformed);
}

TEST_F(AttackHandshake, P28_NoSessionIsResumed) {
  begin();
  Stranger first = dial();
  ASSERT_TRUE(first.handshake(&member_));
  ASSERT_TRUE(first.greet(hello()));  // reads everything that might be a ticket
  EXPECT_EQ(SSL_SESSION_is_resumable(SSL_get0_session(&first.session())), 0);
  SSL_SESSION* session = SSL_get1_session(&first.session());
  Stranger second = dial();
  second.before_handshake = [&](SSL& ssl) { SSL_set_session(&ssl, session); };
  EXPECT_TRUE(second.handshake(&member_));
  EXPECT_TRUE(second.greet(hello()));
  EXPECT_EQ(SSL_session_reused(&second.session()), 0);
  SSL_SESSION_free(session);
}

TEST_F(AttackHandshake, P29_AShortKeyIsRefused) {
  begin();
  const KeyPointer key(EVP_RSA_gen(1024));
  CertificateSpec spec = pki_.spec(strangers_number);
  spec.key = key.get();
  const Issued issued = pki_.build(spec);
  Stranger stranger = dial();
  stranger.handshake(&issued);
  EXPECT_TRUE(stranger.ends());
  expect_refused(Reason::certificate_weak);
}

TEST_F(AttackHandshake, P29_ASignatureWithSha1IsRefused) {
  begin();
  CertificateSpec spec = pki_.spec(strangers_number);
  spec.digest = EVP_sha1();
  const Issued issued = pki_.build(spec);
  Stranger stranger = dial();
  stranger.handshake(&issued);
  EXPECT_TRUE(stranger.ends());
  expect_refused(Reason::certificate_weak);
}

TEST_F(AttackHandshake, P42_AFloodOfIdleConnectionsKeepsNobodyOut) {
  begin([](TlsTransportOptions& options) { options.pending_max = 8; });
  const std::size_t before = open_descriptors();
  constexpr std::size_t connects = 5'000;
  // The strangers hold as many at a time as one process may; those that had to give way come again.
  constexpr std::size_t at_a_time = 250;
  for (std::size_t done = 0; done < connects; done += at_a_time) {
    std::vector<Stranger> idle;
    for (std::size_t i = 0; i < at_a_time; ++i) idle.push_back(dial());
    ASSERT_TRUE(eventually([&] {
      const Counters counters = victim().counters();
      return counters.accepted >= done + at_a_time + 1 && counters.pending <= 8;
    })) << done;
    EXPECT_TRUE(eventually([&] { return open_descriptors() <= before + at_a_time + 8; }))
        << "only the strangers' own descriptors are left";
    if (done != 0) continue;
    // The member comes in over the flood.
    Stranger stranger = member();
    EXPECT_EQ(victim().counters().links_in, 2U);
  }
  EXPECT_GE(victim().counters().failures(Reason::overloaded), at_a_time - 8);
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= before; }));
  expect_harmless(Reason::overloaded);
  EXPECT_GT(victim().counters().events_suppressed, 0U) << "one line a second for each reason";
}

TEST_F(AttackHandshake, P42_OneAddressHasItsOwnLimit) {
  begin([](TlsTransportOptions& options) {
    options.pending_max = 100;
    options.pending_per_address_max = 3;
  });
  std::vector<Stranger> idle;
  idle.reserve(10);
  for (int i = 0; i < 10; ++i) idle.push_back(dial());
  EXPECT_TRUE(eventually([&] { return victim().counters().failures(Reason::overloaded) == 7; }));
  EXPECT_EQ(victim().counters().pending, 3U);
  idle.clear();
  expect_harmless(Reason::overloaded);
}

}  // namespace
}  // namespace raftlab::net
