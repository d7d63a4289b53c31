#pragma once

#include "raft/configuration.hpp"
#include "raft/limits.hpp"
#include "raft/log.hpp"
#include "raft/messages.hpp"
#include "raft/progress.hpp"
#include "raft/state.hpp"
#include "raft/types.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

/// Consensus, on one screen: everything that can happen to a core, everything that it can ask for, and the one
/// function between the two.
namespace raftlab::raft {

// ---- Inputs: a core changes in no other way --------------------------------------------------------------------

struct Tick {};  ///< one unit of time has passed; the host says how long it is
struct Receive {
  Envelope envelope;
};  ///< a message has arrived, perhaps twice, late, or out of order
struct Propose {
  std::uint64_t tag;
  std::vector<std::byte> payload;
};  ///< a command; the answer carries the tag
struct ProposeConfiguration {
  std::uint64_t tag;
  Configuration target;  ///< a simple one: any set of voters and learners
  bool force = false;    ///< also promotes learners that lag far behind
};                       ///< a change of the configuration by joint consensus (§6, thesis §4.3)
enum class ReadMode : std::uint8_t {
  read_index,  ///< a quorum confirms that this leader leads (thesis §6.4); a follower asks its leader
  lease,       ///< the leader's clock does (thesis §6.4.1); without a valid lease, as `read_index`
};
struct Read {
  std::uint64_t tag;
  ReadMode mode = ReadMode::read_index;
};  ///< a linearizable read
struct Transfer {
  std::uint64_t tag;
  NodeId target;
};                   ///< hand leadership over (thesis §3.10)
struct Campaign {};  ///< stand for election now, unless that would break the lease of a leader
struct Written {
  WriteSeq seq;
};  ///< this write and all before it are on stable storage
struct WriteFailed {
  WriteSeq seq;
};  ///< this write or one before it failed: final
struct Fetched {
  std::uint64_t fetch;
  Slice entries;
};  ///< cold entries; empty when they could not be read
struct Applied {
  Index index;
};  ///< the state machine has applied everything up to here
struct SnapshotTaken {
  LogId last;
};  ///< this node's own snapshot up to here is durable
struct ChunkStored {
  NodeId from;
  LogId last;
  std::uint64_t received;
};  ///< of the snapshot that is being received, the bytes below this offset are there
struct SnapshotStored {
  LogId last;
  Configuration configuration;
};  ///< a received snapshot is complete, intact and durable; `configuration` is the one at `last`
struct SnapshotRestored {
  LogId last;
};  ///< the state machine now starts from it
struct SnapshotFailed {
  LogId last;
};  ///< it cannot be sent: given up, not fatal
struct Unreachable {
  NodeId peer;
};  ///< messages to this peer are being lost

using Input = std::variant<Tick, Receive, Propose, ProposeConfiguration, Read, Transfer, Campaign, Written,
                           WriteFailed, Fetched, Applied, SnapshotTaken, ChunkStored, SnapshotStored,
                           SnapshotRestored, SnapshotFailed, Unreachable>;

// ---- Outputs: what stands here may be carried out at once ------------------------------------------------------

/// The log from a new start: what was written before counts no more, and may be deleted once this is durable.
struct Checkpoint {
  LogId snapshot;               ///< durable already, elsewhere
  Configuration configuration;  ///< at `snapshot`
  LogId base;                   ///< the entries of the write follow it; at or below `snapshot`
};

/// Order inside a write: hard state, truncation, entries. Writes are carried out first-in first-out.
struct Write {
  WriteSeq seq;  ///< 0: there is nothing to write
  std::optional<Checkpoint>
      checkpoint;  ///< then the hard state and all entries of the log are there, and all or nothing counts
  std::optional<HardState> hard;
  Index truncate_from;  ///< 0: no truncation
  std::vector<Slice> entries;
};

struct Accepted {
  std::uint64_t tag;
  LogId id;
};
enum class Rejection : std::uint8_t {
  not_leader,
  not_ready,          ///< the leader has not committed in its term yet
  overloaded,         ///< a limit is reached
  too_large,          ///< of a command
  transferring,       ///< the leader is handing over
  change_in_flight,   ///< another change of the configuration has not ended
  bad_configuration,  ///< nobody would vote, a list is not sorted, a member is missing ...
  not_caught_up,      ///< a learner to be promoted lags too far behind
  bad_target,         ///< of a transfer: no voter, or this node
  timed_out,          ///< of a transfer, or of a read that a follower asked its leader for: given up
};
struct Rejected {
  std::uint64_t tag;
  Rejection reason;
  NodeId leader;
};
struct ReadReady {
  std::uint64_t tag;
  Index index;
  friend bool operator==(const ReadReady&, const ReadReady&) = default;
};
struct Fetch {
  std::uint64_t fetch;
  Index first;
  Index last;
};
/// To be sent as InstallSnapshot with the image's bytes from `offset` on, as many as a message may carry.
struct SendChunk {
  NodeId peer;
  Term term;
  LogId last;
  std::uint64_t offset;
};
/// A chunk from the leader, of a snapshot that this node has use for.
struct StoreChunk {
  NodeId from;
  InstallSnapshot chunk;
};
struct RoleChange {
  Role role;
  Term term;
  NodeId leader;
};
enum class Fault : std::uint8_t { write_failed };

/// Owned by the caller and reused: `clear` keeps the capacity.
struct Output {
  std::vector<Envelope> messages;          ///< to send
  Write write;                             ///< to carry out, unless its number is 0
  std::vector<Slice> apply;                ///< committed and durable here; each index once, in order
  std::vector<ReadReady> reads;            ///< may be served by the state machine as it stands
  std::vector<Accepted> accepted;          ///< proposals that are now in the leader's log
  std::vector<Rejected> rejected;          ///< requests that left no trace
  std::vector<std::uint64_t> transferred;  ///< tags of transfers that ended: this node leads no more
  std::optional<Index>
      lost_from;  ///< accepted proposals from here on were overwritten; others may still commit them
  std::vector<SendChunk> chunks_to_send;
  std::vector<StoreChunk> chunks_to_store;
  std::vector<Fetch> fetches;      ///< cold entries to read
  std::optional<LogId> restore;    ///< the state machine restarts from this snapshot, before `apply`
  std::optional<RoleChange> role;  ///< role, term or known leader is new
  std::optional<Fault> fault;      ///< nothing else follows, for ever
  bool trace = false;              ///< set by the caller: fill `deltas`
  std::vector<Delta> deltas;       ///< one for each input and one for the flush

