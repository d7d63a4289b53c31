#pragma once

#include "raft/core.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

/// What a real node writes down: from what each of its lives began, and what its core was given in each step. Enough to
/// execute the life again. The bytes are in docs/trace.md.
namespace raftlab::raft::trace {

inline constexpr std::uint32_t record_version = 1;

/// Refused by a reader whatever a frame says; no writer comes near it.
inline constexpr std::uint32_t record_bytes_limit = 1U << 30U;

/// A life of a node begins.
struct StartRecord {
  std::uint64_t cluster = 0;
  std::int64_t time_ns = 0;  ///< since 1970 UTC, by the node's clock
  std::uint64_t previous =
      0;  ///< incarnation of the life before, whose file lies beside this one; 0: none does
  Options options;
  Recovered recovered;  ///< what the core was started from
};

/// Directly before a step of the core.
struct StepRecord {
  std::int64_t time_ns = 0;
  std::uint64_t fingerprint = 0;   ///< of the core
  Index applied;                   ///< the last index that the store has applied
  std::uint64_t store_digest = 0;  ///< of the store then; 0: not known
  std::vector<Input> inputs;
};

/// What stands in a step's record besides its inputs.
struct StepHead {
  std::int64_t time_ns = 0;
  std::uint64_t fingerprint = 0;
  Index applied;
  std::uint64_t store_digest = 0;
};

/// Makes the bytes of one file. Reuses its memory. One thread.
class RecordWriter {
 public:
  RecordWriter();
  RecordWriter(RecordWriter&&) noexcept;
  RecordWriter& operator=(RecordWriter&&) noexcept;
  ~RecordWriter();

  /// Appends to `out` what a file begins with. Once, and first.
  void start(const StartRecord& start, std::vector<std::byte>& out);
  /// Appends the record of a step.
  void step(const StepHead& head, std::span<const Input> inputs, std::vector<std::byte>& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The file ends behind the last whole record.
struct EndOfRecords {
  bool torn =
      false;  ///< and behind that stands the beginning of another one: the process ended while it wrote
};

struct RecordError {
  std::uint64_t offset = 0;  ///< in the file
  std::string what;
};

/// Reads one file. Every byte is taken for hostile: a length is compared with what is there, and no record is believed before
/// its checksum. The bytes must outlive the reader. One thread.
class RecordReader {
 public:
  explicit RecordReader(Bytes file);
  RecordReader(RecordReader&&) noexcept;
  RecordReader& operator=(RecordReader&&) noexcept;
  ~RecordReader();

  /// What the file begins with. Once, and first. A file that was cut off before it is `EndOfRecords`.
  [[nodiscard]] std::variant<StartRecord, EndOfRecords, RecordError> start();
  /// The next step. What it holds replaces what `step` held; the memory is kept. Behind the end, or an error, the same again.
  [[nodiscard]] std::variant<std::monostate, EndOfRecords, RecordError> next(StepRecord& step);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace raftlab::raft::trace
