#pragma once

#include "net/api.hpp"
#include "net/http_head.hpp"

#include <string>

namespace raftlab::net {

/// Everything of an answer before its body. A `Content-Type` among the reply's headers stands for the JSON that it is otherwise.
[[nodiscard]] std::string head_of(const ApiReply& reply, bool close);

/// As an answer of ours: JSON, and what its status asks for.
[[nodiscard]] ApiReply reply_of(const HttpRefusal& refusal);

}  // namespace raftlab::net
