#include "scenarios/world.hpp"

#include "raft/hash.hpp"
#include "scenarios/text.hpp"
#include "simulator/operations.hpp"

#include <algorithm>
#include <utility>

namespace raftlab::scenarios {

using simulator::Life;
using simulator::SimulatedDisk;

World::World(const WorldOptions& options)
    : profile_(options.profile),
      cluster_(options.profile, options.checks),
      checks_(options.checks),
      nodes_(options.profile.nodes) {
  cluster_.on_commit = [this](const simulator::Commitment& commitment) { note_commit(commitment.entry); };
  for (std::uint32_t id = 1; id <= profile_.nodes; ++id) start(NodeId(id));
}

std::string World::status(NodeId node) const { return text_of(view(node), applied(node)); }

// ---- Steps ------------------------------------------------------------------------------------------------

void World::step_once(NodeId node) {
  const kv::ServiceOutput& out = cluster_.step(node, now_);
  for (const raft::Envelope& envelope : out.messages) send(envelope);
  if (out.role) {
    std::string line = name(node) + " " + raft::name(out.role->role) + " of term " + number(out.role->term);
    if (out.role->role == raft::Role::follower && out.role->leader)
      line += ", follows " + name(out.role->leader);
    news_.push_back(std::move(line));
  }
  // The service tells of its fault in each step; it is news once.
  if (out.fault && !std::exchange(at(node).stopped, true))
    news_.push_back(name(node) + " stops: a write failed");
  for (const kv::Answer& answer : out.answers) answered(answer);
  for (const kv::ChangeAnswer& answer : out.changes) answered(answer);
}

/// Steps over what the node was told; on a disk in automatic mode its syncs end at once.
void World::step(NodeId node) {
  (void)next_instant();
  step_once(node);
  gather_syncs(node);
  ScriptedChooser chooser;
  while (!at(node).manual && !at(node).syncs.empty()) {
    end_sync(node, chooser);
    step_once(node);
    gather_syncs(node);
  }
}

/// What the disk was asked for since the last look: syncs wait, failures are told at once.
void World::gather_syncs(NodeId node) {
  bool failed = true;
  while (std::exchange(failed, false)) {
    for (const Directory directory : {Directory::log, Directory::snapshots}) {
      SimulatedDisk& disk = cluster_.disk(node, directory);
      const std::vector<SimulatedDisk::Started> started = disk.started();
      disk.clear_started();
      for (const SimulatedDisk::Started& operation : started) {
        if (operation.error == simulator::DiskError::none) {
          at(node).syncs.push_back(PendingSync{directory, operation.operation});
        } else {
          cluster_.disk_failed(node, directory,
                               simulator::DiskCompletion{operation.operation, operation.error});
          failed = true;
        }
      }
    }
    if (failed) step_once(node);
  }
}

void World::end_sync(NodeId node, ScriptedChooser& chooser) {
  Node& it = at(node);
  const auto [directory, operation] = it.syncs.front();
  it.syncs.erase(it.syncs.begin());
  auto fate = SimulatedDisk::SyncFate::ok;
  if (it.fails_next) {
    chooser.page = *std::exchange(it.fails_next, std::nullopt);
    fate = SimulatedDisk::SyncFate::failed;
  }
  cluster_.finish_sync(node, directory, operation, fate, chooser, 0);
}

// ---- Time and processes -----------------------------------------------------------------------------------

void World::tick(NodeId node) {
  cluster_.service(node).tick();
  step(node);
}

void World::campaign(NodeId node) {
  cluster_.service(node).campaign();
  step(node);
}

/// A part is written in each step, and so are the steps made until all of it is on its way.
void World::take_snapshot(NodeId node) {
  kv::Service& service = cluster_.service(node);
  service.take_snapshot();
  step(node);
  while (service.replica().writes_snapshot()) step(node);
}

void World::start(NodeId node, bool manual) {
  // A fixed function of node and incarnation: two lives of a node draw different election timeouts.
  const raft::Seed seed(
      raft::Hasher(0x5c3a).add(node).add(std::uint64_t{cluster_.incarnation(node)}).value());
  at(node) = Node{};
  at(node).manual = manual;
  if (cluster_.start(node, seed, next_instant()) == Life::refused) {
    news_.push_back(name(node) + " refuses to start: " + cluster_.refusal(node));
    return;
  }
  gather_syncs(node);
  step(node);
}

/// A process ends with everything that its clients wait for: they will not hear of it.
void World::forget_process(NodeId node) {
  at(node).syncs.clear();
  at(node).fails_next.reset();
  at(node).paused = false;  // who is down does not stand still: messages for it are lost
  for (Attempt& attempt : attempts_) {
    if (attempt.node == node) attempt.over = true;
  }
  for (ChangeAttempt& change : changes_) {
    if (change.node == node) change.over = true;
  }
}

void World::kill(NodeId node) {
  ScriptedChooser chooser;
  (void)next_instant();
  cluster_.crash(node, simulator::Crash{simulator::Crash::Kind::kill, false, false}, chooser, 0);
  forget_process(node);
}

void World::crash(NodeId node, Unsynced unsynced) {
  ScriptedChooser chooser;
  simulator::Crash how{simulator::Crash::Kind::power_loss, false, false};
  if (unsynced == Unsynced::in_sectors) {
    how.kind = simulator::Crash::Kind::power_loss_sectors;
  } else if (at(node).torn_bytes != 0) {
    how.tear = true;
    chooser.torn_bytes = at(node).torn_bytes;
    chooser.grow = at(node).torn_zeros;
  } else if (unsynced == Unsynced::lost) {
    how.lose = chooser.lose_names = true;
  }
  (void)next_instant();
  cluster_.crash(node, how, chooser, 0);
  forget_process(node);
}

/// Syncs that a disk in automatic mode owes to a process that stood still end when it goes on.
void World::pause(NodeId node, bool paused) {
  at(node).paused = paused;
  if (!paused && !at(node).manual) sync(node, 0);
}

// ---- Disks ------------------------------------------------------------------------------------------------

void World::set_manual(NodeId node, bool manual) {
  at(node).manual = manual;
  if (!manual && running(node)) sync(node, 0);
}

std::uint64_t World::sync(NodeId node, std::uint64_t count) {
  ScriptedChooser chooser;
  std::uint64_t ended = 0;
  while (!at(node).syncs.empty() && (count == 0 || ended < count)) {
    (void)next_instant();
    end_sync(node, chooser);
    step_once(node);
    gather_syncs(node);
    ++ended;
  }
  return ended;
}

void World::fail_sync(NodeId node, ScriptedChooser::PageFate fate) {
  at(node).fails_next = fate;
  if (!at(node).syncs.empty()) sync(node, 1);
}

void World::tear(NodeId node, std::uint64_t bytes, bool zeros) {
  at(node).torn_bytes = bytes;
  at(node).torn_zeros = zeros;
}

bool World::rot(NodeId node, std::uint64_t bit) {
  ScriptedChooser chooser;
  chooser.bit = bit;
  return cluster_.disk(node).rot(chooser, 0);
}

void World::backup(NodeId node) {
  for (const Directory directory : {Directory::log, Directory::snapshots})
    backups_[node].insert_or_assign(directory, cluster_.disk(node, directory));
}

bool World::restore(NodeId node) {
  const auto kept = backups_.find(node);
  if (kept == backups_.end()) return false;
  for (const auto& [directory, disk] : kept->second) cluster_.disk(node, directory) = disk;
  return true;
}

// ---- Clients ----------------------------------------------------------------------------------------------

void World::request(Attempt attempt, std::uint32_t deadline_ticks) {
  const NodeId node = attempt.node;
  attempts_.push_back(std::move(attempt));
  const Attempt& made = attempts_.back();
  (void)next_instant();
  if (made.op.client != 0 && invoked_.insert(made.op).second) {
    witness_.invoke(made.op, now_, simulator::to_operation(made.what));
  }
  kv::Request request;
  request.tag = attempts_.size();
  request.deadline_ticks = deadline_ticks;
  request.what = made.what;
  cluster_.service(node).request(request);
  step(node);
}

const Attempt* World::attempt(const std::string& wanted) const {
  const auto found = std::ranges::find(attempts_, wanted, &Attempt::name);
  return found == attempts_.end() ? nullptr : &*found;
}

std::optional<kv::ClientId> World::session(const std::string& wanted) const {
  const auto found = sessions_.find(wanted);
  if (found == sessions_.end()) return std::nullopt;
  return found->second;
}

void World::answered(const kv::Answer& answer) {
  Attempt& attempt = attempts_.at(answer.tag - 1);
  attempt.answer = answer;
  attempt.over = true;
  news_.push_back(attempt.name + ": " + text_of(answer));
  if (!attempt.session.empty()) {
    if (answer.status == kv::Status::ok) sessions_[attempt.session] = answer.client;
    return;
  }
  if (attempt.op.client == 0 || settled_.contains(attempt.op)) return;
  const bool read = std::holds_alternative<kv::GetKeys>(attempt.what);
  if (answer.status == kv::Status::ok || answer.status == kv::Status::compare_failed) {
    witness_.ok(attempt.op, now_, simulator::to_outcome(attempt.what, answer), answer.index, attempt.claim);
  } else if (read) {
    witness_.fail(attempt.op, now_);
  } else {
    return;  // the change may still be retried
  }
  settled_.insert(attempt.op);
}

// ---- Members and leadership -------------------------------------------------------------------------------

std::uint32_t World::open_change(const std::string& name, NodeId node) {
  changes_.push_back(ChangeAttempt{name, node, std::nullopt, false});
  (void)next_instant();
  return static_cast<std::uint32_t>(changes_.size());
}

void World::reconfigure(const std::string& name, NodeId node, const raft::Configuration& target, bool force) {
  cluster_.service(node).reconfigure(open_change(name, node), target, force);
  step(node);
}

void World::transfer(const std::string& name, NodeId node, NodeId target) {
  cluster_.service(node).transfer(open_change(name, node), target);
  step(node);
}

const ChangeAttempt* World::change(const std::string& wanted) const {
  const auto found = std::ranges::find(changes_, wanted, &ChangeAttempt::name);
  return found == changes_.end() ? nullptr : &*found;
}

void World::answered(const kv::ChangeAnswer& answer) {
  ChangeAttempt& change = changes_.at(answer.tag - 1);
  change.answer = answer;
  change.over = true;
  news_.push_back(change.name + ": " + text_of(answer));
}

// ---- The history ------------------------------------------------------------------------------------------

void World::note_commit(const raft::EntryView& entry) {
  Committed& committed = committed_.emplace_back(Committed{entry.id, text_of(entry), {}});
  if (entry.kind == raft::EntryKind::command) {
    if (const auto command = kv::decode(entry.payload)) {
      committed.puts = puts_of(*command);
      if (command->client) {
        const invariants::Operation operation = simulator::to_operation(*command);
        const invariants::OpId id{command->client.value(), command->sequence.value()};
        witness_.committed(entry.id.index, id, &operation);
        report_history();
        return;
      }
      if (!std::holds_alternative<kv::OpenSession>(command->change)) {
        const invariants::Operation operation = simulator::to_operation(*command);
        witness_.committed(entry.id.index, invariants::OpId{}, &operation);
        report_history();
        return;
      }
    }
  }
  witness_.committed(entry.id.index, std::nullopt, nullptr);
  report_history();
}

/// What the witness found becomes a finding of the ladder.
void World::report_history() {
  if (!checks_) return;
  for (; history_findings_ < witness_.findings().size(); ++history_findings_) {
    const invariants::HistoryFinding& found = witness_.findings()[history_findings_];
    cluster_.ladder().report(*rung_named(invariants::short_name(found.rung)), NodeId{}, found.text);
  }
}

void World::finish() {
  for (const Attempt& attempt : attempts_) {
    if (attempt.op.client == 0 || !invoked_.contains(attempt.op) || !settled_.insert(attempt.op).second)
      continue;
    witness_.unknown(attempt.op, now_);
  }
  witness_.finish(next_instant());
  report_history();
  if (checks_) cluster_.ladder().finish();
}

}  // namespace raftlab::scenarios
