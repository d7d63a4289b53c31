#include "kv/store.hpp"

#include "kv/session.hpp"
#include "kv/snapshot.hpp"
#include "kv/use_order.hpp"
#include "kv/walk.hpp"
#include "raft/assert.hpp"
#include "raft/hash.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace raftlab::kv {

namespace {

/// Starts of the hashes: the same bytes as a key, in a session and elsewhere are different things.
constexpr std::uint64_t key_start = 0x6b65790000000001ULL;
constexpr std::uint64_t session_start = 0x7365737300000002ULL;
constexpr std::uint64_t found_start = 0x666f756e64000003ULL;
constexpr std::uint64_t digest_start = 0x73746f7265000004ULL;

[[nodiscard]] raft::Bytes as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
[[nodiscard]] std::uint64_t hash_of_key(std::string_view key) {
  return raft::hash_bytes(key_start, as_bytes(key));
}

/// A key whose hash is known: the table and the digest use the same one.
struct HashedKey {
  explicit HashedKey(std::string_view bytes) : key(bytes), hash(hash_of_key(bytes)) {}
  std::string_view key;
  std::uint64_t hash;
};
/// A key that is known by its slot.
struct HashedSlot {
  std::uint64_t hash;
  Slot slot;
};

struct Key {
  std::string bytes;
  mutable Slot slot;  ///< no part of what the table compares
};
struct Value {
  std::string bytes;
  std::uint64_t digest = 0;  ///< of key and value
};
struct KeyHash {
  using is_transparent = void;
  using is_avalanching = void;
  std::size_t operator()(const Key& key) const { return hash_of_key(key.bytes); }
  std::size_t operator()(const HashedKey& key) const { return key.hash; }
  std::size_t operator()(const HashedSlot& key) const { return key.hash; }
};
struct KeyEqual {
  using is_transparent = void;
  bool operator()(const Key& a, const Key& b) const { return a.bytes == b.bytes; }
  bool operator()(const HashedKey& a, const Key& b) const { return a.key == b.bytes; }
  bool operator()(const Key& a, const HashedKey& b) const { return a.bytes == b.key; }
  bool operator()(const HashedSlot& a, const Key& b) const { return a.slot == b.slot; }
  bool operator()(const Key& a, const HashedSlot& b) const { return a.slot == b.slot; }
};
using Values = boost::unordered_flat_map<Key, Value, KeyHash, KeyEqual>;

/// Of a key, as it was when a snapshot began.
struct KeptKey {
  std::string key;
  std::string value;
};

struct ClientHash {
  using is_avalanching = void;
  std::size_t operator()(std::uint64_t client) const { return raft::combine(session_start, client); }
};

[[nodiscard]] Result result_of(Effect effect, raft::Index index) {
  Result result;
  result.effect = effect;
  result.index = index;
  return result;
}

[[nodiscard]] std::uint64_t digest_of_found(const std::optional<std::string>& found) {
  return found ? raft::hash_bytes(found_start, as_bytes(*found)) : 0;
}
[[nodiscard]] std::uint64_t digest_of(const Session& session, std::uint64_t found_digest) {
  const std::uint64_t small = static_cast<std::uint64_t>(session.effect) << 1U | (session.found ? 1U : 0U);
  return raft::Hasher(session_start)
      .add(session.client, session.sequence)
      .add(session.index, session.used)
      .add(small, found_digest)
      .add(session.change)
      .value();
}

[[nodiscard]] std::uint64_t digest_of(std::uint64_t key_hash, std::string_view value) {
  return raft::hash_bytes(key_hash, as_bytes(value));
}

/// What the session answered to its last command.
[[nodiscard]] Result last_answer(const Session& session) {
  Result result = result_of(session.effect, session.index);
  result.found = session.found;
  return result;
}

/// To a number that the session has had.
[[nodiscard]] Result answer_again(const Session& session, Sequence sequence, std::uint64_t change,
                                  raft::Index index) {
  if (sequence != session.sequence) return result_of(Effect::session_expired, index);
  if (change != session.change) return result_of(Effect::sequence_reused, index);
  Result result = last_answer(session);
  result.first = std::exchange(result.effect, Effect::duplicate);
  return result;
}

/// Whether commands up to `applied` can have led to such a session.
[[nodiscard]] bool can_be(const Session& session, raft::Index applied) {
  const raft::Index opened(session.client.value());
  if (opened > session.used || session.used > applied) return false;
  if (session.found && session.effect != Effect::compare_failed) return false;
  if (!session.sequence) {
    return !session.index && session.used == opened && session.effect == Effect::done && session.change == 0;
  }
  return opened < session.index && session.index <= session.used;
}

}  // namespace

