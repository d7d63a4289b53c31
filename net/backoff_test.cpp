#include "net/backoff.hpp"

#include <gtest/gtest.h>

namespace raftlab::net {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToItsLongestAndBeginsAgain) {
  Backoff highest(100ms, 500ms, [] { return std::uint64_t{50}; });
  EXPECT_EQ(highest.next(), 100ms);
  Backoff lowest(100ms, 500ms, [] { return std::uint64_t{0}; });
  for (const auto expected : {50ms, 100ms, 200ms, 250ms, 250ms}) EXPECT_EQ(lowest.next(), expected);
  lowest.reset();
  EXPECT_EQ(lowest.next(), 50ms);
}

TEST(Backoff, StaysWithinTheUpperHalf) {
  std::uint64_t draw = 1;
  Backoff backoff(64ms, 64ms, [&] { return draw *= 0x9e3779b97f4a7c15ULL; });
  bool different = false;
  const auto first = backoff.next();
  for (int i = 0; i < 200; ++i) {
    const auto next = backoff.next();
    EXPECT_GE(next, 32ms);
    EXPECT_LE(next, 64ms);
    different = different || next != first;
  }
  EXPECT_TRUE(different);
}

}  // namespace
}  // namespace raftlab::net
