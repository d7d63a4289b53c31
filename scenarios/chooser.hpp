#pragma once

#include "simulator/chooser.hpp"
#include "simulator/disk.hpp"

#include <algorithm>
#include <cstdint>

namespace raftlab::scenarios {

/// Answers the questions of a disk as the script says. Everything else is the tamest outcome.
class ScriptedChooser final : public simulator::Chooser {
 public:
  using PageFate = simulator::SimulatedDisk::PageFate;

  std::uint64_t torn_bytes =
      0;                    ///< a torn write lacks so many bytes at its end; 0: lost appends are lost whole
  bool lose_names = false;  ///< names that were not synced are gone, removals that were not are undone
  bool grow = false;        ///< zeros stand where a torn write's data was to be
  PageFate page = PageFate::dropped;  ///< what a failed sync does to the data that it covered
  std::uint64_t bit = 0;              ///< where bit rot strikes

  [[nodiscard]] std::uint64_t choose(simulator::Key key, std::uint64_t range) override {
    switch (key.choice) {
      case simulator::Choice::crash_cut:
        return torn_bytes == 0 ? range - 1 : range - std::min(range, torn_bytes);
      case simulator::Choice::page_fate: return std::min(static_cast<std::uint64_t>(page), range - 1);
      case simulator::Choice::rot_place: return std::min(bit, range - 1);
      default: return 0;
    }
  }

  [[nodiscard]] bool happens(simulator::Key key, std::uint32_t /*per_million*/) override {
    switch (key.choice) {
      case simulator::Choice::entry_fate: return lose_names;
      case simulator::Choice::crash_fate: return grow;
      case simulator::Choice::page_fate:
        return sectors_++ % 2 == 0;  // the first sector is lost, the second stays
      default: return false;
    }
  }

 private:
  std::uint64_t sectors_ = 0;
};

}  // namespace raftlab::scenarios
