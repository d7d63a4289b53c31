#pragma once

#include "invariants/entry_table.hpp"
#include "raft/core.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

/// What the ladder remembers of one node: its log, what is on its disk, what it has promised.
namespace raftlab::invariants {

/// A set of nodes: bit (id - 1).
using NodeSet = std::uint64_t;
inline constexpr std::uint32_t nodes_max = 64;

[[nodiscard]] constexpr NodeSet set_of(raft::NodeId node) {
  return node.value() == 0 || node.value() > nodes_max ? 0 : NodeSet{1} << (node.value() - 1);
}
[[nodiscard]] NodeSet set_of(std::span<const raft::NodeId> nodes);

/// How many nodes. Written out, because std::popcount is a library call where the target has no instruction for it.
[[nodiscard]] constexpr std::uint32_t size_of(NodeSet set) {
  set -= (set >> 1U) & 0x5555555555555555ULL;
  set = (set & 0x3333333333333333ULL) + ((set >> 2U) & 0x3333333333333333ULL);
  set = (set + (set >> 4U)) & 0x0f0f0f0f0f0f0f0fULL;
  return static_cast<std::uint32_t>((set * 0x0101010101010101ULL) >> 56U);
}

/// A configuration, reduced to who counts.
struct VoterSets {
  std::uint64_t index = 0;  ///< of its entry; of a snapshot's, the end of the snapshot
  NodeSet members = 0;
  NodeSet voters = 0;
  NodeSet outgoing = 0;
  NodeSet learners = 0;
  NodeSet learners_next = 0;
  std::uint64_t content = 0;  ///< hash of all of it
  std::uint64_t leaves = 0;   ///< of a joint one: hash of the simple one that it leads to

  [[nodiscard]] NodeSet all() const { return voters | outgoing; }
  [[nodiscard]] bool joint() const { return outgoing != 0; }
  /// `holders` contain a majority of every voter set.
  [[nodiscard]] bool majority(NodeSet holders) const {
    const auto most = [&](NodeSet set) { return 2 * size_of(set & holders) > size_of(set); };
    return voters != 0 && most(voters) && (outgoing == 0 || most(outgoing));
  }
};
[[nodiscard]] VoterSets voter_sets(std::uint64_t index, const raft::Configuration& configuration);
/// Every quorum of the one has a node in common with every quorum of the other, because it is so of one side
/// of each.
[[nodiscard]] bool quorums_meet(const VoterSets& a, const VoterSets& b);

/// What a log storage would recover: hard state and log, and the snapshot that stands for the beginning of the log.
struct Image {
  raft::HardState hard;
  Mirror log;
  raft::LogId snapshot;
  raft::LogId base;  ///< what the log holds begins behind it

  friend bool operator==(const Image&, const Image&) = default;
};

/// A numbered write on its way to the disk. Its records are: hard state, truncation, entries.
struct SubmittedWrite {
  std::uint64_t incarnation = 0;
  raft::WriteSeq seq;
  std::optional<raft::HardState> hard;
  std::uint64_t truncate_from = 0;
  std::uint64_t last = 0;  ///< of the entries; 0: none
  MarkRun run;             ///< the entries, as runs; the first one here, because there is seldom a second
  std::vector<MarkRun> more_runs;
  /// Of a checkpoint, and of the rewriting of a recovered image: all that is there afterwards, and all or nothing. Then there are
  /// no other records.
  std::shared_ptr<const Image> replacement;

  /// The entries are those of this log from `first` to `to`.
  void take_entries(const Mirror& log, std::uint64_t first, std::uint64_t to);
};

/// Entries that were on a disk and were truncated since.
struct OnceSynced {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  Mark mark;
};

/// What a leader's tracker said of a peer after the step before.
struct PeerShadow {
  std::uint32_t id = 0;
  std::uint64_t match = 0;
  std::uint64_t next = 0;
  std::size_t messages = 0;
};

/// The disk of a node: what survives a power loss (`synced`, the ground truth), what it was handed and has not synced
/// yet, and how much of it the core was told of.
class DiskRecord {
 public:
  [[nodiscard]] const Image& synced() const { return synced_; }
  /// What the submitted writes add up to.
  [[nodiscard]] const raft::HardState& submitted_hard() const { return submitted_hard_; }
  [[nodiscard]] std::uint64_t submitted_last() const { return submitted_last_; }
  [[nodiscard]] const raft::LogId& submitted_snapshot() const { return submitted_snapshot_; }

