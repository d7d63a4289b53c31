#include "kv/service.hpp"

#include "kv/snapshot.hpp"
#include "raft/assert.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace raftlab::kv {

namespace {

using Slot = std::uint32_t;
constexpr Slot no_slot = UINT32_MAX;

/// Where a slot stands in a list of slots.
struct Links {
  Slot previous = no_slot;
  Slot next = no_slot;
};

enum class Stage : std::uint8_t {
  free,
  proposed,  ///< a write, handed to the replica, of which it has not said anything
  accepted,  ///< a write in the log at `id`, in the list of accepted proposals
  lost,      ///< a write that cannot be committed any more; answered at the end of this step
  reading,   ///< a read, handed to the replica
  stale,     ///< a read, answered at the end of this step
};

/// A request that waits for its answer.
struct Waiting {
  Stage stage = Stage::free;
  std::uint32_t generation = 0;  ///< tells the request from earlier ones in this slot
  std::uint64_t tag = 0;
  std::uint64_t deadline = 0;  ///< the tick at which it is answered at the latest
  raft::LogId id;
  ClientId client;           ///< of a write
  Sequence sequence;         ///< of a write
  std::uint64_t change = 0;  ///< of a write of a session: `hash` of what it changes
  std::vector<std::string> keys;
  Links by_deadline;
  Links by_id;  ///< accepted only
};

/// A list that runs through slots, oldest first.
template <Links Waiting::*links>
class List {
 public:
  [[nodiscard]] Slot first() const { return first_; }
  [[nodiscard]] Slot last() const { return last_; }

  void push_back(std::vector<Waiting>& slots, Slot slot) {
    slots[slot].*links = Links{last_, no_slot};
    (last_ == no_slot ? first_ : (slots[last_].*links).next) = slot;
    last_ = slot;
  }
  void remove(std::vector<Waiting>& slots, Slot slot) {
    const Links at = slots[slot].*links;
    (at.previous == no_slot ? first_ : (slots[at.previous].*links).next) = at.next;
    (at.next == no_slot ? last_ : (slots[at.next].*links).previous) = at.previous;
  }

 private:
  Slot first_ = no_slot;
  Slot last_ = no_slot;
};

/// Deadlines fall into the bucket of their number modulo this.
constexpr std::size_t deadline_buckets = 256;

[[nodiscard]] CommandError check(const GetKeys& get) {
  if (get.keys.empty()) return CommandError::empty_batch;
  if (get.keys.size() > batch_entries_max) return CommandError::batch_too_large;
  for (const std::string& key : get.keys) {
    if (const CommandError error = check_key(key); error != CommandError::none) return error;
  }
  return CommandError::none;
}

[[nodiscard]] Status status_of(Effect effect) {
  switch (effect) {
    case Effect::compare_failed: return Status::compare_failed;
    case Effect::session_expired: return Status::session_expired;
    case Effect::sequence_reused:
    case Effect::malformed: return Status::bad_request;
    case Effect::done:
    case Effect::duplicate: break;
  }
  return Status::ok;
}

[[nodiscard]] Status status_of(raft::Rejection reason) {
  switch (reason) {
    case raft::Rejection::not_leader: return Status::not_leader;
    case raft::Rejection::overloaded: return Status::overloaded;
    case raft::Rejection::too_large: return Status::bad_request;
    case raft::Rejection::timed_out: return Status::timed_out;  // the leader did not answer this node
    case raft::Rejection::not_ready:
    case raft::Rejection::transferring:      // soon another leads, or this one goes on
    case raft::Rejection::change_in_flight:  // this and the rest: of requests that a service does not make
    case raft::Rejection::bad_configuration:
    case raft::Rejection::not_caught_up:
    case raft::Rejection::bad_target: break;
  }
  return Status::not_ready;
}

}  // namespace

const char* name(Status status) {
  switch (status) {
    case Status::ok: return "ok";
    case Status::compare_failed: return "compare failed";
    case Status::session_expired: return "session expired";
    case Status::not_leader: return "not leader";
    case Status::not_ready: return "not ready";
    case Status::overloaded: return "overloaded";
    case Status::bad_request: return "bad request";
    case Status::unknown: return "unknown";
    case Status::timed_out: return "timed out";
  }
  return "?";
}

void ServiceOutput::clear() {
  messages.clear();
  answers.clear();
  changes.clear();
  role.reset();
  fault.reset();
}

