#include "net/attack_fixture.hpp"

#include <gtest/gtest.h>

namespace raftlab::net {
namespace {

using namespace test;

/// What a member with a valid certificate may send, and what comes of it.
class AttackFrames : public Attack {
 protected:
  static raft::Bytes length(std::array<std::uint8_t, 5> bytes) {
    static std::array<std::uint8_t, 5> kept;
    kept = bytes;
    return std::as_bytes(std::span(kept));
  }
  void expect_closed(Stranger& stranger, Reason reason) {
    EXPECT_TRUE(stranger.ends()) << "the link lives on";
    EXPECT_TRUE(eventually([&] { return victim().counters().closed(reason) == 1; })) << victim().history();
    expect_harmless(reason);
  }
};

TEST_F(AttackFrames, P26_TheYoungerOfTwoConnectionsWins) {
  begin();
  Stranger older = member();
  older.write(vote(3, 1, 11));
  ASSERT_TRUE(eventually([&] { return victim().delivered().size() == 1; }));
  // Half a frame, whose other half comes too late to be joined with anything.
  FrameBatch batch;
  batch.add(vote(3, 1, 12));
  older.write(batch.bytes().first(batch.bytes().size() / 2));
  Stranger younger = member();
  EXPECT_TRUE(older.ends());
  older.write(batch.bytes().subspan(batch.bytes().size() / 2));
  younger.write(vote(3, 1, 13));
  EXPECT_TRUE(eventually([&] { return victim().delivered().size() == 2; }));
  EXPECT_EQ(victim().delivered(), (std::vector{vote(3, 1, 11), vote(3, 1, 13)}));
  EXPECT_EQ(victim().counters().closed(Reason::superseded), 1U);
  EXPECT_EQ(victim().counters().links_in, 2U);
}

TEST_F(AttackFrames, P30_ALengthOfZeroIsRefused) {
  begin();
  Stranger stranger = member();
  stranger.write(length({0, 0, 0, 0, 3}));
  expect_closed(stranger, Reason::frame_empty);
}

TEST_F(AttackFrames, P30_ALengthOf64BitsIsReadAsWhatItsFirst32Say) {
  begin();
  Stranger stranger = member();
  std::string length(8, '\0');
  length[7] = '\x80';  // 2^63
  stranger.write(bytes_of(length));
  expect_closed(stranger, Reason::frame_empty);
}

TEST_F(AttackFrames, P30_GreaterLengthsAreRefusedBeforeAnythingIsAllocated) {
  begin();
  constexpr std::uint32_t longest = raft::wire::frame_bytes_max + 1;
  std::uint64_t count = 0;
  for (const std::uint32_t size : {longest + 1, 1U << 31U, ~0U}) {
    Stranger stranger = member();
    stranger.write(
        length({static_cast<std::uint8_t>(size), static_cast<std::uint8_t>(size >> 8U),
                static_cast<std::uint8_t>(size >> 16U), static_cast<std::uint8_t>(size >> 24U), 3}));
    EXPECT_TRUE(stranger.ends());
    ++count;
    EXPECT_TRUE(eventually([&] { return victim().counters().closed(Reason::frame_too_large) == count; }));
  }
  expect_harmless(Reason::frame_too_large);
}

TEST_F(AttackFrames, P30_AHelloIsShort) {
  begin();
  Stranger stranger = dial();
  ASSERT_TRUE(stranger.handshake(&member_));
  stranger.write(FrameKind::hello, std::vector<std::byte>(hello_bytes_max + 1));
  EXPECT_TRUE(stranger.ends());
  expect_refused(Reason::frame_too_large);
}

TEST_F(AttackFrames, P31_AFrameThatDoesNotEndIsClosedAtTheDeadline) {
  begin([](TlsTransportOptions& options) { options.frame_timeout = 300ms; });
  Stranger stranger = member();
  FrameBatch batch;
  batch.add(vote(3, 1, 5));
  stranger.write(batch.bytes().first(batch.bytes().size() - 1));
  expect_closed(stranger, Reason::frame_timeout);
}

TEST_F(AttackFrames, P31_AByteNowAndThenDoesNotMoveTheDeadline) {
  begin([](TlsTransportOptions& options) { options.frame_timeout = 300ms; });
  Stranger stranger = member();
  stranger.write(length({0, 0, 1, 0, 3}));
  std::size_t written = 0;
  EXPECT_TRUE(eventually(
      [&] {
        stranger.write(bytes_of("x"));
        ++written;
        return victim().counters().closed(Reason::frame_timeout) == 1;
      },
      3s))
      << victim().history();
  EXPECT_GT(written, 20U);
  expect_harmless(Reason::frame_timeout);
}

TEST_F(AttackFrames, AMemberThatSaysNothingIsClosedWhenItIsIdle) {
  begin([](TlsTransportOptions& options) {
    options.idle_timeout = 500ms;
    options.keepalive_interval = 50ms;
  });
  // The healthy one asks every two seconds only.
  healthy().set_members({});
  Stranger stranger = member();
  EXPECT_TRUE(stranger.ends());
  EXPECT_TRUE(eventually([&] { return victim().counters().closed(Reason::idle_timeout) == 1; }));
}

TEST_F(AttackFrames, P32_AnUnknownKindOfFrameIsRefused) {
  begin();
  Stranger stranger = member();
  stranger.write(length({1, 0, 0, 0, 99}));
  expect_closed(stranger, Reason::frame_unknown);
}

TEST_F(AttackFrames, P32_BytesBehindAMessageAreRefused) {
  begin();
  Stranger stranger = member();
  std::vector<std::byte> body;
  raft::wire::encode(vote(3, 1, 5), body);
  body.push_back(std::byte{0xff});
  stranger.write(FrameKind::envelope, body);
  expect_closed(stranger, Reason::decode);
}

TEST_F(AttackFrames, P32_AnUnknownMessageIsRefused) {
  begin();
  Stranger stranger = member();
  const std::string body("\x08\x03\x10\x01\x18\x05\xfa\x06\x00", 9);  // from, to, term, field 111
  stranger.write(FrameKind::envelope, bytes_of(body));
  expect_closed(stranger, Reason::decode);
}

TEST_F(AttackFrames, P32_ARequestOrAnAnswerThatIsNoneIsRefused) {
  begin();
  for (const FrameKind kind : {FrameKind::request, FrameKind::answer}) {
    Stranger stranger = member();
    FrameBatch batch;
    batch.add(kind, bytes_of("\x10\x63"));  // without a command; a status that nobody gives
    stranger.write(batch.bytes());
    EXPECT_TRUE(stranger.ends()) << "the link lives on";
  }
  EXPECT_TRUE(eventually([&] { return victim().counters().closed(Reason::decode) == 2; }))
      << victim().history();
  EXPECT_TRUE(victim().requests().empty());
  EXPECT_TRUE(victim().answers().empty());
}

TEST_F(AttackFrames, P32_ASecondHelloIsRefused) {
  begin();
  Stranger stranger = member();
  stranger.write(FrameKind::hello, encode(hello()));
  expect_closed(stranger, Reason::protocol);
}

TEST_F(AttackFrames, P33_AnInnerCountBeyondTheFrameIsRefused) {
  begin();
  Stranger stranger = member();
  // An AppendEntries whose kinds say that they are 2^31 - 1 bytes long.
  const std::string body("\x08\x03\x10\x01\x18\x05\x32\x08\x32\xff\xff\xff\xff\x07\x01\x02", 16);
  stranger.write(FrameKind::envelope, bytes_of(body));
  expect_closed(stranger, Reason::decode);
}

TEST_F(AttackFrames, P34_AMessageOfAnotherSenderIsRefused) {
  begin();
  Stranger stranger = member();
  stranger.write(vote(2, 1, 5));
  expect_closed(stranger, Reason::wrong_sender);
}

TEST_F(AttackFrames, P34_AMessageToAnotherNodeIsRefused) {
  begin();
  Stranger stranger = member();
  stranger.write(vote(3, 2, 5));
  expect_closed(stranger, Reason::wrong_receiver);
}

TEST_F(AttackFrames, P39_AMessageBeforeTheHelloIsRefused) {
  begin();
  Stranger stranger = dial();
  ASSERT_TRUE(stranger.handshake(&member_));
  stranger.write(vote(3, 1, 5));
  EXPECT_TRUE(stranger.ends());
  expect_refused(Reason::protocol);
}

TEST_F(AttackFrames, P39_AFloodOfMessagesHoldsNobodyElseUp) {
  begin();
  Stranger stranger = member();
  FrameBatch batch;
  for (std::uint64_t term = 1; term <= 10'000; ++term) batch.add(vote(3, 1, term));
  stranger.write(batch.bytes());
  EXPECT_TRUE(reaches(healthy(), victim(), 1'000'000));
  EXPECT_TRUE(eventually([&] { return victim().delivered().size() == 10'001; }));
  EXPECT_EQ(victim().counters().links_in, 2U);
}

TEST_F(AttackFrames, P43_ResetsInTheMiddleOfWritingKillNobody) {
  begin();
  for (int i = 0; i < 10; ++i) {
    Stranger stranger = member();
    stranger.write(FrameKind::keepalive, {});  // it answers
    stranger.reset();
  }
  EXPECT_TRUE(eventually([&] { return victim().counters().links_in == 1; }));
  EXPECT_TRUE(reaches(healthy(), victim(), 21));
  EXPECT_TRUE(reaches(victim(), healthy(), 22));
}

TEST_F(AttackFrames, P45_WhatAStrangerWritesIsEscapedAndCutOff) {
  begin();
  CertificateSpec spec = pki_.spec(strangers_number);
  spec.names = {{NameKind::uri, "raft://\r\n\x1b[31mroot logged in" + std::string(5'000, 'A')}};
  const Issued issued = pki_.build(spec);
  Stranger stranger = dial();
  ASSERT_TRUE(stranger.handshake(&issued));
  EXPECT_TRUE(stranger.greet(hello()));
  // Looks at the bytes of every event, too.
  expect_refused(Reason::identity_malformed);
  for (const LinkEvent& event : victim().events()) EXPECT_LE(event.detail.size(), 203U);
  const std::string detail = victim().events(Reason::identity_malformed).front().detail;
  EXPECT_TRUE(detail.starts_with("raft://\\x0d\\x0a\\x1b[31mroot logged in")) << detail;
}

TEST_F(AttackFrames, AnAnswerThatNobodyReadsHoldsUpOnlyItself) {
  begin([](TlsTransportOptions& options) { options.write_timeout = 300ms; });
  Stranger stranger = member();
  for (int i = 0; i < 2'000; ++i) stranger.write(FrameKind::keepalive, {});
  EXPECT_TRUE(reaches(healthy(), victim(), 31));
  stranger.write(vote(3, 1, 5));
  EXPECT_TRUE(eventually([&] { return victim().delivered().size() == 2; })) << victim().history();
}

}  // namespace
}  // namespace raftlab::net
