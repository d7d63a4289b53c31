#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The target of an HTTP request (RFC 9112 §3.2.1, origin-form) as the API reads it.
namespace raftlab::net {

struct Target {
  std::vector<std::string> path;             ///< the segments, decoded: any bytes
  std::map<std::string, std::string> query;  ///< decoded; a name stands once
};

/// None when it is no absolute path of the characters that may stand there (RFC 3986 §3.3), when an escape is not two
/// hexadecimal digits, or when a name of the query stands twice. Nothing is normalised: a segment is the bytes that it names,
/// be they dots, slashes or zeros.
[[nodiscard]] std::optional<Target> parse_target(std::string_view text);

/// The bytes as a segment of a path: `parse_target` finds them again.
[[nodiscard]] std::string escape_segment(std::string_view bytes);

}  // namespace raftlab::net
