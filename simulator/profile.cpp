#include "simulator/profile.hpp"

#include <algorithm>
#include <sstream>

namespace raftlab::simulator {

const char* name(Fault fault) {
  switch (fault) {
    case Fault::message_loss: return "message_loss";
    case Fault::message_duplicate: return "message_duplicate";
    case Fault::message_late: return "message_late";
    case Fault::partition_halves: return "partition_halves";
    case Fault::partition_isolate: return "partition_isolate";
    case Fault::partition_one_way: return "partition_one_way";
    case Fault::partition_bridge: return "partition_bridge";
    case Fault::partition_ring: return "partition_ring";
    case Fault::partition_flapping: return "partition_flapping";
    case Fault::process_kill: return "process_kill";
    case Fault::power_loss: return "power_loss";
    case Fault::torn_write: return "torn_write";
    case Fault::lost_write: return "lost_write";
    case Fault::lost_sectors: return "lost_sectors";
    case Fault::slow_sync: return "slow_sync";
    case Fault::failed_sync: return "failed_sync";
    case Fault::full_disk: return "full_disk";
    case Fault::bit_rot: return "bit_rot";
    case Fault::pause: return "pause";
    case Fault::clock_drift: return "clock_drift";
    case Fault::span: return "span";
    case Fault::client_loss: return "client_loss";
    case Fault::reconfigure: return "reconfigure";
    case Fault::transfer: return "transfer";
    case Fault::snapshot_rot: return "snapshot_rot";
  }
  return "?";
}

bool possible(Fault fault, std::uint32_t nodes) {
  switch (fault) {
    case Fault::message_loss:
    case Fault::message_duplicate:
    case Fault::message_late:
    case Fault::reconfigure:
    case Fault::transfer:
    case Fault::span:  // what arrives waits for the next input
    case Fault::partition_halves:
    case Fault::partition_isolate:
    case Fault::partition_one_way:
    case Fault::partition_flapping: return nodes >= 2;
    case Fault::partition_bridge:
    case Fault::lost_sectors:  // these may destroy a node, and a minority must be there to be destroyed
    case Fault::snapshot_rot:
    case Fault::bit_rot: return nodes >= 3;
    case Fault::partition_ring: return nodes >= 4;
    default: return true;
  }
}

namespace {

class Drawer {
 public:
  explicit Drawer(Chooser& chooser) : chooser_(chooser) {}

  std::uint64_t below(std::uint64_t range) { return chooser_.choose(Key{Choice::profile, ++field_}, range); }
  bool chance(std::uint32_t per_million) {
    return chooser_.happens(Key{Choice::profile, ++field_}, per_million);
  }
  std::uint32_t number(std::uint32_t least, std::uint32_t most) {
    return least + static_cast<std::uint32_t>(below(most - least + 1));
  }
  Time time(Time least, Time most) {
    return least + static_cast<Time>(below(static_cast<std::uint64_t>(most - least) + 1));
  }

