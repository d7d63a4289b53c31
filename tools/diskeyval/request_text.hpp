#pragma once

#include <string>
#include <string_view>

namespace raftlab::diskeyval {

/// Appends a request of HTTP/1.1 as it goes over the wire. The target is percent-encoded, the body JSON or empty.
inline void append_request(std::string& text, std::string_view method, std::string_view target,
                           std::string_view host, std::string_view body) {
  text += method;
  text += ' ';
  text += target;
  text += " HTTP/1.1\r\nHost: ";
  text += host;
  if (!body.empty()) text += "\r\nContent-Type: application/json";
  // Also of nothing, where something could be (RFC 9110, 8.6).
  if (!body.empty() || method == "POST" || method == "PUT") {
    text += "\r\nContent-Length: ";
    text += std::to_string(body.size());
  }
  text += "\r\n\r\n";
  text += body;
}

}  // namespace raftlab::diskeyval
