#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace raftlab::net {

/// Where a node listens: an IP address or a DNS name, and a port.
struct Address {
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const Address&, const Address&) = default;
};

/// "host:port" or "[2001:db8::1]:port". None for anything else; names are not looked up.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);

/// The way back, brackets included.
[[nodiscard]] std::string text_of(const Address& address);

}  // namespace raftlab::net
