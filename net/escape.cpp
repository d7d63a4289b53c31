#include "net/escape.hpp"

namespace raftlab::net {

std::string escaped(std::string_view text, std::size_t bytes_max) {
  constexpr std::string_view digits = "0123456789abcdef";
  constexpr std::string_view more = "...";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x20 && byte < 0x7f && c != '\\';
    const std::size_t size = plain ? 1 : 4;
    if (result.size() + size > bytes_max) return result.append(more);
    if (plain) {
      result += c;
    } else {
      result += "\\x";
      result += digits[byte >> 4U];
      result += digits[byte & 0xfU];
    }
  }
  return result;
}

}  // namespace raftlab::net
