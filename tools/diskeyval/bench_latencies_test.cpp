#include "tools/diskeyval/bench_latencies.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace raftlab::diskeyval {
namespace {

using std::chrono::nanoseconds;

TEST(BenchLatencies, AreZeroWhileNothingIsCounted) {
  const Latencies empty;
  EXPECT_EQ(empty.count(), 0U);
  EXPECT_EQ(empty.least(), nanoseconds(0));
  EXPECT_EQ(empty.mean(), nanoseconds(0));
  EXPECT_EQ(empty.percentile(99'900), nanoseconds(0));
  EXPECT_EQ(empty.greatest(), nanoseconds(0));
}

TEST(BenchLatencies, OfSmallNumbersAreExact) {
  Latencies latencies;
  for (int value = 1; value <= 100; ++value) latencies.add(nanoseconds(value));
  EXPECT_EQ(latencies.count(), 100U);
  EXPECT_EQ(latencies.least(), nanoseconds(1));
  EXPECT_EQ(latencies.mean(), nanoseconds(50));
  EXPECT_EQ(latencies.percentile(0), nanoseconds(1));
  EXPECT_EQ(latencies.percentile(50'000), nanoseconds(50));
  EXPECT_EQ(latencies.percentile(99'000), nanoseconds(99));
  EXPECT_EQ(latencies.percentile(99'900), nanoseconds(100));
  EXPECT_EQ(latencies.percentile(100'000), nanoseconds(100));
}

TEST(BenchLatencies, ArePercentilesOfTheSortedNumbersUpToTheWidthOfABucketAndNeverBetter) {
  Latencies latencies;
  std::vector<std::int64_t> sorted;
  std::uint64_t drawn = 1;
  for (int i = 0; i < 20'000; ++i) {
    drawn = drawn * 6364136223846793005ULL + 1442695040888963407ULL;
    const auto value = static_cast<std::int64_t>((drawn >> 30U) >> (drawn % 30));
    sorted.push_back(value);
    latencies.add(nanoseconds(value));
  }
  std::sort(sorted.begin(), sorted.end());
  for (const std::uint32_t wanted : {1'000U, 50'000U, 90'000U, 99'000U, 99'900U, 100'000U}) {
    const std::int64_t exact = sorted[sorted.size() * wanted / 100'000 - 1];
    const std::int64_t counted = latencies.percentile(wanted).count();
    EXPECT_GE(counted, exact) << wanted;
    EXPECT_LE(counted, exact + exact / 128 + 1) << wanted;
  }
  EXPECT_EQ(latencies.least().count(), sorted.front());
  EXPECT_EQ(latencies.greatest().count(), sorted.back());
}

TEST(BenchLatencies, HoldWhatNoClockWillEverSay) {
  Latencies latencies;
  latencies.add(nanoseconds(-5));
  latencies.add(nanoseconds(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(latencies.least(), nanoseconds(0));
  EXPECT_EQ(latencies.greatest(), nanoseconds(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(latencies.percentile(100'000), latencies.greatest());
}

}  // namespace
}  // namespace raftlab::diskeyval
