#pragma once

#include "invariants/history.hpp"
#include "invariants/witness.hpp"
#include "kv/service.hpp"

#include <variant>

namespace raftlab::simulator {

/// What a client asks of the store, in the terms of the history: the checkers know nothing of the store's own types.
[[nodiscard]] invariants::Operation to_operation(const kv::Command& command);
[[nodiscard]] invariants::Operation to_operation(const std::variant<kv::Command, kv::GetKeys>& what);
/// The same, into an operation that is used again and again, whose memory is kept.
void to_operation(const kv::CommandView& command, invariants::Operation& operation);
void to_operation(const std::variant<kv::Command, kv::GetKeys>& what, invariants::Operation& operation);
[[nodiscard]] invariants::Outcome to_outcome(const std::variant<kv::Command, kv::GetKeys>& what,
                                             const kv::Answer& answer);
[[nodiscard]] invariants::ReadClaim claim_of(kv::ReadPolicy policy);

}  // namespace raftlab::simulator
