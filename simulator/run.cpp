#include "simulator/run.hpp"

#include "invariants/witness.hpp"
#include "simulator/clients.hpp"
#include "simulator/healing.hpp"
#include "simulator/nemesis.hpp"
#include "simulator/network.hpp"
#include "simulator/operator.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace raftlab::simulator {

using invariants::Rung;
using raft::NodeId;

const char* name(Verdict verdict) {
  switch (verdict) {
    case Verdict::holds: return "holds";
    case Verdict::violated: return "violated";
    case Verdict::inconclusive: return "inconclusive";
  }
  return "?";
}

const invariants::Finding* root(const RunResult& result) {
  const auto lowest = std::ranges::min_element(result.findings, {}, &invariants::Finding::rung);
  return lowest == result.findings.end() ? nullptr : &*lowest;
}

namespace {

/// Events at one instant beyond this number are an endless loop (N0).
constexpr std::uint64_t events_at_one_instant_max = 200'000;

constexpr std::uint64_t steps_after_finding = 5'000;

/// One run: the event loop between the cluster and everything that happens to it.
class Run {
 public:
  Run(const Profile& profile, Chooser& chooser, const RunOptions& options)
      : profile_(profile),
        chooser_(chooser),
        options_(options),
        witness_([&] {
          invariants::WitnessOptions witness;
          witness.model.sessions_max = profile.sessions_max;
          return witness;
        }()),
        cluster_(profile, options.checks),
        network_(profile, chooser, queue_, fired_),
        destruction_(profile, cluster_),
        nemesis_(profile, chooser, queue_, cluster_, destruction_, network_, fired_),
        operator_(profile, chooser, queue_, cluster_, destruction_),
        clients_(profile, chooser, queue_, cluster_, options.checks ? &witness_ : nullptr, fired_),
        healing_(profile_, chooser, cluster_, network_, clients_, operator_),
        ticks_(profile.nodes + 1),
        missed_ticks_(profile.nodes + 1),
        disk_busy_until_(2 * (profile.nodes + 1)),
        disk_silent_until_(2 * (profile.nodes + 1)) {
    cluster_.on_commit = [this](const Commitment& commitment) { clients_.committed(commitment.entry); };
    if (options_.on_step) {
      cluster_.on_step = [this](const StepRecord& record, const raft::trace::Step& step) {
        if (!options_.on_step(record, step)) stopped_ = true;
      };
    }
    if (!options_.on_incident) return;
    nemesis_.on_incident = operator_.on_incident =
        healing_.on_incident = [this](IncidentKind kind, NodeId node, std::string what) {
          options_.on_incident(Incident{cluster_.steps(), now_, node, kind, std::move(what)});
        };
  }

  RunResult execute() {
    try {
      begin();
      while (!ended()) next();
      if (options_.checks && !stopped_ && broken_at_ == 0) finish();
    } catch (const std::exception& error) {
      // An assertion or an exception in the code under test is a finding like any other.
      cluster_.ladder().at(cluster_.steps(), now_);
      cluster_.ladder().report(Rung::N0, current_, error.what());
    } catch (...) {
      cluster_.ladder().at(cluster_.steps(), now_);
      cluster_.ladder().report(Rung::N0, current_, "threw something that is no std::exception");
    }
    return result();
  }

 private:
  void begin() {
    for (std::uint32_t id = 1; id <= profile_.nodes; ++id) {
      Event event;
      event.kind = EventKind::restart;
      event.node = id;
      queue_.push(event);
    }
    clients_.begin(0);
    nemesis_.begin(0);
  }