const char* name(Effect effect) {
  switch (effect) {
    case Effect::done: return "done";
    case Effect::compare_failed: return "compare failed";
    case Effect::duplicate: return "duplicate";
    case Effect::session_expired: return "session expired";
    case Effect::sequence_reused: return "sequence reused";
    case Effect::malformed: return "malformed";
  }
  return "?";
}

/// The digests of keys and of sessions are sums (modulo 2^64) of one hash each, so that a change costs what
/// it touches and the order of insertion does not matter.
class Store::Implementation {
 public:
  explicit Implementation(const StoreOptions& options) : options_(options) {
    RAFTLAB_ASSERT(options.sessions_max > 0 && options.sessions_max < no_slot, options.sessions_max);
  }

  Result apply(raft::Index index, const CommandView& command) {
    advance(index);
    if (std::holds_alternative<OpenSession>(command.change)) return open_session(index);
    if (!command.client) return change(index, command.change);

    const auto known = by_client_.find(command.client.value());
    if (known == by_client_.end()) return result_of(Effect::session_expired, index);
    const Slot slot = known->second;
    Session& session = change_session(slot);
    session.used = index;
    use_order_.use(slot);
    const std::uint64_t asked = hash(command.change);
    const bool fresh = command.sequence > session.sequence;
    Result result =
        fresh ? change(index, command.change) : answer_again(session, command.sequence, asked, index);
    if (fresh) {
      session.sequence = command.sequence;
      session.change = asked;
      session.effect = result.effect;
      session.index = index;
      keep_found(session, result.found);
    }
    refresh_digest(session);
    // The session of this command is the newest one, and stays in any case.
    while (found_bytes_ > options_.found_bytes_max && use_order_.oldest() != use_order_.newest())
      evict_oldest();
    return result;
  }

  void advance(raft::Index index) {
    RAFTLAB_ASSERT(index > applied_, index, applied_);
    applied_ = index;
  }

  [[nodiscard]] std::optional<Result> answer(ClientId client, Sequence sequence, std::uint64_t change) const {
    const auto known = by_client_.find(client.value());
    if (known == by_client_.end() || !sequence) return std::nullopt;
    const Session& session = sessions_[known->second];
    if (session.sequence != sequence) return std::nullopt;
    if (session.change != change) return result_of(Effect::sequence_reused, session.index);
    return last_answer(session);
  }
  [[nodiscard]] std::optional<std::string_view> get(std::string_view key) const {
    const auto found = values_.find(HashedKey(key));
    if (found == values_.end()) return std::nullopt;
    return found->second.bytes;
  }
  [[nodiscard]] const StoreOptions& options() const { return options_; }
  [[nodiscard]] std::size_t size() const { return values_.size(); }
  [[nodiscard]] std::size_t sessions() const { return sessions_.size(); }
  [[nodiscard]] raft::Index applied() const { return applied_; }

  [[nodiscard]] std::uint64_t digest() const { return digest_from(keys_digest_, sessions_digest_); }
  [[nodiscard]] std::uint64_t recompute_digest() const {
    std::uint64_t keys = 0;
    for (const auto& [key, value] : values_) keys += digest_of(hash_of_key(key.bytes), value.bytes);
    std::uint64_t sessions = 0;
    for (const Session& session : sessions_) sessions += digest_of(session, digest_of_found(session.found));
    return digest_from(keys, sessions);
  }

  // ---- Snapshots -----------------------------------------------------------------------------------------

  void begin_snapshot() {
    RAFTLAB_ASSERT(taking_ == Taking::nothing, applied_);
    head_ = SnapshotHead{applied_, digest(), sessions_.size(), values_.size()};
    session_walk_.begin(static_cast<Slot>(sessions_.size()));
    key_walk_.begin(static_cast<Slot>(hashes_.size()));
    taking_ = Taking::head;
  }

  [[nodiscard]] bool write_snapshot(std::size_t bytes, std::vector<std::byte>& out) {
    RAFTLAB_ASSERT(taking_ != Taking::nothing, applied_);
    const std::size_t start = out.size();
    do {
      write_next(out);
    } while (taking_ != Taking::nothing && out.size() - start < bytes);
    return taking_ == Taking::nothing;
  }

  void abandon_snapshot() {
    session_walk_.end();
    key_walk_.end();
    taking_ = Taking::nothing;
  }

  /// Fills an empty store. False when the snapshot is none; then the store is of no use.
  [[nodiscard]] bool read_snapshot(raft::Index applied, raft::Bytes bytes) {
    SnapshotReader in(bytes);
    SnapshotHead head;
    if (!in.read(head) || head.applied != applied) return false;
    if (head.sessions > options_.sessions_max || head.keys >= no_slot) return false;
    applied_ = applied;
    return read_sessions(in, head.sessions) && read_keys(in, head.keys) && in.at_end() &&
           digest() == head.digest;
  }

