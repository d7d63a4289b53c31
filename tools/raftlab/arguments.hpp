#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

/// What the arguments of the command line mean.
namespace raftlab::tool {

/// Both ends included.
struct SeedRange {
  std::uint64_t first = 1;
  std::uint64_t last = std::numeric_limits<std::uint64_t>::max();

  [[nodiscard]] bool open() const {
    return last == std::numeric_limits<std::uint64_t>::max() && first != last;
  }
};

/// The seeds whose remainder by `count` is `index`.
struct Shard {
  std::uint64_t index = 0;
  std::uint64_t count = 1;
};

/// The seeds of a range that belong to a shard, in rising order.
class SeedSequence {
 public:
  SeedSequence(SeedRange range, Shard shard);
  [[nodiscard]] std::optional<std::uint64_t> next();

 private:
  std::optional<std::uint64_t> next_;
  std::uint64_t last_;
  std::uint64_t step_;
};

/// Decimal, or hexadecimal behind 0x.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text);
/// "A..B" with A <= B, or a count N >= 1 for 1..N.
[[nodiscard]] std::optional<SeedRange> parse_seeds(std::string_view text);
/// "i/n" with i < n.
[[nodiscard]] std::optional<Shard> parse_shard(std::string_view text);
/// "90", "90s", "10m", "2h": more than nothing, at most a year.
[[nodiscard]] std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// "1..500", "1.." for an open range, "17" for one seed.
[[nodiscard]] std::string to_text(SeedRange range);

/// An argument as a shell reads it back.
[[nodiscard]] std::string quoted(const std::string& text);

}  // namespace raftlab::tool
