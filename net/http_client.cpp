#include "net/http_client.hpp"

namespace raftlab::net {
namespace {

HttpClient stranger(Reason objection) {
  HttpClient client;
  client.objection = objection;
  return client;
}

}  // namespace

HttpClient client_of(const std::variant<Identity, IdentityError>& certificate, ClusterId cluster) {
  if (const auto* error = std::get_if<IdentityError>(&certificate)) {
    switch (*error) {
      case IdentityError::missing: return stranger(Reason::identity_missing);
      case IdentityError::ambiguous: return stranger(Reason::identity_ambiguous);
      case IdentityError::malformed:
      case IdentityError::too_many: break;
    }
    return stranger(Reason::identity_malformed);
  }
  const auto& identity = std::get<Identity>(certificate);
  HttpClient client;
  client.name = uri_of(identity);
  if (const auto* known = std::get_if<ClientIdentity>(&identity)) {
    client.role = known->role == ClientRole::admin ? ApiRole::admin : ApiRole::client;
    if (known->cluster != cluster) client.objection = Reason::cluster_mismatch;
  } else {
    client.objection = Reason::identity_role;
  }
  if (client.objection) client.role = ApiRole::none;
  return client;
}

}  // namespace raftlab::net
