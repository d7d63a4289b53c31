#include "simulator/liveness.hpp"

#include <algorithm>
#include <sstream>

namespace raftlab::simulator {

using raft::Progress;
using raft::ProgressState;
using raft::Role;

const Sighting* leader_of(Sightings all) {
  const Sighting* leader = nullptr;
  raft::Term greatest;
  for (const Sighting& node : all) {
    if (node.life != Life::up || !node.member) continue;
    const raft::State& state = node.view.state;
    if (state.hard.term > greatest) leader = nullptr;
    greatest = std::max(greatest, state.hard.term);
    if (state.hard.term == greatest && state.role == Role::leader) leader = &node;
  }
  return leader;
}

bool follows(const Sighting& node, const Sighting& leader) {
  if (node.node == leader.node) return true;
  const raft::State& state = node.view.state;
  return node.life == Life::up && state.role == Role::follower && state.leader == leader.node &&
         state.hard.term == leader.view.state.hard.term;
}

// ---- V6 ---------------------------------------------------------------------------------------------------

/// A reign worth watching: a leader that a majority has just heard, and that has heard a majority. Whoever
/// does not follow it has come back, for nothing separates it from the others any more. Terms above its own
/// would end it rightly.
void NoDisruption::begin(Sightings all) {
  const Sighting* leader = leader_of(all);
  if (leader == nullptr) return;
  std::size_t hear_it = 1;
  std::size_t followers = 0;
  Reign reign{leader->node, leader->view.state.hard.term, {}};
  for (const Sighting& node : all) {
    if (node.life != Life::up) return;  // its term is not known
    reign.lives.push_back(node.incarnation);
    if (!follows(node, *leader)) continue;
    ++followers;
    // The timer of a follower starts again with each message of its leader: one interval, and the message's
    // way.
    if (node.node != leader->node && node.view.state.elapsed_ticks <= heartbeat_ticks_ + 2) ++hear_it;
  }
  const auto heard =
      static_cast<std::size_t>(std::ranges::count_if(leader->view.peers, [&](const Progress& peer) {
        return peer.id == leader->node || peer.recently_active;
      }));
  const std::size_t majority = all.size() / 2 + 1;
  if (followers < all.size() && hear_it >= majority && heard >= majority) reign_ = std::move(reign);
}

void NoDisruption::look(Sightings all) {
  if (objection_) return;
  if (!reign_) return begin(all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].life != Life::up || all[i].incarnation != reign_->lives[i]) {
      reign_.reset();
      return;
    }
  }
  for (const Sighting& node : all) {
    if (node.view.state.hard.term <= reign_->term) continue;
    std::ostringstream text;
    text << 'n' << node.node << " is in term " << node.view.state.hard.term << ", although a majority heard n"
         << reign_->leader << ", the leader of term " << reign_->term << ", and nobody had a greater term";
    objection_ = Objection{node.node, text.str()};
    return;
  }
  const Sighting& leader = all[reign_->leader.value() - 1];
  if (leader.view.state.role != Role::leader) {
    std::ostringstream text;
    text << 'n' << leader.node << " has given up term " << reign_->term
         << ", although a majority heard it and it heard a majority";
    objection_ = Objection{leader.node, text.str()};
    return;
  }
  if (!std::ranges::all_of(all, [&](const Sighting& node) { return follows(node, leader); })) return;
  ++evaluated_;
  reign_.reset();
}

// ---- V8 ---------------------------------------------------------------------------------------------------

namespace {

const Progress* progress_of(const Sighting& leader, NodeId node) {
  const auto found = std::ranges::find(leader.view.peers, node, &Progress::id);
  return found == leader.view.peers.end() ? nullptr : &*found;
}

}  // namespace

void BackToReplicate::look(Sightings all) {
  lagged_.resize(all.size());
  const Sighting* leader = leader_of(all);
  if (leader == nullptr) return;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].life != Life::up || all[i].node == leader->node) continue;
    const Progress* peer = progress_of(*leader, all[i].node);
    if (peer != nullptr && peer->state == ProgressState::probe &&
        all[i].view.state.last.index < leader->view.state.commit) {
      lagged_[i] = true;
    }
  }
}

bool BackToReplicate::all_replicate(Sightings all) {
  const Sighting* leader = leader_of(all);
  return leader != nullptr && std::ranges::all_of(all, [&](const Sighting& node) {
           if (node.life != Life::up || !node.member || node.node == leader->node) return true;
           const Progress* peer = progress_of(*leader, node.node);
           return peer != nullptr && peer->state == ProgressState::replicate &&
                  peer->match == leader->view.state.last.index;
         });
}

