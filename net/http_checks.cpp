#include "net/http_checks.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace raftlab::net {
namespace {

constexpr const char* bad_header = "bad_header";

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> texts) {
  return std::ranges::find(texts, text) != texts.end();
}

std::optional<HttpRefusal> check_method(const HttpHead& head) {
  if (is_one_of(head.method, {"CONNECT", "TRACE"}))
    return HttpRefusal{405, "method_not_allowed", "neither tunnels nor traces"};
  if (!is_one_of(head.method, {"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"}))
    return HttpRefusal{501, "method_unknown", "no method that this server knows"};
  if (is_one_of(head.method, {"GET", "HEAD"}) && head.has_body())
    return HttpRefusal{400, "unexpected_body", "a body where none has a meaning"};
  return std::nullopt;
}

/// Fields whose meaning is not clear when they stand twice.
std::optional<HttpRefusal> check_single(const HttpHead& head) {
  for (const char* name :
       {"Host", "Origin", "Expect", "Content-Type", "Content-Encoding", "Sec-Fetch-Site"}) {
    if (head.count(name) > 1)
      return HttpRefusal{400, bad_header, "a field stands twice that may stand only once"};
  }
  return std::nullopt;
}

bool is_address(std::string_view host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  return ::inet_pton(bracketed ? AF_INET6 : AF_INET, std::string(host).c_str(), address.data()) == 1;
}

/// A page that makes its own name point here (DNS rebinding) still says its own name. Under TLS the certificate has no such name,
/// and the browser does not get this far.
std::optional<HttpRefusal> check_host(const HttpHead& head, const HttpRules& rules) {
  const std::string* field = head.find("Host");
  if (field == nullptr) return HttpRefusal{400, bad_header, "Host is missing"};
  const std::optional<std::string_view> host = host_of(*field);
  if (!host) return HttpRefusal{400, bad_header, "Host is no host"};
  if (rules.tls || is_address(*host) || equals_without_case(*host, "localhost")) return std::nullopt;
  const auto is_host = [&](const std::string& name) { return equals_without_case(name, *host); };
  if (std::ranges::any_of(rules.names, is_host)) return std::nullopt;
  return HttpRefusal{403, "wrong_host", "this server does not go by that name"};
}

/// What a browser says about the page that asks. Other clients say nothing.
std::optional<HttpRefusal> check_site(const HttpHead& head, const HttpRules& rules) {
  constexpr HttpRefusal foreign{403, "cross_site", "asked for by a page of another site"};
  const std::string* origin = head.find("Origin");
  const std::string* host = head.find("Host");
  if (origin != nullptr && !equals_without_case(*origin, (rules.tls ? "https://" : "http://") + *host))
    return foreign;
  const std::string* site = head.find("Sec-Fetch-Site");
  if (site != nullptr && !is_one_of(*site, {"same-origin", "none"})) return foreign;
  return std::nullopt;
}

std::optional<HttpRefusal> check_body(const HttpHead& head) {
  const std::string* expect = head.find("Expect");
  if (expect != nullptr && !equals_without_case(*expect, "100-continue"))
    return HttpRefusal{417, "expectation_failed", "nothing but 100-continue can be expected"};
  const std::string* coding = head.find("Content-Encoding");
  if (coding != nullptr && !equals_without_case(*coding, "identity"))
    return HttpRefusal{415, "unsupported_encoding", "no Content-Encoding is understood"};
  const std::string* type = head.find("Content-Type");
  if (type == nullptr || !head.has_body()) return std::nullopt;
  std::string_view media = std::string_view(*type).substr(0, type->find(';'));
  while (media.ends_with(' ') || media.ends_with('\t')) media.remove_suffix(1);
  if (!equals_without_case(media, "application/json"))
    return HttpRefusal{415, "unsupported_type", "bodies are application/json"};
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> host_of(std::string_view field) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const bool bracketed = field.starts_with('[');
  const std::size_t bracket = field.find(']');
  if (bracketed && bracket == std::string_view::npos) return std::nullopt;
  const std::size_t colon = field.find(':', bracketed ? bracket : 0);
  const std::string_view host = field.substr(0, colon);
  if (colon != std::string_view::npos) {
    const std::string_view port = field.substr(colon + 1);
    if (port.size() > 5 || !std::ranges::all_of(port, digit)) return std::nullopt;
  }
  if (host.empty() || host.size() > 255) return std::nullopt;
  if (bracketed) return is_address(host) ? std::optional(host) : std::nullopt;
  const auto may_stand = [&](char c) { return digit(c) || letter(c) || c == '-' || c == '.' || c == '_'; };
  return std::ranges::all_of(host, may_stand) ? std::optional(host) : std::nullopt;
}

std::optional<HttpRefusal> objection_to(const HttpHead& head, const HttpRules& rules) {
  if (auto refusal = check_single(head)) return refusal;
  if (auto refusal = check_host(head, rules)) return refusal;
  if (auto refusal = check_site(head, rules)) return refusal;
  if (auto refusal = check_method(head)) return refusal;
  return check_body(head);
}

}  // namespace raftlab::net
