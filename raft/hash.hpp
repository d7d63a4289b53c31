#pragma once

#include "raft/types.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

/// Hashing of fields. Everything that decides or is compared between builds goes through these functions and
/// never through std::hash or the raw bytes of a struct, so that a value is the same with every compiler.
namespace raftlab::raft {

/// 64 x 64 -> 128 bit multiplication, folded: the mixing step of wyhash.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

/// Order-sensitive combination of a running hash with one more field.
[[nodiscard]] constexpr std::uint64_t combine(std::uint64_t hash, std::uint64_t field) {
  return mix(hash ^ 0x9e3779b97f4a7c15ULL, field ^ 0xd6e8feb86659fd93ULL) + (hash << 1U) + 1;
}

/// The same of two fields at once, for the price of one.
[[nodiscard]] constexpr std::uint64_t combine(std::uint64_t hash, std::uint64_t first, std::uint64_t second) {
  return mix(hash ^ first ^ 0x9e3779b97f4a7c15ULL, second ^ 0xd6e8feb86659fd93ULL) + (hash << 1U) + 1;
}

/// The bytes of an unsigned number, the first one lowest: the same on every machine.
template <class Number>
[[nodiscard]] inline std::uint64_t little_endian(const std::byte* bytes) {
  Number number = 0;
  std::memcpy(&number, bytes, sizeof(number));
  if constexpr (std::endian::native == std::endian::big) {
    Number turned = 0;
    for (std::size_t i = 0; i < sizeof(number); ++i, number >>= 8U)
      turned = (turned << 8U) | (number & 0xffU);
    number = turned;
  }
  return number;
}

/// The last words of the bytes overlap rather than being padded; the size, which goes first, tells them apart.
[[nodiscard]] inline std::uint64_t hash_bytes(std::uint64_t hash, Bytes bytes) {
  using Word = std::uint64_t;
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  hash = combine(hash, left);
  for (; left > 16; at += 16, left -= 16) {
    hash = combine(hash, little_endian<Word>(at), little_endian<Word>(at + 8));
  }
  if (left >= 8) return combine(hash, little_endian<Word>(at), little_endian<Word>(at + left - 8));
  if (left >= 4) {
    using Half = std::uint32_t;
    return combine(hash, little_endian<Half>(at), little_endian<Half>(at + left - 4));
  }
  for (std::size_t i = 0; i < left; ++i) hash = combine(hash, static_cast<std::uint64_t>(at[i]));
  return hash;
}

/// A running hash with named steps: `Hasher{}.add(term).add(index).value()`.
class Hasher {
 public:
  constexpr explicit Hasher(std::uint64_t start = 0) : hash_(start) {}

  constexpr Hasher& add(std::uint64_t field) {
    hash_ = combine(hash_, field);
    return *this;
  }
  constexpr Hasher& add(std::uint64_t first, std::uint64_t second) {
    hash_ = combine(hash_, first, second);
    return *this;
  }
  template <class Tag, class Representation>
  constexpr Hasher& add(Number<Tag, Representation> number) {
    return add(static_cast<std::uint64_t>(number.value()));
  }
  template <class TagA, class RepresentationA, class TagB, class RepresentationB>
  constexpr Hasher& add(Number<TagA, RepresentationA> first, Number<TagB, RepresentationB> second) {
    return add(static_cast<std::uint64_t>(first.value()), static_cast<std::uint64_t>(second.value()));
  }
  constexpr Hasher& add(LogId id) { return add(id.term, id.index); }
  Hasher& add(Bytes bytes) {
    hash_ = hash_bytes(hash_, bytes);
    return *this;
  }

  [[nodiscard]] constexpr std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_;
};

}  // namespace raftlab::raft
