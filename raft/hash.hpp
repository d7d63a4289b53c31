#pragma once

#include "raft/types.hpp"

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

/// Bytes are read as little-endian words whatever the machine is.
[[nodiscard]] inline std::uint64_t hash_bytes(std::uint64_t hash, Bytes bytes) {
  hash = combine(hash, bytes.size());
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, 8);
    hash = combine(hash, word);
  }
  if (at < bytes.size()) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, bytes.size() - at);
    hash = combine(hash, word);
  }
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
  template <class Tag, class Representation>
  constexpr Hasher& add(Number<Tag, Representation> number) {
    return add(static_cast<std::uint64_t>(number.value()));
  }
  constexpr Hasher& add(LogId id) { return add(id.term).add(id.index); }
  Hasher& add(Bytes bytes) {
    hash_ = hash_bytes(hash_, bytes);
    return *this;
  }

  [[nodiscard]] constexpr std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_;
};

}  // namespace raftlab::raft
