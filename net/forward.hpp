#pragma once

#include "kv/service.hpp"
#include "raft/types.hpp"

#include <cstddef>
#include <optional>
#include <vector>

/// Requests of clients and their answers as bytes, for the way between a node and its leader (net/forward.proto).
namespace raftlab::net {

/// Of a command: only those are forwarded.
[[nodiscard]] std::vector<std::byte> encode(const kv::Request& request);
/// Without values: those are of reads.
[[nodiscard]] std::vector<std::byte> encode(const kv::Answer& answer);

/// None when the bytes are no request that `encode` makes of a sound command. Every byte is taken for hostile.
[[nodiscard]] std::optional<kv::Request> decode_request(raft::Bytes bytes);
/// Likewise.
[[nodiscard]] std::optional<kv::Answer> decode_answer(raft::Bytes bytes);

}  // namespace raftlab::net
