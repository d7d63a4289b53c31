#pragma once

#include "raft/assert.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace raftlab::kv {

using Slot = std::uint32_t;
inline constexpr Slot no_slot = UINT32_MAX;

/// Items in the slots 0 to size() - 1, without holes, and at most one walk over them as they stood when it
/// began. The order of slots is that of addition, but that the last item fills the hole of a removed one: it
/// depends on nothing but the calls, hence so does what a walk shows.
///
/// A walk copies on write: who changes a slot that the walk has not reached leaves a copy of what it held,
/// once. Beginning costs the same whatever is stored; a change costs a copy of the item that it changes, and
/// one comparison when there is no walk.
template <class Item>
class Slots {
 public:
  Slots() = default;
  /// Nobody walks over the copy.
  Slots(const Slots& other) : items_(other.items_) {}
  Slots& operator=(const Slots&) = delete;
  ~Slots() = default;

  [[nodiscard]] Slot size() const { return static_cast<Slot>(items_.size()); }
  [[nodiscard]] const Item& operator[](Slot slot) const { return items_[slot]; }

  /// The item, to be changed at once: before the next call.
  [[nodiscard]] Item& change(Slot slot) {
    keep(slot);
    return items_[slot];
  }
  /// A new item in slot size(), to be filled at once.
  [[nodiscard]] Item& add() {
    RAFTLAB_ASSERT(items_.size() < no_slot, items_.size());
    return items_.emplace_back();
  }
  /// Removes an item. The one of the last slot, unless it is that one, moves to this slot.
  void remove(Slot slot) {
    const Slot last = size() - 1;
    keep(slot);
    if (slot != last) {
      keep(last);
      items_[slot] = std::move(items_[last]);
    }
    items_.pop_back();
  }

  // ---- The walk

  void begin_walk() {
    next_ = 0;
    left_ = size();
  }
  [[nodiscard]] bool walking() const { return left_ > 0; }
  /// Shows the item of the next slot as it was when the walk began. Not after the last one.
  template <class Visitor>
  void show_next(const Visitor& visitor) {
    RAFTLAB_ASSERT(walking(), next_);
    const auto kept = kept_.find(next_);
    if (kept == kept_.end()) {
      visitor(items_[next_]);
    } else {
      visitor(std::as_const(kept->second));
      kept_.erase(kept);
    }
    ++next_;
    --left_;
    if (left_ == 0) end_walk();
  }
  void end_walk() {
    next_ = left_ = 0;
    kept_ = {};  // with its memory
  }
  /// Items of which the walk holds a copy.
  [[nodiscard]] std::size_t kept() const { return kept_.size(); }

 private:
  /// What is added in a slot that the walk has yet to reach needs none: a removal freed the slot and kept it.
  void keep(Slot slot) {
    if (slot - next_ < left_) [[unlikely]]  // next_ <= slot < next_ + left_
      keep_first(slot);
  }
  [[gnu::noinline]] void keep_first(Slot slot) { kept_.try_emplace(slot, items_[slot]); }

  std::vector<Item> items_;
  Slot next_ = 0;  // of the walk
  Slot left_ = 0;
  boost::unordered_flat_map<Slot, Item> kept_;  // never iterated
};

}  // namespace raftlab::kv
