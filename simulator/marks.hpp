#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

/// Sometimes marks: rare meetings that a campaign should come by. A rung says what must always hold; a mark says that a
/// run has been where it could have fallen. docs/marks.md lists them.
namespace raftlab::simulator {

enum class Mark : std::uint8_t {
  // Elections
  two_leaders,
  election_without_winner,
  candidate_yields,
  vote_refused_for_log,
  vote_refused_for_lease,
  vote_never_sent,
  leader_without_quorum,
  // Log
  figure_8,
  commit_before_own_disk,
  commit_by_older_leader,
  log_conflict,
  proposal_overwritten,
  window_full,
  // Membership
  deposed_while_joint,
  joint_inherited,
  joint_left_by_heir,
  change_overwritten,
  leader_removed_itself,
  removed_node_stands,
  learner_promoted,
  promotion_refused,
  destroyed_replaced,
  destroyed_leader_replaced,
  most_first_voters_destroyed,
  // Transfer of the leadership
  transfer_succeeded,
  transfer_timed_out,
  transfer_lost_target,
  // Snapshots
  snapshot_over_conflict,
  snapshot_under_suffix,
  snapshot_changes_members,
  snapshot_overtaken,
  snapshot_gives_way,
  snapshot_useless,
  snapshot_newer_than_sent,
  receiver_restarted,
  // Disks and starts
  torn_record,
  torn_hard_state,
  start_refused,
  snapshot_rot_survived,
  node_frozen,
  disk_full,
  // Clients
  refused_as_overloaded,
  retry_duplicate,
  outcome_unknown,
  session_expired,
  deposed_with_reads,
  read_by_older_leader,
};
inline constexpr std::size_t mark_count = 47;

struct MarkInfo {
  Mark mark;
  const char* name;
  const char* sentence;
};

/// All marks, in the order of the enumeration.
[[nodiscard]] std::span<const MarkInfo> marks();
[[nodiscard]] const MarkInfo& info(Mark mark);

/// How often each mark fired.
using MarkCounts = std::array<std::uint64_t, mark_count>;

}  // namespace raftlab::simulator
