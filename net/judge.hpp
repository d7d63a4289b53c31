#pragma once

#include "net/reason.hpp"
#include "raft/core.hpp"
#include "raft/messages.hpp"

#include <cstdint>
#include <optional>

/// What no correct member sends, as far as a node can tell from what it knows itself. The core drops all of it, too, and
/// more; here it has a name, so that the link can be ended and an operator hears of it. No I/O.
namespace raftlab::net {

/// By so much a term of a peer may be ahead of ours. Each is an election: at one a millisecond this is seven weeks of a
/// cluster without us. It keeps a member from using up the terms that there are (`raft::term_max`) in one message.
inline constexpr std::uint64_t term_lead_max = 1ULL << 32U;

/// Why the message cannot come from a correct member; none: it can. What the node knows may be behind what it has been
/// sent; the answer is right all the same, since it rests on facts alone that no later message undoes: who led in a term,
/// and what is committed.
[[nodiscard]] std::optional<Reason> objection_to(const raft::Envelope& envelope, const raft::View& view);

}  // namespace raftlab::net