  [[nodiscard]] bool ended() {
    if (stopped_ || healing_.done()) return true;
    // A run goes on for a while after the first finding, to see which higher rungs fall after it.
    if (broken_at_ == 0 && (cluster_.ladder().broken() || !witness_.findings().empty()))
      broken_at_ = cluster_.steps();
    if (broken_at_ != 0 && cluster_.steps() >= broken_at_ + steps_after_finding) return true;
    if (cluster_.steps() > profile_.steps_max) {
      reason_ = "the budget of " + std::to_string(profile_.steps_max) + " steps was spent";
      return true;
    }
    if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed)) {
      reason_ = "stopped";
      return true;
    }
    return queue_.empty();
  }

  void next() {
    Event event = queue_.pop();
    at_this_instant_ = event.time == now_ ? at_this_instant_ + 1 : 0;
    if (at_this_instant_ > events_at_one_instant_max) {
      cluster_.ladder().at(cluster_.steps(), now_);
      cluster_.ladder().report(Rung::N0, NodeId(event.node), "virtual time stands still: endless loop");
      stopped_ = true;
    }
    now_ = event.time;
    if (now_ >= profile_.fault_phase_ns && !healing_.begun()) calm_down();
    if (healing_.begun()) healing_.look(now_);
    if (healing_.done()) return;  // what is judged at the end is what the look saw, not one event more
    handle(event);
  }

  void handle(Event& event) {
    switch (event.kind) {
      case EventKind::tick: return tick(event);
      case EventKind::deliver: return deliver(event);
      case EventKind::disk: return sync_ends(event, Directory::log);
      case EventKind::snapshot_disk: return sync_ends(event, Directory::snapshots);
      case EventKind::nemesis: return nemesis_.turn(event);
      case EventKind::restart: return restart(event);
      case EventKind::resume: return nemesis_.free_disk(event);
      case EventKind::unblock: return nemesis_.unblock(event);
      case EventKind::client: return clients_.wake(event);
      case EventKind::request:
        if (postponed(event)) return;
        if (clients_.request_arrives(event)) step(NodeId(event.node));
        return;
      case EventKind::answer: return clients_.answer_arrives(event);
      case EventKind::load: return clients_.load(event);
      case EventKind::pause_ends: return nemesis_.pause_ends(event);
      case EventKind::replace: return operator_.look(event);
    }
  }

  void calm_down() {
    const bool late = profile_.rate(Fault::message_late) + profile_.rate(Fault::message_duplicate) != 0;
    const Time delay = std::max(profile_.delay_ns_max, late ? profile_.late_ns_max : 0);
    const Time faults_gone = std::max(now_ + delay, nemesis_.pauses_end());
    healing_.begin(now_, faults_gone);
    network_.calm_down();
    nemesis_.calm_down(now_);
    clients_.drain();
  }

  /// A paused process hears of everything when it goes on.
  [[nodiscard]] bool postponed(Event& event) {
    const NodeId node(event.node);
    const Time until = nemesis_.paused_until(node);
    if (until <= now_) {
      catch_up(node);
      return false;
    }
    event.time = until;
    queue_.push(event);
    return true;
  }

  /// What a process hears of first when it goes on is the time that has passed, as leases demand of a host.
  void catch_up(NodeId node) {
    std::uint32_t& missed = missed_ticks_[node.value()];
    if (missed == 0 || cluster_.life(node) != Life::up) return;
    for (; missed != 0; --missed) cluster_.service(node).tick();
  }

  [[nodiscard]] bool alive(const Event& event) const {
    const NodeId node(event.node);
    return cluster_.life(node) == Life::up && cluster_.incarnation(node) == event.life;
  }

  void restart(const Event& event) {
    const NodeId node(event.node);
    const std::uint32_t life_before = cluster_.incarnation(node);
    nemesis_.restart(event);
    const std::uint32_t life = cluster_.incarnation(node);
    if (life != life_before && life > 1) cluster_.ladder().evaluated(Rung::R4);
    if (life != life_before && cluster_.life(node) == Life::refused) refused(node);
    if (cluster_.life(node) != Life::up || ticks_[event.node] == life) return;
    ticks_[event.node] = life;
    missed_ticks_[event.node] = 0;
    busy_until(node, Directory::log) = busy_until(node, Directory::snapshots) = now_;
    silent_until(node, Directory::log) = silent_until(node, Directory::snapshots) = 0;
    start_syncs(node);
    const std::uint64_t about = subject(node, std::uint64_t{life});
    Time period = profile_.tick_ns;
    if (profile_.clock_drift_ppm != 0) {
      const auto drift = static_cast<std::int64_t>(
          chooser_.choose(Key{Choice::clock_drift, about}, 2ULL * profile_.clock_drift_ppm + 1));
      // 0 is no drift; even choices are late, odd ones early.
      period += profile_.tick_ns * (drift % 2 == 0 ? drift / 2 : -(drift + 1) / 2) / million;
      ++fired_[static_cast<std::size_t>(Fault::clock_drift)];
    }
    Event tick;
    tick.time = now_ + chooser_.between(Key{Choice::tick_phase, about}, 0, profile_.tick_ns);
    tick.kind = EventKind::tick;
    tick.node = event.node;
    tick.life = life;
    tick.extra = static_cast<std::uint64_t>(period);
    queue_.push(tick);
  }

  void refused(NodeId node) {
    if (options_.checks && !destruction_.struck(node)) {
      cluster_.ladder().report(Rung::R4, node,
                               "refused to start after a legal crash: " + cluster_.refusal(node));
    }
    operator_.refused(node, now_);
  }

  void tick(Event& event) {
    if (!alive(event)) return;
    const NodeId node(event.node);
    Event next = event;
    next.time = now_ + static_cast<Time>(event.extra);
    if (nemesis_.paused_until(node) > now_) {
      ++missed_ticks_[event.node];
      queue_.push(next);
      return;
    }
    catch_up(node);
    cluster_.service(node).tick();
    queue_.push(next);
    step(node);
  }

  void deliver(Event& event) {
    const NodeId node(event.node);
    if (cluster_.life(node) == Life::up && postponed(event)) return;
    raft::Envelope* envelope = network_.arrive(event.slot);
    if (envelope == nullptr || cluster_.life(node) != Life::up) return;
    cluster_.service(node).receive(std::move(*envelope));
    // Sometimes an input waits, and the next one finds it: then a step has more than one.
    const std::uint32_t joined = profile_.rate(Fault::span);
    if (joined != 0 && !healing_.begun() && chooser_.happens(Key{Choice::span_joined, event.extra}, joined)) {
      ++fired_[static_cast<std::size_t>(Fault::span)];
      return;
    }
    step(node);
  }

  Time& busy_until(NodeId node, Directory directory) {
    return disk_busy_until_[2 * node.value() + static_cast<std::size_t>(directory)];
  }

  /// A completion waits for a process that is paused, and those behind it wait for it, even if the pause is cut short.
  Time& silent_until(NodeId node, Directory directory) {
    return disk_silent_until_[2 * node.value() + static_cast<std::size_t>(directory)];
  }

  /// What a sync is about. The two directories of a node fail and dawdle apart from each other.
  static std::uint64_t about_sync(NodeId node, Directory directory, OperationId operation) {
    return directory == Directory::log ? subject(node, operation)
                                       : subject(node, operation, static_cast<std::uint64_t>(directory));
  }

  void start_syncs(NodeId node) {
    start_syncs(node, Directory::log);
    start_syncs(node, Directory::snapshots);
  }

  void start_syncs(NodeId node, Directory directory) {
    SimulatedDisk& disk = cluster_.disk(node, directory);
    if (disk.started().empty()) return;
    Time& busy = busy_until(node, directory);
    for (const SimulatedDisk::Started& started : disk.started()) {
      const std::uint64_t about = about_sync(node, directory, started.operation);
      Event event;
      const Time needed = started.error != DiskError::none ? 0 : nemesis_.sync_time(node, about);
      // A disk completes in the order in which it was asked.
      event.time = busy = std::max(busy, now_) + needed;
      event.kind = directory == Directory::log ? EventKind::disk : EventKind::snapshot_disk;
      event.node = node.value();
      event.slot = static_cast<std::uint32_t>(started.error);
      event.life = cluster_.incarnation(node);
      event.extra = started.operation.value();
      queue_.push(event);
    }
    disk.clear_started();
  }

  void sync_ends(Event& event, Directory directory) {
    if (!alive(event)) return;
    const NodeId node(event.node);
    Time& silent = silent_until(node, directory);
    if (silent > now_) {
      event.time = silent;
      queue_.push(event);
      return;
    }
    if (postponed(event)) {
      silent = event.time;
      return;
    }
    const OperationId operation(event.extra);
    if (const auto error = static_cast<DiskError>(event.slot); error != DiskError::none) {
      cluster_.disk_failed(node, directory, DiskCompletion{operation, error});
    } else {
      const std::uint64_t about = about_sync(node, directory, operation);
      cluster_.finish_sync(node, directory, operation, nemesis_.sync_fate(node, about), chooser_, about);
    }
    step(node);
  }

  void step(NodeId node) {
    current_ = node;
    kv::ServiceOutput& out = cluster_.step(node, now_);
    for (raft::Envelope& message : out.messages) network_.send(std::move(message), now_);
    if (!out.answers.empty()) clients_.answered(out.answers, now_);
    start_syncs(node);
    // After a fault of its disk a node ends; its supervisor starts it again.
    if (out.fault) nemesis_.process_ended(node, now_);
  }

  void finish() {
    witness_.finish(now_);
    cluster_.ladder().finish();
    healing_.report(now_, fired_);
  }

  [[nodiscard]] RunResult result();
  void add_history();

  const Profile profile_;
  Chooser& chooser_;
  const RunOptions& options_;
  EventQueue queue_;
  FaultCounts fired_{};
  invariants::Witness witness_;
  Cluster cluster_;
  Network network_;
  Destruction destruction_;
  Nemesis nemesis_;
  Operator operator_;
  Clients clients_;
  Healing healing_;
  std::vector<std::uint32_t> ticks_;         // the life of each node whose ticks have begun
  std::vector<std::uint32_t> missed_ticks_;  // of each node, while its process stood still
  std::vector<Time> disk_busy_until_;
  std::vector<Time> disk_silent_until_;
  Time now_ = 0;
  std::uint64_t at_this_instant_ = 0;
  std::uint64_t broken_at_ = 0;
  NodeId current_;
  bool stopped_ = false;
  std::string reason_;
};

