#include "tools/raftlab/arguments.hpp"

#include <charconv>

namespace raftlab::tool {

SeedSequence::SeedSequence(SeedRange range, Shard shard) : last_(range.last), step_(shard.count) {
  const std::uint64_t ahead = (shard.index + shard.count - range.first % shard.count) % shard.count;
  if (ahead <= range.last - range.first) next_ = range.first + ahead;
}

std::optional<std::uint64_t> SeedSequence::next() {
  const std::optional<std::uint64_t> seed = next_;
  if (seed) next_ = step_ <= last_ - *seed ? std::optional(*seed + step_) : std::nullopt;
  return seed;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    base = 16;
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<SeedRange> parse_seeds(std::string_view text) {
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) {
    const auto count = parse_number(text);
    if (!count || *count == 0) return std::nullopt;
    return SeedRange{1, *count};
  }
  const auto first = parse_number(text.substr(0, dots));
  const auto last = parse_number(text.substr(dots + 2));
  if (!first || !last || *first > *last) return std::nullopt;
  return SeedRange{*first, *last};
}

std::optional<Shard> parse_shard(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto index = parse_number(text.substr(0, slash));
  const auto count = parse_number(text.substr(slash + 1));
  constexpr std::uint64_t count_max = 1'000'000;
  if (!index || !count || *index >= *count || *count > count_max) return std::nullopt;
  return Shard{*index, *count};
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  std::uint64_t unit_s = 1;
  if (!text.empty() && (text.back() == 's' || text.back() == 'm' || text.back() == 'h')) {
    unit_s = text.back() == 's' ? 1 : text.back() == 'm' ? 60 : 3600;
    text.remove_suffix(1);
  }
  const auto number = parse_number(text);
  constexpr std::uint64_t year_s = 365ULL * 24 * 3600;
  if (!number || *number == 0 || *number > year_s / unit_s) return std::nullopt;
  return std::chrono::seconds(*number * unit_s);
}

std::string to_text(SeedRange range) {
  if (range.first == range.last) return std::to_string(range.first);
  return std::to_string(range.first) + ".." + (range.open() ? "" : std::to_string(range.last));
}

std::string quoted(const std::string& text) {
  constexpr std::string_view harmless =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
  if (!text.empty() && text.find_first_not_of(harmless) == std::string::npos) return text;
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

}  // namespace raftlab::tool
