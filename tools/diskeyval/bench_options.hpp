#pragma once

#include "kv/service.hpp"
#include "net/address.hpp"
#include "net/tls.hpp"
#include "tools/diskeyval/exit_code.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What `diskeyval bench` is told.
namespace raftlab::diskeyval {

enum class BenchTarget : std::uint8_t { diskeyval, etcd };  ///< etcd: its JSON gateway of version 3
enum class BenchSpread : std::uint8_t { leader, all };      ///< to whom the clients go

struct BenchOptions {
  std::vector<net::Address> endpoints;  ///< at least one
  std::optional<net::TlsFiles> tls;     ///< none: plain
  /// Of one operation, with the connection that it may need; after it, the operation is an error.
  std::chrono::milliseconds timeout{5'000};
  BenchTarget target = BenchTarget::diskeyval;
  BenchSpread spread = BenchSpread::leader;  ///< etcd does not say who leads: always all
  std::uint32_t clients = 16;                ///< connections, each with one operation under way
  std::chrono::milliseconds duration{10'000};
  std::chrono::milliseconds warm_up{2'000};  ///< before it, not counted
  std::uint64_t keys = 10'000;
  std::uint32_t key_size = 16;         ///< bytes; enough for the number of the last key
  std::uint32_t value_size = 256;      ///< bytes
  std::uint32_t reads_percent = 0;     ///< of the operations
  std::optional<kv::ReadPolicy> read;  ///< none: as the node is set
};

inline constexpr std::uint32_t bench_clients_max = 1'000;
inline constexpr std::uint64_t bench_keys_max = 100'000'000;
inline constexpr std::chrono::milliseconds bench_time_max{86'400'000};

/// The key with this number: "k0000042", as long as `key_size` says.
[[nodiscard]] std::string bench_key(const BenchOptions& options, std::uint64_t number);

/// What cannot be, or cannot be together.
[[nodiscard]] std::optional<Failure> objection_to(const BenchOptions& options);

[[nodiscard]] const char* name(BenchTarget target);
[[nodiscard]] const char* name(BenchSpread spread);
/// As the API calls it.
[[nodiscard]] const char* name(kv::ReadPolicy policy);

}  // namespace raftlab::diskeyval
