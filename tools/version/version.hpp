#pragma once

#include <string>
#include <string_view>

/// What this program is, for `--version`, reports and traces. The values are constants of the build and never
/// take part in a digest.
namespace raftlab::version {

/// The version of the project, for example "0.1.0".
[[nodiscard]] std::string_view number();

/// The commit that was built, abbreviated, with a "+" behind it when tracked files had been changed; "unknown"
/// outside a git checkout and outside a source archive made by git.
[[nodiscard]] std::string_view commit();

/// The compiler and its version, for example "GNU 12.2.0".
[[nodiscard]] std::string_view compiler();

/// The build type, with the sanitizers when there are any: "Release", "Debug, address,undefined".
[[nodiscard]] std::string_view build_type();

/// All of it on one line: "0.1.0 (commit 1a2b3c4d5e6f, GNU 12.2.0, Release)".
[[nodiscard]] std::string line();

}  // namespace raftlab::version
