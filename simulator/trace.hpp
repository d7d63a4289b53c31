#pragma once

#include "simulator/profile.hpp"
#include "simulator/run.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// A trace is the run: profile, decisions, a digest after every step, and what happened between the steps, in
/// checksummed chunks. The bytes are in docs/trace.md.
namespace raftlab::simulator {

inline constexpr std::uint32_t trace_version = 2;

struct TraceHeader {
  std::uint64_t seed = 0;  ///< for people: a replay never draws from it
  std::string version;     ///< of raftlab
  std::string commit;
  std::string compiler;
  std::string build_type;
  bool checks = true;
  Profile profile;
};

/// One step as recorded: what a replay compares, and what one line shows.
struct TraceStep {
  std::uint64_t number = 0;
  Time time = 0;
  raft::NodeId node;
  std::uint64_t digest = 0;
  raft::Role role = raft::Role::follower;
  raft::Term term;
  raft::NodeId vote;
  raft::Index commit;
  raft::Index applied;
  raft::Index durable;
  raft::Index last;
  std::string what;  ///< inputs and outputs in words: "<- n1 AppendEntries (3,17)+2; -> n1 AppendReply 19"
  friend bool operator==(const TraceStep&, const TraceStep&) = default;
};

struct Trace {
  TraceHeader header;
  std::vector<Decision> decisions;
  std::vector<TraceStep> steps;
  std::vector<Incident> incidents;  ///< in order; for people: a replay does not compare them
  // The end
  Verdict verdict = Verdict::holds;
  std::string reason;
  std::vector<invariants::Finding> findings;
  std::uint64_t digest = 0;
};

enum class TraceErrorCode : std::uint8_t { unreadable, empty, not_a_trace, other_version, damaged };
struct TraceError {
  TraceErrorCode code = TraceErrorCode::damaged;
  std::uint64_t offset = 0;
  std::string message;  ///< names the place, what was expected, and what was found
};

[[nodiscard]] std::vector<std::byte> encode(const Trace& trace);
[[nodiscard]] std::variant<Trace, TraceError> decode_trace(raft::Bytes bytes);

/// What a step did, in words: "<- n1 AppendEntries (3,17)+2  -> n1 AppendReply 19  write 212: +2 entries".
[[nodiscard]] std::string describe(const raft::trace::Step& step);

/// Runs the profile under the chooser and records everything. `stop` as in `RunOptions`.
[[nodiscard]] Trace record(const TraceHeader& header, Chooser& chooser, RunResult* result = nullptr,
                           const std::atomic<bool>* stop = nullptr);

struct ReplayResult {
  bool identical = true;
  std::uint64_t step = 0;  ///< the first that differs
  std::string field;       ///< what differs in it: "term", "digest", "node", "end" ...
  std::string expected;
  std::string found;
  RunResult run;  ///< of the replay
};

/// Re-executes the decisions, never draws, and compares each step; stops at the first that differs. When all steps are
/// equal, the verdict and what was found must be equal too.
[[nodiscard]] ReplayResult replay(const Trace& trace, const std::atomic<bool>* stop = nullptr);

}  // namespace raftlab::simulator
