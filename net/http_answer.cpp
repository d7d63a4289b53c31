#include "net/http_answer.hpp"

#include "net/api_replies.hpp"

#include <boost/beast/http/status.hpp>

#include <algorithm>

namespace raftlab::net {
namespace {

/// A line end in a field would begin another field, or another answer.
bool is_sound(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

std::string head_of(const ApiReply& reply, bool close) {
  const auto reason =
      boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(reply.status));
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + ' ';
  head.append(reason.data(), reason.size());
  head += "\r\nCache-Control: no-store\r\nContent-Length: " + std::to_string(reply.body.size()) + "\r\n";
  bool typed = false;
  for (const auto& [name, value] : reply.headers) {
    if (!is_sound(name) || !is_sound(value)) continue;
    typed = typed || equals_without_case(name, "Content-Type");
    head += name + ": " + value + "\r\n";
  }
  if (!typed) head += "Content-Type: application/json\r\n";
  // What a browser is shown by mistake is neither a page nor part of one.
  head += "X-Content-Type-Options: nosniff\r\n";
  if (close) head += "Connection: close\r\n";
  return head + "\r\n";
}

ApiReply reply_of(const HttpRefusal& refusal) {
  ApiReply reply = error_reply(refusal.status, refusal.code, refusal.message);
  if (refusal.status == 405) reply.headers.emplace_back("Allow", "GET, HEAD, PUT, POST, DELETE");
  if (refusal.status == 503) reply.headers.emplace_back("Retry-After", "1");
  return reply;
}

}  // namespace raftlab::net
