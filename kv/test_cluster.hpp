#pragma once

#include "kv/service.hpp"
#include "kv/test_disk.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <ostream>
#include <set>
#include <stdexcept>
#include <vector>

/// A few services with their disks and a network that loses what the test says, for the tests of the service.
/// Simple on purpose: the simulator is the place for faults.
namespace raftlab::kv {

/// How GoogleTest prints a status.
inline void PrintTo(Status status, std::ostream* out) { *out << name(status); }

}  // namespace raftlab::kv

namespace raftlab::kv::test {

inline ServiceOptions options_of(raft::NodeId id) {
  ServiceOptions options;
  options.replica.core.id = id;
  options.replica.core.seed = raft::Seed(1000 + id.value());
  options.replica.identity = raft::wal::Identity{1, id};
  return options;
}

struct Node {
  TestDisk disk;
  TestDisk snapshots;
  std::unique_ptr<Service> service;
  ServiceOutput out;
  std::vector<Answer> answers;        ///< all of them, oldest first
  std::vector<ChangeAnswer> changes;  ///< likewise
};

class Cluster {
 public:
  template <class Change>
  Cluster(std::uint32_t nodes, Change change_options) {
    for (std::uint32_t i = 1; i <= nodes; ++i) {
      ServiceOptions options = options_of(raft::NodeId(i));
      change_options(options);
      auto node = std::make_unique<Node>();
      const raft::Disks disks{&node->disk, &node->snapshots};
      auto opened = Service::open(options, disks, raft::bootstrap(raft::voters_up_to(nodes)));
      if (const auto* refusal = std::get_if<raft::wal::Refusal>(&opened))
        throw std::runtime_error(refusal->detail);
      node->service = std::move(std::get<std::unique_ptr<Service>>(opened));
      nodes_.push_back(std::move(node));
    }
  }
  explicit Cluster(std::uint32_t nodes) : Cluster(nodes, [](ServiceOptions&) {}) {}

  std::set<std::uint32_t> cut_off;  ///< nodes that no message reaches or leaves

  [[nodiscard]] Node& node(std::uint32_t id) { return *nodes_.at(id - 1); }
  [[nodiscard]] Service& service(std::uint32_t id) { return *node(id).service; }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(nodes_.size()); }
  [[nodiscard]] std::size_t messages() const { return network_.size(); }

  /// One step of one node with what its disk has completed.
  void step(std::uint32_t id) {
    Node& node = this->node(id);
    for (const auto& completion : node.disk.take()) node.service->complete(completion);
    for (const auto& completion : node.snapshots.take()) node.service->complete_snapshots(completion);
    node.service->step(node.out);
    std::ranges::move(node.out.answers, std::back_inserter(node.answers));
    std::ranges::move(node.out.changes, std::back_inserter(node.changes));
    std::ranges::move(node.out.messages, std::back_inserter(network_));
  }
  /// Hands over, or loses, the message at this place in the network.
  void deliver(std::size_t position, bool lose = false) {
    raft::Envelope envelope = std::move(network_[position]);
    network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(position));
    if (lose || cut_off.contains(envelope.from.value()) || cut_off.contains(envelope.to.value())) return;
    service(envelope.to.value()).receive(std::move(envelope));
  }

  /// Hands over what the predicate lets through, and loses the rest.
  template <class Predicate>
  void deliver_only(Predicate passes) {
    for (std::size_t left = network_.size(); left > 0; --left) deliver(0, !passes(network_.front()));
  }

  /// Steps and delivers until nothing happens any more.
  void settle() {
    for (int round = 0; round < 50; ++round) {
      while (!network_.empty()) deliver(0);
      for (std::uint32_t id = 1; id <= size(); ++id) step(id);
    }
  }
  void tick_all(std::uint32_t ticks = 1) {
    for (std::uint32_t i = 0; i < ticks; ++i) {
      for (const auto& node : nodes_) node->service->tick();
      settle();
    }
  }
  void elect(std::uint32_t id) {
    settle();
    service(id).campaign();
    settle();
  }

  void request(std::uint32_t id, const Request& request) { service(id).request(request); }
  /// The answers to this tag that the node has given.
  [[nodiscard]] std::vector<Answer> answers(std::uint32_t id, std::uint64_t tag) {
    std::vector<Answer> found;
    std::ranges::copy_if(node(id).answers, std::back_inserter(found),
                         [&](const Answer& answer) { return answer.tag == tag; });
    return found;
  }

 private:
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<raft::Envelope> network_;
};

inline Request write(std::uint64_t tag, Change change, std::uint32_t deadline_ticks = 100) {
  return Request{tag, deadline_ticks, Command{ClientId(), Sequence(), std::move(change)}};
}
inline Request write_in(std::uint64_t tag, ClientId client, std::uint64_t sequence, Change change) {
  return Request{tag, 100, Command{client, Sequence(sequence), std::move(change)}};
}
inline Request read(std::uint64_t tag, std::vector<std::string> keys,
                    std::optional<ReadPolicy> policy = std::nullopt, std::uint32_t deadline_ticks = 100) {
  return Request{tag, deadline_ticks, GetKeys{std::move(keys), policy}};
}

/// The only answer to a tag.
inline Answer only(Cluster& cluster, std::uint32_t node, std::uint64_t tag) {
  const std::vector<Answer> answers = cluster.answers(node, tag);
  EXPECT_EQ(answers.size(), 1U) << "tag " << tag << " at node " << node;
  if (answers.size() != 1) {
    Answer none;
    none.status = Status::unknown;
    return none;
  }
  return answers.front();
}

/// Asks, waits until nothing happens any more, and returns the only answer.
inline Answer ask(Cluster& cluster, std::uint32_t node, const Request& request) {
  const std::uint64_t tag = request.tag;
  cluster.request(node, request);
  cluster.settle();
  return only(cluster, node, tag);
}

}  // namespace raftlab::kv::test
