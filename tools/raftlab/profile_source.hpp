#pragma once

#include "simulator/chooser.hpp"
#include "simulator/profile.hpp"
#include "tools/raftlab/exit_code.hpp"

#include <cstdint>
#include <string>

namespace raftlab::tool {

/// Where the profile of a seed comes from: drawn, with the settings of a file over it.
class ProfileSource {
 public:
  /// `file` empty: all is drawn. `nodes` 0: as the file says, else as drawn.
  [[nodiscard]] static Result<ProfileSource> open(const std::string& file, std::uint32_t nodes);

  /// The profile of the seed behind the chooser. Faults that are impossible at its size are taken out.
  [[nodiscard]] simulator::Profile profile(simulator::Chooser& chooser) const;
  /// "5 nodes", "1 to 9 nodes".
  [[nodiscard]] std::string nodes_text() const;

 private:
  std::string text_;
  std::uint32_t flag_nodes_ = 0;
  std::uint32_t draw_nodes_ = 0;
  bool quiet_ = false;
};

}  // namespace raftlab::tool
