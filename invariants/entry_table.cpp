#include "invariants/entry_table.hpp"

#include "raft/hash.hpp"

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
    if (b.at(run.first) != run.mark) continue;
    return std::min(end, b.run_end(run.first));
  }
  return 0;
}

EntryTable::Interned EntryTable::intern(std::uint64_t parent_hash, Mark parent,
                                        const raft::EntryView& entry) {
  const std::uint64_t index = entry.id.index.value();
  std::uint64_t chain =
      raft::combine(parent_hash, entry.id.term.value(), static_cast<std::uint64_t>(entry.kind));
  chain = raft::hash_bytes(chain, entry.payload);
  if (index >= slots_.size()) slots_.resize(std::max<std::size_t>(index + 1, slots_.size()));
  Slot& slot = slots_[index];
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
  Slot* slot = &slots_[index];
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
  result.same_parent = result.conflicts && (index == 1 || slots_[index - 1].next == 0);
  slot->next = static_cast<std::uint32_t>(more_.size() + 1);
  Slot entered = fresh;
  entered.mark = result.mark;
  more_.push_back(entered);
  return result;
}

}  // namespace raftlab::invariants
