#pragma once

#include "net/reason.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace raftlab::net {

/// What a server for clients has counted since it was made; `connections` are those of now.
struct HttpCounters {
  std::uint64_t connections = 0;
  std::uint64_t accepted = 0;
  std::uint64_t requests = 0;                    ///< that were read to their end
  std::array<std::uint64_t, 6> answers{};        ///< by the first digit of the status; interim ones at 1
  std::array<std::uint64_t, reasons> refused{};  ///< by Reason: requests that nobody was asked about
  std::array<std::uint64_t, reasons> handshake_failures{};  ///< by Reason
  std::uint64_t evicted = 0;                                ///< idle connections that gave way to others
  std::uint64_t events_suppressed = 0;                      ///< beyond one for each reason and second
  std::uint64_t reloads = 0;
  std::uint64_t reload_failures = 0;

  [[nodiscard]] std::uint64_t failures(Reason reason) const {
    return handshake_failures[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t refusals(Reason reason) const {
    return refused[static_cast<std::size_t>(reason)];
  }
};

}  // namespace raftlab::net
