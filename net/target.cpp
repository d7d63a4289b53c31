#include "net/target.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace raftlab::net {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_unreserved(char c) {
  return is_letter_or_digit(c) || std::string_view("-._~").find(c) != std::string_view::npos;
}

/// What may stand in a segment as itself.
bool is_segment_character(char c) {
  return is_unreserved(c) || std::string_view("!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

std::optional<unsigned> hexadecimal(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

std::optional<std::string> decode(std::string_view text, std::string_view also) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c != '%') {
      if (!is_segment_character(c) && also.find(c) == std::string_view::npos) return std::nullopt;
      bytes.push_back(c);
      continue;
    }
    if (text.size() - at < 3) return std::nullopt;
    const auto high = hexadecimal(text[at + 1]);
    const auto low = hexadecimal(text[at + 2]);
    if (!high || !low) return std::nullopt;
    bytes.push_back(static_cast<char>(static_cast<std::uint8_t>(*high << 4U | *low)));
    at += 2;
  }
  return bytes;
}

/// Calls for each part between separators; false when one call does.
template <class Call>
bool for_each_part(std::string_view text, char separator, Call call) {
  for (;;) {
    const std::size_t end = text.find(separator);
    if (!call(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::optional<Target> parse_target(std::string_view text) {
  if (text.empty() || text.front() != '/') return std::nullopt;
  Target target;
  const std::size_t mark = text.find('?');
  const bool sound = for_each_part(text.substr(1, mark == std::string_view::npos ? mark : mark - 1), '/',
                                   [&](std::string_view segment) {
                                     auto decoded = decode(segment, "");
                                     if (decoded) target.path.push_back(std::move(*decoded));
                                     return decoded.has_value();
                                   });
  if (!sound) return std::nullopt;
  if (mark == std::string_view::npos || mark + 1 == text.size()) return target;
  const bool sound_query = for_each_part(text.substr(mark + 1), '&', [&](std::string_view part) {
    const std::size_t equals = part.find('=');
    auto name = decode(part.substr(0, equals), "/?");
    auto value = decode(equals == std::string_view::npos ? "" : part.substr(equals + 1), "/?");
    return name && value && target.query.emplace(std::move(*name), std::move(*value)).second;
  });
  if (!sound_query) return std::nullopt;
  return target;
}

std::string escape_segment(std::string_view bytes) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  for (const char c : bytes) {
    if (is_unreserved(c)) {
      text.push_back(c);
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(c);
    text.push_back('%');
    text.push_back(digits[byte >> 4U]);
    text.push_back(digits[byte & 15U]);
  }
  return text;
}

}  // namespace raftlab::net
