#include "raft/wal/record.hpp"

#include "raft/wal/payload.hpp"
#include "raft/wal/record.pb.h"
#include "raft/wal/test_state.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <string>

namespace raftlab::raft::wal {
namespace {

using testing::entries_from;
using testing::identity;
using testing::payload_of;
using testing::state_of;

std::string hex(Bytes bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += digits[std::to_integer<unsigned>(byte) >> 4U];
    text += digits[std::to_integer<unsigned>(byte) & 0xfU];
  }
  return text;
}

std::string text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::vector<std::byte> make_record(const RecordHeader& fields, Bytes payload) {
  std::vector<std::byte> bytes(record_header_bytes + payload.size() + record_trailer_bytes);
  RecordHeader header = fields;
  header.payload_bytes = static_cast<std::uint32_t>(payload.size());
  const std::uint32_t checksum = put(header, identity_checksum(identity), bytes.data());
  std::ranges::copy(payload, bytes.begin() + record_header_bytes);
  put_u32(payload_checksum(checksum, payload), bytes.data() + record_header_bytes + payload.size());
  return bytes;
}

const RecordHeader example{0, RecordKind::writes, RecordSeq(5), RecordSeq(4), 0x01020304};

TEST(SegmentHeader, HasTheseBytes) {
  const SegmentHeader header{identity, SegmentNumber(3), SegmentNumber(2), RecordSeq(9), 0x01020304};
  std::array<std::byte, segment_header_bytes> bytes{};
  const std::uint32_t chain = put(header, bytes.data());
  EXPECT_EQ(hex(bytes),
            "5241465457414c0a"  // magic
            "01000000"          // version
            "07000000"          // node
            "8877665544332211"  // cluster
            "0300000000000000"  // number
            "0200000000000000"  // base
            "0900000000000000"  // first record
            "04030201"          // previous chain
            "0000000000000000"  // reserved
            "44c9a869");
  const auto read = read_segment_header(bytes);
  ASSERT_TRUE(std::holds_alternative<ReadHeader>(read));
  EXPECT_EQ(std::get<ReadHeader>(read).header, header);
  EXPECT_EQ(std::get<ReadHeader>(read).chain, chain);
}

TEST(SegmentName, SortsAsItsNumberAndReadsBack) {
  EXPECT_EQ(segment_name(SegmentNumber(0x1f)), "wal-000000000000001f.log");
  EXPECT_EQ(segment_number("wal-000000000000001f.log"), SegmentNumber(0x1f));
  for (const char* other : {"wal-000000000000001F.log", "wal-0000000000000000.log", "wal-1f.log", "LOCK",
                            "wal-000000000000001f.tmp", "wal-000000000000001f.log~"}) {
    EXPECT_FALSE(segment_number(other)) << other;
  }
}

TEST(Record, HasTheseBytes) {
  Buffer payload;
  put_hard_state(payload, HardState{Term(3), NodeId(2)});
  put_truncation(payload, Index(300));
  put_entry(payload, entries_from(Index(300), Term(3), 1, "set x").entry(0));
  const auto bytes = make_record(example, payload.from(0));
  EXPECT_EQ(hex(bytes),
            "1f000000"  // payload bytes
            "726563"
            "01"                // magic, kind
            "0500000000000000"  // sequence
            "0400000000000000"  // durable watermark
            "04030201"          // previous chain
            "1d6ab220"          // header checksum
            "0a06"
            "0a0408031002"  // hard state: term 3, vote 2
            "0a03"
            "10ac02"  // truncate from 300
            "0a10"
            "1a0e08ac02100318022205"
            "7365742078"  // entry 300, term 3, command "set x"
            "8e12e0bf");
  const ReadRecord read = read_record(bytes, identity_checksum(identity));
  EXPECT_EQ(read.state, RecordState::valid);
  EXPECT_EQ(read.bytes, bytes.size());
  EXPECT_EQ(read.header.sequence, example.sequence);
  EXPECT_EQ(read.header.durable, example.durable);
  EXPECT_EQ(read.header.previous_chain, example.previous_chain);
}

TEST(Record, IsNotValidWithAnyBitFlippedOrAnyByteMissingOrInAnotherLog) {
  const auto bytes = make_record(example, payload_of("some payload"));
  const std::uint32_t checksum = identity_checksum(identity);
  ASSERT_EQ(read_record(bytes, checksum).state, RecordState::valid);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto flipped = bytes;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_NE(read_record(flipped, checksum).state, RecordState::valid) << bit;
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_NE(read_record(Bytes(bytes).first(size), checksum).state, RecordState::valid) << size;
  }
  EXPECT_EQ(read_record(bytes, identity_checksum(Identity{identity.cluster, NodeId(8)})).state,
            RecordState::damaged);
}

