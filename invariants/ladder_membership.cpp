#include "invariants/ladder.hpp"
#include "raft/configuration.hpp"

#include <algorithm>

/// Changes of the configuration: N10, N11, D18, G12, G13, G15. A log's configurations are its mirror's: that
/// of the snapshot and the entries behind it. All of this is asked only where a configuration is appended,
/// committed or decides.
namespace raftlab::invariants {

using raft::Role;

// ---- Any node --------------------------------------------------------------------------------------------------

namespace {

bool sound_shape(const VoterSets& sets) {
  const NodeSet listed = sets.all() | sets.learners | sets.learners_next;
  if (sets.voters == 0 || sets.members != listed || (sets.learners & sets.all()) != 0) return false;
  return (sets.learners_next & ~sets.outgoing) == 0 && (sets.learners_next & sets.voters) == 0;
}

}  // namespace

/// N10 and G12, for an entry that a log takes: what it is, and what it follows.
void Ladder::mirror_configuration(NodeRecord& node, const raft::EntryView& entry, std::uint64_t index) {
  const auto decoded = raft::decode_configuration(entry.payload);
  if (!decoded) {
    count(Rung::N10);
    fire(Rung::N10, node.id, "index ", index, " is a configuration that cannot be read");
    return;
  }
  const VoterSets sets = voter_sets(index, *decoded);
  const VoterSets* before = node.configurations.empty() || node.configurations.back().voters == 0
                                ? nullptr
                                : &node.configurations.back();
  const bool leaves = before != nullptr && before->joint();
  if (sets.joint() || leaves) count(Rung::N10);
  if (!sound_shape(sets)) {
    fire(Rung::N10, node.id, "index ", index, " is a configuration of voters (set ", sets.voters,
         "), outgoing ", sets.outgoing, ", learners ", sets.learners, ", learners next ", sets.learners_next,
         ", members ", sets.members);
  }
  if (leaves && sets.content != before->leaves) {
    fire(Rung::N10, node.id, "index ", index, " (voters ", sets.voters, ", outgoing ", sets.outgoing,
         ") follows the joint configuration of index ", before->index, " (voters ", before->voters,
         ", outgoing ", before->outgoing, "), and is not its incoming side");
  }
  if (before != nullptr && (sets.joint() || leaves || sets.voters != before->voters)) {
    count(Rung::G12);
    if (!quorums_meet(*before, sets)) {
      fire(Rung::G12, node.id, "index ", index, " (voters ", sets.voters, ", outgoing ", sets.outgoing,
           ") follows index ", before->index, " (voters ", before->voters, ", outgoing ", before->outgoing,
           "), and they have quorums that do not meet");
    }
  }
  node.configurations.push_back(sets);
}

// ---- A leader --------------------------------------------------------------------------------------------------

/// N11.
void Ladder::check_one_change(NodeRecord& node) {
  const std::uint64_t commit = node.state.commit.value();
  const std::size_t held = node.configurations.size();
  if (held == 0 || node.configurations.back().index <= commit) return;
  if (node.log.at(commit).term() != node.state.hard.term.value()) return;
  count(Rung::N11);
  if (held > 1 && node.configurations[held - 2].index > commit) {
    fire(Rung::N11, node.id, "leads term ", node.state.hard.term, ", has committed in it up to ", commit,
         ", and has the configurations of index ", node.configurations[held - 2].index, " and ",
         node.configurations.back().index, " above that");
  }
}

/// D18, for what a leader appended in this delta; the mirror is the log after it.
void Ladder::check_configuration_rule(const Change& change) {
  NodeRecord& node = change.node;
  const std::vector<VoterSets>& held = node.configurations;
  for (std::size_t at = held.size(); at > 0; --at) {
    const VoterSets& appended = held[at - 1];
    if (appended.index < change.delta.appended_from.value()) return;
    const VoterSets* previous = at > 1 ? &held[at - 2] : nullptr;
    count(Rung::D18);
    if (previous == nullptr || !previous->joint() || appended.content != previous->leaves) {
      check_proposed(change, previous, appended);
      continue;
    }
    const raft::Index commit = change.after.commit;
    if (commit.value() < previous->index ||
        node.log.at(commit.value()).term() != change.after.hard.term.value()) {
      fire(Rung::D18, node.id, "leaves the joint configuration of index ", previous->index, " in term ",
           change.after.hard.term, ", with C = ", commit, " of term ", node.log.at(commit.value()).term());
    }
  }
}

void Ladder::check_proposed(const Change& change, const VoterSets* previous, const VoterSets& appended) {
  const NodeRecord& node = change.node;
  const auto* proposed =
      change.input == nullptr ? nullptr : std::get_if<raft::ProposeConfiguration>(change.input);
  if (proposed == nullptr) {
    fire(Rung::D18, node.id, "appends the configuration of index ", appended.index,
         ", which nobody asked for and which leaves no joint one");
    return;
  }
  const raft::Index commit = change.before.commit;
  if (change.before.role != Role::leader ||
      node.log.at(commit.value()).term() != change.before.hard.term.value()) {
    fire(Rung::D18, node.id, "accepts a configuration as ", raft::name(change.before.role), " of term ",
         change.before.hard.term, ", with C = ", commit, " of term ", node.log.at(commit.value()).term());
  }
  if (previous == nullptr || previous->index > commit.value() || previous->joint()) {
    fire(Rung::D18, node.id, "accepts a configuration at index ", appended.index, " behind that of index ",
         previous == nullptr ? 0 : previous->index,
         previous != nullptr && previous->joint() ? ", which is joint," : "", " with C = ", commit);
  }
  const std::uint64_t wanted = voter_sets(0, proposed->target).content;
  if ((appended.joint() ? appended.leaves : appended.content) != wanted) {
    fire(Rung::D18, node.id, "appends a configuration at index ", appended.index, " (voters ",
         appended.voters, ", outgoing ", appended.outgoing, ") that does not lead to what was asked for");
  }
  // Who hands over after the step, and did not begin to at or behind this input, did so when it came. A leader whose
  // disk stalls begins by itself, with a tick.
  if (!change.step.view.transferee) return;
  const auto position = static_cast<std::size_t>(change.input - change.step.inputs.data());
  for (std::size_t at = position; at < change.step.inputs.size(); ++at) {
    const raft::Input& input = change.step.inputs[at];
    if (std::holds_alternative<raft::Transfer>(input) || std::holds_alternative<raft::Tick>(input)) return;
  }
  fire(Rung::D18, node.id, "accepts a configuration at index ", appended.index, " while it hands over to n",
       change.step.view.transferee);
}

// ---- The cluster -----------------------------------------------------------------------------------------------

/// G15: another configuration is committed, behind those that are known.
void Ladder::check_committed_chain(const NodeRecord& node, const VoterSets& committed) {
  if (!committed.joint() || cluster_.configurations.empty()) return;
  count(Rung::G15);
  const VoterSets& before = cluster_.configurations.back();
  if (!before.joint()) return;
  fire(Rung::G15, node.id, "the joint configurations of index ", before.index, " and ", committed.index,
       " are committed, and no simple one in between");
}

/// G13: of those whose votes of this term the winner has, its voters are a quorum.
void Ladder::check_votes_of_winner(NodeRecord& node, raft::Term term) {
  if (node.configurations.empty()) return;
  NodeSet granted = 0;
  for (const NodeRecord& other : nodes_) {
    if (cluster_.votes[other.id.value() - 1].may_have_voted(term, node.id)) granted |= set_of(other.id);
  }
  const VoterSets& sets = node.configurations.back();
  count(Rung::G13);
  if (!sets.majority(granted)) {
    fire(Rung::G13, node.id, "wins term ", term, " with the votes of the set ", granted,
         ", the voters are the set ", sets.voters, ", outgoing ", sets.outgoing);
  }
}

/// G13, for a leader's commit: those decide who vote in the last configuration of its log, and who is removed
/// by what is now committed does not go on leading.
void Ladder::check_deciders(const Change& change) {
  NodeRecord& node = change.node;
  const std::vector<VoterSets>& held = node.configurations;
  if (held.empty()) return;
  if (held.size() > 1 && change.delta.commit_configuration) {
    const std::uint64_t named = change.delta.commit_configuration->value();
    const auto next =
        std::find_if(held.begin(), held.end(), [&](const VoterSets& sets) { return sets.index > named; });
    count(Rung::G13);
    if (next != held.end() && next->index <= change.before.last.index.value()) {
      fire(Rung::G13, node.id, "commits index ", change.after.commit, " by the configuration of index ",
           named, ", index ", next->index, " had replaced it");
    }
  }
  if ((held.back().all() & set_of(node.id)) != 0) return;
  count(Rung::G13);
  if (change.after.role == Role::leader && !node.may_stand(change.after.commit.value())) {
    fire(Rung::G13, node.id, "leads term ", change.after.hard.term, " on with C = ", change.after.commit,
         ", and is no voter of the configuration there nor of one above");
  }
}

}  // namespace raftlab::invariants
