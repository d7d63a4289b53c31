#pragma once

#include "raft/types.hpp"

#include <cstdint>

namespace raftlab::raft::wal {

/// CRC-32C (Castagnoli) of what `crc` covers followed by `bytes`; `crc` is 0 at the start. Of "123456789": e3069283.
[[nodiscard]] std::uint32_t crc32c(std::uint32_t crc, Bytes bytes);

/// The two ways to compute it, for tests. The instruction exists only where `crc32c_has_instruction` says so.
[[nodiscard]] bool crc32c_has_instruction();
[[nodiscard]] std::uint32_t crc32c_by_instruction(std::uint32_t crc, Bytes bytes);
[[nodiscard]] std::uint32_t crc32c_by_table(std::uint32_t crc, Bytes bytes);

}  // namespace raftlab::raft::wal
