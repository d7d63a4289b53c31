#include "reports/format.hpp"

#include <algorithm>
#include <iterator>

namespace raftlab::reports {
namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

struct Characters {
  std::uint32_t first;
  std::uint32_t last;
};

/// What is drawn over the character before it: combining marks, joiners, variation selectors.
constexpr Characters without_column[] = {
    {0x0300, 0x036f}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};

/// Wide and Fullwidth of Unicode's East Asian Width in whole blocks: CJK, Hangul, Kana, full-width forms, emoji.
constexpr Characters of_two_columns[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x4dbf},   {0x4e00, 0xa4cf},   {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};

/// A character as a terminal takes it; a byte that belongs to none counts as one.
struct Character {
  std::size_t bytes;
  std::size_t columns;
};

/// The first one of a text that is not empty.
Character first_character(std::string_view text) {
  const std::size_t bytes = character_bytes(text);
  if (bytes < 2) return {1, 1};
  std::uint32_t code = static_cast<unsigned char>(text[0]) & (0xffU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) code = code << 6U | (static_cast<unsigned char>(text[i]) & 0x3fU);
  const auto holds_code = [code](const Characters& range) {
    return range.first <= code && code <= range.last;
  };
  if (std::any_of(std::begin(without_column), std::end(without_column), holds_code)) return {bytes, 0};
  return {bytes, std::any_of(std::begin(of_two_columns), std::end(of_two_columns), holds_code) ? 2U : 1U};
}

/// The bytes of the first `width` columns.
std::size_t bytes_of(std::string_view text, std::size_t width) {
  std::size_t at = 0;
  for (std::size_t column = 0; at < text.size();) {
    const Character character = first_character(text.substr(at));
    column += character.columns;
    if (column > width) break;
    at += character.bytes;
  }
  return at;
}

std::string two_digits(std::int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); }

/// number / unit with three significant digits, in integers so that it is the same everywhere.
std::string significant(std::uint64_t number, std::uint64_t unit) {
  const std::uint64_t whole = number / unit;
  if (whole >= 100) return std::to_string(whole);
  const std::uint64_t hundredths = (number % unit) * 100 / unit;
  if (whole >= 10) return std::to_string(whole) + "." + std::to_string(hundredths / 10);
  return std::to_string(whole) + "." + two_digits(static_cast<std::int64_t>(hundredths));
}

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string rounded(std::uint64_t number) {
  if (number < 10'000) return grouped(number);
  if (number < 1'000'000) return significant(number, 1'000) + " k";
  if (number < 1'000'000'000) return significant(number, 1'000'000) + " M";
  return significant(number, 1'000'000'000) + " G";
}

std::string tenths(std::uint64_t number) { return grouped(number / 10) + "." + std::to_string(number % 10); }

std::string seconds(std::int64_t ns) {
  const std::string sign = ns < 0 ? "-" : "";
  const auto bits = static_cast<std::uint64_t>(ns);
  const std::uint64_t ms = (ns < 0 ? 0 - bits : bits) / 1'000'000;
  const std::string rest = std::to_string(ms % 1000);
  return sign + grouped(ms / 1000) + "." + std::string(3 - rest.size(), '0') + rest + " s";
}

std::string span(std::int64_t ns) {
  if (ns < 0) return "0 s";
  const std::int64_t whole = ns / ns_per_second;
  if (whole >= 3600)
    return grouped(static_cast<std::uint64_t>(whole / 3600)) + " h " + two_digits(whole / 60 % 60) + " m";
  if (whole >= 60) return std::to_string(whole / 60) + " m " + two_digits(whole % 60) + " s";
  const auto number = static_cast<std::uint64_t>(ns);
  if (whole >= 1) return tenths(number / 100'000'000) + " s";
  if (number >= 1'000'000) return significant(number, 1'000'000) + " ms";
  return std::to_string(number / 1'000) + " us";
}

std::string counted(std::uint64_t number, std::string_view singular, std::string_view plural) {
  return grouped(number) + " " + std::string(number == 1 ? singular : plural);
}

std::string hexadecimal(std::uint64_t number) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 16; i-- > 0; number >>= 4U) text[i] = digits[number & 0xfU];
  return text;
}

std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    const Character character = first_character(text);
    count += character.columns;
    text.remove_prefix(character.bytes);
  }
  return count;
}

std::string left(std::string_view text, std::size_t width) {
  const std::size_t used = columns(text);
  return std::string(text) + std::string(used < width ? width - used : 0, ' ');
}

std::string right(std::string_view text, std::size_t width) {
  const std::size_t used = columns(text);
  return std::string(used < width ? width - used : 0, ' ') + std::string(text);
}

std::string fit(std::string_view text, std::size_t width) {
  if (columns(text) <= width) return std::string(text);
  if (width == 0) return "";
  return std::string(text.substr(0, bytes_of(text, width - 1))) + "…";
}

std::string wrap(std::string_view text, std::size_t indent, std::size_t width) {
  const std::size_t room = width > indent + 8 ? width - indent : 8;
  std::string result;
  while (columns(text) > room) {
    const std::size_t limit = bytes_of(text, room);
    // The blank may stand right behind the last column.
    std::size_t at = text.rfind(' ', limit);
    if (at == std::string_view::npos || at == 0) at = limit;
    const std::size_t last = text.find_last_not_of(' ', at - 1);
    const std::string_view line = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
    text.remove_prefix(std::min(text.find_first_not_of(' ', at), text.size()));
    result += line;
    if (!line.empty() && !text.empty()) result += "\n" + std::string(indent, ' ');
  }
  return result + std::string(text);
}

std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if (!continues_character(text[i])) return 0;
  }
  // Overlong forms, surrogates, and what lies behind the last plane.
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) > 0x9f) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;
  return size;
}

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t size = character_bytes(text);
    const auto first = static_cast<unsigned char>(text[0]);
    // U+0080 to U+009F steer a terminal as well.
    const bool control = first < 0x20 || first == 0x7f || (first == 0xc2 && size == 2 && text[1] < '\xa0');
    if (size == 0 || control)
      result += first == '\n' || first == '\t' ? ' ' : '?';
    else
      result += text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return result;
}

}  // namespace raftlab::reports
