#pragma once

#include "raft/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Names of the files of snapshots. Numbers are 16 lower-case hexadecimal digits: names sort as snapshots do.
namespace raftlab::raft::snapshot {

/// "snapshot-<index>-<term>.snap": complete, and its bytes were durable before it got the name.
[[nodiscard]] std::string finished_name(LogId last);
/// None when it is not such a name, letter by letter.
[[nodiscard]] std::optional<LogId> finished(std::string_view name);

/// "snapshot-<index>-<term>.snap.<attempt>.part": on its way. No two attempts have the same number while
/// one's file is there.
[[nodiscard]] std::string part_name(LogId last, std::uint64_t attempt);
/// The attempt; none when it is not such a name.
[[nodiscard]] std::optional<std::uint64_t> part(std::string_view name);

}  // namespace raftlab::raft::snapshot
