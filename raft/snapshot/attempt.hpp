#pragma once

#include "raft/snapshot/changes.hpp"
#include "raft/types.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace raftlab::raft::snapshot {

/// One file on its way from nothing to its final name: create, append, sync; once that has completed rename,
/// sync the directory; once that has completed it is durable. `Files` has one for each snapshot that is being
/// written.
class Attempt {
 public:
  enum class Phase : std::uint8_t { writing, syncing, naming };

  Attempt(Changes& changes, LogId last, std::uint64_t number);

  void append(Changes& changes, Bytes bytes);
  /// All bytes were appended.
  void finish(Changes& changes);

  enum class Outcome : std::uint8_t { nothing, named, durable };
  /// This change and all before it succeeded. `named`: the final name was asked for just now.
  [[nodiscard]] Outcome succeeded(Changes& changes, wal::OperationId operation);
  /// Whether the failure of this change, whoever asked for it, leaves nothing of it to count on.
  [[nodiscard]] bool lost_by(wal::OperationId failed) const { return last_ >= failed; }
  /// Removes the file, unless the final name was asked for: then it gets that, being complete. `failed`: what
  /// was asked from there on is undefined, and a file that may or may not be there is left to
  /// `Files::keep_only`.
  void give_up(Changes& changes, std::optional<wal::OperationId> failed);

  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] const std::string& part() const { return part_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::string part_;
  Phase phase_ = Phase::writing;
  wal::FileHandle handle_;
  wal::OperationId created_;
  wal::OperationId renamed_;  // 0: not asked for
  wal::OperationId last_;     // also the one whose success ends the phase, when it is not `writing`
};

}  // namespace raftlab::raft::snapshot
