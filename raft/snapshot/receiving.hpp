#pragma once

#include "raft/messages.hpp"
#include "raft/snapshot/attempt.hpp"
#include "raft/snapshot/image.hpp"

#include <cstdint>
#include <optional>

namespace raftlab::raft::snapshot {

/// A snapshot that comes in chunks: verified as they come, so that nothing of it has to be kept, and written
/// behind that.
class Receiving {
 public:
  /// Of the image that this chunk, its first one, names.
  Receiving(Changes& changes, const InstallSnapshot& first, std::uint64_t cluster, std::uint64_t attempt);
  /// Of a snapshot that is here already; only its name may not be durable.
  Receiving(const InstallSnapshot& first, Configuration configuration);

  /// Whether the chunk is of the same image.
  [[nodiscard]] bool is_of(const InstallSnapshot& chunk) const;
  /// Takes a chunk at the offset that is expected. False: the image is not what it was said to be.
  [[nodiscard]] bool take(Changes& changes, const InstallSnapshot& chunk);

  [[nodiscard]] LogId last() const { return last_; }
  /// The offset that is expected next.
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] bool complete() const { return received_ == total_; }
  /// Empty before the image is complete.
  [[nodiscard]] const Configuration& configuration() const { return configuration_; }
  /// None when the snapshot was here already.
  [[nodiscard]] std::optional<Attempt>& file() { return file_; }
  [[nodiscard]] const std::optional<Attempt>& file() const { return file_; }

 private:
  LogId last_;
  std::uint64_t total_;
  std::uint64_t checksum_;
  std::uint64_t received_ = 0;
  Verifier verifier_;
  Configuration configuration_;
  std::optional<Attempt> file_;
};

}  // namespace raftlab::raft::snapshot