  void clear();
};

// ---- The core --------------------------------------------------------------------------------------------------

/// Who stands first when several would: a wish, on which nothing rests.
enum class Priority : std::uint8_t { low, normal, high };

struct Options {
  NodeId id;
  Seed seed;                              ///< of the election timeouts; fresh in each incarnation
  std::uint32_t election_ticks_min = 15;  ///< timeouts are drawn from [min, 2 min)
  std::uint32_t heartbeat_ticks = 5;      ///< must be below election_ticks_min
  bool pre_vote = true;                   ///< thesis §9.6
  bool check_quorum = true;  ///< thesis §6.2; voters also refuse while they hear a leader (§4.2.3)
  /// low, high: timeouts from the later, the earlier half; in the first election since a leader was known
  Priority priority = Priority::normal;
  std::uint32_t stall_ticks = 50;  ///< a leader that hears of no write for so long hands over; 0: never
  /// Leases (thesis §6.4.1), for members of whose clocks one tick is at most so many parts per million longer than one tick
  /// of another, and hosts that deliver the ticks of a pause before anything else. None: no leases; nor without check_quorum.
  /// The same at all members.
  std::optional<std::uint32_t> lease_drift_ppm;
  std::uint64_t incarnation = 0;  ///< no two lives of a node have the same
  Limits limits;
  friend bool operator==(const Options&, const Options&) = default;
};

/// What a log storage found at start. It counts as write number 1, still on its way: recovered is not durable.
struct Recovered {
  HardState hard;
  LogId snapshot;  ///< the state machine has been restored from it; (0,0): none
  std::optional<Configuration> snapshot_configuration;  ///< at `snapshot`
  LogId base;                                           ///< at or below the snapshot
  std::vector<Slice> entries;  ///< from base.index + 1, consecutive, at least up to the snapshot
  Index durable;               ///< what was certainly durable before the crash
};

/// What the first start of a cluster's node finds: the configuration as entry 1 of term 1.
[[nodiscard]] Recovered bootstrap(const Configuration& configuration);

enum class RecoverError : std::uint8_t {
  bad_options,
  gap,
  falling_term,
  term_above_hard_state,
  bad_configuration
};
[[nodiscard]] const char* name(RecoverError error);

/// The state of one node: a regular value without callbacks, clock, locks or generator. Copies share the blocks of
/// entries. One thread at a time.
class Core {
 public:
  /// Starts a node from what its storage found.
  [[nodiscard]] static std::variant<Core, RecoverError> recover(const Options& options,
                                                                const Recovered& recovered);

