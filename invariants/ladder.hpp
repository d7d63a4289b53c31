#pragma once

#include "invariants/cluster_record.hpp"
#include "invariants/entry_table.hpp"
#include "invariants/node_record.hpp"
#include "invariants/rungs.hpp"
#include "raft/core.hpp"
#include "raft/trace/step.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace raftlab::invariants {

/// A rung that broke, and the two facts that do not go together.
struct Finding {
  Rung rung = Rung::N0;
  std::uint64_t step = 0;
  std::int64_t time_ns = 0;
  raft::NodeId node;
  std::string text;
};

/// Checks the ladder after every step of every core of one cluster, from what can be observed: views, deltas, messages,
/// writes, and what the simulated disk says is durable. The cost of a call is proportional to what the step changed.
///
/// What it remembers does not grow with the length of a run, as long as snapshots are taken. The *floor* is the lowest base
/// of the images that survive a power loss, over all nodes, those that are down included. It is looked for when a
/// checkpoint becomes durable, and then forgotten, in amortised O(1) for each entry:
/// - below the floor (the entry at the floor stays): entries with their hashes and sizes, which terms stand where in a log,
///   what was committed and in which term, digests of stores, what a disk held and lost again;
/// - configurations that another one at or below the floor replaced;
/// - elections of terms below the term at the floor and below the durable terms of all nodes;
/// - of each node, votes of terms below its durable term.
/// For ever stay the numbers of a node, and the first finding of each rung. At most twice of what must be there is kept.
///
/// Nodes have numbers 1..64. A regular value; one thread at a time.
class Ladder {
 public:
  struct Options {
    bool pre_vote = true;
    bool check_quorum = true;
    bool leases = false;  ///< voters keep the promises on which leases rest
    std::uint32_t election_ticks_min = 15;
    raft::Limits limits;
    std::uint64_t scan_every_steps =
        4096;  ///< a full scan of a log, and of the cluster; rarer when logs are long
  };

  explicit Ladder(const Options& options);

  /// The position of what follows.
  void at(std::uint64_t step, std::int64_t time_ns) {
    step_ = step;
    time_ns_ = time_ns;
  }

  /// A core came up, for the first time or again.
  void started(raft::NodeId id, const raft::Recovered& recovered, const raft::View& view);
  /// After every step of a core. The output must hold deltas, one for each input and one for the flush.
  void stepped(const raft::trace::Step& step);
  /// Ground truth of the disk: this write of the node's present incarnation and all before it survive a power loss from
  /// now on, whether or not the core was told. Comes before the step that is told `Written`.
  void durable(raft::NodeId id, raft::WriteSeq seq);
  void crashed(raft::NodeId id, bool power_lost);
  /// Some of its files with snapshots are not what they were: until its log goes on from a newer one, it may start from an
  /// older one than the log says, if the log reaches back there (R1).
  void snapshots_damaged(raft::NodeId id);
  /// G11: a snapshot is durable at this node, its own or a received one, and this is its content: the configuration at `last`,
  /// and the digest of the state machine that starts from it (0: not known). Comes before the step that is told
  /// `SnapshotTaken` or `SnapshotStored`. Optional; without it G11 sees what the core makes of a snapshot, but not into it.
  void snapshot(raft::NodeId id, raft::LogId last, const raft::Configuration& configuration,
                std::uint64_t digest);
  /// G10 and R5: the state machine of the node, after it applied everything up to `applied`, or started from a snapshot up
  /// to there.
  void store_digest(raft::NodeId id, raft::Index applied, std::uint64_t digest);
  /// The full scan of one node, while its view is valid. `stepped` does this by itself every so many steps.
  void scan(const raft::View& view);
  /// The full scan of the cluster from the mirrors of the logs.
  void finish() { scan_cluster(); }

  /// For rungs that others check.
  void report(Rung rung, raft::NodeId node, std::string text);
  void evaluated(Rung rung, std::uint64_t count = 1) { counts_[static_cast<std::size_t>(rung)] += count; }

  /// In order of occurrence; of each rung only the first.
  [[nodiscard]] const std::vector<Finding>& findings() const { return findings_; }
  [[nodiscard]] bool broken() const { return !findings_.empty(); }
  /// The lowest rung that broke: it explains the others.
  [[nodiscard]] std::optional<Finding> root() const;
  /// How much is remembered, in entries, runs of terms, digests, writes, votes and the like: what could grow.
  [[nodiscard]] std::size_t entries_kept() const;
  /// How often the rung was evaluated for real: its premise held.
  [[nodiscard]] std::uint64_t evaluations(Rung rung) const;

