#include "net/http_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

namespace raftlab::net {

namespace http = boost::beast::http;

namespace {

/// Of a request line besides its target: the method, the version and two blanks.
constexpr std::size_t request_line_rest_max = 64;

constexpr const char* malformed = "malformed";

/// What Beast finds in a head, which is measured before Beast sees it and then is here as a whole.
class HeadParser final : public http::basic_parser<true> {
 public:
  HeadParser() {
    header_limit(UINT32_MAX);
    eager(false);
    skip(true);  // the body is not for it
  }

  HttpHead head;

 private:
  using Text = boost::beast::string_view;
  using Error = boost::beast::error_code;

  void on_request_impl(http::verb /*verb*/, Text method, Text target, int /*version*/,
                       Error& /*error*/) override {
    head.method = std::string(method);
    head.target = std::string(target);
  }
  void on_field_impl(http::field /*field*/, Text name, Text value, Error& /*error*/) override {
    head.fields.push_back(HttpField{std::string(name), std::string(value)});
  }
  void on_response_impl(int /*code*/, Text /*reason*/, int /*version*/, Error& /*error*/) override {}
  void on_header_impl(Error& /*error*/) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/, Error& /*error*/) override {}
  std::size_t on_body_impl(Text bytes, Error& /*error*/) override { return bytes.size(); }
  void on_chunk_header_impl(std::uint64_t /*size*/, Text /*extensions*/, Error& /*error*/) override {}
  std::size_t on_chunk_body_impl(std::uint64_t /*rest*/, Text bytes, Error& /*error*/) override {
    return bytes.size();
  }
  void on_finish_impl(Error& /*error*/) override {}
};

/// Where Beast is lenient: it takes equal lengths that stand several times, and a Transfer-Encoding that it does not know for
/// none.
const char* framing_error(const HttpHead& head) {
  if (head.count("Content-Length") > 1) return "more than one Content-Length";
  if (const std::string* length = head.find("Content-Length")) {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (length->empty() || !std::ranges::all_of(*length, digit)) return "Content-Length is not a number";
  }
  if (head.count("Transfer-Encoding") > 1) return "more than one Transfer-Encoding";
  if (const std::string* coding = head.find("Transfer-Encoding")) {
    if (head.find("Content-Length") != nullptr) return "Content-Length and Transfer-Encoding";
    if (!equals_without_case(*coding, "chunked")) return "a Transfer-Encoding other than chunked";
  }
  return nullptr;
}

}  // namespace

HttpParser::HttpParser(const HttpLimits& limits) : limits_(limits), buffer_(limits.header_bytes_max) {}

std::span<std::byte> HttpParser::room() {
  if (begin_ != 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return std::as_writable_bytes(std::span(buffer_).subspan(end_));
}

void HttpParser::filled(std::size_t bytes) { end_ += bytes; }

void HttpParser::clear() {
  head_ = HttpHead();
  body_.reset();
  buffer_ = {};
  begin_ = end_ = 0;
}

HttpParser::Progress HttpParser::next() {
  if (refusal_) return Progress::refused;
  if (body_ && body_->is_complete() && is_told_) body_.reset();
  return body_ ? next_body() : next_head();
}

HttpParser::Progress HttpParser::next_head() {
  const std::optional<std::size_t> length = scan();
  if (refusal_) return Progress::refused;
  if (!length) return Progress::needs_bytes;
  HeadParser parser;
  boost::beast::error_code error;
  const std::size_t parsed = parser.put(boost::asio::const_buffer(buffer_.data() + begin_, *length), error);
  begin_ += *length;
  scanned_ = line_ = lines_ = 0;
  if (error == http::error::bad_content_length || error == http::error::multiple_content_length ||
      error == http::error::bad_transfer_encoding)
    return refuse(400, "bad_framing", "the length of the body is not clear");
  if (error || !parser.is_done() || parsed != *length) return refuse(400, malformed, "not a request");
  if (const char* problem = framing_error(parser.head)) return refuse(400, "bad_framing", problem);
  head_ = std::move(parser.head);
  head_.keep_alive = parser.keep_alive();
  head_.chunked = head_.find("Transfer-Encoding") != nullptr;
  if (const auto announced = parser.content_length()) head_.content_length = *announced;
  if (head_.target.size() > limits_.target_bytes_max)
    return refuse(414, "target_too_long", "the target is too long");
  body_.emplace(head_, limits_.body_bytes_max);
  is_told_ = false;
  if (body_->refusal()) return next_body();
  return Progress::head;
}

HttpParser::Progress HttpParser::next_body() {
  begin_ += body_->take(std::string_view(buffer_.data() + begin_, end_ - begin_));
  if (body_->refusal()) {
    refusal_ = *body_->refusal();
    return Progress::refused;
  }
  if (!body_->is_complete()) return Progress::needs_bytes;
  is_told_ = true;
  return Progress::complete;
}

HttpParser::Progress HttpParser::refuse(unsigned status, const char* code, const char* message) {
  refusal_ = HttpRefusal{status, code, message};
  return Progress::refused;
}

/// Goes over each byte once, however the head is cut into pieces.
std::optional<std::size_t> HttpParser::scan() {
  const char* const bytes = buffer_.data() + begin_;
  const std::size_t size = end_ - begin_;
  while (scanned_ < size) {
    const char c = bytes[scanned_];
    const bool after_return = scanned_ > line_ && bytes[scanned_ - 1] == '\r';
    if ((c == '\n') != after_return) {
      refuse(400, malformed, "a line does not end in CRLF");
      return std::nullopt;
    }
    ++scanned_;
    if (c == '\n') {
      const std::size_t length = scanned_ - 2 - line_;
      if (lines_ > 0 && length == 0) return scanned_;
      if (!scan_line(length)) return std::nullopt;
      continue;
    }
    if (lines_ > 0) continue;
    if (c != '\r' && (c < ' ' || c > '~')) {
      refuse(400, malformed, "not a request line");
      return std::nullopt;
    }
    if (scanned_ > limits_.target_bytes_max + request_line_rest_max) {
      refuse(414, "target_too_long", "the target is too long");
      return std::nullopt;
    }
  }
  if (size == buffer_.size()) refuse(431, "header_too_large", "the header is too large");
  return std::nullopt;
}

bool HttpParser::scan_line(std::size_t length) {
  const std::string_view line(buffer_.data() + begin_ + line_, length);
  if (lines_ == 0 && !line.ends_with(" HTTP/1.1")) {
    refuse(400, "bad_version", "HTTP/1.1 is spoken here, and nothing else");
  } else if (lines_ > 0 && (line.front() == ' ' || line.front() == '\t')) {
    refuse(400, malformed, "a line is folded");
  } else if (lines_ > limits_.fields_max) {
    refuse(431, "header_too_large", "the header has too many fields");
  }
  ++lines_;
  line_ = scanned_;
  return !refusal_;
}

}  // namespace raftlab::net