/// Requests wait in slots, at most `requests_max`, that are used again: in the steady state nothing is
/// allocated here. What the replica says of a request it says with a tag made of slot and generation; tags of
/// requests that are answered already are met by nobody.
class Service::Implementation final : public raft::StateMachine {
 public:
  explicit Implementation(const ServiceOptions& options)
      : store_(options.store),
        read_policy_(options.read_policy),
        requests_max_(options.requests_max),
        observer_(options.observer),
        command_bytes_max_(options.replica.core.limits.proposal_bytes_max) {
    RAFTLAB_ASSERT(requests_max_ < no_slot, requests_max_);
  }

  void adopt(raft::Replica replica) { replica_.emplace(std::move(replica)); }

  [[nodiscard]] raft::Replica& replica() { return *replica_; }
  [[nodiscard]] const raft::Replica& replica() const { return *replica_; }
  [[nodiscard]] const Store& store() const { return store_; }
  [[nodiscard]] std::size_t waiting() const { return slots_.size() - free_.size() + answers_.size(); }
  /// Of the last snapshot that was refused for its version.
  [[nodiscard]] std::optional<std::uint64_t> other_version() const { return other_version_; }
  void set_read_policy(ReadPolicy policy) { read_policy_ = policy; }

  void tick() {
    ++now_;
    replica_->tick();
  }

  void request(const Request& request) {
    const auto refuse = [&](Status status, CommandError error = CommandError::none) {
      make_answer(request.tag, status).error = error;
    };
    if (fault_) return refuse(Status::not_ready);
    if (const CommandError error = check_request(request); error != CommandError::none) {
      return refuse(Status::bad_request, error);
    }
    if (slots_.size() - free_.size() >= requests_max_) return refuse(Status::overloaded);

    const Slot slot = take_slot(request);
    if (const auto* command = std::get_if<Command>(&request.what)) {
      slots_[slot].stage = Stage::proposed;
      slots_[slot].client = command->client;
      slots_[slot].sequence = command->sequence;
      slots_[slot].change = command->client ? hash(command->change) : 0;
      ++proposed_;
      encoded_.clear();
      encode(*command, encoded_);
      replica_->propose(replica_tag(slot), encoded_);
      return;
    }
    const auto& get = std::get<GetKeys>(request.what);
    slots_[slot].keys = get.keys;
    const ReadPolicy policy = get.policy.value_or(read_policy_);
    if (policy == ReadPolicy::stale) {
      slots_[slot].stage = Stage::stale;
      stale_.push_back(slot);
    } else {
      slots_[slot].stage = Stage::reading;
      replica_->read_barrier(replica_tag(slot), policy == ReadPolicy::lease ? raft::ReadMode::lease
                                                                            : raft::ReadMode::read_index);
    }
  }

  void reconfigure(std::uint32_t tag, const raft::Configuration& target, bool force) {
    replica_->reconfigure(change_tag(tag), target, force);
  }
  void transfer(std::uint32_t tag, raft::NodeId target) { replica_->transfer(change_tag(tag), target); }

  void step(ServiceOutput& out, raft::trace::StepObserver* observer) {
    out.clear();
    replica_->step(replica_out_, observer);  // calls `apply` and `restore` below
    for (const raft::Accepted& accepted : replica_out_.accepted) accept(accepted);
    for (const raft::Rejected& rejected : replica_out_.rejected) reject(rejected);
    answer_changes(out.changes);
    if (replica_out_.fault && !fault_) {
      fault_ = replica_out_.fault;
      give_up();
    } else {
      for (const raft::ReadReady& ready : replica_out_.reads) read_ready(ready);
      for (const Slot slot : stale_) answer_read(slot);
      answer_lost();
    }
    stale_.clear();
    lost_.clear();
    applied_before_accepted_.clear();
    expire();
    std::swap(out.messages, replica_out_.messages);
    std::swap(out.answers, answers_);
    out.role = replica_out_.role;
    out.fault = fault_;
  }

  void apply(const raft::EntryView& entry) override {
    const raft::LogId id = entry.id;
    RAFTLAB_ASSERT(id.term >= applied_term_, id, applied_term_);
    applied_term_ = id.term;
    while (accepted_.first() != no_slot && slots_[accepted_.first()].id.term < id.term)
      lose(accepted_.first());
    if (entry.kind != raft::EntryKind::command) return store_.skip(id.index);

    const bool sound = decode(entry.payload, decoded_);
    Result result = sound ? store_.apply(id.index, decoded_) : store_.apply_malformed(id.index);
    if (sound && observer_ != nullptr) observer_->applied(id.index, decoded_, result);
    if (const Slot slot = accepted_.first(); slot != no_slot && slots_[slot].id == id) {
      answer_write(slot, std::move(result));
    } else if (proposed_ > 0) {
      applied_before_accepted_.emplace_back(id, std::move(result));
    }
  }

