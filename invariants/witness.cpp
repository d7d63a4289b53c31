#include "invariants/witness.hpp"

#include "raft/assert.hpp"

#include <algorithm>
#include <limits>
#include <utility>

// Why what is checked here suffices.
//
// Let S be the order in which a write stands at the entry p that first took effect, as (p, 0), and a
// linearizable read served at applied index i stands as (i, 1); reads of one index are ordered by invocation.
// Writes that never appear in the log and reads without an answer are left out, which the definition allows
// for operations that did not return. S is a linearization if
//   (L) the model, carried through S, gives every answer, and
//   (R) there are no a before b in S with ret(b) < inv(a).
//
// (L) is checked literally: `judge_answer` compares a write's answer with the model's at its entry,
// `judge_values` a read's with the model right after its index, all keys at this one index.
//
// (R) Calls come in the order of time; so ret(b) < inv(a) implies that ok(b) was called before invoke(a), and
// what was invoked before a call at time t has inv <= t. Suppose that a stands before b in S and ret(b) <
// inv(a).
//  1. b a write, placed at p when ok(b) came; `note_returned` records p.
//     a is a write of a lower index: it was placed before b, so invoked before ok(b). Contradiction.
//     a is a read with i < p: at its invocation `returned_place_before_` is at least p; `judge_order` reports
//     it.
//  2. b a write, answered first and placed at p later.
//     a is a write of a lower index: placed before b, so it counts in `writes_invoked_max_ns_` when b is
//     placed, and `judge_place` reports it.
//     a is a read with i < p. Judged before b is placed: it counts in `reads_invoked_max_ns_`, and all reads
//     that count there have an index below p, since a read is judged only when its index is committed.
//     Answered but not judged when b is placed: its index is at least p. Invoked but not answered then:
//     `raise_reads_in_flight` makes its `returned_before` at least p. Invoked afterwards: as in 1, since
//     placing b calls `note_returned`.
//  3. b a read with index j; ok(b) calls `note_returned` at once.
//     a is a write with p <= j: it was invoked, hence committed, after ok(b), so b waits for its index to be
//     committed; when it is judged, a counts in `writes_invoked_max_ns_`, all of whose writes have p <= j,
//     and `judge_order` reports it. (A read that need not wait passes this comparison trivially.)
//     a is a read with i < j: as in 1. (With i = j the order by invocation puts a behind b.)
// Conversely each report is a pair that breaks (R), so an order that keeps real time is never refused.

