#include "invariants/ladder.hpp"
#include "raft/types.hpp"

#include <algorithm>

/// L1: one node, across one delta.
namespace raftlab::invariants {

using raft::AppendEntries;
using raft::Heartbeat;
using raft::NodeId;
using raft::RequestVote;
using raft::Role;
using raft::State;

/// Written as one expression without branches, because most flushes are like that.
bool Ladder::nothing_but_progress(const State& before, const State& after) {
  const auto differ = [](auto a, auto b) { return static_cast<std::uint64_t>(a.value() ^ b.value()); };
  const std::uint64_t changed =
      differ(before.hard.term, after.hard.term) | differ(before.hard.voted_for, after.hard.voted_for) |
      differ(before.leader, after.leader) | differ(before.commit, after.commit) |
      differ(before.durable, after.durable) | differ(before.written, after.written) |
      differ(before.last.term, after.last.term) | differ(before.last.index, after.last.index) |
      differ(before.read_issued, after.read_issued) | differ(before.read_confirmed, after.read_confirmed) |
      differ(before.snapshot.index, after.snapshot.index) | differ(before.base.index, after.base.index) |
      static_cast<std::uint64_t>(before.role != after.role);
  return changed == 0 && after.issued >= before.issued && after.applied >= before.applied &&
         after.handed >= before.handed;
}

void Ladder::note_uneventful(const State& before) {
  ++deltas_;
  counts_[static_cast<std::size_t>(Rung::D2)] += before.hard.voted_for ? 1 : 0;
  counts_[static_cast<std::size_t>(Rung::D3)] += before.leader ? 1 : 0;
}

void Ladder::check_delta(const Change& change) {
  const State& before = change.before;
  const State& after = change.after;
  const bool uneventful =
      change.envelope == nullptr &&
      (change.input == nullptr || !std::holds_alternative<raft::Written>(*change.input)) &&
      !change.delta.truncated_from && !change.delta.appended_from && !change.delta.installed;
  if (uneventful && nothing_but_progress(before, after)) return note_uneventful(before);
  ++deltas_;
  const NodeId id = change.node.id;
  if (after.hard.term < before.hard.term) {
    fire(Rung::D1, id, "had term ", before.hard.term, ", now ", after.hard.term);
  }
  if (after.commit < before.commit || after.applied < before.applied || after.handed < before.handed ||
      after.snapshot.index < before.snapshot.index || after.base.index < before.base.index) {
    fire(Rung::D5, id, "had C = ", before.commit, ", A = ", before.applied, ", handed ", before.handed,
         ", S = ", before.snapshot, ", base ", before.base, ", now C = ", after.commit,
         ", A = ", after.applied, ", handed ", after.handed, ", S = ", after.snapshot, ", base ", after.base);
  }
  if (after.hard == before.hard && after.leader == before.leader && after.read_issued == before.read_issued &&
      after.read_confirmed == before.read_confirmed) {
    // The common case of D2 and D3: nothing that they speak of changed.
    counts_[static_cast<std::size_t>(Rung::D2)] += before.hard.voted_for ? 1 : 0;
    counts_[static_cast<std::size_t>(Rung::D3)] += before.leader ? 1 : 0;
  } else {
    check_term_and_vote(change);
    if (after.hard != before.hard && after.hard.voted_for) check_vote_rule(change);
  }
  if (after.role != before.role || (after.role == Role::leader && after.hard.term != before.hard.term))
    check_role(change);
  if (change.envelope != nullptr) {
    if (const auto* request = std::get_if<RequestVote>(&change.envelope->message);
        request != nullptr && request->pre) {
      check_pre_vote(change);
    }
    note_accepted(change);
  }
  if (change.delta.installed) {
    check_install(change);
  } else {
    if (change.delta.truncated_from || change.delta.appended_from) {
      check_log_shape(change);
      if (change.delta.truncated_from) check_truncation(change);
      mirror_log(change);
      const bool leads = after.role == Role::leader || leads_no_more(change);
      if (change.delta.appended_from && leads) check_configuration_rule(change);
    } else if (before.last != after.last) {
      fire(Rung::D8, id, "had last ", before.last, ", without a change of the log now ", after.last);
    }
    if (after.commit > before.commit) check_commit(change);
    if (before.snapshot.index != after.snapshot.index || before.base.index != after.base.index)
      check_taken(change);
  }
  const bool told = change.input != nullptr && std::holds_alternative<raft::Written>(*change.input);
  if (told || after.durable != before.durable || after.written != before.written ||
      after.issued < before.issued || change.delta.truncated_from) {
    check_durable_index(change);
  }
}

/// D2, D3, and the read numbers of D5: what stays within a term.
void Ladder::check_term_and_vote(const Change& change) {
  const State& before = change.before;
  const State& after = change.after;
  if (after.hard.term != before.hard.term) return;
  const NodeId id = change.node.id;
  if (before.hard.voted_for) {
    count(Rung::D2);
    if (after.hard.voted_for != before.hard.voted_for) {
      fire(Rung::D2, id, "voted for n", before.hard.voted_for, " in term ", before.hard.term, ", now for n",
           after.hard.voted_for);
    }
  }
  if (before.leader) {
    count(Rung::D3);
    if (after.leader != before.leader && after.leader) {
      fire(Rung::D3, id, "followed n", before.leader, " in term ", before.hard.term, ", now n", after.leader);
    }
  }
  if (after.read_issued < before.read_issued || after.read_confirmed < before.read_confirmed) {
    fire(Rung::D5, id, "had read rounds ", before.read_confirmed, " of ", before.read_issued, ", now ",
         after.read_confirmed, " of ", after.read_issued);
  }
}

/// D4. Single voters win their own pre-vote at once, hence F to C is theirs too.
void Ladder::check_role(const Change& change) {
  const Role from = change.before.role;
  const Role to = change.after.role;
  const NodeRecord& node = change.node;
  count(Rung::D4);
  const bool same_term = change.before.hard.term == change.after.hard.term;
  const auto told_to_stand = [&] {
    return change.envelope != nullptr && std::holds_alternative<raft::TimeoutNow>(change.envelope->message);
  };
  const auto alone = [&] {
    return !node.configurations.empty() && node.configurations.back().majority(set_of(node.id));
  };
  bool legal = true;
  if (to == Role::leader) {
    legal = from == Role::candidate && same_term;
  } else if (to == Role::candidate) {
    legal = from == Role::pre_candidate ||
            (from == Role::follower && (!options_.pre_vote || told_to_stand() || alone()));
  } else if (to == Role::pre_candidate) {
    legal = from == Role::follower || from == Role::candidate;
  }
  if (!legal) {
    fire(Rung::D4, node.id, "went from ", raft::name(from), " in term ", change.before.hard.term, " to ",
         raft::name(to), " in term ", change.after.hard.term);
  }
  if (to == Role::leader) {
    // N18: the role of leader itself waits for the own vote.
    const raft::HardState& disk = node.disk.synced().hard;
    count(Rung::N18);
    if (disk != raft::HardState{change.after.hard.term, node.id}) {
      fire(Rung::N18, node.id, "leads term ", change.after.hard.term, ", its disk holds term ", disk.term,
           ", vote n", disk.voted_for);
    }
    check_election(change);
    cluster_.leaders |= set_of(node.id);
  } else {
    cluster_.leaders &= ~set_of(node.id);
  }
}

/// Thesis §4.2.3: who hears a leader does not help to depose it.
bool Ladder::hears_a_leader(const State& state) const {
  if (!options_.check_quorum) return false;
  return state.role == Role::leader || (state.leader && state.elapsed_ticks < options_.election_ticks_min);
}

namespace {

/// §5.4.1, written down once more: the core's own function is what is being checked.
bool as_new_as(raft::LogId candidate, raft::LogId voter) {
  if (candidate.term != voter.term) return candidate.term > voter.term;
  return candidate.index >= voter.index;
}

}  // namespace

/// D14, for a vote that is given away. A vote for itself raises the term.
void Ladder::check_vote_rule(const Change& change) {
  const State& before = change.before;
  const State& after = change.after;
  const NodeId id = change.node.id;
  const NodeId candidate = after.hard.voted_for;
  const bool raised = after.hard.term > before.hard.term;
  count(Rung::D14);
  if (!raised && before.hard.voted_for && before.hard.voted_for != candidate) {
    fire(Rung::D14, id, "votes for n", candidate, " in term ", after.hard.term, ", its vote was n",
         before.hard.voted_for, "'s");
  }
  if (candidate == id) {
    if (!raised) fire(Rung::D14, id, "votes for itself in term ", after.hard.term, ", which it had before");
    return;
  }
  const auto* request =
      change.envelope == nullptr ? nullptr : std::get_if<RequestVote>(&change.envelope->message);
  if (request == nullptr || request->pre || change.envelope->from != candidate ||
      change.envelope->term != after.hard.term) {
    fire(Rung::D14, id, "votes for n", candidate, " in term ", after.hard.term, ", which did not ask for it");
    return;
  }
  if (!as_new_as(request->last, before.last)) {
    fire(Rung::D14, id, "with last ", before.last, " votes for n", candidate, " with last ", request->last);
  }
  if (raised && !request->transfer && hears_a_leader(before)) {
    fire(Rung::D14, id, "votes for n", candidate, " ", before.elapsed_ticks,
         " ticks after it heard its leader n", before.leader);
  }
}

/// D14, for the grant of a PreVote, which is seen as a message: one of the requests of the step must allow it.
void Ladder::check_pre_vote_granted(NodeRecord& node, const raft::trace::Step& step,
                                    const raft::Envelope& granted) {
  count(Rung::D14);
  const State* asked = nullptr;
  raft::LogId offered;
  for (std::size_t position = 0; position < step.inputs.size(); ++position) {
    const auto* receive = std::get_if<raft::Receive>(&step.inputs[position]);
    if (receive == nullptr || receive->envelope.from != granted.to || receive->envelope.term != granted.term)
      continue;
    const auto* request = std::get_if<RequestVote>(&receive->envelope.message);
    if (request == nullptr || !request->pre) continue;
    asked = position == 0 ? &node.state : &step.output.deltas[position - 1].after;
    offered = request->last;
    if (granted.term > asked->hard.term && as_new_as(offered, asked->last) && !hears_a_leader(*asked)) return;
  }
  if (asked == nullptr) {
    fire(Rung::G2, node.id, "grants n", granted.to, " a PreVote for term ", granted.term,
         " that it did not ask for");
  } else {
    fire(Rung::D14, node.id, "in term ", asked->hard.term, " with last ", asked->last, " grants n",
         granted.to, " a PreVote for term ", granted.term, " with last ", offered,
         hears_a_leader(*asked) ? ", though it hears a leader" : "");
  }
}

/// D13.
void Ladder::check_pre_vote(const Change& change) {
  const State& before = change.before;
  const State& after = change.after;
  count(Rung::D13);
  if (before.hard != after.hard || before.role != after.role || before.elapsed_ticks != after.elapsed_ticks ||
      before.deadline_ticks != after.deadline_ticks || before.leader != after.leader) {
    fire(Rung::D13, change.node.id, "had term ", before.hard.term, ", vote n", before.hard.voted_for,
         ", timer ", before.elapsed_ticks, " of ", before.deadline_ticks, "; a PreVote made it term ",
         after.hard.term, ", vote n", after.hard.voted_for, ", timer ", after.elapsed_ticks, " of ",
         after.deadline_ticks);
  }
}

/// D12's bound: what an append of this term offers behind an entry that the log holds (the log before the delta).
void Ladder::note_accepted(const Change& change) {
  const auto* append = std::get_if<AppendEntries>(&change.envelope->message);
  if (append == nullptr || change.envelope->term != change.after.hard.term) return;
  NodeRecord& node = change.node;
  if (node.accepted_term != change.envelope->term) {
    node.accepted_term = change.envelope->term;
    node.accepted = 0;
  }
  const std::uint64_t prev = append->prev.index.value();
  if (append->prev.index < change.before.base.index) return;  // nothing to compare with
  if (prev > node.log.last() || node.log.at(prev).term() != append->prev.term.value()) return;
  node.accepted = std::max(node.accepted, prev + append->entries.size());
}

/// D7, and what of D6 and D8 can be seen from the ends of the log.
void Ladder::check_log_shape(const Change& change) {
  const State& before = change.before;
  const State& after = change.after;
  const raft::Index cut = change.delta.truncated_from;
  const raft::Index added = change.delta.appended_from;
  const NodeId id = change.node.id;
  count(Rung::D6);
  const bool overwrites = added && added <= before.last.index && (!cut || added < cut);
  if (overwrites) {
    fire(Rung::D8, id, "overwrites index ", added, " without a conflict, its log ended at ", before.last);
  }
  const raft::Index touched = cut && (!overwrites || cut < added) ? cut : overwrites ? added : raft::Index{};
  if (touched && touched <= before.commit) {
    fire(Rung::D6, id, "changes index ", touched, ", it had committed up to ", before.commit);
  }
  if (before.role == Role::leader && after.role == Role::leader && before.hard.term == after.hard.term) {
    count(Rung::D7);
    if (touched) {
      fire(Rung::D7, id, "leads term ", after.hard.term, " and changes index ", touched,
           " of its log, which ended at ", before.last.index);
    }
  }
}

/// D8: the mirror still is the log before the delta.
void Ladder::check_truncation(const Change& change) {
  const std::uint64_t cut = change.delta.truncated_from.value();
  const NodeId id = change.node.id;
  count(Rung::D8);
  const auto* append =
      change.envelope == nullptr ? nullptr : std::get_if<AppendEntries>(&change.envelope->message);
  if (append == nullptr || change.envelope->term != change.after.hard.term) {
    fire(Rung::D8, id, "cuts its log from index ", cut, " on, without an append of its term");
    return;
  }
  const std::uint64_t prev = append->prev.index.value();
  const std::uint64_t held = change.node.log.at(cut).term();
  if (cut <= prev || cut > prev + append->entries.size()) {
    fire(Rung::D8, id, "cuts its log from index ", cut, " on, for an append of ", prev + 1, "..",
         prev + append->entries.size());
    return;
  }
  const std::uint64_t offered =
      append->entries.entry(static_cast<std::uint32_t>(cut - prev - 1)).id.term.value();
  if (held == offered) {
    fire(Rung::D8, id, "cuts its log from index ", cut, " on, though it has term ", held,
         " there and so has the append");
  }
}

/// Led up to this delta, and not deposed by another: what it did in the delta it did as a leader. Who commits
/// its own removal steps down.
bool Ladder::leads_no_more(const Change& change) {
  return change.before.role == Role::leader && change.after.role == Role::follower &&
         change.before.hard.term == change.after.hard.term;
}

/// D10, D11; what the cluster makes of it is in ladder_cluster.cpp.
void Ladder::check_commit(const Change& change) {
  NodeRecord& node = change.node;
  const raft::Index before = change.before.commit;
  const raft::Index commit = change.after.commit;
  if (change.after.role == Role::leader || leads_no_more(change)) {
    count(Rung::D10);
    const std::uint64_t term = node.log.at(commit.value()).term();
    if (term != change.after.hard.term.value()) {
      fire(Rung::D10, node.id, "leads term ", change.after.hard.term, " and commits index ", commit,
           " of term ", term);
    }
    check_commit_quorum(change);
    check_deciders(change);
    check_committed(change);
    note_leader_commit(node, change.after.hard.term.value(), commit.value());
    return;
  }
  count(Rung::D11);
  const bool current = change.envelope != nullptr && change.envelope->term == change.after.hard.term;
  const auto* append = current ? std::get_if<AppendEntries>(&change.envelope->message) : nullptr;
  const auto* heartbeat = current ? std::get_if<Heartbeat>(&change.envelope->message) : nullptr;
  if (append != nullptr) {
    const std::uint64_t end = append->prev.index.value() + append->entries.size();
    const raft::Index allowed = std::max(before, std::min(append->commit, raft::Index(end)));
    const raft::Term offered = append->entries.empty()
                                   ? append->prev.term
                                   : append->entries.entry(append->entries.size() - 1).id.term;
    if (commit != allowed) {
      fire(Rung::D11, node.id, "commits up to ", commit, " by an append up to ", end, " with leader commit ",
           append->commit);
    } else if (node.log.at(end).term() != offered.value()) {
      fire(Rung::D11, node.id, "commits up to ", commit, " by an append that ends with index ", end,
           " of term ", offered, ", where it has term ", node.log.at(end).term());
    }
  } else if (heartbeat != nullptr) {
    if (commit != std::max(before, heartbeat->commit)) {
      fire(Rung::D11, node.id, "commits up to ", commit, " by a heartbeat with commit ", heartbeat->commit);
    }
  } else {
    fire(Rung::D11, node.id, "commits up to ", commit, " without an append or heartbeat of its term ",
         change.after.hard.term);
  }
  check_committed(change);
}

/// D17 and R7.
void Ladder::check_durable_index(const Change& change) {
  NodeRecord& node = change.node;
  const State& before = change.before;
  const State& after = change.after;
  count(Rung::D17);
  if (const auto* written = change.input == nullptr ? nullptr : std::get_if<raft::Written>(change.input)) {
    const bool known = written->seq <= before.issued;
    if (known) node.disk.tell(std::max(before.written, written->seq));
    if (after.written != (known ? std::max(before.written, written->seq) : before.written)) {
      fire(Rung::D17, node.id, "was told of write ", written->seq, ", had ", before.written, " and now ",
           after.written);
    }
  } else if (after.written != before.written) {
    fire(Rung::D17, node.id, "says that write ", after.written, " is durable, nobody told it");
  }
  if (after.issued < before.issued) {
    fire(Rung::D17, node.id, "had issued write ", before.issued, ", now ", after.issued);
  }
  raft::Index floor = before.durable;
  if (change.delta.truncated_from) floor = std::min(floor, change.delta.truncated_from.previous());
  if (after.durable < floor) fire(Rung::D17, node.id, "had D = ", before.durable, ", now ", after.durable);
  if (after.durable.value() > table_.forgotten_below() &&
      (after.durable > before.durable || change.delta.truncated_from)) {
    count(Rung::R7);
    const std::uint64_t durable = after.durable.value();
    const Mirror& disk = node.disk.synced().log;
    if (!node.log.at(durable) || disk.at(durable) != node.log.at(durable)) {
      fire(Rung::R7, node.id, "says D = ", durable, " with term ", node.log.at(durable).term(),
           ", the disk holds up to ", disk.last(), " and there term ", disk.at(durable).term());
    }
  }
}

}  // namespace raftlab::invariants
