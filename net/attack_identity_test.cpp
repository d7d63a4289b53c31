#include "net/attack_fixture.hpp"

#include <gtest/gtest.h>

namespace raftlab::net {
namespace {

using namespace test;
using namespace std::string_literals;

/// Certificates that our authority has signed, of somebody who has no business here.
class AttackIdentity : public Attack {
 protected:
  /// A stranger with this certificate says this; the answer is that reason, and nothing else comes of it.
  void expect_answer(const Issued& issued, const Hello& hello, Reason reason, std::uint64_t count = 1) {
    const std::size_t before = open_descriptors();
    {
      Stranger stranger = dial();
      EXPECT_TRUE(stranger.handshake(&issued));
      const auto answer = stranger.greet(hello);
      ASSERT_TRUE(answer) << "no answer; " << victim().history();
      ASSERT_TRUE(std::holds_alternative<Reason>(*answer)) << "it was let in";
      EXPECT_STREQ(name(std::get<Reason>(*answer)), name(reason));
      stranger.write(vote(strangers_number, 1, 5));
      EXPECT_TRUE(stranger.ends());
    }
    expect_refused(reason, count);
    EXPECT_TRUE(eventually([&] { return open_descriptors() <= before; }));
  }
  void expect_names_refused(std::vector<AlternativeName> names, Reason reason) {
    CertificateSpec spec = pki_.spec(strangers_number);
    spec.names = std::move(names);
    expect_answer(pki_.build(spec), hello(), reason);
  }
  [[nodiscard]] static std::string uri(std::uint32_t node) { return uri_of(self(node)); }
};

TEST_F(AttackIdentity, P16_AClientIsNoNode) {
  begin();
  const Issued client = must(issue_client(pki_.authority, {cluster, ClientRole::admin, "3"}, lifetime()));
  expect_answer(client, hello(), Reason::identity_role);
}

TEST_F(AttackIdentity, P17_TheHelloNamesAnotherNodeThanTheCertificate) {
  begin();
  Hello lie = hello();
  lie.node = raft::NodeId(2);
  expect_answer(member_, lie, Reason::identity_mismatch);
}

TEST_F(AttackIdentity, P17_TheHelloIsForAnotherNode) {
  begin();
  Hello astray = hello();
  astray.expected = raft::NodeId(2);
  expect_answer(member_, astray, Reason::identity_mismatch);
}

TEST_F(AttackIdentity, P18_ANodeThatIsNoMemberIsRefused) {
  begin();
  Hello unknown = hello();
  unknown.node = raft::NodeId(4);
  expect_answer(pki_.node(4), unknown, Reason::not_member);
}

TEST_F(AttackIdentity, P18_AMemberThatWasRemovedIsRefused) {
  begin();
  Stranger stranger = member();
  victim().set_members({healthy().member()});
  EXPECT_TRUE(stranger.ends()) << "the link lives on";
  expect_answer(member_, hello(), Reason::not_member);
}

TEST_F(AttackIdentity, P19_ANodeOfAnotherClusterIsRefused) {
  begin();
  const Issued foreign =
      must(issue_node(pki_.authority, {other_cluster, raft::NodeId(strangers_number)}, {}, lifetime()));
  expect_answer(foreign, hello(), Reason::cluster_mismatch);
}

TEST_F(AttackIdentity, P19_AHelloOfAnotherClusterIsRefused) {
  begin();
  Hello foreign = hello();
  foreign.cluster = other_cluster;
  expect_answer(member_, foreign, Reason::cluster_mismatch);
}

TEST_F(AttackIdentity, P20_TheAlternativeNameWinsOverTheCommonName) {
  begin();
  CertificateSpec spec = pki_.spec(9);
  spec.common_name = uri(strangers_number);
  expect_answer(pki_.build(spec), hello(), Reason::not_member);
}

TEST_F(AttackIdentity, P20_AnEmptyListOfAlternativeNamesIsNoReasonToLookAtTheCommonName) {
  begin();
  CertificateSpec spec = pki_.spec(strangers_number);
  spec.common_name = uri(strangers_number);
  spec.names.emplace();
  expect_answer(pki_.build(spec), hello(), Reason::identity_missing);
}

TEST_F(AttackIdentity, P20_WithoutAlternativeNamesTheCommonNameCounts) {
  begin();
  CertificateSpec spec = pki_.spec(strangers_number);
  spec.common_name = uri(strangers_number);
  spec.names.reset();
  const Issued issued = pki_.build(spec);
  Stranger stranger = dial();
  ASSERT_TRUE(stranger.handshake(&issued));
  const auto answer = stranger.greet(hello());
  ASSERT_TRUE(answer);
  EXPECT_TRUE(std::holds_alternative<Welcome>(*answer)) << victim().history();
}

TEST_F(AttackIdentity, P21_AWildcardIsNoIdentity) {
  begin();
  expect_names_refused({{NameKind::dns, "*.raft"}}, Reason::identity_missing);
}

TEST_F(AttackIdentity, P21_AZeroEndsNoName) {
  begin();
  expect_names_refused({{NameKind::uri, uri(strangers_number) + "\0.evil"s}}, Reason::identity_malformed);
}

TEST_F(AttackIdentity, P21_AZeroInADnsNameIsRefused) {
  begin();
  expect_names_refused({{NameKind::uri, uri(strangers_number)}, {NameKind::dns, "node3\0.evil"s}},
                       Reason::identity_malformed);
}

TEST_F(AttackIdentity, P21_OtherWaysToWriteTheNameAreRefused) {
  begin();
  std::uint64_t count = 0;
  const std::string digits = "00000000000000c1";
  for (const std::string& name : std::vector<std::string>{
           "RAFT://" + digits + "/3", "raft://00000000000000C1/3", "raft://" + digits + "/03",
           "raft://" + digits + "/3 ", " raft://" + digits + "/3", "raft://" + digits + "/3/", "raft://c1/3",
           "raft://" + digits + "/+3", "raft://" + digits + "/*", "raft://*/3",
           "raft://" + digits + "/\xef\xbc\x93"s, "raft://" + digits + "/4294967299"}) {
    CertificateSpec spec = pki_.spec(strangers_number);
    spec.names = {{NameKind::uri, name}};
    const Issued issued = pki_.build(spec);
    Stranger stranger = dial();
    ASSERT_TRUE(stranger.handshake(&issued));
    const auto answer = stranger.greet(hello());
    ASSERT_TRUE(answer) << name;
    EXPECT_EQ(*answer, HelloAnswer(Reason::identity_malformed)) << name;
    ++count;
  }
  expect_refused(Reason::identity_malformed, count);
}

TEST_F(AttackIdentity, P21_TwoIdentitiesAreNone) {
  begin();
  expect_names_refused({{NameKind::uri, uri(strangers_number)}, {NameKind::uri, uri(2)}},
                       Reason::identity_ambiguous);
}

TEST_F(AttackIdentity, P25_OurOwnIdentityAtTheOtherEndIsRefused) {
  begin();
  Hello own = hello();
  own.node = raft::NodeId(1);
  expect_answer(pki_.node(1), own, Reason::self_connect);
}

TEST_F(AttackIdentity, P25_ANodeThatDialsItselfLetsGo) {
  begin();
  victim().set_members(
      {healthy().member(), {raft::NodeId(strangers_number), "n3", victim().member().address}});
  EXPECT_TRUE(eventually([&] { return victim().counters().failures(Reason::self_connect) > 0; }))
      << victim().history();
  expect_harmless(Reason::self_connect);
}

TEST_F(AttackIdentity, ANodeInMemoryInAnotherLifeIsRefusedForGood) {
  begin();
  Hello first = hello();
  first.life = 77;
  for (int i = 0; i < 2; ++i) {
    Stranger stranger = dial();
    ASSERT_TRUE(stranger.handshake(&member_));
    const auto answer = stranger.greet(first);
    ASSERT_TRUE(answer);
    EXPECT_TRUE(std::holds_alternative<Welcome>(*answer)) << "the same life";
  }
  Hello second = hello();
  second.life = 78;
  const auto answered = [&](const Hello& hello) {
    Stranger stranger = dial();
    EXPECT_TRUE(stranger.handshake(&member_));
    return stranger.greet(hello);
  };
  EXPECT_EQ(answered(second), HelloAnswer(Reason::forgetful));
  EXPECT_EQ(answered(hello()), HelloAnswer(Reason::forgetful)) << "as one that has a disk now";
  // Nor after it was removed and taken in again.
  victim().set_members({healthy().member()});
  victim().set_members({healthy().member(), {raft::NodeId(strangers_number), "n3", "127.0.0.1:1"}});
  expect_answer(member_, second, Reason::forgetful, 3);
}

TEST_F(AttackIdentity, ANodeThatHadADiskIsRefusedInMemory) {
  begin();
  member().close();
  Hello second = hello();
  second.life = 78;
  expect_answer(member_, second, Reason::forgetful);
}

TEST_F(AttackIdentity, AVersionThatWeDoNotSpeakIsRefused) {
  begin();
  Hello newer = hello();
  newer.version_min = protocol_version_max + 1;
  newer.version_max = protocol_version_max + 5;
  expect_answer(member_, newer, Reason::version);
}

TEST_F(AttackIdentity, ANewerNodeThatAlsoSpeaksOurVersionIsLetIn) {
  begin();
  Hello newer = hello();
  newer.version_max = protocol_version_max + 5;
  Stranger stranger = dial();
  ASSERT_TRUE(stranger.handshake(&member_));
  const auto answer = stranger.greet(newer);
  ASSERT_TRUE(answer);
  EXPECT_EQ(*answer, HelloAnswer(Welcome{protocol_version_max, cluster, raft::NodeId(1),
                                         raft::NodeId(strangers_number)}));
}

}  // namespace
}  // namespace raftlab::net
