#pragma once

#include "invariants/history.hpp"
#include "raft/hash.hpp"
#include "raft/types.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace raftlab::invariants {

/// By the description of the store, sessions are opened by entries of the log and evicted in its order.
struct ModelOptions {
  /// Sessions at once; at one more, the one whose last entry is the oldest in the log is evicted. 0: sessions
  /// are not modelled, every client has one from its first entry on, for ever.
  std::uint32_t sessions_max = 0;
  /// Bytes that failed compares found, over all sessions; beyond, eviction as above, never of the session in
  /// use.
  std::uint64_t found_bytes_max = 64U << 20U;
};

/// What an entry of the log does, by the model's own rule for duplicates: an entry of a client takes effect
/// if its sequence is greater than that of all the client's entries before it. Operations are told apart by
/// 64 bits.
enum class ModelEffect : std::uint8_t {
  took_effect,  ///< a failed compare too: it is an answer
  duplicate,    ///< the client's latest operation once more
  reused,       ///< another operation under the number of the client's latest one: refused
  expired,      ///< older than the client's latest operation, or of a session that is not there
};

struct ModelAnswer {
  ModelEffect effect = ModelEffect::took_effect;
  Outcome outcome;  ///< of `took_effect`
};

/// What a key held right after an index.
struct ModelValue {
  bool kept = true;              ///< false: the index is below what is remembered
  const Value* value = nullptr;  ///< valid until the next call that changes the model; none if not kept
  raft::Index since;             ///< the entry that wrote it; 0: none is remembered
};

/// A small key/value store of the checker's own, written from the description of the commands and not from
/// the code under test. It answers for the past too: what a key held after each index from
/// `remembered_from()` on. Memory: live keys, sessions, and the values overwritten since `remembered_from()`.
class KvModel {
 public:
  explicit KvModel(const ModelOptions& options = {}) : options_(options) {}

  /// Carries out the entry at `index`; indices rise.
  ModelAnswer apply(raft::Index index, OpId id, const Operation& op);
  /// The entry at `index` opens a session; its client is the number of the index.
  void open_session(raft::Index index);
  /// Clients whose sessions the latest entry evicted.
  [[nodiscard]] const std::vector<std::uint64_t>& evicted() const { return evicted_; }
  /// An operation of the client that is not in the log yet may still take effect there.
  [[nodiscard]] bool may_take_effect(OpId id) const;

  /// What the key held after `index`, which is at most the last one applied or skipped.
  [[nodiscard]] ModelValue at(std::string_view key, raft::Index index) const;
  /// The latest entry that is remembered to have left this value in the key; none: nothing remembered did.
  [[nodiscard]] std::optional<raft::Index> last_written(std::string_view key, const Value& value) const;

  /// Nobody will ask for an index below this one any more.
  void forget_before(raft::Index index);
  [[nodiscard]] raft::Index remembered_from() const { return floor_; }

  [[nodiscard]] std::size_t keys() const { return ids_.size(); }
  [[nodiscard]] std::size_t old_versions() const { return static_cast<std::size_t>(ring_end_ - ring_begin_); }
  [[nodiscard]] std::size_t sessions() const { return sessions_.size(); }

 private:
  using KeyId = std::uint32_t;
  static constexpr std::uint64_t no_version = ~std::uint64_t{0};

  struct HashText {
    using is_transparent = void;
    using is_avalanching = void;
    std::size_t operator()(std::string_view text) const {
      return static_cast<std::size_t>(raft::hash_bytes(0, std::as_bytes(std::span(text))));
    }
  };
  struct EqualText {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const { return a == b; }
  };
  struct HashNumber {
    using is_avalanching = void;
    std::size_t operator()(std::uint64_t number) const {
      return static_cast<std::size_t>(raft::mix(number ^ 0x9e3779b97f4a7c15ULL, 0xd6e8feb86659fd93ULL));
    }
  };

  struct Key {
    std::string name;
    Value value;
    raft::Index since;
    std::uint64_t older =
        no_version;  ///< the version before, a position in the ring; gone if below ring_begin_
  };
  /// An overwritten value, in the order of overwriting.
  struct OldVersion {
    KeyId key = 0;
    Value value;
    raft::Index since;
    raft::Index until;  ///< the entry that overwrote it
    std::uint64_t older = no_version;
  };
  struct Session {
    std::uint64_t sequence = 0;  ///< 0: none of its operations is in the log
    std::uint64_t change = 0;    ///< a hash of the operation with that number
    raft::Index last_used;
    std::uint64_t found_bytes = 0;  ///< of its latest answer
  };

  [[nodiscard]] ModelEffect admit(raft::Index index, OpId id, const Operation& op);
  void keep_found(OpId id, const Outcome& outcome);
  void evict_oldest();
  [[nodiscard]] const Value& current(std::string_view key) const;
  void write(raft::Index index, std::string_view key, std::optional<std::string_view> value);
  OldVersion& version(std::uint64_t position) { return ring_[position & (ring_.size() - 1)]; }
  [[nodiscard]] const OldVersion& version(std::uint64_t position) const {
    return ring_[position & (ring_.size() - 1)];
  }
  void grow_ring();

  ModelOptions options_;
  boost::unordered_flat_map<std::string, KeyId, HashText, EqualText> ids_;
  std::vector<Key> records_;
  std::vector<KeyId> free_;
  std::vector<OldVersion> ring_;  ///< size is 0 or a power of two; position modulo size
  std::uint64_t ring_begin_ = 0;
  std::uint64_t ring_end_ = 0;
  raft::Index floor_;
  boost::unordered_flat_map<std::uint64_t, Session, HashNumber> sessions_;
  std::map<raft::Index, std::uint64_t> by_last_use_;  ///< only with sessions_max
  std::uint64_t found_bytes_ = 0;                     ///< only with sessions_max
  std::vector<std::uint64_t> evicted_;
};

}  // namespace raftlab::invariants
