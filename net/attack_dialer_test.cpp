#include "net/attack_fixture.hpp"

#include <gtest/gtest.h>

namespace raftlab::net {
namespace {

using namespace test;

/// What a node meets where it dials a peer.
class AttackDialer : public Attack {
 protected:
  void SetUp() override {
    // A slower second attempt: each test looks at the first.
    begin([](TlsTransportOptions& options) {
      options.backoff_first = 2'000ms;
      options.backoff_longest = 2'000ms;
      options.write_timeout = 400ms;
      options.queue.bytes_max = 1U << 20U;
      options.queue.messages_max = 2'000;
    });
  }
  /// The victim takes this place for that of node 3.
  Stranger lure() {
    victim().set_members({healthy().member(), door_.member(strangers_number)});
    return door_.accept();
  }
  /// Somebody with this certificate stands where node 3 should: he gets to read nothing.
  void expect_aborted(const Issued& issued, Reason reason) {
    {
      Stranger stranger = lure();
      stranger.handshake(&issued, nullptr, true);
      // Messages wait for the link, and must not leave by it.
      victim().send(vote(1, strangers_number, 77));
      EXPECT_FALSE(stranger.read().has_value()) << "it has said something";
    }
    expect_refused(reason);
  }

  StrangersDoor door_;
};

TEST_F(AttackDialer, P23_AnotherMemberWhereWeDialIsLeftWithoutAWord) {
  expect_aborted(pki_.node(2), Reason::identity_mismatch);
}

TEST_F(AttackDialer, P24_SomebodyInTheMiddleHasNoCertificateOfOurs) {
  const Pki own;
  expect_aborted(own.node(strangers_number), Reason::certificate_untrusted);
}

TEST_F(AttackDialer, P24_ANameInDnsIsNoIdentity) {
  CertificateSpec spec = pki_.spec(strangers_number);
  spec.names = {{NameKind::dns, "localhost"}, {NameKind::ip, std::string("\x7f\0\0\x01", 4)}};
  expect_aborted(pki_.build(spec), Reason::identity_missing);
}

TEST_F(AttackDialer, P15_ACertificateForClientsOnlyIsNoServer) {
  CertificateSpec spec = pki_.spec(strangers_number);
  spec.extended_usage = "clientAuth";
  expect_aborted(pki_.build(spec), Reason::certificate_purpose);
}

TEST_F(AttackDialer, P19_ANodeOfAnotherClusterIsLeft) {
  const Issued foreign =
      must(issue_node(pki_.authority, {other_cluster, raft::NodeId(strangers_number)}, {}, lifetime()));
  expect_aborted(foreign, Reason::cluster_mismatch);
}

TEST_F(AttackDialer, P16_AClientWhereWeDialIsLeft) {
  CertificateSpec spec = pki_.spec(strangers_number);
  spec.names = {{NameKind::uri, uri_of(ClientIdentity{cluster, ClientRole::client, "mallory"})}};
  expect_aborted(pki_.build(spec), Reason::identity_role);
}

TEST_F(AttackDialer, ALinkIsNotUpBeforeTheHelloIsAnswered) {
  Stranger stranger = lure();
  ASSERT_TRUE(stranger.handshake(&member_, nullptr, true));
  const std::optional<Frame> frame = stranger.read();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->kind, FrameKind::hello);
  EXPECT_EQ(decode_hello(frame->body), (Hello{protocol_version_min, protocol_version_max, cluster,
                                              raft::NodeId(1), raft::NodeId(strangers_number)}));
  EXPECT_EQ(victim().counters().links_out, 1U) << "only that to the healthy peer";
  stranger.write(FrameKind::hello_answer, encode(HelloAnswer(Reason::not_member)));
  EXPECT_TRUE(stranger.ends());
  expect_refused(Reason::refused_by_peer);
  EXPECT_EQ(victim().events(Reason::refused_by_peer).front().detail, "not_member");
}

TEST_F(AttackDialer, AWelcomeOfSomebodyElseIsNoWelcome) {
  Stranger stranger = lure();
  ASSERT_TRUE(stranger.handshake(&member_, nullptr, true));
  ASSERT_TRUE(stranger.read());
  stranger.write(FrameKind::hello_answer,
                 encode(HelloAnswer(Welcome{1, cluster, raft::NodeId(2), raft::NodeId(1)})));
  EXPECT_TRUE(stranger.ends());
  expect_refused(Reason::identity_mismatch);
}

TEST_F(AttackDialer, ANodeInMemoryInAnotherLifeIsSentNothing) {
  // It has dialled us before.
  Stranger stranger = lure();
  Hello first = hello();
  first.life = 77;
  {
    Stranger dialled = dial();
    ASSERT_TRUE(dialled.handshake(&member_));
    ASSERT_TRUE(dialled.greet(first));
  }
  ASSERT_TRUE(stranger.handshake(&member_, nullptr, true));
  ASSERT_TRUE(stranger.read());
  stranger.write(
      FrameKind::hello_answer,
      encode(HelloAnswer(Welcome{1, cluster, raft::NodeId(strangers_number), raft::NodeId(1), 78})));
  victim().send(vote(1, strangers_number, 77));
  EXPECT_TRUE(stranger.ends());
  expect_refused(Reason::forgetful);
}

TEST_F(AttackDialer, WhoWasDialledSendsNoMessages) {
  Stranger stranger = lure();
  ASSERT_TRUE(stranger.handshake(&member_, nullptr, true));
  ASSERT_TRUE(stranger.read());
  stranger.write(FrameKind::hello_answer,
                 encode(HelloAnswer(Welcome{1, cluster, raft::NodeId(strangers_number), raft::NodeId(1)})));
  stranger.write(vote(strangers_number, 1, 5));
  EXPECT_TRUE(stranger.ends());
  EXPECT_TRUE(eventually([&] {
    return victim().counters().closed(Reason::frame_too_large) +
               victim().counters().closed(Reason::protocol) ==
           1;
  }));
  expect_harmless(Reason::protocol);
}

TEST_F(AttackDialer, P44_APeerThatNeverReadsCostsABoundedQueueAndALink) {
  Stranger stranger = lure();
  const int small = 4096;
  ::setsockopt(stranger.socket(), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
  ASSERT_TRUE(stranger.handshake(&member_, nullptr, true));
  ASSERT_TRUE(stranger.read());
  stranger.write(FrameKind::hello_answer,
                 encode(HelloAnswer(Welcome{1, cluster, raft::NodeId(strangers_number), raft::NodeId(1)})));
  ASSERT_TRUE(eventually([&] { return victim().counters().links_out == 2; }));
  // From now on it reads nothing, and we have 64 MiB to say.
  raft::InstallSnapshot snapshot;
  snapshot.total = 1ULL << 40U;
  snapshot.chunk.resize(256U << 10U);
  for (int i = 0; i < 256; ++i)
    victim().send({raft::NodeId(1), raft::NodeId(strangers_number), raft::Term(1), snapshot});
  for (std::uint64_t i = 0; i < 5'000; ++i) victim().send(vote(1, strangers_number, i));
  // Nothing but the queue waits, also when the link breaks while we still talk (a slow machine).
  const Counters counters = victim().counters();
  EXPECT_GT(counters.drops_by(Drop::queue_full), 0U);
  EXPECT_GT(counters.drops_by(Drop::queue_full) + counters.drops_by(Drop::link_down) +
                counters.drops_by(Drop::link_broken),
            3'000U);
  EXPECT_TRUE(eventually([&] { return victim().was_told_unreachable(strangers_number); }));
  EXPECT_TRUE(reaches(victim(), healthy(), 41)) << "the others do not wait";
  EXPECT_TRUE(eventually([&] { return victim().counters().closed(Reason::write_timeout) == 1; }))
      << victim().history();
  EXPECT_GT(victim().counters().drops_by(Drop::link_broken), 0U) << "what waited for it is gone";
  expect_harmless(Reason::write_timeout);
}

TEST_F(AttackDialer, P43_APeerThatResetsWhileWeWriteKillsNobody) {
  {
    Stranger stranger = lure();
    ASSERT_TRUE(stranger.handshake(&member_, nullptr, true));
    ASSERT_TRUE(stranger.read());
    stranger.write(FrameKind::hello_answer,
                   encode(HelloAnswer(Welcome{1, cluster, raft::NodeId(strangers_number), raft::NodeId(1)})));
    ASSERT_TRUE(eventually([&] { return victim().counters().links_out == 2; }));
    raft::InstallSnapshot snapshot;
    snapshot.total = 1ULL << 40U;
    snapshot.chunk.resize(256U << 10U);
    for (int i = 0; i < 8; ++i)
      victim().send({raft::NodeId(1), raft::NodeId(strangers_number), raft::Term(1), snapshot});
    std::array<char, 1024> some{};
    EXPECT_GT(SSL_read(&stranger.session(), some.data(), static_cast<int>(some.size())), 0) << "it writes";
    stranger.reset();
  }
  EXPECT_TRUE(eventually([&] { return victim().counters().links_out == 1; })) << victim().history();
  for (std::uint64_t i = 0; i < 100; ++i) victim().send(vote(1, strangers_number, i));
  EXPECT_TRUE(eventually([&] { return victim().was_told_unreachable(strangers_number); }));
  expect_harmless(Reason::closed_by_peer);
}

TEST_F(AttackDialer, APeerThatAnswersNoKeepaliveIsIdle) {
  // A node of its own, with short times.
  TestNode other(4, pki_.files(4), [](TlsTransportOptions& options) {
    options.keepalive_interval = 50ms;
    options.idle_timeout = 400ms;
  });
  other.set_members({door_.member(strangers_number)});
  Stranger stranger = door_.accept();
  ASSERT_TRUE(stranger.handshake(&member_, nullptr, true));
  ASSERT_TRUE(stranger.read());
  stranger.write(FrameKind::hello_answer,
                 encode(HelloAnswer(Welcome{1, cluster, raft::NodeId(strangers_number), raft::NodeId(4)})));
  EXPECT_TRUE(stranger.ends());
  EXPECT_TRUE(eventually([&] { return other.counters().closed(Reason::idle_timeout) == 1; }));
}

TEST_F(AttackDialer, ADoorBehindWhichNobodySpeaksIsLeftAtTheDeadline) {
  TestNode other(4, pki_.files(4), [](TlsTransportOptions& options) { options.handshake_timeout = 300ms; });
  other.set_members({door_.member(strangers_number)});
  const Stranger stranger = door_.accept();
  EXPECT_TRUE(stranger.ends_plain());
  EXPECT_TRUE(eventually([&] { return other.counters().failures(Reason::handshake_timeout) >= 1; }));
}

}  // namespace
}  // namespace raftlab::net
