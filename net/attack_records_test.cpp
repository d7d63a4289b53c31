#include "net/attack_fixture.hpp"
#include "net/test_mangler.hpp"
#include "net/test_records.hpp"

#include <gtest/gtest.h>

namespace raftlab::net {
namespace {

using namespace test;
using namespace std::string_literals;

/// What a member may do below its frames.
class AttackRecords : public Attack {
 protected:
  /// A member whose records are the test's from now on.
  Stranger sealed_member() {
    Stranger stranger = dial();
    EXPECT_TRUE(stranger.handshake(&member_, keep_secret));
    EXPECT_TRUE(stranger.greet(hello()));
    return stranger;
  }
  /// Sends such records as long as it is let.
  void expect_flood_ends(std::uint8_t type, const std::string& content, Reason reason) {
    begin();
    Stranger stranger = sealed_member();
    Records records(stranger, 1);
    for (int i = 0; i < 10'000 && victim().counters().links_in == 2; ++i)
      stranger.write_plain(bytes_of(records.record(type, content)));
    EXPECT_TRUE(eventually([&] { return victim().counters().closed(reason) == 1; })) << victim().history();
    expect_harmless(reason);
  }
};

TEST_F(AttackRecords, P27_RecordsOfTheTestsMakingAreRead) {
  begin();
  Stranger stranger = sealed_member();
  Records records(stranger, 1);
  FrameBatch batch;
  batch.add(vote(3, 1, 5));
  const raft::Bytes frame = batch.bytes();
  stranger.write_plain(
      bytes_of(records.record(Records::data, {reinterpret_cast<const char*>(frame.data()), frame.size()})));
  EXPECT_TRUE(eventually([&] { return victim().delivered() == std::vector{vote(3, 1, 5)}; }));
}

TEST_F(AttackRecords, P27_EmptyRecordsHaveALimit) {
  expect_flood_ends(Records::data, "", Reason::tls_failed);
}

TEST_F(AttackRecords, P27_AlertsHaveALimit) {
  expect_flood_ends(Records::alert, "\x01\x5a"s, Reason::tls_failed);  // a warning: user_canceled
}

TEST_F(AttackRecords, P27_NothingIsNegotiatedAgain) {
  // The beginning of a ClientHello.
  expect_flood_ends(Records::handshake, "\x01\x00\x00\x02\x03\x03"s, Reason::tls_failed);
}

TEST_F(AttackRecords, P27_UpdatesOfKeysHaveALimit) {
  begin();
  Stranger stranger = member();
  const auto update = [&](int type) {
    const WithoutSignal guard;
    return SSL_key_update(&stranger.session(), type) == 1 && SSL_do_handshake(&stranger.session()) == 1;
  };
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(update(i % 2 == 0 ? SSL_KEY_UPDATE_NOT_REQUESTED : SSL_KEY_UPDATE_REQUESTED));
  stranger.write(vote(3, 1, 5));
  EXPECT_TRUE(eventually([&] { return victim().delivered().size() == 1; })) << "a few of them are no flood";
  for (int i = 0; i < 10'000 && update(SSL_KEY_UPDATE_NOT_REQUESTED); ++i) {
  }
  EXPECT_TRUE(stranger.ends());
  EXPECT_TRUE(eventually([&] { return victim().counters().closed(Reason::record_flood) == 1; }))
      << victim().history();
  expect_harmless(Reason::record_flood, 0, 1);
}

TEST_F(AttackRecords, P50_AFlippedBitEndsTheLinkAndThereIsANewOne) {
  begin();
  // From now on the healthy node reaches the victim by way of somebody.
  Mangler mangler(victim().port());
  healthy().set_members({mangler.member(1)});
  ASSERT_TRUE(
      eventually([&] { return victim().counters().reconnects + healthy().counters().links_out >= 1; }));
  ASSERT_TRUE(reaches(healthy(), victim(), 61)) << victim().history();
  for (std::uint64_t round = 1; round <= 3; ++round) {
    const std::uint64_t links = healthy().counters().dialled;
    mangler.flip(true);
    healthy().send(vote(2, 1, 1'000 * round));  // mangled: it must not arrive
    ASSERT_TRUE(eventually([&] { return victim().counters().closed(Reason::tls_failed) == round; }))
        << victim().history();
    EXPECT_TRUE(eventually([&] {
      return healthy().counters().dialled > links && healthy().counters().links_out == 1 &&
             victim().counters().links_in == 1;
    })) << healthy().history();
    EXPECT_TRUE(eventually([&] { return reaches(healthy(), victim(), 61 + round); }));
    EXPECT_EQ(mangler.flipped(), round);
  }
  for (const raft::Envelope& envelope : victim().delivered()) EXPECT_LT(envelope.term, raft::Term(1'000));
  const std::string detail = victim().events(Reason::tls_failed).front().detail;
  EXPECT_NE(detail.find("bad record mac"), std::string::npos) << detail;
}

}  // namespace
}  // namespace raftlab::net