void BackToReplicate::conclude(Sightings all) {
  const Sighting* leader = leader_of(all);
  for (std::size_t i = 0; i < lagged_.size(); ++i) {
    if (!lagged_[i] || all[i].life != Life::up || !all[i].member) continue;
    ++evaluated_;
    if (leader != nullptr && leader->node == all[i].node) continue;
    const Progress* peer = leader == nullptr ? nullptr : progress_of(*leader, all[i].node);
    if (objection_ || (peer != nullptr && peer->state == ProgressState::replicate)) continue;
    std::ostringstream text;
    text << 'n' << all[i].node << " lagged and ";
    if (leader == nullptr) {
      text << "has no leader that sends to it";
    } else {
      text << "is still in " << (peer == nullptr ? "no state" : name(peer->state)) << " at its leader n"
           << leader->node;
    }
    objection_ = Objection{all[i].node, text.str()};
  }
}

// ---- V9 ---------------------------------------------------------------------------------------------------

void Bounded::object(NodeId node, const char* what, std::uint64_t found, std::uint64_t most) {
  if (found <= most || objection_) return;
  std::ostringstream text;
  text << 'n' << node << " holds " << found << ' ' << what << ", and " << most << " is the most";
  objection_ = Objection{node, text.str()};
}

namespace {
std::uint64_t pending_reads(const Sighting& node) {
  return node.view.reads.size() + node.view.forwarded.size() + node.view.reads_confirmed;
}
}  // namespace

void Bounded::look(Sightings all) {
  const raft::Limits& core = limits_.core;
  // A counter is looked at before it grows, so that one append or one proposal may carry it over its limit.
  const std::uint64_t append_bytes = std::max(core.append_bytes_max, core.proposal_bytes_max);
  for (const Sighting& node : all) {
    if (node.life != Life::up) continue;
    ++evaluated_;
    object(node.node, "requests", node.waiting, limits_.requests_max);
    object(node.node, "pending reads", pending_reads(node), core.reads_max);
    object(node.node, "uncommitted bytes", node.view.uncommitted_bytes,
           std::uint64_t{core.uncommitted_bytes_max} + core.proposal_bytes_max);
    for (const Progress& peer : node.view.peers) {
      object(node.node, "appends in flight to one peer", peer.window.messages(), core.window_messages);
      object(node.node, "bytes in flight to one peer", peer.window.bytes(), core.window_bytes + append_bytes);
    }
  }
}

namespace {

struct Leftover {
  const char* what;
  std::uint64_t count;
};

/// Everything of a node that must be gone when nobody asks for anything. What is on its way to a peer that
/// refused to start is never acknowledged, and stays.
std::vector<Leftover> leftovers(const Sighting& node, Sightings nodes) {
  const raft::State& state = node.view.state;
  std::vector<Leftover> all = {
      {"messages that wait for the disk", node.view.held},
      {"writes that are not durable", state.issued.value() - state.written.value()},
      {"entries that are not committed", state.last.index.value() - state.commit.value()},
      {"entries that are not applied", state.commit.value() - state.applied.value()},
      {"uncommitted bytes", node.view.uncommitted_bytes},
      {"pending reads", pending_reads(node)},
      {"unanswered requests", node.waiting},
  };
  for (const Progress& peer : node.view.peers) {
    if (nodes[peer.id.value() - 1].life == Life::up)
      all.push_back({"appends in flight to one peer", peer.window.messages()});
  }
  return all;
}

}  // namespace

bool Bounded::at_rest(Sightings all) {
  return std::ranges::all_of(all, [&](const Sighting& node) {
    return node.life != Life::up || !node.member ||
           std::ranges::all_of(leftovers(node, all), [](const Leftover& left) { return left.count == 0; });
  });
}

void Bounded::conclude(Sightings all) {
  for (const Sighting& node : all) {
    if (node.life != Life::up || !node.member) continue;
    for (const Leftover& left : leftovers(node, all)) {
      if (left.count == 0 || objection_) continue;
      std::ostringstream text;
      text << 'n' << node.node << " has " << left.count << ' ' << left.what << " left over at rest";
      objection_ = Objection{node.node, text.str()};
    }
  }
}

}  // namespace raftlab::simulator
