#include "tools/diskeyval/bench_latencies.hpp"

#include <algorithm>
#include <bit>

namespace raftlab::diskeyval {
namespace {

std::chrono::nanoseconds nanoseconds(std::uint64_t count) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(count));
}

}  // namespace

std::size_t Latencies::bucket_of(std::uint64_t value) {
  if (value < (1U << sub_bits)) return value;
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - sub_bits - 1;
  return ((shift + 1ULL) << sub_bits) + ((value >> shift) & ((1U << sub_bits) - 1));
}

std::uint64_t Latencies::greatest_in(std::size_t bucket) {
  if (bucket < (1U << sub_bits)) return bucket;
  const std::size_t shift = (bucket >> sub_bits) - 1;
  const std::uint64_t least = ((1ULL << sub_bits) + (bucket & ((1U << sub_bits) - 1))) << shift;
  return least + ((1ULL << shift) - 1);
}

void Latencies::add(std::chrono::nanoseconds latency) {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
  ++counts_[bucket_of(value)];
  least_ = count_ == 0 ? value : std::min(least_, value);
  greatest_ = std::max(greatest_, value);
  ++count_;
  sum_ += value;
}

std::chrono::nanoseconds Latencies::least() const { return nanoseconds(least_); }
std::chrono::nanoseconds Latencies::mean() const { return nanoseconds(count_ == 0 ? 0 : sum_ / count_); }
std::chrono::nanoseconds Latencies::greatest() const { return nanoseconds(greatest_); }

std::chrono::nanoseconds Latencies::percentile(std::uint32_t per_100000) const {
  // Divided before it is multiplied: no count is too large for it.
  const std::uint64_t wanted = std::max<std::uint64_t>(
      1, count_ / 100'000 * per_100000 + (count_ % 100'000 * per_100000 + 99'999) / 100'000);
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    seen += counts_[bucket];
    if (seen >= wanted) return nanoseconds(std::clamp(greatest_in(bucket), least_, greatest_));
  }
  return nanoseconds(greatest_);
}

}  // namespace raftlab::diskeyval
