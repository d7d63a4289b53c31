#include "simulator/healing.hpp"

#include <algorithm>
#include <string>

namespace raftlab::simulator {

using invariants::Rung;
using raft::NodeId;
using raft::Role;

namespace {

constexpr Time look_every = 20 * millisecond;

Bounded::Limits bounds_of(const Profile& profile) {
  const kv::ServiceOptions service;
  Bounded::Limits limits;
  limits.requests_max = service.requests_max;
  limits.core = limits_of(profile);
  return limits;
}

/// A follower hears its leader well before its lease ends, however the clocks drift: without that no leader
/// is safe from the timers of the others, and V6 says nothing.
bool heartbeats_are_in_time(const Profile& profile) {
  const Time drift = profile.tick_ns * profile.clock_drift_ppm / million;
  const Time interval = (profile.heartbeat_ticks + 1) * (profile.tick_ns + drift) + profile.delay_ns_max;
  return interval < profile.election_ticks * (profile.tick_ns - drift);
}

}  // namespace

Healing::Healing(const Profile& profile, Chooser& chooser, Cluster& cluster, Network& network,
                 Clients& clients, const Operator& caretaker)
    : profile_(&profile),
      chooser_(&chooser),
      cluster_(&cluster),
      network_(&network),
      clients_(&clients),
      operator_(&caretaker),
      no_disruption_(profile.heartbeat_ticks),
      bounded_(bounds_of(profile)) {}

void Healing::begin(Time now, Time faults_gone) {
  begun_ = now;
  faults_gone_ = std::max(now, faults_gone);
  next_look_ = now;
  if (on_incident) on_incident(IncidentKind::healing, NodeId{}, "no more faults");
  if (!keeps_cut(*profile_)) return;
  cut_ = draw_one_way_cut(*chooser_, profile_->nodes);
  cut_text_ = cuts_in_words(cut_->links());
  cut_->cut(*network_);
  if (on_incident) on_incident(IncidentKind::partition, NodeId{}, "one way until served, " + cut_text_);
}

Sightings Healing::sight() {
  sightings_.clear();
  for (std::uint32_t id = 1; id <= cluster_->size(); ++id) {
    Sighting& node = sightings_.emplace_back();
    node.node = NodeId(id);
    node.life = cluster_->life(NodeId(id));
    node.incarnation = cluster_->incarnation(NodeId(id));
    if (node.life != Life::up) continue;
    const kv::Service& service = cluster_->service(NodeId(id));
    node.view = service.replica().view();
    node.waiting = service.waiting();
  }
  for (Sighting& node : sightings_) node.member = is_member(node.node);
  return sightings_;
}

/// Who belongs to the cluster, as its leader has it. Of nobody else anything is expected. Without a leader everybody
/// does.
bool Healing::is_member(NodeId node) const {
  const NodeId leader = cluster_->leader();
  return !leader ||
         cluster_->service(leader).replica().view().configurations.back().configuration.is_member(node);
}

/// A member refuses to start. Seen here, apart from what the operator believes to have done.
bool Healing::destroyed_member(Sightings all) {
  return std::ranges::any_of(all,
                             [](const Sighting& node) { return node.life == Life::refused && node.member; });
}

/// No change of the members is under way.
bool Healing::settled(NodeId leader) const {
  const raft::View view = cluster_->service(leader).replica().view();
  const raft::ConfigurationAt& last = view.configurations.back();
  return !last.configuration.joint() && last.index <= view.state.commit && is_member(leader);
}

/// The member that every member who is up follows; none while there is another opinion.
NodeId Healing::only_leader() const {
  const NodeId leader = cluster_->leader();
  if (!leader) return leader;
  const raft::State state = cluster_->service(leader).replica().view().state;
  for (std::uint32_t id = 1; id <= cluster_->size(); ++id) {
    if (cluster_->life(NodeId(id)) == Life::down) return NodeId{};
    if (cluster_->life(NodeId(id)) != Life::up || NodeId(id) == leader || !is_member(NodeId(id))) continue;
    const raft::State other = cluster_->service(NodeId(id)).replica().view().state;
    if (other.role != Role::follower || other.hard.term != state.hard.term || other.leader != leader)
      return NodeId{};
  }
  return leader;
}

bool Healing::logs_equal(NodeId leader) const {
  const raft::State state = cluster_->service(leader).replica().view().state;
  for (std::uint32_t id = 1; id <= cluster_->size(); ++id) {
    if (cluster_->life(NodeId(id)) != Life::up || !is_member(NodeId(id))) continue;
    const raft::State other = cluster_->service(NodeId(id)).replica().view().state;
    if (other.last != state.last || other.commit != state.last.index || other.applied != state.last.index)
      return false;
  }
  return true;
}

bool Healing::at_rest(Sightings all) const {
  const NodeId leader = only_leader();
  return leader && logs_equal(leader) && settled(leader) && operator_->is_done() &&
         BackToReplicate::all_replicate(all) && Bounded::at_rest(all);
}

/// What is amiss, in words, for who reads a finding.
std::string Healing::unrest(Sightings all) const {
  if (!clients_->idle())
    return last_begun_ ? "; the last operations go on" : "; clients still wait for answers";
  const NodeId leader = only_leader();
  if (!leader) return "; not every member follows one leader";
  if (!logs_equal(leader)) return "; the logs differ";
  if (!settled(leader)) return "; a change of the members goes on";
  if (!operator_->is_done()) return "; a destroyed node is not replaced yet";
  if (!BackToReplicate::all_replicate(all)) return "; the leader does not replicate to every member";
  if (!Bounded::at_rest(all)) return "; something is left over in memory";
  return "";
}

void Healing::look(Time now) {
  if (now < next_look_ || done_) return;
  next_look_ = now + look_every;
  const Sightings all = sight();
  bounded_.look(all);
  if (cut_) look_under_cut(now, all);
  if (cut_) return;
  if (profile_->pre_vote && profile_->check_quorum && !changes_members(*profile_) && now >= faults_gone_ &&
      heartbeats_are_in_time(*profile_)) {
    no_disruption_.look(all);
  }
  back_to_replicate_.look(all);
  if (out_of_time(now)) {
    done_ = true;
    return;
  }
  if (!clients_->idle() && !last_begun_) return;
  if (!at_rest(all)) return;
  if (!last_begun_) {
    last_begun_ = true;
    clients_->begin_last(now);
  } else if (clients_->last_done() && clients_->idle()) {
    done_ = in_time_ = true;
  }
}

// ---- Under a cut in one direction -------------------------------------------------------------------------

/// The cut stays until what the faults have delayed is gone, so that V6 can be told of who comes back behind
/// it.
void Healing::look_under_cut(Time now, Sightings all) {
  std::vector<NodeId> taking_part;
  for (const Sighting& node : all) {
    if (node.life != Life::refused) taking_part.push_back(node.node);
  }
  if (!survivable(*cut_, profile_->nodes, taking_part)) return mend(now, UnderCut::not_judged);
  if (out_of_time(now)) return mend(now, UnderCut::no_progress);
  if (!last_begun_) {
    if (!clients_->idle() || now < faults_gone_) return;
    last_begun_ = true;
    clients_->begin_last(now);
  } else if (clients_->last_done() && clients_->idle()) {
    mend(now, UnderCut::progress);
  }
}

/// From here on everybody hears everybody: the healing phase begins anew, with other last operations unless
/// the first ones are still under way.
void Healing::mend(Time now, UnderCut outcome) {
  if (on_incident) {
    static constexpr const char* words[] = {
        "too few are left for it", "a write and a read succeeded under it", "nothing succeeded under it"};
    on_incident(IncidentKind::mend, NodeId{},
                "one way, " + cut_text_ + ": " + words[static_cast<std::size_t>(outcome)]);
  }
  under_cut_ = outcome;
  cut_->mend(*network_);
  cut_.reset();
  begun_ = now;
  last_begun_ = last_begun_ && !clients_->last_done();
}

// ---- Judging ----------------------------------------------------------------------------------------------

void Healing::file(Rung rung, std::uint64_t evaluated, const std::optional<Objection>& objection) {
  invariants::Ladder& ladder = cluster_->ladder();
  ladder.evaluated(rung, evaluated + (objection ? 1 : 0));
  if (objection) ladder.report(rung, objection->node, objection->what);
}

void Healing::report(Time now, const FaultCounts& fired) {
  if (!done_) return;
  invariants::Ladder& ladder = cluster_->ladder();
  const std::string late =
      " within " + std::to_string((now - begun_) / millisecond) + " ms after the last fault";
  const Sightings all = sight();
  const std::string why = unrest(all);
  const auto judge = [&](Rung rung, bool holds, const std::string& what) {
    ladder.evaluated(rung);
    if (!holds) ladder.report(rung, NodeId{}, what + late + why);
  };
  const NodeId leader = only_leader();
  judge(Rung::V1, static_cast<bool>(leader), "no leader that every node follows");
  judge(Rung::V2, in_time_ || (leader && logs_equal(leader)),
        "logs and applied indices did not become equal");
  judge(Rung::V3, in_time_ || clients_->last_wrote(), "a proposal to the final leader did not commit");
  const auto was_asked = [&](Fault change) { return fired[static_cast<std::size_t>(change)] != 0; };
  if (was_asked(Fault::reconfigure) || operator_->asked() != 0) {
    judge(Rung::V4, in_time_ || (leader && settled(leader)), "a change of the members did not end");
  }
  if (was_asked(Fault::transfer)) {
    const bool over = leader && !cluster_->service(leader).replica().view().transferee;
    judge(Rung::V5, in_time_ || (over && clients_->last_wrote()),
          "a transfer did not end, or proposals did not resume behind it");
  }
  if (operator_->destroyed() != 0) {
    const bool enough = operator_->destroyed() <= profile_->replacements;
    judge(Rung::V11, leader && operator_->is_done() && !(enough && destroyed_member(all)),
          "a destroyed node was not replaced");
  }
  judge(Rung::V7, in_time_ || clients_->last_done(), "a read was neither answered nor rejected");

  back_to_replicate_.conclude(all);
  // Where the cluster did not come to rest, a lower rung says so.
  if (leader && logs_equal(leader)) bounded_.conclude(all);
  file(Rung::V6, no_disruption_.evaluated(), no_disruption_.objection());
  file(Rung::V8, back_to_replicate_.evaluated(), back_to_replicate_.objection());
  file(Rung::V9, bounded_.evaluated(), bounded_.objection());
  if (under_cut_ == UnderCut::not_judged) return;
  ladder.evaluated(Rung::V10);
  if (under_cut_ == UnderCut::no_progress) {
    ladder.report(Rung::V10, NodeId{},
                  "no write and read within " + std::to_string(profile_->healing_ns_max / millisecond) +
                      " ms under the cut " + cut_text_);
  }
}

}  // namespace raftlab::simulator
