#pragma once

#include "raft/core_fixture.hpp"
#include "raft/replica/replica.hpp"
#include "raft/snapshot/test_disk.hpp"
#include "raft/wal/test_disk.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// A replica with everything around it, driven by hand: a disk that carries out one change at a time, a state
/// machine and an observer that remember what they were told.
namespace raftlab::raft::testing {

/// Each applied entry as "index:what": "1:config", "2:noop", "3:a".
class RecordingMachine final : public StateMachine {
 public:
  std::vector<std::string> applied;
  std::function<void(const EntryView&)> on_apply;

  void apply(const EntryView& entry) override {
    if (on_apply) on_apply(entry);
    std::string what = text(entry.payload);
    if (entry.kind == EntryKind::noop) what = "noop";
    if (entry.kind == EntryKind::configuration) what = "config";
    applied.push_back(std::to_string(entry.id.index.value()) + ":" + what);
  }

  /// A snapshot is what was applied, a line each.
  void begin_snapshot() override {
    content_.clear();
    for (const std::string& line : applied) content_ += line + "\n";
    written_ = 0;
  }
  [[nodiscard]] bool write_snapshot(std::size_t count, std::vector<std::byte>& out) override {
    const auto part = bytes(std::string_view(content_).substr(written_, count));
    out.insert(out.end(), part.begin(), part.end());
    written_ += part.size();
    return written_ == content_.size();
  }
  void abandon_snapshot() override { ++abandoned; }
  [[nodiscard]] bool restore(Index last, Bytes snapshot) override {
    if (refuse) return false;
    restored = last;
    applied.clear();
    std::string line;
    for (const char character : text(snapshot)) {
      if (character != '\n') {
        line.push_back(character);
        continue;
      }
      applied.push_back(std::exchange(line, {}));
    }
    return true;
  }
  std::uint32_t abandoned = 0;
  bool refuse = false;
  Index restored;

 private:
  std::string content_;
  std::size_t written_ = 0;
};

class RecordingObserver final : public trace::StepObserver {
 public:
  bool deltas = false;
  std::uint64_t steps = 0;
  std::size_t last_inputs = 0;
  std::size_t last_deltas = 0;
  std::function<void(const trace::Step&)> on_step;

  [[nodiscard]] bool wants_deltas() const override { return deltas; }
  void stepped(const trace::Step& step) override {
    ++steps;
    last_inputs = step.inputs.size();
    last_deltas = step.output.deltas.size();
    if (on_step) on_step(step);
  }
};

/// The host of node `id` in a cluster of voters 1..`nodes`, without pre-vote and check-quorum.
class Host {
 public:
  explicit Host(std::uint32_t nodes, std::uint32_t id = 1) : when_empty(bootstrap(voters_up_to(nodes))) {
    options.core = plain(id);
    options.identity = wal::Identity{1, node(id)};
  }

  wal::testing::TestDisk disk;
  snapshot::testing::TestDisk snapshot_disk;
  RecordingMachine machine;
  RecordingObserver observer;
  ReplicaOptions options;
  std::optional<Recovered> when_empty;
  std::optional<Replica> replica;
  std::optional<wal::Refusal> refusal;
  ReplicaOutput out;
  // Gathered from every step since they were cleared last.
  std::vector<Envelope> sent;
  std::vector<ReadReady> reads;
  std::vector<Accepted> accepted;

  /// A new life, with an empty state machine. False: refused.
  bool start() {
    replica.reset();
    refusal.reset();
    machine.applied.clear();
    auto opened = Replica::open(options, Disks{&disk, &snapshot_disk}, machine, when_empty);
    if (auto* why = std::get_if<wal::Refusal>(&opened)) {
      refusal = std::move(*why);
      return false;
    }
    replica.emplace(std::move(std::get<Replica>(opened)));
    return true;
  }

  void step() {
    replica->step(out, &observer);
    sent.insert(sent.end(), out.messages.begin(), out.messages.end());
    reads.insert(reads.end(), out.reads.begin(), out.reads.end());
    accepted.insert(accepted.end(), out.accepted.begin(), out.accepted.end());
  }
  /// The disk carries out its oldest change and the replica hears of it.
  void disk_step() {
    replica->complete(disk.step());
    step();
  }
  void snapshot_disk_step() {
    if (const auto completion = snapshot_disk.step()) replica->complete_snapshots(*completion);
    step();
  }
  void settle() {
    while (!disk.idle() || !snapshot_disk.idle()) {
      if (!disk.idle()) disk_step();
      if (!snapshot_disk.idle()) snapshot_disk_step();
    }
  }
  void kill() {
    replica.reset();
    disk.kill();
    snapshot_disk.kill();
  }
  void lose_power(const wal::testing::Choose& choose) {
    replica.reset();
    disk.lose_power(choose);
    snapshot_disk.lose_power(choose);
  }

  void propose(std::uint64_t tag, std::string_view command) {
    const auto payload = bytes(command);
    replica->propose(tag, payload);
    step();
  }
  void receive(std::uint32_t from, std::uint64_t term, Message message) {
    replica->receive(Envelope{node(from), replica->view().id, Term(term), std::move(message)});
    step();
  }
  /// Stands, and wins by the votes of 2, 3, ...; its no-op is durable here, nobody else answered yet.
  void lead() {
    settle();
    replica->campaign();
    step();
    settle();
    const std::size_t voters = replica->view().configurations.back().configuration.voters.size();
    const std::uint64_t term = state().hard.term.value();
    for (std::uint32_t voter = 2; voter <= voters && state().role == Role::candidate; ++voter)
      receive(voter, term, VoteReply{false, true});
    settle();
    step();
    if (state().role != Role::leader) throw std::logic_error("not elected");
  }
  /// A peer acknowledges everything up to the end of the log.
  void acknowledge_all(std::uint32_t from) {
    receive(from, state().hard.term.value(), AppendReply{state().last.index, ReadSeq{}});
  }

  [[nodiscard]] State state() const { return replica->view().state; }
  template <class Kind>
  [[nodiscard]] std::vector<Kind> all_sent() const {
    std::vector<Kind> found;
    for (const Envelope& envelope : sent) {
      if (const auto* message = std::get_if<Kind>(&envelope.message)) found.push_back(*message);
    }
    return found;
  }
};

/// The only voter: it leads, and its no-op is applied.
inline void lead_alone(Host& host) {
  if (!host.start()) throw std::logic_error("refused");
  host.lead();
}

/// Node 1 of three leads, its no-op is committed and applied, and nothing is on its way.
inline void lead_of_three(Host& host) {
  if (!host.start()) throw std::logic_error("refused");
  host.lead();
  host.acknowledge_all(2);
  host.acknowledge_all(3);
  host.step();
  host.sent.clear();
}

}  // namespace raftlab::raft::testing
