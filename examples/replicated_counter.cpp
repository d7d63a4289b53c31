// Consensus by itself: three replicas of a counter, in one thread, without a network or a clock of their own. The program is
// their host: it says when time passes, carries messages, brings back what the disks did, and asks.
#include "net/memory_disk.hpp"
#include "raft/replica/replica.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <variant>
#include <vector>

using namespace raftlab;  // NOLINT(google-build-using-namespace): a short program
using raft::NodeId;

namespace {

/// What is replicated. A command is a number to add.
class Counter final : public raft::StateMachine {
 public:
  void apply(const raft::EntryView& entry) override {
    if (entry.kind != raft::EntryKind::command || entry.payload.size() != sizeof(std::int64_t)) return;
    std::int64_t number = 0;
    std::memcpy(&number, entry.payload.data(), sizeof(number));
    value_ += number;
  }
  void begin_snapshot() override { taken_ = value_; }
  bool write_snapshot(std::size_t /*bytes*/, std::vector<std::byte>& out) override {
    const auto* bytes = reinterpret_cast<const std::byte*>(&taken_);
    out.insert(out.end(), bytes, bytes + sizeof(taken_));
    return true;
  }
  void abandon_snapshot() override {}
  bool restore(raft::Index /*last*/, raft::Bytes snapshot) override {
    if (snapshot.size() != sizeof(value_)) return false;
    std::memcpy(&value_, snapshot.data(), sizeof(value_));
    return true;
  }
  [[nodiscard]] std::int64_t value() const { return value_; }

 private:
  std::int64_t value_ = 0;
  std::int64_t taken_ = 0;
};

struct Node {
  net::MemoryDisk log{{}};
  net::MemoryDisk snapshots{{}};
  Counter counter;
  std::unique_ptr<raft::Replica> replica;
  raft::ReplicaOutput out;
};

std::array<Node, 3> nodes;
Node& node(NodeId id) { return nodes.at(id.value() - 1); }

void open_all() {
  raft::Configuration first;
  for (std::uint32_t id = 1; id <= nodes.size(); ++id) {
    first.members.push_back(raft::Member{NodeId(id), "node" + std::to_string(id), ""});
    first.voters.emplace_back(id);
  }
  for (std::uint32_t id = 1; id <= nodes.size(); ++id) {
    raft::ReplicaOptions options;
    options.core.id = NodeId(id);
    options.core.seed = raft::Seed(id);
    options.core.incarnation = id;
    options.identity = raft::wal::Identity{1, NodeId(id)};
    Node& it = node(NodeId(id));
    auto opened =
        raft::Replica::open(options, raft::Disks{&it.log, &it.snapshots}, it.counter, raft::bootstrap(first));
    it.replica = std::make_unique<raft::Replica>(std::get<raft::Replica>(std::move(opened)));
  }
}

/// One round: every node steps, its messages arrive, and its disks are done.
void step_all() {
  for (Node& it : nodes) {
    for (const auto& done : it.log.take_completions()) it.replica->complete(done);
    for (const auto& done : it.snapshots.take_completions()) it.replica->complete_snapshots(done);
    it.replica->step(it.out);
    for (raft::Envelope& message : it.out.messages) {
      const NodeId to = message.to;
      node(to).replica->receive(std::move(message));
    }
  }
}

raft::Replica* leader() {
  for (Node& it : nodes) {
    if (it.replica->view().state.role == raft::Role::leader) return it.replica.get();
  }
  return nullptr;
}

}  // namespace

int main() {
  open_all();
  while (leader() == nullptr) {
    for (Node& it : nodes) it.replica->tick();
    step_all();
  }
  std::cout << "node " << leader()->view().id.value() << " leads\n";

  for (std::int64_t number = 1; number <= 10; ++number) {
    std::array<std::byte, sizeof(number)> command{};
    std::memcpy(command.data(), &number, sizeof(number));
    leader()->propose(static_cast<std::uint64_t>(number), command);
    step_all();
  }
  // Followers learn of the last commit with the next heartbeat.
  for (int round = 0; round < 20; ++round) {
    for (Node& it : nodes) it.replica->tick();
    step_all();
  }
  for (const Node& it : nodes)
    std::cout << "node " << it.replica->view().id.value() << " counts " << it.counter.value() << '\n';
  return nodes[0].counter.value() == 55 && nodes[1].counter.value() == 55 && nodes[2].counter.value() == 55
             ? EXIT_SUCCESS
             : EXIT_FAILURE;
}
