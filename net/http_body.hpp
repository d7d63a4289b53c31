#pragma once

#include "net/http_head.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace raftlab::net {

/// The body of a request as it arrives. Chunks (RFC 9112 §7.1) are one to sixteen hexadecimal digits, without extensions, and
/// no fields follow the last one. Only what has arrived takes memory.
class HttpBody {
 public:
  /// Of a request whose lengths have been checked; refused at once when the length that it announces is too great.
  HttpBody(const HttpHead& head, std::uint64_t bytes_max);

  /// How many of these bytes belong to the body; none more once it is complete or refused.
  std::size_t take(std::string_view bytes);

  [[nodiscard]] bool is_complete() const { return next_ == Next::nothing; }
  [[nodiscard]] const std::optional<HttpRefusal>& refusal() const { return refusal_; }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::string take_text() { return std::exchange(text_, {}); }

 private:
  enum class Next : std::uint8_t {
    data,         ///< `rest_` bytes
    size,         ///< of a chunk: a digit, or the end of the line
    size_end,     ///< the LF of that
    chunk_end,    ///< CR behind the data of a chunk
    chunk_end_2,  ///< the LF of that
    end,          ///< CR behind the last chunk
    end_2,        ///< the LF of that
    nothing,
  };

  bool step(char c);
  bool end_size();
  bool refuse(unsigned status, const char* code, const char* message);

  std::uint64_t bytes_max_;
  bool chunked_;
  Next next_;
  std::uint64_t rest_ = 0;  ///< of the data, or the size of a chunk as far as it is known
  std::uint32_t digits_ = 0;
  std::string text_;
  std::optional<HttpRefusal> refusal_;
};

}  // namespace raftlab::net