  /// A core starts from `recovered`, which counts as write 1 of the new incarnation.
  void start(const Image& recovered);
  /// The next write of this incarnation; its entries, if any, are those of `log` from `first` to `last`.
  void submit(const raft::Write& write, const Mirror& log, std::uint64_t first, std::uint64_t last);
  /// The next write is a checkpoint: it leaves this image.
  void submit_checkpoint(raft::WriteSeq seq, const Image& image);
  void sync(raft::WriteSeq seq);
  /// The core was told that this write is durable.
  void tell(raft::WriteSeq seq) { told_ = seq; }

  /// The disk has once held this entry through every power loss that could have come.
  [[nodiscard]] bool once_synced(std::uint64_t index, Mark mark) const {
    return index == 0 || (mark && synced_.log.at(index) == mark) || formerly_synced(index, mark);
  }
  /// What must be there after a power loss: what is synced, and what the core was told of.
  [[nodiscard]] Image surely() const;
  /// R1: `image` is what must be there and a prefix, by records, of the rest.
  [[nodiscard]] bool may_recover(const Image& image) const;
  /// R6: all that `image` holds was on this disk before, and nothing in it is newer than what must be there. An empty one is
  /// the oldest of all.
  [[nodiscard]] bool is_older(const Image& image) const;

  /// Not 0: files of snapshots were damaged, and none from here on has become durable in the log since.
  raft::Index older_snapshot_below;

  void forget_below(std::uint64_t index);
  [[nodiscard]] std::size_t size() const {
    return synced_.log.runs().size() + writes_.size() + once_synced_.size();
  }

 private:
  [[nodiscard]] bool formerly_synced(std::uint64_t index, Mark mark) const;
  void remember_from(std::uint64_t from);
  [[nodiscard]] std::size_t first_uncertain() const;

  Image synced_;
  raft::HardState submitted_hard_;
  std::uint64_t submitted_last_ = 0;
  raft::LogId submitted_snapshot_;
  std::uint64_t incarnation_ = 0;
  raft::WriteSeq told_;
  std::vector<SubmittedWrite> writes_;  // [head_, size): not yet synced, oldest first
  std::size_t head_ = 0;
  std::vector<OnceSynced> once_synced_;
};

/// One node.
struct NodeRecord {
  raft::NodeId id;
  bool known = false;  ///< has started once
  bool up = false;
  bool faulty = false;
  raft::State state;  ///< after the last step

  Mirror log;                    ///< in memory
  std::uint64_t last_hash = 0;   ///< H(last)
  std::size_t runs_to_base = 0;  ///< runs of `log` that begin at or below its base
  std::vector<VoterSets>
      configurations;  ///< that of the snapshot, if there is one, and the entries behind it
  std::uint64_t unseen_from =
      0;  ///< entries from here on are mirrored by their terms alone: the step takes them away again
  DiskRecord disk;

  // Snapshots.
  bool snapshot_moved = false;   ///< in this step
  std::uint64_t restoring = 0;   ///< installed up to here: the state machine may be behind it
  raft::LogId installed;         ///< the last one that was installed in this step
  std::uint64_t digests_to = 0;  ///< greatest applied index of which a digest was told
  std::uint64_t replays_to =
      0;  ///< R5: what is applied up to here was applied before, here or where the snapshot is from

  // What it has promised to others, in every incarnation.
  raft::Term promised_term;        ///< greatest term of a message that was released
  raft::HardState promised_vote;   ///< vote of the greatest term in which one was released
  std::uint64_t acknowledged = 0;  ///< index up to which the log was acknowledged and not truncated since

  // D12: what it has accepted from the leader of a term.
  raft::Term accepted_term;
  std::uint64_t accepted = 0;

  // Of a leader.
  std::uint64_t own_first = 0;  ///< its first entry in its term
  bool shadowed = false;        ///< `peers` tells of this leadership
  std::vector<PeerShadow> peers;

  // Reads.
  struct Asked {
    std::uint64_t tag = 0;
    std::uint64_t committed = 0;  ///< anywhere, when it was asked
    bool lease = false;
  };
  std::vector<Asked> asked;       ///< neither served nor rejected
  bool forwards = false;          ///< it was asking its leader after the last step
  std::uint32_t bound_ticks = 0;  ///< with leases: its vote belongs to a leader for so long

  std::uint64_t handed = 0;
  std::uint64_t scan_at = 0;  ///< step of the next full scan

  [[nodiscard]] bool leads() const { return up && !faulty && state.role == raft::Role::leader; }
  /// A spare that was never told anything: it starts from no log, and none of its reaches back.
  [[nodiscard]] bool blank() const { return log.last() == 0 && disk.submitted_last() == 0; }
  /// The log, or what the disk holds of it while the node is down.
  [[nodiscard]] const Mirror& present_log() const { return up ? log : disk.synced().log; }
  /// Voter of the configuration at this commit index or of one above it.
  [[nodiscard]] bool may_stand(std::uint64_t commit) const;
};

}  // namespace raftlab::invariants
