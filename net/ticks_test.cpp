#include "net/ticks.hpp"

#include <gtest/gtest.h>

namespace raftlab::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr milliseconds length{10};

TEST(Ticks, PassWhenTheirTimeHas) {
  Ticks ticks(length, milliseconds(100));
  EXPECT_EQ(ticks.take(milliseconds(100)), 0U);
  EXPECT_EQ(ticks.take(milliseconds(109)), 0U);
  EXPECT_EQ(ticks.take(milliseconds(110)), 1U);
  EXPECT_EQ(ticks.next(), milliseconds(120));
}

TEST(Ticks, PartsOfATickAreKept) {
  Ticks ticks(length, milliseconds(0));
  std::uint32_t taken = 0;
  for (int now = 0; now <= 1000; now += 7) taken += ticks.take(milliseconds(now));
  EXPECT_EQ(taken, 99U);  // the last look was at 994 ms
}

TEST(Ticks, AllOfThemPassAfterAPause) {
  Ticks ticks(length, milliseconds(0));
  EXPECT_EQ(ticks.take(milliseconds(2345)), 234U);
  EXPECT_EQ(ticks.take(milliseconds(2350)), 1U);
}

TEST(Ticks, AfterALongSleepOnlySoMany) {
  Ticks ticks(length, milliseconds(0));
  EXPECT_EQ(ticks.take(hours(24)), Ticks::at_once_max);
  EXPECT_EQ(ticks.take(hours(24) + milliseconds(9)), 0U);
  EXPECT_EQ(ticks.take(hours(24) + milliseconds(10)), 1U);
}

TEST(Ticks, TimeThatGoesBackwardsIsNoTime) {
  Ticks ticks(length, milliseconds(1000));
  EXPECT_EQ(ticks.take(milliseconds(10)), 0U);
  EXPECT_EQ(ticks.take(milliseconds(1010)), 1U);
}

TEST(Ticks, TheClockRuns) {
  const auto first = time_since_boot();
  EXPECT_GT(first, Ticks::Time(0));
  EXPECT_GE(time_since_boot(), first);
}

}  // namespace
}  // namespace raftlab::net
