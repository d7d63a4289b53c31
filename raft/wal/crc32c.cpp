#include "raft/wal/crc32c.hpp"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace raftlab::raft::wal {
namespace {

constexpr std::uint32_t polynomial = 0x82f63b78;  // reflected

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? polynomial : 0);
    table[byte] = crc;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> table = make_table();

}  // namespace

std::uint32_t crc32c_by_table(std::uint32_t crc, Bytes bytes) {
  crc = ~crc;
  for (const std::byte byte : bytes) {
    crc = (crc >> 8U) ^ table[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xffU];
  }
  return ~crc;
}

#if defined(__x86_64__)

bool crc32c_has_instruction() {
  static const bool has = __builtin_cpu_supports("sse4.2") != 0;
  return has;
}

[[gnu::target("sse4.2")]] std::uint32_t crc32c_by_instruction(std::uint32_t crc, Bytes bytes) {
  std::uint64_t wide = ~crc;
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  for (; left > 0; --left, ++at) narrow = _mm_crc32_u8(narrow, std::to_integer<unsigned char>(*at));
  return ~narrow;
}

#else

bool crc32c_has_instruction() { return false; }
std::uint32_t crc32c_by_instruction(std::uint32_t crc, Bytes bytes) { return crc32c_by_table(crc, bytes); }

#endif

std::uint32_t crc32c(std::uint32_t crc, Bytes bytes) {
  return crc32c_has_instruction() ? crc32c_by_instruction(crc, bytes) : crc32c_by_table(crc, bytes);
}

}  // namespace raftlab::raft::wal