 private:
  [[nodiscard]] std::uint64_t digest_from(std::uint64_t keys, std::uint64_t sessions) const {
    return raft::Hasher(digest_start).add(keys, sessions).add(applied_).value();
  }

  // ---- Keys and values -----------------------------------------------------------------------------------

  [[nodiscard]] Result change(raft::Index index, const ChangeView& change) {
    using Text = std::string_view;
    Result result = result_of(Effect::done, index);
    if (const auto* to_put = std::get_if<BasicPut<Text>>(&change)) {
      put(to_put->key, to_put->value);
    } else if (const auto* to_delete = std::get_if<BasicDelete<Text>>(&change)) {
      erase(to_delete->key);
    } else if (const auto* to_compare = std::get_if<BasicCompareAndSwap<Text>>(&change)) {
      if (const auto found = get(to_compare->key); found != to_compare->expected) {
        result.effect = Effect::compare_failed;
        if (found) result.found.emplace(*found);
      } else {
        put(to_compare->key, to_compare->value);
      }
    } else if (const auto* batch = std::get_if<BasicPutBatch<Text>>(&change)) {
      for (const BasicPut<Text>& entry : batch->entries) put(entry.key, entry.value);
    }
    return result;
  }

  void put(std::string_view key, std::string_view value) {
    const HashedKey hashed(key);
    const auto place = values_.find(hashed);
    if (place == values_.end()) return add(hashed, value);
    before_change(place);
    keys_digest_ -= place->second.digest;
    set_value(place->second, hashed.hash, value);
  }
  void add(const HashedKey& key, std::string_view value) {
    RAFTLAB_ASSERT(hashes_.size() < no_slot, hashes_.size());
    const auto slot = static_cast<Slot>(hashes_.size());
    hashes_.push_back(key.hash);
    set_value(values_.emplace(Key{std::string(key.key), slot}, Value{}).first->second, key.hash, value);
  }
  void set_value(Value& to, std::uint64_t key_hash, std::string_view value) {
    to.bytes = value;
    to.digest = digest_of(key_hash, value);
    keys_digest_ += to.digest;
  }

  void erase(std::string_view key) {
    const auto place = values_.find(HashedKey(key));
    if (place == values_.end()) return;
    before_change(place);
    const Slot slot = place->first.slot;
    const auto last = static_cast<Slot>(hashes_.size() - 1);
    if (slot != last) {
      const auto moved = values_.find(HashedSlot{hashes_[last], last});
      before_change(moved);
      moved->first.slot = slot;
      hashes_[slot] = hashes_[last];
    }
    hashes_.pop_back();
    keys_digest_ -= place->second.digest;
    values_.erase(place);
  }

  void before_change(Values::const_iterator place) {
    key_walk_.before_change(place->first.slot, [&] {
      return KeptKey{place->first.bytes, place->second.bytes};
    });
  }

  // ---- Sessions ------------------------------------------------------------------------------------------

  Result open_session(raft::Index index) {
    if (sessions_.size() >= options_.sessions_max) evict_oldest();
    by_client_.emplace(index.value(), static_cast<Slot>(sessions_.size()));
    use_order_.add();
    Session& session = sessions_.emplace_back();
    session.client = ClientId(index.value());
    session.used = index;
    refresh_digest(session);
    Result result = result_of(Effect::done, index);
    result.client = session.client;
    return result;
  }

  void evict_oldest() {
    const Slot slot = use_order_.oldest();
    Session& session = change_session(slot);
    if (session.found) found_bytes_ -= session.found->size();
    sessions_digest_ -= session.digest;
    by_client_.erase(session.client.value());
    use_order_.remove(slot);
    if (const auto last = static_cast<Slot>(sessions_.size() - 1); slot != last) {
      session = std::move(change_session(last));
      by_client_.find(session.client.value())->second = slot;
    }
    sessions_.pop_back();
  }

  [[nodiscard]] Session& change_session(Slot slot) {
    Session& session = sessions_[slot];
    session_walk_.before_change(slot, [&] { return session; });
    return session;
  }

  void keep_found(Session& session, const std::optional<std::string>& found) {
    if (!session.found && !found) return;
    if (session.found) found_bytes_ -= session.found->size();
    if (found) found_bytes_ += found->size();
    session.found = found;
    session.found_digest = digest_of_found(found);
  }

  void refresh_digest(Session& session) {
    sessions_digest_ -= session.digest;
    session.digest = digest_of(session, session.found_digest);
    sessions_digest_ += session.digest;
  }

  // ---- Parts of snapshots --------------------------------------------------------------------------------

