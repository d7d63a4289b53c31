#pragma once

#include "invariants/audit.hpp"
#include "raft/core.hpp"
#include "raft/trace/record.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// One node of an audit: its lives, one behind the other, and the core that lives the present one again. Internal to the audit.
namespace raftlab::invariants {

/// One file, with its first record read.
struct TracedLife {
  TracedLife(AuditedLife about, raft::trace::RecordReader opened, raft::trace::StartRecord began)
      : info(std::move(about)), reader(std::move(opened)), start(std::move(began)) {}

  AuditedLife info;
  raft::trace::RecordReader reader;
  raft::trace::StartRecord start;
};

/// A write that was handed to the log storage, whose completion the core has not been told of.
struct UntoldWrite {
  raft::WriteSeq seq;
  std::vector<raft::Slice> entries;
};

class TracedNode {
 public:
  explicit TracedNode(raft::NodeId node) : id(node) {}
  TracedNode(TracedNode&&) = default;
  TracedNode& operator=(TracedNode&&) = default;
  ~TracedNode() = default;

  raft::NodeId id;
  std::vector<TracedLife> lives;
  std::optional<raft::Core> core;

  /// Nothing is left.
  [[nodiscard]] bool over() const { return !stepping_ && next_life_ == lives.size(); }
  /// What comes next is the start of a life, not a step.
  [[nodiscard]] bool starts() const { return !stepping_; }
  /// When what comes next happened, by this node's clock.
  [[nodiscard]] std::int64_t time_ns() const {
    return stepping_ ? step.time_ns : lives[next_life_].start.time_ns;
  }
  [[nodiscard]] TracedLife& life() { return lives[next_life_ - 1]; }
  [[nodiscard]] const TracedLife& life() const { return lives[next_life_ - 1]; }

  /// Each behind the one that it names as the one before; where there is none, by the clock.
  void put_lives_in_order();
  /// Begins the next life: `core` is as it was then.
  [[nodiscard]] std::optional<AuditError> begin();
  /// Reads the next step into `step`, or finds that the life ends here.
  [[nodiscard]] std::optional<AuditError> advance();
  /// The write that proves that what is durable now, by what the next life recovered, was durable before the core was told;
  /// none: there is no such write.
  [[nodiscard]] raft::WriteSeq proven_by_next_life() const;
  /// The core took `step`, and this is what it wrote.
  void note_write(const raft::Write& write);
  void note_told(raft::WriteSeq seq);

  raft::trace::StepRecord step;
  std::size_t explained =
      0;                    ///< of the inputs of `step`, so many were looked at, and what they need is there
  raft::Index digest_told;  ///< of the store, up to here in this life

 private:
  bool stepping_ = false;  // `step` holds the next one
  std::size_t next_life_ = 0;
  std::deque<UntoldWrite> untold_;
};

}  // namespace raftlab::invariants
