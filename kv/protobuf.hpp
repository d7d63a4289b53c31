#pragma once

#include "kv/command.hpp"
#include "raft/hash.hpp"
#include "raft/types.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

/// The protobuf wire format, written and read by hand: a message costs one pass and no object, and its
/// encoding is the one that the schema promises rather than one of many that mean the same. A field is named
/// by an enumerator whose value is its number and wire type as they stand in the bytes: (number << 3) |
/// type, 0 a varint, 1 eight bytes, 2 a length and bytes.
namespace raftlab::kv {

// ---- Sizes ------------------------------------------------------------------------------------------------

[[nodiscard]] inline std::size_t varint_size(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}
[[nodiscard]] inline std::size_t field_size(std::size_t length) { return 1 + varint_size(length) + length; }
[[nodiscard]] inline std::size_t default_or_field_size(std::string_view bytes) {
  return bytes.empty() ? 0 : field_size(bytes.size());
}
[[nodiscard]] inline std::size_t default_or_number_size(std::uint64_t value) {
  return value == 0 ? 0 : 1 + varint_size(value);
}

// ---- Writing ----------------------------------------------------------------------------------------------

/// Writes into room that was measured before.
class FieldWriter {
 public:
  explicit FieldWriter(std::byte* at) : at_(at) {}

  template <class Field>
  void field(Field name) {
    static_assert(sizeof(Field) == 1);
    *at_++ = static_cast<std::byte>(name);
  }
  void varint(std::uint64_t value) {
    while (value >= 0x80) {
      *at_++ = static_cast<std::byte>((value & 0x7fU) | 0x80U);
      value >>= 7U;
    }
    *at_++ = static_cast<std::byte>(value);
  }
  template <class Field>
  void number(Field name, std::uint64_t value) {
    if (value == 0) return;
    field(name);
    varint(value);
  }
  template <class Field>
  void fixed64(Field name, std::uint64_t value) {
    if (value == 0) return;
    field(name);
    for (unsigned shift = 0; shift < 64; shift += 8)
      *at_++ = static_cast<std::byte>((value >> shift) & 0xffU);
  }
  template <class Field>
  void bytes(Field name, std::string_view bytes) {
    field(name);
    varint(bytes.size());
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  template <class Field>
  void bytes_unless_empty(Field name, std::string_view value) {
    if (!value.empty()) bytes(name, value);
  }
  [[nodiscard]] const std::byte* at() const { return at_; }

 private:
  std::byte* at_;
};

// ---- Reading ----------------------------------------------------------------------------------------------

/// Reads hostile bytes. The first thing that is not as `FieldWriter` writes it makes the reader fail for
/// good: then it stands at its end, and what it returned is of no use.
class FieldReader {
 public:
  explicit FieldReader(raft::Bytes bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  /// True when the field comes next; then it is behind us.
  template <class Field>
  [[nodiscard]] bool take(Field field) {
    if (at_ == end_ || *at_ != static_cast<std::byte>(field)) return false;
    ++at_;
    return true;
  }

  /// A varint in its shortest form.
  [[nodiscard]] std::uint64_t varint() {
    if (at_ != end_ && (*at_ & std::byte{0x80}) == std::byte{}) return static_cast<std::uint64_t>(*at_++);
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<std::uint64_t>(*at_++);
      const std::uint64_t bits = byte & 0x7fU;
      if (shift == 63 && bits > 1) break;
      value |= bits << shift;
      if ((byte & 0x80U) == 0) {
        if (bits == 0 && shift != 0) break;
        return value;
      }
    }
    fail();
    return 0;
  }

  /// A number that is left out when it is 0.
  template <class Field>
  [[nodiscard]] std::uint64_t number(Field field) {
    if (!take(field)) return 0;
    const std::uint64_t value = varint();
    if (value == 0) fail();
    return value;
  }
  /// The same in eight bytes.
  template <class Field>
  [[nodiscard]] std::uint64_t fixed64(Field field) {
    if (!take(field)) return 0;
    std::uint64_t value = 0;
    if (left() >= sizeof(value)) {
      value = raft::little_endian<std::uint64_t>(at_);
      at_ += sizeof(value);
    }
    if (value == 0) fail();
    return value;
  }

  /// A length of at most `size_max` and so many bytes, in place.
  [[nodiscard]] raft::Bytes bytes(std::size_t size_max) {
    const std::uint64_t size = varint();
    if (size > size_max || size > left()) {
      fail();
      return {};
    }
    const raft::Bytes bytes(at_, static_cast<std::size_t>(size));
    at_ += size;
    return bytes;
  }

  /// Bytes that are left out when there are none.
  template <class Field>
  [[nodiscard]] std::string_view text(Field field, std::size_t size_max) {
    if (!take(field)) return {};
    const std::string_view value = as_text(bytes(size_max));
    if (value.empty()) fail();
    return value;
  }
  /// Bytes that may stand there although there are none.
  template <class Field>
  [[nodiscard]] std::optional<std::string_view> optional_text(Field field, std::size_t size_max) {
    if (!take(field)) return std::nullopt;
    return as_text(bytes(size_max));
  }
  template <class Field>
  [[nodiscard]] std::string_view key(Field field) {
    const std::string_view key = text(field, key_bytes_max);
    if (key.empty()) fail();
    return key;
  }

  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] bool at_end() const { return at_ == end_; }
  [[nodiscard]] bool failed() const { return failed_; }
  void fail() {
    failed_ = true;
    at_ = end_;
  }

 private:
  [[nodiscard]] static std::string_view as_text(raft::Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  const std::byte* at_;
  const std::byte* end_;
  bool failed_ = false;
};

}  // namespace raftlab::kv
