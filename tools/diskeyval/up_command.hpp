#pragma once

#include "tools/diskeyval/exit_code.hpp"

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>

/// `diskeyval up`: a cluster on this machine, for trying things out. In its directory are certificates, and for each node a
/// file of settings, a log and its data; when they are there already, the same cluster starts again.
namespace raftlab::diskeyval {

struct Up {
  std::filesystem::path directory;
  std::uint32_t nodes = 3;         ///< 1 to `up_nodes_max`
  std::uint16_t peer_port = 8051;  ///< of the first node; the others follow
  std::uint16_t http_port = 8081;
  std::filesystem::path traces;  ///< where the nodes write down what they do; empty: they do not
};
inline constexpr std::uint32_t up_nodes_max = 9;

/// Starts the nodes as processes of their own, says on `out` how to talk to them, and waits for SIGINT or SIGTERM; then ends
/// them. A node that ends before is told of, and the others go on. `program`: this executable.
[[nodiscard]] std::optional<Failure> up(const Up& options, const std::filesystem::path& program,
                                        std::ostream& out);

}  // namespace raftlab::diskeyval
