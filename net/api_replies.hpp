#pragma once

#include "net/api.hpp"
#include "net/host.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Answers as the HTTP API gives them.
namespace raftlab::net {

/// `{"error", "message"}`
[[nodiscard]] ApiReply error_reply(unsigned status, std::string_view code, std::string_view message);

/// What the request was, for the shape of its answer.
enum class Answers : std::uint8_t { write, session, one_key, keys };

/// `keys`: those that were read. `leader`: the address of the leader's API when the answer names a leader, and one is known.
[[nodiscard]] ApiReply reply_of(const kv::Answer& answer, Answers shape, const std::vector<std::string>& keys,
                                const std::optional<std::string>& leader);
[[nodiscard]] ApiReply reply_of(const kv::ChangeAnswer& answer);
[[nodiscard]] ApiReply reply_of(const HostStatus& status, raft::NodeId id, std::uint64_t cluster);

}  // namespace raftlab::net
