#include "raft/replica/replica.hpp"

#include "raft/assert.hpp"

#include <utility>

namespace raftlab::raft {

void ReplicaOutput::clear() {
  messages.clear();
  accepted.clear();
  rejected.clear();
  reads.clear();
  lost_from.reset();
  role.reset();
  fault.reset();
}

std::variant<Replica, wal::Refusal> Replica::open(const ReplicaOptions& options, wal::Disk& disk,
                                                  StateMachine& machine,
                                                  const std::optional<Recovered>& when_empty) {
  auto opened = wal::Wal::open(disk, options.identity, options.wal, when_empty);
  if (auto* refused = std::get_if<wal::Refusal>(&opened)) return std::move(*refused);
  auto& log = std::get<wal::Wal::Opened>(opened);
  auto core = Core::recover(options.core, log.recovered);
  if (const auto* error = std::get_if<RecoverError>(&core)) {
    return wal::Refusal{wal::RefusalCode::bad_content, "", 0,
                        std::string("the recovered log cannot be a node's: ") + name(*error)};
  }
  log.wal.begin();  // only now: what is refused leaves the files as they are
  return Replica(std::move(std::get<Core>(core)), std::move(log), machine);
}

Replica::Replica(Core core, wal::Wal::Opened opened, StateMachine& machine)
    : core_(std::move(core)),
      wal_(std::move(opened.wal)),
      machine_(&machine),
      recovered_(std::move(opened.recovered)),
      torn_tail_(opened.torn_tail),
      id_(core_.view().id) {}

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
  } else {
    inbox_.emplace_back(WriteFailed{outcome->seq});
  }
}

void Replica::propose(std::uint64_t tag, Bytes command) {
  inbox_.emplace_back(Propose{tag, std::vector<std::byte>(command.begin(), command.end())});
}

void Replica::read_barrier(std::uint64_t tag) { inbox_.emplace_back(Read{tag}); }
void Replica::campaign() { inbox_.emplace_back(Campaign{}); }
void Replica::unreachable(NodeId peer) { inbox_.emplace_back(Unreachable{peer}); }

void Replica::step(ReplicaOutput& out, trace::StepObserver* observer) {
  out.clear();
  core_out_.trace = observer != nullptr && observer->wants_deltas();
  do {
    core_.step(inbox_, core_out_);
    if (core_out_.write.seq) wal_.write(core_out_.write);
    if (observer != nullptr) observer->stepped(trace::Step{id_, inbox_, core_out_, core_.view()});
    inbox_.clear();
    carry_out(out);
    // The core hears of what was applied with the next input, unless a read waits for it now.
  } while (!inbox_.empty() && core_.waits_for_applied());
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
  if (core_out_.lost_from && (!out.lost_from || *core_out_.lost_from < *out.lost_from))
    out.lost_from = core_out_.lost_from;
  if (core_out_.role) out.role = core_out_.role;
  if (core_out_.fault) out.fault = core_out_.fault;
  for (const Slice& slice : core_out_.apply) {
    for (std::uint32_t i = 0; i < slice.size(); ++i) machine_->apply(slice.entry(i));
    out.applied = slice.last_index();
  }
  if (!core_out_.apply.empty()) inbox_.emplace_back(Applied{out.applied});
}

}  // namespace raftlab::raft
