#include "reports/format.hpp"

#include <gtest/gtest.h>

namespace raftlab::reports {
namespace {

TEST(Format, NumbersHaveSeparatorsOfThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'000), "1,000");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
  EXPECT_EQ(grouped(18'446'744'073'709'551'615ULL), "18,446,744,073,709,551,615");
}

TEST(Format, LargeNumbersHaveThreeDigits) {
  EXPECT_EQ(rounded(9'999), "9,999");
  EXPECT_EQ(rounded(10'000), "10.0 k");
  EXPECT_EQ(rounded(123'456), "123 k");
  EXPECT_EQ(rounded(1'934'567), "1.93 M");
  EXPECT_EQ(rounded(96'400'000), "96.4 M");
  EXPECT_EQ(rounded(7'000'000'000), "7.00 G");
}

TEST(Format, TimesHaveUnits) {
  EXPECT_EQ(seconds(12'771'999'999), "12.771 s");
  EXPECT_EQ(seconds(0), "0.000 s");
  EXPECT_EQ(seconds(-1'500'000'000), "-1.500 s");
  EXPECT_EQ(span(210'000), "210 us");
  EXPECT_EQ(span(3'210'000), "3.21 ms");
  EXPECT_EQ(span(9'450'000'000), "9.4 s");
  EXPECT_EQ(span(724'000'000'000), "12 m 04 s");
  EXPECT_EQ(span(13'860'000'000'000), "3 h 51 m");
}

TEST(Format, AWidthIsInColumnsAndNotInBytes) {
  EXPECT_EQ(columns("a·b…"), 4U);
  EXPECT_EQ(left("·", 3), "·  ");
  EXPECT_EQ(right("·", 3), "  ·");
  EXPECT_EQ(fit("··········", 4), "···…");
  EXPECT_EQ(fit("abcd", 4), "abcd");
  EXPECT_EQ(fit("abcd", 0), "");
}

TEST(Format, ALineBreaksAtBlanks) {
  EXPECT_EQ(wrap("one two three", 2, 12), "one two\n  three");
  EXPECT_EQ(wrap("one two three four", 2, 15), "one two three\n  four");
  EXPECT_EQ(wrap("0123456789abcdef", 2, 12), "0123456789\n  abcdef");
  EXPECT_EQ(wrap("", 2, 12), "");
}

TEST(Format, ControlCharactersDoNotReachATerminal) {
  EXPECT_EQ(printable("a\x1b[31mb\nc\td\x7f"), "a?[31mb c d?");
}

}  // namespace
}  // namespace raftlab::reports
