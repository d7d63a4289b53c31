#include "invariants/ladder.hpp"
#include "invariants/ladder_raw.hpp"
#include "raft/configuration.hpp"

#include <algorithm>

/// The mirrors of the logs: what a delta changed is read from the raw pieces and entered in the table of entries. N2, N3,
/// N5, N8, N9, and the broken cases of G3 and E3.
namespace raftlab::invariants {

using raft::EntryKind;
using raft::EntryView;

void Ladder::mirror_log(const Change& change) {
  NodeRecord& node = change.node;
  std::uint64_t cut = change.delta.truncated_from.value();
  std::uint64_t first = change.delta.appended_from.value();
  if (first != 0 && first <= node.log.last() && (cut == 0 || first < cut)) cut = first;
  if (cut != 0) {
    node.log.truncate(cut);
    while (!node.configurations.empty() && node.configurations.back().index >= cut)
      node.configurations.pop_back();
    node.last_hash = table_.hash(node.log.last(), node.log.last_mark());
    node.runs_to_base = std::min(node.runs_to_base, node.log.runs().size());
    if (cut <= node.unseen_from) node.unseen_from = 0;
    // R3: the write of this step takes away what was acknowledged.
    node.acknowledged = std::min(node.acknowledged, node.log.last());
  }
  if (first == 0) return;
  if (first != node.log.last() + 1) {
    fire(Rung::N2, node.id, "appends from index ", first, ", its log ends at ", node.log.last());
  }
  const std::uint64_t last = change.after.last.index.value();
  const std::uint64_t visible = std::min(last, change.kept_below - 1);
  if (const std::uint64_t base = change.step.view.state.base.index.value(); first <= base) {
    // A snapshot that a later input of the step installs has taken them away again.
    mirror_lost_entries(change, first, std::min(last, base));
    node.last_hash = table_.hash(node.log.last(), node.log.last_mark());
    first = base + 1;
  }
  RawEntries walk(*change.step.view.log, first);
  for (std::uint64_t index = first; index <= visible; ++index, walk.next()) {
    if (!walk.found()) {
      fire(Rung::N2, node.id, "index ", index, " of ", last, " is in no piece of the log");
      break;
    }
    mirror_entry(node, walk.entry(), index);
  }
  if (visible < last) return mirror_lost_entries(change, std::max(first, visible + 1), last);
  check_longest_in_term(node, first, last);
}

void Ladder::mirror_entry(NodeRecord& node, const EntryView& entry, std::uint64_t index) {
  count(Rung::N2);
  count(Rung::N3);
  if (entry.id.index.value() != index) {
    fire(Rung::N2, node.id, "where index ", index, " should stand, the log holds ", entry.id);
  }
  const Mark below = node.log.last_mark();
  if (Mark(entry.id.term.value(), 0).term() < below.term()) {
    fire(Rung::N3, node.id, "index ", index, " has term ", entry.id.term, ", the one before has ",
         below.term());
  }
  if (index == 1) {
    count(Rung::N8);
    if (entry.kind != EntryKind::configuration) {
      fire(Rung::N8, node.id, "entry 1 ", entry.id, " is no configuration");
    }
  }
  if (entry.kind == EntryKind::configuration) {
    mirror_configuration(node, entry, index);
  }
  count(Rung::G3);
  count(Rung::E3);
  const EntryTable::Interned interned = table_.intern(node.last_hash, below, entry);
  if (interned.conflicts) note_conflict(node, index, interned);
  node.log.extend(index, interned.mark);
  node.last_hash = interned.hash;
}

/// Entries that the same step takes away again: nobody will see them, but later deltas are judged against their terms.
void Ladder::mirror_lost_entries(const Change& change, std::uint64_t index, std::uint64_t last) {
  const auto* append =
      change.envelope == nullptr ? nullptr : std::get_if<raft::AppendEntries>(&change.envelope->message);
  std::uint64_t& unseen = change.node.unseen_from;
  if (unseen == 0 || index < unseen) unseen = index;
  for (; index <= last; ++index) {
    std::uint64_t term = change.after.hard.term.value();
    if (append != nullptr && index > append->prev.index.value()) {
      const std::uint64_t position = index - append->prev.index.value() - 1;
      if (position < append->entries.size()) {
        term = append->entries.entry(static_cast<std::uint32_t>(position)).id.term.value();
      }
    }
    change.node.log.extend(index, Mark(term, 0));
  }
}

/// Two entries of one index and term: E3 when they themselves differ, G3 when two logs hold them at this instant.
void Ladder::note_conflict(NodeRecord& node, std::uint64_t index, const EntryTable::Interned& interned) {
  const NodeRecord* other = nullptr;
  for (const NodeRecord& candidate : nodes_) {
    if (&candidate != &node && candidate.known && candidate.present_log().at(index) == interned.other) {
      other = &candidate;
      break;
    }
  }
  const std::uint64_t term = interned.mark.term();
  const std::uint64_t before = table_.hash(index, interned.other);
  if (other != nullptr) {
    fire(Rung::G3, node.id, "index ", index, ", term ", term, ": n", node.id, " has the log ", interned.hash,
         ", n", other->id, " the log ", before);
  }
  if (other == nullptr || interned.same_parent) {
    fire(Rung::E3, node.id, "index ", index, ", term ", term, ": n", node.id, " has the entry ",
         interned.hash, ", an entry ", before, " was there before");
  }
}

void Ladder::check_mirror(NodeRecord& node, const raft::View& view) {
  const raft::State& state = view.state;
  const std::uint64_t last = raw_last(*view.log);
  if (last != state.last.index.value() || last != node.log.last()) {
    fire(Rung::N2, node.id, "says that its log ends at ", state.last.index, ", its entries end at ", last,
         ", its deltas at ", node.log.last());
  }
  const Mark top = node.log.last_mark();
  const std::vector<raft::TermRun>& runs = view.log->runs();
  if (top.term() != state.last.term.value()) {
    fire(Rung::N5, node.id, "says that its last term is ", state.last.term, ", the entry has ", top.term());
  }
  if (table_.conflicted() || node.log.last() == 0) return;
  if (node.runs_to_base != 0) return check_runs_behind_base(node, view);
  const MarkRun& mine = node.log.runs().back();
  if (runs.size() != node.log.runs().size() || runs.back().first.value() != mine.first ||
      runs.back().term.value() != mine.mark.term()) {
    fire(Rung::N5, node.id, "has an index of ", runs.size(), " term runs, its entries make ",
         node.log.runs().size(), ", the last one of term ", mine.mark.term(), " from ", mine.first);
  }
}

/// N5: the first run of the log may have begun below its base.
void Ladder::check_runs_behind_base(NodeRecord& node, const raft::View& view) {
  const std::vector<raft::TermRun>& runs = view.log->runs();
  const std::vector<MarkRun>& all = node.log.runs();
  const std::uint64_t base = view.state.base.index.value();
  std::size_t expected = all.size() - node.runs_to_base;
  const bool cut = expected == 0 || all[node.runs_to_base].first > base + 1;
  if (cut && node.log.last() > base) ++expected;
  const std::uint64_t first = std::max(all.back().first, base + 1);
  if (runs.size() != expected || (expected != 0 && (runs.back().first.value() != first ||
                                                    runs.back().term.value() != all.back().mark.term()))) {
    fire(Rung::N5, node.id, "has an index of ", runs.size(), " term runs behind its base ", view.state.base,
         ", its entries make ", expected, ", the last one of term ", all.back().mark.term(), " from ", first);
  }
}

// ---- The full scan ---------------------------------------------------------------------------------------------

void Ladder::scan(const raft::View& view) {
  NodeRecord& node = node_of(view.id);
  const std::uint64_t scanned = scan_log(node, view);
  check_snapshot_state(node, view);
  if (node.state.role == raft::Role::leader) {
    for (const raft::Progress& peer : view.peers) check_window(node, peer);
    check_reads_fully(node, view);
    check_uncommitted_bytes(node, view);
    check_commit_maximal(node, view);
  }
  // Amortised: a long log is scanned less often.
  node.scan_at = step_ + std::max(options_.scan_every_steps, 64 * scanned);
}

/// Every entry from the raw pieces against the mirror, the index of term runs, and what is committed.
std::uint64_t Ladder::scan_log(NodeRecord& node, const raft::View& view) {
  const std::uint64_t last = raw_last(*view.log);
  const std::vector<raft::TermRun>& runs = view.log->runs();
  const std::uint64_t base = view.log->base().index.value();
  Mark mark = node.log.at(base);
  std::uint64_t hash = table_.hash(base, mark);
  std::size_t run = 0;
  std::uint64_t index = base + 1;
  RawEntries walk(*view.log, index);
  for (; index <= last; ++index, walk.next()) {
    if (!walk.found()) {
      fire(Rung::N2, node.id, "index ", index, " of ", last, " is in no piece of the log");
      break;
    }
    const EntryView entry = walk.entry();
    if (entry.id.index.value() != index)
      fire(Rung::N2, node.id, "at index ", index, " the log holds ", entry.id);
    const EntryTable::Interned interned = table_.intern(hash, mark, entry);
    if (interned.mark != node.log.at(index)) {
      const bool committed = index <= view.state.commit.value();
      fire(committed ? Rung::D6 : Rung::D8, node.id, "index ", index, " was of term ",
           node.log.at(index).term(), ", without a delta it became ", entry.id);
      break;
    }
    while (run + 1 < runs.size() && runs[run + 1].first.value() <= index) ++run;
    if (run >= runs.size() || runs[run].term != entry.id.term || runs[run].first.value() > index ||
        (run > 0 && runs[run - 1].term >= runs[run].term)) {
      fire(Rung::N5, node.id, "index ", index, " has term ", entry.id.term,
           ", the index of term runs says otherwise");
      break;
    }
    hash = interned.hash;
    mark = interned.mark;
  }
  const std::uint64_t agreed =
      std::min({view.state.commit.value(), cluster_.committed.last(), node.log.last()});
  if (agreed >= table_.forgotten_below() && node.log.at(agreed) != cluster_.committed.at(agreed))
    report_disagreement(node, agreed);
  return index - base;
}

/// N9, in full: indices and contents.
void Ladder::scan_configurations(NodeRecord& node, const raft::View& view) {
  std::size_t at = 0;
  for (const raft::ConfigurationAt& held : view.configurations) {
    if (!held.index) continue;
    if (at >= node.configurations.size()) break;
    const VoterSets& mine = node.configurations[at++];
    const VoterSets theirs = voter_sets(held.index.value(), held.configuration);
    if (theirs.index != mine.index || theirs.content != mine.content) {
      fire(Rung::N9, node.id, "holds the configuration of index ", held.index, ", the log's entry ",
           mine.index, " says otherwise");
    }
  }
}

}  // namespace raftlab::invariants
