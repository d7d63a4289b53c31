#include "raft/core.hpp"
#include "raft/quorum.hpp"
#include "raft/turn.hpp"

#include <algorithm>

/// Leases: thesis §6.4.1. While a leader holds one, nobody else can have been elected, so it may answer reads alone.
///
/// *The promise.* Who hears a leader votes for nobody for E = `election_ticks_min` ticks of its own clock, whatever terms it
/// learns of meanwhile. The first of those ticks may come at once, so the promise lasts for more than E - 1 of its tick
/// lengths. A node that starts does not know what it promised, and keeps quiet for 2 E ticks. Only a candidate that the
/// leader itself has sent is excepted; a leader that sends one has no lease for the rest of its term.
///
/// *The lease.* It counts from the sending of a round that a quorum has answered: whoever answered heard it later than that.
/// A leader that began a round at its tick s and reads at its tick n has been waiting for less than n - s + 1 of its tick
/// lengths. One of these is at most 1 + d of a voter's, d = `lease_drift_ppm` / 10^6. So the lease holds while
/// (n - s + 1) (1 + d) <= E - 1, that is n - s < lease_ticks = (E - 1) / (1 + d), rounded down. Two ticks are lost to their
/// being whole: one here, one of the voter's.
///
/// *Why it is enough.* Whoever is elected has the vote of a member of that quorum, since quorums of the configurations that
/// may decide meet; that vote was given after the promise ended, hence after the lease did.
namespace raftlab::raft {

namespace {
constexpr std::uint64_t million = 1'000'000;
}

void Core::promise_to_leader() {
  if (uses_leases()) promise_ticks_ = std::max(promise_ticks_, options_.election_ticks_min);
}

std::uint64_t Core::lease_ticks() const {
  return (options_.election_ticks_min - 1) * million / (million + *options_.lease_drift_ppm);
}

/// One mark for each tick in which rounds began; what is too old for any lease is forgotten.
void Core::note_round(Leader& leader) const {
  if (!uses_leases()) return;
  if (leader.rounds.empty() || leader.rounds.back().tick != leader.ticks)
    leader.rounds.push_back(RoundSent{read_issued_, leader.ticks});
  const std::uint64_t longest = lease_ticks();
  std::erase_if(leader.rounds, [&](const RoundSent& sent) { return sent.tick + longest <= leader.ticks; });
}

bool Core::holds_lease(const Leader& leader) const {
  if (!uses_leases() || leader.lease_ended) return false;
  const auto began = [&](NodeId node) -> std::uint64_t {  // 0: too long ago, or never
    if (node == options_.id) return leader.ticks;
    const auto peer = std::ranges::find(leader.peers, node, &Progress::id);
    if (peer == leader.peers.end()) return 0;
    const auto after = std::ranges::upper_bound(leader.rounds, peer->read, {}, &RoundSent::round);
    return after == leader.rounds.begin() ? 0 : std::prev(after)->tick;
  };
  const std::uint64_t since = quorum_number(configuration(), began);
  return since != 0 && leader.ticks - since < lease_ticks();
}

}  // namespace raftlab::raft
