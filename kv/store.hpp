#pragma once

#include "kv/command.hpp"
#include "raft/types.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace raftlab::kv {

/// What a command did. Equal on every node.
enum class Effect : std::uint8_t {
  done,             ///< the change took effect
  compare_failed,   ///< a compare-and-swap found something else; `found` tells what
  duplicate,        ///< a retry: the answer is that of the first application
  session_expired,  ///< there is no such session (any more), or it has gone on to a later number: not applied
  sequence_reused,  ///< the session had another change under this number: not applied
  malformed,        ///< the entry's payload is no command; nothing changed
};
[[nodiscard]] const char* name(Effect effect);

struct Result {
  Effect effect = Effect::done;  ///< of this application; for `duplicate` see `first`
  Effect first = Effect::done;   ///< for `duplicate` only: what the first application did
  std::optional<std::string>
      found;          ///< compare_failed, also as `first`: what the key held; none: it did not exist
  raft::Index index;  ///< where the command was applied; for `duplicate` the first time
  ClientId client;    ///< the session that was opened
  friend bool operator==(const Result&, const Result&) = default;
};

/// Equal on every node of a cluster and for its whole life: evictions are part of the replicated state.
struct StoreOptions {
  /// Sessions at a time, at least 1; beyond: the one that was used least recently, by log index, is evicted.
  std::uint32_t sessions_max = 10'000;
  /// Bytes that failed compares found and that are kept for retries, all sessions together; beyond: as above.
  /// What a single command found is kept in any case.
  std::uint64_t found_bytes_max = 64U << 20U;
};

/// The keys, values and sessions of one node: a deterministic state machine with a digest that is kept up to
/// date incrementally (the order in which keys were inserted does not matter to it, the order of commands
/// only through what they did). A regular value: copies are independent, and start with no snapshot being
/// taken. One thread.
///
/// A command of a session takes effect once (thesis §6.3): the session keeps its highest number and the
/// answer to it. The same number again is a `duplicate` and gets that answer, unless it comes with another
/// change, which is `sequence_reused`; a lower one, and any number of
/// a session that is not there, is `session_expired`. A session's id is the index of the entry that opened
/// it, so an id that is unknown is never a new client: a retry behind an eviction finds no session, and is
/// not applied.
class Store {
 public:
  explicit Store(const StoreOptions& options = {});
  Store(const Store&);
  Store& operator=(const Store&);
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  /// Applies the command that stands at `index` of the log, as `decode` read it: what is stored is copied.
  /// Indices rise; entries without a command are told by `skip`.
  Result apply(raft::Index index, const CommandView& command);
  /// The same for a command that was not decoded. One for which `check` is not `none` changes nothing
  /// (`malformed`).
  Result apply(raft::Index index, const Command& command);
  /// An entry whose payload `decode` refused.
  Result apply_malformed(raft::Index index);
  /// An entry that carries no command (a no-op, a configuration).
  void skip(raft::Index index);

  // ---- Snapshots: at most one at a time is being taken

  /// Begins a snapshot of the present state. Costs the same whatever is stored; while the snapshot is being
  /// written, the first change of each item costs a copy of it.
  void begin_snapshot();
  /// Appends the next part, of `bytes` or up to one item more. True when the snapshot is complete, and then
  /// over. The bytes of all parts together depend on the history of the store up to the beginning, and on
  /// nothing else.
  [[nodiscard]] bool write_snapshot(std::size_t bytes, std::vector<std::byte>& out);
  /// Gives up the snapshot that is being taken, if there is one.
  void abandon_snapshot();
  /// Takes over the state of a snapshot of a store with the same options that had applied `applied`, and
  /// abandons the snapshot that is being taken. False, and nothing has changed (a snapshot that is being
  /// taken goes on), when the bytes are none: damaged in any way, beyond the limits of the options, or no
  /// state that a store can be in.
  [[nodiscard]] bool restore(raft::Index applied, raft::Bytes snapshot);

  // ---- What the store holds

  /// What a command with this `hash` of its change did, and where, when its number was the last one of its
  /// session; `sequence_reused` when that was another command. None: the store does not know.
  [[nodiscard]] std::optional<Result> answer(ClientId client, Sequence sequence, std::uint64_t change) const;
  /// Valid until the next change of the store.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view key) const;
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t sessions() const;
  [[nodiscard]] raft::Index applied() const;
  /// Covers keys, values, sessions with their last answers, and the applied index. Costs nothing.
  [[nodiscard]] std::uint64_t digest() const;
  /// The same, computed from scratch: for tests and for the full scan of the ladder.
  [[nodiscard]] std::uint64_t recompute_digest() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace raftlab::kv
