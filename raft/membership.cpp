#include "raft/core.hpp"
#include "raft/turn.hpp"

#include <algorithm>
#include <utility>

/// Changes of the configuration by joint consensus: §6 of the paper, thesis §4.3. A change is two entries:
/// the joint configuration, in which both sides decide, and the incoming side alone, which any leader appends
/// once the joint one is committed. Both are in effect where they are appended (thesis §4.1), and no longer
/// when they are truncated.
namespace raftlab::raft {

// ---- Any node --------------------------------------------------------------------------------------------

/// A configuration is in effect as soon as it is in the log (thesis §4.1).
void Core::adopt_configuration(const EntryView& entry) {
  if (entry.kind != EntryKind::configuration) return;
  configurations_.push_back(ConfigurationAt{entry.id.index, *decode_configuration(entry.payload)});
  Leader* leader = leading();
  if (leader == nullptr) return;
  track_members(*leader);
  confirm_reads(*leader);  // the answers that are there may be enough now
}

// ---- Leader ----------------------------------------------------------------------------------------------

/// Exactly the members are tracked. A new one counts as heard from, so that the leader does not step down
/// before it could answer.
void Core::track_members(Leader& leader) const {
  std::vector<Progress> known = std::exchange(leader.peers, {});
  for (const Member& member : configuration().members) {
    const auto found = std::ranges::find(known, member.id, &Progress::id);
    if (found != known.end()) {
      leader.peers.push_back(std::move(*found));
      continue;
    }
    Progress& peer = leader.peers.emplace_back();
    peer.id = member.id;
    peer.next = log_.last().next();
    peer.recently_active = true;
    if (member.id == options_.id) peer.match = durable_;
  }
}

namespace {

/// The same voters decide before and after when only learners, names or addresses change: then one entry
/// does. It is appended even when nothing changes, so that a request that is made twice ends in the same way.
Configuration first_step(const Configuration& present, const Configuration& target) {
  return present.voters == target.voters ? target : joint_of(present, target);
}

}  // namespace

void Core::handle(Turn& turn, const ProposeConfiguration& propose) {
  if (const auto reason = objection_to(propose)) {
    turn.out.rejected.push_back(Rejected{propose.tag, *reason, leader_});
    return;
  }
  append_own(turn, EntryKind::configuration, encode(first_step(configuration(), propose.target)));
  turn.out.accepted.push_back(Accepted{propose.tag, log_.last_id()});
}

/// One change at a time, and none before the leader has committed in its term: two changes that do not know
/// of each other could lead to quorums that do not meet.
std::optional<Rejection> Core::objection_to(const ProposeConfiguration& propose) const {
  const auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return Rejection::not_leader;
  const Configuration& target = propose.target;
  if (target.joint() || decode_configuration(encode(target)) != target) return Rejection::bad_configuration;
  const std::vector<std::byte> payload = encode(first_step(configuration(), target));
  if (!decode_configuration(payload))
    return Rejection::bad_configuration;  // more members than one entry may have
  if (leader->handover) return Rejection::transferring;
  if (log_.term_at(commit_) != hard_.term) return Rejection::not_ready;
  if (configurations_.back().index > commit_ || configuration().joint()) return Rejection::change_in_flight;
  const bool lagging = std::ranges::any_of(target.voters, [&](NodeId node) { return lags_behind(node); });
  if (lagging && !propose.force) return Rejection::not_caught_up;
  if (leader->uncommitted_bytes + payload.size() > options_.limits.uncommitted_bytes_max)
    return Rejection::overloaded;
  return std::nullopt;
}

/// A learner of the present configuration with too little of the log. A node that is new altogether is not
/// asked for what it cannot have: who adds a voter in one go has decided so.
bool Core::lags_behind(NodeId node) const {
  if (!std::ranges::binary_search(configuration().learners, node)) return false;
  const std::vector<Progress>& peers = std::get<Leader>(role_).peers;
  const Index match = std::ranges::find(peers, node, &Progress::id)->match;
  return count_from_to(match.next(), log_.last()) > options_.limits.promotion_lag_entries_max;
}

/// A condition that is tested whenever the commit index has moved, not an event: so a joint configuration
/// that an earlier leader left behind is left, too, once this leader has committed in its term. No limit
/// holds it up.
bool Core::leave_joint_configuration(Turn& turn) {
  const bool committed = configurations_.back().index <= commit_ && log_.term_at(commit_) == hard_.term;
  if (!committed || !configuration().joint()) return false;
  append_own(turn, EntryKind::configuration, encode(incoming_side(configuration())));
  return true;
}

}  // namespace raftlab::raft
