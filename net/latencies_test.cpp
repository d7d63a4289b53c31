#include "net/latencies.hpp"

#include <gtest/gtest.h>

namespace raftlab::net {
namespace {

using namespace std::chrono_literals;

TEST(Latencies, AreCountedAtTheFirstBoundThatIsNotShorter) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  histogram.note(0ns);
  histogram.note(100us);
  histogram.note(100us + 1ns);
  histogram.note(10s);
  histogram.note(10s + 1ns);
  EXPECT_EQ(histogram.counts()[0], 2U);
  EXPECT_EQ(histogram.counts()[1], 1U);
  EXPECT_EQ(histogram.counts()[15], 1U);
  EXPECT_EQ(histogram.counts()[16], 1U);
  EXPECT_EQ(histogram.count(), 5U);
  EXPECT_EQ(histogram.sum(), 20s + 200us + 2ns);
}

TEST(Latencies, HaveBoundsThatRise) {
  for (std::size_t i = 1; i < LatencyHistogram::bounds.size(); ++i)
    EXPECT_LT(LatencyHistogram::bounds[i - 1], LatencyHistogram::bounds[i]);
}

}  // namespace
}  // namespace raftlab::net
