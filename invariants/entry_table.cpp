#include "invariants/entry_table.hpp"

#include "raft/hash.hpp"

#include <utility>

namespace raftlab::invariants {

Mark Mirror::before_last_run(std::uint64_t index) const {
  // The runs near the end first, since most questions are about recent entries.
  std::size_t at = runs_.size() - 1;
  for (int tries = 0; at > 0 && tries < 4; ++tries) {
    --at;
    if (runs_[at].first <= index) return runs_[at].mark;
  }
  const auto behind = std::upper_bound(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(at), index,
                                       [](std::uint64_t k, const MarkRun& run) { return k < run.first; });
  return behind == runs_.begin() ? Mark{} : std::prev(behind)->mark;
}

std::uint64_t Mirror::run_end(std::uint64_t index) const {
  const auto behind = std::upper_bound(runs_.begin(), runs_.end(), index,
                                       [](std::uint64_t k, const MarkRun& run) { return k < run.first; });
  return behind == runs_.end() ? last_ : behind->first - 1;
}

bool Mirror::has_term(std::uint64_t term) const {
  return std::any_of(runs_.rbegin(), runs_.rend(),
                     [&](const MarkRun& run) { return run.mark.term() == term; });
}

void Mirror::extend_from(const Mirror& other, std::uint64_t last) {
  last = std::min(last, other.last_);
  std::size_t at = other.runs_.size();
  while (at > 0 && other.runs_[at - 1].first > last_ + 1) --at;
  if (at > 0) --at;
  for (; last_ < last; ++at) {
    const std::uint64_t end = at + 1 < other.runs_.size() ? other.runs_[at + 1].first - 1 : other.last_;
    extend(std::min(end, last), other.runs_[at].mark);
  }
}

void Mirror::forget_below(std::uint64_t index) {
  index = std::min(index, last_);
  const std::size_t gone = runs_up_to(index);
  if (gone == 0) return;
  runs_.erase(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(gone - 1));
  runs_.front().first = index;
}

std::size_t Mirror::runs_up_to(std::uint64_t index) const {
  std::size_t runs = 0;
  while (runs < runs_.size() && runs_[runs].first <= index) ++runs;
  return runs;
}

void Mirror::truncate(std::uint64_t from) {
  if (from > last_) return;
  while (!runs_.empty() && runs_.back().first >= from) runs_.pop_back();
  last_ = runs_.empty() ? 0 : from - 1;
}

std::uint64_t common_prefix(const Mirror& a, const Mirror& b) {
  // Equal marks at k mean equal logs up to k: the answer is the end of the last stretch where both have one mark.
  for (std::size_t at = a.runs().size(); at > 0; --at) {
    const MarkRun& run = a.runs()[at - 1];
    const std::uint64_t end = at < a.runs().size() ? a.runs()[at].first - 1 : a.last();
    // One of the two may have forgotten more than the other.
    const std::uint64_t first = b.runs().empty() ? run.first : std::max(run.first, b.runs().front().first);
    if (first > end || b.at(first) != run.mark) continue;
    return std::min(end, b.run_end(first));
  }
  return 0;
}

const EntryTable::Slot EntryTable::empty{};

void EntryTable::forget_below(std::uint64_t index) {
  if (index <= floor_) return;
  floor_ = index;
  if (!slots_.forget_below(index)) return;
  // Entries beside others move together with them.
  std::vector<Slot> kept;
  for (Slot& slot : slots_) {
    std::uint32_t next =
        std::exchange(slot.next, slot.next == 0 ? 0 : static_cast<std::uint32_t>(kept.size() + 1));
    while (next != 0) {
      Slot& moved = kept.emplace_back(more_[next - 1]);
      next = std::exchange(moved.next, moved.next == 0 ? 0 : static_cast<std::uint32_t>(kept.size() + 1));
    }
  }
  more_ = std::move(kept);
}

/// At the floor itself the chain of what is known begins.
EntryTable::Interned EntryTable::intern_forgotten(std::uint64_t chain, const raft::LogId& id) const {
  const Mark mark(id.term.value(), 0);
  if (id.index.value() < floor_) return Interned{mark, chain, false, {}, false};
  for (const Slot* slot = slots_.find(floor_); slot != nullptr; slot = &more_[slot->next - 1]) {
    if (slot->mark.term() == mark.term()) return Interned{slot->mark, slot->hash, false, {}, false};
    if (slot->next == 0) break;
  }
  return Interned{mark, chain, false, {}, false};
}

EntryTable::Interned EntryTable::intern(std::uint64_t parent_hash, Mark parent,
                                        const raft::EntryView& entry) {
  const std::uint64_t index = entry.id.index.value();
  std::uint64_t chain =
      raft::combine(parent_hash, entry.id.term.value(), static_cast<std::uint64_t>(entry.kind));
  chain = raft::hash_bytes(chain, entry.payload);
  if (index <= floor_) return intern_forgotten(chain, entry.id);
  Slot& slot = slots_.at(index);
  if (slot.hash == chain && slot.mark.term() == entry.id.term.value())
    return Interned{slot.mark, chain, false, {}, false};
  const Slot fresh{Mark(entry.id.term.value(), 0), chain,
                   bytes(index - 1, parent) + static_cast<std::uint32_t>(entry.payload.size()), 0};
  if (!slot.mark) {
    slot = fresh;
    if (parent.branch() == 0 || parent.term() != fresh.mark.term())
      return Interned{fresh.mark, chain, false, {}, false};
    // The first at this index, in a log that left the others before: it stays in its branch.
    slot.mark = Mark(fresh.mark.term(), parent.branch());
    return Interned{slot.mark, chain, false, {}, false};
  }
  return intern_beside(index, parent, fresh);
}

EntryTable::Interned EntryTable::intern_beside(std::uint64_t index, Mark parent, const Slot& fresh) {
  Interned result{fresh.mark, fresh.hash, false, {}, false};
  bool branch_taken = false;
  Slot* slot = slots_.find(index);
  while (true) {
    if (slot->mark.term() == fresh.mark.term()) {
      if (slot->hash == fresh.hash) return Interned{slot->mark, fresh.hash, false, {}, false};
      if (!result.conflicts) result.other = slot->mark;
      result.conflicts = true;
      branch_taken = branch_taken || slot->mark.branch() == parent.branch();
    }
    if (slot->next == 0) break;
    slot = &more_[slot->next - 1];
  }
  const bool goes_on = parent.term() == fresh.mark.term() && !branch_taken;
  if (goes_on) {
    result.mark = Mark(fresh.mark.term(), parent.branch());
  } else if (result.conflicts) {
    result.mark = Mark(fresh.mark.term(), ++branches_);
  }
  result.same_parent = result.conflicts && (index == 1 || slots_.find(index - 1)->next == 0);
  slot->next = static_cast<std::uint32_t>(more_.size() + 1);
  Slot entered = fresh;
  entered.mark = result.mark;
  more_.push_back(entered);
  return result;
}

}  // namespace raftlab::invariants
