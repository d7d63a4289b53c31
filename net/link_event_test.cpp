#include "net/link_event.hpp"

#include "net/escape.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace raftlab::net {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

TEST(Escape, LeavesPrintableTextAlone) { EXPECT_EQ(escaped("node 3: ~!\"{}"), "node 3: ~!\"{}"); }

TEST(Escape, WritesEverythingElseAsNumbers) {
  EXPECT_EQ(escaped("a\r\nb\x1b[0m\0\\\x7f\xc3\xa4"s), "a\\x0d\\x0ab\\x1b[0m\\x00\\x5c\\x7f\\xc3\\xa4");
}

TEST(Escape, CutsOffBetweenCharacters) {
  EXPECT_EQ(escaped(std::string(10'000, 'x'), 5), "xxxxx...");
  EXPECT_EQ(escaped("xx\n", 5), "xx...");
  EXPECT_EQ(escaped("x\n", 5), "x\\x0a");
}

TEST(LinkEvents, AreToldOnceForEachReasonAndSecond) {
  std::vector<LinkEvent> told;
  std::uint64_t suppressed = 0;
  LinkEvents events([&](const LinkEvent& event) { told.push_back(event); }, suppressed);
  const LinkEvents::Time now{};
  events.tell(now, raft::NodeId(1), "a", Reason::not_tls, "x\n");
  events.tell(now + 999ms, raft::NodeId(2), "b", Reason::not_tls, "");
  events.tell(now + 999ms, raft::NodeId(2), "b", Reason::decode, "");
  events.tell(now + 1'000ms, raft::NodeId(3), "c", Reason::not_tls, "");
  events.tell(now + 2'000ms, raft::NodeId(4), "d", Reason::not_tls, "");
  ASSERT_EQ(told.size(), 4U);
  EXPECT_EQ(told[0].detail, "x\\x0a");
  EXPECT_EQ(told[1].reason, Reason::decode);
  EXPECT_EQ(told[2].remote, "c");
  EXPECT_EQ(told[2].suppressed, 1U);
  EXPECT_EQ(told[3].suppressed, 0U);
  EXPECT_EQ(suppressed, 1U);
}

}  // namespace
}  // namespace raftlab::net
