#pragma once

#include <cstdint>

/// Every limit of the core, in one place. Reaching one is a defined outcome, named beside it.
namespace raftlab::raft {

/// Entries of one block, hence of one AppendEntries: a longer run goes out as several messages.
inline constexpr std::uint32_t block_entries_max = 64;

/// Payload area of a block; a larger single payload gets a block of its own.
inline constexpr std::uint32_t block_payload_bytes = 4096;

/// Greatest term of a received message; beyond: dropped. Terms are counted up one by one, so that no correct peer gets
/// there, and adding one to a term never overflows.
inline constexpr std::uint64_t term_max = 1ULL << 62U;

struct Limits {
  /// Payload of one proposal; beyond: rejected with `too_large`.
  std::uint32_t proposal_bytes_max = 1U << 20U;
  /// Payload of one AppendEntries; at least one entry always goes.
  std::uint32_t append_bytes_max = 64U << 10U;
  /// Appends in flight to a peer in replicate state; beyond: the peer waits for an acknowledgement.
  std::uint32_t window_messages = 64;
  /// Payload in flight to a peer in replicate state; beyond: as above.
  std::uint32_t window_bytes = 1U << 20U;
  /// Payload of uncommitted entries of the leader's term; beyond: proposals are rejected with `overloaded`.
  std::uint32_t uncommitted_bytes_max = 16U << 20U;
  /// Reads waiting at the leader; beyond: rejected with `overloaded`.
  std::uint32_t reads_max = 4096;
  /// Entries by which a learner may lag behind the leader when it becomes a voter; beyond: rejected with
  /// `not_caught_up`.
  std::uint64_t promotion_lag_entries_max = 1000;
  /// Behind a snapshot the log keeps so many entries before the snapshot's end, with so much payload, for peers that are a
  /// little late; what is older is compacted away.
  std::uint64_t tail_entries = 10'000;
  std::uint64_t tail_bytes = 16U << 20U;
  friend bool operator==(const Limits&, const Limits&) = default;
};

}  // namespace raftlab::raft
