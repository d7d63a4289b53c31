#include "tools/diskeyval/bench_options.hpp"

namespace raftlab::diskeyval {
namespace {

// The limits of the store (docs/http-api.md).
constexpr std::uint32_t key_bytes_max = 4'096;
constexpr std::uint32_t value_bytes_max = 1'000'000;

std::string within(std::uint64_t least, std::uint64_t most) {
  return ": a number from " + std::to_string(least) + " to " + std::to_string(most) + " was expected";
}

}  // namespace

const char* name(BenchTarget target) { return target == BenchTarget::etcd ? "etcd" : "diskeyval"; }
const char* name(BenchSpread spread) { return spread == BenchSpread::all ? "all" : "leader"; }

const char* name(kv::ReadPolicy policy) {
  switch (policy) {
    case kv::ReadPolicy::stale: return "stale";
    case kv::ReadPolicy::read_index: return "read_index";
    case kv::ReadPolicy::lease: break;
  }
  return "lease";
}

std::string bench_key(const BenchOptions& options, std::uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string key(options.key_size, '0');
  key.front() = 'k';
  key.replace(key.size() - digits.size(), digits.size(), digits);
  return key;
}

std::optional<Failure> objection_to(const BenchOptions& options) {
  const auto usage = [](std::string message) { return Failure{ExitCode::usage, std::move(message)}; };
  if (options.clients < 1 || options.clients > bench_clients_max)
    return usage("--clients" + within(1, bench_clients_max));
  if (options.keys < 1 || options.keys > bench_keys_max) return usage("--keys" + within(1, bench_keys_max));
  const std::size_t key_bytes_min = std::to_string(options.keys - 1).size() + 1;
  if (options.key_size < key_bytes_min || options.key_size > key_bytes_max) {
    return usage("--key-size" + within(key_bytes_min, key_bytes_max) + " for " +
                 std::to_string(options.keys) + " keys");
  }
  if (options.value_size > value_bytes_max) return usage("--value-size" + within(0, value_bytes_max));
  if (options.reads_percent > 100) return usage("--reads" + within(0, 100));
  if (options.target == BenchTarget::etcd && options.read == kv::ReadPolicy::lease)
    return usage("--read-policy lease: etcd has none");
  return std::nullopt;
}

}  // namespace raftlab::diskeyval
