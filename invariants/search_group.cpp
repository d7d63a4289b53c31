#include "invariants/search_group.hpp"

#include "raft/assert.hpp"
#include "raft/hash.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace raftlab::invariants::search_detail {
namespace {

/// A value that no key ever holds: a condition on it is never true.
constexpr ValueId impossible = ~ValueId{0};

bool test(const std::vector<std::uint64_t>& bits, std::uint32_t bit) {
  return (bits[bit / 64] >> (bit % 64) & 1U) != 0;
}

}  // namespace

ValueId ValueTable::id(const Value& value) {
  if (!value) return 0;
  const auto [found, fresh] = ids_.emplace(*value, static_cast<ValueId>(texts_.size()));
  if (fresh) texts_.push_back(*value);
  return found->second;
}

ValueId ValueTable::append(ValueId value, ValueId suffix) {
  const auto known = appended_.find({value, suffix});
  if (known != appended_.end()) return known->second;
  const ValueId result = id(texts_[value] + texts_[suffix]);
  appended_.emplace(std::pair{value, suffix}, result);
  return result;
}

bool Visited::insert(const std::vector<std::uint64_t>& configuration) {
  if (2 * (size_ + 1) > places_.size()) grow();
  raft::Hasher hasher(configuration.size());
  for (const std::uint64_t word : configuration) hasher.add(word);
  const std::uint64_t hash = hasher.value();
  std::size_t slot = hash & (places_.size() - 1);
  for (; places_[slot].at != 0; slot = (slot + 1) & (places_.size() - 1)) {
    if (places_[slot].hash != hash) continue;
    const auto stored = words_.begin() + static_cast<std::ptrdiff_t>(places_[slot].at);
    if (*(stored - 1) != configuration.size()) continue;
    if (std::equal(configuration.begin(), configuration.end(), stored)) return false;
  }
  words_.push_back(configuration.size());
  places_[slot] = {hash, words_.size()};
  words_.insert(words_.end(), configuration.begin(), configuration.end());
  ++size_;
  return true;
}

void Visited::grow() {
  std::vector<Place> larger(std::max<std::size_t>(64, 2 * places_.size()));
  for (const Place& place : places_) {
    if (place.at == 0) continue;
    std::size_t slot = place.hash & (larger.size() - 1);
    while (larger[slot].at != 0) slot = (slot + 1) & (larger.size() - 1);
    larger[slot] = place;
  }
  places_ = std::move(larger);
}

Group::Group(const History& history, const std::vector<std::size_t>& entries) {
  for (const std::size_t at : entries) {
    const HistoryEntry& entry = history.entries[at];
    Step step;
    step.entry = at;
    step.unknown = entry.fate == Fate::unknown;
    step.invoked_ns = entry.invoked_ns;
    step.returned_ns = entry.returned_ns;
    RAFTLAB_ASSERT(step.unknown || step.returned_ns >= step.invoked_ns, at);
    compile(entry, step);
    steps_.push_back(std::move(step));
  }
  drop_unobserved();
  sort_steps();
  link_same();
  link_events();
  state_.assign(keys_.size(), 0);
  placed_.assign((definite_ + 63) / 64, 0);
  guessed_.assign((steps_.size() - definite_ + 63) / 64, 0);
  left_ = definite_;
}

std::uint32_t Group::key_id(std::string_view key) {
  const auto found = keys_.find(key);
  if (found != keys_.end()) return found->second;
  return keys_.emplace(std::string(key), static_cast<std::uint32_t>(keys_.size())).first->second;
}

void Group::compile(const HistoryEntry& entry, Step& step) {
  const Outcome& outcome = entry.outcome;
  if (const auto* put = std::get_if<Put>(&entry.op)) {
    step.writes.push_back({key_id(put->key), values_.id(put->value)});
  } else if (const auto* erase = std::get_if<Delete>(&entry.op)) {
    step.writes.push_back({key_id(erase->key), 0});
  } else if (const auto* append = std::get_if<Append>(&entry.op)) {
    step.writes.push_back({key_id(append->key), values_.id(append->value), true});
  } else if (const auto* batch = std::get_if<PutBatch>(&entry.op)) {
    for (const Put& part : batch->entries) step.writes.push_back({key_id(part.key), values_.id(part.value)});
  } else if (const auto* swap = std::get_if<CompareAndSwap>(&entry.op)) {
    const std::uint32_t key = key_id(swap->key);
    const ValueId expected = values_.id(swap->expected);
    if (step.unknown || outcome.kind != Outcome::Kind::compare_failed) {
      step.conditions.push_back({key, expected});
      if (expected != values_.id(swap->value)) step.writes.push_back({key, values_.id(swap->value)});
    } else if (!outcome.found_told) {
      step.conditions.push_back({key, expected, false});
    } else {
      const ValueId found = values_.id(outcome.value);
      step.conditions.push_back({key, found == expected ? impossible : found});
    }
  } else {
    const bool multi = std::holds_alternative<MultiGet>(entry.op);
    const std::size_t told = multi ? outcome.values.size() : 1;
    std::size_t at = 0;
    for_each_key(entry.op, [&](std::string_view key) {
      const ValueId value = at >= told ? impossible : values_.id(multi ? outcome.values[at] : outcome.value);
      step.conditions.push_back({key_id(key), value});
      ++at;
    });
  }
}

