#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace raftlab::simulator {

/// Counts of durations in buckets that are at most 1/16 of their value wide; fixed memory.
class Histogram {
 public:
  void add(std::uint64_t value) {
    ++counts_[bucket(value)];
    ++total_;
  }
  [[nodiscard]] std::uint64_t total() const { return total_; }
  /// The least value of the bucket that holds the median; 0 when empty.
  [[nodiscard]] std::uint64_t median() const {
    std::uint64_t seen = 0;
    for (std::size_t at = 0; at < counts_.size(); ++at) {
      seen += counts_[at];
      if (seen * 2 >= total_ && seen != 0) return least(at);
    }
    return 0;
  }

 private:
  static constexpr unsigned sub_bits = 4;

  [[nodiscard]] static std::size_t bucket(std::uint64_t value) {
    if (value < (1U << sub_bits)) return value;
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - sub_bits - 1;
    return ((shift + 1ULL) << sub_bits) + ((value >> shift) & ((1U << sub_bits) - 1));
  }
  [[nodiscard]] static std::uint64_t least(std::size_t bucket) {
    if (bucket < (1U << sub_bits)) return bucket;
    const std::size_t shift = (bucket >> sub_bits) - 1;
    return ((1ULL << sub_bits) + (bucket & ((1U << sub_bits) - 1))) << shift;
  }

  std::array<std::uint64_t, 61U << sub_bits> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace raftlab::simulator
