#pragma once

#include "invariants/ladder.hpp"
#include "raft/configuration.hpp"
#include "raft/core.hpp"
#include "raft/hash.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// Some real cores under the ladder, driven by hand: a queue of messages and a queue of writes for each node. For
/// tests and the benchmark of the ladder only; the workbench's own simulator is in simulator/.
namespace raftlab::invariants {

class Cores {
 public:
  enum class Checks { none, deltas_only, ladder };

  /// The content of a snapshot: this is the state machine.
  struct Snapshot {
    raft::LogId last;
    std::uint64_t digest = 0;
    raft::Configuration configuration;
  };
  static constexpr std::uint64_t chunks_of_snapshot = 2;
  /// Of a `ProposeConfiguration`; other inputs have other tags.
  static constexpr std::uint64_t change_tag = 2;

  struct Node {
    raft::NodeId id;
    std::optional<raft::Core> core;
    std::vector<raft::Write> writes;  // submitted, not yet on disk
    raft::WriteSeq synced;
    raft::WriteSeq told;
    std::vector<raft::Input> inbox;  // applied, written: what the host owes the core
    // The disk: what is synced.
    raft::HardState hard;
    raft::LogId snapshot;
    raft::Configuration snapshot_configuration;
    raft::LogId base;
    std::vector<raft::Slice> entries;  // one entry each, behind the base
    std::map<raft::Index, Snapshot> snapshots;
    std::uint64_t incarnation = 0;
    // From what its present life began.
    raft::Options options;
    raft::Recovered recovered;
    // The state machine.
    raft::LogId applied;
    std::uint64_t digest = 0;
    // The snapshot that is being received, and how many of its chunks are there.
    raft::LogId receiving;
    std::uint64_t received = 0;
  };

  Cores(std::uint32_t count, std::uint64_t seed, raft::Options options, Checks checks = Checks::ladder)
      : Cores(count, 0, seed, options, checks) {}
  /// The spares start with nothing, outside of the cluster.
  Cores(std::uint32_t voters, std::uint32_t spares, std::uint64_t seed, raft::Options options,
        Checks checks = Checks::ladder)
      : options_(options), seed_(seed), checks_(checks), ladder_(ladder_options(options)) {
    configuration_ = raft::voters_up_to(voters);
    nodes_.resize(voters + spares);
    for (std::uint32_t at = 0; at < voters + spares; ++at) {
      nodes_[at].id = raft::NodeId(at + 1);
      start(nodes_[at]);
    }
  }

  [[nodiscard]] Ladder& ladder() { return ladder_; }
  [[nodiscard]] std::vector<Node>& nodes() { return nodes_; }
  [[nodiscard]] std::vector<raft::Envelope>& messages() { return messages_; }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  [[nodiscard]] std::uint64_t installs() const { return installs_; }
  /// Changes of the configuration that a leader took, and transfers that ended because it leads no more.
  [[nodiscard]] std::uint64_t changes() const { return changes_; }
  [[nodiscard]] std::uint64_t transfers() const { return transfers_; }
  /// Called before each step of a core.
  std::function<void(const Node&, const std::vector<raft::Input>&)> before_step;
  /// Each incarnation keeps a tail of a drawn length, below this one, behind its snapshots.
  void tails_below(std::uint64_t bound) { tails_below_ = bound; }

  /// A number below `bound`, from the seed and the count of draws.
  std::uint64_t draw(std::uint64_t bound) { return raft::Hasher(seed_).add(++draws_).value() % bound; }

  [[nodiscard]] Node* leader() {
    Node* best = nullptr;
    for (Node& node : nodes_) {
      if (!node.core) continue;
      const raft::State state = node.core->view().state;
      if (state.role != raft::Role::leader) continue;
      if (best == nullptr || state.hard.term > best->core->view().state.hard.term) best = &node;
    }
    return best;
  }

  void step(Node& node, const std::vector<raft::Input>& inputs) {
    ++steps_;
    output_.trace = checks_ != Checks::none;
    if (before_step) before_step(node, inputs);
    node.core->step(inputs, output_);
    if (checked()) {
      ladder_.at(steps_, static_cast<std::int64_t>(steps_) * 1000);
      ladder_.stepped(raft::trace::Step{node.id, inputs, output_, node.core->view()});
    }
    for (raft::Envelope& envelope : output_.messages) messages_.push_back(std::move(envelope));
    if (output_.write.seq) node.writes.push_back(output_.write);
    transfers_ += output_.transferred.size();
    for (const raft::Accepted& accepted : output_.accepted) changes_ += accepted.tag == change_tag ? 1 : 0;
    if (output_.restore) restore(node, *output_.restore);
    for (const raft::SendChunk& chunk : output_.chunks_to_send) send(node, chunk);
    for (const raft::StoreChunk& chunk : output_.chunks_to_store) store(node, chunk);
    for (const raft::Slice& slice : output_.apply) {
      for (std::uint32_t i = 0; i < slice.size(); ++i) {
        const raft::EntryView entry = slice.entry(i);
        node.digest = raft::Hasher(node.digest).add(entry.id.index).add(entry.payload).value();
        node.applied = entry.id;
        if (checked()) ladder_.store_digest(node.id, entry.id.index, node.digest);
      }
      node.inbox.emplace_back(raft::Applied{slice.last_index()});
    }
  }
  void step(Node& node, raft::Input input) {
    std::vector<raft::Input> one;
    one.push_back(std::move(input));
    step(node, one);
  }

