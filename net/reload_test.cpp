#include "net/attack_fixture.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace raftlab::net {
namespace {

using namespace test;

/// Certificates that change under running links.
class Reload : public Attack {
 protected:
  [[nodiscard]] std::filesystem::path file(const char* node_and_ending) const {
    return pki_.directory.path() / node_and_ending;
  }
  /// Node 3 with this certificate is let in.
  bool lets_in(const Issued& issued) {
    Stranger stranger = dial();
    if (!stranger.handshake(&issued)) return false;
    const auto answer = stranger.greet(hello());
    return answer && std::holds_alternative<Welcome>(*answer);
  }
};

TEST_F(Reload, P46_ANewCertificateIsUsedAndLinksLiveOn) {
  begin();
  const Issued next = pki_.node(1);
  put(file("1.crt"), next.certificate);
  put(file("1.key"), next.key, true);
  EXPECT_FALSE(victim().reload());
  EXPECT_EQ(victim().counters().reloads, 1U);
  Stranger stranger = dial();
  ASSERT_TRUE(stranger.handshake(&member_));
  const auto shown = must(describe(pem_of(*SSL_get0_peer_certificate(&stranger.session()))));
  EXPECT_EQ(shown.front().serial, serial_of(next));
  stranger.close();
  expect_harmless(Reason::reloaded);
}

TEST_F(Reload, P46_UnderLoadNothingIsLost) {
  begin();
  // Certificates go, good ones and bad ones, while messages come; the links do not end, so that none is lost.
  std::uint64_t sent = 0;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 50; ++i) healthy().send(vote(2, 1, ++sent));
    const Issued next = pki_.node(1);
    put(file("1.crt"), next.certificate);
    if (round % 2 == 0) put(file("1.key"), next.key, true);
    EXPECT_EQ(victim().reload().has_value(), round % 2 != 0);
  }
  EXPECT_TRUE(eventually([&] { return victim().delivered().size() == sent; })) << victim().delivered().size();
  EXPECT_EQ(victim().counters().reloads, 10U);
  EXPECT_EQ(victim().counters().reload_failures, 10U);
  EXPECT_EQ(healthy().counters().reconnects, 0U) << healthy().history();
  EXPECT_EQ(victim().counters().reconnects, 0U);
}

TEST_F(Reload, P46_ABadCertificateChangesNothing) {
  begin();
  const auto before = victim().run([&] { return victim().transport().contexts(); });
  const auto expect_kept = [&](TlsErrorKind kind) {
    const std::optional<TlsError> error = victim().reload();
    ASSERT_TRUE(error);
    EXPECT_STREQ(name(error->kind), name(kind));
    EXPECT_EQ(victim().run([&] { return victim().transport().contexts(); }), before);
    EXPECT_TRUE(lets_in(member_));
  };
  put(file("1.key"), pki_.node(1).key, true);
  expect_kept(TlsErrorKind::key_mismatch);
  put(file("1.crt"), "garbage");
  expect_kept(TlsErrorKind::certificate_unusable);
  std::filesystem::remove(file("1.crt"));
  expect_kept(TlsErrorKind::file_missing);
  EXPECT_EQ(victim().counters().reload_failures, 3U);
  EXPECT_EQ(victim().events(Reason::reload_failed).size(), 1U) << "one line a second";
}

TEST_F(Reload, P14_ABadListChangesNothing) {
  TlsFiles files = pki_.files(1);
  files.revocations = file("revoked");
  put(files.revocations, must(revoke(pki_.authority, "", serial_of(member_), lifetime())));
  begin(nullptr, &files);
  put(files.revocations, "garbage");
  EXPECT_TRUE(victim().reload());
  EXPECT_FALSE(lets_in(member_)) << "the old list is forgotten";
  std::filesystem::remove(files.revocations);
  EXPECT_TRUE(victim().reload());
  EXPECT_FALSE(lets_in(member_));
  expect_harmless(Reason::reload_failed);
}

