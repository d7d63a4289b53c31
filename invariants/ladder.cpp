#include "invariants/ladder.hpp"

#include "invariants/ladder_raw.hpp"
#include "raft/assert.hpp"

#include <algorithm>
#include <utility>

namespace raftlab::invariants {

using raft::Delta;
using raft::NodeId;
using raft::Role;

Ladder::Ladder(const Options& options) : options_(options), scan_cluster_at_(options.scan_every_steps) {}

NodeRecord& Ladder::new_node(NodeId node) {
  RAFTLAB_ASSERT(node.value() >= 1 && node.value() <= nodes_max, node);
  while (nodes_.size() < node.value()) {
    nodes_.emplace_back();
    nodes_.back().id = NodeId(static_cast<std::uint32_t>(nodes_.size()));
    cluster_.votes.emplace_back();
  }
  return nodes_[node.value() - 1];
}

// ---- Findings --------------------------------------------------------------------------------------------------

void Ladder::report(Rung rung, NodeId node, std::string text) {
  bool& found = found_[static_cast<std::size_t>(rung)];
  if (std::exchange(found, true)) return;
  findings_.push_back(Finding{rung, step_, time_ns_, node, std::move(text)});
}

std::optional<Finding> Ladder::root() const {
  const auto lowest = std::min_element(findings_.begin(), findings_.end(),
                                       [](const Finding& a, const Finding& b) { return a.rung < b.rung; });
  return lowest == findings_.end() ? std::nullopt : std::optional<Finding>(*lowest);
}

std::uint64_t Ladder::evaluations(Rung rung) const {
  std::uint64_t evaluated = counts_[static_cast<std::size_t>(rung)];
  switch (rung) {
    case Rung::N1:
    case Rung::N4:
    case Rung::N5:
    case Rung::N6:
    case Rung::N9:
    case Rung::N17: evaluated += states_; break;
    case Rung::D1:
    case Rung::D5: evaluated += deltas_; break;
    default: break;
  }
  return evaluated;
}

// ---- What happens to a node ------------------------------------------------------------------------------------

void Ladder::started(NodeId id, const raft::Recovered& recovered, const raft::View& view) {
  NodeRecord& node = node_of(id);
  const Image image = image_of(node, recovered);
  if (node.known) check_recovered(node, image);
  node.known = true;
  node.up = true;
  node.faulty = false;
  node.disk.start(image);
  node.state = view.state;
  node.accepted_term = raft::Term{};
  node.accepted = 0;
  node.shadowed = false;
  node.asked.clear();
  node.forwards = false;
  node.bound_ticks = 2 * options_.election_ticks_min;
  node.handed = recovered.snapshot.index.value();
  node.restoring = 0;
  node.replays_to = std::max(node.digests_to, node.handed);
  cluster_.leaders &= ~set_of(id);
  if (view.state.handed.value() != node.handed) {
    fire(Rung::D16, id, "starts from a snapshot up to ", node.handed, " and says that it handed up to ",
         view.state.handed);
  }
  if (view.state.commit > recovered.snapshot.index) {
    fire(Rung::D11, id, "starts from a snapshot up to ", node.handed, " with C = ", view.state.commit);
  }
  if (node.handed != 0 && !node.configurations.empty()) {
    check_snapshot_reference(node, recovered.snapshot, node.configurations.front().content);
  }
  const std::uint64_t durable = view.state.durable.value();
  if (durable > table_.forgotten_below()) {
    count(Rung::R7);
    if (node.disk.synced().log.at(durable) != node.log.at(durable)) {
      fire(Rung::R7, id, "starts with D = ", durable, ", the disk is known to hold ",
           node.disk.synced().log.last());
    }
  }
  ++states_;
  check_state(node, view);
  check_snapshot_state(node, view);
}

void Ladder::durable(NodeId id, raft::WriteSeq seq) {
  NodeRecord& node = node_of(id);
  const raft::HardState before = node.disk.synced().hard;
  const raft::LogId base = node.disk.synced().base;
  node.disk.sync(seq);
  if (node.disk.synced().base != base) raise_floor();
  if (node.disk.synced().snapshot.index >= node.disk.older_snapshot_below)
    node.disk.older_snapshot_below = raft::Index{};
  // E2: the own vote is written when it is durable.
  const raft::HardState& hard = node.disk.synced().hard;
  if (hard != before && hard.voted_for == id) write_vote(node, hard.term, id);
}

void Ladder::crashed(NodeId id, bool /*power_lost*/) {
  NodeRecord& node = node_of(id);
  node.up = false;
  cluster_.leaders &= ~set_of(id);
}

void Ladder::snapshots_damaged(NodeId id) {
  DiskRecord& disk = node_of(id).disk;
  disk.older_snapshot_below = disk.synced().snapshot.index.next();
}

void Ladder::store_digest(NodeId id, raft::Index applied, std::uint64_t digest) {
  check_digest(node_of(id), applied.value(), digest);
}

// ---- One step --------------------------------------------------------------------------------------------------

namespace {

/// Entries from here on are cut again by a later delta of the same step, and stand in no log after it.
std::uint64_t kept_below(std::span<const Delta> later_deltas) {
  std::uint64_t kept = UINT64_MAX;
  for (const Delta& later : later_deltas) {
    if (later.truncated_from) kept = std::min(kept, later.truncated_from.value());
  }
  return kept;
}

}  // namespace

void Ladder::stepped(const raft::trace::Step& step) {
  NodeRecord& node = node_of(step.node);
  const raft::Output& output = step.output;
  if (node.faulty || step.view.faulty || output.fault) return stepped_faulty(node, step);
  const std::span<const Delta> deltas(output.deltas);
  RAFTLAB_ASSERT(deltas.size() == step.inputs.size() + 1, deltas.size(), step.inputs.size());

  note_asked(node, step);
  check_promises(node, step);
  node.unseen_from = 0;
  const raft::State* before = &node.state;
  bool changed = false;  // log, commit: what the costlier checks of a leader depend on
  const auto check = [&](const Delta& delta, const raft::Input* input, const raft::Envelope* envelope) {
    const auto position = static_cast<std::size_t>(&delta - deltas.data());
    changed = changed || delta.appended_from || delta.truncated_from || delta.after.commit != before->commit;
    check_delta(Change{node, step, delta, *before, delta.after, input, envelope,
                       delta.appended_from ? kept_below(deltas.subspan(position + 1)) : UINT64_MAX});
    before = &delta.after;
  };
  const Delta* delta = deltas.data();
  for (const raft::Input& input : step.inputs) {
    const auto* receive = std::get_if<raft::Receive>(&input);
    check(*delta++, &input, receive == nullptr ? nullptr : &receive->envelope);
  }
  const Delta& flush = *delta;
  if (flush.truncated_from || flush.appended_from || !nothing_but_progress(*before, flush.after)) {
    check(flush, nullptr, nullptr);
  } else {
    note_uneventful(*before);
  }
  if (!output.messages.empty()) check_messages(node, step);
  if (!output.chunks_to_send.empty()) check_chunks(node, step);
  if (node.snapshot_moved || output.restore) check_restore(node, step);
  if (!output.apply.empty() || step.view.state.handed.value() != node.handed) check_apply(node, step);
  check_quiet(node, step);
  if (output.write.seq) note_write(node, output.write, step.view);

  ++states_;
  node.state = step.view.state;
  check_state(node, step.view);
  if (node.state.role == Role::leader) {
    check_leader(node, step.view, changed);
  }
  check_reads(node, step.view, output);
  if (!output.reads.empty() || !output.rejected.empty()) check_served(node, output);
  if (node.snapshot_moved) {
    check_snapshot_state(node, step.view);
    node.snapshot_moved = false;
  }
  if (step_ >= node.scan_at) scan(step.view);
  if (step_ >= scan_cluster_at_) {
    scan_cluster();
    scan_cluster_at_ = step_ + options_.scan_every_steps;
  }
}

/// D19.
void Ladder::stepped_faulty(NodeRecord& node, const raft::trace::Step& step) {
  const raft::Output& output = step.output;
  node.faulty = true;
  cluster_.leaders &= ~set_of(node.id);
  count(Rung::D19);
  const bool quiet = output.messages.empty() && !output.write.seq && output.apply.empty() &&
                     output.reads.empty() && output.accepted.empty() && output.rejected.empty() &&
                     output.chunks_to_send.empty() && output.chunks_to_store.empty() &&
                     output.fetches.empty() && !output.restore && !output.role && !output.lost_from;
  if (!output.fault) fire(Rung::D19, node.id, "had a fault, and a later output does not say so");
  if (!quiet) {
    fire(Rung::D19, node.id, "has a fault, and its output holds more: ", output.messages.size(),
         " messages, write ", output.write.seq);
  }
}

void Ladder::note_write(NodeRecord& node, const raft::Write& write, const raft::View& view) {
  const raft::WriteSeq before = node.state.issued;  // the state is still that before the step
  count(Rung::D17);
  if (write.seq <= before) fire(Rung::D17, node.id, "submits write ", write.seq, " after write ", before);
  if (write.checkpoint) return note_checkpoint(node, write, view);
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (!write.entries.empty()) {
    first = write.entries.front().first_index().value();
    last = write.entries.back().last_index().value();
    if (!same_entries(write.entries, *view.log) || first == 0) {
      fire(Rung::N17, node.id, "write ", write.seq, " carries entries ", first, "..", last,
           " that are not those of the log in memory");
    }
    std::uint64_t kept = node.disk.submitted_last();
    if (write.truncate_from) kept = std::min(kept, write.truncate_from.value() - 1);
    if (first != kept + 1) {
      fire(Rung::N17, node.id, "write ", write.seq, " carries entries from ", first,
           " behind a log that ends at ", kept);
    }
  }
  // R3: what a submitted truncation takes away need not be there after a crash.
  if (write.truncate_from && write.truncate_from.value() <= node.acknowledged) {
    node.acknowledged = write.truncate_from.value() - 1;
  }
  node.disk.submit(write, node.log, first, last);
}

}  // namespace raftlab::invariants
