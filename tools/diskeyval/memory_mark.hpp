#pragma once

#include "net/identity.hpp"
#include "tools/diskeyval/exit_code.hpp"

#include <filesystem>
#include <optional>

/// A node in memory forgets its votes and its log when it ends. If it came back under its number it would vote a second
/// time in a term, or be counted for entries that it does not have any more. So its number is used up by its start: a small
/// file beside its key says so, and stays.
namespace raftlab::diskeyval {

/// "node-<cluster>-<number>.in-memory" in the directory of the key.
[[nodiscard]] std::filesystem::path mark_of(const net::NodeIdentity& self, const std::filesystem::path& key);

/// Leaves the mark, durably. A failure: it is there already, or cannot be left, and the node must not take part.
[[nodiscard]] std::optional<Failure> use_number_up(const net::NodeIdentity& self,
                                                   const std::filesystem::path& key);

}  // namespace raftlab::diskeyval