  /// Syncs the oldest `count` writes, and owes the core the news.
  void sync(Node& node, std::size_t count) {
    count = std::min(count, node.writes.size());
    if (count == 0) return;
    for (std::size_t at = 0; at < count; ++at) carry_out(node, node.writes[at], SIZE_MAX);
    node.synced = node.writes[count - 1].seq;
    node.writes.erase(node.writes.begin(), node.writes.begin() + static_cast<std::ptrdiff_t>(count));
    if (checked()) ladder_.durable(node.id, node.synced);
    node.inbox.emplace_back(raft::Written{node.synced});
  }

  /// Writes a snapshot of the state machine as it stands; the core is owed the news.
  void take_snapshot(Node& node) {
    if (!node.applied.index || node.snapshots.contains(node.applied.index)) return;
    raft::Configuration configuration;
    for (const raft::ConfigurationAt& at : node.core->view().configurations) {
      if (at.index <= node.applied.index) configuration = at.configuration;
    }
    keep(node, Snapshot{node.applied, node.digest, std::move(configuration)});
    node.inbox.emplace_back(raft::SnapshotTaken{node.applied});
  }

  /// Gives the core what its host owes it.
  void settle(Node& node) {
    std::vector<raft::Input> owed;
    std::swap(owed, node.inbox);
    if (node.core && !owed.empty()) step(node, owed);
  }

  /// Power loss: of what was not synced, some writes and some records of the next one survive.
  void crash(Node& node) {
    if (checked()) ladder_.crashed(node.id, true);
    node.core.reset();
    node.inbox.clear();
    const std::size_t whole = draw(node.writes.size() + 1);
    for (std::size_t at = 0; at < whole; ++at) carry_out(node, node.writes[at], SIZE_MAX);
    // A checkpoint, and the rewriting of a recovered image, are all or nothing.
    if (whole < node.writes.size() && node.writes[whole].seq > raft::WriteSeq(1) &&
        !node.writes[whole].checkpoint) {
      carry_out(node, node.writes[whole], draw(4));
    }
    node.writes.clear();
    node.receiving = raft::LogId{};
    node.received = 0;
  }

  void start(Node& node) {
    raft::Recovered recovered;
    if (node.incarnation == 0 || node.hard == raft::HardState{}) {
      if (configuration_.is_voter(node.id)) recovered = raft::bootstrap(configuration_);
    } else {
      recovered.hard = node.hard;
      recovered.snapshot = node.snapshot;
      recovered.base = node.base;
      if (node.snapshot.index) recovered.snapshot_configuration = node.snapshot_configuration;
      recovered.entries = node.entries;
    }
    raft::Options options = options_;
    if (tails_below_ != 0) options.limits.tail_entries = draw(tails_below_);
    options.id = node.id;
    options.seed = raft::Seed(raft::Hasher(seed_).add(node.id).add(++node.incarnation).value());
    options.incarnation = node.incarnation;
    node.options = options;
    node.recovered = recovered;
    node.core.emplace(std::get<raft::Core>(raft::Core::recover(options, recovered)));
    if (checked()) {
      ladder_.at(steps_, 0);
      ladder_.started(node.id, recovered, node.core->view());
    }
    node.digest = 0;
    node.applied = recovered.snapshot;
    if (node.snapshot.index) start_from(node, recovered.snapshot);
    // Write 1 rewrites everything.
    raft::Write rewrite;
    rewrite.seq = raft::WriteSeq(1);
    rewrite.checkpoint = raft::Checkpoint{recovered.snapshot, node.snapshot_configuration, recovered.base};
    rewrite.hard = recovered.hard;
    rewrite.entries = recovered.entries;
    node.writes.push_back(rewrite);
  }

  void finish() {
    for (Node& node : nodes_) {
      if (node.core) ladder_.scan(node.core->view());
    }
    ladder_.finish();
  }

 private:
  [[nodiscard]] bool checked() const { return checks_ == Checks::ladder; }

  static Ladder::Options ladder_options(const raft::Options& options) {
    Ladder::Options result;
    result.pre_vote = options.pre_vote;
    result.check_quorum = options.check_quorum;
    result.election_ticks_min = options.election_ticks_min;
    result.limits = options.limits;
    return result;
  }