void Run::add_history() {
  static constexpr Rung rungs[invariants::history_rungs] = {Rung::E6, Rung::E7, Rung::E8, Rung::E9,
                                                            Rung::E10};
  for (const invariants::HistoryFinding& finding : witness_.findings()) {
    cluster_.ladder().report(rungs[static_cast<std::size_t>(finding.rung)], NodeId{}, finding.text);
  }
  for (std::size_t i = 0; i < invariants::history_rungs; ++i) {
    cluster_.ladder().evaluated(rungs[i], witness_.counts().evaluated[i]);
  }
}

RunResult Run::result() {
  RunResult result;
  if (options_.checks) {
    add_history();
    cluster_.ladder().evaluated(Rung::N0, cluster_.steps());
  }
  const Clients::Counts& clients = clients_.counts();
  result.findings = cluster_.ladder().findings();
  result.digest = cluster_.digest();
  result.steps = cluster_.steps();
  result.virtual_ns = now_;
  result.messages_sent = cluster_.messages_sent();
  result.messages_delivered = network_.delivered();
  result.committed = cluster_.committed().value();
  result.elections = cluster_.elections();
  result.fired = fired_;
  result.operations_ok = clients.ok;
  result.operations_failed = clients.failed;
  result.operations_unknown = clients.unknown;
  result.operations_offered = clients.offered;
  result.latency_ns_median = clients.latency_ns.median();
  if (options_.checks) {
    for (const invariants::RungInfo& rung : invariants::rungs()) {
      result.evaluations.push_back(cluster_.ladder().evaluations(rung.rung));
    }
    result.marks = cluster_.marks().counts();
    result.marks[static_cast<std::size_t>(Mark::outcome_unknown)] += clients.unknown;
    result.marks[static_cast<std::size_t>(Mark::session_expired)] += clients.expired;
  }
  if (!result.findings.empty()) {
    result.verdict = Verdict::violated;
  } else if (!reason_.empty() || clients.ok == 0) {
    result.verdict = Verdict::inconclusive;
    result.reason = reason_.empty() ? "no operation succeeded" : reason_;
  }
  return result;
}

}  // namespace

RunResult run(const Profile& profile, Chooser& chooser, const RunOptions& options) {
  return Run(profile, chooser, options).execute();
}

}  // namespace raftlab::simulator
