#pragma once

#include "raft/core.hpp"
#include "simulator/chooser.hpp"
#include "simulator/event_queue.hpp"
#include "simulator/faults.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace raftlab::simulator {

/// Greatest term that a run may begin with: the ladder keeps terms modulo 2^48, and they rise from there.
inline constexpr std::uint64_t first_term_max = (1ULL << 48U) - (1ULL << 20U);

/// Everything that a run is made of besides the decisions: sizes, features, rates. Drawn from a seed (swarm testing),
/// read from a TOML file, or both: what the file leaves out is drawn, unless it says `base = "quiet"`.
struct Profile {
  std::string name = "default";
  std::uint32_t nodes = 5;  ///< 1..64
  std::uint32_t spares =
      0;  ///< of them, those with the highest numbers start outside of the cluster; below `nodes`
  /// Of the spares, those with the highest numbers are kept for an operator who replaces nodes that were destroyed for good. 0:
  /// there is no such operator. At most `spares`.
  std::uint32_t replacements = 0;
  std::uint32_t learners = 0;  ///< of them, those below the spares begin as learners; at least one votes

  // Time
  Time tick_ns = 10 * millisecond;
  std::uint32_t election_ticks = 15;
  std::uint32_t heartbeat_ticks = 5;
  Time fault_phase_ns = 20 * second;
  Time healing_ns_max = 30 * second;
  std::uint64_t steps_max = 20'000'000;  ///< budget; beyond: inconclusive
  std::uint32_t clock_drift_ppm = 0;     ///< each node's tick is slower or faster by up to this

  // Features of the core
  bool pre_vote = true;
  bool check_quorum = true;
  bool priorities = false;  ///< of three nodes in a row one has a high, one a low priority (`priority_of`)
  std::uint32_t stall_ticks = 50;  ///< a leader whose disk is silent for so long hands over; 0: never
  std::uint32_t window_messages = 64;
  std::uint32_t append_bytes_max = 64U << 10U;
  bool leases = false;                ///< have an effect with check-quorum only
  std::uint32_t lease_drift_ppm = 0;  ///< what leases take two clocks to drift apart at most
  std::uint32_t window_bytes = 1U << 20U;
  std::uint32_t uncommitted_bytes_max = 16U << 20U;
  std::uint32_t reads_max = 4096;
  std::uint64_t promotion_lag_entries_max = 1000;
  std::uint32_t proposal_bytes_max = 1U << 20U;

  // What each node's disk holds before its first start: simulator/starting_state.hpp
  std::uint64_t first_entries = 0;  ///< of an old log, behind the first configuration
  std::uint64_t first_term = 1;     ///< of its last entry
  std::uint64_t first_lag = 0;      ///< some logs end earlier, by up to so many entries
  bool first_joint = false;         ///< it ends in the middle of a change of the configuration

  // Snapshots
  std::uint64_t snapshot_entries = 0;  ///< applied behind the last one; 0: none is taken
  std::uint64_t tail_entries = 10'000;
  std::uint64_t tail_bytes = 16U << 20U;
  std::uint64_t snapshot_part_bytes = 256U << 10U;
  std::uint64_t snapshot_chunk_bytes = 256U << 10U;

  // Network
  Time delay_ns_min = 1 * millisecond;
  Time delay_ns_max = 10 * millisecond;
  Time late_ns_max = 200 * millisecond;
  std::uint32_t codec_ppm = 0;  ///< messages that go through the codec

  // Disk
  Time sync_ns_min = 200 * microsecond;
  Time sync_ns_max = 2 * millisecond;
  Time slow_sync_ns_max = 300 * millisecond;

  // Faults: messages, syncs, inputs and client messages per million; lost and torn writes per million crashes; the others
  // per million nemesis turns
  Time nemesis_turn_ns = 100 * millisecond;
  FaultRates rates{};
  Time partition_ns_max = 3 * second;
  Time down_ns_max = 2 * second;
  Time pause_ns_max = 1 * second;
  /// After the faults one cut in one direction stays until the cluster has made progress under it (V10). Only with pre-vote,
  /// check-quorum, three nodes or more, and no changes of the configuration: others need not survive it.
  bool healing_cut = false;

  // The operator
  Time notice_ns_max = 1 * second;  ///< until the operator has noticed that a node refuses to start
  Time patience_ns_max =
      300 * millisecond;  ///< until the operator looks again how far a replacement has come

  // Clients
  std::uint32_t clients = 6;
  std::uint32_t keys = 8;
  std::uint32_t value_bytes = 16;
  Time think_ns_max = 60 * millisecond;
  Time client_delay_ns_max = 2 * millisecond;
  Time client_timeout_ns = 400 * millisecond;
  std::uint32_t client_attempts = 4;
  std::uint32_t read_ppm = 400'000;
  std::uint32_t stale_read_ppm = 100'000;  ///< of the reads
  std::uint32_t lease_read_ppm = 0;        ///< of the reads that are not stale
  std::uint32_t follower_read_ppm = 0;  ///< of the reads that are not stale: to any node, not to the leader
  std::uint32_t deadline_ticks = 100;
  std::uint32_t sessions_max =
      0;  ///< at a time; beyond, one is evicted. 0: as many as the store takes by itself
  /// Instead of closed-loop clients: so many operations per virtual second at the current leader; 0: closed loop.
  std::uint64_t open_load_per_second = 0;

  [[nodiscard]] std::uint32_t rate(Fault fault) const { return rates[static_cast<std::size_t>(fault)]; }
  std::uint32_t& rate(Fault fault) { return rates[static_cast<std::size_t>(fault)]; }
  friend bool operator==(const Profile&, const Profile&) = default;
};

/// A profile drawn from the chooser: which faults exist, at which rates, which features are on. What is impossible at a size
/// is not drawn. `nodes` 0: the size is drawn from 1 to 9.
[[nodiscard]] Profile draw_profile(Chooser& chooser, std::uint32_t nodes);

/// True when the fault can happen in a cluster of this size without destroying more than a minority.
[[nodiscard]] bool possible(Fault fault, std::uint32_t nodes);

struct ProfileError {
  std::string message;
  std::uint32_t line = 0;  ///< 0: the file as a whole
  std::uint32_t column = 0;
};

/// The settings of a profile file over `base`. Unknown keys, wrong types and values out of range are errors.
[[nodiscard]] std::variant<Profile, ProfileError> parse_profile(const std::string& text, const Profile& base);

/// How far two clocks drift apart, in parts per million of the faster one's tick, when each of them drifts by up to this.
[[nodiscard]] std::uint32_t drift_apart_ppm(std::uint32_t clock_drift_ppm);

/// True when the profile asks for a cut in the healing phase, and its cluster must survive one.
[[nodiscard]] bool keeps_cut(const Profile& profile);

/// True when the members of the cluster are not always all nodes.
[[nodiscard]] bool changes_members(const Profile& profile);

/// The limits of the profile's cores.
[[nodiscard]] raft::Limits limits_of(const Profile& profile);
[[nodiscard]] raft::Priority priority_of(const Profile& profile, raft::NodeId node);

/// All settings, as a file that `parse_profile` reads back to an equal profile.
[[nodiscard]] std::string to_toml(const Profile& profile);

/// "loss 4 %, one-way cuts, power loss, pre-vote off": for one line of a report.
[[nodiscard]] std::string summary(const Profile& profile);

}  // namespace raftlab::simulator
