#include "simulator/cluster.hpp"

#include "raft/assert.hpp"
#include "raft/hash.hpp"
#include "simulator/starting_state.hpp"

#include <algorithm>
#include <deque>
#include <string>
#include <utility>

namespace raftlab::simulator {

using raft::Index;
using raft::NodeId;
using raft::Role;

struct Cluster::Node {
  /// A write that was handed to the log storage, and the append that carries it: known here independently of what the log
  /// storage later says. A write that is not appended at once goes with the next append.
  struct Submitted {
    raft::WriteSeq seq;
    OperationId append;  ///< 0: not appended yet
  };

  NodeId id;
  SimulatedDisk disk;  // of the log
  SimulatedDisk snapshots;
  std::unique_ptr<kv::Service> service;
  Life life = Life::down;
  std::uint32_t incarnation = 0;
  std::string refusal;
  std::deque<Submitted> submitted;
  OperationId last_append;
  Index applied;
  // As of the last step, for `leader`.
  Role role = Role::follower;
  raft::Term term;
};

/// What happens to the directory of the snapshots is decided apart from what happens to that of the log.
static std::uint64_t snapshots_about(std::uint64_t about) { return raft::combine(about, 0x736e6170ULL); }

/// One step in so many is executed twice, on a copy: the same state and input must give the same state and output (D20).
/// In fewer where the copy is of a long log, so that a step costs the same however long that has become.
static constexpr std::uint64_t twin_every_steps = 2048;

Cluster::Cluster(const Profile& profile, bool checks)
    : profile_(profile),
      checks_(checks),
      ladder_([&] {
        invariants::Ladder::Options options;
        options.pre_vote = profile.pre_vote;
        options.check_quorum = profile.check_quorum;
        options.leases = profile.leases;
        options.election_ticks_min = profile.election_ticks;
        options.limits = limits_of(profile);
        return options;
      }()),
      marks_(profile.nodes),
      in_force_(profile) {
  for (std::uint32_t id = 1; id <= profile.nodes; ++id) {
    nodes_.push_back(std::make_unique<Node>());
    nodes_.back()->id = NodeId(id);
  }
}

Cluster::~Cluster() = default;

Cluster::Node& Cluster::node(NodeId id) {
  RAFTLAB_ASSERT(id && id.value() <= nodes_.size(), id);
  return *nodes_[id.value() - 1];
}

const Cluster::Node& Cluster::node(NodeId id) const {
  RAFTLAB_ASSERT(id && id.value() <= nodes_.size(), id);
  return *nodes_[id.value() - 1];
}

Life Cluster::life(NodeId id) const { return node(id).life; }
std::uint32_t Cluster::incarnation(NodeId id) const { return node(id).incarnation; }
const std::string& Cluster::refusal(NodeId id) const { return node(id).refusal; }
SimulatedDisk& Cluster::disk(NodeId id, Directory directory) {
  return directory == Directory::log ? node(id).disk : node(id).snapshots;
}

kv::Service& Cluster::service(NodeId id) {
  RAFTLAB_ASSERT(node(id).service != nullptr, id);
  return *node(id).service;
}

const kv::Service& Cluster::service(NodeId id) const {
  RAFTLAB_ASSERT(node(id).service != nullptr, id);
  return *node(id).service;
}

void Cluster::note(std::uint64_t what) { digest_ = raft::combine(digest_, what); }

Life Cluster::start(NodeId id, raft::Seed seed, Time now) {
  Node& it = node(id);
  RAFTLAB_ASSERT(it.life == Life::down, id);
  now_ = now;
  ++it.incarnation;
  kv::ServiceOptions options;
  options.replica.core.id = id;
  options.replica.core.seed = seed;
  options.replica.core.election_ticks_min = profile_.election_ticks;
  options.replica.core.heartbeat_ticks = profile_.heartbeat_ticks;
  options.replica.core.pre_vote = profile_.pre_vote;
  options.replica.core.check_quorum = profile_.check_quorum;
  options.replica.core.priority = priority_of(profile_, id);
  options.replica.core.stall_ticks = profile_.stall_ticks;
  if (profile_.leases) options.replica.core.lease_drift_ppm = profile_.lease_drift_ppm;
  options.replica.core.incarnation = it.incarnation;
  options.replica.core.limits = limits_of(profile_);
  if (profile_.sessions_max != 0) options.store.sessions_max = profile_.sessions_max;
  options.replica.snapshot.entries = profile_.snapshot_entries;
  options.replica.snapshot.bytes = 0;
  options.replica.snapshot.part_bytes = profile_.snapshot_part_bytes;
  options.replica.snapshot.chunk_bytes = profile_.snapshot_chunk_bytes;
  options.replica.identity = raft::wal::Identity{1, id};
  it.last_append = it.disk.last_append();
  const raft::Disks disks{&it.disk, &it.snapshots};
  auto opened = kv::Service::open(options, disks, starting_state(profile_, id));
  note(raft::Hasher(static_cast<std::uint64_t>(now))
           .add(id)
           .add(std::uint64_t{it.incarnation})
           .add(std::uint64_t{opened.index()})
           .value());
  if (const auto* refusal = std::get_if<raft::wal::Refusal>(&opened)) {
    it.life = Life::refused;
    if (checks_) marks_.fire(Mark::start_refused);
    it.refusal = std::string(raft::wal::name(refusal->code)) + " " + refusal->file + " at byte " +
                 std::to_string(refusal->offset) + ": " + refusal->detail;
    return it.life;
  }
  it.life = Life::up;
  if (it.snapshots.take_rotten() && checks_) marks_.fire(Mark::snapshot_rot_survived);
  it.role = Role::follower;
  it.service = std::move(std::get<std::unique_ptr<kv::Service>>(opened));
  it.applied = Index{};
  it.submitted.assign(1, Node::Submitted{raft::WriteSeq(1), OperationId{}});
  note_appends(it);
  if (checks_) {
    ladder_.at(steps_, now_);
    ladder_.started(id, it.service->replica().recovered(), it.service->replica().view());
    marks_.started(id, it.service->replica().recovered(), it.service->replica().torn_tail());
  }
  return it.life;
}

CrashDamage Cluster::crash(NodeId id, const Crash& how, Chooser& chooser, std::uint64_t about) {
  Node& it = node(id);
  RAFTLAB_ASSERT(it.life == Life::up, id);
  it.service.reset();
  it.life = Life::down;
  in_force_.crashed(id);
  find_leader();
  const CrashDamage damage = it.disk.crash(how, chooser, about);
  it.snapshots.crash(how, chooser, snapshots_about(about));
  note(raft::Hasher(static_cast<std::uint64_t>(how.kind))
           .add(id)
           .add(it.disk.bytes(), it.snapshots.bytes())
           .value());
  if (checks_) {
    ladder_.crashed(id, how.kind != Crash::Kind::kill);
    marks_.crashed(id);
  }
  return damage;
}

void Cluster::reconfigure(NodeId leader, std::uint32_t tag, const raft::Configuration& target, bool force) {
  in_force_.asked(leader, target);
  service(leader).reconfigure(tag, target, force);
}

kv::ServiceOutput& Cluster::step(NodeId id, Time now) {
  Node& it = node(id);
  now_ = now;
  if (checks_ && steps_ >= twin_due_) {
    twin_ = it.service->replica().core();
    twin_due_ = steps_ + std::max<std::uint64_t>(twin_every_steps, twin_->view().log->pieces().size());
  }
  service(id).step(output_, this);
  twin_.reset();
  messages_ += output_.messages.size();
  if (checks_) {
    for (const kv::Answer& answer : output_.answers) marks_.answered(answer);
  }
  const Index applied = it.service->store().applied();
  if (applied != it.applied) {
    it.applied = applied;
    if (checks_) ladder_.store_digest(id, applied, it.service->store().digest());
  }
  return output_;
}

void Cluster::disk_failed(NodeId id, Directory directory, const DiskCompletion& completion) {
  if (directory == Directory::log) {
    if (checks_ && completion.error == DiskError::no_space) marks_.fire(Mark::disk_full);
    service(id).complete(completion);
  } else {
    service(id).complete_snapshots(completion);
  }
}

void Cluster::finish_sync(NodeId id, Directory directory, OperationId operation, SimulatedDisk::SyncFate fate,
                          Chooser& chooser, std::uint64_t about) {
  Node& it = node(id);
  if (directory == Directory::snapshots) {
    service(id).complete_snapshots(it.snapshots.finish(operation, fate, chooser, about));
    return;
  }
  const DiskCompletion completion = it.disk.finish(operation, fate, chooser, about);
  note_durable(it);
  service(id).complete(completion);
  note_appends(it);
}

void Cluster::note_appends(Node& it) {
  if (it.disk.last_append() == it.last_append) return;  // nothing was appended, or the append failed
  it.last_append = it.disk.last_append();
  const raft::WriteSeq appended = it.service->replica().wal().appended();
  for (auto write = it.submitted.rbegin(); write != it.submitted.rend() && !write->append; ++write) {
    if (write->seq <= appended) write->append = it.last_append;
  }
}

void Cluster::note_durable(Node& it) {
  raft::WriteSeq durable;
  while (!it.submitted.empty() && it.submitted.front().append &&
         it.submitted.front().append <= it.disk.durable_through()) {
    durable = it.submitted.front().seq;
    it.submitted.pop_front();
  }
  if (durable && checks_) ladder_.durable(it.id, durable);
}

void Cluster::find_leader() {
  leader_ = NodeId{};
  raft::Term term;
  for (const auto& it : nodes_) {
    if (it->life != Life::up || it->role != Role::leader || it->term <= term) continue;
    term = it->term;
    leader_ = it->id;
  }
}

/// The same state and the same input give the same state and output (D20): anything else is a hidden input.
void Cluster::compare_twin(const raft::trace::Step& step) {
  twin_output_.trace = step.output.trace;
  twin_->step(step.inputs, twin_output_);
  ladder_.evaluated(invariants::Rung::D20);
  const bool same = twin_->fingerprint() == node(step.node).service->replica().core().fingerprint() &&
                    twin_output_.messages == step.output.messages &&
                    twin_output_.write.seq == step.output.write.seq;
  if (!same)
    ladder_.report(invariants::Rung::D20, step.node,
                   "a copy of the core did something else with the same inputs");
  twin_.reset();
}

void Cluster::stepped(const raft::trace::Step& step) {
  Node& it = node(step.node);
  ++steps_;
  in_force_.stepped(step.view);
  const raft::Output& out = step.output;
  if (out.write.seq) {
    it.submitted.push_back(Node::Submitted{out.write.seq, OperationId{}});
    note_appends(it);
  }
  if (out.role || out.fault) {
    if (out.role && out.role->role == Role::leader) ++elections_;
    it.role = out.fault ? Role::follower : step.view.state.role;
    it.term = step.view.state.hard.term;
    find_leader();
  }

  raft::Hasher hasher(digest_);
  hasher.add(static_cast<std::uint64_t>(now_), it.service->replica().core().fingerprint()).add(step.node);
  for (const raft::Envelope& message : out.messages) hasher.add(raft::hash(message));
  hasher.add(out.write.seq.value(), it.service->replica().wal().chain());
  hasher.add(it.disk.durable_digest(), it.service->store().digest());
  if (const std::uint32_t asked = it.service->replica().snapshots().chain(); asked != 0)
    hasher.add(it.snapshots.durable_digest(), asked);
  for (const raft::ReadReady& read : out.reads) hasher.add(read.tag, read.index.value());
  digest_ = hasher.value();

  if (checks_) {
    ladder_.at(steps_, now_);
    ladder_.stepped(step);
    if (twin_) compare_twin(step);
    marks_.stepped(step);
  }
  announce_commits(step);
  if (on_step) on_step(StepRecord{steps_, now_, step.node, step.view.state, digest_}, step);
}

void Cluster::announce_commits(const raft::trace::Step& step) {
  const Index commit = step.view.state.commit;
  if (commit <= committed_) return;
  scratch_.clear();
  step.view.log->slices(committed_.next(), commit, scratch_);
  committed_ = commit;
  if (!on_commit) return;
  for (const raft::Slice& slice : scratch_) {
    for (std::uint32_t i = 0; i < slice.size(); ++i) on_commit(Commitment{slice.entry(i)});
  }
}

}  // namespace raftlab::simulator
