#pragma once

#include "net/api.hpp"
#include "net/identity.hpp"
#include "net/reason.hpp"

#include <optional>
#include <string>
#include <variant>

namespace raftlab::net {

/// Who is at the other end of a client's connection, and what that means.
struct HttpClient {
  ApiRole role = ApiRole::none;
  std::optional<Reason> objection;  ///< why every request is refused; none: none is for that
  std::string name;                 ///< the URI of the certificate; "": it has none that counts
};

/// Of a certificate that has been verified. A node is no client, and neither is who belongs to another cluster.
[[nodiscard]] HttpClient client_of(const std::variant<Identity, IdentityError>& certificate,
                                   ClusterId cluster);

}  // namespace raftlab::net
