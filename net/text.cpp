#include "net/text.hpp"

#include <boost/locale/utf.hpp>
#include <openssl/evp.h>

#include <cstddef>
#include <limits>
#include <stdexcept>

namespace raftlab::net {
namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

constexpr std::size_t most = std::numeric_limits<int>::max() / 2;  // what OpenSSL counts

}  // namespace

bool is_utf8(std::string_view bytes) {
  using boost::locale::utf::is_valid_codepoint;
  using Utf8 = boost::locale::utf::utf_traits<char>;
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at != end) {
    if (!is_valid_codepoint(Utf8::decode(at, end))) return false;
  }
  return true;
}

std::string to_base64(std::string_view bytes) {
  if (bytes.size() > most) throw std::length_error("too long for base64");
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a zero
  const int size = ::EVP_EncodeBlock(bytes_of(text), bytes_of(bytes), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0 || text.size() > most) return std::nullopt;
  if (text.empty()) return std::string();
  std::string bytes(text.size() / 4 * 3, '\0');
  if (::EVP_DecodeBlock(bytes_of(bytes), bytes_of(text), static_cast<int>(text.size())) < 0)
    return std::nullopt;
  bytes.resize(bytes.size() - (text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0));
  // OpenSSL takes more than the standard.
  if (to_base64(bytes) != text) return std::nullopt;
  return bytes;
}

}  // namespace raftlab::net
