#include "tools/diskeyval/memory_mark.hpp"

#include "net/test_pki.hpp"

#include <gtest/gtest.h>

namespace raftlab::diskeyval {
namespace {

const net::NodeIdentity seven{net::ClusterId(0xc1), raft::NodeId(7)};

TEST(MemoryMark, ANumberIsUsedUpByOneStart) {
  const net::test::TestDirectory directory;
  const std::filesystem::path key = directory.path() / "node-7.key";
  EXPECT_EQ(mark_of(seven, key), directory.path() / "node-00000000000000c1-7.in-memory");
  EXPECT_FALSE(use_number_up(seven, key));
  for (int i = 0; i < 2; ++i) {
    const auto refused = use_number_up(seven, key);
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code, ExitCode::bad_data);
    EXPECT_NE(refused->message.find("node 7 has been running in memory before"), std::string::npos);
    EXPECT_NE(refused->message.find("node-00000000000000c1-7.in-memory"), std::string::npos);
  }
  // Another number, and the same one of another cluster.
  EXPECT_FALSE(use_number_up({seven.cluster, raft::NodeId(8)}, key));
  EXPECT_FALSE(use_number_up({net::ClusterId(0xc2), seven.node}, key));
}

TEST(MemoryMark, WithoutItNobodyStarts) {
  const auto refused = use_number_up(seven, "/nonexistent/node-7.key");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, ExitCode::io);
}

}  // namespace
}  // namespace raftlab::diskeyval
