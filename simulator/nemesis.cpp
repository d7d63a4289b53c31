#include "simulator/nemesis.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace raftlab::simulator {
namespace {

/// What the nemesis itself decides on; the other faults belong to messages, syncs and clients.
constexpr Fault own[] = {
    Fault::partition_halves, Fault::partition_isolate,  Fault::partition_one_way, Fault::partition_bridge,
    Fault::partition_ring,   Fault::partition_flapping, Fault::process_kill,      Fault::power_loss,
    Fault::lost_sectors,     Fault::full_disk,          Fault::bit_rot,           Fault::pause,
    Fault::reconfigure,      Fault::transfer,           Fault::snapshot_rot,
};

constexpr Time flap_ns_max = 300 * millisecond;
/// "partition_one_way" as "one way".
std::string shape_in_words(Fault fault) {
  std::string words(name(fault));
  words.erase(0, std::string_view("partition_").size());
  std::ranges::replace(words, '_', ' ');
  return words;
}

}  // namespace

Nemesis::Nemesis(const Profile& profile, Chooser& chooser, EventQueue& queue, Cluster& cluster,
                 Destruction& destruction, Network& network, FaultCounts& fired)
    : profile_(&profile),
      chooser_(&chooser),
      queue_(&queue),
      cluster_(&cluster),
      destruction_(&destruction),
      network_(&network),
      fired_(&fired),
      paused_until_(profile.nodes + 1),
      fulls_(profile.nodes + 1) {}

void Nemesis::begin(Time now) {
  queue_->push(Event{now + profile_->nemesis_turn_ns, 0, EventKind::nemesis, 0, 0, 0, 0});
}

void Nemesis::turn(const Event& event) {
  if (calm_) return;
  ++turn_;
  for (const Fault fault : own) {
    const std::uint64_t about = subject(turn_, static_cast<std::uint64_t>(fault));
    if (rolls(fault, Choice::nemesis_strikes, about)) strike(fault, event.time, about);
  }
  queue_->push(Event{event.time + profile_->nemesis_turn_ns, 0, EventKind::nemesis, 0, 0, 0, 0});
}

bool Nemesis::rolls(Fault fault, Choice choice, std::uint64_t about) {
  return profile_->rate(fault) != 0 && chooser_->happens(Key{choice, about}, profile_->rate(fault));
}

NodeId Nemesis::target(std::uint64_t about) {
  return NodeId(
      static_cast<std::uint32_t>(1 + chooser_->choose(Key{Choice::nemesis_target, about}, profile_->nodes)));
}

void Nemesis::strike(Fault fault, Time now, std::uint64_t about) {
  const NodeId node = target(about);
  const bool up = cluster_->life(node) == Life::up;
  switch (fault) {
    case Fault::process_kill:
    case Fault::power_loss:
      if (up) crash(fault, node, now, about);
      break;
    case Fault::lost_sectors:
    case Fault::bit_rot:
    case Fault::snapshot_rot:
      if (up && destruction_->may_strike(node)) crash(fault, node, now, about);
      break;
    case Fault::full_disk:
      count(fault);
      tell(IncidentKind::disk, node, "full");
      ++fulls_[node.value()];
      set_full(node, true);
      queue_->push(Event{now + chooser_->between(Key{Choice::nemesis_duration, about}, 50 * millisecond,
                                                 profile_->down_ns_max),
                         0, EventKind::resume, node.value(), 0, 0, 0});
      break;
    case Fault::pause:
      if (!up) break;
      count(fault);
      paused_until_[node.value()] =
          now + chooser_->between(Key{Choice::nemesis_duration, about}, millisecond, profile_->pause_ns_max);
      tell(IncidentKind::pause, node, "for " + length_in_words(paused_until(node) - now));
      queue_->push(Event{paused_until(node), 0, EventKind::pause_ends, node.value(), 0, 0, 0});
      break;
    case Fault::reconfigure: reconfigure(about); break;
    case Fault::transfer: transfer(about); break;
    default: partition(fault, now, about);
  }
}

