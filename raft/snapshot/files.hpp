#pragma once

#include "raft/configuration.hpp"
#include "raft/messages.hpp"
#include "raft/snapshot/image.hpp"
#include "raft/types.hpp"
#include "raft/wal/disk.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// Snapshots as files of a directory of their own: taken, received in chunks, sent in chunks, read back,
/// removed. The image of a snapshot is the content of its file, byte by byte the same on every node that has
/// it; docs/snapshots.md describes it.
namespace raftlab::raft::snapshot {

/// A complete and intact snapshot of the directory.
struct Found {
  Header header;
  std::uint64_t bytes = 0;     ///< of the image
  std::uint64_t checksum = 0;  ///< of the image
};

/// What a completion led to, or a step of work.
struct Event {
  enum class Kind : std::uint8_t {
    taken,           ///< the snapshot that was being taken is durable
    taking_failed,   ///< given up; the next one may succeed
    stored,          ///< the snapshot that was being received is complete, intact and durable
    storing_failed,  ///< given up; the sender starts from the beginning
  };
  Kind kind = Kind::taken;
  LogId last;
  Configuration configuration;  ///< at `last`, for `taken` and `stored`
};

/// The snapshots of one node on one `Disk`, which is theirs alone: an error of it is never fatal to the log.
/// File names are `snapshot-<index>-<term>.snap`, with the ending `.<attempt>.part` until the image is
/// complete and synced: whatever has the final name was durable before it got it. One thread. The disk must
/// outlive it.
class Files {
 public:
  /// Takes the lock and reads the directory: every snapshot that is complete and intact, newest first; what
  /// is not is left as it is, and is told in `damaged`. Changes nothing. What is found may have been left by
  /// a process that was killed before the name was durable: `keep_only` sees to that before anything goes.
  struct Opened;
  [[nodiscard]] static std::variant<Opened, wal::DiskError> open(wal::Disk& disk, std::uint64_t cluster);

  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  Files(Files&&) noexcept;
  Files& operator=(Files&&) noexcept;
  ~Files();

  // ---- Taking: one at a time

  /// Begins the file of a snapshot of this node's own state, in the cluster of `open`. Not while `taking()`.
  void begin(const Header& header);
  /// The state machine's next bytes. Nothing happens, here and in `finish`, when it was given up meanwhile.
  void write(Bytes content);
  /// All bytes were written: `taken` follows.
  void finish();
  /// Gives it up, if there is one, without an event. Its file goes, unless its final name was asked for
  /// already.
  void abandon();
  /// From `begin` until the event or `abandon`.
  [[nodiscard]] bool taking() const;

  // ---- Receiving: one at a time; a chunk of a newer snapshot gives up an older one

  /// Returns the offset that is expected next, in the snapshot of this chunk: 0 means from the beginning (a
  /// chunk that does not fit is dropped, and so is one of an older snapshot than the one under way); the
  /// total means that all is there. Another snapshot begins with its chunk at 0 only; what it overtakes ends
  /// without an event. One that is in the directory already is stored at once. A snapshot of which the first
  /// chunk names more than `received_bytes_max` is never begun.
  [[nodiscard]] std::uint64_t receive(const InstallSnapshot& chunk);

  // ---- Sending and restoring

  /// The chunk of a snapshot of this directory, of at most `bytes`; its `last`, `offset`, `total` and
  /// `checksum` are filled in. An empty one at the end of the image, with which the sender asks whether it
  /// has become durable. None when the snapshot is not there (any more), cannot be read, is damaged, or does
  /// not reach that far. Keeps the last two images in memory.
  [[nodiscard]] std::optional<InstallSnapshot> chunk(LogId last, std::uint64_t offset, std::size_t bytes);
  /// The state machine's bytes of a snapshot of this directory, read from the disk, with their checksums
  /// verified; none as above.
  [[nodiscard]] std::optional<std::vector<std::byte>> content(LogId last);

  /// Removes every snapshot but these, and what is left of unfinished ones that nobody works at. Damaged ones
  /// go too. What is being worked at stays, and what an event tells of that was not taken yet. Nothing goes
  /// before the names of what stays are durable.
  void keep_only(const std::vector<LogId>& wanted);

  /// Tells of a completed change of the disk. A failure gives up every snapshot of which a change was asked
  /// for with or behind the failed one.
  void complete(const wal::DiskCompletion& completion);
  /// What happened since the last call, oldest first.
  [[nodiscard]] std::vector<Event> take_events();
  [[nodiscard]] bool has_events() const;

  /// Checksum over everything that was handed to the disk: two that did the same have the same.
  [[nodiscard]] std::uint32_t chain() const;

  /// Greatest image that is received.
  static constexpr std::uint64_t received_bytes_max = 1ULL << 40U;

 private:
  class Implementation;
  explicit Files(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

struct Files::Opened {
  Files files;
  std::vector<Found> found;          ///< newest first
  std::vector<std::string> damaged;  ///< names of files that look like finished snapshots and are none
};

}  // namespace raftlab::raft::snapshot
