#pragma once

#include "raft/assert.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace raftlab::kv {

/// A place in a sequence without holes: what is removed leaves its slot to the last item.
using Slot = std::uint32_t;
inline constexpr Slot no_slot = UINT32_MAX;

/// A walk over the items of some slots as they stood when it began, while they change. Copy on write: before
/// the owner changes a slot that the walk has not reached, a copy of what it holds is kept, once. Beginning
/// costs the same whatever there is; a change costs a copy of its item, and one comparison when there is no
/// walk. The owner tells of every change; an item in a slot beyond the last one is added without telling.
template <class Item>
class Walk {
 public:
  /// Over the slots 0 to size - 1. Ends at once when there are none.
  void begin(Slot size) {
    RAFTLAB_ASSERT(!under_way() && kept_.empty(), size);
    left_ = size;
  }
  [[nodiscard]] bool under_way() const { return left_ > 0; }
  void end() {
    next_ = left_ = 0;
    kept_ = {};  // with its memory
  }

  /// To be called before a slot changes, its item is removed, or moves; `copy()` is what it holds.
  template <class Copy>
  void before_change(Slot slot, const Copy& copy) {
    if (slot - next_ < left_) [[unlikely]]  // next_ <= slot < next_ + left_
      keep(slot, copy);
  }

  /// Goes on by one slot, and shows `show_kept` the copy that was kept of it, or `show_present` the slot
  /// when it has not changed.
  template <class ShowPresent, class ShowKept>
  void advance(const ShowPresent& show_present, const ShowKept& show_kept) {
    RAFTLAB_ASSERT(under_way(), next_);
    if (const auto kept = kept_.find(next_); kept != kept_.end()) {
      show_kept(std::as_const(kept->second));
      kept_.erase(kept);
    } else {
      show_present(next_);
    }
    ++next_;
    if (--left_ == 0) end();
  }
  /// Copies that wait for the walk.
  [[nodiscard]] std::size_t kept() const { return kept_.size(); }

 private:
  /// An item that was added in a slot of the walk came after a removal, which kept what counts: the first
  /// copy stays.
  template <class Copy>
  [[gnu::noinline]] void keep(Slot slot, const Copy& copy) {
    if (!kept_.contains(slot)) kept_.emplace(slot, copy());
  }

  Slot next_ = 0;
  Slot left_ = 0;
  boost::unordered_flat_map<Slot, Item> kept_;  // never iterated
};

}  // namespace raftlab::kv