// ---- Members and leaders ----------------------------------------------------------------------------------------

/// Any set of nodes, less struck voters that it could not do without.
raft::Configuration Nemesis::draw_members(std::uint64_t about) {
  raft::Configuration target;
  for (std::uint32_t id = 1; id <= profile_->nodes; ++id) {
    const NodeId node(id);
    const std::uint64_t part = chooser_->choose(Key{Choice::nemesis_shape, raft::combine(about, id)}, 8);
    if (!destruction_->usable(node)) continue;
    if (part >= 6 && !(part == 7 && destruction_->struck(node))) continue;  // 0, the tamest, is a voter
    target.members.push_back(raft::Member{node, "n" + std::to_string(id), ""});
    (part < 5 ? target.voters : target.learners).push_back(node);
  }
  while (!target.voters.empty() && !destruction_->may_decide(target)) {
    const NodeId gone = *std::ranges::find_if(target.voters.rbegin(), target.voters.rend(),
                                              [&](NodeId node) { return destruction_->struck(node); });
    std::erase(target.voters, gone);
    std::erase_if(target.members, [&](const raft::Member& member) { return member.id == gone; });
  }
  return target;
}

/// From any set to any set. The leader hears of it with its next input.
void Nemesis::reconfigure(std::uint64_t about) {
  const NodeId leader = cluster_->leader();
  if (!leader) return;
  const raft::Configuration target = draw_members(about);
  if (target.voters.empty()) return;
  count(Fault::reconfigure);
  const bool force = chooser_->happens(Key{Choice::nemesis_duration, about}, million / 2);
  tell(IncidentKind::change, leader, "is asked for " + configuration_in_words(target));
  cluster_->reconfigure(leader, static_cast<std::uint32_t>(turn_), target, force);
}

void Nemesis::transfer(std::uint64_t about) {
  const NodeId leader = cluster_->leader();
  if (!leader) return;
  const NodeId to = target(about);
  count(Fault::transfer);
  tell(IncidentKind::change, leader, "is asked to hand over to n" + std::to_string(to.value()));
  cluster_->service(leader).transfer(static_cast<std::uint32_t>(turn_), to);
}

// ---- Full disks ------------------------------------------------------------------------------------------------

/// Both directories are on one file system.
void Nemesis::set_full(NodeId node, bool full) {
  cluster_->disk(node, Directory::log).set_full(full);
  cluster_->disk(node, Directory::snapshots).set_full(full);
}

void Nemesis::free_disk(const Event& event) {
  if (!calm_ && --fulls_[event.node] != 0) return;
  set_full(NodeId(event.node), false);
  if (!calm_) tell(IncidentKind::disk, NodeId(event.node), "has room again");
}

/// Of a pause that was cut short, or went on longer because of another one, nothing is told.
void Nemesis::pause_ends(const Event& event) {
  if (paused_until_[event.node] == event.time)
    tell(IncidentKind::resume, NodeId(event.node), "the pause is over");
}

// ---- Crashes ---------------------------------------------------------------------------------------------------

