#pragma once

#include "net/http_head.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace raftlab::net {

/// What a server that is asked knows of itself.
struct HttpRules {
  bool tls = true;
  /// DNS names by which clients without TLS may call it, besides `localhost` and addresses.
  std::vector<std::string> names;
};

/// What is wrong with a request before anybody looks at what it asks for: methods that are not served, hosts that are not ours
/// (DNS rebinding), pages of other sites, bodies that cannot be read.
[[nodiscard]] std::optional<HttpRefusal> objection_to(const HttpHead& head, const HttpRules& rules);

/// The host of a Host field (RFC 9110 §7.2), without its port. None: no such thing.
[[nodiscard]] std::optional<std::string_view> host_of(std::string_view field);

}  // namespace raftlab::net
