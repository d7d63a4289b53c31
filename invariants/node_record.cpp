#include "invariants/node_record.hpp"

#include "raft/hash.hpp"

#include <algorithm>
#include <utility>

namespace raftlab::invariants {

NodeSet set_of(std::span<const raft::NodeId> nodes) {
  NodeSet set = 0;
  for (const raft::NodeId node : nodes) set |= set_of(node);
  return set;
}

namespace {

/// Where a joint configuration leads, written down once more: the core's own function is what is being
/// checked.
raft::Configuration left(const raft::Configuration& joint) {
  raft::Configuration simple;
  simple.voters = joint.voters;
  simple.learners = joint.learners;
  simple.learners.insert(simple.learners.end(), joint.learners_next.begin(), joint.learners_next.end());
  std::sort(simple.learners.begin(), simple.learners.end());
  const NodeSet stays = set_of(simple.voters) | set_of(simple.learners);
  for (const raft::Member& member : joint.members) {
    if ((set_of(member.id) & stays) != 0) simple.members.push_back(member);
  }
  return simple;
}

}  // namespace

VoterSets voter_sets(std::uint64_t index, const raft::Configuration& configuration) {
  VoterSets sets;
  sets.index = index;
  for (const raft::Member& member : configuration.members) sets.members |= set_of(member.id);
  sets.voters = set_of(configuration.voters);
  sets.outgoing = set_of(configuration.outgoing);
  sets.learners = set_of(configuration.learners);
  sets.learners_next = set_of(configuration.learners_next);
  sets.content = raft::hash_bytes(0, raft::encode(configuration));
  if (sets.joint()) sets.leaves = raft::hash_bytes(0, raft::encode(left(configuration)));
  return sets;
}

namespace {

/// Two voter sets do not meet when each can take its majority from nodes that the other leaves to it: those
/// that only it has, and of the common ones as many as are missing then.
bool majorities_meet(NodeSet a, NodeSet b) {
  if (a == 0 || b == 0) return false;
  const auto from_common = [&](NodeSet set, NodeSet other) {
    const std::uint32_t majority = size_of(set) / 2 + 1;
    const std::uint32_t alone = size_of(set & ~other);
    return majority - std::min(majority, alone);
  };
  return from_common(a, b) + from_common(b, a) > size_of(a & b);
}

}  // namespace

bool quorums_meet(const VoterSets& a, const VoterSets& b) {
  return majorities_meet(a.voters, b.voters) || majorities_meet(a.voters, b.outgoing) ||
         majorities_meet(a.outgoing, b.voters) || majorities_meet(a.outgoing, b.outgoing);
}

namespace {

void extend_by_entries(const SubmittedWrite& write, Mirror& log) {
  if (write.last == 0) return;
  for (std::size_t at = 0; at <= write.more_runs.size(); ++at) {
    const std::uint64_t end = at == write.more_runs.size() ? write.last : write.more_runs[at].first - 1;
    log.extend(end, at == 0 ? write.run.mark : write.more_runs[at - 1].mark);
  }
}

/// Where carrying out the write cuts the log; 0: nowhere.
std::uint64_t cut_of(const SubmittedWrite& write, const Mirror& log) {
  if (write.replacement) return common_prefix(log, write.replacement->log) + 1;
  // Entries that overwrite without a truncation cut the log as well.
  const bool overwrites = write.last != 0 && write.run.first <= log.last();
  if (overwrites && (write.truncate_from == 0 || write.run.first < write.truncate_from))
    return write.run.first;
  return write.truncate_from;
}

void apply(const SubmittedWrite& write, std::uint64_t cut, Image& image) {
  if (write.replacement) {
    image = *write.replacement;
    return;
  }
  if (write.hard) image.hard = *write.hard;
  if (cut != 0) image.log.truncate(cut);
  extend_by_entries(write, image.log);
}

}  // namespace

bool NodeRecord::may_stand(std::uint64_t commit) const {
  for (auto at = configurations.rbegin(); at != configurations.rend(); ++at) {
    if ((at->all() & set_of(id)) != 0) return true;
    if (at->index <= commit) return false;
  }
  return false;
}

void SubmittedWrite::take_entries(const Mirror& log, std::uint64_t first, std::uint64_t to) {
  last = to;
  const std::vector<MarkRun>& runs = log.runs();
  std::size_t at = runs.size();
  while (at > 0 && runs[at - 1].first > first) --at;
  run = MarkRun{first, log.at(first)};
  for (; at < runs.size() && runs[at].first <= to; ++at) more_runs.push_back(runs[at]);
}

void DiskRecord::start(const Image& recovered) {
  ++incarnation_;
  told_ = raft::WriteSeq{};
  submit_checkpoint(raft::WriteSeq(1), recovered);
}

void DiskRecord::submit_checkpoint(raft::WriteSeq seq, const Image& image) {
  SubmittedWrite& submitted = writes_.emplace_back();
  submitted.incarnation = incarnation_;
  submitted.seq = seq;
  submitted.replacement = std::make_shared<const Image>(image);
  submitted_hard_ = image.hard;
  submitted_last_ = image.log.last();
  submitted_snapshot_ = image.snapshot;
}

void DiskRecord::submit(const raft::Write& write, const Mirror& log, std::uint64_t first,
                        std::uint64_t last) {
  SubmittedWrite& submitted = writes_.emplace_back();
  submitted.incarnation = incarnation_;
  submitted.seq = write.seq;
  submitted.hard = write.hard;
  submitted.truncate_from = write.truncate_from.value();
  if (write.hard) submitted_hard_ = *write.hard;
  if (write.truncate_from) submitted_last_ = std::min(submitted_last_, write.truncate_from.value() - 1);
  if (first == 0) return;
  submitted.take_entries(log, first, last);
  submitted_last_ = last;
}

void DiskRecord::sync(raft::WriteSeq seq) {
  for (; head_ < writes_.size() && (writes_[head_].incarnation < incarnation_ || writes_[head_].seq <= seq);
       ++head_) {
    const SubmittedWrite& write = writes_[head_];
    // What an earlier incarnation left unsynced is not written any more: the rewriting takes its place.
    if (write.incarnation < incarnation_) continue;
    const std::uint64_t cut = cut_of(write, synced_.log);
    if (cut != 0 && cut <= synced_.log.last()) remember_from(cut);
    apply(write, cut, synced_);
  }
  if (head_ == writes_.size()) {
    writes_.clear();
    head_ = 0;
  } else if (head_ >= 32 && head_ * 2 >= writes_.size()) {
    writes_.erase(writes_.begin(), writes_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

void DiskRecord::remember_from(std::uint64_t from) {
  const Mirror& log = synced_.log;
  for (std::size_t at = log.runs().size(); at > 0; --at) {
    const MarkRun& run = log.runs()[at - 1];
    const std::uint64_t end = at < log.runs().size() ? log.runs()[at].first - 1 : log.last();
    if (end < from) break;
    once_synced_.push_back(OnceSynced{std::max(run.first, from), end, run.mark});
  }
}

bool DiskRecord::formerly_synced(std::uint64_t index, Mark mark) const {
  return std::any_of(once_synced_.rbegin(), once_synced_.rend(), [&](const OnceSynced& once) {
    return once.first <= index && index <= once.last && once.mark == mark;
  });
}

void DiskRecord::forget_below(std::uint64_t index) {
  synced_.log.forget_below(index);
  std::erase_if(once_synced_, [&](const OnceSynced& once) { return once.last <= index; });
}

/// The first write that the core was not told of.
std::size_t DiskRecord::first_uncertain() const {
  std::size_t first = writes_.size();
  while (first > head_ && (writes_[first - 1].incarnation < incarnation_ || writes_[first - 1].seq > told_))
    --first;
  return first;
}

Image DiskRecord::surely() const {
  Image image = synced_;
  for (std::size_t at = head_; at < first_uncertain(); ++at) {
    if (writes_[at].incarnation == incarnation_) apply(writes_[at], cut_of(writes_[at], image.log), image);
  }
  return image;
}

bool DiskRecord::may_recover(const Image& image) const {
  const auto same = [&](const Image& candidate) {
    if (candidate == image) return true;
    if (!older_snapshot_below || image.snapshot.index >= candidate.snapshot.index) return false;
    return image.snapshot.index >= image.base.index && image.hard == candidate.hard &&
           image.base == candidate.base && image.log == candidate.log;
  };
  Image candidate = surely();
  if (same(candidate)) return true;
  for (std::size_t at = first_uncertain(); at < writes_.size(); ++at) {
    const SubmittedWrite& write = writes_[at];
    if (!write.replacement) {
      if (write.hard) candidate.hard = *write.hard;
      if (same(candidate)) return true;
      if (write.truncate_from != 0) candidate.log.truncate(write.truncate_from);
      if (same(candidate)) return true;
    }
    apply(write, cut_of(write, candidate.log), candidate);
    if (same(candidate)) return true;
    // Some of the entries: all of them, cut where the recovered log ends.
    if (!write.replacement && write.last != 0 && image.log.last() >= write.run.first &&
        image.log.last() < write.last) {
      Image part = candidate;
      part.log.truncate(image.log.last() + 1);
      if (same(part)) return true;
    }
  }
  return false;
}

bool DiskRecord::is_older(const Image& image) const {
  const Image now = surely();
  const raft::HardState& hard = image.hard;
  const bool vote_once =
      hard.term < now.hard.term ||
      (hard.term == now.hard.term && (!hard.voted_for || hard.voted_for == now.hard.voted_for));
  const std::uint64_t last = image.log.last();
  const bool log_once = last <= now.base.index.value() || now.log.at(last) == image.log.last_mark() ||
                        once_synced(last, image.log.last_mark());
  return image != now && vote_once && log_once && image.snapshot.index <= now.snapshot.index &&
         image.base.index <= now.base.index;
}

}  // namespace raftlab::invariants