  /// The only way in. Clears `out`, handles the inputs in order, then flushes: one write, appends to the peers.
  void step(std::span<const Input> inputs, Output& out);

  [[nodiscard]] View view() const;
  /// True when a confirmed read waits for the state machine: `Applied` should come without delay.
  [[nodiscard]] bool waits_for_applied() const;

  friend bool operator==(const Core&, const Core&) = default;
  [[nodiscard]] std::uint64_t hash() const;
  /// A hash of everything but the entries of the log, of which it covers the end: its cost does not grow with the log.
  [[nodiscard]] std::uint64_t fingerprint() const;

 private:
  struct Turn;  // what is gathered during one step and is empty between steps

  struct Follower {
    std::vector<ForwardedRead> reads;  // oldest first: the leader has not answered them
    friend bool operator==(const Follower&, const Follower&) = default;
  };
  struct Votes {
    std::vector<NodeId> granted;
    std::vector<NodeId> refused;
    friend bool operator==(const Votes&, const Votes&) = default;
  };
  struct PreCandidate : Votes {
    friend bool operator==(const PreCandidate&, const PreCandidate&) = default;
  };
  struct Candidate : Votes {
    friend bool operator==(const Candidate&, const Candidate&) = default;
  };
  struct Handover {
    std::optional<std::uint64_t> tag;  // none: the leader's own wish
    NodeId target;
    std::uint32_t elapsed_ticks = 0;  // below an election timeout: then it is given up
    bool told = false;                // TimeoutNow has been sent
    friend bool operator==(const Handover&, const Handover&) = default;
  };
  struct Leader {
    std::vector<Progress> peers;     // every member, itself included, by id
    std::vector<PendingRead> reads;  // oldest first: their rounds are not confirmed
    std::uint32_t heartbeat_elapsed_ticks = 0;
    std::uint32_t quorum_elapsed_ticks = 0;
    std::uint32_t stalled_ticks = 0;  // writes are out, and none has been completed
    std::uint64_t uncommitted_bytes = 0;
    std::optional<Handover> handover;  // to a voter; proposals are refused meanwhile
    std::uint64_t ticks = 1;           // of this leadership
    std::vector<RoundSent> rounds;     // with leases: when rounds began, oldest first; none that is too old
    bool lease_ended = false;          // for the rest of the term: TimeoutNow has been sent
    friend bool operator==(const Leader&, const Leader&) = default;
  };

  struct PendingWrite {
    WriteSeq seq;
    Index first;          // of the appended entries; 0: none
    Index last;           // of the log as of this write
    Index truncate_from;  // 0: none
    friend bool operator==(const PendingWrite&, const PendingWrite&) = default;
  };
  /// What must be durable before a held message may go: a vote; a part of the log; the checkpoint of the same step; all.
  enum class Needs : std::uint8_t { hard_state, entries, checkpoint, everything };
  struct Held {
    WriteSeq gate;  // goes out when this write is durable; 0 until the flush of the step that held it
    Needs needs;
    Index match;  // with Needs::entries: the log up to here
    Envelope envelope;
    friend bool operator==(const Held&, const Held&) = default;
  };

