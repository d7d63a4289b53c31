#include "net/http_body.hpp"

#include <algorithm>

namespace raftlab::net {
namespace {

constexpr std::uint32_t digits_max = 16;

std::optional<std::uint64_t> hexadecimal(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint64_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint64_t>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<std::uint64_t>(c - 'A') + 10;
  return std::nullopt;
}

}  // namespace

HttpBody::HttpBody(const HttpHead& head, std::uint64_t bytes_max)
    : bytes_max_(bytes_max),
      chunked_(head.chunked),
      next_(head.chunked      ? Next::size
            : head.has_body() ? Next::data
                              : Next::nothing) {
  if (chunked_) return;
  rest_ = head.content_length.value_or(0);
  if (rest_ > bytes_max_) refuse(413, "too_large", "the body is longer than the longest request needs");
}

std::size_t HttpBody::take(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && !is_complete() && !refusal_) {
    if (next_ != Next::data) {
      if (step(bytes[taken])) ++taken;
      continue;
    }
    const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(rest_, bytes.size() - taken));
    text_.append(bytes.substr(taken, size));
    taken += size;
    rest_ -= size;
    if (rest_ == 0) next_ = chunked_ ? Next::chunk_end : Next::nothing;
  }
  return taken;
}

/// False: the body is refused.
bool HttpBody::step(char c) {
  const auto expect = [&](char expected, Next then) {
    if (c != expected) return refuse(400, "bad_framing", "a chunk does not end where it says");
    next_ = then;
    return true;
  };
  switch (next_) {
    case Next::size:
      if (const auto digit = hexadecimal(c)) {
        if (++digits_ > digits_max) return refuse(400, "bad_framing", "the size of a chunk is too long");
        rest_ = rest_ * 16 + *digit;
        return true;
      }
      if (digits_ == 0 || c != '\r')
        return refuse(400, "bad_framing", "the size of a chunk is a hexadecimal number, and nothing else");
      next_ = Next::size_end;
      return true;
    case Next::size_end: return expect('\n', Next::data) && end_size();
    case Next::chunk_end: return expect('\r', Next::chunk_end_2);
    case Next::chunk_end_2: return expect('\n', Next::size);
    case Next::end: return expect('\r', Next::end_2);
    case Next::end_2: return expect('\n', Next::nothing);
    case Next::data:
    case Next::nothing: break;
  }
  return true;
}

bool HttpBody::end_size() {
  digits_ = 0;
  if (rest_ == 0) next_ = Next::end;
  if (rest_ > bytes_max_ - text_.size())
    return refuse(413, "too_large", "the body is longer than the longest request needs");
  return true;
}

bool HttpBody::refuse(unsigned status, const char* code, const char* message) {
  refusal_ = HttpRefusal{status, code, message};
  return false;
}

}  // namespace raftlab::net
