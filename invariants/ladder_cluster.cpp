#include "invariants/ladder.hpp"

#include <algorithm>

/// L3 and L4: the cluster at one instant, and what is written once for ever.
namespace raftlab::invariants {

using raft::NodeId;

/// The delta that makes a leader; the mirror still is the log that it was elected with. G1, G6, G8, G9, E1, E5.
void Ladder::check_election(const Change& change) {
  NodeRecord& node = change.node;
  const std::uint64_t term = change.after.hard.term.value();
  node.own_first = node.log.last() + 1;
  node.shadowed = false;

  count(Rung::G1);
  count(Rung::G8);
  for (const NodeRecord& other : nodes_) {
    if (!other.known) continue;
    if (&other != &node && (cluster_.leaders & set_of(other.id)) != 0 &&
        other.state.hard.term.value() == term) {
      fire(Rung::G1, node.id, "n", other.id, " and n", node.id, " lead term ", term);
    }
    if ((&other == &node ? node.log : other.present_log()).has_term(term)) {
      fire(Rung::G8, node.id, "n", node.id, " wins term ", term, ", and the log of n", other.id,
           " has entries of it");
    }
  }

  count(Rung::E1);
  if (!cluster_.elections.add(Election{term, node.id, node.log.last(), node.log.last_mark()})) {
    fire(Rung::E1, node.id, "term ", term, " was won by n", cluster_.elections.find(term)->leader,
         " and now by n", node.id);
  }

  check_votes_of_winner(node, change.after.hard.term);

  const std::uint64_t below = cluster_.commit_terms.last_below(term);
  if (below == 0) return;
  count(Rung::G6);
  count(Rung::G9);
  count(Rung::E5);
  if (node.log.at(below) == cluster_.committed.at(below)) return;
  const std::uint64_t missing = common_prefix(node.log, cluster_.committed) + 1;
  for (const Rung rung : {Rung::G6, Rung::G9, Rung::E5}) {
    fire(rung, node.id, "n", node.id, " wins term ", term, " with last index ", node.log.last(), " and term ",
         node.log.at(missing).term(), " at index ", missing, ", where term ",
         cluster_.committed.at(missing).term(), " was committed in term ", cluster_.commit_terms.at(missing));
  }
}

/// G5: with the configuration that the delta names.
void Ladder::check_commit_quorum(const Change& change) {
  NodeRecord& node = change.node;
  const std::uint64_t commit = change.after.commit.value();
  count(Rung::G5);
  if (!change.delta.commit_configuration) {
    fire(Rung::G5, node.id, "commits index ", commit, " by no configuration");
    return;
  }
  const std::uint64_t named = change.delta.commit_configuration->value();
  const auto sets = std::find_if(node.configurations.rbegin(), node.configurations.rend(),
                                 [&](const VoterSets& each) { return each.index == named; });
  if (sets == node.configurations.rend()) {
    if (node.unseen_from != 0 && named >= node.unseen_from) return;  // the step takes it away again
    fire(Rung::G5, node.id, "commits index ", commit, " by the configuration of index ", named,
         ", which is none");
    return;
  }
  check_held_by_quorum(node, commit, *sets);
  // A configuration that the delta appends and commits by was not there before: what made it so was committed
  // by the one before it.
  const auto before = std::next(sets);
  if (named <= change.before.last.index.value() || before == node.configurations.rend()) return;
  const std::uint64_t first = std::max({before->index, change.before.commit.value() + 1, node.own_first});
  if (first <= commit) check_held_by_quorum(node, first, *before);
}

void Ladder::check_held_by_quorum(NodeRecord& node, std::uint64_t index, const VoterSets& sets) {
  const Mark mark = node.log.at(index);
  NodeSet holders = 0;
  for (const NodeRecord& other : nodes_) {
    if (other.disk.once_synced(index, mark)) holders |= set_of(other.id);
  }
  if (sets.majority(holders)) return;
  fire(Rung::G5, node.id, "commits index ", index, " of term ", mark.term(), ", only the set ", holders,
       " has had it on disk, of voters (set ", sets.all(), ")");
}

/// E4 and G4: by log matching, to agree at one index is to agree up to it.
void Ladder::check_committed(const Change& change) {
  NodeRecord& node = change.node;
  const std::uint64_t commit = std::min(change.after.commit.value(), node.log.last());
  Mirror& committed = cluster_.committed;
  const std::uint64_t known = std::min(commit, committed.last());
  if (known != 0 && known >= table_.forgotten_below()) {
    count(Rung::E4);
    count(Rung::G4);
    if (node.log.at(known) != committed.at(known)) return report_disagreement(node, known);
  }
  if (commit <= committed.last()) return;
  if (!node.configurations.empty() && node.configurations.back().index > committed.last())
    note_configurations(node, commit);
  committed.extend_from(node.log, commit);
}

void Ladder::report_disagreement(NodeRecord& node, std::uint64_t index) {
  const std::uint64_t first = std::min(common_prefix(node.log, cluster_.committed) + 1, index);
  fire(Rung::E4, node.id, "index ", first, ": term ", cluster_.committed.at(first).term(),
       " was committed, n", node.id, " commits term ", node.log.at(first).term());
  for (const NodeRecord& other : nodes_) {
    if (&other == &node || !other.up || other.state.commit.value() < first) continue;
    if (other.log.at(first) == node.log.at(first)) continue;
    fire(Rung::G4, node.id, "index ", first, ": n", other.id, " has term ", other.log.at(first).term(), ", n",
         node.id, " has term ", node.log.at(first).term(), ", both committed");
  }
}

/// ct: what is now committed in `term` must be in the log of every later leader. G6 now, E5 for all elections.
void Ladder::note_leader_commit(NodeRecord& node, std::uint64_t term, std::uint64_t index) {
  if (!cluster_.commit_terms.note(term, index)) return;
  const Mark mark = node.log.at(index);
  if (const NodeSet others = cluster_.leaders & ~set_of(node.id); others != 0) {
    for (const NodeRecord& other : nodes_) {
      if ((others & set_of(other.id)) == 0 || other.state.hard.term.value() <= term) continue;
      count(Rung::G6);
      if (other.log.at(index) != mark) {
        fire(Rung::G6, other.id, "n", other.id, " leads term ", other.state.hard.term, " without index ",
             index, " of term ", mark.term(), ", which n", node.id, " commits in term ", term);
      }
    }
  }
  if (cluster_.elections.last_term() <= term) return;
  for (auto later = cluster_.elections.all().rbegin(); later->term > term; ++later) {
    count(Rung::E5);
    if (!cluster_.elections.log_held(later->last, later->mark, index, mark)) {
      fire(Rung::E5, later->leader, "n", later->leader, " won term ", later->term, " without index ", index,
           " of term ", mark.term(), ", which n", node.id, " commits in term ", term);
    }
    if (std::next(later) == cluster_.elections.all().rend()) break;
  }
}

/// G7, when a log takes entries: whoever leads their term must have them.
void Ladder::check_longest_in_term(NodeRecord& node, std::uint64_t first, std::uint64_t last) {
  const std::vector<MarkRun>& runs = node.log.runs();
  for (std::size_t at = runs.size(); at > 0; --at) {
    const MarkRun& run = runs[at - 1];
    const std::uint64_t end = at < runs.size() ? run.first == 0 ? 0 : runs[at].first - 1 : last;
    if (end < first) return;
    const Election* election = cluster_.elections.find(run.mark.term());
    if (election == nullptr || election->leader == node.id) continue;
    const NodeRecord& leader = nodes_[election->leader.value() - 1];
    if ((cluster_.leaders & set_of(leader.id)) == 0 || leader.state.hard.term.value() != run.mark.term())
      continue;
    count(Rung::G7);
    if (leader.log.last() < end) {
      fire(Rung::G7, node.id, "n", node.id, " has index ", end, " of term ", run.mark.term(),
           ", its leader n", leader.id, " ends at ", leader.log.last());
    }
  }
}

/// G10, R5.
void Ladder::check_digest(NodeRecord& node, std::uint64_t applied, std::uint64_t digest) {
  node.digests_to = std::max(node.digests_to, applied);
  if (applied < table_.forgotten_below()) return;
  std::uint64_t& known = cluster_.digests.at(applied);
  digest = digest == 0 ? 1 : digest;
  if (known == 0) {
    known = digest;
    return;
  }
  count(Rung::G10);
  const bool replay = applied <= node.replays_to;
  if (replay) count(Rung::R5);
  if (known == digest) return;
  if (replay) {
    fire(Rung::R5, node.id, "index ", applied, ": replayed to a store of digest ", digest, ", it had been ",
         known);
  }
  fire(Rung::G10, node.id, "index ", applied, ": the store of n", node.id, " has digest ", digest,
       ", another has ", known);
}

// ---- The full scan, which must agree ---------------------------------------------------------------------------

void Ladder::scan_cluster() {
  for (std::size_t a = 0; a < nodes_.size(); ++a) {
    if (!nodes_[a].known) continue;
    if (nodes_[a].leads()) scan_leader(nodes_[a]);
    for (std::size_t b = a + 1; b < nodes_.size(); ++b) {
      if (nodes_[b].known) scan_pair(nodes_[a], nodes_[b]);
    }
  }
}

/// G1, G3, G4 of two nodes as they are.
void Ladder::scan_pair(NodeRecord& a, NodeRecord& b) {
  if (a.leads() && b.leads()) {
    count(Rung::G1);
    if (a.state.hard.term == b.state.hard.term) {
      fire(Rung::G1, b.id, "n", a.id, " and n", b.id, " lead term ", a.state.hard.term);
    }
  }
  if (a.up && b.up) {
    const std::uint64_t index = std::min(a.state.commit.value(), b.state.commit.value());
    // A spare may be given a snapshot from below the floor.
    if (index != 0 && index >= table_.forgotten_below()) {
      count(Rung::G4);
      if (a.log.at(index) != b.log.at(index)) report_disagreement(b, index);
    }
  }
  // Where one term stands in both logs, it has one branch.
  const std::vector<MarkRun>& left = a.present_log().runs();
  for (std::size_t at = 0; at < left.size(); ++at) {
    const std::uint64_t end = at + 1 < left.size() ? left[at + 1].first - 1 : a.present_log().last();
    for (const std::uint64_t index : {left[at].first, std::min(end, b.present_log().last())}) {
      const Mark other = b.present_log().at(index);
      if (index < left[at].first || other.term() != left[at].mark.term()) continue;
      count(Rung::G3);
      if (other != left[at].mark) {
        fire(Rung::G3, b.id, "index ", index, ", term ", other.term(), ": n", a.id, " has the log ",
             table_.hash(index, left[at].mark), ", n", b.id, " the log ", table_.hash(index, other));
      }
    }
  }
}

/// G6 and G7 of a leader as it is.
void Ladder::scan_leader(NodeRecord& leader) {
  const std::uint64_t term = leader.state.hard.term.value();
  const std::uint64_t below = cluster_.commit_terms.last_below(term);
  if (below != 0) {
    count(Rung::G6);
    if (leader.log.at(below) != cluster_.committed.at(below)) {
      fire(Rung::G6, leader.id, "n", leader.id, " leads term ", term, " without index ", below, " of term ",
           cluster_.committed.at(below).term());
    }
  }
  for (const NodeRecord& other : nodes_) {
    if (!other.known || &other == &leader) continue;
    const Mirror& log = other.present_log();
    if (log.last_mark().term() < term) continue;
    for (const MarkRun& run : log.runs()) {
      if (run.mark.term() != term) continue;
      count(Rung::G7);
      if (log.run_end(run.first) > leader.log.last()) {
        fire(Rung::G7, other.id, "n", other.id, " has index ", log.run_end(run.first), " of term ", term,
             ", its leader n", leader.id, " ends at ", leader.log.last());
      }
    }
  }
}

}  // namespace raftlab::invariants
