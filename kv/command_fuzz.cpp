#include "kv/command.hpp"

#include "kv/store.hpp"

#include <algorithm>
#include <cstdlib>

/// Any bytes are either no command, or a command within the limits that is written as exactly these bytes and
/// that a store applies.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace raftlab;
  const raft::Bytes bytes = std::as_bytes(std::span(data, size));
  const std::optional<kv::Command> command = kv::decode(bytes);
  if (!command) return 0;
  if (kv::check(*command) != kv::CommandError::none) std::abort();
  std::vector<std::byte> again;
  kv::encode(*command, again);
  if (again.size() != size || !std::equal(again.begin(), again.end(), bytes.begin())) std::abort();
  kv::Store store;
  if (store.apply(raft::Index(1), *command).effect == kv::Effect::malformed) std::abort();
  if (store.digest() != store.recompute_digest()) std::abort();
  return 0;
}
