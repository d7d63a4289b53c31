#pragma once

#include "kv/command.hpp"
#include "kv/store.hpp"
#include "raft/types.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace raftlab::kv {

/// What a store keeps of a client: its highest number, what was asked under it, and the answer.
struct Session {
  ClientId client;
  Sequence sequence;             ///< of the last command; 0: none yet
  std::uint64_t change = 0;      ///< `hash` of what the last command changes; 0: none yet
  Effect effect = Effect::done;  ///< of the last command: `done` or `compare_failed`
  raft::Index index;             ///< of the last command, applied the first time; 0: none yet
  raft::Index used;              ///< of the last entry that named this session, which no other session shares
  std::optional<std::string> found;  ///< by the last command
  std::uint64_t found_digest = 0;    ///< kept, since `found` may be long
  std::uint64_t digest = 0;          ///< of all of the above
};

}  // namespace raftlab::kv
