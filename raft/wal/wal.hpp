#pragma once

#include "raft/core.hpp"
#include "raft/types.hpp"
#include "raft/wal/disk.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The log on disk: numbered writes of the core, in segments of checksummed, chained records. The bytes and
/// the rules of recovery are in docs/wal.md.
namespace raftlab::raft::wal {

/// Whose log this is. A log of another cluster or node is refused (F10, F26).
struct Identity {
  std::uint64_t cluster = 0;
  NodeId node;
  friend bool operator==(const Identity&, const Identity&) = default;
};

struct WalOptions {
  std::uint64_t segment_bytes = 8U << 20U;  ///< a new segment is begun when the present one has grown beyond
  std::uint32_t record_bytes_max = 4U
                                   << 20U;  ///< payload of one record; a larger write becomes several records
  std::uint32_t idle_ticks = 2;  ///< after so many ticks without a write, a watermark record is written
};

/// Why a log may not be used. The files are left as they are.
enum class RefusalCode : std::uint8_t {
  locked,             ///< another process has the directory (F27)
  unreadable,         ///< the disk could not read a file that exists (F17)
  wrong_identity,     ///< written by another cluster or node (F10)
  unknown_version,    ///< written by another version of the format
  corrupt_header,     ///< a segment's header is damaged where it cannot be a torn creation
  corrupt_middle,     ///< a damaged record with valid ones behind it (F3, F4, F8, F9)
  corrupt_committed,  ///< the damage reaches below the durable watermark (F2)
  missing_segment,    ///< a segment in the middle is not there
  missing_snapshot,   ///< the log starts behind a snapshot that is not there, or damaged
  bad_content,        ///< a record with a good checksum that makes no sense behind those before it
};
[[nodiscard]] const char* name(RefusalCode code);

struct Refusal {
  RefusalCode code = RefusalCode::unreadable;
  std::string file;
  std::uint64_t offset = 0;
  std::string detail;  ///< one sentence: what was expected and what was found
};

/// What a write led to.
struct WriteOutcome {
  WriteSeq seq;                       ///< this write and all before it
  DiskError error = DiskError::none;  ///< none: they are durable. Otherwise nothing more will be
};

/// The log of one node. `open` reads what is there and changes nothing, so that who cannot use it can still
/// go. `begin` submits the rewriting of it as write 1: recovered is not durable, so everything that counts
/// goes to a new segment, which is synced before older ones are removed. After that, `write` takes the core's
/// writes 2, 3, ... ; one with a checkpoint begins anew in the same way. Writes are carried out first-in
/// first-out, those that a checkpoint overtakes too. Several share a sync: while one is under way, the next
/// ones gather behind it. One thread.
class Wal {
 public:
  struct Opened;

  /// `when_empty` is what a directory without any log starts from; without it an empty directory gives an
  /// empty `Recovered`.
  [[nodiscard]] static std::variant<Opened, Refusal> open(Disk& disk, const Identity& identity,
                                                          const WalOptions& options,
                                                          const std::optional<Recovered>& when_empty);

  Wal(const Wal&) = delete;
  Wal& operator=(const Wal&) = delete;
  Wal(Wal&&) noexcept;
  Wal& operator=(Wal&&) noexcept;
  ~Wal();

  /// Writes what was recovered, as the host is going to use it. Once, before anything else.
  void begin(const Recovered& recovered);
  /// Appends the write and sees to its sync. Numbers must rise by one. One with a checkpoint counts, and is
  /// told of, only when what it replaces is gone; after a crash before that, either all of it or all of what
  /// it replaces is there.
  void write(const Write& write);
  /// Tells of a completed change of the disk. At most one outcome comes of it.
  [[nodiscard]] std::optional<WriteOutcome> complete(const DiskCompletion& completion);
  /// One unit of time: writes the watermark record when the log has been idle.
  void tick();

  /// The last write all of whose bytes were handed to the disk; those behind it wait for the sync under way.
  [[nodiscard]] WriteSeq appended() const;
  /// Checksum over every byte appended so far: two logs that wrote the same have the same.
  [[nodiscard]] std::uint32_t chain() const;
  [[nodiscard]] std::uint64_t bytes_appended() const;
  [[nodiscard]] std::uint64_t syncs() const;
  /// What it holds in memory: writes that wait, buffers to use again, the terms of the log, names of files.
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  class Implementation;
  explicit Wal(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

struct Wal::Opened {
  Wal wal;
  Recovered recovered;
  bool torn_tail = false;  ///< bytes behind the last valid record were cut off
  bool fresh = false;      ///< the directory held no log
};

}  // namespace raftlab::raft::wal