 private:
  /// One delta and what it is judged against.
  struct Change {
    NodeRecord& node;
    const raft::trace::Step& step;
    const raft::Delta& delta;
    const raft::State& before;
    const raft::State& after;
    const raft::Input* input;        // null for the flush
    const raft::Envelope* envelope;  // of a received message, else null
    std::uint64_t kept_below;        // entries from here on are cut again by a later delta of the step
  };

  // ladder.cpp
  NodeRecord& node_of(raft::NodeId node) {
    const std::size_t at = node.value() - 1;
    return at < nodes_.size() ? nodes_[at] : new_node(node);
  }
  NodeRecord& new_node(raft::NodeId node);
  void count(Rung rung) { ++counts_[static_cast<std::size_t>(rung)]; }
  /// Takes the parts themselves: what a reference is taken of has to stand in memory, found or not.
  template <class... Parts>
  [[gnu::cold, gnu::noinline]] void fire(Rung rung, raft::NodeId node, Parts... parts) {
    if (found_[static_cast<std::size_t>(rung)]) return;
    std::ostringstream text;
    (text << ... << parts);
    report(rung, node, text.str());
  }
  void stepped_faulty(NodeRecord& node, const raft::trace::Step& step);
  void note_write(NodeRecord& node, const raft::Write& write, const raft::View& view);

  // ladder_delta.cpp: L1
  /// Nothing changed that a rung speaks of, except what only rises.
  [[nodiscard]] static bool nothing_but_progress(const raft::State& before, const raft::State& after);
  void note_uneventful(const raft::State& before);
  void check_delta(const Change& change);
  void check_term_and_vote(const Change& change);
  void check_role(const Change& change);
  void check_vote_rule(const Change& change);
  void check_pre_vote(const Change& change);
  void note_accepted(const Change& change);
  void check_log_shape(const Change& change);
  void check_truncation(const Change& change);
  [[nodiscard]] static bool leads_no_more(const Change& change);
  void check_commit(const Change& change);
  void check_durable_index(const Change& change);
  [[nodiscard]] bool hears_a_leader(const raft::State& state) const;

  // ladder_snapshot.cpp: snapshots, checkpoints, and what may be forgotten
  void check_taken(const Change& change);
  void check_install(const Change& change);
  void install_in_mirror(const Change& change, bool agrees);
  void check_snapshot_reference(NodeRecord& node, raft::LogId last, std::uint64_t configuration);
  void check_restore(NodeRecord& node, const raft::trace::Step& step);
  void check_snapshot_state(NodeRecord& node, const raft::View& view);
  void check_chunks(NodeRecord& node, const raft::trace::Step& step);
  void check_snapshot_acknowledged(NodeRecord& node, const raft::Envelope& envelope,
                                   const raft::SnapshotReply& reply);
  void note_checkpoint(NodeRecord& node, const raft::Write& write, const raft::View& view);
  void note_configurations(const NodeRecord& node, std::uint64_t commit);
  [[nodiscard]] Mirror log_up_to(raft::LogId id) const;
  void raise_floor();

  // ladder_log.cpp: mirrors, entries
  void mirror_log(const Change& change);
  void mirror_entry(NodeRecord& node, const raft::EntryView& entry, std::uint64_t index);
  void mirror_lost_entries(const Change& change, std::uint64_t index, std::uint64_t last);
  void note_conflict(NodeRecord& node, std::uint64_t index, const EntryTable::Interned& interned);
  void check_mirror(NodeRecord& node, const raft::View& view);
  void check_runs_behind_base(NodeRecord& node, const raft::View& view);
  std::uint64_t scan_log(NodeRecord& node, const raft::View& view);
  void scan_configurations(NodeRecord& node, const raft::View& view);

