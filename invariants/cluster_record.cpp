#include "invariants/cluster_record.hpp"

#include <algorithm>

namespace raftlab::invariants {

bool CommitTerms::note_slowly(std::uint64_t term, std::uint64_t index) {
  if (at(index) != 0 && at(index) <= term) return false;
  // Everything up to `index` that was committed in a greater term, or not at all, is now committed in `term`.
  std::vector<Run> kept;
  std::size_t at = 0;
  while (at < runs_.size() && runs_[at].term < term) kept.push_back(runs_[at++]);
  if (kept.empty() || kept.back().last < index) kept.push_back(Run{index, term});
  for (; at < runs_.size(); ++at) {
    if (runs_[at].last <= index) continue;
    if (kept.back().term == runs_[at].term) {
      kept.back().last = runs_[at].last;
    } else {
      kept.push_back(runs_[at]);
    }
  }
  runs_ = std::move(kept);
  return true;
}

std::uint64_t CommitTerms::last_below(std::uint64_t term) const {
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    if (run->term < term) return run->last;
  }
  return 0;
}

std::uint64_t CommitTerms::at(std::uint64_t index) const {
  const auto run = std::lower_bound(runs_.begin(), runs_.end(), index,
                                    [](const Run& left, std::uint64_t k) { return left.last < k; });
  return run == runs_.end() ? 0 : run->term;
}

void CommitTerms::forget_below(std::uint64_t index) {
  const auto kept =
      std::find_if(runs_.begin(), runs_.end(), [&](const Run& run) { return run.last >= index; });
  runs_.erase(runs_.begin(), kept);
}

const Election* Elections::find(std::uint64_t term) const {
  if (!elections_.empty() && elections_.back().term == term) return &elections_.back();
  const auto at = std::lower_bound(elections_.begin(), elections_.end(), term,
                                   [](const Election& left, std::uint64_t t) { return left.term < t; });
  return at != elections_.end() && at->term == term ? &*at : nullptr;
}

bool Elections::add(const Election& election) {
  const auto at = std::lower_bound(elections_.begin(), elections_.end(), election.term,
                                   [](const Election& left, std::uint64_t t) { return left.term < t; });
  if (at != elections_.end() && at->term == election.term) return false;
  elections_.insert(at, election);
  return true;
}

bool Elections::log_held(std::uint64_t last, Mark mark, std::uint64_t index, Mark wanted) const {
  while (index <= last && index != 0) {
    const Election* election = find(mark.term());
    if (election == nullptr) return true;  // the bootstrap term, or one that the ladder did not see begin
    if (index > election->last) return mark == wanted;
    if (election->last >= last) return true;  // a broken election, which other rungs report
    last = election->last;
    mark = election->mark;
  }
  return index == 0;
}

void Elections::forget_below(std::uint64_t term) {
  const auto kept = std::find_if(elections_.begin(), elections_.end(),
                                 [&](const Election& election) { return election.term >= term; });
  elections_.erase(elections_.begin(), kept);
}

bool Votes::may_have_voted(raft::Term term, raft::NodeId candidate) const {
  if (term < forgotten_below_) return true;
  return std::any_of(votes_.rbegin(), votes_.rend(),
                     [&](const Vote& vote) { return vote.term == term && vote.candidate == candidate; });
}

void Votes::forget_below(raft::Term term) {
  forgotten_below_ = std::max(forgotten_below_, term);
  const auto kept =
      std::find_if(votes_.begin(), votes_.end(), [&](const Vote& vote) { return vote.term >= term; });
  votes_.erase(votes_.begin(), kept);
}

raft::NodeId Votes::write(raft::Term term, raft::NodeId candidate) {
  if (votes_.empty() || votes_.back().term < term) {
    votes_.push_back(Vote{term, candidate});
    return candidate;
  }
  if (votes_.back().term == term) return votes_.back().candidate;
  const auto at = std::lower_bound(votes_.begin(), votes_.end(), term,
                                   [](const Vote& left, raft::Term t) { return left.term < t; });
  if (at->term == term) return at->candidate;
  votes_.insert(at, Vote{term, candidate});
  return candidate;
}

void ClusterRecord::forget_below(std::uint64_t index, std::uint64_t term) {
  committed.forget_below(index);
  commit_terms.forget_below(index);
  elections.forget_below(std::min(term, committed.at(index).term()));
  digests.forget_below(index);
  while (configurations.size() > 1 && configurations[1].index <= index)
    configurations.erase(configurations.begin());
}

std::size_t ClusterRecord::size() const {
  std::size_t kept = committed.runs().size() + configurations.size() + commit_terms.size() +
                     elections.all().size() + digests.size();
  for (const Votes& each : votes) kept += each.size();
  return kept;
}

}  // namespace raftlab::invariants
