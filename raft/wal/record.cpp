#include "raft/wal/record.hpp"

#include "raft/wal/crc32c.hpp"

#include <algorithm>

namespace raftlab::raft::wal {
namespace {

constexpr std::string_view segment_magic = "RAFTWAL\n";
constexpr std::string_view record_magic = "rec";
constexpr std::string_view name_prefix = "wal-";
constexpr std::string_view name_suffix = ".log";
constexpr std::size_t name_digits = 16;

template <class Unsigned>
void store(Unsigned number, std::byte* out) {
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i) out[i] = static_cast<std::byte>(number >> (8 * i));
}

template <class Unsigned>
Unsigned load(Bytes bytes, std::size_t offset) {
  Unsigned number = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
    number |= static_cast<Unsigned>(std::to_integer<Unsigned>(bytes[offset + i]) << (8 * i));
  }
  return number;
}

void store_text(std::string_view text, std::byte* out) {
  std::ranges::transform(text, out, [](char character) { return static_cast<std::byte>(character); });
}

bool has_text(Bytes bytes, std::size_t offset, std::string_view text) {
  return std::ranges::equal(bytes.subspan(offset, text.size()), std::as_bytes(std::span(text)));
}

// Offsets in a segment header.
constexpr std::size_t at_version = 8;
constexpr std::size_t at_node = 12;
constexpr std::size_t at_cluster = 16;
constexpr std::size_t at_number = 24;
constexpr std::size_t at_base = 32;
constexpr std::size_t at_first = 40;
constexpr std::size_t at_segment_chain = 48;
constexpr std::size_t at_reserved = 52;
constexpr std::size_t at_segment_checksum = 60;

// Offsets in a record header.
constexpr std::size_t at_payload_bytes = 0;
constexpr std::size_t at_record_magic = 4;
constexpr std::size_t at_kind = 7;
constexpr std::size_t at_sequence = 8;
constexpr std::size_t at_durable = 16;
constexpr std::size_t at_record_chain = 24;
constexpr std::size_t at_record_checksum = 28;

}  // namespace

std::string segment_name(SegmentNumber number) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string name(name_prefix);
  for (unsigned shift = 64; shift > 0; shift -= 4) name += digits[(number.value() >> (shift - 4)) & 0xfU];
  name += name_suffix;
  return name;
}

std::optional<SegmentNumber> segment_number(std::string_view name) {
  if (name.size() != name_prefix.size() + name_digits + name_suffix.size()) return std::nullopt;
  if (!name.starts_with(name_prefix) || !name.ends_with(name_suffix)) return std::nullopt;
  std::uint64_t number = 0;
  for (const char character : name.substr(name_prefix.size(), name_digits)) {
    const bool digit = character >= '0' && character <= '9';
    const bool letter = character >= 'a' && character <= 'f';
    if (!digit && !letter) return std::nullopt;
    number = number * 16 + static_cast<std::uint64_t>(digit ? character - '0' : character - 'a' + 10);
  }
  if (number == 0) return std::nullopt;
  return SegmentNumber(number);
}

std::uint32_t put(const SegmentHeader& header, std::byte* out) {
  store_text(segment_magic, out);
  store(format_version, out + at_version);
  store(header.identity.node.value(), out + at_node);
  store(header.identity.cluster, out + at_cluster);
  store(header.number.value(), out + at_number);
  store(header.base.value(), out + at_base);
  store(header.first.value(), out + at_first);
  store(header.previous_chain, out + at_segment_chain);
  std::fill(out + at_reserved, out + at_segment_checksum, std::byte{0});
  const std::uint32_t checksum = crc32c(0, Bytes(out, at_segment_checksum));
  store(checksum, out + at_segment_checksum);
  return checksum;
}

std::variant<ReadHeader, HeaderError> read_segment_header(Bytes file) {
  // The version stands before everything else that is believed. A creation that was torn leaves no version.
  if (file.size() >= at_version + 4 && has_text(file, 0, segment_magic)) {
    const auto version = load<std::uint32_t>(file, at_version);
    if (version != format_version && version != 0) return HeaderError::unknown_version;
  }
  if (file.size() < segment_header_bytes || !has_text(file, 0, segment_magic)) return HeaderError::damaged;
  const auto checksum = load<std::uint32_t>(file, at_segment_checksum);
  if (checksum != crc32c(0, file.first(at_segment_checksum))) return HeaderError::damaged;
  if (load<std::uint32_t>(file, at_version) != format_version) return HeaderError::damaged;
  ReadHeader read;
  read.chain = checksum;
  read.header.identity.node = NodeId(load<std::uint32_t>(file, at_node));
  read.header.identity.cluster = load<std::uint64_t>(file, at_cluster);
  read.header.number = SegmentNumber(load<std::uint64_t>(file, at_number));
  read.header.base = SegmentNumber(load<std::uint64_t>(file, at_base));
  read.header.first = RecordSeq(load<std::uint64_t>(file, at_first));
  read.header.previous_chain = load<std::uint32_t>(file, at_segment_chain);
  return read;
}

std::uint32_t identity_checksum(const Identity& identity) {
  std::array<std::byte, 12> bytes{};
  store(identity.cluster, bytes.data());
  store(identity.node.value(), bytes.data() + 8);
  return crc32c(0, bytes);
}

std::uint32_t put(const RecordHeader& header, std::uint32_t identity, std::byte* out) {
  store(header.payload_bytes, out + at_payload_bytes);
  store_text(record_magic, out + at_record_magic);
  out[at_kind] = static_cast<std::byte>(header.kind);
  store(header.sequence.value(), out + at_sequence);
  store(header.durable.value(), out + at_durable);
  store(header.previous_chain, out + at_record_chain);
  const std::uint32_t checksum = crc32c(identity, Bytes(out, at_record_checksum));
  store(checksum, out + at_record_checksum);
  return checksum;
}

std::uint32_t payload_checksum(std::uint32_t header_checksum, Bytes payload) {
  return crc32c(header_checksum, payload);
}

void put_u32(std::uint32_t number, std::byte* out) { store(number, out); }

ReadRecord read_record(Bytes rest, std::uint32_t identity) {
  ReadRecord read;
  if (rest.size() < record_header_bytes || !has_text(rest, at_record_magic, record_magic)) return read;
  const auto checksum = load<std::uint32_t>(rest, at_record_checksum);
  if (checksum != crc32c(identity, rest.first(at_record_checksum))) return read;
  read.header.payload_bytes = load<std::uint32_t>(rest, at_payload_bytes);
  read.header.kind = static_cast<RecordKind>(rest[at_kind]);
  read.header.sequence = RecordSeq(load<std::uint64_t>(rest, at_sequence));
  read.header.durable = RecordSeq(load<std::uint64_t>(rest, at_durable));
  read.header.previous_chain = load<std::uint32_t>(rest, at_record_chain);
  read.state = RecordState::header_only;
  const std::size_t size = read.header.payload_bytes;
  if (size > record_payload_bytes_limit || size + record_trailer_bytes > rest.size() - record_header_bytes)
    return read;
  const Bytes payload = rest.subspan(record_header_bytes, size);
  read.chain = payload_checksum(checksum, payload);
  if (read.chain != load<std::uint32_t>(rest, record_header_bytes + size)) return read;
  read.payload = payload;
  read.bytes = record_header_bytes + size + record_trailer_bytes;
  read.state = RecordState::valid;
  return read;
}

}  // namespace raftlab::raft::wal