TEST_F(Reload, P13_ARevocationEndsTheLinksOfToday) {
  TlsFiles files = pki_.files(1);
  files.revocations = file("revoked");
  const std::string empty = must(revoke(pki_.authority, "", "", lifetime()));
  put(files.revocations, empty);
  begin(nullptr, &files);
  Stranger stranger = member();
  stranger.write(vote(3, 1, 1));
  ASSERT_TRUE(eventually([&] { return victim().delivered().size() == 1; }));
  put(files.revocations, must(revoke(pki_.authority, empty, serial_of(member_), lifetime())));
  EXPECT_FALSE(victim().reload());
  EXPECT_TRUE(stranger.ends());
  EXPECT_TRUE(eventually([&] { return victim().counters().closed(Reason::certificate_revoked) == 1; }));
  EXPECT_FALSE(lets_in(member_));
  EXPECT_TRUE(reaches(healthy(), victim(), 5));
  EXPECT_EQ(healthy().counters().reconnects, 0U) << healthy().history();
}

TEST_F(Reload, P28_ASessionFromBeforeTheRevocationIsOfNoUse) {
  TlsFiles files = pki_.files(1);
  files.revocations = file("revoked");
  const std::string empty = must(revoke(pki_.authority, "", "", lifetime()));
  put(files.revocations, empty);
  begin(nullptr, &files);
  Stranger first = member();
  SSL_SESSION* session = SSL_get1_session(&first.session());
  put(files.revocations, must(revoke(pki_.authority, empty, serial_of(member_), lifetime())));
  ASSERT_FALSE(victim().reload());
  EXPECT_TRUE(first.ends());
  Stranger second = dial();
  second.before_handshake = [&](SSL& ssl) { SSL_set_session(&ssl, session); };
  second.handshake(&member_);
  second.write(FrameKind::hello, encode(hello()));
  EXPECT_TRUE(second.ends());
  EXPECT_EQ(SSL_session_reused(&second.session()), 0);
  EXPECT_EQ(second.alert(), SSL_AD_CERTIFICATE_REVOKED);
  expect_harmless(Reason::certificate_revoked);
  SSL_SESSION_free(session);
}

TEST_F(Reload, P47_AuthoritiesOverlapAndTheOldOneIsRefusedAfterwards) {
  begin();
  const Pki next;
  const std::string both = pki_.authority.certificate + next.authority.certificate;
  const Issued next_member = next.node(strangers_number);
  EXPECT_FALSE(lets_in(next_member));

  // First everybody trusts both, then everybody has a new certificate, then nobody trusts the old authority.
  for (TestNode* node : {&victim(), &healthy()}) {
    put(file((std::to_string(node->number()) + ".ca").c_str()), both);
    ASSERT_FALSE(node->reload());
  }
  EXPECT_TRUE(lets_in(next_member));
  EXPECT_TRUE(lets_in(member_));
  for (TestNode* node : {&victim(), &healthy()}) {
    const Issued issued = next.node(node->number());
    put(file((std::to_string(node->number()) + ".crt").c_str()), issued.certificate);
    put(file((std::to_string(node->number()) + ".key").c_str()), issued.key, true);
    ASSERT_FALSE(node->reload());
  }
  EXPECT_EQ(healthy().counters().reconnects, 0U) << "all along";
  EXPECT_EQ(victim().counters().reconnects, 0U);
  EXPECT_TRUE(reaches(healthy(), victim(), 51));

  for (TestNode* node : {&victim(), &healthy()}) {
    put(file((std::to_string(node->number()) + ".ca").c_str()), next.authority.certificate);
    ASSERT_FALSE(node->reload());
  }
  EXPECT_FALSE(lets_in(member_)) << "of the old authority";
  EXPECT_TRUE(lets_in(next_member));
  // Links that were made with certificates of the old authority had to be made again.
  EXPECT_TRUE(eventually([&] { return victim().counters().reconnects >= 1; })) << victim().history();
  EXPECT_TRUE(linked(healthy(), 1)) << healthy().history();
  EXPECT_TRUE(reaches(healthy(), victim(), 52));
  EXPECT_TRUE(reaches(victim(), healthy(), 53));
}

TEST_F(Reload, P48_AKeyThatOthersMayReadStopsTheStart) {
  const TlsFiles files = pki_.files(1);
  ASSERT_EQ(::chmod(files.key.c_str(), 0644), 0);
  boost::asio::io_context io;
  TlsTransportOptions options;
  options.self = self(1);
  options.listen = "127.0.0.1:0";
  options.files = files;
  options.random = [] { return std::uint64_t{1}; };
  const auto made = TlsTransport::make(io, options);
  ASSERT_TRUE(std::holds_alternative<TlsError>(made));
  EXPECT_EQ(std::get<TlsError>(made).kind, TlsErrorKind::key_permissions);
}

}  // namespace
}  // namespace raftlab::net
