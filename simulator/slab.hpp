#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace raftlab::simulator {

/// Things that wait for an event, addressed by a small number that is used again after `take`.
template <class Thing>
class Slab {
 public:
  /// A slot whose thing is as its last user left it: to be assigned to, so that its memory is used again.
  [[nodiscard]] std::uint32_t acquire() {
    if (free_.empty()) {
      things_.emplace_back();
      return static_cast<std::uint32_t>(things_.size() - 1);
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  template <class From>
  [[nodiscard]] std::uint32_t put(From&& thing) {
    const std::uint32_t slot = acquire();
    things_[slot] = std::forward<From>(thing);
    return slot;
  }

  /// Valid until the next slot is acquired.
  [[nodiscard]] Thing& operator[](std::uint32_t slot) { return things_[slot]; }
  /// The thing may still be used until the next slot is acquired.
  void release(std::uint32_t slot) { free_.push_back(slot); }
  [[nodiscard]] Thing take(std::uint32_t slot) {
    release(slot);
    return std::move(things_[slot]);
  }

 private:
  std::vector<Thing> things_;
  std::vector<std::uint32_t> free_;
};

}  // namespace raftlab::simulator
