#include "simulator/operator.hpp"

#include "simulator/starting_state.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace raftlab::simulator {

using raft::Configuration;

namespace {

constexpr Time delay_ns_min = 10 * millisecond;

void leave_out(Configuration& configuration, NodeId node) {
  std::erase(configuration.voters, node);
  std::erase(configuration.learners, node);
  std::erase_if(configuration.members, [&](const raft::Member& member) { return member.id == node; });
}

void take_in(Configuration& configuration, NodeId node, bool votes) {
  leave_out(configuration, node);
  std::vector<NodeId>& list = votes ? configuration.voters : configuration.learners;
  list.insert(std::ranges::lower_bound(list, node), node);
  raft::Member member{node, "n" + std::to_string(node.value()), ""};
  const auto place = std::ranges::lower_bound(configuration.members, node, {}, &raft::Member::id);
  configuration.members.insert(place, std::move(member));
}

}  // namespace

Operator::Operator(const Profile& profile, Chooser& chooser, EventQueue& queue, Cluster& cluster,
                   Destruction& destruction)
    : profile_(&profile),
      chooser_(&chooser),
      queue_(&queue),
      cluster_(&cluster),
      destruction_(&destruction),
      first_(starting_configurations(profile).front().configuration) {}

// ---- When it looks ---------------------------------------------------------------------------------------------

void Operator::refused(NodeId node, Time now) {
  count_first_voters(node);
  if (profile_->replacements == 0) return;
  destroyed_.push_back(Destroyed{.node = node});
  const Time delay =
      chooser_->between(Key{Choice::operator_notices, subject(node)}, delay_ns_min, profile_->notice_ns_max);
  queue_->push(Event{now + delay, 0, EventKind::replace, node.value(), 0, 0, 0});
}

void Operator::count_first_voters(NodeId node) {
  if (!first_.is_voter(node)) return;
  ++first_voters_destroyed_;
  if (first_voters_destroyed_ == first_.voters.size() / 2 + 1)
    cluster_->fire(Mark::most_first_voters_destroyed);
}

/// It goes on looking for good from when it has noticed the first one: what it has done may be undone.
void Operator::look(const Event& event) {
  const bool first = looks_ == 0;
  if (event.node != 0) std::ranges::find(destroyed_, NodeId(event.node), &Destroyed::node)->noticed = true;
  if (const NodeId leader = cluster_->leader()) look_at(leader);
  if (event.node != 0 && !first) return;
  const Key key{Choice::operator_looks, subject(++looks_)};
  const Time delay = chooser_->between(key, delay_ns_min, profile_->patience_ns_max);
  queue_->push(Event{event.time + delay, 0, EventKind::replace, 0, 0, 0, 0});
}

// ---- What it asks for ------------------------------------------------------------------------------------------

/// Of a joint configuration that to which it leads. It can be asked for more, and will refuse.
Operator::Present Operator::present_of(NodeId leader) const {
  const raft::View view = cluster_->service(leader).replica().view();
  const raft::ConfigurationAt& last = view.configurations.back();
  if (last.configuration.joint()) return Present{incoming_side(last.configuration), false};
  return Present{last.configuration, last.index <= view.state.commit};
}

void Operator::look_at(NodeId leader) {
  const Present present = present_of(leader);
  for (Destroyed& destroyed : destroyed_) {
    if (destroyed.noticed && needs_work(destroyed, present)) return ask(leader, destroyed, present.members);
  }
}

/// Begins and ends replacements, too.
bool Operator::needs_work(Destroyed& destroyed, const Present& present) {
  const Configuration& members = present.members;
  const bool missed = members.is_member(destroyed.node);
  if (destroyed.left_out) return missed;
  if (!destroyed.under_way) return missed && begin(destroyed, members);
  const bool there = members.is_member(destroyed.spare);
  const bool in_place = !missed && there && members.is_voter(destroyed.spare) >= destroyed.votes;
  if (in_place || (!missed && !there)) {  // or others have left it out
    if (present.settled) end(destroyed, in_place);
    return !present.settled;
  }
  return cluster_->life(destroyed.spare) != Life::refused || begin(destroyed, members);
}

/// For the first time, or anew because the spare was destroyed on its way. False when there is no spare left.
bool Operator::begin(Destroyed& destroyed, const Configuration& present) {
  const bool anew = std::exchange(destroyed.under_way, false);
  if (!anew) destroyed.votes = present.is_voter(destroyed.node);
  if (!can_go(destroyed)) return false;
  // One that had its place, and lost it because others brought the destroyed node back, is taken again.
  if (!destroyed.spare || cluster_->life(destroyed.spare) == Life::refused) {
    if (anew) std::ranges::find(destroyed_, destroyed.spare, &Destroyed::node)->left_out = true;
    destroyed.spare = destruction_->take_spare();
  }
  destroyed.under_way = true;
  const std::uint64_t way = chooser_->choose(Key{Choice::operator_way, subject(destroyed.node)}, 3);
  destroyed.way = static_cast<Way>(way);
  return true;
}

void Operator::ask(NodeId leader, const Destroyed& destroyed, const Configuration& present) {
  Configuration target = present;
  if (!destroyed.left_out) {
    const bool learns =
        destroyed.votes && destroyed.way != Way::at_once && !present.is_member(destroyed.spare);
    if (!learns || destroyed.way == Way::learns_instead) leave_out(target, destroyed.node);
    take_in(target, destroyed.spare, destroyed.votes && !learns);
  }
  for (const Destroyed& other : destroyed_) {
    if (other.left_out) leave_out(target, other.node);
  }
  if (!destruction_->may_decide(target)) return;  // later, when others have been replaced
  ++asked_;
  if (on_incident)
    on_incident(IncidentKind::change, leader, "is asked for " + configuration_in_words(target));
  cluster_->reconfigure(leader, static_cast<std::uint32_t>(asked_), target, destroyed.way == Way::at_once);
}

void Operator::end(Destroyed& destroyed, bool in_place) {
  destroyed.under_way = false;
  if (!in_place) return;
  ++replaced_;
  cluster_->fire(Mark::destroyed_replaced);
  if (destruction_->struck_as_leader(destroyed.node)) cluster_->fire(Mark::destroyed_leader_replaced);
}

/// It can be left out, or there is somebody to take its place.
bool Operator::can_go(const Destroyed& destroyed) const {
  const bool has_spare = destroyed.spare && cluster_->life(destroyed.spare) != Life::refused;
  return destroyed.left_out || has_spare || destruction_->spares_left();
}

bool Operator::is_done() const {
  if (destroyed_.empty()) return true;
  const NodeId leader = cluster_->leader();
  if (!leader) return false;
  const Configuration members = present_of(leader).members;
  return std::ranges::all_of(destroyed_, [&](const Destroyed& destroyed) {
    const bool missed = members.is_member(destroyed.node);
    return !destroyed.under_way && !(missed && can_go(destroyed));
  });
}

}  // namespace raftlab::simulator