namespace raftlab::invariants {
namespace {

constexpr std::int64_t before_time = std::numeric_limits<std::int64_t>::min();

std::string at_index(raft::Index index) { return " at index " + std::to_string(index.value()); }

std::string label(OpId id, const Operation& op) { return describe(id) + " (" + describe(op) + ")"; }

bool agrees(const Outcome& told, const Outcome& expected) {
  if (told.kind != expected.kind) return false;
  return told.kind != Outcome::Kind::compare_failed || !told.found_told || told.value == expected.value;
}

/// Would the operation, carried out now, leave this value in the key?
bool leaves(const Operation& op, std::string_view key, const Value& value) {
  if (const auto* put = std::get_if<Put>(&op)) return put->key == key && value == put->value;
  if (const auto* erase = std::get_if<Delete>(&op)) return erase->key == key && !value;
  if (const auto* swap = std::get_if<CompareAndSwap>(&op)) return swap->key == key && value == swap->value;
  if (const auto* append = std::get_if<Append>(&op)) {
    return append->key == key && value && value->ends_with(append->value + append->value);
  }
  if (const auto* batch = std::get_if<PutBatch>(&op)) {
    return std::ranges::any_of(batch->entries,
                               [&](const Put& put) { return put.key == key && value == put.value; });
  }
  return false;
}

}  // namespace

const char* short_name(HistoryRung rung) {
  constexpr std::array<const char*, history_rungs> names{"E6", "E7", "E8", "E9", "E10"};
  return names[static_cast<std::size_t>(rung)];
}

Witness::Witness(const WitnessOptions& options)
    : options_(options),
      model_(options.model),
      writes_invoked_max_ns_(before_time),
      reads_invoked_max_ns_(before_time) {}

void Witness::report(HistoryRung rung, std::string text) {
  ++counts_.findings;
  if (rung >= HistoryRung::e8_linearizable) fits_ = false;
  if (findings_.size() < options_.findings_max)
    findings_.push_back({rung, short_name(rung) + (' ' + std::move(text))});
}

void Witness::advance(std::int64_t now_ns) {
  RAFTLAB_ASSERT(now_ns >= now_ns_, now_ns, now_ns_);
  if (now_ns == now_ns_) return;
  now_ns_ = now_ns;
  returned_place_before_ = returned_place_max_;
}

void Witness::note_returned(raft::Index place, std::int64_t at_ns) {
  returned_place_max_ = std::max(returned_place_max_, place);
  if (at_ns < now_ns_) returned_place_before_ = std::max(returned_place_before_, place);
}

std::optional<Witness::Slot> Witness::lookup(OpId id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::nullopt;
  return found->second;
}

Witness::Slot Witness::acquire(OpId id) {
  Slot slot = static_cast<Slot>(slots_.size());
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  const bool fresh = by_id_.emplace(id, slot).second;
  RAFTLAB_ASSERT(fresh, id.client, id.sequence);  // a retry is not invoked again
  Pending& pending = slots_[slot];
  pending.id = id;
  pending.used = true;
  return slot;
}

void Witness::release(Slot slot) {
  Pending& pending = slots_[slot];
  if (is_read(pending.op)) {
    reads_in_flight_[pending.read_number - reads_gone_].done = true;
    while (!reads_in_flight_.empty() && reads_in_flight_.front().done) {
      reads_in_flight_.pop_front();
      ++reads_gone_;
    }
  }
  by_id_.erase(pending.id);
  // What invoke does not set; the strings stay until the slot is used again.
  pending.used = pending.answered = pending.placed = pending.unknown = false;
  pending.claim = ReadClaim::linearizable;
  pending.named = pending.place = raft::Index();
  pending.again.clear();
  free_.push_back(slot);
}

void Witness::invoke(OpId id, std::int64_t now_ns, const Operation& op) {
  advance(now_ns);
  const bool read = is_read(op);
  if (!read && id.client == 0) {
    fits_ = false;  // its entry cannot be told from another's
    return;
  }
  Pending& pending = slots_[acquire(id)];
  pending.op = op;
  pending.invoked_ns = now_ns;
  if (!read) return;
  pending.committed_before = committed_;
  pending.returned_before = returned_place_before_;
  pending.read_number = reads_gone_ + reads_in_flight_.size();
  reads_in_flight_.push_back({committed_, false});
}

void Witness::ok(OpId id, std::int64_t now_ns, Outcome outcome, raft::Index index, ReadClaim claim) {
  advance(now_ns);
  ++counts_.ok;
  const auto slot = lookup(id);
  if (!slot && id.client == 0) return;
  RAFTLAB_ASSERT(slot.has_value(), id.client, id.sequence);
  Pending& pending = slots_[*slot];
  RAFTLAB_ASSERT(!pending.answered && !pending.unknown, id.client, id.sequence);
  pending.answered = true;
  pending.returned_ns = now_ns;
  pending.named = index;
  pending.claim = claim;
  if (is_read(pending.op)) {
    pending.outcome = std::move(outcome);
    ok_read(*slot);
    return;
  }
  ++evaluated(HistoryRung::e6_acknowledged_stays_refused_never_appears);
  if (pending.placed) {
    judge_answer(pending, outcome, pending.outcome);
  } else {
    pending.outcome = std::move(outcome);
  }
  ok_write(*slot);
}

void Witness::ok_read(Slot slot) {
  const Pending& read = slots_[slot];
  const bool stale = read.claim == ReadClaim::stale;
  ++(stale ? counts_.stale_reads : counts_.reads);
  if (!read.named) {
    fits_ = false;
    release(slot);
    return;
  }
  if (read.named > committed_) {
    if (!stale) note_returned(read.named, read.returned_ns);
    waiting_.emplace(read.named, slot);
    return;
  }
  judge_read(slot);
}

void Witness::judge_read(Slot slot) {
  const Pending& read = slots_[slot];
  if (read.claim != ReadClaim::stale) {
    note_returned(read.named, read.returned_ns);
    judge_order(read);
    reads_invoked_max_ns_ = std::max(reads_invoked_max_ns_, read.invoked_ns);
  }
  judge_values(read);
  release(slot);
}

void Witness::judge_order(const Pending& read) {
  const HistoryRung fresh =
      read.claim == ReadClaim::lease ? HistoryRung::e10_lease_read_is_fresh : HistoryRung::e9_read_is_fresh;
  ++evaluated(fresh);
  ++evaluated(HistoryRung::e8_linearizable);
  if (read.named < read.committed_before) {
    report(fresh, "stale read: " + label(read.id, read.op) + " was served" + at_index(read.named) +
                      ", but when it was invoked index " + std::to_string(read.committed_before.value()) +
                      " was committed");
    return;
  }
  if (read.named < read.returned_before) {
    report(HistoryRung::e8_linearizable,
           "real-time order: " + label(read.id, read.op) + " was served" + at_index(read.named) +
               ", but before it was invoked an operation" + at_index(read.returned_before) + " had returned");
  } else if (read.returned_ns < writes_invoked_max_ns_) {
    report(HistoryRung::e8_linearizable, "real-time order: " + label(read.id, read.op) + " returned at " +
                                             std::to_string(read.returned_ns) + ", but it stands" +
                                             at_index(read.named) + " after a write invoked at " +
                                             std::to_string(writes_invoked_max_ns_));
  }
}

const Witness::Duplicate* Witness::second_application(const Pending& read, std::string_view key,
                                                      const Value& value) const {
  for (auto it = duplicates_.rbegin(); it != duplicates_.rend(); ++it) {
    if (it->index <= read.named && leaves(it->op, key, value)) return &*it;
  }
  return nullptr;
}

void Witness::judge_values(const Pending& read) {
  const bool multi = std::holds_alternative<MultiGet>(read.op);
  const std::size_t keys = multi ? std::get<MultiGet>(read.op).keys.size() : 1;
  if (read.outcome.kind != Outcome::Kind::values || (multi && read.outcome.values.size() != keys)) {
    report(HistoryRung::e8_linearizable,
           label(read.id, read.op) + " was answered \"" + describe(read.outcome) + '"');
    return;
  }
  std::size_t at = 0;
  bool forgotten = false;
  std::string wrong;
  const Duplicate* twice = nullptr;
  for_each_key(read.op, [&](std::string_view key) {
    const Value& told = multi ? read.outcome.values[at++] : read.outcome.value;
    const ModelValue model = model_.at(key, read.named);
    forgotten = forgotten || !model.kept;
    if (!model.kept || *model.value == told) return;
    if (twice == nullptr) twice = second_application(read, key, told);
    wrong += "; key " + std::string(key) + ": read " + describe(told) + ", the log has " +
             describe(*model.value) + " (since " + std::to_string(model.since.value()) + ")";
    const auto written = model_.last_written(key, told);
    wrong += written ? ", what was read was written" + at_index(*written)
             : told  ? ", nobody is known to have written it"
                     : "";
  });
  if (forgotten) {
    // A linearizable read so old has broken E9 or E10.
    if (read.claim == ReadClaim::stale) ++counts_.stale_unjudged;
    return;
  }
  if (read.claim == ReadClaim::stale) ++evaluated(HistoryRung::e8_linearizable);
  if (wrong.empty()) {
    ++counts_.witnessed;
  } else if (twice != nullptr) {
    report(HistoryRung::e7_applied_once, "applied twice: " + label(twice->id, twice->op) + " again" +
                                             at_index(twice->index) + ", as seen by " +
                                             label(read.id, read.op) + at_index(read.named) + wrong);
  } else {
    report(HistoryRung::e8_linearizable, label(read.id, read.op) + at_index(read.named) + wrong);
  }
}

void Witness::ok_write(Slot slot) {
  const Pending& write = slots_[slot];
  if (write.placed) note_returned(write.place, write.returned_ns);
  if (write.named > committed_) {
    waiting_.emplace(write.named, slot);
    return;
  }
  if (!write.named) {
    if (write.placed) release(slot);
    return;
  }
  const bool there =
      write.placed && (write.named == write.place || std::ranges::count(write.again, write.named) != 0);
  if (!there) {
    report(HistoryRung::e6_acknowledged_stays_refused_never_appears,
           "acknowledged write lost: " + label(write.id, write.op) + " was acknowledged" +
               at_index(write.named) + ", where the log does not have it");
  }
  release(slot);
}

void Witness::judge_answer(const Pending& write, const Outcome& told, const Outcome& expected) {
  ++evaluated(HistoryRung::e8_linearizable);
  if (agrees(told, expected)) {
    ++counts_.witnessed;
    return;
  }
  const bool again = !write.again.empty() && told.kind == Outcome::Kind::compare_failed;
  report(again ? HistoryRung::e7_applied_once : HistoryRung::e8_linearizable,
         (again ? "applied twice: " : "") + label(write.id, write.op) + at_index(write.place) +
             " was answered \"" + describe(told) + "\", the log says \"" + describe(expected) + '"');
}

void Witness::fail(OpId id, std::int64_t now_ns) {
  advance(now_ns);
  ++counts_.failed;
  const auto slot = lookup(id);
  if (!slot && id.client == 0) return;
  RAFTLAB_ASSERT(slot.has_value(), id.client, id.sequence);
  const Pending& pending = slots_[*slot];
  RAFTLAB_ASSERT(!pending.answered && !pending.unknown, id.client, id.sequence);
  if (!is_read(pending.op)) {
    ++evaluated(HistoryRung::e6_acknowledged_stays_refused_never_appears);
    if (pending.placed) {
      report(HistoryRung::e6_acknowledged_stays_refused_never_appears,
             "refused, yet in the log: " + label(id, pending.op) + at_index(pending.place));
    } else {
      remember_refused(id);
    }
  }
  release(*slot);
}

void Witness::remember_refused(OpId id) {
  if (!refused_.insert(id).second) return;
  refused_order_.push_back(id);
  if (refused_order_.size() <= refused_max) return;
  refused_.erase(refused_order_.front());
  refused_order_.pop_front();
}

void Witness::unknown(OpId id, std::int64_t now_ns) {
  advance(now_ns);
  ++counts_.unknown;
  const auto slot = lookup(id);
  if (!slot && id.client == 0) return;
  RAFTLAB_ASSERT(slot.has_value(), id.client, id.sequence);
  Pending& pending = slots_[*slot];
  RAFTLAB_ASSERT(!pending.answered && !pending.unknown, id.client, id.sequence);
  if (!is_read(pending.op) && !pending.placed && model_.may_take_effect(id)) {
    pending.unknown = true;
    unknown_[id.client].push_back(id.sequence);
    return;
  }
  release(*slot);
}

void Witness::committed(raft::Index index, std::optional<OpId> id, const Operation* op) {
  RAFTLAB_ASSERT(!committed_ || index == committed_.next(), index, committed_);
  committed_ = index;
  if (id && op != nullptr) {
    ModelAnswer answer = model_.apply(index, *id, *op);
    ++evaluated(HistoryRung::e7_applied_once);
    if (answer.effect != ModelEffect::took_effect) {
      if (answer.effect == ModelEffect::reused) unasked(index, *id, *op);
      repeat(index, *id, *op);
    } else if (id->client != 0) {
      place(index, *id, *op, std::move(answer.outcome));
      if (!unknown_.empty()) drop_unknown(*id);
    }
    drop_evicted();
  }
  settle(index);
  forget();
}

void Witness::committed_session(raft::Index index) {
  committed(index, std::nullopt, nullptr);
  model_.open_session(index);
  drop_evicted();
}

void Witness::place(raft::Index index, OpId id, const Operation& op, Outcome outcome) {
  const auto slot = lookup(id);
  if (!slot) {
    unasked(index, id, op);
    return;
  }
  Pending& write = slots_[*slot];
  RAFTLAB_ASSERT(!is_read(write.op), id.client, id.sequence);
  write.placed = true;
  write.place = index;
  if (write.op != op) {
    report(HistoryRung::e8_linearizable, "the log holds " + label(id, op) + at_index(index) +
                                             ", but the client asked for " + describe(write.op));
  }
  if (write.answered) judge_place(write);
  writes_invoked_max_ns_ = std::max(writes_invoked_max_ns_, write.invoked_ns);
  const bool unknown = write.unknown;
  if (unknown) ++counts_.unknown_seen;
  if (write.answered) {
    judge_answer(write, write.outcome, outcome);
    note_returned(index, write.returned_ns);
    raise_reads_in_flight(write);
    if (!write.named) release(*slot);
  } else if (unknown) {
    release(*slot);
  } else {
    write.outcome = std::move(outcome);
  }
}

void Witness::judge_place(const Pending& write) {
  ++evaluated(HistoryRung::e8_linearizable);
  const std::int64_t latest_ns = std::max(writes_invoked_max_ns_, reads_invoked_max_ns_);
  if (write.returned_ns >= latest_ns) return;
  report(HistoryRung::e8_linearizable, "real-time order: " + label(write.id, write.op) + " returned at " +
                                           std::to_string(write.returned_ns) + ", but it stands" +
                                           at_index(write.place) + " after an operation invoked at " +
                                           std::to_string(latest_ns));
}

/// Case 2 of the proof: only for a write that was answered before its commit was told, which is rare.
void Witness::raise_reads_in_flight(const Pending& write) {
  for (Pending& read : slots_) {
    if (!read.used || read.answered || !is_read(read.op) || read.invoked_ns <= write.returned_ns) continue;
    read.returned_before = std::max(read.returned_before, write.place);
  }
}

void Witness::unasked(raft::Index index, OpId id, const Operation& op) {
  if (refused_.contains(id)) {
    report(HistoryRung::e6_acknowledged_stays_refused_never_appears,
           "refused, yet in the log: " + label(id, op) + at_index(index));
  } else {
    report(HistoryRung::e8_linearizable,
           label(id, op) + " stands in the log" + at_index(index) + ", but nobody asked for it");
  }
}

void Witness::repeat(raft::Index index, OpId id, const Operation& op) {
  ++counts_.retries_seen;
  if (refused_.contains(id)) unasked(index, id, op);
  if (const auto slot = lookup(id); slot && slots_[*slot].placed) slots_[*slot].again.push_back(index);
  duplicates_.push_back({index, id, op});
  if (duplicates_.size() > duplicates_max) duplicates_.pop_front();
}

/// Operations of the client up to this one that were not seen in the log can take effect no more.
void Witness::drop_unknown(OpId up_to) {
  const auto found = unknown_.find(up_to.client);
  if (found == unknown_.end()) return;
  std::erase_if(found->second, [&](std::uint64_t sequence) {
    if (sequence > up_to.sequence) return false;
    if (const auto slot = lookup({up_to.client, sequence})) release(*slot);
    return true;
  });
  if (found->second.empty()) unknown_.erase(found);
}

void Witness::drop_evicted() {
  if (unknown_.empty()) return;
  for (const std::uint64_t client : model_.evicted()) {
    drop_unknown({client, std::numeric_limits<std::uint64_t>::max()});
  }
}

/// Answers that named this index can be judged now.
void Witness::settle(raft::Index index) {
  while (!waiting_.empty() && waiting_.begin()->first <= index) {
    const Slot slot = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    if (is_read(slots_[slot].op)) {
      judge_read(slot);
    } else {
      ok_write(slot);
    }
  }
}

void Witness::applied(raft::Index index, bool took_effect) {
  ++evaluated(HistoryRung::e7_applied_once);
  if (!took_effect) return;
  const auto found = std::ranges::lower_bound(duplicates_, index, {}, &Duplicate::index);
  if (found == duplicates_.end() || found->index != index || found->reported) return;
  found->reported = true;
  report(HistoryRung::e7_applied_once,
         "applied twice: a store applied " + label(found->id, found->op) + at_index(index) +
             ", though an entry before it had been this operation or a later one of its client");
}

void Witness::finish(std::int64_t now_ns) {
  advance(now_ns);
  std::vector<Slot> left;
  for (Slot slot = 0; slot < slots_.size(); ++slot) {
    if (slots_[slot].used && slots_[slot].answered) left.push_back(slot);
  }
  std::ranges::sort(left, {}, [this](Slot slot) { return slots_[slot].id; });
  for (const Slot slot : left) {
    const Pending& pending = slots_[slot];
    if (is_read(pending.op)) {
      report(HistoryRung::e8_linearizable, label(pending.id, pending.op) + " was served" +
                                               at_index(pending.named) + ", which was never committed");
    } else {
      report(
          HistoryRung::e6_acknowledged_stays_refused_never_appears,
          "acknowledged write lost: " + label(pending.id, pending.op) +
              (pending.named ? " was acknowledged" + at_index(pending.named) + ", which was never committed"
                             : " is nowhere in the log"));
    }
    release(slot);
  }
  waiting_.clear();
}

void Witness::forget() {
  std::uint64_t floor = committed_.value() > options_.stale_window_entries
                            ? committed_.value() - options_.stale_window_entries
                            : 0;
  if (!reads_in_flight_.empty()) floor = std::min(floor, reads_in_flight_.front().committed_before.value());
  model_.forget_before(raft::Index(floor));
}

Witness::Held Witness::held() const {
  return {by_id_.size(), model_.keys(), model_.old_versions(), model_.sessions(),
          refused_order_.size() + duplicates_.size()};
}

}  // namespace raftlab::invariants
