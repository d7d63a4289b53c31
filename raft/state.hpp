#pragma once

#include "raft/configuration.hpp"
#include "raft/log.hpp"
#include "raft/progress.hpp"
#include "raft/types.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// What a core shows of itself: to checkers, traces, status pages. Nothing here changes a core.
namespace raftlab::raft {

/// The scalar state of a core at one instant.
struct State {
  HardState hard;
  NodeId leader;  ///< of term hard.term, as far as known
  Role role = Role::follower;
  Index commit;
  Index applied;
  Index handed;    ///< given to the state machine, not yet reported as applied above `applied`
  Index durable;   ///< the log up to here is on stable storage
  LogId snapshot;  ///< the last entry that the present snapshot covers; (0,0): there is none
  LogId base;      ///< the log starts behind this entry, at or below the snapshot
  LogId last;
  WriteSeq issued;   ///< last write given out
  WriteSeq written;  ///< last write known to be durable
  ReadSeq read_issued;
  ReadSeq read_confirmed;
  std::uint32_t elapsed_ticks = 0;   ///< since the election timer was reset
  std::uint32_t deadline_ticks = 0;  ///< when it fires; 0 for a leader
  friend bool operator==(const State&, const State&) = default;
};

/// What one input of a span, or the flush at its end, changed. The state before is the `after` of the delta before.
struct Delta {
  std::uint32_t input = 0;  ///< position in the span; for the flush, the size of the span
  State after;
  Index truncated_from;  ///< the log was cut from here on; 0: it was not
  Index appended_from;   ///< entries from here to after.last are new; 0: none are
  /// A received snapshot was installed: `after.snapshot` is it. The log behind it stays when it agrees with it there;
  /// otherwise the log was cut above the commit index before, and starts from the snapshot now.
  bool installed = false;
  /// A leader's commit moved by a quorum of the configuration at this index (as `ConfigurationAt` has it).
  std::optional<Index> commit_configuration;
};

struct ConfigurationAt {
  Index
      index;  ///< of the configuration entry; for the first one, which comes from the snapshot, of the snapshot
  Configuration configuration;
  friend bool operator==(const ConfigurationAt&, const ConfigurationAt&) = default;
};

/// A read at a leader that waits for a quorum.
struct PendingRead {
  std::uint64_t tag = 0;          ///< of a requester's: that of its message
  ReadSeq round;                  ///< confirmed when a quorum answered this round
  Index index;                    ///< the commit index when the read arrived
  NodeId requester;               ///< who forwarded it; none: it is the leader's own
  std::uint64_t incarnation = 0;  ///< of the requester
  friend bool operator==(const PendingRead&, const PendingRead&) = default;
};

/// A read at a follower that waits for the leader's answer.
struct ForwardedRead {
  std::uint64_t tag = 0;
  ReadSeq round;  ///< of this follower's own: what its ReadIndex carries
  friend bool operator==(const ForwardedRead&, const ForwardedRead&) = default;
};

/// The rounds of a leader from this one on, up to the next such mark, began at this tick of its leadership.
struct RoundSent {
  ReadSeq round;
  std::uint64_t tick = 0;
  friend bool operator==(const RoundSent&, const RoundSent&) = default;
};

/// A view into a core, valid until it steps again.
struct View {
  NodeId id;
  State state;
  const Log* log = nullptr;
  std::span<const ConfigurationAt> configurations;  ///< oldest first; the last one is in effect
  std::span<const Progress> peers;                  ///< leader only: every member, by id
  std::span<const NodeId> granted;                  ///< (pre-)candidate only
  std::span<const NodeId> refused;                  ///< (pre-)candidate only
  std::span<const PendingRead> reads;               ///< leader only: those that wait for a quorum
  std::span<const ForwardedRead> forwarded;  ///< follower only: those that wait for the leader's answer
  std::size_t reads_confirmed = 0;           ///< reads that wait for the state machine only
  NodeId transferee;                         ///< leader only: to whom it hands over; 0: to nobody
  std::uint64_t uncommitted_bytes = 0;       ///< leader only: payload of own-term entries above commit
  std::uint32_t promise_ticks = 0;           ///< with leases: it votes for nobody for so long
  std::size_t held = 0;                      ///< messages that wait for the disk
  std::uint64_t dropped = 0;                 ///< messages dropped because no correct peer sends them
  bool faulty = false;
};

}  // namespace raftlab::raft
