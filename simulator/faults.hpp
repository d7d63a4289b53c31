#pragma once

#include <array>
#include <cstdint>

namespace raftlab::simulator {

/// Every kind of fault that a run can inject, and the operator's changes that go on meanwhile. A campaign counts in how many seeds a kind was drawn and in how many it fired.
enum class Fault : std::uint8_t {
  message_loss,
  message_duplicate,
  message_late,  ///< delayed far beyond the others, hence reordered
  partition_halves,
  partition_isolate,   ///< one node alone
  partition_one_way,   ///< one node hears but is not heard, or the other way round
  partition_bridge,    ///< two halves with one node in both
  partition_ring,      ///< overlapping majorities: each node reaches its neighbours only
  partition_flapping,  ///< one node cut off and back in short turns
  process_kill,
  power_loss,
  torn_write,
  lost_write,
  lost_sectors,  ///< holes in what was not synced
  slow_sync,
  failed_sync,
  full_disk,
  bit_rot,
  pause,
  clock_drift,
  span,          ///< several inputs in one step
  client_loss,   ///< a request or an answer of a client is lost
  reconfigure,   ///< the leader is asked for other voters and learners
  transfer,      ///< the leader is asked to hand over
  snapshot_rot,  ///< of a file with a snapshot
};
inline constexpr std::size_t faults = 25;

[[nodiscard]] const char* name(Fault fault);

using FaultCounts = std::array<std::uint64_t, faults>;
using FaultRates = std::array<std::uint32_t, faults>;

}  // namespace raftlab::simulator
