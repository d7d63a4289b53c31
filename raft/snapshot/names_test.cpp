#include "raft/snapshot/names.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace raftlab::raft::snapshot {
namespace {

constexpr std::uint64_t greatest = std::numeric_limits<std::uint64_t>::max();

TEST(SnapshotNames, HaveSixteenDigitsForIndexAndTerm) {
  const LogId last{Term(0x2a), Index(0x1f)};
  EXPECT_EQ(finished_name(last), "snapshot-000000000000001f-000000000000002a.snap");
  EXPECT_EQ(part_name(last, 7), "snapshot-000000000000001f-000000000000002a.snap.0000000000000007.part");
}

TEST(SnapshotNames, AreReadBack) {
  for (const std::uint64_t index : {std::uint64_t{1}, std::uint64_t{0xabcdef}, greatest}) {
    for (const std::uint64_t term : {std::uint64_t{1}, std::uint64_t{300}, greatest}) {
      const LogId last{Term(term), Index(index)};
      EXPECT_EQ(finished(finished_name(last)), last);
      EXPECT_EQ(part(part_name(last, greatest)), greatest);
      EXPECT_EQ(part(finished_name(last)), std::nullopt);
      EXPECT_EQ(finished(part_name(last, 1)), std::nullopt);
    }
  }
}

TEST(SnapshotNames, SortAsSnapshotsDo) {
  EXPECT_LT(finished_name({Term(9), Index(255)}), finished_name({Term(1), Index(256)}));
  EXPECT_LT(finished_name({Term(9), Index(256)}), finished_name({Term(10), Index(256)}));
}

TEST(SnapshotNames, NothingElseIsOne) {
  for (const char* name :
       {"", "LOCK", "snapshot", "snapshot-", "snapshot-000000000000001f-000000000000002a",
        "snapshot-000000000000001f-000000000000002a.snapx", "snapshot-000000000000001F-000000000000002a.snap",
        "snapshot-00000000000001f-000000000000002a.snap", "xsnapshot-000000000000001f-000000000000002a.snap",
        "snapshot-0000000000000000-000000000000002a.snap", "snapshot-000000000000001f-0000000000000000.snap",
        "snapshot-000000000000001f-000000000000002a.snap.part",
        "snapshot-000000000000001f-000000000000002a.snap.1.part",
        "snapshot-000000000000001f-000000000000002a.snap.0000000000000007.partx",
        "snapshot-000000000000001f-000000000000002a.snap.000000000000000g.part"}) {
    EXPECT_EQ(finished(name), std::nullopt) << name;
    EXPECT_EQ(part(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace raftlab::raft::snapshot
