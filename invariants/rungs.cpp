#include "invariants/rungs.hpp"

#include <array>

namespace raftlab::invariants {
namespace {

constexpr RungInfo here(Rung rung, const char* id, const char* name, int level, const char* sentence) {
  return RungInfo{rung, id, name, sentence, level, false};
}
constexpr RungInfo outside(Rung rung, const char* id, const char* name, int level, const char* sentence) {
  return RungInfo{rung, id, name, sentence, level, true};
}

constexpr std::array<RungInfo, rung_count> table = {
    outside(Rung::N0, "N0", "no-failure", 0, "no assertion, exception or endless loop in code under test"),
    here(
        Rung::N1, "N1", "indices-in-order", 0,
        "first-1 <= S.idx <= C <= last, A <= handed <= C, D <= last; S.idx <= A unless S is being installed"),
    here(Rung::N2, "N2", "no-hole", 0, "the log holds every index from first to last, once"),
    here(Rung::N3, "N3", "terms-never-fall", 0,
         "the terms of the log never fall; base and S are of the terms that it has there"),
    here(Rung::N4, "N4", "last-term-below-own", 0, "the term of the last entry is at most the node's term"),
    here(Rung::N5, "N5", "term-runs", 0,
         "the index of term runs answers like the log itself; its runs rise strictly"),
    here(Rung::N6, "N6", "role-shape", 0,
         "leader: ld = V = self; candidate: V = self; follower: ld is another; who leads is a voter; who can "
         "be "
         "elected has a deadline within 2 ET, a leader has none"),
    here(Rung::N7, "N7", "candidate-is-voter", 0,
         "a (pre-)candidate is a voter of cfg(C) or of a configuration above C"),
    here(Rung::N8, "N8", "bootstrap-entry", 0,
         "entry 1 is the bootstrap configuration; an empty configuration follows"),
    here(Rung::N9, "N9", "configuration-history", 0,
         "the history of configurations is exactly that of S and the configuration entries behind S; its top "
         "is "
         "in effect"),
    here(Rung::N10, "N10", "joint-shape", 0,
         "joint: both voter sets non-empty, learners disjoint from incoming voters, leaving gives the "
         "incoming side"),
    here(Rung::N11, "N11", "one-change-at-a-time", 0,
         "a leader that committed in its term has at most one configuration entry above C"),
    here(Rung::N12, "N12", "tracker", 0,
         "a leader tracks exactly the members; match < next <= last+1; own match = D; probe has one append "
         "outstanding at most, replicate the window at most; who needs what is compacted away is in "
         "snapshot, with "
         "none outstanding"),
    here(Rung::N13, "N13", "commit-maximal", 0,
         "a leader has no index above C of its own term that a quorum is known to hold"),
    here(Rung::N14, "N14", "votes-sound", 0,
         "granted and refused votes are disjoint and of voters; who still stands has neither won nor lost"),
    here(Rung::N15, "N15", "byte-counters", 0,
         "byte counters are exact, and bounded by their limit plus one entry"),
    here(Rung::N16, "N16", "pending-reads", 0,
         "pending reads: term(C) = T, confirmed <= issued, index <= C, numbers rise; forwarded reads have a "
         "leader; a released read is applied"),
    here(Rung::N17, "N17", "submitted-is-memory", 0,
         "hard state, snapshot and log in memory are what the submitted writes add up to; T^d <= T"),
    here(Rung::N18, "N18", "nothing-leaves-early", 0,
         "a vote request, a granted vote, an acknowledgement of entries or of a snapshot, a leader's message "
         "leave "
         "only when what they state is durable"),
    here(Rung::N19, "N19", "apply-committed-durable", 0,
         "a range handed to apply lies in (handed before, min(C, D)]"),

    here(Rung::D1, "D1", "term-rises", 1, "the term never falls"),
    here(Rung::D2, "D2", "vote-stays", 1, "within a term, a vote that is set stays"),
    here(Rung::D3, "D3", "leader-stays", 1, "within a term, a known leader stays or is forgotten"),
    here(Rung::D4, "D4", "role-transitions", 1,
         "roles change along the arrows only; never into leader in the delta that raised T"),
    here(Rung::D5, "D5", "progress-never-falls", 1,
         "C, A, S.idx and, within a term, read numbers never fall"),
    here(Rung::D6, "D6", "committed-stays", 1, "entries up to C stay as they are, or are covered by S'"),
    here(Rung::D7, "D7", "leader-append-only", 1, "a leader's log only grows, compaction apart"),
    here(Rung::D8, "D8", "truncate-on-conflict", 1,
         "the log is cut only by an append that conflicts in term above C, or by an installed snapshot"),
    here(Rung::D9, "D9", "match-never-falls", 1, "while a leader leads, match indices never fall"),
    here(Rung::D10, "D10", "commit-own-term", 1, "a leader moves C only to an entry of its own term"),
    here(Rung::D11, "D11", "follower-commit", 1,
         "a follower's C moves to max(C, min(leader commit, prev + count)) by an accepted append, to the "
         "commit of a "
         "heartbeat, which the leader keeps <= match"),
    here(Rung::D12, "D12", "acknowledge-accepted", 1,
         "an acknowledged match is at most max(largest prev + count accepted in T, C), and at most D"),
    here(Rung::D13, "D13", "pre-vote-changes-nothing", 1,
         "a PreVote changes neither T nor V nor role nor timers"),
    here(Rung::D14, "D14", "vote-rule", 1,
         "a vote goes to a log at least as new, when V is free, and not against a lease; so does the grant "
         "of a PreVote"),
    here(Rung::D15, "D15", "install-rule", 1,
         "a snapshot is installed above C only, then C' = S'.idx; a matching suffix stays, any other log "
         "goes"),
    here(Rung::D16, "D16", "apply-without-gap", 1,
         "ranges to apply follow each other without gap, or start after a restored snapshot"),
    here(Rung::D17, "D17", "writes-in-order", 1,
         "write numbers rise, completions come in order, D' >= min(D, truncate_from - 1)"),
    here(Rung::D18, "D18", "configuration-rule", 1,
         "a configuration is accepted by a leader that committed in T, one at a time, not joint, not "
         "transferring"),
    here(Rung::D19, "D19", "fault-is-final", 1, "after a fault every output is that fault and nothing else"),
    outside(Rung::D20, "D20", "deterministic", 1,
            "the same state and input give the same state, output and digest"),
    here(Rung::D21, "D21", "quiet-tick", 1, "a tick below every deadline has no output"),

    here(Rung::R1, "R1", "recovered-prefix", 2,
         "recovered = all acknowledged writes and, of the rest, a prefix by records"),
    here(Rung::R2, "R2", "recovered-promises", 2, "T and V recovered cover every message that was released"),
    here(Rung::R3, "R3", "recovered-acknowledged", 2,
         "each acknowledged entry is there, or under the snapshot, unless a later submitted write cut the "
         "log at or "
         "below it or installed over it"),
    outside(Rung::R4, "R4", "damage-refused", 2,
            "damage above the watermark is cut off, any other damage is a typed refusal"),
    here(Rung::R5, "R5", "replay-digest", 2, "snapshot and log replay to the digest from before the crash"),
    here(Rung::R6, "R6", "no-older-image", 2,
         "an older image never returns under the same identity unnoticed"),
    here(Rung::R7, "R7", "recovered-not-durable", 2, "D covers only what the disk holds after a power loss"),

    here(Rung::G1, "G1", "one-leader-per-term", 3, "two leaders have different terms"),
    here(Rung::G2, "G2", "message-term", 3,
         "a message carries the term of its sender, a PreVote the next one, its grant an echo; a promise at "
         "most T^d"),
    here(Rung::G3, "G3", "log-matching", 3, "two logs with the same term at k are the same up to k"),
    here(Rung::G4, "G4", "committed-agreement", 3,
         "two nodes agree up to the lesser of their commit indices"),
    here(Rung::G5, "G5", "commit-needs-quorum", 3,
         "a leader moves C to k when a majority of every voter set has once had k, or a snapshot over it, on "
         "stable "
         "storage"),
    here(Rung::G6, "G6", "leader-completeness", 3,
         "a leader of T holds every k with ct[k] < T, or its snapshot covers it"),
    here(Rung::G7, "G7", "leader-longest-in-term", 3,
         "the leader of T has the greatest index of term T anywhere, S counted"),
    here(Rung::G8, "G8", "new-term-is-empty", 3,
         "when a candidate of T has its quorum, no log has an entry of T"),
    here(Rung::G9, "G9", "winner-holds-committed", 3,
         "the winner of T holds every k with ct[k] < T, or its snapshot covers it"),
    here(Rung::G10, "G10", "state-machine-safety", 3, "equal A: equal digest; both applied k: same entry"),
    here(Rung::G11, "G11", "snapshot-reference", 3,
         "S.idx <= greatest commit; entry, configuration and content at S.idx are those of the reference"),
    here(Rung::G12, "G12", "quorums-meet", 3,
         "two configurations that can both decide have quorums that meet"),
    here(Rung::G13, "G13", "non-voter-counts-nowhere", 3,
         "who is no voter counts nowhere and does not go on leading"),
    here(Rung::G14, "G14", "match-is-synced", 3,
         "match of p is at most what p has once had on stable storage, and the entries agree there"),
    here(Rung::G15, "G15", "one-joint", 3,
         "at most one joint configuration between two simple committed ones"),

    here(Rung::E1, "E1", "leader-written-once", 4, "a term is won once"),
    here(Rung::E2, "E2", "vote-written-once", 4, "a node votes once in a term, across crashes"),
    here(Rung::E3, "E3", "entry-written-once", 4, "an index and a term have one entry, across crashes"),
    here(Rung::E4, "E4", "commit-written-once", 4, "an index is committed with one entry, across crashes"),
    here(Rung::E5, "E5", "elected-holds-committed", 4,
         "at its election the leader of T holds all k with ct[k] < T"),
    outside(Rung::E6, "E6", "acknowledged-stays", 4,
            "an acknowledged write stays committed; one refused in every attempt never appears"),
    outside(Rung::E7, "E7", "applied-once", 4, "each (client, sequence) is applied once"),
    outside(Rung::E8, "E8", "linearizable", 4, "the clients' history is linearizable"),
    outside(Rung::E9, "E9", "read-sees-committed", 4,
            "a linearizable read sees an index >= everything committed anywhere when it was invoked"),
    outside(Rung::E10, "E10", "lease-read-sees-committed", 4,
            "E9 for lease reads while clocks drift within the bound"),

    outside(Rung::V1, "V1", "a-leader", 5, "one leader within k ET of healing"),
    outside(Rung::V2, "V2", "logs-equal", 5,
            "logs equal and A = C on every node that did not refuse to start"),
    outside(Rung::V3, "V3", "accepted-commits", 5, "what the final leader accepted commits"),
    outside(Rung::V4, "V4", "joint-leaves", 5, "joint configurations leave"),
    outside(Rung::V5, "V5", "transfer-ends", 5, "a transfer ends, proposals resume"),
    outside(Rung::V6, "V6", "no-disruption", 5,
            "with pre-vote and check-quorum, a healed node whose T is not above the majority's does not "
            "raise it"),
    outside(Rung::V7, "V7", "reads-answered", 5, "reads are answered or rejected"),
    outside(Rung::V8, "V8", "back-to-replicate", 5, "a lagging follower returns to replicate"),
    outside(Rung::V9, "V9", "bounded", 5, "memory stays within its limits, and nothing is left over at rest"),
    outside(Rung::V10, "V10", "one-way-cut", 5,
            "progress also under one persisting one-way cut that leaves a majority in touch"),
    outside(Rung::V11, "V11", "destroyed-replaced", 5,
            "while there are spares for them, no member stays whose data is destroyed"),
};

constexpr bool in_order() {
  for (std::size_t at = 0; at < table.size(); ++at) {
    if (static_cast<std::size_t>(table[at].rung) != at) return false;
  }
  return true;
}
static_assert(in_order(), "a rung's information stands at its number");

}  // namespace

std::span<const RungInfo> rungs() { return table; }

const RungInfo& info(Rung rung) { return table[static_cast<std::size_t>(rung)]; }

}  // namespace raftlab::invariants