  Core(const Options& options, const Recovered& recovered);

  // core.cpp: dispatch, terms, the flush
  void handle(Turn& turn, const Tick& tick);
  void handle(Turn& turn, const Receive& receive);
  void handle(Turn& turn, const Propose& propose);
  void handle(Turn& turn, const ProposeConfiguration& propose);
  void handle(Turn& turn, const Read& read);
  void handle(Turn& turn, const Transfer& transfer);
  void handle(Turn& turn, const Campaign& campaign);
  void handle(Turn& turn, const Written& written);
  void handle(Turn& turn, const WriteFailed& failed);
  void handle(Turn& turn, const Applied& applied);
  void handle(Turn& turn, const SnapshotTaken& taken);
  void handle(Turn& turn, const ChunkStored& stored);
  void handle(Turn& turn, const SnapshotStored& stored);
  void handle(Turn& turn, const SnapshotRestored& restored);
  void handle(Turn& turn, const SnapshotFailed& failed);
  void handle(Turn& turn, const Unreachable& unreachable);
  void handle_unexpected();
  void flush(Turn& turn);
  void note_delta(Turn& turn, std::uint32_t input) const;
  [[nodiscard]] State state() const;
  [[nodiscard]] Role role() const { return static_cast<Role>(role_.index()); }
  [[nodiscard]] Leader* leading() { return std::get_if<Leader>(&role_); }
  [[nodiscard]] const Configuration& configuration() const { return configurations_.back().configuration; }
  template <class Sent>
  void send(Turn& turn, NodeId to, Sent message) const;
  void hold(NodeId to, Message message, Needs needs, Index match = Index{});
  template <class Sent>
  void send_at_term(Turn& turn, NodeId to, Term term, Sent message) const;

  // election.cpp (§5.2, §5.4.1)
  void receive(Turn& turn, NodeId from, Term term, const RequestVote& request);
  void receive(Turn& turn, NodeId from, Term term, const VoteReply& reply);
  void become_follower(Turn& turn, Term term, NodeId leader);
  void campaign(Turn& turn);
  void stand(Turn& turn, bool transfer);
  void become_leader(Turn& turn);
  void count_vote(Turn& turn, NodeId from, bool granted);
  void ask_for_votes(Turn& turn, Term term, bool pre, bool transfer);
  void tick_election(Turn& turn);
  void tick_leader(Turn& turn, Leader& leader);
  void restart_election_timer();
  [[nodiscard]] bool hears_a_leader() const;
  void leave_role(Turn& turn, NodeId leader);
  [[nodiscard]] bool may_stand() const;

  // replication.cpp (§5.3, §5.4.2)
  void receive(Turn& turn, NodeId from, Term term, const AppendEntries& append);
  void receive(Turn& turn, NodeId from, Term term, const AppendReply& reply);
  void receive(Turn& turn, NodeId from, Term term, const AppendReject& reject);
  void receive(Turn& turn, NodeId from, Term term, const Heartbeat& heartbeat);
  void receive(Turn& turn, NodeId from, Term term, const HeartbeatReply& reply);
  void follow(Turn& turn, NodeId leader);
  void append_own(Turn& turn, EntryKind kind, Bytes payload);
  void truncate(Turn& turn, Index from);
  void advance_commit(Turn& turn);
  [[nodiscard]] bool commit_agreed(Turn& turn);
  void set_commit(Index commit);
  void send_appends(Turn& turn, Leader& leader);
  void send_append(Turn& turn, Progress& peer, bool empty) const;
  [[nodiscard]] Progress* peer(NodeId node);
  [[nodiscard]] Progress* hear_from(NodeId node, ReadSeq read);

  // membership.cpp (§6, thesis §4)
  [[nodiscard]] std::optional<Rejection> objection_to(const ProposeConfiguration& propose) const;
  void adopt_configuration(const EntryView& entry);
  void track_members(Leader& leader) const;
  [[nodiscard]] bool leave_joint_configuration(Turn& turn);
  [[nodiscard]] bool lags_behind(NodeId node) const;

