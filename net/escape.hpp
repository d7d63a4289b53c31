#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace raftlab::net {

/// Texts of strangers for a line in a log: everything but printable ASCII, and the backslash, is written as \xNN, and what
/// is longer than `bytes_max` is cut off and ends in "...". So no text ends a line, moves a cursor or fills a disk.
[[nodiscard]] std::string escaped(std::string_view text, std::size_t bytes_max = 200);

}  // namespace raftlab::net
