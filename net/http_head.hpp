#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace raftlab::net {

/// One field of a request's head. Bytes of a stranger, without line ends.
struct HttpField {
  std::string name;
  std::string value;  ///< without the blanks around it
};

/// What stands before the body of a request (RFC 9112 §2 to §5).
struct HttpHead {
  std::string method;
  std::string target;
  std::vector<HttpField> fields;  ///< in the order in which they came
  bool keep_alive = true;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;

  [[nodiscard]] bool has_body() const { return chunked || content_length.value_or(0) > 0; }
  /// How many fields have this name, whatever the case of its letters.
  [[nodiscard]] std::size_t count(std::string_view name) const;
  /// The value of the first one; null: there is none.
  [[nodiscard]] const std::string* find(std::string_view name) const;
};

/// Letters of ASCII are the same in either case.
[[nodiscard]] bool equals_without_case(std::string_view left, std::string_view right);

/// Why a request is not taken, and nothing more is read on its connection. The texts are our own and stand for ever.
struct HttpRefusal {
  unsigned status = 400;
  const char* code = "";
  const char* message = "";
};

/// Where reading a request ends, whatever the client wants. Bytes; each is the greatest that is taken.
struct HttpLimits {
  std::size_t header_bytes_max = 16U << 10U;  ///< request line, fields and the empty line behind them
  std::size_t target_bytes_max = 8U << 10U;
  std::size_t fields_max = 100;
  std::uint64_t body_bytes_max = 0;
};

}  // namespace raftlab::net
