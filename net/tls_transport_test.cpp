#include "net/tls_transport.hpp"

#include "net/test_node.hpp"
#include "net/test_pki.hpp"

#include <gtest/gtest.h>

namespace raftlab::net {
namespace {

using namespace test;

void introduce(std::initializer_list<TestNode*> nodes) {
  std::vector<raft::Member> members;
  for (TestNode* node : nodes) members.push_back(node->member());
  for (TestNode* node : nodes) node->set_members(members);
}

TEST(TlsTransport, TwoNodesExchangeMessagesBothWays) {
  const Pki pki;
  TestNode one(1, pki.files(1));
  TestNode two(2, pki.files(2));
  introduce({&one, &two});
  ASSERT_TRUE(linked(one, 1)) << one.history();
  ASSERT_TRUE(linked(two, 1)) << two.history();
  EXPECT_TRUE(reaches(one, two, 7));
  EXPECT_TRUE(reaches(two, one, 8));
  EXPECT_EQ(one.delivered().size(), 1U);
  EXPECT_EQ(two.delivered().size(), 1U);
}

TEST(TlsTransport, ARequestOfAClientIsForwardedAndItsAnswerComesBack) {
  const Pki pki;
  TestNode one(1, pki.files(1));
  TestNode two(2, pki.files(2));
  introduce({&one, &two});
  ASSERT_TRUE(linked(one, 1)) << one.history();
  ASSERT_TRUE(linked(two, 1)) << two.history();
  const kv::Request request{7, 50, kv::Command{kv::ClientId(1), kv::Sequence(2), kv::Put{"k", "v"}}};
  one.run([&] { one.transport().send(raft::NodeId(2), request); });
  ASSERT_TRUE(eventually([&] { return two.requests().size() == 1; })) << two.history();
  EXPECT_EQ(two.requests().front().first, raft::NodeId(1));
  EXPECT_EQ(two.requests().front().second.tag, 7U);
  EXPECT_EQ(std::get<kv::Command>(two.requests().front().second.what), std::get<kv::Command>(request.what));
  kv::Answer answer;
  answer.tag = 7;
  answer.index = raft::Index(12);
  two.run([&] { two.transport().send(raft::NodeId(1), answer); });
  ASSERT_TRUE(eventually([&] { return one.answers().size() == 1; })) << one.history();
  EXPECT_EQ(one.answers().front().first, raft::NodeId(2));
  EXPECT_EQ(one.answers().front().second.tag, 7U);
  EXPECT_EQ(one.answers().front().second.index, raft::Index(12));
}

TEST(TlsTransport, ThreeNodesExchangeMessagesWithEachOther) {
  const Pki pki;
  TestNode one(1, pki.files(1));
  TestNode two(2, pki.files(2));
  TestNode three(3, pki.files(3));
  introduce({&one, &two, &three});
  for (TestNode* node : {&one, &two, &three}) ASSERT_TRUE(linked(*node, 2)) << node->history();
  std::uint64_t term = 1;
  for (TestNode* from : {&one, &two, &three}) {
    for (TestNode* to : {&one, &two, &three}) {
      if (from == to) continue;
      EXPECT_TRUE(reaches(*from, *to, term++));
    }
  }
}

TEST(TlsTransport, TellsWhatWaitsForEachMember) {
  const Pki pki;
  TestNode one(1, pki.files(1));
  TestNode two(2, pki.files(2));
  EXPECT_TRUE(one.run([&] { return one.transport().queues(); }).empty());
  introduce({&one, &two});
  ASSERT_TRUE(linked(one, 1)) << one.history();
  // Within one call nothing is written: it waits for the loop.
  const auto queues = one.run([&] {
    for (std::uint64_t term = 1; term <= 3; ++term) one.transport().send(vote(1, 2, term));
    return one.transport().queues();
  });
  ASSERT_EQ(queues.size(), 1U);
  EXPECT_EQ(queues.front().peer, raft::NodeId(2));
  EXPECT_EQ(queues.front().messages, 3U);
  EXPECT_GT(queues.front().bytes, 0U);
  EXPECT_TRUE(
      eventually([&] { return one.run([&] { return one.transport().queues().front().messages; }) == 0; }));
}

TEST(TlsTransport, KeepsTheOrderOfMessagesAndTheirContent) {
  const Pki pki;
  TestNode one(1, pki.files(1));
  TestNode two(2, pki.files(2));
  introduce({&one, &two});
  ASSERT_TRUE(linked(one, 1));
  std::vector<raft::Envelope> sent;
  const std::string payload(1000, 'x');
  for (std::uint64_t i = 1; i <= 500; ++i) {
    raft::Slice entries = raft::Slice::make(raft::Index(i + 1), 1, 1000);
    ASSERT_TRUE(entries.append(raft::Term(1), raft::EntryKind::command, std::as_bytes(std::span(payload))));
    sent.push_back(
        {raft::NodeId(1), raft::NodeId(2), raft::Term(1),
         raft::AppendEntries{{raft::Term(1), raft::Index(i)}, raft::Index(0), raft::ReadSeq(0), entries}});
  }
  one.run([&] {
    for (const raft::Envelope& envelope : sent) one.transport().send(raft::Envelope(envelope));
  });
  ASSERT_TRUE(eventually([&] { return two.delivered().size() == sent.size(); }));
  EXPECT_EQ(two.delivered(), sent);
  const Counters counters = one.counters();
  EXPECT_EQ(counters.frames_out, sent.size());
  EXPECT_GT(counters.bytes_out, sent.size() * payload.size());
}

TEST(TlsTransport, AFrameOfTheGreatestSizeArrives) {
  const Pki pki;
  TestNode one(1, pki.files(1));
  TestNode two(2, pki.files(2));
  introduce({&one, &two});
  ASSERT_TRUE(linked(one, 1));
  raft::InstallSnapshot snapshot;
  snapshot.total = 1ULL << 30U;
  snapshot.chunk.resize(raft::wire::frame_bytes_max - 64, std::byte{7});
  const raft::Envelope large{raft::NodeId(1), raft::NodeId(2), raft::Term(1), snapshot};
  one.send(large);
  EXPECT_TRUE(eventually([&] { return two.delivered().size() == 1; })) << two.history();
  EXPECT_EQ(two.delivered(), std::vector{large});
}

TEST(TlsTransport, APeerThatWasAwayIsFoundAgainUnderItsNewAddress) {
  const Pki pki;
  TestNode one(1, pki.files(1));
  {
    TestNode two(2, pki.files(2));
    introduce({&one, &two});
    ASSERT_TRUE(linked(one, 1));
  }
  ASSERT_TRUE(eventually([&] { return one.was_told_unreachable(2); }));
  ASSERT_TRUE(linked(one, 0));
  TestNode two(2, pki.files(2));
  introduce({&one, &two});
  ASSERT_TRUE(linked(one, 1)) << one.history();
  EXPECT_TRUE(reaches(one, two, 3));
}

TEST(TlsTransport, AMessageWithoutALinkIsDroppedAndItsPeerReported) {
  const Pki pki;
  TestNode one(1, pki.files(1));
  one.set_members({{raft::NodeId(2), "n2", "127.0.0.1:1"}});  // nobody listens on port 1
  EXPECT_TRUE(eventually([&] { return one.counters().failures(Reason::connect_failed) > 0; }));
  one.send(vote(1, 2, 1));
  EXPECT_TRUE(eventually([&] { return one.was_told_unreachable(2); }));
  one.send(vote(1, 3, 1));
  EXPECT_EQ(one.counters().drops_by(Drop::no_peer), 1U);
}

TEST(TlsTransport, AnAddressThatIsNoneIsToldAndHarmsNobody) {
  const Pki pki;
  TestNode one(1, pki.files(1));
  TestNode two(2, pki.files(2));
  const std::vector<raft::Member> members{two.member(), {raft::NodeId(3), "n3", "nonsense"}};
  one.set_members(members);
  two.set_members({one.member()});
  EXPECT_TRUE(linked(one, 1));
  EXPECT_TRUE(eventually([&] { return one.counters().failures(Reason::address_invalid) > 0; }));
}

TEST(TlsTransport, AnAddressMayBeAName) {
  const Pki pki;
  TestNode one(1, pki.files(1));
  TestNode two(2, pki.files(2));
  two.set_members({one.member()});
  one.set_members({{raft::NodeId(2), "n2", "localhost:" + std::to_string(two.port())}});
  EXPECT_TRUE(linked(one, 1)) << one.history();
}

TEST(TlsTransport, IdleLinksStayUpByKeepalives) {
  const Pki pki;
  const auto tweak = [](TlsTransportOptions& options) {
    options.keepalive_interval = 100ms;
    options.idle_timeout = 1'000ms;
  };
  TestNode one(1, pki.files(1), tweak);
  TestNode two(2, pki.files(2), tweak);
  introduce({&one, &two});
  ASSERT_TRUE(linked(one, 1));
  ASSERT_TRUE(eventually([&] { return two.counters().frames_in >= 12; }));
  EXPECT_EQ(one.counters().reconnects, 0U) << one.history();
  EXPECT_EQ(two.counters().reconnects, 0U) << two.history();
}

TEST(TlsTransport, NoHandlerIsCalledAfterStop) {
  const Pki pki;
  TestNode one(1, pki.files(1));
  TestNode two(2, pki.files(2));
  introduce({&one, &two});
  ASSERT_TRUE(linked(two, 1));
  two.run([&] { two.transport().stop(); });
  const std::size_t events = two.events().size();
  one.send(vote(1, 2, 1));
  EXPECT_TRUE(eventually([&] { return one.counters().links_out == 0; }));
  EXPECT_TRUE(two.delivered().empty());
  EXPECT_FALSE(two.was_told_unreachable(1));
  EXPECT_EQ(two.events().size(), events);
}

TEST(TlsTransport, ListeningWhereSomebodyElseDoesIsAnErrorThatNamesTheAddress) {
  const Pki pki;
  TestNode one(1, pki.files(1));
  const std::string address = one.member().address;
  try {
    const TestNode again(1, pki.files(1), [&](TlsTransportOptions& options) { options.listen = address; });
    FAIL() << "it listens";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find(address), std::string::npos) << error.what();
  }
}

TEST(TlsTransport, ARemovedMemberLosesItsLinksAndIsRefused) {
  const Pki pki;
  TestNode one(1, pki.files(1));
  TestNode two(2, pki.files(2));
  introduce({&one, &two});
  ASSERT_TRUE(linked(one, 1));
  one.set_members({one.member()});
  EXPECT_TRUE(linked(one, 0));
  EXPECT_GE(one.counters().closed(Reason::not_member), 1U);
  EXPECT_TRUE(eventually([&] { return two.counters().failures(Reason::refused_by_peer) > 0; }));
  EXPECT_TRUE(eventually([&] { return one.counters().failures(Reason::not_member) > 0; }));
  two.send(vote(2, 1, 9));
  EXPECT_TRUE(one.delivered().empty());
}

}  // namespace
}  // namespace raftlab::net