void Nemesis::crash(Fault fault, NodeId node, Time now, std::uint64_t about) {
  Crash how;
  how.kind = fault == Fault::power_loss     ? Crash::Kind::power_loss
             : fault == Fault::lost_sectors ? Crash::Kind::power_loss_sectors
                                            : Crash::Kind::kill;
  how.lose = rolls(Fault::lost_write, Choice::crash_fate, raft::combine(about, 1));
  how.tear = rolls(Fault::torn_write, Choice::crash_fate, raft::combine(about, 2));
  const bool leads = cluster_->leader() == node;
  if (fault == Fault::lost_sectors) destruction_->strike(node, leads);
  const CrashDamage damage = cluster_->crash(node, how, *chooser_, about);
  paused_until_[node.value()] = 0;
  std::string words = on_incident ? crash_in_words(how, damage) : "";
  if (fault == Fault::lost_sectors) {
    if (damage.lost) count(fault);
  } else {
    if (damage.lost && how.lose) count(Fault::lost_write);  // a name that did not persist loses bytes, too
    if (damage.torn) count(Fault::torn_write);
  }
  if (fault == Fault::bit_rot || fault == Fault::snapshot_rot) {
    const bool rotten = fault == Fault::bit_rot
                            ? cluster_->disk(node).rot(*chooser_, about)
                            : cluster_->disk(node, Directory::snapshots).rot_anywhere(*chooser_, about);
    if (rotten) count(fault);
    if (rotten) destruction_->strike(node, leads);
    if (rotten && fault == Fault::snapshot_rot) cluster_->ladder().snapshots_damaged(node);
    if (rotten) words += ", a bit of what was durable has flipped";
    if (rotten && fault == Fault::snapshot_rot) words += " in a snapshot";
  } else if (fault != Fault::lost_sectors) {
    count(fault);
  }
  tell(IncidentKind::crash, node, words);
  schedule_restart(node, now, about);
}

void Nemesis::process_ended(NodeId node, Time now) {
  const std::uint64_t about = subject(node, std::uint64_t{cluster_->incarnation(node)}, std::uint64_t{7});
  cluster_->crash(node, Crash{}, *chooser_, about);
  paused_until_[node.value()] = 0;
  tell(IncidentKind::crash, node, "its process ends, because a write failed");
  schedule_restart(node, now, about);
}

void Nemesis::schedule_restart(NodeId node, Time now, std::uint64_t about) {
  const Time down = calm_ ? 50 * millisecond
                          : chooser_->between(Key{Choice::nemesis_duration, about}, 10 * millisecond,
                                              profile_->down_ns_max);
  queue_->push(Event{now + down, 0, EventKind::restart, node.value(), 0, cluster_->incarnation(node), 0});
}

void Nemesis::restart(const Event& event) {
  const NodeId node(event.node);
  if (cluster_->life(node) == Life::down && cluster_->incarnation(node) == event.life)
    start(node, event.time);
}

void Nemesis::start(NodeId node, Time now) {
  const std::uint64_t life = subject(node, std::uint64_t{cluster_->incarnation(node) + 1});
  const raft::Seed seed(chooser_->choose(Key{Choice::core_seed, life}, 1ULL << 62U));
  const Life became = cluster_->start(node, seed, now);
  if (!on_incident) return;
  tell(became == Life::refused ? IncidentKind::refusal : IncidentKind::start, node,
       start_in_words(*cluster_, node));
}

// ---- Disks -----------------------------------------------------------------------------------------------------

SimulatedDisk::SyncFate Nemesis::sync_fate(NodeId node, std::uint64_t about) {
  if (calm_ || !rolls(Fault::failed_sync, Choice::sync_fails, about)) return SimulatedDisk::SyncFate::ok;
  count(Fault::failed_sync);
  tell(IncidentKind::disk, node, "a sync fails");
  const Key parts{Choice::sync_fails_in_parts, about};
  if (!destruction_->may_strike(node) || !chooser_->happens(parts, million / 2))
    return SimulatedDisk::SyncFate::failed;
  destruction_->strike(node, cluster_->leader() == node);
  return SimulatedDisk::SyncFate::failed_in_parts;
}

Time Nemesis::sync_time(NodeId node, std::uint64_t about) {
  if (!calm_ && rolls(Fault::slow_sync, Choice::sync_slow, about)) {
    count(Fault::slow_sync);
    const Time slow = chooser_->between(Key{Choice::sync_time, raft::combine(about, 1)},
                                        profile_->sync_ns_max, profile_->slow_sync_ns_max);
    if (on_incident) tell(IncidentKind::disk, node, "a sync will take " + length_in_words(slow));
    return slow;
  }
  return chooser_->between(Key{Choice::sync_time, about}, profile_->sync_ns_min, profile_->sync_ns_max);
}

// ---- Partitions ------------------------------------------------------------------------------------------------