  /// The sessions go first: nearly every command changes one, and what was written is not copied any more.
  void write_next(std::vector<std::byte>& out) {
    if (taking_ == Taking::head) {
      encode(head_, out);
      taking_ = Taking::items;
    } else if (session_walk_.under_way()) {
      session_walk_.advance([&](Slot slot) { encode(sessions_[slot], out); },
                            [&](const Session& kept) { encode(kept, out); });
    } else {
      key_walk_.advance(
          [&](Slot slot) {
            const auto& [key, value] = *values_.find(HashedSlot{hashes_[slot], slot});
            encode(KeyView{key.bytes, value.bytes}, out);
          },
          [&](const KeptKey& kept) {
            encode(KeyView{kept.key, kept.value}, out);
          });
    }
    if (!session_walk_.under_way() && !key_walk_.under_way()) taking_ = Taking::nothing;
  }

  [[nodiscard]] bool read_sessions(SnapshotReader& in, std::uint64_t count) {
    std::vector<Session> read;  // grows with what is there, whatever the head claims
    for (; count > 0; --count) {
      Session& session = read.emplace_back();
      if (!in.read(session) || !can_be(session, applied_)) return false;
    }
    std::ranges::sort(read, {}, &Session::used);
    std::uint64_t with_found = 0;
    for (Session& session : read) {
      const auto slot = static_cast<Slot>(sessions_.size());
      if (!by_client_.emplace(session.client.value(), slot).second) return false;
      if (slot > 0 && sessions_.back().used == session.used) return false;
      if (session.found) {
        ++with_found;
        found_bytes_ += session.found->size();
      }
      session.found_digest = digest_of_found(session.found);
      refresh_digest(session);
      use_order_.add();
      sessions_.push_back(std::move(session));
    }
    return found_bytes_ <= options_.found_bytes_max || with_found == 1;
  }

  [[nodiscard]] bool read_keys(SnapshotReader& in, std::uint64_t count) {
    for (; count > 0; --count) {
      KeyView read;
      if (!in.read(read)) return false;
      const HashedKey key(read.key);
      if (values_.contains(key)) return false;
      add(key, read.value);
    }
    return true;
  }

  StoreOptions options_;
  raft::Index applied_;

  Values values_;                      // iterated only where the order is lost
  std::vector<std::uint64_t> hashes_;  // of the keys, by slot: the order that a snapshot may show
  std::uint64_t keys_digest_ = 0;

  std::vector<Session> sessions_;                                         // by slot
  boost::unordered_flat_map<std::uint64_t, Slot, ClientHash> by_client_;  // never iterated
  UseOrder use_order_;
  std::uint64_t found_bytes_ = 0;
  std::uint64_t sessions_digest_ = 0;

  enum class Taking : std::uint8_t { nothing, head, items };
  Taking taking_ = Taking::nothing;  // what the snapshot that is being taken needs next
  SnapshotHead head_;
  Walk<Session> session_walk_;
  Walk<KeptKey> key_walk_;
};

Store::Store(const StoreOptions& options) : implementation_(std::make_unique<Implementation>(options)) {}
Store::Store(const Store& other) : implementation_(std::make_unique<Implementation>(*other.implementation_)) {
  implementation_->abandon_snapshot();
}
Store& Store::operator=(const Store& other) {
  if (this != &other) *this = Store(other);
  return *this;
}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Result Store::apply(raft::Index index, const CommandView& command) {
  return implementation_->apply(index, command);
}

Result Store::apply(raft::Index index, const Command& command) {
  if (check(command) != CommandError::none) return apply_malformed(index);
  return apply(index, view(command));
}

Result Store::apply_malformed(raft::Index index) {
  implementation_->advance(index);
  return result_of(Effect::malformed, index);
}

void Store::skip(raft::Index index) { implementation_->advance(index); }

void Store::begin_snapshot() { implementation_->begin_snapshot(); }
bool Store::write_snapshot(std::size_t bytes, std::vector<std::byte>& out) {
  return implementation_->write_snapshot(bytes, out);
}
void Store::abandon_snapshot() { implementation_->abandon_snapshot(); }
bool Store::restore(raft::Index applied, raft::Bytes snapshot) {
  auto restored = std::make_unique<Implementation>(implementation_->options());
  if (!restored->read_snapshot(applied, snapshot)) return false;
  implementation_ = std::move(restored);
  return true;
}

std::optional<Result> Store::answer(ClientId client, Sequence sequence, std::uint64_t change) const {
  return implementation_->answer(client, sequence, change);
}
std::optional<std::string_view> Store::get(std::string_view key) const { return implementation_->get(key); }
std::size_t Store::size() const { return implementation_->size(); }
std::size_t Store::sessions() const { return implementation_->sessions(); }
raft::Index Store::applied() const { return implementation_->applied(); }
std::uint64_t Store::digest() const { return implementation_->digest(); }
std::uint64_t Store::recompute_digest() const { return implementation_->recompute_digest(); }

}  // namespace raftlab::kv
