#pragma once

#include "simulator/profile.hpp"

#include <cstdint>
#include <string>
#include <variant>

/// Profiles as TOML files: docs/profiles.md. `parse_profile` and `to_toml` stand in simulator/profile.hpp.
namespace raftlab::simulator {

/// What the settings of a file stand on.
enum class ProfileBase : std::uint8_t {
  drawn,  ///< what the file leaves out is drawn from the seed
  quiet,  ///< what the file leaves out is as in `Profile`: no faults
};

/// What a caller must know of a file before it can draw.
struct ProfileFile {
  ProfileBase base = ProfileBase::drawn;
  std::uint32_t nodes = 0;  ///< 0: the file does not say
};

/// Checks the whole file. When this is no error, `parse_profile` of the same text over any drawn profile is none.
[[nodiscard]] std::variant<ProfileFile, ProfileError> inspect_profile(const std::string& text);

}  // namespace raftlab::simulator
