#include "simulator/mark_watch.hpp"

#include "raft/quorum.hpp"

#include <algorithm>
#include <variant>

namespace raftlab::simulator {

using raft::Index;
using raft::LogId;
using raft::NodeId;
using raft::Role;
using raft::State;
using raft::trace::Step;

namespace {

constexpr std::size_t reigns_max = 256;

}  // namespace

void MarkWatch::started(NodeId node, const raft::Recovered& recovered, bool torn_tail) {
  Seen& seen = nodes_[node.value()];
  if (torn_tail) fire(Mark::torn_record);
  if (torn_tail && recovered.hard != seen.state.hard) fire(Mark::torn_hard_state);
  if (seen.receiving.index) fire(Mark::receiver_restarted);
  seen = Seen{};
  seen.up = true;
  seen.state.hard = recovered.hard;
  seen.state.snapshot = recovered.snapshot;
}

/// What it was is kept until it starts again, to be compared.
void MarkWatch::crashed(NodeId node) {
  nodes_[node.value()].up = false;
  nodes_[node.value()].state.role = Role::follower;
}

void MarkWatch::answered(const kv::Answer& answer) {
  if (answer.duplicate) fire(Mark::retry_duplicate);
  if (answer.status == kv::Status::overloaded) fire(Mark::refused_as_overloaded);
}

void MarkWatch::stepped(const Step& step) {
  Seen& seen = nodes_[step.node.value()];
  const State& now = step.view.state;
  hear(seen, step);
  see_messages(seen, step);
  see_output(seen, step);
  see_deltas(seen, step);
  if (seen.owed.term && now.hard.term > seen.owed.term) {
    fire(Mark::vote_never_sent);
    seen.owed = raft::HardState{};
  }
  if (now.role != seen.state.role || now.hard.term != seen.state.hard.term) see_role(seen, step);
  if (now.commit > seen.state.commit || now.last != seen.state.last) see_log(seen, step);
  if (now.role == Role::leader) see_leader(seen, step);
  if (now.snapshot.index >= seen.receiving.index) seen.receiving = LogId{};
  seen.state = now;
  seen.configuration = step.view.configurations.back().index;
  seen.joint = step.view.configurations.back().configuration.joint();
  seen.reads = !step.view.reads.empty();
}

/// What arrived and led to nothing.
void MarkWatch::hear(const Seen& seen, const Step& step) {
  const State& now = step.view.state;
  for (const raft::Input& input : step.inputs) {
    const auto* received = std::get_if<raft::Receive>(&input);
    if (received == nullptr) continue;
    const raft::Envelope& envelope = received->envelope;
    if (const auto* vote = std::get_if<raft::RequestVote>(&envelope.message)) {
      if (!vote->pre && envelope.term > now.hard.term) fire(Mark::vote_refused_for_lease);
    } else if (const auto* install = std::get_if<raft::InstallSnapshot>(&envelope.message)) {
      if (envelope.term == now.hard.term && install->last.index <= seen.state.commit)
        fire(Mark::snapshot_useless);
    }
  }
}

void MarkWatch::see_messages(Seen& seen, const Step& step) {
  const raft::HardState hard = step.view.state.hard;
  if (hard != seen.state.hard && hard.voted_for && hard.voted_for != step.node) seen.owed = hard;
  for (const raft::Envelope& message : step.output.messages) {
    if (const auto* vote = std::get_if<raft::RequestVote>(&message.message)) {
      if (!vote->pre && vote->transfer) seen.told_to_stand = message.term;
    } else if (const auto* reply = std::get_if<raft::VoteReply>(&message.message)) {
      if (reply->pre) continue;
      if (reply->granted && message.term == seen.owed.term) seen.owed = raft::HardState{};
      if (!reply->granted && message.term == hard.term && !hard.voted_for && !step.view.state.leader)
        fire(Mark::vote_refused_for_log);
    }
  }
}

void MarkWatch::see_output(Seen& seen, const Step& step) {
  const raft::Output& out = step.output;
  if (out.fault) fire(Mark::node_frozen);
  if (out.lost_from) fire(Mark::proposal_overwritten);
  for (const raft::Rejected& rejected : out.rejected) {
    // Who does not lead gives up reads for this reason, and has nothing to hand over.
    if (rejected.reason == raft::Rejection::timed_out && seen.state.role == Role::leader)
      fire(Mark::transfer_timed_out);
    if (rejected.reason == raft::Rejection::not_caught_up) fire(Mark::promotion_refused);
    // A bad target is refused at once, or ends a transfer that had begun.
    if (rejected.reason == raft::Rejection::bad_target && seen.state.role == Role::leader &&
        std::ranges::none_of(step.inputs, [&](const raft::Input& input) {
          return std::holds_alternative<raft::Transfer>(input);
        })) {
      fire(Mark::transfer_lost_target);
    }
  }
  if (!out.reads.empty() && later_leader(step.view.state.hard.term)) fire(Mark::read_by_older_leader);
  for (const raft::StoreChunk& store : out.chunks_to_store) {
    const LogId last = store.chunk.last;
    if (last == seen.receiving || store.chunk.offset != 0) continue;
    if (seen.receiving.index)
      fire(last.index > seen.receiving.index ? Mark::snapshot_overtaken : Mark::snapshot_gives_way);
    seen.receiving = last;
  }
}

void MarkWatch::see_deltas(const Seen& seen, const Step& step) {
  const State* before = &seen.state;
  for (const raft::Delta& delta : step.output.deltas) {
    if (delta.installed) {
      const Index end = delta.after.snapshot.index;
      if (delta.after.last.index > end) fire(Mark::snapshot_under_suffix);
      if (before->last.index >= end && delta.truncated_from) fire(Mark::snapshot_over_conflict);
      if (!seen.configuration || step.view.configurations.back().index != seen.configuration)
        fire(Mark::snapshot_changes_members);
    } else if (delta.truncated_from) {
      fire(Mark::log_conflict);
      if (seen.configuration >= delta.truncated_from) fire(Mark::change_overwritten);
    }
    before = &delta.after;
  }
}

void MarkWatch::see_role(Seen& seen, const Step& step) {
  const State& before = seen.state;
  const State& now = step.view.state;
  const bool later = now.hard.term > before.hard.term;
  if (before.role == Role::leader && now.role != Role::leader) {
    if (seen.reads) fire(Mark::deposed_with_reads);
    if (later && seen.joint) fire(Mark::deposed_while_joint);
    if (!later && !step.output.fault) {
      const bool voter = step.view.configurations.back().configuration.is_voter(step.node);
      fire(voter ? Mark::leader_without_quorum : Mark::leader_removed_itself);
    }
  }
  if (before.role == Role::candidate && now.role == Role::follower && !later && now.leader)
    fire(Mark::candidate_yields);
  if (before.role == Role::candidate &&
      (now.role == Role::pre_candidate || (now.role == Role::candidate && later)))
    fire(Mark::election_without_winner);
  const bool stands = now.role == Role::pre_candidate || now.role == Role::candidate;
  if (stands && before.role == Role::follower && members_.index &&
      !members_.configuration.is_voter(step.node) && !members_.configuration.empty())
    fire(Mark::removed_node_stands);
  if (now.role == Role::leader && (before.role != Role::leader || later)) see_elected(seen, step);
  if (now.role != Role::leader) seen.heir = false;
}

void MarkWatch::see_elected(Seen& seen, const Step& step) {
  const raft::Term term = step.view.state.hard.term;
  for (const Seen& other : nodes_) {
    if (&other != &seen && other.up && other.state.role == Role::leader && other.state.hard.term < term) {
      fire(Mark::two_leaders);
      break;
    }
  }
  if (seen.told_to_stand == term) fire(Mark::transfer_succeeded);
  seen.committed_own = seen.counted_in_vain = false;
  const raft::ConfigurationAt& top = step.view.configurations.back();
  const auto reign =
      std::ranges::find(reigns_, step.view.log->term_at(top.index), [](const Reign& it) { return it.term; });
  seen.heir = top.configuration.joint() && (reign == reigns_.end() || reign->leader != step.node);
  if (seen.heir) fire(Mark::joint_inherited);
  const auto place = std::ranges::upper_bound(reigns_, term, {}, &Reign::term);
  reigns_.insert(place, Reign{term, step.node});
  if (reigns_.size() > reigns_max) reigns_.erase(reigns_.begin(), reigns_.begin() + reigns_max / 2);
}

void MarkWatch::see_log(Seen& seen, const Step& step) {
  const State& now = step.view.state;
  if (now.role == Role::leader && now.commit > seen.state.commit) {
    seen.committed_own = true;
    if (now.commit > now.durable) fire(Mark::commit_before_own_disk);
    if (later_leader(now.hard.term)) fire(Mark::commit_by_older_leader);
  }
  const raft::ConfigurationAt& top = step.view.configurations.back();
  if (seen.heir && seen.joint && !top.configuration.joint() && top.index > seen.configuration) {
    fire(Mark::joint_left_by_heir);
    seen.heir = false;
  }
  if (now.commit > committed_) see_committed(step.view);
}

void MarkWatch::see_leader(Seen& seen, const Step& step) {
  const State& now = step.view.state;
  if (!step.output.accepted.empty()) {
    for (const raft::Progress& peer : step.view.peers) {
      if (peer.state != raft::ProgressState::replicate || peer.next > now.last.index) continue;
      fire(Mark::window_full);  // otherwise the entry would be on its way
      break;
    }
  }
  if (now.snapshot.index > seen.state.snapshot.index &&
      std::ranges::any_of(step.view.peers, [&](const raft::Progress& peer) {
        return peer.state == raft::ProgressState::snapshot && peer.snapshot.index < now.snapshot.index;
      })) {
    fire(Mark::snapshot_newer_than_sent);
  }
  // §5.4.2: until the leader has committed in its own term, a quorum that holds more counts for nothing.
  if (seen.committed_own || seen.counted_in_vain) return;
  const Index held = quorum_number(step.view.configurations.back().configuration, [&](NodeId node) {
    const auto peer = std::ranges::find(step.view.peers, node, &raft::Progress::id);
    return peer == step.view.peers.end() ? Index{} : peer->match;
  });
  if (held <= now.commit || held > now.last.index) return;
  seen.counted_in_vain = true;
  fire(Mark::figure_8);
}

/// The members of the cluster, as far as they are committed.
void MarkWatch::see_committed(const raft::View& view) {
  committed_ = view.state.commit;
  for (const raft::ConfigurationAt& at : view.configurations) {
    if (at.index > committed_ || at.index <= members_.index) continue;
    const auto promoted = [&](NodeId learner) { return at.configuration.is_voter(learner); };
    if (std::ranges::any_of(members_.configuration.learners, promoted)) fire(Mark::learner_promoted);
    members_ = at;
  }
}

}  // namespace raftlab::simulator
