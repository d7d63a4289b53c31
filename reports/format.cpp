#include "reports/format.hpp"

namespace raftlab::reports {
namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

/// The bytes of the first `width` columns.
std::size_t bytes_of(std::string_view text, std::size_t width) {
  std::size_t at = 0;
  for (std::size_t column = 0; at < text.size(); ++at) {
    if (!continues_character(text[at]) && column++ == width) break;
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
  const std::uint64_t ms = static_cast<std::uint64_t>(ns < 0 ? -ns : ns) / 1'000'000;
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
  for (const char c : text) {
    if (!continues_character(c)) ++count;
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
    result += text.substr(0, at);
    result += "\n" + std::string(indent, ' ');
    text.remove_prefix(at);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  }
  return result + std::string(text);
}

std::string printable(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = c == '\n' || c == '\t' ? ' ' : '?';
  }
  return result;
}

}  // namespace raftlab::reports
