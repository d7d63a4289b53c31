#pragma once

#include "net/json_body.hpp"
#include "net/requests.hpp"
#include "raft/configuration.hpp"

#include <string>
#include <string_view>
#include <variant>

/// The JSON bodies of requests to the HTTP API (docs/http-api.md). Besides what `JsonBody` refuses, no field is left over.
namespace raftlab::net {

template <class Content>
using Body = std::variant<Content, BodyError>;

/// `{"client_id", "seq", "value", "encoding"}`
[[nodiscard]] Body<Wish> put_body(std::string key, std::string_view body);
/// `{"client_id", "seq"}`, or nothing
[[nodiscard]] Body<Wish> delete_body(std::string key, std::string_view body);
/// `{"client_id", "seq", "expected", "value", "encoding"}`; `expected` may be null: the key does not exist
[[nodiscard]] Body<Wish> cas_body(std::string key, std::string_view body);
/// `{"client_id", "seq", "entries": [{"key", "key_encoding", "value", "encoding"}]}`
[[nodiscard]] Body<Wish> mput_body(std::string_view body);
/// `{"keys": [...], "key_encoding"}`
[[nodiscard]] Body<Wish> mget_body(std::string_view body);

struct ReconfigureBody {
  raft::Configuration target;
  bool force = false;
};
/// `{"members": [{"id", "name", "address", "learner"}], "force"}`
[[nodiscard]] Body<ReconfigureBody> reconfigure_body(std::string_view body);
/// `{"target": id}`
[[nodiscard]] Body<raft::NodeId> transfer_body(std::string_view body);
/// `{"read": "stale" | "read_index" | "lease"}`
[[nodiscard]] Body<kv::ReadPolicy> read_policy_body(std::string_view body);

/// As a field or a parameter of a query says it.
[[nodiscard]] std::optional<kv::ReadPolicy> read_policy(std::string_view text);
[[nodiscard]] const char* name(kv::ReadPolicy policy);

}  // namespace raftlab::net
