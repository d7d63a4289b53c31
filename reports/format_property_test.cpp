#include "reports/format.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace raftlab::reports {
namespace {

/// Words of letters of one to four bytes and up to two columns each, between single blanks.
rc::Gen<std::string> prose() {
  const auto letter =
      rc::gen::elementOf(std::vector<std::string>{"a", "b", "…", "é", "日", "\xf0\x9f\x98\x80"});
  const auto word = rc::gen::map(rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(letter)),
                                 [](const std::vector<std::string>& letters) {
                                   std::string text;
                                   for (const std::string& one : letters) text += one;
                                   return text;
                                 });
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(word),
                      [](const std::vector<std::string>& words) {
                        std::string text;
                        for (const std::string& one : words) text += (text.empty() ? "" : " ") + one;
                        return text;
                      });
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

/// Without blanks and line feeds.
std::string letters(std::string text) {
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\n'; }),
             text.end());
  return text;
}

RC_GTEST_PROP(FormatProperty, AGroupedNumberIsReadBack, (std::uint64_t number)) {
  std::string text = grouped(number);
  RC_ASSERT(text.front() != ',');
  for (std::size_t i = 0; i < text.size(); ++i) RC_ASSERT((text[i] == ',') == ((text.size() - i) % 4 == 0));
  text.erase(std::remove(text.begin(), text.end(), ','), text.end());
  RC_ASSERT(text == std::to_string(number));
}

RC_GTEST_PROP(FormatProperty, TenthsAreReadBack, (std::uint64_t number)) {
  std::string text = tenths(number);
  RC_ASSERT(text[text.size() - 2] == '.');
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == ',' || c == '.'; }),
             text.end());
  RC_ASSERT(std::stoull(text.substr(0, text.size() - 1)) == number / 10);
  RC_ASSERT(text.back() == static_cast<char>('0' + number % 10));
}

RC_GTEST_PROP(FormatProperty, HexadecimalDigitsAreReadBack, (std::uint64_t number)) {
  const std::string text = hexadecimal(number);
  RC_ASSERT(text.size() == 16U);
  RC_ASSERT(std::stoull(text, nullptr, 16) == number);
}

RC_GTEST_PROP(FormatProperty, ARoundedNumberIsRightInItsThreeDigits, ()) {
  const auto number = *rc::gen::inRange<std::uint64_t>(10'000, 1'000'000'000'000);
  const std::string text = rounded(number);
  const std::uint64_t unit = text.back() == 'k' ? 1'000 : text.back() == 'M' ? 1'000'000 : 1'000'000'000;
  RC_ASSERT(text.size() <= 6U);
  // In hundredths of the unit, cut and not rounded up.
  std::string digits = text.substr(0, text.size() - 2);
  const std::size_t point = digits.find('.');
  const std::size_t behind = point == std::string::npos ? 0 : digits.size() - point - 1;
  digits.erase(std::remove(digits.begin(), digits.end(), '.'), digits.end());
  std::uint64_t step = unit;
  for (std::size_t i = 0; i < behind; ++i) step /= 10;
  RC_ASSERT(std::stoull(digits) == number / step);
}

RC_GTEST_PROP(FormatProperty, SecondsAreReadBackInMilliseconds, (std::int64_t ns)) {
  std::string text = seconds(ns);
  RC_ASSERT(text.ends_with(" s"));
  const bool negative = text.front() == '-';
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c < '0' || c > '9'; }), text.end());
  const std::int64_t ms = std::stoll(text);
  RC_ASSERT((negative ? -ms : ms) == ns / 1'000'000);
}

RC_GTEST_PROP(FormatProperty, ASpanIsShortAndHasAUnit, (std::int64_t ns)) {
  const std::string text = span(ns);
  RC_ASSERT(text.size() <= std::string("2,562,047 h 47 m").size());
  RC_ASSERT(text.ends_with(" m") || text.ends_with(" s") || text.ends_with(" ms") || text.ends_with(" us"));
}

RC_GTEST_PROP(FormatProperty, APaddedTextIsAsWideAsItShouldBe, ()) {
  const std::string text = *prose();
  const auto width = *rc::gen::inRange<std::size_t>(0, 60);
  const std::size_t expected = std::max(columns(text), width);
  RC_ASSERT(columns(left(text, width)) == expected);
  RC_ASSERT(columns(right(text, width)) == expected);
  RC_ASSERT(left(text, width).starts_with(text));
  RC_ASSERT(right(text, width).ends_with(text));
}