/// An operation of unknown outcome is left out if no other depends on what it would leave behind: nobody
/// reads or compares with the values that it writes. A linearization with it is one without it as well: up to
/// the next write of those keys, which does not care, nobody looks.
void Group::drop_unobserved() {
  for (bool changed = true; changed;) {
    std::vector<std::vector<ValueId>> seen(keys_.size());
    std::vector<std::vector<ValueId>> not_seen(keys_.size());  // "anything but this" was found
    std::vector<bool> appended(keys_.size(), false);
    for (const Step& step : steps_) {
      for (const Condition& condition : step.conditions) {
        (condition.equal ? seen : not_seen)[condition.key].push_back(condition.value);
      }
      for (const Write& write : step.writes) appended[write.key] = appended[write.key] || write.append;
    }
    for (auto& values : seen) std::ranges::sort(values);
    const auto matters = [&](const Write& write) {
      const auto other = [&](ValueId value) { return value != write.value; };
      return appended[write.key] || std::ranges::binary_search(seen[write.key], write.value) ||
             std::ranges::any_of(not_seen[write.key], other);
    };
    const std::size_t before = steps_.size();
    std::erase_if(
        steps_, [&](const Step& step) { return step.unknown && std::ranges::none_of(step.writes, matters); });
    changed = steps_.size() != before;
  }
}

void Group::sort_steps() {
  std::ranges::stable_sort(steps_, [](const Step& a, const Step& b) {
    return std::tie(a.unknown, a.invoked_ns) < std::tie(b.unknown, b.invoked_ns);
  });
  definite_ = static_cast<std::uint32_t>(std::ranges::count(steps_, false, &Step::unknown));
}

/// Of unknown operations that do the same, the one invoked first is at least as good as any other, so they
/// are tried in this order only.
void Group::link_same() {
  std::map<std::pair<std::vector<Condition>, std::vector<Write>>, std::uint32_t> last;
  for (std::uint32_t at = definite_; at < steps_.size(); ++at) {
    const auto [found, fresh] = last.emplace(std::pair{steps_[at].conditions, steps_[at].writes}, at);
    if (!fresh) steps_[at].same = found->second;
    found->second = at;
  }
}

void Group::link_events() {
  struct Moment {
    std::int64_t time_ns;
    bool is_return;  // equal times overlap: calls first
    std::uint32_t step;
  };
  std::vector<Moment> moments;
  for (std::uint32_t at = 0; at < steps_.size(); ++at) {
    moments.push_back({steps_[at].invoked_ns, false, at});
    if (at < definite_) moments.push_back({steps_[at].returned_ns, true, at});
  }
  std::ranges::sort(moments, {}, [](const Moment& moment) {
    return std::tuple(moment.time_ns, moment.is_return, moment.step);
  });
  call_event_.assign(steps_.size(), none);
  return_event_.assign(steps_.size(), none);
  events_.push_back({});
  for (const Moment& moment : moments) {
    const auto event = static_cast<std::uint32_t>(events_.size());
    (moment.is_return ? return_event_ : call_event_)[moment.step] = event;
    events_.push_back({moment.step, !moment.is_return, event - 1, none});
    events_[event - 1].next = event;
  }
}

bool Group::applicable(const Step& step) const {
  return std::ranges::all_of(step.conditions, [this](const Condition& condition) {
    return (state_[condition.key] == condition.value) == condition.equal;
  });
}

/// An unknown operation that changes nothing here need not be placed here.
bool Group::worth_trying(const Step& step) {
  if (step.observer() || !applicable(step)) return false;
  if (!step.unknown) return true;
  if (step.same && !test(guessed_, *step.same - definite_)) return false;
  return std::ranges::any_of(step.writes,
                             [this](const Write& write) { return after(write) != state_[write.key]; });
}

ValueId Group::after(const Write& write) {
  return write.append ? values_.append(state_[write.key], write.value) : write.value;
}

void Group::lift(std::uint32_t event) {
  const Event& at = events_[event];
  events_[at.previous].next = at.next;
  if (at.next != none) events_[at.next].previous = at.previous;
}

void Group::unlift(std::uint32_t event) {
  const Event& at = events_[event];
  events_[at.previous].next = event;
  if (at.next != none) events_[at.next].previous = event;
}

