#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Numbers and lines as people read them. Widths are in columns of a terminal; texts are UTF-8.
namespace raftlab::reports {

inline constexpr std::size_t line_columns = 100;

/// 1234567 as "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t number);
/// 1934567 as "1.93 M"; below ten thousand as `grouped`.
[[nodiscard]] std::string rounded(std::uint64_t number);
/// Tenths: 52 as "5.2".
[[nodiscard]] std::string tenths(std::uint64_t number);
/// Virtual or CPU time with milliseconds: "12.771 s".
[[nodiscard]] std::string seconds(std::int64_t ns);
/// A time span in its two largest units: "3 h 51 m", "12 m 04 s", "9.4 s", "3.2 ms", "210 us".
[[nodiscard]] std::string span(std::int64_t ns);
/// "1 seed", "2 seeds".
[[nodiscard]] std::string counted(std::uint64_t number, std::string_view singular, std::string_view plural);
/// Sixteen hexadecimal digits.
[[nodiscard]] std::string hexadecimal(std::uint64_t number);

/// Columns of a text that is printable; a wide character has two, a combining mark none.
[[nodiscard]] std::size_t columns(std::string_view text);
/// Left-aligned, padded to at least `width`.
[[nodiscard]] std::string left(std::string_view text, std::size_t width);
[[nodiscard]] std::string right(std::string_view text, std::size_t width);
/// Cut to at most `width`, with an ellipsis where something is missing.
[[nodiscard]] std::string fit(std::string_view text, std::size_t width);
/// Breaks a text at blanks so that no line is wider than `width`, when the first line starts at column `indent`; further
/// lines are indented to it. A word that is too long is broken.
[[nodiscard]] std::string wrap(std::string_view text, std::size_t indent, std::size_t width = line_columns);

/// Length of the UTF-8 character at the start of a text that is not empty; 0 when there is none.
[[nodiscard]] std::size_t character_bytes(std::string_view text);
/// The same text without control characters and as UTF-8, so that nothing from a file or a finding steers a
/// terminal or takes more columns than were counted.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace raftlab::reports
