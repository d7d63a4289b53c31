#include "reports/format.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

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

TEST(Format, ALargeNumberIsCutAndNotRoundedUp) {
  EXPECT_EQ(rounded(0), "0");
  EXPECT_EQ(rounded(19'999), "19.9 k");
  EXPECT_EQ(rounded(999'999), "999 k");
  EXPECT_EQ(rounded(1'000'000), "1.00 M");
  EXPECT_EQ(rounded(999'999'999), "999 M");
  EXPECT_EQ(rounded(1'009'000'000), "1.00 G");
}

TEST(Format, TenthsHaveOneDigitBehindThePoint) {
  EXPECT_EQ(tenths(0), "0.0");
  EXPECT_EQ(tenths(9), "0.9");
  EXPECT_EQ(tenths(52), "5.2");
  EXPECT_EQ(tenths(123'456), "12,345.6");
}

TEST(Format, SecondsHaveThreeDigitsBehindThePoint) {
  EXPECT_EQ(seconds(999'999), "0.000 s");
  EXPECT_EQ(seconds(1'000'000), "0.001 s");
  EXPECT_EQ(seconds(60'042'000'000), "60.042 s");
  EXPECT_EQ(seconds(1'234'567'000'000'000), "1,234,567.000 s");
}

TEST(Format, SecondsReachFromTheLeastToTheGreatestNumber) {
  EXPECT_EQ(seconds(std::numeric_limits<std::int64_t>::max()), "9,223,372,036.854 s");
  EXPECT_EQ(seconds(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036.854 s");
}

TEST(Format, ASpanChangesItsUnitsAtTheirBounds) {
  EXPECT_EQ(span(0), "0 us");
  EXPECT_EQ(span(999), "0 us");
  EXPECT_EQ(span(1'000), "1 us");
  EXPECT_EQ(span(999'999), "999 us");
  EXPECT_EQ(span(1'000'000), "1.00 ms");
  EXPECT_EQ(span(999'999'999), "999 ms");
  EXPECT_EQ(span(1'000'000'000), "1.0 s");
  EXPECT_EQ(span(59'999'999'999), "59.9 s");
  EXPECT_EQ(span(60'000'000'000), "1 m 00 s");
  EXPECT_EQ(span(3'599'999'999'999), "59 m 59 s");
  EXPECT_EQ(span(3'600'000'000'000), "1 h 00 m");
  EXPECT_EQ(span(36'000'000'000'000'000), "10,000 h 00 m");
}

TEST(Format, ASpanBelowNothingIsNothing) { EXPECT_EQ(span(-1), "0 s"); }

TEST(Format, OneIsSingular) {
  EXPECT_EQ(counted(0, "seed", "seeds"), "0 seeds");
  EXPECT_EQ(counted(1, "seed", "seeds"), "1 seed");
  EXPECT_EQ(counted(2, "seed", "seeds"), "2 seeds");
  EXPECT_EQ(counted(1'000, "entry", "entries"), "1,000 entries");
}

TEST(Format, ADigestHasSixteenDigits) {
  EXPECT_EQ(hexadecimal(0), "0000000000000000");
  EXPECT_EQ(hexadecimal(0xabc), "0000000000000abc");
  EXPECT_EQ(hexadecimal(~std::uint64_t{0}), "ffffffffffffffff");
}

TEST(Format, ATextThatIsWideEnoughIsNotPadded) {
  EXPECT_EQ(left("abc", 3), "abc");
  EXPECT_EQ(left("abc", 2), "abc");
  EXPECT_EQ(right("abc", 0), "abc");
  EXPECT_EQ(right("", 2), "  ");
}

TEST(Format, ATextIsNotCutWithinACharacter) {
  EXPECT_EQ(fit("éé", 1), "…");
  EXPECT_EQ(fit("ééé", 2), "é…");
  EXPECT_EQ(fit("\xf0\x9f\x98\x80\xf0\x9f\x98\x80z", 4), "\xf0\x9f\x98\x80…");
}

TEST(Format, AWideCharacterTakesTwoColumns) {
  EXPECT_EQ(columns("日本"), 4U);
  EXPECT_EQ(columns("ａ한\xf0\x9f\x98\x80"), 6U);
  EXPECT_EQ(left("日本", 6), "日本  ");
  EXPECT_EQ(right("日本", 6), "  日本");
}

TEST(Format, AWideCharacterIsNotCutInHalf) {
  EXPECT_EQ(fit("日本語", 5), "日本…");
  EXPECT_EQ(fit("日本語", 4), "日…");
  EXPECT_EQ(fit("日本語", 1), "…");
  EXPECT_EQ(wrap("日本語日本語日本語", 0, 11), "日本語日本\n語日本語");
}

TEST(Format, ACombiningMarkTakesNoColumn) {
  EXPECT_EQ(columns("e\xcc\x81"), 1U);
  EXPECT_EQ(left("e\xcc\x81", 3), "e\xcc\x81  ");
  EXPECT_EQ(fit("e\xcc\x81", 1), "e\xcc\x81");
}

TEST(Format, AWordThatIsTooLongIsBrokenBetweenCharacters) {
  EXPECT_EQ(wrap("éééééééééééé", 2, 12), "éééééééééé\n  éé");
}

TEST(Format, ABreakTakesAllBlanksOfItsPlace) {
  EXPECT_EQ(wrap("0123456789    abc", 2, 12), "0123456789\n  abc");
  EXPECT_EQ(wrap("01234567    abc", 2, 12), "01234567\n  abc");
}

TEST(Format, BlanksAtTheEndGiveNoLineOfTheirOwn) {
  EXPECT_EQ(wrap("0123456789 ", 2, 12), "0123456789");
  EXPECT_EQ(wrap("0123456789 abc       ", 2, 12), "0123456789\n  abc       ");
}

TEST(Format, ALineHasRoomForEightColumnsAtLeast) {
  EXPECT_EQ(wrap("12345678901", 50, 40).substr(0, 9), "12345678\n");
}

TEST(Format, TheControlCharactersOfUnicodeDoNotReachATerminalEither) {
  // U+009B begins a command, as ESC [ does.
  EXPECT_EQ(printable("a\xc2\x9b"
                      "31mb"),
            "a?31mb");
  EXPECT_EQ(printable("\xc2\x80\xc2\x9f\xc2\xa0"), "??\xc2\xa0");
}

TEST(Format, BytesThatAreNoTextAreReplaced) {
  EXPECT_EQ(printable("a\x9b\xff\xe2\x82"), "a????");
  EXPECT_EQ(printable("·…é\xf0\x9f\x98\x80"), "·…é\xf0\x9f\x98\x80");
}

}  // namespace
}  // namespace raftlab::reports
