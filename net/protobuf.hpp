#pragma once

#include "raft/types.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

/// Messages of protobuf as bytes, for the .cpp files of net/.
namespace raftlab::net {

template <class Message>
[[nodiscard]] std::vector<std::byte> bytes_of(const Message& message) {
  std::vector<std::byte> bytes(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(bytes.data()));
  return bytes;
}

template <class Message>
[[nodiscard]] bool parse(raft::Bytes bytes, Message& message) {
  return bytes.size() <= std::numeric_limits<int>::max() &&
         message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace raftlab::net