TEST(Record, ALengthBeyondTheLimitIsNotBelieved) {
  std::vector<std::byte> bytes(100);
  const RecordHeader header{0xffffffff, RecordKind::writes, RecordSeq(5), RecordSeq(4), 0};
  put(header, identity_checksum(identity), bytes.data());
  EXPECT_EQ(read_record(bytes, identity_checksum(identity)).state, RecordState::header_only);
}

RC_GTEST_PROP(Payload, IsWhatTheSchemaMakesOfTheSameChanges,
              (std::uint64_t term, std::uint32_t vote, std::uint64_t index, const std::string& text,
               bool snapshot)) {
  Buffer ours;
  wal_format::Payload theirs;
  const auto payload = payload_of(text);

  put_hard_state(ours, HardState{Term(term), NodeId(vote)});
  auto* hard = theirs.add_changes()->mutable_hard_state();
  hard->set_term(term);
  hard->set_voted_for(vote);

  put_truncation(ours, Index(index));
  theirs.add_changes()->set_truncate_from(index);

  const EntryView entry{LogId{Term(term), Index(index)}, EntryKind::command, payload};
  const std::size_t before = ours.size();
  put_entry(ours, entry);
  RC_ASSERT(ours.size() - before <= entry_bytes_max(entry));
  auto* change = theirs.add_changes()->mutable_entry();
  change->set_index(index);
  change->set_term(term);
  change->set_kind(2);
  change->set_payload(text);

  if (snapshot) {
    put_snapshot(ours, LogId{Term(term), Index(index)}, payload);
    auto* start = theirs.add_changes()->mutable_snapshot();
    start->set_term(term);
    start->set_index(index);
    start->set_configuration(text);
    put_base(ours, LogId{Term(term), Index(index)});
    auto* base = theirs.add_changes()->mutable_base();
    base->set_term(term);
    base->set_index(index);
  }
  put_durable_index(ours, Index(index));
  theirs.add_changes()->set_durable_index(index);

  RC_ASSERT(text_of(ours.from(0)) == theirs.SerializeAsString());
}

std::string attempt(RecordKind kind, const std::function<void(Buffer&)>& put_changes) {
  Buffer buffer;
  put_changes(buffer);
  Image image;
  return image.apply(kind, buffer.from(0));
}

TEST(Image, RefusesWhatMakesNoSense) {
  const auto refused = [](const std::function<void(Buffer&)>& put_changes) {
    return attempt(RecordKind::writes, put_changes);
  };
  const Slice entries = entries_from(Index(2), Term(3), 1, "x");
  EXPECT_NE(refused([&](Buffer& out) { put_entry(out, entries.entry(0)); }), "") << "a hole";
  EXPECT_NE(refused([&](Buffer& out) { put_truncation(out, Index(0)); }), "") << "into the snapshot";
  EXPECT_NE(refused([&](Buffer& out) {
              put_entry(out, {LogId{Term(3), Index(1)}, EntryKind::noop, {}});
              put_entry(out, {LogId{Term(2), Index(2)}, EntryKind::noop, {}});
            }),
            "")
      << "a falling term";
  EXPECT_NE(refused([&](Buffer& out) {
              put_entry(out, {LogId{Term(3), Index(1)}, EntryKind{9}, {}});
            }),
            "")
      << "a kind";
  EXPECT_NE(refused([&](Buffer& out) { *out.grow(1) = std::byte{0xff}; }), "") << "not protobuf";
  EXPECT_NE(refused([&](Buffer& out) {
              const std::span<std::byte> bytes(out.grow(2), 2);
              bytes[0] = std::byte{0x0a};
              bytes[1] = std::byte{0};
            }),
            "")
      << "an empty change";
}

