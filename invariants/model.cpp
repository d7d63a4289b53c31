#include "invariants/model.hpp"

#include "raft/assert.hpp"

#include <algorithm>
#include <utility>

namespace raftlab::invariants {
namespace {

const Value nothing;

/// Keeps the memory of what was there.
void assign(Value& to, std::optional<std::string_view> value) {
  if (!value) {
    to.reset();
  } else if (to) {
    to->assign(*value);
  } else {
    to.emplace(*value);
  }
}

/// Tells operations apart, by a rule of the model's own.
class OperationHash {
 public:
  explicit OperationHash(const Operation& op) {
    hasher_.add(std::uint64_t{op.index()});
    std::visit([this](const auto& what) { add(what); }, op);
  }
  [[nodiscard]] std::uint64_t value() const { return hasher_.value(); }

 private:
  void add(std::string_view text) { hasher_.add(std::as_bytes(std::span(text))); }
  void add(const Put& put) {
    add(put.key);
    add(put.value);
  }
  void add(const Delete& erase) { add(erase.key); }
  void add(const CompareAndSwap& swap) {
    add(swap.key);
    hasher_.add(std::uint64_t{swap.expected ? 1U : 0U});
    add(swap.expected ? std::string_view(*swap.expected) : std::string_view());
    add(swap.value);
  }
  void add(const Append& append) {
    add(append.key);
    add(append.value);
  }
  void add(const PutBatch& batch) {
    for (const Put& put : batch.entries) add(put);
  }
  void add(const Get& /*get*/) {}  // reads are no entries of the log
  void add(const MultiGet& /*get*/) {}

