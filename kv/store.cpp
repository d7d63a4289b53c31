#include "kv/store.hpp"

#include "raft/assert.hpp"
#include "raft/hash.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <utility>

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

struct KeyHash {
  using is_transparent = void;
  using is_avalanching = void;
  std::size_t operator()(const std::string& key) const { return hash_of_key(key); }
  std::size_t operator()(const HashedKey& key) const { return key.hash; }
};
struct KeyEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
  bool operator()(const HashedKey& a, std::string_view b) const { return a.key == b; }
  bool operator()(std::string_view a, const HashedKey& b) const { return a == b.key; }
};
struct ClientHash {
  using is_avalanching = void;
  std::size_t operator()(std::uint64_t client) const { return raft::combine(session_start, client); }
};

struct Value {
  std::string bytes;
  std::uint64_t digest = 0;  ///< of key and value
};

using Slot = std::uint32_t;
constexpr Slot no_slot = UINT32_MAX;

/// A session, in a list by last use.
struct Session {
  ClientId client;
  Sequence sequence;  ///< of the last command; 0: none yet
  Effect effect = Effect::done;
  raft::Index index;  ///< of the last command, applied the first time
  raft::Index used;   ///< of the last entry that named this session
  std::optional<std::string> found;
  std::uint64_t found_digest = 0;
  std::uint64_t digest = 0;
  Slot older = no_slot;
  Slot newer = no_slot;
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
      .value();
}

}  // namespace

const char* name(Effect effect) {
  switch (effect) {
    case Effect::done: return "done";
    case Effect::compare_failed: return "compare failed";
    case Effect::duplicate: return "duplicate";
    case Effect::session_expired: return "session expired";
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
    Session& session = sessions_[slot];
    session.used = index;
    move_to_newest(slot);
    Result result;
    if (command.sequence > session.sequence) {
      result = change(index, command.change);
      session.sequence = command.sequence;
      session.effect = result.effect;
      session.index = index;
      keep_found(session, result.found);
    } else if (command.sequence == session.sequence) {
      result = result_of(Effect::duplicate, session.index);
      result.first = session.effect;
      result.found = session.found;
    } else {
      result = result_of(Effect::session_expired, index);
    }
    refresh_digest(session);
    while (found_bytes_ > options_.found_bytes_max && oldest_ != slot) evict_oldest();
    return result;
  }

  void advance(raft::Index index) {
    RAFTLAB_ASSERT(index > applied_, index, applied_);
    applied_ = index;
  }

  [[nodiscard]] std::optional<std::string_view> get(std::string_view key) const {
    const auto found = values_.find(HashedKey(key));
    if (found == values_.end()) return std::nullopt;
    return found->second.bytes;
  }
  [[nodiscard]] std::size_t size() const { return values_.size(); }
  [[nodiscard]] std::size_t sessions() const { return by_client_.size(); }
  [[nodiscard]] raft::Index applied() const { return applied_; }

  [[nodiscard]] std::uint64_t digest() const { return digest_from(keys_digest_, sessions_digest_); }
  [[nodiscard]] std::uint64_t recompute_digest() const {
    std::uint64_t keys = 0;
    for (const auto& [key, value] : values_)
      keys += raft::hash_bytes(hash_of_key(key), as_bytes(value.bytes));
    std::uint64_t sessions = 0;
    for (Slot slot = oldest_; slot != no_slot; slot = sessions_[slot].newer) {
      sessions += digest_of(sessions_[slot], digest_of_found(sessions_[slot].found));
    }
    return digest_from(keys, sessions);
  }

 private:
  [[nodiscard]] std::uint64_t digest_from(std::uint64_t keys, std::uint64_t sessions) const {
    return raft::Hasher(digest_start).add(keys, sessions).add(applied_).value();
  }

  // ---- Keys and values
  // ---------------------------------------------------------------------------------------

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
    auto place = values_.find(hashed);
    if (place == values_.end()) {
      place = values_.emplace(std::string(key), Value{}).first;
    } else {
      keys_digest_ -= place->second.digest;
    }
    place->second.bytes = value;
    place->second.digest = raft::hash_bytes(hashed.hash, as_bytes(value));
    keys_digest_ += place->second.digest;
  }

  void erase(std::string_view key) {
    const auto place = values_.find(HashedKey(key));
    if (place == values_.end()) return;
    keys_digest_ -= place->second.digest;
    values_.erase(place);
  }

  // ---- Sessions
  // ----------------------------------------------------------------------------------------------

  Result open_session(raft::Index index) {
    if (by_client_.size() >= options_.sessions_max) evict_oldest();
    Slot slot = no_slot;
    if (free_.empty()) {
      slot = static_cast<Slot>(sessions_.size());
      sessions_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    Session& session = sessions_[slot];
    session = Session();
    session.client = ClientId(index.value());
    session.used = index;
    by_client_.emplace(session.client.value(), slot);
    link_newest(slot);
    refresh_digest(session);
    Result result = result_of(Effect::done, index);
    result.client = session.client;
    return result;
  }

  void evict_oldest() {
    const Slot slot = oldest_;
    Session& session = sessions_[slot];
    unlink(slot);
    by_client_.erase(session.client.value());
    keep_found(session, std::nullopt);
    sessions_digest_ -= session.digest;
    free_.push_back(slot);
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

  void link_newest(Slot slot) {
    sessions_[slot].older = newest_;
    sessions_[slot].newer = no_slot;
    (newest_ == no_slot ? oldest_ : sessions_[newest_].newer) = slot;
    newest_ = slot;
  }
  void unlink(Slot slot) {
    const Session& session = sessions_[slot];
    (session.older == no_slot ? oldest_ : sessions_[session.older].newer) = session.newer;
    (session.newer == no_slot ? newest_ : sessions_[session.newer].older) = session.older;
  }
  void move_to_newest(Slot slot) {
    if (newest_ == slot) return;
    unlink(slot);
    link_newest(slot);
  }

  StoreOptions options_;
  raft::Index applied_;
  boost::unordered_flat_map<std::string, Value, KeyHash, KeyEqual>
      values_;  // iterated only where the order is lost
  std::uint64_t keys_digest_ = 0;

  boost::unordered_flat_map<std::uint64_t, Slot, ClientHash> by_client_;  // never iterated
  std::vector<Session> sessions_;
  std::vector<Slot> free_;
  Slot oldest_ = no_slot;
  Slot newest_ = no_slot;
  std::uint64_t found_bytes_ = 0;
  std::uint64_t sessions_digest_ = 0;
};

Store::Store(const StoreOptions& options) : implementation_(std::make_unique<Implementation>(options)) {}
Store::Store(const Store& other)
    : implementation_(std::make_unique<Implementation>(*other.implementation_)) {}
Store& Store::operator=(const Store& other) {
  if (this != &other) implementation_ = std::make_unique<Implementation>(*other.implementation_);
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

std::optional<std::string_view> Store::get(std::string_view key) const { return implementation_->get(key); }
std::size_t Store::size() const { return implementation_->size(); }
std::size_t Store::sessions() const { return implementation_->sessions(); }
raft::Index Store::applied() const { return implementation_->applied(); }
std::uint64_t Store::digest() const { return implementation_->digest(); }
std::uint64_t Store::recompute_digest() const { return implementation_->recompute_digest(); }

}  // namespace raftlab::kv
