#include "raft/assert.hpp"
#include "scenarios/text.hpp"
#include "scenarios/world.hpp"

#include <algorithm>
#include <utility>

/// Messages in flight, and the macros that deliver many of them.
namespace raftlab::scenarios {

void World::send(const raft::Envelope& envelope) {
  if (is_cut(envelope.from, envelope.to)) return;
  put_in_flight(envelope);
}

void World::put_in_flight(const raft::Envelope& envelope) {
  if (flights_.size() >= messages_in_flight_max) {
    throw Failure{1, "more than " + std::to_string(messages_in_flight_max) + " messages are in flight"};
  }
  flights_.push_back(Flight{++sent_, envelope, false});
}

std::size_t World::position_of(std::uint64_t wanted) const {
  const auto found = std::ranges::lower_bound(flights_, wanted, {}, &Flight::number);
  RAFTLAB_ASSERT(found != flights_.end() && found->number == wanted, wanted);
  return static_cast<std::size_t>(found - flights_.begin());
}

/// A message for a node that is down can be delivered: it is lost then.
bool World::deliverable(const Flight& flight) const {
  const raft::Envelope& envelope = flight.envelope;
  if (flight.held || is_cut(envelope.from, envelope.to)) return false;
  return !paused(envelope.to);
}

void World::deliver(const std::vector<std::uint64_t>& numbers, bool together) {
  std::vector<NodeId> touched;
  for (const std::uint64_t wanted : numbers) {
    const std::size_t position = position_of(wanted);
    raft::Envelope envelope = std::move(flights_[position].envelope);
    flights_.erase(flights_.begin() + static_cast<std::ptrdiff_t>(position));
    const NodeId to = envelope.to;
    if (!up(to)) continue;
    cluster_.service(to).receive(std::move(envelope));
    if (!together) {
      step(to);
    } else if (std::ranges::find(touched, to) == touched.end()) {
      touched.push_back(to);
    }
  }
  for (const NodeId node : touched) step(node);
}

void World::drop(std::uint64_t wanted) {
  flights_.erase(flights_.begin() + static_cast<std::ptrdiff_t>(position_of(wanted)));
}

void World::duplicate(std::uint64_t wanted) {
  const raft::Envelope copy = flights_[position_of(wanted)].envelope;
  put_in_flight(copy);
}

// ---- Macros -----------------------------------------------------------------------------------------------

/// Who hears a leader refuses to vote (thesis §4.2.3): time passes until it does not any more.
void World::pass_lease(NodeId node) {
  if (!profile_.check_quorum) return;
  for (std::uint32_t i = 0; i < 3 * profile_.election_ticks; ++i) {
    const raft::State state = view(node).state;
    const bool hears = state.role == raft::Role::leader || view(node).promise_ticks != 0 ||
                       (state.leader && state.elapsed_ticks < profile_.election_ticks);
    if (!hears) return;
    tick(node);
  }
}

bool World::elect(NodeId node, const std::vector<NodeId>& voters) {
  const std::uint64_t mark = sent_;
  for (const NodeId voter : voters) pass_lease(voter);
  while (view(node).promise_ticks != 0 && view(node).state.role != raft::Role::leader) tick(node);
  const auto is_vote = [&](const Flight& flight) {
    const raft::MessageKind kind = flight.envelope.kind();
    return flight.number > mark &&
           (kind == raft::MessageKind::request_vote || kind == raft::MessageKind::vote_reply);
  };
  const auto takes_part = [&](const Flight& flight) {
    const NodeId other = flight.envelope.from == node ? flight.envelope.to : flight.envelope.from;
    const bool both = flight.envelope.from == node || flight.envelope.to == node;
    return both && std::ranges::find(voters, other) != voters.end() && deliverable(flight);
  };
  std::erase_if(flights_, is_vote);  // of who stood meanwhile
  campaign(node);
  for (;;) {
    const auto found = std::ranges::find_if(
        flights_, [&](const Flight& flight) { return is_vote(flight) && takes_part(flight); });
    if (found == flights_.end()) break;
    deliver({found->number}, false);
  }
  std::erase_if(flights_, is_vote);
  return view(node).state.role == raft::Role::leader;
}

void World::settle(const std::set<NodeId>& nodes) {
  for (std::uint64_t delivered = 0;; ++delivered) {
    const auto found = std::ranges::find_if(flights_, [&](const Flight& flight) {
      return nodes.contains(flight.envelope.from) && nodes.contains(flight.envelope.to) &&
             deliverable(flight);
    });
    if (found == flights_.end()) return;
    if (delivered == deliveries_max) {
      throw Failure{1, "the nodes still talk after " + std::to_string(deliveries_max) + " messages"};
    }
    deliver({found->number}, false);
  }
}

/// None when the nodes agree: one leader, whom all follow, and the same log, committed and applied. Who is no
/// member of the leader's configuration owes nothing.
std::optional<std::string> World::disagreement(const std::set<NodeId>& nodes) const {
  NodeId leader;
  for (const NodeId node : nodes) {
    if (!running(node)) continue;
    const raft::State state = view(node).state;
    if (state.role != raft::Role::leader) continue;
    if (leader && view(leader).state.hard.term >= state.hard.term) continue;
    leader = node;
  }
  if (!leader) return "nobody leads";
  const raft::State reference = view(leader).state;
  if (reference.commit != reference.last.index)
    return name(leader) + " leads and has not committed everything";
  const raft::Configuration& configuration = view(leader).configurations.back().configuration;
  if (configuration.joint()) return name(leader) + " leads and has not left its joint configuration";
  for (const NodeId node : nodes) {
    if (!running(node) || !configuration.is_member(node)) continue;
    const raft::State state = view(node).state;
    const std::string who = name(node);
    if (state.hard.term != reference.hard.term)
      return who + " is in another term than leader " + name(leader);
    if (state.leader != leader) return who + " does not follow leader " + name(leader);
    if (state.last != reference.last) return who + " has another log than leader " + name(leader);
    if (state.commit != reference.commit) return who + " has not committed everything";
    if (applied(node) != state.commit) return who + " has not applied everything";
  }
  return std::nullopt;
}

std::optional<std::string> World::stabilize(const std::set<NodeId>& nodes) {
  const std::uint32_t ticks_max = stabilize_timeouts_max * profile_.election_ticks;
  settle(nodes);
  for (std::uint32_t ticks = 0; ticks < ticks_max; ++ticks) {
    if (!disagreement(nodes)) return std::nullopt;
    for (const NodeId node : nodes) {
      if (running(node)) tick(node);
    }
    settle(nodes);
  }
  return disagreement(nodes);
}

}  // namespace raftlab::scenarios
