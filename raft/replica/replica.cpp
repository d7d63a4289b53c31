#include "raft/replica/replica.hpp"

#include "raft/assert.hpp"

#include <algorithm>
#include <utility>

namespace raftlab::raft {

void ReplicaOutput::clear() {
  messages.clear();
  accepted.clear();
  rejected.clear();
  reads.clear();
  transferred.clear();
  lost_from.reset();
  role.reset();
  fault.reset();
  restored.reset();
}

// ---- Start -----------------------------------------------------------------------------------------------------

namespace {

/// The term of an entry that the log was recovered with; 0: it does not hold it.
Term term_at(const Recovered& recovered, Index index) {
  if (index == recovered.base.index) return recovered.base.term;
  for (const Slice& slice : recovered.entries) {
    if (!slice.empty() && slice.first_index() <= index && index <= slice.last_index())
      return slice.term_at(index);
  }
  return Term{};
}

/// Restores the state machine from the newest snapshot that the log goes on from, and lets `recovered` start there.
std::optional<wal::Refusal> restore_newest(Recovered& recovered, snapshot::Files::Opened& snapshots,
                                           StateMachine& machine) {
  if (!recovered.snapshot.index) return std::nullopt;
  for (const snapshot::Found& found : snapshots.found) {
    const LogId last = found.header.last;
    if (last.index > recovered.snapshot.index || term_at(recovered, last.index) != last.term) continue;
    const auto content = snapshots.files.content(last);
    if (!content || !machine.restore(last.index, *content)) continue;
    recovered.snapshot = last;
    recovered.snapshot_configuration = found.header.configuration;
    return std::nullopt;
  }
  if (!recovered.base.index) {
    recovered.snapshot = LogId{};
    recovered.snapshot_configuration.reset();
    return std::nullopt;
  }
  return wal::Refusal{wal::RefusalCode::missing_snapshot,
                      snapshots.damaged.empty() ? "" : snapshots.damaged.front(), 0,
                      "the log starts behind entry " + std::to_string(recovered.base.index.value()) +
                          ", and there is no intact snapshot from " + "there up to entry " +
                          std::to_string(recovered.snapshot.index.value())};
}

}  // namespace

std::variant<Replica, wal::Refusal> Replica::open(const ReplicaOptions& options, const Disks& disks,
                                                  StateMachine& machine,
                                                  const std::optional<Recovered>& when_empty) {
  auto opened = wal::Wal::open(*disks.log, options.identity, options.wal, when_empty);
  if (auto* refused = std::get_if<wal::Refusal>(&opened)) return std::move(*refused);
  auto& log = std::get<wal::Wal::Opened>(opened);

  auto listed = snapshot::Files::open(*disks.snapshots, options.identity.cluster);
  if (const auto* error = std::get_if<wal::DiskError>(&listed)) {
    return wal::Refusal{wal::RefusalCode::unreadable, "", 0,
                        std::string("the directory of the snapshots cannot be read: ") + wal::name(*error)};
  }
  auto& snapshots = std::get<snapshot::Files::Opened>(listed);
  if (auto refused = restore_newest(log.recovered, snapshots, machine)) return std::move(*refused);

  auto core = Core::recover(options.core, log.recovered);
  if (const auto* error = std::get_if<RecoverError>(&core)) {
    return wal::Refusal{wal::RefusalCode::bad_content, "", 0,
                        std::string("the recovered log cannot be a node's: ") + name(*error)};
  }
  // Only now: what is refused leaves the files as they are.
  log.wal.begin(log.recovered);
  return Replica(options, std::move(std::get<Core>(core)), std::move(log), std::move(snapshots.files),
                 machine);
}

Replica::Replica(const ReplicaOptions& options, Core core, wal::Wal::Opened opened, snapshot::Files snapshots,
                 StateMachine& machine)
    : core_(std::move(core)),
      wal_(std::move(opened.wal)),
      snapshots_(std::move(snapshots)),
      machine_(&machine),
      snapshot_options_(options.snapshot),
      cluster_(options.identity.cluster),
      recovered_(std::move(opened.recovered)),
      torn_tail_(opened.torn_tail),
      id_(core_.view().id),
      applied_(recovered_.snapshot.index),
      kept_{recovered_.snapshot} {}

// ---- What happened ---------------------------------------------------------------------------------------------

void Replica::tick() {
  wal_.tick();
  inbox_.emplace_back(Tick{});
}

void Replica::receive(Envelope&& envelope) { inbox_.emplace_back(Receive{std::move(envelope)}); }

void Replica::complete(const wal::DiskCompletion& completion) {
  const auto outcome = wal_.complete(completion);
  if (!outcome) return;
  if (outcome->error == wal::DiskError::none) {
    inbox_.emplace_back(Written{outcome->seq});
    checkpoint_written_ = outcome->seq;
  } else {
    inbox_.emplace_back(WriteFailed{outcome->seq});
  }
}

void Replica::complete_snapshots(const wal::DiskCompletion& completion) { snapshots_.complete(completion); }

void Replica::propose(std::uint64_t tag, Bytes command) {
  inbox_.emplace_back(Propose{tag, std::vector<std::byte>(command.begin(), command.end())});
}

void Replica::reconfigure(std::uint64_t tag, const Configuration& target, bool force) {
  inbox_.emplace_back(ProposeConfiguration{tag, target, force});
}

void Replica::transfer(std::uint64_t tag, NodeId target) { inbox_.emplace_back(Transfer{tag, target}); }
void Replica::read_barrier(std::uint64_t tag, ReadMode mode) { inbox_.emplace_back(Read{tag, mode}); }
void Replica::campaign() { inbox_.emplace_back(Campaign{}); }
void Replica::unreachable(NodeId peer) { inbox_.emplace_back(Unreachable{peer}); }

// ---- One step --------------------------------------------------------------------------------------------------

void Replica::step(ReplicaOutput& out, trace::StepObserver* observer) {
  out.clear();
  core_out_.trace = observer != nullptr && observer->wants_deltas();
  if (snapshots_.has_events()) note_snapshot_events();
  do {
    again_ = false;
    if (observer != nullptr) observer->stepping(core_, inbox_);
    core_.step(inbox_, core_out_);
    if (core_out_.write.seq) wal_.write(core_out_.write);
    if (core_out_.write.checkpoint) checkpoint_ = core_out_.write.seq;
    if (observer != nullptr) observer->stepped(trace::Step{id_, inbox_, core_out_, core_.view()});
    inbox_.clear();
    carry_out(out);
    // The core hears of what was applied with the next input, unless somebody waits for it now.
  } while (!inbox_.empty() && (again_ || core_.waits_for_applied()));
  if (out.fault) return;
  advance_snapshot();
  remove_old_snapshots();
}

void Replica::carry_out(ReplicaOutput& out) {
  const auto move_all = [](auto& from, auto& to) {  // mostly nothing, or everything
    if (from.empty()) return;
    if (to.empty()) return std::swap(from, to);
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  move_all(core_out_.messages, out.messages);
  move_all(core_out_.accepted, out.accepted);
  move_all(core_out_.rejected, out.rejected);
  move_all(core_out_.reads, out.reads);
  move_all(core_out_.transferred, out.transferred);
  if (core_out_.lost_from && (!out.lost_from || *core_out_.lost_from < *out.lost_from))
    out.lost_from = core_out_.lost_from;
  if (core_out_.role) out.role = core_out_.role;
  if (core_out_.fault) out.fault = core_out_.fault;
  if (core_out_.restore) restore(*core_out_.restore, out);
  for (const Slice& slice : core_out_.apply) {
    for (std::uint32_t i = 0; i < slice.size(); ++i) machine_->apply(slice.entry(i));
    out.applied = applied_ = slice.last_index();
    applied_entries_ += slice.size();
    applied_bytes_ += slice.payload_bytes();
  }
  if (!core_out_.apply.empty()) inbox_.emplace_back(Applied{out.applied});
  if (!core_out_.chunks_to_store.empty() || !core_out_.chunks_to_send.empty()) transfer_chunks(out);
}

// ---- Snapshots -------------------------------------------------------------------------------------------------

/// The snapshot was complete, intact and durable a moment ago. When it cannot be read now the node ends: its log goes on
/// from before, and what it finds at its next start is a matter of `open`.
void Replica::restore(LogId last, ReplicaOutput& out) {
  snapshots_.abandon();
  writing_ = false;  // the state machine abandons its part by itself
  const auto content = snapshots_.content(last);
  again_ = true;
  if (!content || !machine_->restore(last.index, *content)) {
    inbox_.emplace_back(WriteFailed{core_.view().state.issued});
    return;
  }
  out.applied = applied_ = last.index;
  out.restored = last.index;
  applied_entries_ = applied_bytes_ = 0;
  inbox_.emplace_back(SnapshotRestored{last});
}

void Replica::transfer_chunks(ReplicaOutput& out) {
  for (const StoreChunk& store : core_out_.chunks_to_store) {
    const std::uint64_t received = snapshots_.receive(store.chunk);
    inbox_.emplace_back(ChunkStored{store.from, store.chunk.last, received});
    again_ = true;
  }
  for (const SendChunk& send : core_out_.chunks_to_send) {
    auto chunk = snapshots_.chunk(send.last, send.offset, snapshot_options_.chunk_bytes);
    if (chunk) {
      out.messages.push_back(Envelope{id_, send.peer, send.term, std::move(*chunk)});
    } else {
      inbox_.emplace_back(SnapshotFailed{send.last});
      again_ = true;
    }
  }
}

void Replica::note_snapshot_events() {
  for (const snapshot::Event& event : snapshots_.take_events()) {
    switch (event.kind) {
      case snapshot::Event::Kind::taken:
        kept_.push_back(event.last);
        inbox_.emplace_back(SnapshotTaken{event.last});
        break;
      case snapshot::Event::Kind::stored:
        kept_.push_back(event.last);
        inbox_.emplace_back(SnapshotStored{event.last, event.configuration});
        break;
      case snapshot::Event::Kind::taking_failed:
        if (std::exchange(writing_, false)) machine_->abandon_snapshot();
        break;
      case snapshot::Event::Kind::storing_failed: break;  // the sender hears of it with its next chunk
    }
  }
}

/// Begins a snapshot when it is time, and writes a part of the one that is being taken.
void Replica::advance_snapshot() {
  const bool many = snapshot_options_.entries != 0 && applied_entries_ >= snapshot_options_.entries;
  const bool large = snapshot_options_.bytes != 0 && applied_bytes_ >= snapshot_options_.bytes;
  if ((many || large || snapshot_wanted_) && !snapshots_.taking()) begin_snapshot();
  if (!writing_) return;
  part_.clear();
  writing_ = !machine_->write_snapshot(snapshot_options_.part_bytes, part_);
  snapshots_.write(part_);
  if (!writing_) snapshots_.finish();
}

void Replica::begin_snapshot() {
  const View view = core_.view();
  if (applied_ <= view.state.snapshot.index) return;  // there is nothing new
  snapshot_wanted_ = false;
  applied_entries_ = applied_bytes_ = 0;
  const auto at =
      std::find_if(view.configurations.rbegin(), view.configurations.rend(),
                   [&](const ConfigurationAt& configuration) { return configuration.index <= applied_; });
  RAFTLAB_ASSERT(at != view.configurations.rend(), applied_);
  machine_->begin_snapshot();
  snapshots_.begin(
      snapshot::Header{cluster_, LogId{view.log->term_at(applied_), applied_}, at->configuration});
  writing_ = true;
}

/// What the log on disk no longer starts from, and nobody is being sent, goes. What was recovered is not durable: until write 1
/// is, a loss of power may bring back an older log, which starts from an older snapshot.
void Replica::remove_old_snapshots() {
  if ((kept_.size() <= 1 && swept_) || checkpoint_ > checkpoint_written_) return;
  const View view = core_.view();
  const auto wanted = [&](LogId last) {
    return last == view.state.snapshot || std::ranges::any_of(view.peers, [&](const Progress& peer) {
             return peer.state == ProgressState::snapshot && peer.snapshot == last;
           });
  };
  const bool superseded = std::erase_if(kept_, [&](LogId last) { return !wanted(last); }) != 0;
  if (superseded || !swept_) snapshots_.keep_only(kept_);
  swept_ = true;
}

}  // namespace raftlab::raft
