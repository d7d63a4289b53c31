#include "tools/diskeyval/bench_work.hpp"

#include <algorithm>

namespace raftlab::diskeyval {
namespace {

using Kind = BenchOperation::Kind;

constexpr std::uint64_t fill_keys_max = 100;  // both stores take so many in one request
// With all escapes and base64 far below the limit of a request.
constexpr std::uint64_t fill_bytes_max = 256U << 10U;
constexpr std::size_t error_kinds_max = 50;
constexpr std::chrono::seconds fill_patience{15};

}  // namespace

BenchWork::BenchWork(const BenchOptions& options, Time now) : options_(options), fill_progressed_(now) {
  if (options.reads_percent == 0) {
    begin_warm_up(now);
    return;
  }
  const std::uint64_t each = std::uint64_t{options.key_size} + options.value_size;
  const std::uint64_t together = std::clamp<std::uint64_t>(fill_bytes_max / each, 1, fill_keys_max);
  for (std::uint64_t key = 0; key < options.keys; key += together)
    fill_.push_back({Kind::fill, key, std::min(together, options.keys - key), {}});
}

void BenchWork::begin_warm_up(Time now) {
  counts_from_ = now + options_.warm_up;
  ends_ = *counts_from_ + options_.duration;
}

/// SplitMix64: the same keys in each run.
std::uint64_t BenchWork::draw(std::uint64_t below) {
  std::uint64_t mixed = drawn_ += 0x9e3779b97f4a7c15ULL;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebULL;
  return (mixed ^ (mixed >> 31U)) % below;
}

std::optional<BenchOperation> BenchWork::next(Time now) {
  if (failed_ || (ends_ && now >= *ends_)) return std::nullopt;
  if (!fill_.empty()) {
    BenchOperation operation = fill_.front();
    fill_.pop_front();
    ++fill_under_way_;
    operation.began = now;
    return operation;
  }
  // Also while others still write the last keys: it does not count yet.
  BenchOperation operation;
  operation.kind = draw(100) < options_.reads_percent ? Kind::read : Kind::write;
  operation.key = draw(options_.keys);
  operation.began = now;
  return operation;
}

void BenchWork::finished(const BenchOperation& operation, Time now, const std::string& error) {
  if (operation.kind == Kind::fill) {
    --fill_under_way_;
    if (error.empty()) {
      fill_progressed_ = now;
      if (fill_.empty() && fill_under_way_ == 0 && !ends_) begin_warm_up(now);
    } else if (now - fill_progressed_ > fill_patience) {
      failed_ = Failure{ExitCode::unavailable, "the keys that are to be read cannot be written: " + error};
    } else {
      fill_.push_back(operation);
    }
    return;
  }
  if (!counts_from_ || operation.began < *counts_from_ || operation.began >= *ends_) return;
  BenchSide& side = operation.kind == Kind::read ? result_.reads : result_.writes;
  if (error.empty()) {
    side.latencies.add(now - operation.began);
    return;
  }
  ++side.errors;
  const bool known = result_.errors_by_kind.contains(error);
  ++result_.errors_by_kind[known || result_.errors_by_kind.size() < error_kinds_max ? error : "others"];
}

void BenchWork::end(Time now) {
  if (!ends_ || now < *ends_) ends_ = now;
}

BenchResult BenchWork::result() const {
  BenchResult result = result_;
  if (counts_from_) result.measured = std::max(*ends_ - *counts_from_, std::chrono::nanoseconds(0));
  return result;
}

}  // namespace raftlab::diskeyval