RC_GTEST_PROP(FormatProperty, AFittedTextIsTheTextOrItsBeginning, ()) {
  const std::string text = *prose();
  const auto width = *rc::gen::inRange<std::size_t>(0, 60);
  const std::string fitted = fit(text, width);
  RC_ASSERT(columns(fitted) <= width);
  if (columns(text) <= width) {
    RC_ASSERT(fitted == text);
  } else if (width > 0) {
    // A wide character may leave a column empty.
    RC_ASSERT(columns(fitted) + 1 >= width);
    RC_ASSERT(fitted.ends_with("…"));
    RC_ASSERT(text.starts_with(fitted.substr(0, fitted.size() - std::string("…").size())));
  }
}

RC_GTEST_PROP(FormatProperty, AWrappedTextHasItsLettersAndNoWideLine, ()) {
  const std::string text = *prose();
  const auto indent = *rc::gen::inRange<std::size_t>(0, 20);
  const auto width = *rc::gen::inRange<std::size_t>(30, 100);
  const std::string wrapped = wrap(text, indent, width);
  RC_ASSERT(letters(wrapped) == letters(text));
  const auto all = lines(std::string(indent, ' ') + wrapped);
  for (const std::string& line : all) {
    RC_ASSERT(columns(line) <= width);
    RC_ASSERT(line.substr(0, indent) == std::string(indent, ' '));
  }
}

RC_GTEST_PROP(FormatProperty, AWrappedTextEndsNoLineWithABlank, ()) {
  const auto word = rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab    ")));
  const std::string text = *word;
  const auto all = lines(wrap(text, 2, 12));
  for (std::size_t i = 0; i + 1 < all.size(); ++i) RC_ASSERT(!all[i].ends_with(' '));
  // The last line of several has something on it.
  if (all.size() > 1) RC_ASSERT(letters(all.back()) != "");
}

/// Reads one character of UTF-8 by the table of RFC 3629; 0: there is none.
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : static_cast<unsigned char>(0);
  };
  const auto tail = [&](std::size_t i) { return byte(i) >= 0x80 && byte(i) <= 0xbf; };
  const unsigned char first = byte(0);
  if (first <= 0x7f) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first == 0xe0) return byte(1) >= 0xa0 && byte(1) <= 0xbf && tail(2) ? 3 : 0;
  if (first == 0xed) return byte(1) >= 0x80 && byte(1) <= 0x9f && tail(2) ? 3 : 0;
  if (first >= 0xe1 && first <= 0xef) return tail(1) && tail(2) ? 3 : 0;
  if (first == 0xf0) return byte(1) >= 0x90 && byte(1) <= 0xbf && tail(2) && tail(3) ? 4 : 0;
  if (first >= 0xf1 && first <= 0xf3) return tail(1) && tail(2) && tail(3) ? 4 : 0;
  if (first == 0xf4) return byte(1) >= 0x80 && byte(1) <= 0x8f && tail(2) && tail(3) ? 4 : 0;
  return 0;
}

RC_GTEST_PROP(FormatProperty, WhatIsPrintableIsUtf8WithoutControlCharacters, ()) {
  // Bytes that begin and continue characters are likelier to meet than in any text.
  const auto byte =
      rc::gen::oneOf(rc::gen::arbitrary<char>(),
                     rc::gen::elementOf(std::string("\xc2\x9b\x80\xe2\x82\xac\xf0\x9f\x98\x1b a")));
  const std::string text = printable(*rc::gen::container<std::string>(byte));
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_size(std::string_view(text).substr(at));
    RC_ASSERT(size != 0U);
    const auto first = static_cast<unsigned char>(text[at]);
    RC_ASSERT(first >= 0x20 && first != 0x7f);
    RC_ASSERT(first != 0xc2 || static_cast<unsigned char>(text[at + 1]) >= 0xa0);
    at += size;
  }
}

RC_GTEST_PROP(FormatProperty, WhatIsPrintableStaysAsItIs, ()) {
  const std::string text = *prose();
  RC_ASSERT(printable(text) == text);
  RC_ASSERT(printable(printable(text)) == printable(text));
}

}  // namespace
}  // namespace raftlab::reports