  raft::Hasher hasher_;
};

}  // namespace

ModelAnswer KvModel::apply(raft::Index index, OpId id, const Operation& op) {
  ModelAnswer answer;
  evicted_.clear();
  answer.effect = admit(index, id, op);
  if (answer.effect != ModelEffect::took_effect) return answer;
  if (const auto* put = std::get_if<Put>(&op)) {
    write(index, put->key, put->value);
  } else if (const auto* erase = std::get_if<Delete>(&op)) {
    write(index, erase->key, std::nullopt);
  } else if (const auto* swap = std::get_if<CompareAndSwap>(&op)) {
    const Value& found = current(swap->key);
    if (found == swap->expected) {
      write(index, swap->key, swap->value);
    } else {
      answer.outcome = Outcome::compare_failed(found);
    }
  } else if (const auto* append = std::get_if<Append>(&op)) {
    write(index, append->key, current(append->key).value_or("") + append->value);
  } else if (const auto* batch = std::get_if<PutBatch>(&op)) {
    for (const Put& entry : batch->entries) write(index, entry.key, entry.value);
  } else {
    RAFTLAB_ASSERT(!is_read(op), index);  // a read is no entry of the log
  }
  if (options_.sessions_max != 0 && id.client != 0) keep_found(id, answer.outcome);
  return answer;
}

ModelEffect KvModel::admit(raft::Index index, OpId id, const Operation& op) {
  if (id.client == 0) return ModelEffect::took_effect;
  const bool modelled = options_.sessions_max != 0;
  const auto found = modelled ? sessions_.find(id.client) : sessions_.try_emplace(id.client).first;
  if (found == sessions_.end()) return ModelEffect::expired;
  Session& session = found->second;
  if (modelled) {
    by_last_use_.erase(session.last_used);
    by_last_use_.emplace(index, id.client);
  }
  session.last_used = index;
  if (id.sequence < session.sequence) return ModelEffect::expired;
  const std::uint64_t change = OperationHash(op).value();
  if (id.sequence == session.sequence)
    return change == session.change ? ModelEffect::duplicate : ModelEffect::reused;
  session.sequence = id.sequence;
  session.change = change;
  return ModelEffect::took_effect;
}

void KvModel::open_session(raft::Index index) {
  evicted_.clear();
  if (options_.sessions_max == 0) return;
  if (sessions_.size() >= options_.sessions_max) evict_oldest();
  sessions_.emplace(index.value(), Session{0, 0, index, 0});
  by_last_use_.emplace(index, index.value());
}

void KvModel::keep_found(OpId id, const Outcome& outcome) {
  Session& session = sessions_.find(id.client)->second;
  found_bytes_ -= session.found_bytes;
  session.found_bytes = outcome.value ? outcome.value->size() : 0;
  found_bytes_ += session.found_bytes;
  while (found_bytes_ > options_.found_bytes_max && by_last_use_.begin()->second != id.client) evict_oldest();
}

void KvModel::evict_oldest() {
  const auto oldest = by_last_use_.begin();
  const auto found = sessions_.find(oldest->second);
  found_bytes_ -= found->second.found_bytes;
  evicted_.push_back(oldest->second);
  sessions_.erase(found);
  by_last_use_.erase(oldest);
}

bool KvModel::may_take_effect(OpId id) const {
  const auto found = sessions_.find(id.client);
  if (found == sessions_.end()) return options_.sessions_max == 0;
  return id.sequence > found->second.sequence;
}

const Value& KvModel::current(std::string_view key) const {
  const auto found = ids_.find(key);
  return found == ids_.end() ? nothing : records_[found->second].value;
}

void KvModel::write(raft::Index index, std::string_view key, std::optional<std::string_view> value) {
  const auto found = ids_.find(key);
  if (found == ids_.end()) {
    if (!value) return;
    KeyId id = static_cast<KeyId>(records_.size());
    if (free_.empty()) {
      records_.emplace_back();
    } else {
      id = free_.back();
      free_.pop_back();
    }
    records_[id] = Key{std::string(key), std::string(*value), index, no_version};
    ids_.emplace(records_[id].name, id);
    return;
  }
  Key& record = records_[found->second];
  if (!value && !record.value) return;
  if (record.since == index) {  // the same batch again: no state in between
    assign(record.value, value);
    return;
  }
  if (old_versions() == ring_.size()) grow_ring();
  OldVersion& old = version(ring_end_);
  old.key = found->second;
  old.value.swap(record.value);
  old.since = record.since;
  old.until = index;
  old.older = record.older;
  assign(record.value, value);  // in the memory of a version that was forgotten
  record.since = index;
  record.older = ring_end_++;
}

void KvModel::grow_ring() {
  std::vector<OldVersion> larger(std::max<std::size_t>(16, 2 * ring_.size()));
  for (std::uint64_t at = ring_begin_; at != ring_end_; ++at) {
    larger[at & (larger.size() - 1)] = std::move(version(at));
  }
  ring_ = std::move(larger);
}

ModelValue KvModel::at(std::string_view key, raft::Index index) const {
  if (index < floor_) return {false, nullptr, {}};
  const auto found = ids_.find(key);
  if (found == ids_.end()) return {true, &nothing, {}};
  const Key& record = records_[found->second];
  if (record.since <= index) return {true, &record.value, record.since};
  // Every version that was overwritten after floor_ <= index is still in the ring: where the chain ends
  // before `index` is reached, the key did not exist.
  std::uint64_t position = record.older;
  while (position != no_version && position >= ring_begin_) {
    const OldVersion& old = version(position);
    if (old.since <= index) return {true, &old.value, old.since};
    position = old.older;
  }
  return {true, &nothing, {}};
}

std::optional<raft::Index> KvModel::last_written(std::string_view key, const Value& value) const {
  const auto found = ids_.find(key);
  if (found == ids_.end()) return std::nullopt;
  const Key& record = records_[found->second];
  if (record.value == value) return record.since;
  for (std::uint64_t at = record.older; at != no_version && at >= ring_begin_; at = version(at).older) {
    if (version(at).value == value) return version(at).since;
  }
  return std::nullopt;
}

void KvModel::forget_before(raft::Index index) {
  if (index <= floor_) return;
  floor_ = index;
  while (ring_begin_ != ring_end_ && version(ring_begin_).until <= floor_) {
    OldVersion& old = version(ring_begin_++);
    Key& record = records_[old.key];
    const bool chain_gone = record.older == no_version || record.older < ring_begin_;
    if (record.value || !chain_gone) continue;
    ids_.erase(record.name);  // deleted, and nobody can ask for the time before
    record = Key{};
    free_.push_back(old.key);
  }
}

}  // namespace raftlab::invariants
