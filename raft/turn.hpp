#pragma once

#include "raft/core.hpp"

#include <utility>

namespace raftlab::raft {

/// What one step gathers before its flush. Internal to the core's own files.
struct Core::Turn {
  explicit Turn(Output& output) : out(output) {}

  Output& out;

  // Since the last delta.
  Index truncated_from;
  Index appended_from;
  bool installed = false;
  std::optional<Index> commit_configuration;

  // Until the flush.
  Index write_truncate_from;
  bool checkpoint_due = false;
  bool heartbeat_due = false;
};

template <class Sent>
void Core::send(Turn& turn, NodeId to, Sent message) const {
  send_at_term(turn, to, hard_.term, std::move(message));
}

/// Built in its place: an envelope is moved often enough on its way.
template <class Sent>
void Core::send_at_term(Turn& turn, NodeId to, Term term, Sent message) const {
  Envelope& envelope = turn.out.messages.emplace_back();
  envelope.from = options_.id;
  envelope.to = to;
  envelope.term = term;
  envelope.message.emplace<Sent>(std::move(message));
}

}  // namespace raftlab::raft