void Group::place(std::uint32_t step, bool forced) {
  frames_.push_back({step, undo_.size(), forced});
  for (const Write& write : steps_[step].writes) {
    undo_.push_back({write.key, state_[write.key]});
    state_[write.key] = after(write);
  }
  // The return first: then the call still knows the event that follows both, as absorb_observers expects.
  if (step < definite_) lift(return_event_[step]);
  lift(call_event_[step]);
  if (step >= definite_) {
    const std::uint32_t bit = step - definite_;
    guessed_[bit / 64] |= std::uint64_t{1} << (bit % 64);
    return;
  }
  placed_[step / 64] |= std::uint64_t{1} << (step % 64);
  used_words_ = std::max<std::size_t>(used_words_, step / 64 + 1);
  while (first_open_word_ < placed_.size() && placed_[first_open_word_] == ~std::uint64_t{0})
    ++first_open_word_;
  --left_;
}

void Group::take_back() {
  const Frame frame = frames_.back();
  frames_.pop_back();
  best_same_ = std::min(best_same_, frames_.size());
  for (; undo_.size() > frame.undo_begin; undo_.pop_back()) state_[undo_.back().key] = undo_.back().value;
  unlift(call_event_[frame.step]);
  if (frame.step >= definite_) {
    const std::uint32_t bit = frame.step - definite_;
    guessed_[bit / 64] &= ~(std::uint64_t{1} << (bit % 64));
  } else {
    unlift(return_event_[frame.step]);
    placed_[frame.step / 64] &= ~(std::uint64_t{1} << (frame.step % 64));
    first_open_word_ = std::min<std::size_t>(first_open_word_, frame.step / 64);
    while (used_words_ > 0 && placed_[used_words_ - 1] == 0) --used_words_;
    ++left_;
  }
}

/// An observer that may be placed now is placed now: it changes nothing, so that a linearization that has it
/// later is one that has it here.
void Group::absorb_observers() {
  for (std::uint32_t at = events_[0].next; at != none && events_[at].call; at = events_[at].next) {
    const Step& step = steps_[events_[at].step];
    if (step.observer() && applicable(step)) place(events_[at].step, true);
  }
}

/// The set of placed steps is a run of full words and a window behind it: the key of the memory does not grow
/// with the length of the history.
bool Group::fresh_configuration() {
  configuration_.clear();
  configuration_.push_back(first_open_word_);
  configuration_.push_back(used_words_);
  for (std::size_t word = first_open_word_; word < used_words_; ++word)
    configuration_.push_back(placed_[word]);
  configuration_.insert(configuration_.end(), guessed_.begin(), guessed_.end());
  for (std::size_t key = 0; key < state_.size(); key += 2) {
    const std::uint64_t high = key + 1 < state_.size() ? state_[key + 1] : 0;
    configuration_.push_back(state_[key] | high << 32U);
  }
  return visited_.insert(configuration_);
}

/// Remembers the longest prefix; copies only what differs from the one remembered before.
void Group::note_best(std::uint32_t event) {
  const std::uint32_t definite = definite_ - left_;
  if (stuck_ && definite <= best_definite_) return;
  best_definite_ = definite;
  stuck_ = events_[event].step;
  best_.resize(std::min(best_.size(), best_same_));
  while (best_.size() < frames_.size()) best_.push_back(frames_[best_.size()].step);
  best_same_ = best_.size();
}

/// Takes back forced placements and the choice that they followed; the search goes on behind that choice.
bool Group::backtrack(std::uint32_t& cursor) {
  while (!frames_.empty()) {
    const Frame frame = frames_.back();
    take_back();
    if (frame.forced) continue;
    cursor = events_[call_event_[frame.step]].next;
    return true;
  }
  return false;
}

SearchResult Group::search(std::uint64_t states_max) {
  SearchResult result;
  std::uint32_t cursor = none;
  bool entered = true;  // a configuration not looked at yet
  for (;;) {
    if (entered) {
      entered = false;
      absorb_observers();
      if (left_ == 0) break;
      if (visited_.size() >= states_max) {
        result.verdict = SearchVerdict::inconclusive;
        break;
      }
      cursor = fresh_configuration() ? events_[0].next : none;
    }
    if (cursor != none && events_[cursor].call) {
      const std::uint32_t step = events_[cursor].step;
      if (worth_trying(steps_[step])) {
        place(step, false);
        entered = true;
      } else {
        cursor = events_[cursor].next;
      }
      continue;
    }
    if (cursor != none) note_best(cursor);
    if (!backtrack(cursor)) {
      result.verdict = SearchVerdict::violated;
      break;
    }
  }
  result.states = visited_.size();
  if (result.verdict == SearchVerdict::holds) {
    for (const Frame& frame : frames_) result.order.push_back(steps_[frame.step].entry);
  } else if (result.verdict == SearchVerdict::violated) {
    for (const std::uint32_t step : best_) result.order.push_back(steps_[step].entry);
    if (stuck_) result.stuck = steps_[*stuck_].entry;
  }
  return result;
}

}  // namespace raftlab::invariants::search_detail
