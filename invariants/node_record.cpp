#include "invariants/node_record.hpp"

#include <algorithm>

namespace raftlab::invariants {

NodeSet set_of(std::span<const raft::NodeId> nodes) {
  NodeSet set = 0;
  for (const raft::NodeId node : nodes) set |= set_of(node);
  return set;
}

VoterSets voter_sets(std::uint64_t index, const raft::Configuration& configuration) {
  VoterSets sets;
  sets.index = index;
  for (const raft::Member& member : configuration.members) sets.members |= set_of(member.id);
  sets.voters = set_of(configuration.voters);
  sets.outgoing = set_of(configuration.outgoing);
  return sets;
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
  if (write.replaces) {
    Mirror target;
    extend_by_entries(write, target);
    return common_prefix(log, target) + 1;
  }
  // Entries that overwrite without a truncation cut the log as well.
  const bool overwrites = write.last != 0 && write.run.first <= log.last();
  if (overwrites && (write.truncate_from == 0 || write.run.first < write.truncate_from)) return write.run.first;
  return write.truncate_from;
}

void apply(const SubmittedWrite& write, std::uint64_t cut, Image& image) {
  if (write.hard) image.hard = *write.hard;
  if (cut != 0) image.log.truncate(cut);
  extend_by_entries(write, image.log);
}

}  // namespace

bool NodeRecord::may_stand() const {
  for (auto at = configurations.rbegin(); at != configurations.rend(); ++at) {
    if ((at->all() & set_of(id)) != 0) return true;
    if (at->index <= state.commit.value()) return false;
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
  SubmittedWrite write;
  write.seq = raft::WriteSeq(1);
  write.replaces = true;
  write.hard = recovered.hard;
  if (recovered.log.last() != 0) write.take_entries(recovered.log, 1, recovered.log.last());
  submit(std::move(write));
}

void DiskRecord::submit(SubmittedWrite write) {
  write.incarnation = incarnation_;
  apply(write, cut_of(write, submitted_.log), submitted_);
  writes_.push_back(std::move(write));
}

void DiskRecord::sync(raft::WriteSeq seq) {
  for (; synced_at_ < writes_.size() && (writes_[synced_at_].incarnation < incarnation_ || writes_[synced_at_].seq <= seq);
       ++synced_at_) {
    // What an earlier incarnation left unsynced is not written any more: the rewriting takes its place.
    if (writes_[synced_at_].incarnation < incarnation_) continue;
    const std::uint64_t cut = cut_of(writes_[synced_at_], synced_.log);
    if (cut != 0 && cut <= synced_.log.last()) remember_from(cut);
    apply(writes_[synced_at_], cut, synced_);
  }
  forget_done();
}

void DiskRecord::acknowledge(raft::WriteSeq seq) {
  for (; acked_at_ < writes_.size() && (writes_[acked_at_].incarnation < incarnation_ || writes_[acked_at_].seq <= seq);
       ++acked_at_) {
    if (writes_[acked_at_].incarnation < incarnation_) continue;
    apply(writes_[acked_at_], cut_of(writes_[acked_at_], acked_.log), acked_);
  }
  forget_done();
}

void DiskRecord::forget_done() {
  head_ = std::min(synced_at_, acked_at_);
  if (head_ == writes_.size()) {
    writes_.clear();
  } else if (head_ >= 32 && head_ * 2 >= writes_.size()) {
    writes_.erase(writes_.begin(), writes_.begin() + static_cast<std::ptrdiff_t>(head_));
  } else {
    return;
  }
  synced_at_ -= head_;
  acked_at_ -= head_;
  head_ = 0;
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

bool DiskRecord::may_recover(const Image& image) const {
  const auto same = [&](const Image& candidate) { return candidate.hard == image.hard && candidate.log == image.log; };
  Image candidate = acked_;
  if (same(candidate)) return true;
  for (std::size_t at = acked_at_; at < writes_.size(); ++at) {
    const SubmittedWrite& write = writes_[at];
    if (!write.replaces) {
      if (write.hard) candidate.hard = *write.hard;
      if (same(candidate)) return true;
      if (write.truncate_from != 0) candidate.log.truncate(write.truncate_from);
      if (same(candidate)) return true;
    }
    apply(write, cut_of(write, candidate.log), candidate);
    if (same(candidate)) return true;
    // Some of the entries: all of them, cut where the recovered log ends.
    if (!write.replaces && write.last != 0 && image.log.last() >= write.run.first && image.log.last() < write.last) {
      Image part = candidate;
      part.log.truncate(image.log.last() + 1);
      if (same(part)) return true;
    }
  }
  return false;
}

}  // namespace raftlab::invariants
