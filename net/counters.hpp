#pragma once

#include "net/reason.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace raftlab::net {

/// Why a message that was handed to `send` did not go out.
enum class Drop : std::uint8_t {
  no_peer,      ///< not a member, or this node itself
  link_down,    ///< no link, and none is being made at the moment
  queue_full,   ///< the peer reads more slowly than we write
  link_broken,  ///< it waited for a link that was not made, or that broke
};
inline constexpr std::size_t drops = static_cast<std::size_t>(Drop::link_broken) + 1;
[[nodiscard]] const char* name(Drop drop);

/// What a transport has counted since it was made; `links_*` and `pending` are what is now.
struct Counters {
  std::uint64_t links_out = 0;  ///< dialled by us: we send on them
  std::uint64_t links_in = 0;   ///< accepted by us: we receive on them
  std::uint64_t pending = 0;    ///< accepted connections that have not said who they are
  std::uint64_t accepted = 0;
  std::uint64_t dialled = 0;
  std::uint64_t reconnects = 0;                             ///< links to a peer after the first one
  std::array<std::uint64_t, reasons> handshake_failures{};  ///< by Reason; both directions
  std::array<std::uint64_t, reasons> links_closed{};        ///< by Reason; both directions
  std::array<std::uint64_t, drops> dropped{};               ///< by Drop
  std::uint64_t frames_in = 0;
  std::uint64_t frames_out = 0;
  std::uint64_t bytes_in = 0;  ///< of frames, without what TLS adds
  std::uint64_t bytes_out = 0;
  std::uint64_t events_suppressed = 0;  ///< beyond one for each reason and second
  std::uint64_t reloads = 0;
  std::uint64_t reload_failures = 0;

  [[nodiscard]] std::uint64_t failures(Reason reason) const {
    return handshake_failures[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t closed(Reason reason) const {
    return links_closed[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t drops_by(Drop drop) const { return dropped[static_cast<std::size_t>(drop)]; }
};

}  // namespace raftlab::net