  void begin_snapshot() override { store_.begin_snapshot(); }
  [[nodiscard]] bool write_snapshot(std::size_t bytes, std::vector<std::byte>& out) override {
    return store_.write_snapshot(bytes, out);
  }
  void abandon_snapshot() override { store_.abandon_snapshot(); }
  [[nodiscard]] bool restore(raft::Index last, raft::Bytes snapshot) override {
    RAFTLAB_ASSERT(last >= store_.applied(), last, store_.applied());
    if (!store_.restore(last, snapshot)) {
      const auto version = version_of(snapshot);
      if (version && *version != snapshot_version) other_version_ = version;
      return false;
    }
    restored_ = last;
    if (observer_ != nullptr) observer_->restored(last);
    for (Slot slot = accepted_.first(); slot != no_slot;) {
      const Slot next = slots_[slot].by_id.next;
      if (slots_[slot].id.index <= restored_) answer_skipped(slot);
      slot = next;
    }
    return true;
  }

 private:
  // ---- Slots
  // -------------------------------------------------------------------------------------------------

  [[nodiscard]] CommandError check_request(const Request& request) const {
    const auto* command = std::get_if<Command>(&request.what);
    if (command == nullptr) return check(std::get<GetKeys>(request.what));
    const CommandError error = kv::check(*command);
    if (error != CommandError::none) return error;
    return encoded_size(*command) > command_bytes_max_ ? CommandError::command_too_large : CommandError::none;
  }