  void keep(Node& node, const Snapshot& snapshot) {
    node.snapshots[snapshot.last.index] = snapshot;
    if (checked()) ladder_.snapshot(node.id, snapshot.last, snapshot.configuration, snapshot.digest);
  }

  /// The state machine starts from a snapshot that is on the disk.
  void start_from(Node& node, raft::LogId last) {
    const Snapshot& snapshot = node.snapshots.at(last.index);
    node.applied = snapshot.last;
    node.digest = snapshot.digest;
    if (checked()) ladder_.store_digest(node.id, last.index, node.digest);
  }

  void restore(Node& node, raft::LogId last) {
    ++installs_;
    start_from(node, last);
    node.inbox.emplace_back(raft::SnapshotRestored{last});
  }

  /// The content goes with every chunk, and the configuration is its bytes; only that all have arrived
  /// counts.
  void send(Node& node, const raft::SendChunk& chunk) {
    const auto found = node.snapshots.find(chunk.last.index);
    if (found == node.snapshots.end()) {
      node.inbox.emplace_back(raft::SnapshotFailed{chunk.last});
      return;
    }
    const Snapshot& snapshot = found->second;
    raft::InstallSnapshot message{chunk.last, chunk.offset, chunks_of_snapshot, snapshot.digest,
                                  raft::encode(snapshot.configuration)};
    messages_.push_back(raft::Envelope{node.id, chunk.peer, chunk.term, std::move(message)});
  }

  void store(Node& node, const raft::StoreChunk& store) {
    const raft::InstallSnapshot& chunk = store.chunk;
    if (node.receiving != chunk.last) {
      node.receiving = chunk.last;
      node.received = 0;
    }
    if (chunk.offset == node.received) ++node.received;
    if (node.received < chunk.total) {
      node.inbox.emplace_back(raft::ChunkStored{store.from, chunk.last, node.received});
      return;
    }
    const raft::Configuration configuration = raft::decode_configuration(chunk.chunk).value();
    keep(node, Snapshot{chunk.last, chunk.checksum, configuration});
    node.inbox.emplace_back(raft::SnapshotStored{chunk.last, configuration});
    node.received = 0;
  }

  static void carry_out_checkpoint(Node& node, const raft::Write& write) {
    node.hard = *write.hard;
    node.snapshot = write.checkpoint->snapshot;
    node.snapshot_configuration = write.checkpoint->configuration;
    node.base = write.checkpoint->base;
    node.entries.clear();
    for (const raft::Slice& slice : write.entries) append(node, slice, SIZE_MAX);
    node.snapshots.erase(node.snapshots.begin(), node.snapshots.lower_bound(node.snapshot.index));
  }

  static void append(Node& node, const raft::Slice& slice, std::size_t records) {
    for (std::uint32_t i = 0; i < std::min<std::size_t>(slice.size(), records); ++i) {
      const raft::Index index = slice.first_index().plus(i);
      node.entries.push_back(slice.sub(index, index));
    }
  }

  /// `records`: hard state, truncation, then entries one by one.
  static void carry_out(Node& node, const raft::Write& write, std::size_t records) {
    if (write.checkpoint) return carry_out_checkpoint(node, write);
    if (write.hard) {
      if (records-- == 0) return;
      node.hard = *write.hard;
    }
    if (write.truncate_from) {
      if (records-- == 0) return;
      while (!node.entries.empty() && node.entries.back().last_index() >= write.truncate_from)
        node.entries.pop_back();
    }
    for (const raft::Slice& slice : write.entries) {
      append(node, slice, records);
      records -= std::min<std::size_t>(slice.size(), records);
    }
  }

  raft::Options options_;
  std::uint64_t seed_;
  Checks checks_;
  std::uint64_t draws_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t installs_ = 0;
  std::uint64_t changes_ = 0;
  std::uint64_t transfers_ = 0;
  std::uint64_t tails_below_ = 0;
  raft::Configuration configuration_;
  std::vector<Node> nodes_;
  std::vector<raft::Envelope> messages_;
  raft::Output output_;
  Ladder ladder_;
};

/// Short timeouts.
inline raft::Options core_options(bool pre_vote, bool check_quorum) {
  raft::Options options;
  options.election_ticks_min = 10;
  options.heartbeat_ticks = 2;
  options.pre_vote = pre_vote;
  options.check_quorum = check_quorum;
  return options;
}

/// Every finding, a line each.
inline std::string told(const Ladder& ladder) {
  std::string text;
  for (const Finding& finding : ladder.findings()) {
    text += std::string(info(finding.rung).id) + " at step " + std::to_string(finding.step) + ", n" +
            std::to_string(finding.node.value()) + ": " + finding.text + "\n";
  }
  return text;
}

}  // namespace raftlab::invariants
