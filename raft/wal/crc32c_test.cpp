#include "raft/wal/crc32c.hpp"

#include <boost/crc.hpp>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace raftlab::raft::wal {
namespace {

using Boost = boost::crc_optimal<32, 0x1edc6f41, 0xffffffff, 0xffffffff, true, true>;

std::uint32_t by_boost(const std::vector<std::uint8_t>& bytes) {
  Boost crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

TEST(Crc32c, HasTheCheckValueOfItsCatalogueEntry) {
  const Bytes digits = std::as_bytes(std::span(std::string_view("123456789")));
  EXPECT_EQ(crc32c(0, digits), 0xe3069283U);
  EXPECT_EQ(crc32c_by_table(0, digits), 0xe3069283U);
  if (crc32c_has_instruction()) {
    EXPECT_EQ(crc32c_by_instruction(0, digits), 0xe3069283U);
  }
  EXPECT_EQ(crc32c(0, {}), 0U);
}

RC_GTEST_PROP(Crc32c, AgreesWithBoostBothWays, (const std::vector<std::uint8_t>& bytes)) {
  const Bytes span = std::as_bytes(std::span(bytes));
  RC_ASSERT(crc32c_by_table(0, span) == by_boost(bytes));
  if (crc32c_has_instruction()) RC_ASSERT(crc32c_by_instruction(0, span) == by_boost(bytes));
}

RC_GTEST_PROP(Crc32c, CanBeComputedInPieces,
              (const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b)) {
  std::vector<std::uint8_t> both = a;
  both.insert(both.end(), b.begin(), b.end());
  const std::uint32_t pieces = crc32c(crc32c(0, std::as_bytes(std::span(a))), std::as_bytes(std::span(b)));
  RC_ASSERT(pieces == crc32c(0, std::as_bytes(std::span(both))));
}

}  // namespace
}  // namespace raftlab::raft::wal