 private:
  Chooser& chooser_;
  std::uint64_t field_ = 0;
};

/// How often a fault kind exists in a run, and its rate where it does.
struct Odds {
  Fault fault;
  std::uint32_t drawn_ppm;
  std::uint32_t least;
  std::uint32_t most;
};

constexpr Odds odds[] = {
    {Fault::message_loss, 600'000, 2'000, 150'000},
    {Fault::message_duplicate, 500'000, 2'000, 100'000},
    {Fault::message_late, 500'000, 2'000, 50'000},
    {Fault::partition_halves, 300'000, 4'000, 25'000},
    {Fault::partition_isolate, 300'000, 4'000, 25'000},
    {Fault::partition_one_way, 300'000, 4'000, 25'000},
    {Fault::partition_bridge, 250'000, 4'000, 25'000},
    {Fault::partition_ring, 250'000, 4'000, 25'000},
    {Fault::partition_flapping, 250'000, 4'000, 25'000},
    {Fault::process_kill, 500'000, 5'000, 40'000},
    {Fault::power_loss, 600'000, 5'000, 40'000},
    {Fault::torn_write, 500'000, 300'000, 800'000},
    {Fault::lost_write, 500'000, 300'000, 800'000},
    {Fault::lost_sectors, 400'000, 8'000, 40'000},
    {Fault::slow_sync, 400'000, 2'000, 50'000},
    {Fault::failed_sync, 300'000, 300, 3'000},
    {Fault::full_disk, 250'000, 3'000, 15'000},
    {Fault::bit_rot, 300'000, 5'000, 25'000},
    {Fault::pause, 400'000, 4'000, 30'000},
    {Fault::clock_drift, 500'000, million, million},
    {Fault::span, 500'000, 20'000, 300'000},
    {Fault::client_loss, 500'000, 5'000, 100'000},
};

/// Drawn behind everything else.
constexpr Odds operator_odds[] = {
    {Fault::reconfigure, 400'000, 5'000, 40'000},
    {Fault::transfer, 400'000, 5'000, 40'000},
};

/// Small enough to be reached sometimes. A configuration entry and any command must fit in, when nothing else is there.
void draw_limits(Drawer& draw, Profile& profile) {
  if (draw.chance(250'000)) profile.window_bytes = draw.number(64, 1024);
  if (draw.chance(200'000)) profile.uncommitted_bytes_max = draw.number(1000, 3000);
  if (draw.chance(150'000)) profile.reads_max = draw.number(1, 4);
  if (draw.chance(500'000)) profile.promotion_lag_entries_max = draw.number(0, 40);
  if (draw.chance(200'000)) profile.sessions_max = draw.number(profile.clients, profile.clients + 2);
}

void draw_start(Drawer& draw, Profile& profile) {
  if (draw.chance(250'000))
    profile.learners = draw.number(0, std::min(2U, profile.nodes - 1 - profile.spares));
  if (draw.chance(300'000)) profile.first_entries = draw.number(1, 3000);
  if (draw.chance(300'000)) profile.first_term = draw.number(2, 1000);
  if (draw.chance(100'000)) profile.first_term = (1ULL << 32U) - draw.number(0, 8);
  if (draw.chance(100'000)) profile.first_term = first_term_max - draw.number(0, 8);
  if (draw.chance(500'000)) profile.first_lag = draw.number(0, 40);
  profile.first_joint = draw.chance(200'000) && profile.rate(Fault::reconfigure) != 0;
}

/// Three nodes at least begin as members, so that one of them may be destroyed. Where nobody is destroyed the operator has nothing
/// to do, so in half of these runs what destroys does so often.
void draw_operator(Drawer& draw, Profile& profile) {
  const bool exists = draw.chance(350'000);
  const std::uint32_t replacements = draw.number(1, 5);
  const bool often = draw.chance(500'000);
  const std::uint32_t rate = draw.number(40'000, 150'000);
  profile.notice_ns_max = draw.time(50 * millisecond, 2 * second);
  profile.patience_ns_max = draw.time(20 * millisecond, 500 * millisecond);
  if (!exists || profile.nodes < 4 || (!profile.pre_vote && !profile.check_quorum)) return;
  profile.replacements = std::min(replacements, profile.nodes - 3);
  profile.spares = std::min(profile.spares + profile.replacements, profile.nodes - 3);
  if (!often) return;
  profile.rate(Fault::bit_rot) = rate;
  if (profile.snapshot_entries != 0) profile.rate(Fault::snapshot_rot) = rate / 2;
}

/// A put of one value fits always, with its key and the numbers of its client; a batch or a compare with the value that it expects may
/// not. A configuration is no proposal in this sense.
void draw_sizes(Drawer& draw, Profile& profile) {
  if (draw.chance(150'000)) profile.proposal_bytes_max = profile.value_bytes + draw.number(30, 90);
  if (draw.chance(300'000)) profile.tail_bytes = draw.number(0, 2000);
  // So small that leaders change, and take newer snapshots, while one is on its way.
  if (draw.chance(200'000)) profile.snapshot_chunk_bytes = draw.number(24, 64);
}

}  // namespace

Profile draw_profile(Chooser& chooser, std::uint32_t nodes) {
  Drawer draw(chooser);
  Profile profile;
  profile.name = "drawn";
  const std::uint32_t drawn_nodes = draw.number(1, 9);
  profile.nodes = nodes == 0 ? drawn_nodes : nodes;
  const auto draw_rate = [&](const Odds& kind) {
    const bool exists = draw.chance(kind.drawn_ppm);
    const std::uint32_t rate = draw.number(kind.least, kind.most);
    if (exists && possible(kind.fault, profile.nodes)) profile.rate(kind.fault) = rate;
  };
  for (const Odds& kind : odds) draw_rate(kind);
  profile.fault_phase_ns = 20 * second + draw.time(0, 4 * second);
  profile.election_ticks = draw.number(10, 20);
  profile.heartbeat_ticks = draw.number(2, 5);
  profile.pre_vote = !draw.chance(250'000);
  profile.check_quorum = !draw.chance(250'000);
  profile.window_messages = draw.chance(500'000) ? draw.number(1, 8) : 64;
  profile.append_bytes_max = draw.chance(300'000) ? draw.number(16, 512) : 64U << 10U;
  profile.delay_ns_min = draw.time(100 * microsecond, 2 * millisecond);
  profile.delay_ns_max = profile.delay_ns_min + draw.time(0, 15 * millisecond);
  profile.late_ns_max = draw.time(50 * millisecond, 2 * second);
  profile.codec_ppm = draw.chance(500'000) ? draw.number(100'000, 300'000) : 0;
  profile.sync_ns_min = draw.time(50 * microsecond, 500 * microsecond);
  profile.sync_ns_max = profile.sync_ns_min + draw.time(0, 9 * millisecond);
  profile.slow_sync_ns_max = draw.time(50 * millisecond, second);
  profile.partition_ns_max = draw.time(200 * millisecond, 4 * second);
  profile.down_ns_max = draw.time(100 * millisecond, 3 * second);
  profile.pause_ns_max = draw.time(50 * millisecond, 2 * second);
  profile.clock_drift_ppm = profile.rate(Fault::clock_drift) != 0 ? draw.number(1'000, 100'000) : 0;
  profile.clients = draw.number(2, 8);
  profile.keys = draw.number(1, 12);
  profile.value_bytes = draw.number(8, 64);
  profile.think_ns_max = draw.time(10 * millisecond, 100 * millisecond);
  profile.client_timeout_ns = draw.time(100 * millisecond, second);
  profile.client_attempts = draw.number(1, 6);
  profile.read_ppm = draw.number(200'000, 600'000);
  profile.stale_read_ppm = draw.number(0, 300'000);
  profile.deadline_ticks = draw.number(10, 200);
  profile.healing_cut = draw.chance(400'000);
  profile.snapshot_entries = draw.chance(600'000) ? draw.number(4, 400) : 0;
  profile.tail_entries = draw.chance(500'000) ? draw.number(0, 8) : draw.number(0, 200);
  profile.snapshot_part_bytes = draw.number(64, 4096);
  profile.snapshot_chunk_bytes = draw.number(64, 2048);
  for (const Odds& kind : operator_odds) draw_rate(kind);
  const std::uint32_t spares = draw.number(0, std::min(2U, profile.nodes - 1));
  // Without either, a node that was removed and does not know it deposes every leader (thesis §4.2.3).
  if (!profile.pre_vote && !profile.check_quorum) profile.rate(Fault::reconfigure) = 0;
  if (profile.rate(Fault::reconfigure) != 0) profile.spares = spares;
  profile.leases = draw.chance(600'000);
  profile.lease_drift_ppm = drift_apart_ppm(profile.clock_drift_ppm);
  profile.lease_read_ppm = draw.number(0, 600'000);
  profile.follower_read_ppm = draw.number(0, 500'000);
  draw_rate(Odds{Fault::snapshot_rot, 400'000, 5'000, 25'000});
  if (profile.snapshot_entries == 0) profile.rate(Fault::snapshot_rot) = 0;  // there is nothing to rot
  draw_limits(draw, profile);
  draw_start(draw, profile);
  profile.priorities = draw.chance(300'000);
  if (draw.chance(500'000))
    profile.stall_ticks = draw.number(profile.election_ticks, 10 * profile.election_ticks);
  draw_operator(draw, profile);
  draw_sizes(draw, profile);
  return profile;
}

raft::Priority priority_of(const Profile& profile, raft::NodeId node) {
  if (!profile.priorities) return raft::Priority::normal;
  switch (node.value() % 3) {
    case 1: return raft::Priority::high;
    case 2: return raft::Priority::normal;
    default: return raft::Priority::low;
  }
}

/// The longest tick is 1 + p, the shortest 1 - p; rounded up, with one to spare for ticks of whole nanoseconds.
std::uint32_t drift_apart_ppm(std::uint32_t clock_drift_ppm) {
  if (clock_drift_ppm == 0) return 0;
  const std::uint64_t apart = 2ULL * clock_drift_ppm * million / (million - clock_drift_ppm);
  return static_cast<std::uint32_t>(apart + 2);
}

raft::Limits limits_of(const Profile& profile) {
  raft::Limits limits;
  limits.window_messages = profile.window_messages;
  limits.window_bytes = profile.window_bytes;
  limits.append_bytes_max = profile.append_bytes_max;
  limits.uncommitted_bytes_max = profile.uncommitted_bytes_max;
  limits.reads_max = profile.reads_max;
  limits.promotion_lag_entries_max = profile.promotion_lag_entries_max;
  limits.proposal_bytes_max = profile.proposal_bytes_max;
  limits.tail_entries = profile.tail_entries;
  limits.tail_bytes = profile.tail_bytes;
  return limits;
}

bool keeps_cut(const Profile& profile) {
  return profile.healing_cut && profile.pre_vote && profile.check_quorum && profile.nodes >= 3 &&
         !changes_members(profile);
}

bool changes_members(const Profile& profile) {
  return profile.spares + profile.learners != 0 || profile.first_joint ||
         profile.rate(Fault::reconfigure) != 0;
}

std::string summary(const Profile& profile) {
  std::ostringstream text;
  text << profile.nodes << (profile.nodes == 1 ? " node" : " nodes");
  for (std::size_t i = 0; i < faults; ++i) {
    if (profile.rates[i] != 0) text << ", " << name(static_cast<Fault>(i));
  }
  if (profile.spares != 0) text << ", " << profile.spares << " of them spare at first";
  if (profile.replacements != 0) text << ", " << profile.replacements << " of them to replace destroyed ones";
  if (profile.learners != 0) text << ", " << profile.learners << " of them learning at first";
  if (profile.first_entries != 0) text << ", a log of " << profile.first_entries << " entries at first";
  if (profile.first_term != 1) text << ", term " << profile.first_term << " at first";
  if (profile.first_joint) text << ", a change under way at first";
  if (profile.sessions_max != 0) text << ", at most " << profile.sessions_max << " sessions";
  if (keeps_cut(profile)) text << ", one-way cut while healing";
  if (profile.snapshot_entries != 0)
    text << ", a snapshot each " << profile.snapshot_entries << " entries with a tail of "
         << profile.tail_entries;
  if (!profile.pre_vote) text << ", pre-vote off";
  if (!profile.check_quorum) text << ", check-quorum off";
  if (profile.leases && profile.check_quorum) text << ", leases";
  if (profile.priorities) text << ", priorities";
  return text.str();
}

}  // namespace raftlab::simulator
