#pragma once

#include "net/http_body.hpp"
#include "net/http_head.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace raftlab::net {

/// Bytes of a connection become requests. Stricter than the standard where two readers might see two things in the same bytes
/// (request smuggling): HTTP/1.1 alone, every line ends in CRLF, no line is folded, one Content-Length or the one
/// Transfer-Encoding `chunked`. Beast parses the heads that have passed.
///
/// Memory: `header_bytes_max` for what has not been parsed, and the bytes of a body that have arrived.
class HttpParser {
 public:
  enum class Progress : std::uint8_t {
    needs_bytes,
    head,      ///< `head` is there, the body is not: told once for each request
    complete,  ///< `head` and `body` are there
    refused,   ///< what came is no request; nothing more is parsed
  };

  explicit HttpParser(const HttpLimits& limits);

  /// Where the next bytes go; never empty when `next` has asked for bytes.
  [[nodiscard]] std::span<std::byte> room();
  void filled(std::size_t bytes);

  /// After `complete` begins with the request behind.
  [[nodiscard]] Progress next();

  [[nodiscard]] HttpHead& head() { return head_; }
  [[nodiscard]] const std::string& body() const { return body_->text(); }
  [[nodiscard]] std::string take_body() { return body_->take_text(); }
  [[nodiscard]] const HttpRefusal& refusal() const { return *refusal_; }

  /// Some bytes of a request are here, but not all.
  [[nodiscard]] bool in_request() const { return body_.has_value() || end_ != begin_; }
  [[nodiscard]] bool in_body() const { return body_.has_value(); }
  /// Bytes that are here and not parsed.
  [[nodiscard]] std::size_t unparsed() const { return end_ - begin_; }
  /// Of the body that is being read.
  [[nodiscard]] std::size_t body_bytes() const { return body_ ? body_->text().size() : 0; }
  /// Lets go of everything.
  void clear();

 private:
  Progress next_head();
  Progress next_body();
  Progress refuse(unsigned status, const char* code, const char* message);
  /// The length of the head, once it is here and sound as bytes.
  std::optional<std::size_t> scan();
  bool scan_line(std::size_t length);

  HttpLimits limits_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  // Of the head that is being scanned, from `begin_`.
  std::size_t scanned_ = 0;
  std::size_t line_ = 0;  // where it begins
  std::size_t lines_ = 0;
  HttpHead head_;
  std::optional<HttpBody> body_;  ///< of the request whose head is there
  bool is_told_ = false;          ///< that the request is complete
  std::optional<HttpRefusal> refusal_;
};

}  // namespace raftlab::net