  // ladder_state.cpp: L0
  void check_state(NodeRecord& node, const raft::View& view);
  void check_role_shape(NodeRecord& node, const raft::View& view);
  void check_votes(NodeRecord& node, const raft::View& view);
  void check_leader(NodeRecord& node, const raft::View& view, bool changed);
  [[gnu::always_inline]] inline bool check_peer(NodeRecord& node, const raft::View& view,
                                                const raft::Progress& peer, PeerShadow& shadow);
  [[gnu::noinline]] void check_reach(NodeRecord& node, const raft::View& view, const raft::Progress& peer);
  void check_window(NodeRecord& node, const raft::Progress& peer);
  void check_commit_maximal(NodeRecord& node, const raft::View& view);
  void check_uncommitted_bytes(NodeRecord& node, const raft::View& view);
  [[nodiscard]] std::uint64_t leave_bytes(const NodeRecord& node, std::uint64_t below) const;
  void check_reads(NodeRecord& node, const raft::View& view, const raft::Output& output);
  void check_reads_fully(NodeRecord& node, const raft::View& view);
  void check_forwarded(NodeRecord& node, const raft::View& view);
  void check_read_index(NodeRecord& node, const raft::View& view, const raft::Envelope& envelope);

  // ladder_reads.cpp: reads as the cores serve them, and what leases rest on
  void note_asked(NodeRecord& node, const raft::trace::Step& step) const;
  void check_served(NodeRecord& node, const raft::Output& output);
  void check_promises(NodeRecord& node, const raft::trace::Step& step);

  // ladder_membership.cpp: configurations
  void mirror_configuration(NodeRecord& node, const raft::EntryView& entry, std::uint64_t index);
  void check_one_change(NodeRecord& node);
  void check_configuration_rule(const Change& change);
  void check_proposed(const Change& change, const VoterSets* previous, const VoterSets& appended);
  void check_committed_chain(const NodeRecord& node, const VoterSets& committed);
  void check_votes_of_winner(NodeRecord& node, raft::Term term);
  void check_deciders(const Change& change);

  // ladder_output.cpp: messages, applies
  void check_messages(NodeRecord& node, const raft::trace::Step& step);
  void check_message_term(NodeRecord& node, const raft::trace::Step& step, const raft::Envelope& envelope);
  void check_vote_request(NodeRecord& node, const raft::Envelope& envelope, const raft::RequestVote& request);
  void check_vote_granted(NodeRecord& node, const raft::Envelope& envelope);
  void check_pre_vote_granted(NodeRecord& node, const raft::trace::Step& step, const raft::Envelope& granted);
  void check_acknowledgement(NodeRecord& node, const raft::trace::Step& step, const raft::Envelope& envelope,
                             raft::Index match);
  void check_leader_message(NodeRecord& node, const raft::Envelope& envelope);
  void promise(NodeRecord& node, raft::Term term, raft::NodeId vote);
  void write_vote(NodeRecord& node, raft::Term term, raft::NodeId candidate);
  void check_apply(NodeRecord& node, const raft::trace::Step& step);
  void check_quiet(NodeRecord& node, const raft::trace::Step& step);

  // ladder_recovery.cpp: L2
  void check_recovered(NodeRecord& node, const Image& image);
  [[nodiscard]] Image image_of(NodeRecord& node, const raft::Recovered& recovered);

  // ladder_cluster.cpp: L3, L4
  void check_election(const Change& change);
  void check_committed(const Change& change);
  void check_commit_quorum(const Change& change);
  void check_held_by_quorum(NodeRecord& node, std::uint64_t index, const VoterSets& sets);
  void note_leader_commit(NodeRecord& node, std::uint64_t term, std::uint64_t index);
  void check_longest_in_term(NodeRecord& node, std::uint64_t first, std::uint64_t last);
  void check_digest(NodeRecord& node, std::uint64_t applied, std::uint64_t digest);
  void report_disagreement(NodeRecord& node, std::uint64_t index);
  void scan_cluster();
  void scan_pair(NodeRecord& a, NodeRecord& b);
  void scan_leader(NodeRecord& leader);

  Options options_;
  std::uint64_t step_ = 0;
  std::int64_t time_ns_ = 0;
  std::uint64_t states_ = 0;  // checked after a step
  std::uint64_t deltas_ = 0;
  std::uint64_t scan_cluster_at_ = 0;

  EntryTable table_;
  std::vector<NodeRecord> nodes_;  // by node number - 1
  ClusterRecord cluster_;

  std::array<std::uint64_t, rung_count> counts_{};
  std::array<bool, rung_count> found_{};
  std::vector<Finding> findings_;
};

}  // namespace raftlab::invariants