/// The directions that a partition cuts.
std::vector<Link> Nemesis::shape(Fault fault, std::uint64_t about) {
  const std::uint32_t n = profile_->nodes;
  const std::uint64_t turn = chooser_->choose(Key{Choice::nemesis_shape, about}, n);
  const auto at = [&](std::uint64_t position) {
    return NodeId(static_cast<std::uint32_t>(1 + (position + turn) % n));
  };
  std::vector<Link> cuts;
  const auto separate = [&](std::uint64_t a, std::uint64_t b) {
    cuts.emplace_back(at(a), at(b));
    cuts.emplace_back(at(b), at(a));
  };
  switch (fault) {
    case Fault::partition_halves:
      for (std::uint64_t a = 0; a < n / 2; ++a) {
        for (std::uint64_t b = n / 2; b < n; ++b) separate(a, b);
      }
      break;
    case Fault::partition_isolate:
    case Fault::partition_flapping:
      for (std::uint64_t b = 1; b < n; ++b) separate(0, b);
      break;
    case Fault::partition_one_way: {
      const bool deaf = chooser_->happens(Key{Choice::nemesis_shape, raft::combine(about, 1)}, million / 2);
      for (std::uint64_t b = 1; b < n; ++b)
        deaf ? cuts.emplace_back(at(b), at(0)) : cuts.emplace_back(at(0), at(b));
      break;
    }
    case Fault::partition_bridge:
      for (std::uint64_t a = 0; a < (n - 1) / 2; ++a) {
        for (std::uint64_t b = (n - 1) / 2; b < n - 1; ++b) separate(a, b);
      }
      break;
    case Fault::partition_ring: {
      // Everybody reaches the nearest on both sides, so many that they are a majority.
      const std::uint64_t reach = (n / 2 + 1) / 2;
      for (std::uint64_t a = 0; a < n; ++a) {
        for (std::uint64_t b = a + 1; b < n; ++b) {
          if (std::min(b - a, n - (b - a)) > reach) separate(a, b);
        }
      }
      break;
    }
    default: break;
  }
  return cuts;
}

void Nemesis::apply_cuts(bool on) {
  if (cut_ == on) return;
  cut_ = on;
  for (const auto& [from, to] : cuts_) on ? network_->cut(from, to) : network_->mend(from, to);
  if (!on_incident) return;
  tell(on ? IncidentKind::partition : IncidentKind::mend, NodeId{},
       shape_in_words(shape_) + ", " + cuts_in_words(cuts_));
}

void Nemesis::partition(Fault fault, Time now, std::uint64_t about) {
  apply_cuts(false);
  cuts_ = shape(fault, about);
  if (cuts_.empty()) return;
  shape_ = fault;
  count(fault);
  apply_cuts(true);
  turns_left_ = fault == Fault::partition_flapping ? 10 : 0;
  const Time most = fault == Fault::partition_flapping ? flap_ns_max : profile_->partition_ns_max;
  const Time length = chooser_->between(Key{Choice::nemesis_duration, about}, 50 * millisecond, most);
  queue_->push(
      Event{now + length, 0, EventKind::unblock, 0, ++generation_, 0, static_cast<std::uint64_t>(length)});
}

void Nemesis::unblock(const Event& event) {
  if (event.slot != generation_ || calm_) return;
  apply_cuts(!cut_);
  if (turns_left_ == 0) {
    apply_cuts(false);
    return;
  }
  --turns_left_;
  Event next = event;
  next.time = event.time + static_cast<Time>(event.extra);
  queue_->push(next);
}

void Nemesis::calm_down(Time now) {
  calm_ = true;
  apply_cuts(false);
  for (std::uint32_t id = 1; id <= profile_->nodes; ++id) {
    const NodeId node(id);
    set_full(node, false);
    if (paused_until_[id] > now) tell(IncidentKind::resume, node, "no pause outlasts the faults");
    paused_until_[id] = std::min(paused_until_[id], now);
    if (cluster_->life(node) == Life::down) schedule_restart(node, now, subject(node));
  }
}

}  // namespace raftlab::simulator
