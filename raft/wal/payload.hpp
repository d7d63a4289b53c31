#pragma once

#include "raft/log.hpp"
#include "raft/wal/buffer.hpp"
#include "raft/wal/record.hpp"

#include <optional>
#include <string>
#include <vector>

/// The payload of records: protobuf `raftlab.wal_format.Payload` (record.proto).
namespace raftlab::raft::wal {

/// An upper bound of the bytes that one entry takes in a payload.
[[nodiscard]] std::size_t entry_bytes_max(const EntryView& entry);
/// The same for any other change, a snapshot's configuration apart.
inline constexpr std::size_t change_bytes_max = 64;

void put_hard_state(Buffer& out, HardState hard);
void put_truncation(Buffer& out, Index from);
void put_entry(Buffer& out, const EntryView& entry);
void put_snapshot(Buffer& out, LogId snapshot, Bytes configuration);
void put_base(Buffer& out, LogId base);
void put_durable_index(Buffer& out, Index index);

/// What the records up to some point amount to.
class Image {
 public:
  /// Carries out the changes of the payload of a record. An empty string, or what makes no sense in it; then
  /// the image is of no more use.
  [[nodiscard]] std::string apply(RecordKind kind, Bytes payload);

  [[nodiscard]] Index last() const { return log_.last(); }
  /// The lowest last index since the last call: what truncations left of the log in between.
  [[nodiscard]] Index lowest_last() const { return lowest_last_; }
  void reset_lowest_last() { lowest_last_ = log_.last(); }
  [[nodiscard]] Index durable_index() const { return durable_index_; }

  /// With `durable` left at 0.
  [[nodiscard]] Recovered recovered() const;

 private:
  [[nodiscard]] std::string carry_out(RecordKind kind, Bytes change);
  [[nodiscard]] std::string start_from(LogId snapshot, Bytes configuration);
  [[nodiscard]] std::string start_behind(LogId base);
  [[nodiscard]] std::string truncate(Index from);
  [[nodiscard]] std::string end_checkpoint() const;

  HardState hard_;
  LogId snapshot_;
  std::optional<Configuration> configuration_;  // at the snapshot
  Log log_;
  Index lowest_last_;
  Index durable_index_;
};

}  // namespace raftlab::raft::wal
