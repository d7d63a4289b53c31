#pragma once

#include "raft/types.hpp"
#include "raft/wal/wal.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The frames of the log on disk: the header of a segment, and a record. Little-endian; the tables are in
/// docs/wal.md.
namespace raftlab::raft::wal {

/// Number of a record, from 1, rising by one from record to record and across the lives of a node. 0 is
/// "none".
using RecordSeq = Number<struct RecordSeqTag, std::uint64_t>;

/// Number of a segment, from 1, never used again once a record of it counted. 0 is "none".
using SegmentNumber = Number<struct SegmentNumberTag, std::uint64_t>;

/// No log comes near it: a greater number of a segment or a record is refused, because counting on from it
/// might wrap.
inline constexpr std::uint64_t numbers_max = std::uint64_t{1} << 62U;

inline constexpr std::uint32_t format_version = 1;
inline constexpr std::size_t segment_header_bytes = 64;
inline constexpr std::size_t record_header_bytes = 32;
inline constexpr std::size_t record_trailer_bytes = 4;

/// Refused by a reader whatever a header says; no writer comes near it.
inline constexpr std::uint32_t record_payload_bytes_limit = 1U << 30U;

/// "wal-" and 16 hexadecimal digits and ".log": names sort as numbers do.
[[nodiscard]] std::string segment_name(SegmentNumber number);
[[nodiscard]] std::optional<SegmentNumber> segment_number(std::string_view name);

struct SegmentHeader {
  Identity identity;
  SegmentNumber number;
  SegmentNumber base;  ///< the segment in which this life of the node began, with its checkpoint
  RecordSeq first;     ///< number of its first record
  /// Chain at the end of the segment before; 0: the process began with this segment. Otherwise all records
  /// before `first` were durable when this header was written.
  std::uint32_t previous_chain = 0;
  friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};

/// Writes the header and returns its checksum, with which the chain of the segment begins.
std::uint32_t put(const SegmentHeader& header, std::byte* out);

enum class HeaderError : std::uint8_t { damaged, unknown_version };
struct ReadHeader {
  SegmentHeader header;
  std::uint32_t chain = 0;
};
[[nodiscard]] std::variant<ReadHeader, HeaderError> read_segment_header(Bytes file);

enum class RecordKind : std::uint8_t {
  writes = 1,          ///< writes of the core
  checkpoint = 2,      ///< part of what a life begins with, more follows
  checkpoint_end = 3,  ///< the last part: from here on the base counts
  watermark = 4,       ///< nothing but the durable watermark
};

struct RecordHeader {
  std::uint32_t payload_bytes = 0;
  RecordKind kind = RecordKind::writes;
  RecordSeq sequence;
  RecordSeq durable;                 ///< this record and all before it were durable when this one was written
  std::uint32_t previous_chain = 0;  ///< checksum of the record before, or of the segment's header
  friend bool operator==(const RecordHeader&, const RecordHeader&) = default;
};

/// Start value of header checksums: a record of another log never has a valid one.
[[nodiscard]] std::uint32_t identity_checksum(const Identity& identity);

/// Writes the header to the first record_header_bytes and returns its checksum.
std::uint32_t put(const RecordHeader& header, std::uint32_t identity, std::byte* out);
/// The checksum behind the payload, which is also the chain for the next record. It covers the header's.
[[nodiscard]] std::uint32_t payload_checksum(std::uint32_t header_checksum, Bytes payload);
void put_u32(std::uint32_t number, std::byte* out);

enum class RecordState : std::uint8_t {
  valid,        ///< every checksum agrees
  header_only,  ///< the header is valid; the payload is cut off or damaged
  damaged,      ///< no valid header
};
struct ReadRecord {
  RecordState state = RecordState::damaged;
  RecordHeader header;
  Bytes payload;
  std::uint32_t chain = 0;
  std::size_t bytes = 0;  ///< of the whole frame
};
/// Judges the record at the start of `rest` by itself; order and chain are the reader's.
[[nodiscard]] ReadRecord read_record(Bytes rest, std::uint32_t identity);

}  // namespace raftlab::raft::wal
