#pragma once

#include "kv/protobuf.hpp"
#include "kv/session.hpp"
#include "raft/types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

/// The bytes of a snapshot of a store: kv/snapshot.proto, docs/kv.md. A head, then the sessions and the keys
/// that it announces.
namespace raftlab::kv {

struct SnapshotHead {
  raft::Index applied;
  std::uint64_t digest = 0;
  std::uint64_t sessions = 0;  ///< how many follow
  std::uint64_t keys = 0;      ///< how many follow
  friend bool operator==(const SnapshotHead&, const SnapshotHead&) = default;
};

struct KeyView {
  std::string_view key;
  std::string_view value;
  friend bool operator==(const KeyView&, const KeyView&) = default;
};

/// 2: sessions keep a hash of their last change.
inline constexpr std::uint64_t snapshot_version = 2;
/// The version that these bytes say they are of, whatever follows; none: they are no snapshot of any version.
[[nodiscard]] std::optional<std::uint64_t> version_of(raft::Bytes snapshot);

void encode(const SnapshotHead& head, std::vector<std::byte>& out);
/// Everything but the digests.
void encode(const Session& session, std::vector<std::byte>& out);
void encode(const KeyView& key, std::vector<std::byte>& out);

/// Reads them back in the same order, each as often as the head says. False when the bytes are not what
/// `encode` writes: then what was read is of no use. Checks the shape only; what the items mean to each
/// other is the store's to judge.
class SnapshotReader {
 public:
  explicit SnapshotReader(raft::Bytes bytes) : in_(bytes) {}

  /// Its numbers are claims: no ground to allocate anything.
  [[nodiscard]] bool read(SnapshotHead& head);
  [[nodiscard]] bool read(Session& session);
  /// A view of the bytes.
  [[nodiscard]] bool read(KeyView& key);
  [[nodiscard]] bool at_end() const { return in_.at_end() && !in_.failed(); }

 private:
  FieldReader in_;
};

}  // namespace raftlab::kv
