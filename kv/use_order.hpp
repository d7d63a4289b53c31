#pragma once

#include "kv/walk.hpp"

#include <vector>

namespace raftlab::kv {

/// The slots 0 to size - 1 in the order of their last use. Every call costs the same.
class UseOrder {
 public:
  /// `no_slot` when there is none.
  [[nodiscard]] Slot oldest() const { return oldest_; }
  [[nodiscard]] Slot newest() const { return newest_; }

  /// One slot more, used just now.
  void add() {
    links_.emplace_back();
    link_newest(static_cast<Slot>(links_.size() - 1));
  }
  void use(Slot slot) {
    if (newest_ == slot) return;
    unlink(slot);
    link_newest(slot);
  }
  /// Removes a slot, which the last one takes over.
  void remove(Slot slot) {
    unlink(slot);
    const Links moved = links_.back();
    links_.pop_back();
    if (slot == links_.size()) return;
    links_[slot] = moved;
    (moved.older == no_slot ? oldest_ : links_[moved.older].newer) = slot;
    (moved.newer == no_slot ? newest_ : links_[moved.newer].older) = slot;
  }

 private:
  struct Links {
    Slot older = no_slot;
    Slot newer = no_slot;
  };

  void link_newest(Slot slot) {
    links_[slot] = Links{newest_, no_slot};
    (newest_ == no_slot ? oldest_ : links_[newest_].newer) = slot;
    newest_ = slot;
  }
  void unlink(Slot slot) {
    const Links at = links_[slot];
    (at.older == no_slot ? oldest_ : links_[at.older].newer) = at.newer;
    (at.newer == no_slot ? newest_ : links_[at.newer].older) = at.older;
  }

  std::vector<Links> links_;
  Slot oldest_ = no_slot;
  Slot newest_ = no_slot;
};

}  // namespace raftlab::kv