  [[nodiscard]] Slot take_slot(const Request& request) {
    Slot slot = no_slot;
    if (free_.empty()) {
      slot = static_cast<Slot>(slots_.size());
      slots_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    Waiting& waiting = slots_[slot];
    ++waiting.generation;
    waiting.tag = request.tag;
    waiting.deadline = now_ + std::max(request.deadline_ticks, 1U);
    deadlines_[waiting.deadline % deadline_buckets].push_back(slots_, slot);
    return slot;
  }

  static constexpr Slot change_slot = UINT32_MAX - 1;  // no request has it
  [[nodiscard]] static std::uint64_t change_tag(std::uint32_t tag) {
    return (std::uint64_t{tag} << 32U) | change_slot;
  }
  [[nodiscard]] std::uint64_t replica_tag(Slot slot) const {
    return (std::uint64_t{slots_[slot].generation} << 32U) | slot;
  }
  [[nodiscard]] Slot slot_of(std::uint64_t replica_tag, Stage stage) const {
    const auto slot = static_cast<Slot>(replica_tag & UINT32_MAX);
    const bool here = slot < slots_.size() && slots_[slot].generation == (replica_tag >> 32U) &&
                      slots_[slot].stage == stage;
    return here ? slot : no_slot;
  }

  /// Ends the wait: every request passes here once. The answer may be completed until the next one is made.
  Answer& answer(Slot slot, Status status) {
    Waiting& waiting = slots_[slot];
    RAFTLAB_ASSERT(waiting.stage != Stage::free, slot);
    if (waiting.stage == Stage::proposed) --proposed_;
    if (waiting.stage == Stage::accepted) accepted_.remove(slots_, slot);
    deadlines_[waiting.deadline % deadline_buckets].remove(slots_, slot);
    waiting.stage = Stage::free;
    free_.push_back(slot);
    waiting.keys.clear();
    return make_answer(waiting.tag, status);
  }
  Answer& make_answer(std::uint64_t tag, Status status) {
    Answer& made = answers_.emplace_back();
    made.tag = tag;
    made.status = status;
    return made;
  }

  // ---- Writes
  // ------------------------------------------------------------------------------------------------

  void answer_write(Slot slot, Result result) {
    const bool duplicate = result.effect == Effect::duplicate;
    Answer& made = answer(slot, status_of(duplicate ? result.first : result.effect));
    made.duplicate = duplicate;
    made.found = std::move(result.found);
    made.index = result.index;
    made.client = result.client;
    if (result.effect == Effect::sequence_reused) made.error = CommandError::sequence_reused;
  }

  /// Accepted proposals are ordered by term, then by index: a leader appends in order, and leads in rising
  /// terms.
  void accept(const raft::Accepted& accepted) {
    const Slot slot = slot_of(accepted.tag, Stage::proposed);
    if (slot == no_slot) return;
    --proposed_;
    slots_[slot].id = accepted.id;
    if (accepted_.last() != no_slot) {
      const raft::LogId before = slots_[accepted_.last()].id;
      RAFTLAB_ASSERT(before.term < accepted.id.term ||
                         (before.term == accepted.id.term && before.index < accepted.id.index),
                     before, accepted.id);
    }
    slots_[slot].stage = Stage::accepted;
    accepted_.push_back(slots_, slot);
    // The step that accepted it may have applied it as well, or may have passed over it, or may have applied
    // what rules it out.
    if (accepted.id.index > store_.applied()) {
      if (accepted.id.term < applied_term_) lose(slot);
      return;
    }
    for (auto& [id, result] : applied_before_accepted_) {
      if (id == accepted.id) return answer_write(slot, std::move(result));
    }
    if (accepted.id.index <= restored_) return answer_skipped(slot);
    lose(slot);
  }

  /// A snapshot has taken the place of the entries around this accepted proposal, so it will not be applied
  /// here, and may or may not have been applied elsewhere. Its session knows if this number was its last
  /// one; who has none cannot be told anything, not even that a session was opened at this index: it may be
  /// another's.
  void answer_skipped(Slot slot) {
    const Waiting& waiting = slots_[slot];
    std::optional<Result> known = store_.answer(waiting.client, waiting.sequence, waiting.change);
    if (!known) {
      answer(slot, Status::unknown);
      return;
    }
    if (known->effect == Effect::sequence_reused) return answer_write(slot, *std::move(known));
    const bool by_another_attempt = known->index != waiting.id.index;
    if (by_another_attempt) known->first = std::exchange(known->effect, Effect::duplicate);
    answer_write(slot, *std::move(known));
  }

  void lose(Slot slot) {
    accepted_.remove(slots_, slot);
    slots_[slot].stage = Stage::lost;
    lost_.push_back(slot);
  }

  void answer_lost() {
    if (lost_.empty()) return;
    const raft::State state = replica_->view().state;
    for (const Slot slot : lost_) {
      if (state.role == raft::Role::leader) {
        answer(slot, Status::not_ready);
      } else {
        answer(slot, Status::not_leader).leader = state.leader;
      }
    }
  }

  /// Of the operator's requests, which take no slot.
  void answer_changes(std::vector<ChangeAnswer>& out) const {
    const auto answer_to = [&](std::uint64_t tag, ChangeAnswer::Outcome outcome) -> ChangeAnswer* {
      if ((tag & UINT32_MAX) != change_slot) return nullptr;
      ChangeAnswer& made = out.emplace_back();
      made.tag = static_cast<std::uint32_t>(tag >> 32U);
      made.outcome = outcome;
      return &made;
    };
    for (const raft::Accepted& accepted : replica_out_.accepted) {
      if (auto* made = answer_to(accepted.tag, ChangeAnswer::Outcome::accepted))
        made->index = accepted.id.index;
    }
    for (const raft::Rejected& rejected : replica_out_.rejected) {
      auto* made = answer_to(rejected.tag, ChangeAnswer::Outcome::rejected);
      if (made == nullptr) continue;
      made->reason = rejected.reason;
      made->leader = rejected.leader;
    }
    for (const std::uint64_t tag : replica_out_.transferred)
      answer_to(tag, ChangeAnswer::Outcome::transferred);
  }

  void reject(const raft::Rejected& rejected) {
    Slot slot = slot_of(rejected.tag, Stage::proposed);
    if (slot == no_slot) slot = slot_of(rejected.tag, Stage::reading);
    if (slot == no_slot) return;
    Answer& made = answer(slot, status_of(rejected.reason));
    if (made.status == Status::not_leader) made.leader = rejected.leader;
    if (made.status == Status::bad_request) made.error = CommandError::command_too_large;
  }

  // ---- Reads
  // -------------------------------------------------------------------------------------------------

  void read_ready(const raft::ReadReady& ready) {
    const Slot slot = slot_of(ready.tag, Stage::reading);
    if (slot == no_slot) return;
    RAFTLAB_ASSERT(ready.index <= store_.applied(), ready.index, store_.applied());
    answer_read(slot);
  }

  void answer_read(Slot slot) {
    const std::vector<std::string> keys = std::move(slots_[slot].keys);
    Answer& made = answer(slot, Status::ok);
    made.index = store_.applied();
    made.values.reserve(keys.size());
    for (const std::string& key : keys) made.values.emplace_back(store_.get(key));
  }

  // ---- Ends
  // --------------------------------------------------------------------------------------------------

  void expire() {
    while (expired_ < now_) {
      ++expired_;
      const auto& bucket = deadlines_[expired_ % deadline_buckets];
      for (Slot slot = bucket.first(); slot != no_slot;) {
        const Slot next = slots_[slot].by_deadline.next;
        if (slots_[slot].deadline <= expired_) answer(slot, Status::timed_out);
        slot = next;
      }
    }
  }

  /// After a fault the core is silent for ever. In the step of the fault it wrote and sent nothing, so what
  /// it had not accepted in an earlier step left no trace.
  void give_up() {
    for (Slot slot = 0; slot < slots_.size(); ++slot) {
      const Stage stage = slots_[slot].stage;
      if (stage == Stage::free) continue;
      answer(slot, stage == Stage::accepted ? Status::unknown : Status::not_ready);
    }
  }

  Store store_;
  ReadPolicy read_policy_;
  std::uint32_t requests_max_;
  ApplyObserver* observer_;
  std::uint32_t command_bytes_max_;
  std::optional<raft::Replica> replica_;
  raft::ReplicaOutput replica_out_;
  std::optional<raft::Fault> fault_;
  raft::Term applied_term_;  // of the last entry that was applied
  raft::Index restored_;     // end of the last snapshot that was restored
  std::optional<std::uint64_t> other_version_;

  std::uint64_t now_ = 0;      // in ticks
  std::uint64_t expired_ = 0;  // deadlines up to here have been looked at
  std::vector<Waiting> slots_;
  std::vector<Slot> free_;
  std::array<List<&Waiting::by_deadline>, deadline_buckets> deadlines_;
  List<&Waiting::by_id> accepted_;
  std::size_t proposed_ = 0;  // slots in Stage::proposed

  // Within one step.
  std::vector<Slot> stale_;
  std::vector<Slot> lost_;
  std::vector<std::pair<raft::LogId, Result>> applied_before_accepted_;
  std::vector<std::byte> encoded_;
  CommandView decoded_;  // of the entry that is being applied
  std::vector<Answer> answers_;
};

namespace {

/// A snapshot that is intact, and of no use to this program only for its version, is not "missing".
void name_versions(raft::wal::Refusal& refusal, std::optional<std::uint64_t> found) {
  if (refusal.code != raft::wal::RefusalCode::missing_snapshot || !found) return;
  refusal.code = raft::wal::RefusalCode::unknown_version;
  refusal.detail = "the snapshot holds a store of format version " + std::to_string(*found) +
                   ", expected format version " + std::to_string(snapshot_version);
}

}  // namespace

std::variant<std::unique_ptr<Service>, raft::wal::Refusal> Service::open(
    const ServiceOptions& options, const raft::Disks& disks,
    const std::optional<raft::Recovered>& when_empty) {
  auto implementation = std::make_unique<Implementation>(options);
  auto replica = raft::Replica::open(options.replica, disks, *implementation, when_empty);
  if (auto* refusal = std::get_if<raft::wal::Refusal>(&replica)) {
    name_versions(*refusal, implementation->other_version());
    return std::move(*refusal);
  }
  implementation->adopt(std::move(std::get<raft::Replica>(replica)));
  return std::unique_ptr<Service>(new Service(std::move(implementation)));
}

Service::Service(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Service::~Service() = default;

void Service::tick() { implementation_->tick(); }
void Service::receive(raft::Envelope&& envelope) { implementation_->replica().receive(std::move(envelope)); }
void Service::complete(const raft::wal::DiskCompletion& completion) {
  implementation_->replica().complete(completion);
}
void Service::complete_snapshots(const raft::wal::DiskCompletion& completion) {
  implementation_->replica().complete_snapshots(completion);
}
void Service::take_snapshot() { implementation_->replica().take_snapshot(); }
void Service::request(const Request& request) { implementation_->request(request); }
void Service::campaign() { implementation_->replica().campaign(); }
void Service::reconfigure(std::uint32_t tag, const raft::Configuration& target, bool force) {
  implementation_->reconfigure(tag, target, force);
}
void Service::transfer(std::uint32_t tag, raft::NodeId target) { implementation_->transfer(tag, target); }
void Service::unreachable(raft::NodeId peer) { implementation_->replica().unreachable(peer); }
void Service::set_read_policy(ReadPolicy policy) { implementation_->set_read_policy(policy); }
void Service::step(ServiceOutput& out, raft::trace::StepObserver* observer) {
  implementation_->step(out, observer);
}
raft::StateMachine& Service::state_machine() { return *implementation_; }
const raft::Replica& Service::replica() const { return implementation_->replica(); }
const Store& Service::store() const { return implementation_->store(); }
std::size_t Service::waiting() const { return implementation_->waiting(); }

}  // namespace raftlab::kv
