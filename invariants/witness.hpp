#pragma once

#include "invariants/history.hpp"
#include "invariants/model.hpp"
#include "raft/types.hpp"

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace raftlab::invariants {

/// The rungs of the ladder that are about the clients' history.
enum class HistoryRung : std::uint8_t {
  e6_acknowledged_stays_refused_never_appears,
  e7_applied_once,
  e8_linearizable,
  e9_read_is_fresh,
  e10_lease_read_is_fresh,
};
inline constexpr std::size_t history_rungs = 5;
/// "E6" to "E10".
[[nodiscard]] const char* short_name(HistoryRung rung);

struct HistoryFinding {
  HistoryRung rung = HistoryRung::e8_linearizable;
  std::string text;  ///< one line that names the operations, the index and both values
};

struct WitnessOptions {
  ModelOptions model;
  /// How far behind the commit a stale read may be and still be judged; older ones are only counted.
  std::uint64_t stale_window_entries = 1024;
  /// Findings beyond this number are counted and dropped.
  std::size_t findings_max = 64;
};

/// Checks a history while the run goes on, with the log's commit order as the witness of linearizability.
///
/// The order is no proof by itself. It is accepted because an independent model, fed with the entries, gives
/// every answer that the clients got, and because it keeps real time (witness.cpp proves that what is checked
/// suffices). A write stands at the first entry that took effect, a read right after the applied index that
/// served it.
///
/// Memory: operations in flight, operations of unknown outcome that may still appear, live keys, sessions,
/// and windows of fixed size; nothing that grows with the run. Calls come in the order of time. One thread.
/// Copyable.
class Witness {
 public:
  explicit Witness(const WitnessOptions& options = {});

  /// The first attempt of an operation. Then exactly one of ok, fail and unknown, or none if the run ends
  /// before.
  void invoke(OpId id, std::int64_t now_ns, const Operation& op);
  /// `index`: of a change, an index at which the log has it (of its first attempt or of a retry); of a read,
  /// the applied index that served it. May come before `committed` of that index. 0: the answer does not
  /// tell. A stale read is judged as a state that existed after `index`, whatever the time.
  void ok(OpId id, std::int64_t now_ns, Outcome outcome, raft::Index index,
          ReadClaim claim = ReadClaim::linearizable);
  /// Every attempt was refused before it was appended. A client that is not sure says `unknown`.
  void fail(OpId id, std::int64_t now_ns);
  /// The client gave up, or was told that its session has expired (an earlier attempt may have taken effect).
  /// The operation stays a candidate until it is seen in the log, or can take effect no more.
  void unknown(OpId id, std::int64_t now_ns);

  /// Each index once, in order, when it is first committed anywhere. No id, or no op: no operation of a
  /// client. An entry of client 0 changes the model and belongs to no operation.
  void committed(raft::Index index, std::optional<OpId> id, const Operation* op);
  /// In place of `committed`, for an entry that opens the session of the client whose number is the index.
  /// Needed only where the model has a bound on sessions.
  void committed_session(raft::Index index);
  /// Optional, the direct check of E7: a store under test said whether the entry at a committed index took
  /// effect. Any node, any order, any number of times; the latest `duplicates_max` duplicates are remembered.
  void applied(raft::Index index, bool took_effect);

  /// The end of the run: what was acknowledged must be in the log now.
  void finish(std::int64_t now_ns);

  [[nodiscard]] const std::vector<HistoryFinding>& findings() const { return findings_; }

  struct Counts {
    std::uint64_t ok = 0;  ///< writes, failed compares and reads that were answered
    std::uint64_t failed = 0;
    std::uint64_t unknown = 0;
    std::uint64_t reads = 0;  ///< linearizable ones answered
    std::uint64_t stale_reads = 0;
    std::uint64_t stale_unjudged = 0;  ///< read from before the stale window
    std::uint64_t witnessed = 0;       ///< answers that the model reproduced at their place
    std::uint64_t unknown_seen = 0;    ///< of unknown outcome when they appeared in the log
    std::uint64_t retries_seen = 0;    ///< entries that repeat an operation
    std::uint64_t findings = 0;
    std::array<std::uint64_t, history_rungs> evaluated{};  ///< how often each rung was judged for real
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

  /// False: the commit order is no witness for this history. Without an E8, E9 or E10 finding, because something
  /// that it needs was not told (index of a read, identity of a write): only the exact search can judge. With
  /// one, because it was refuted: the search can tell whether the clients could have noticed.
  [[nodiscard]] bool fits() const { return fits_; }

  /// What is held in memory at this moment.
  struct Held {
    std::size_t operations = 0;  ///< in flight, unknown and not yet seen, or acknowledged and not yet seen
    std::size_t keys = 0;
    std::size_t old_versions = 0;
    std::size_t sessions = 0;
    std::size_t remembered = 0;  ///< refused operations and duplicates, both bounded
  };
  [[nodiscard]] Held held() const;

  static constexpr std::size_t refused_max = 4096;
  static constexpr std::size_t duplicates_max = 256;

 private:
  using Slot = std::uint32_t;

  struct HashId {
    using is_avalanching = void;
    std::size_t operator()(OpId id) const {
      return static_cast<std::size_t>(
          raft::mix(id.client ^ 0x9e3779b97f4a7c15ULL, id.sequence ^ 0xd6e8feb86659fd93ULL));
    }
  };

  struct Pending {
    OpId id;
    Operation op;
    Outcome outcome;  ///< the client's if answered, else the model's if placed
    bool used = false;
    bool answered = false;
    bool placed = false;
    bool unknown = false;
    ReadClaim claim = ReadClaim::linearizable;
    std::int64_t invoked_ns = 0;
    std::int64_t returned_ns = 0;    ///< if answered
    raft::Index committed_before;    ///< reads: the greatest committed index at the invocation
    raft::Index returned_before;     ///< reads: the greatest place of an operation that had returned before
    std::uint64_t read_number = 0;   ///< reads: position in reads_in_flight_
    raft::Index place;               ///< writes: if placed
    raft::Index named;               ///< what the answer said, if answered
    std::vector<raft::Index> again;  ///< writes: entries that repeat it, while it is not answered
  };
  /// An entry that repeats an operation, kept to tell a second application from other wrong answers.
  struct Duplicate {
    raft::Index index;
    OpId id;
    Operation op;
    bool reported = false;
  };
  struct ReadInFlight {
    raft::Index committed_before;
    bool done = false;
  };

  void advance(std::int64_t now_ns);
  [[nodiscard]] Slot acquire(OpId id);
  [[nodiscard]] std::optional<Slot> lookup(OpId id) const;
  void release(Slot slot);
  void report(HistoryRung rung, std::string text);
  std::uint64_t& evaluated(HistoryRung rung) { return counts_.evaluated[static_cast<std::size_t>(rung)]; }

  void ok_read(Slot slot);
  void ok_write(Slot slot);
  void judge_read(Slot slot);
  void judge_order(const Pending& read);
  void judge_values(const Pending& read);
  void place(raft::Index index, OpId id, const Operation& op, Outcome outcome);
  void judge_place(const Pending& write);
  void raise_reads_in_flight(const Pending& write);
  void unasked(raft::Index index, OpId id, const Operation& op);
  void repeat(raft::Index index, OpId id, const Operation& op);
  void judge_answer(const Pending& write, const Outcome& told, const Outcome& expected);
  void settle(raft::Index index);
  void note_returned(raft::Index place, std::int64_t at_ns);
  void drop_unknown(OpId up_to);
  void drop_evicted();
  void remember_refused(OpId id);
  [[nodiscard]] const Duplicate* second_application(const Pending& read, std::string_view key,
                                                    const Value& value) const;
  void forget();

  WitnessOptions options_;
  KvModel model_;
  std::vector<Pending> slots_;
  std::vector<Slot> free_;
  boost::unordered_flat_map<OpId, Slot, HashId> by_id_;
  std::deque<ReadInFlight> reads_in_flight_;
  std::uint64_t reads_gone_ = 0;  ///< read_number of reads_in_flight_.front()

  std::int64_t now_ns_ = 0;
  raft::Index committed_;
  std::int64_t writes_invoked_max_ns_;  ///< over the writes placed so far
  std::int64_t reads_invoked_max_ns_;   ///< over the linearizable reads judged so far
  raft::Index returned_place_max_;      ///< over everything that returned up to now_ns_
  raft::Index returned_place_before_;   ///< over everything that returned before now_ns_

  std::multimap<raft::Index, Slot> waiting_;  ///< answers that name an index not yet committed
  std::map<std::uint64_t, std::vector<std::uint64_t>> unknown_;  ///< by client, the sequences not yet seen
  boost::unordered_flat_set<OpId, HashId> refused_;
  std::deque<OpId> refused_order_;
  std::deque<Duplicate> duplicates_;

  std::vector<HistoryFinding> findings_;
  Counts counts_;
  bool fits_ = true;
};

}  // namespace raftlab::invariants
