#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace raftlab::simulator {

/// Things that wait for an event, addressed by a small number that is used again after `take`.
template <class Thing>
class Slab {
 public:
  [[nodiscard]] std::uint32_t put(Thing thing) {
    if (free_.empty()) {
      things_.push_back(std::move(thing));
      return static_cast<std::uint32_t>(things_.size() - 1);
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    things_[slot] = std::move(thing);
    return slot;
  }

  [[nodiscard]] Thing take(std::uint32_t slot) {
    free_.push_back(slot);
    return std::move(things_[slot]);
  }

 private:
  std::vector<Thing> things_;
  std::vector<std::uint32_t> free_;
};

}  // namespace raftlab::simulator