  // transfer.cpp (thesis §3.10)
  void receive(Turn& turn, NodeId from, Term term, const TimeoutNow& timeout_now);
  void tick_handover(Turn& turn, Leader& leader);
  void hand_over(Turn& turn, Leader& leader) const;
  void end_handover(Turn& turn, Leader& leader, Rejection reason) const;
  void tick_disk(Leader& leader) const;
  [[nodiscard]] NodeId successor(const Leader& leader) const;

  // snapshot.cpp (§7, thesis §5)
  void receive(Turn& turn, NodeId from, Term term, const InstallSnapshot& install);
  void receive(Turn& turn, NodeId from, Term term, const SnapshotReply& reply);
  void start_behind(Turn& turn, LogId snapshot, Configuration configuration);
  void send_chunk(Turn& turn, Progress& peer) const;

  // reads.cpp (thesis §6.4)
  void receive(Turn& turn, NodeId from, Term term, const ReadIndex& request);
  [[nodiscard]] std::optional<Rejection> objection_to_reads() const;
  void open_round(Turn& turn, Leader& leader);
  void confirm_reads(Leader& leader);
  void release_rounds(Turn& turn, Leader& leader);
  void release_reads(Turn& turn);

  // forwarding.cpp (thesis §6.4, at a follower)
  void receive(Turn& turn, NodeId from, Term term, const ReadIndexReply& reply);
  void forward(Turn& turn, const Read& read);
  void send_forwarded(Turn& turn, Follower& follower);
  void end_forwarded(Turn& turn, Follower& follower, std::variant<Index, Rejection> outcome);
  void tick_forwarded(Turn& turn);
  [[nodiscard]] bool asks(const Follower& follower) const;

  // leases.cpp (thesis §6.4.1)
  [[nodiscard]] bool uses_leases() const { return options_.check_quorum && options_.lease_drift_ppm; }
  [[nodiscard]] std::uint64_t lease_ticks() const;
  [[nodiscard]] bool holds_lease(const Leader& leader) const;
  void note_round(Leader& leader) const;
  void promise_to_leader();

  // storage.cpp: numbered writes and what waits for them
  void submit_write(Turn& turn);
  void release_held(Turn& turn);
  [[nodiscard]] WriteSeq write_that_holds(Index index) const;
  [[nodiscard]] bool own_vote_durable() const { return hard_ == submitted_hard_ && hard_write_ <= written_; }

  Options options_;
  HardState hard_;
  NodeId leader_;
  Log log_;
  LogId snapshot_;  // at or above the log's base
  std::vector<ConfigurationAt>
      configurations_;  // never empty: that of the snapshot, then those of the entries behind it
  Index commit_;
  Index applied_;
  Index handed_;
  Index durable_;
  std::variant<Follower, PreCandidate, Candidate, Leader> role_;
  std::uint32_t attempt_ = 0;  // campaigns since the term began
  std::uint32_t vain_ = 0;     // elections since a leader was known: campaigns, and terms that others began
  std::uint32_t elapsed_ticks_ = 0;  // since the election timer was reset
  std::uint32_t deadline_ticks_ = 0;
  std::uint32_t promise_ticks_ = 0;  // with leases: no vote before so many have passed
  ReadSeq read_issued_;
  ReadSeq read_confirmed_;
  ReadSeq forward_issued_;             // last round that was forwarded in this life
  std::uint32_t forward_ticks_ = 0;    // since then, while it is not answered
  std::vector<ReadReady> read_ready_;  // for them only the state machine is waited for

  WriteSeq issued_;
  WriteSeq written_;
  WriteSeq hard_write_;                       // the write that carried hard_
  HardState submitted_hard_;                  // = hard_ between steps
  Index submitted_last_;                      // = log_.last() between steps
  std::vector<PendingWrite> pending_writes_;  // issued, not written
  std::vector<Held> held_;
  std::uint64_t dropped_ = 0;
  std::optional<Fault> fault_;
};

}  // namespace raftlab::raft
