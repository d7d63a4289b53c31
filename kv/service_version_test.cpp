#include "kv/service.hpp"
#include "kv/test_cluster.hpp"
#include "raft/snapshot/image.hpp"
#include "raft/snapshot/names.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

namespace raftlab::kv {
namespace {

/// A node whose log goes on from a snapshot that is intact, and whose content begins with these bytes.
raft::wal::Refusal refusal_of(std::initializer_list<unsigned> content) {
  const raft::LogId last{raft::Term(1), raft::Index(5)};
  raft::Recovered recovered;
  recovered.hard.term = last.term;
  recovered.base = recovered.snapshot = last;
  recovered.snapshot_configuration = raft::voters_up_to(1);
  std::vector<std::byte> bytes;
  for (const unsigned value : content) bytes.push_back(static_cast<std::byte>(value));
  std::vector<std::byte> image;
  raft::snapshot::Encoder encoder(raft::snapshot::Header{1, last, *recovered.snapshot_configuration}, image);
  encoder.write(bytes, image);
  encoder.finish(image);
  test::TestDisk log;
  test::TestDisk snapshots;
  raft::wal::FileHandle file;
  snapshots.create(raft::snapshot::finished_name(last), file);
  snapshots.append(file, image);
  const auto opened =
      Service::open(test::options_of(raft::NodeId(1)), raft::Disks{&log, &snapshots}, recovered);
  const auto* refusal = std::get_if<raft::wal::Refusal>(&opened);
  return refusal == nullptr ? raft::wal::Refusal{raft::wal::RefusalCode::locked, "", 0, "it started"}
                            : *refusal;
}

TEST(ServiceVersion, a_snapshot_of_another_version_is_refused_with_both_numbers) {
  const raft::wal::Refusal refusal = refusal_of({0x0a, 0x04, 0x08, 0x01, 0x10, 0x05});
  EXPECT_EQ(refusal.code, raft::wal::RefusalCode::unknown_version) << refusal.detail;
  EXPECT_EQ(refusal.detail, "the snapshot holds a store of format version 1, expected format version 2");
}

TEST(ServiceVersion, a_snapshot_that_is_none_is_not_one_of_another_version) {
  for (const auto content :
       {std::initializer_list<unsigned>{0x0a, 0x04, 0x08, 0x02, 0x10, 0x05}, {0x12, 0x00}})
    EXPECT_EQ(refusal_of(content).code, raft::wal::RefusalCode::missing_snapshot);
}

}  // namespace
}  // namespace raftlab::kv
