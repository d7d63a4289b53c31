#include "kv/store.hpp"

#include <cstdlib>
#include <vector>

/// Any bytes are either refused, and leave the store as it was, or a state whose digest is right and that a
/// snapshot takes to another store. The first byte is the applied index, so that it can be met.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace raftlab;
  if (size == 0) return 0;
  const raft::Index applied(data[0]);
  kv::Store store(kv::StoreOptions{.sessions_max = 3, .found_bytes_max = 10});
  const std::uint64_t before = store.digest();
  if (!store.restore(applied, std::as_bytes(std::span(data, size)).subspan(1))) {
    if (store.digest() != before) std::abort();
    return 0;
  }
  if (store.digest() != store.recompute_digest() || store.applied() != applied) std::abort();
  std::vector<std::byte> written;
  store.begin_snapshot();
  while (!store.write_snapshot(16, written)) {
  }
  kv::Store other(kv::StoreOptions{.sessions_max = 3, .found_bytes_max = 10});
  if (!other.restore(applied, written) || other.digest() != store.digest()) std::abort();
  return 0;
}