TEST(Image, RefusesChangesWhereTheyCannotStand) {
  const LogId id{Term(1), Index(4)};
  const std::vector<std::function<void(Buffer&)>> of_a_checkpoint{
      [&](Buffer& out) { put_snapshot(out, id, {}); }, [&](Buffer& out) { put_base(out, id); },
      [](Buffer& out) { put_durable_index(out, Index(1)); }};
  for (const auto& change : of_a_checkpoint) {
    EXPECT_NE(attempt(RecordKind::writes, change), "");
    EXPECT_NE(attempt(RecordKind::watermark, change), "");
    EXPECT_EQ(attempt(RecordKind::checkpoint, change), "");
  }
  const auto truncation = [](Buffer& out) { put_truncation(out, Index(1)); };
  EXPECT_EQ(attempt(RecordKind::writes, truncation), "");
  EXPECT_NE(attempt(RecordKind::checkpoint, truncation), "");
  EXPECT_NE(attempt(RecordKind::checkpoint_end, truncation), "");
  EXPECT_NE(attempt(RecordKind::watermark, [](Buffer& out) { put_hard_state(out, {}); }), "");
}

TEST(Image, RefusesACheckpointThatNoCoreCouldStartFrom) {
  const auto ends = [](LogId snapshot, LogId base, std::uint64_t count, Index durable) {
    return attempt(RecordKind::checkpoint_end, [&](Buffer& out) {
      put_snapshot(out, snapshot, {});
      put_base(out, base);
      for (std::uint64_t i = 1; i <= count; ++i)
        put_entry(out, {LogId{Term(3), base.index.plus(i)}, EntryKind::noop, {}});
      put_durable_index(out, durable);
    });
  };
  const auto id = [](std::uint64_t term, std::uint64_t index) { return LogId{Term(term), Index(index)}; };
  EXPECT_EQ(ends(id(2, 5), id(2, 5), 0, Index(5)), "");
  EXPECT_EQ(ends(id(3, 7), id(2, 5), 3, Index(8)), "");
  EXPECT_NE(ends(id(3, 7), id(2, 5), 1, Index(0)), "") << "the log ends before the snapshot";
  EXPECT_NE(ends(id(2, 7), id(2, 5), 3, Index(0)), "") << "another term there";
  EXPECT_NE(ends(id(2, 4), id(2, 5), 3, Index(0)), "") << "the log begins behind the snapshot";
  EXPECT_NE(ends(id(3, 7), id(2, 5), 3, Index(9)), "") << "durable is what is not there";
  EXPECT_NE(attempt(RecordKind::checkpoint,
                    [&](Buffer& out) {
                      put_base(out, id(2, 5));
                      put_base(out, id(2, 6));
                    }),
            "");
  EXPECT_NE(attempt(RecordKind::checkpoint,
                    [&](Buffer& out) {
                      put_snapshot(out, id(2, 5), {});
                      put_snapshot(out, id(2, 5), {});
                    }),
            "");
  EXPECT_NE(attempt(RecordKind::checkpoint,
                    [&](Buffer& out) { put_snapshot(out, id(2, 5), payload_of("no configuration")); }),
            "");
}

TEST(Image, KeepsSnapshotAndBaseApart) {
  Buffer buffer;
  const Configuration configuration = voters_up_to(3);
  put_hard_state(buffer, HardState{Term(4), NodeId(2)});
  put_snapshot(buffer, LogId{Term(3), Index(7)}, encode(configuration));
  put_base(buffer, LogId{Term(2), Index(5)});
  const Slice entries = entries_from(Index(6), Term(3), 4, "x");
  for (std::uint32_t i = 0; i < entries.size(); ++i) put_entry(buffer, entries.entry(i));
  put_durable_index(buffer, Index(8));
  Image image;
  ASSERT_EQ(image.apply(RecordKind::checkpoint_end, buffer.from(0)), "");
  const Recovered recovered = image.recovered();
  EXPECT_EQ(recovered.hard, (HardState{Term(4), NodeId(2)}));
  EXPECT_EQ(recovered.snapshot, (LogId{Term(3), Index(7)}));
  EXPECT_EQ(recovered.snapshot_configuration, configuration);
  EXPECT_EQ(recovered.base, (LogId{Term(2), Index(5)}));
  EXPECT_EQ(state_of(recovered).log.last(), Index(9));
  EXPECT_EQ(image.durable_index(), Index(8));
  Buffer truncation;
  put_truncation(truncation, Index(7));
  EXPECT_NE(image.apply(RecordKind::writes, truncation.from(0)), "")
      << "the log behind the base, but in the snapshot";
}

}  // namespace
}  // namespace raftlab::raft::wal
