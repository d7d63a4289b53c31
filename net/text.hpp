#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Bytes as JSON can hold them.
namespace raftlab::net {

/// Well-formed UTF-8 (RFC 3629): neither overlong nor surrogates nor beyond U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view bytes);

/// RFC 4648 §4, with padding.
[[nodiscard]] std::string to_base64(std::string_view bytes);
/// None unless `to_base64` makes exactly this text.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace raftlab::net
