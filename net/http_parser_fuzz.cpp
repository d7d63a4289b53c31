#include "net/http_parser.hpp"

#include "net/http_checks.hpp"
#include "raft/types.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace raftlab;

/// All requests of the bytes, as a text, when they come in pieces of this size.
std::string requests_of(raft::Bytes bytes, std::size_t piece) {
  net::HttpParser parser(net::HttpLimits{
      .header_bytes_max = 512, .target_bytes_max = 100, .fields_max = 10, .body_bytes_max = 1000});
  std::string found;
  for (;;) {
    switch (parser.next()) {
      case net::HttpParser::Progress::needs_bytes: {
        if (bytes.empty()) return found + (parser.in_request() ? "..." : "");
        const auto room = parser.room();
        if (room.empty()) std::abort();
        const std::size_t count = std::min({piece, room.size(), bytes.size()});
        std::copy_n(bytes.begin(), count, room.begin());
        parser.filled(count);
        bytes = bytes.subspan(count);
        break;
      }
      case net::HttpParser::Progress::head: {
        const net::HttpHead& head = parser.head();
        if (head.target.size() > 100 || head.fields.size() > 10) std::abort();
        if (head.chunked && head.content_length) std::abort();
        if (head.count("Content-Length") > 1 || head.count("Transfer-Encoding") > 1) std::abort();
        static_cast<void>(net::objection_to(head, net::HttpRules{}));
        break;
      }
      case net::HttpParser::Progress::complete: {
        const net::HttpHead& head = parser.head();
        if (parser.body().size() > 1000) std::abort();
        if (!head.chunked && parser.body().size() != head.content_length.value_or(0)) std::abort();
        found += head.method + ' ' + head.target + ' ' + std::to_string(head.keep_alive);
        for (const net::HttpField& field : head.fields) found += '|' + field.name + ':' + field.value;
        found += '[' + parser.body() + ']';
        break;
      }
      case net::HttpParser::Progress::refused:
        return found + '!' + std::to_string(parser.refusal().status) + parser.refusal().message;
    }
  }
}

}  // namespace

/// Any bytes are requests, or a refusal; and the same ones however they are cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // The first byte says how the rest is cut.
  const raft::Bytes bytes = std::as_bytes(std::span(data, size)).subspan(1);
  if (requests_of(bytes, std::size_t{data[0]} + 1) != requests_of(bytes, bytes.size() + 1)) std::abort();
  return 0;
}
