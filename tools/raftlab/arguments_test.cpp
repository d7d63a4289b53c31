#include "tools/raftlab/arguments.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace raftlab::tool {
namespace {

constexpr std::uint64_t greatest = std::numeric_limits<std::uint64_t>::max();

std::vector<std::uint64_t> all(SeedRange range, Shard shard) {
  std::vector<std::uint64_t> seeds;
  SeedSequence sequence(range, shard);
  while (const auto seed = sequence.next()) seeds.push_back(*seed);
  return seeds;
}

TEST(Arguments, ASeedIsDecimalOrHexadecimal) {
  EXPECT_EQ(parse_number("0"), 0U);
  EXPECT_EQ(parse_number("18446744073709551615"), greatest);
  EXPECT_EQ(parse_number("0xff"), 255U);
  EXPECT_EQ(parse_number("0XFFFFFFFFFFFFFFFF"), greatest);
  for (const char* bad :
       {"", "0x", "-1", "+1", "1 ", " 1", "1e3", "ff", "18446744073709551616", "0x10000000000000000"}) {
    EXPECT_FALSE(parse_number(bad)) << bad;
  }
}

TEST(Arguments, SeedsAreARangeOrACount) {
  EXPECT_EQ(to_text(*parse_seeds("5..9")), "5..9");
  EXPECT_EQ(to_text(*parse_seeds("7")), "1..7");
  EXPECT_EQ(to_text(*parse_seeds("7..7")), "7");
  EXPECT_EQ(to_text(SeedRange{}), "1..");
  EXPECT_EQ(to_text(*parse_seeds("18446744073709551615..18446744073709551615")), "18446744073709551615");
  for (const char* bad : {"", "0", "..", "1..", "..5", "9..5", "1...5", "1..5..9", "a..b", "1-5", "-3"}) {
    EXPECT_FALSE(parse_seeds(bad)) << bad;
  }
}

TEST(Arguments, AShardCountsFromZero) {
  EXPECT_EQ(parse_shard("0/1")->count, 1U);
  EXPECT_EQ(parse_shard("3/4")->index, 3U);
  for (const char* bad : {"", "/", "1", "1/", "/2", "4/4", "0/0", "-1/2", "1/2/3", "0/1000001"}) {
    EXPECT_FALSE(parse_shard(bad)) << bad;
  }
}

TEST(Arguments, ATimeHasAUnit) {
  using namespace std::chrono_literals;
  EXPECT_EQ(parse_duration("90"), 90s);
  EXPECT_EQ(parse_duration("30s"), 30s);
  EXPECT_EQ(parse_duration("10m"), 10min);
  EXPECT_EQ(parse_duration("2h"), 2h);
  for (const char* bad : {"", "s", "0", "0s", "-1s", "1.5s", "10x", "1d", "99999999999h", "10ms"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
}

TEST(Arguments, ShardsPartTheSeeds) {
  std::vector<std::uint64_t> seen(20);
  for (std::uint64_t index = 0; index < 3; ++index) {
    for (const std::uint64_t seed : all(SeedRange{4, 19}, Shard{index, 3})) {
      EXPECT_EQ(seed % 3, index);
      ++seen[seed];
    }
  }
  for (std::uint64_t seed = 0; seed < 20; ++seed) EXPECT_EQ(seen[seed], seed >= 4 ? 1U : 0U) << seed;
}

TEST(Arguments, ASequenceEndsAtTheGreatestSeed) {
  EXPECT_EQ(all(SeedRange{greatest - 1, greatest}, Shard{}),
            (std::vector<std::uint64_t>{greatest - 1, greatest}));
  EXPECT_EQ(all(SeedRange{greatest, greatest}, Shard{0, 2}).size() +
                all(SeedRange{greatest, greatest}, Shard{1, 2}).size(),
            1U);
  EXPECT_TRUE(all(SeedRange{1, 1}, Shard{0, 2}).empty());
  EXPECT_EQ(all(SeedRange{0, 4}, Shard{0, 2}), (std::vector<std::uint64_t>{0, 2, 4}));
}

TEST(Arguments, AnArgumentIsQuotedWhenAShellWouldChangeIt) {
  EXPECT_EQ(quoted("out/7.trace"), "out/7.trace");
  EXPECT_EQ(quoted(""), "''");
  EXPECT_EQ(quoted("my traces/7"), "'my traces/7'");
  EXPECT_EQ(quoted("it's"), "'it'\\''s'");
}

}  // namespace
}  // namespace raftlab::tool
