#include "simulator/marks.hpp"

namespace raftlab::simulator {
namespace {

constexpr std::array<MarkInfo, mark_count> table = {{
    {Mark::two_leaders, "two-leaders", "a leader is elected while another node leads an older term"},
    {Mark::election_without_winner, "election-without-winner",
     "a candidate's election times out, and it tries again"},
    {Mark::candidate_yields, "candidate-yields", "a candidate hears that another node has won its term"},
    {Mark::vote_refused_for_log, "vote-refused-for-log",
     "a node that has its vote refuses it, because its own log is newer"},
    {Mark::vote_refused_for_lease, "vote-refused-for-lease",
     "a request for a vote of a later term is ignored, because a leader is heard"},
    {Mark::vote_never_sent, "vote-never-sent",
     "a vote still waits for the disk when the term moves on: nobody ever hears of it"},
    {Mark::leader_without_quorum, "leader-without-quorum",
     "a leader steps down within its term, because no quorum answers"},
    {Mark::figure_8, "figure-8",
     "a quorum holds an entry of an older term, which its leader must not commit by counting"},
    {Mark::commit_before_own_disk, "commit-before-own-disk",
     "a leader commits what its own disk does not hold yet"},
    {Mark::commit_by_older_leader, "commit-by-older-leader",
     "a leader moves its commit index while a later term has had a leader"},
    {Mark::log_conflict, "log-conflict", "a follower cuts entries off that its leader does not have"},
    {Mark::proposal_overwritten, "proposal-overwritten",
     "an entry is overwritten at the node that had accepted it from a client"},
    {Mark::window_full, "window-full", "a leader takes a proposal while a peer's window is full"},
    {Mark::deposed_while_joint, "deposed-while-joint",
     "a leader is deposed by a later term while its configuration is joint"},
    {Mark::joint_inherited, "joint-inherited",
     "a leader is elected whose joint configuration comes from another leader"},
    {Mark::joint_left_by_heir, "joint-left-by-heir",
     "a leader leaves a joint configuration that another leader had entered"},
    {Mark::change_overwritten, "change-overwritten",
     "a configuration that was in effect at a node is cut off its log"},
    {Mark::leader_removed_itself, "leader-removed-itself", "a leader commits its own removal and steps down"},
    {Mark::removed_node_stands, "removed-node-stands",
     "a node stands for election that is no voter of the last committed configuration"},
    {Mark::learner_promoted, "learner-promoted", "a change is committed that makes a learner a voter"},
    {Mark::promotion_refused, "promotion-refused",
     "a change is refused, because a learner lags too far behind"},
    {Mark::destroyed_replaced, "destroyed-replaced",
     "a node that was destroyed is no member any more, and a new one has its place"},
    {Mark::destroyed_leader_replaced, "destroyed-leader-replaced",
     "a node is replaced that led when it was destroyed"},
    {Mark::most_first_voters_destroyed, "most-first-voters-destroyed",
     "more than half of the first voters are destroyed, one after the other"},
    {Mark::transfer_succeeded, "transfer-succeeded", "the target of a transfer is elected by it"},
    {Mark::transfer_timed_out, "transfer-timed-out", "a transfer is given up after an election timeout"},
    {Mark::transfer_lost_target, "transfer-lost-target",
     "a transfer ends because its target is no voter any more"},
    {Mark::snapshot_over_conflict, "snapshot-over-conflict",
     "a snapshot is installed over a log that reaches as far and disagrees with it"},
    {Mark::snapshot_under_suffix, "snapshot-under-suffix",
     "a snapshot is installed, and the log behind it agrees and stays"},
    {Mark::snapshot_changes_members, "snapshot-changes-members",
     "an installed snapshot brings another configuration"},
    {Mark::snapshot_overtaken, "snapshot-overtaken",
     "a receiver begins a newer snapshot before the one under way is complete"},
    {Mark::snapshot_gives_way, "snapshot-gives-way",
     "a receiver begins an older snapshot of another leader in place of the one under way"},
    {Mark::snapshot_useless, "snapshot-useless",
     "a chunk arrives of a snapshot at or below the commit index"},
    {Mark::snapshot_newer_than_sent, "snapshot-newer-than-sent",
     "a leader takes a newer snapshot while it is sending the one before"},
    {Mark::receiver_restarted, "receiver-restarted",
     "a node restarts that had received a part of a snapshot"},
    {Mark::torn_record, "torn-record", "a torn record is cut off when a log is recovered"},
    {Mark::torn_hard_state, "torn-hard-state",
     "with the torn end of a log goes a term or a vote that nobody had heard of"},
    {Mark::start_refused, "start-refused", "a node refuses to start because of damage"},
    {Mark::snapshot_rot_survived, "snapshot-rot-survived",
     "a node starts although a bit of its snapshots has flipped"},
    {Mark::node_frozen, "node-frozen", "a write fails, and the node is done with for this life"},
    {Mark::disk_full, "disk-full", "a change of the log fails, because the disk is full"},
    {Mark::refused_as_overloaded, "refused-as-overloaded", "a proposal or a read is refused at a limit"},
    {Mark::retry_duplicate, "retry-duplicate",
     "a client that tries again is told that its command had taken effect before"},
    {Mark::outcome_unknown, "outcome-unknown", "a client never learns what became of its write"},
    {Mark::session_expired, "session-expired", "a client finds that its session was evicted"},
    {Mark::deposed_with_reads, "deposed-with-reads", "a leader ends while reads wait for a quorum"},
    {Mark::read_by_older_leader, "read-by-older-leader",
     "a read that was confirmed in time is released while a later term has had a leader"},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].mark) != i) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::span<const MarkInfo> marks() { return table; }

const MarkInfo& info(Mark mark) { return table[static_cast<std::size_t>(mark)]; }

}  // namespace raftlab::simulator
