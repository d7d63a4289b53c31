#include "simulator/histogram.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace raftlab::simulator {
namespace {

TEST(HistogramTest, AnEmptyOneHasTheMedianZero) {
  EXPECT_EQ(Histogram{}.median(), 0U);
  EXPECT_EQ(Histogram{}.total(), 0U);
}

TEST(HistogramTest, SmallValuesAreExact) {
  for (std::uint64_t value = 0; value < 32; ++value) {
    Histogram histogram;
    histogram.add(value);
    EXPECT_EQ(histogram.median(), value);
  }
}

TEST(HistogramTest, TheMedianOfAnEvenCountIsTheLowerOne) {
  Histogram histogram;
  for (const std::uint64_t value : {1U, 2U, 3U, 4U}) histogram.add(value);
  EXPECT_EQ(histogram.median(), 2U);
  histogram.add(4);
  EXPECT_EQ(histogram.median(), 3U);
}

TEST(HistogramTest, TheGreatestValueHasABucket) {
  Histogram histogram;
  histogram.add(std::numeric_limits<std::uint64_t>::max());
  EXPECT_GE(histogram.median(), std::numeric_limits<std::uint64_t>::max() / 16 * 15);
}

RC_GTEST_PROP(HistogramProperty, TheMedianIsAtMostASixteenthTooLow, ()) {
  const auto values = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::uint64_t>>(
      rc::gen::apply([](std::uint64_t value, unsigned shift) { return value >> shift; },
                     rc::gen::arbitrary<std::uint64_t>(), rc::gen::inRange(0U, 64U))));
  Histogram histogram;
  for (const std::uint64_t value : values) histogram.add(value);
  RC_ASSERT(histogram.total() == values.size());
  std::vector<std::uint64_t> sorted = values;
  std::ranges::sort(sorted);
  const std::uint64_t median = sorted[(sorted.size() - 1) / 2];
  RC_ASSERT(histogram.median() <= median);
  RC_ASSERT(median - histogram.median() <= median / 16);
}

}  // namespace
}  // namespace raftlab::simulator
