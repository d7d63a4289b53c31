#pragma once

#include "invariants/entry_table.hpp"
#include "invariants/node_record.hpp"
#include "raft/types.hpp"

#include <cstdint>
#include <vector>

/// What the ladder remembers of the cluster since the beginning, across crashes: elections, votes, what was committed
/// and by whom, what the state machines were.
namespace raftlab::invariants {

/// ct[k]: the least term of a leader that moved its commit over k. It never falls with k, because a leader that moved
/// its commit over k has also everything below committed, by itself or by an earlier leader: kept as runs.
class CommitTerms {
 public:
  /// A leader of `term` moved its commit to `index`. True when that is news: ct changed.
  bool note(std::uint64_t term, std::uint64_t index) {
    if (!runs_.empty() && runs_.back().term == term && index > runs_.back().last) {
      runs_.back().last = index;
      return true;
    }
    return note_slowly(term, index);
  }
  /// The greatest k with ct[k] < term; 0: none.
  [[nodiscard]] std::uint64_t last_below(std::uint64_t term) const;
  /// 0: nobody committed it.
  [[nodiscard]] std::uint64_t at(std::uint64_t index) const;
  void forget_below(std::uint64_t index);
  [[nodiscard]] std::size_t size() const { return runs_.size(); }

 private:
  struct Run {
    std::uint64_t last;
    std::uint64_t term;
  };
  bool note_slowly(std::uint64_t term, std::uint64_t index);

  std::vector<Run> runs_;  // indices and terms rise
};

/// The leader of a term, and the log that it was elected with.
struct Election {
  std::uint64_t term = 0;
  raft::NodeId leader;
  std::uint64_t last = 0;  ///< end of its log before its own first entry
  Mark mark;               ///< of that end
};

/// Elections by term. New ones have mostly the greatest term.
class Elections {
 public:
  /// The election of this term; null when there was none.
  [[nodiscard]] const Election* find(std::uint64_t term) const;
  /// False when the term has a leader already.
  bool add(const Election& election);
  [[nodiscard]] std::uint64_t last_term() const { return elections_.empty() ? 0 : elections_.back().term; }
  [[nodiscard]] const std::vector<Election>& all() const { return elections_; }
  /// The log that ended with (last, mark) had `wanted` at `index`. A term's entries stand behind the log that its leader was
  /// elected with, so the elections are a tree of logs. Unknown counts as true.
  [[nodiscard]] bool log_held(std::uint64_t last, Mark mark, std::uint64_t index, Mark wanted) const;
  void forget_below(std::uint64_t term);

 private:
  std::vector<Election> elections_;
};

/// One node's votes by term.
class Votes {
 public:
  /// The vote that was written for this term, after the call.
  raft::NodeId write(raft::Term term, raft::NodeId candidate);
  /// The vote of this term was written for the candidate, or is forgotten.
  [[nodiscard]] bool may_have_voted(raft::Term term, raft::NodeId candidate) const;
  void forget_below(raft::Term term);
  [[nodiscard]] std::size_t size() const { return votes_.size(); }

 private:
  struct Vote {
    raft::Term term;
    raft::NodeId candidate;
  };
  std::vector<Vote> votes_;
  raft::Term forgotten_below_;
};

struct ClusterRecord {
  Mirror committed;                       ///< E4: the entry committed at each index
  std::vector<VoterSets> configurations;  ///< G11: the committed configuration entries
  CommitTerms commit_terms;
  Elections elections;
  std::vector<Votes> votes;      ///< by node number - 1
  Trail<std::uint64_t> digests;  ///< G10: of the store, by applied index; 0: not known
  NodeSet leaders = 0;           ///< who leads now

  /// Of entries: below `index`, and configurations that an entry at or below it replaced. Of elections: those of terms below
  /// `term` of which no entry is left.
  void forget_below(std::uint64_t index, std::uint64_t term);
  [[nodiscard]] std::size_t size() const;
};

}  // namespace raftlab::invariants
