#include "invariants/ladder.hpp"

/// L2: what a restart found on disk, against what the node had promised and had been told is durable.
namespace raftlab::invariants {

/// Enters what was recovered in the table of entries, and makes it the node's log. The log from before the crash is
/// compared first, because R3 needs it.
Image Ladder::image_of(NodeRecord& node, const raft::Recovered& recovered) {
  const Mirror before = node.log;
  const Mark promised = before.at(node.acknowledged);
  node.log = log_up_to(recovered.base);
  node.configurations.clear();
  node.last_hash = table_.hash(node.log.last(), node.log.last_mark());
  std::uint64_t index = recovered.base.index.value() + 1;
  for (const raft::Slice& slice : recovered.entries) {
    for (std::uint32_t position = 0; position < slice.size(); ++position)
      mirror_entry(node, slice.entry(position), index++);
  }
  node.runs_to_base = node.log.runs_up_to(recovered.base.index.value());
  if (const std::uint64_t covered = recovered.snapshot.index.value(); covered != 0) {
    std::erase_if(node.configurations, [&](const VoterSets& sets) { return sets.index <= covered; });
    node.configurations.insert(
        node.configurations.begin(),
        voter_sets(covered, recovered.snapshot_configuration.value_or(raft::Configuration{})));
  }
  if (node.known && node.acknowledged > table_.forgotten_below()) {
    count(Rung::R3);
    if (node.log.at(node.acknowledged) != promised) {
      fire(Rung::R3, node.id, "had acknowledged index ", node.acknowledged, " of term ", promised.term(),
           ", recovered a log up to ", node.log.last(), " with term ", node.log.at(node.acknowledged).term(),
           " there");
    }
  }
  return Image{recovered.hard, node.log, recovered.snapshot, recovered.base};
}

/// R1, R6 and R2.
void Ladder::check_recovered(NodeRecord& node, const Image& image) {
  count(Rung::R1);
  count(Rung::R6);
  if (!node.disk.may_recover(image)) {
    const Image sure = node.disk.surely();
    fire(Rung::R1, node.id, "recovered term ", image.hard.term, ", vote n", image.hard.voted_for,
         ", snapshot ", image.snapshot, ", log behind ", image.base, " up to ", image.log.last(), " of term ",
         image.log.last_mark().term(), "; its durable writes add up to term ", sure.hard.term, ", vote n",
         sure.hard.voted_for, ", snapshot ", sure.snapshot, ", log behind ", sure.base, " up to ",
         sure.log.last(), " of term ", sure.log.last_mark().term());
    if (node.disk.is_older(image)) {
      fire(Rung::R6, node.id, "starts from an image that its disk had before: term ", image.hard.term,
           " and a log up to ", image.log.last(), ", after term ", sure.hard.term, " and a log up to ",
           sure.log.last());
    }
  }
  if (!node.promised_term) return;
  count(Rung::R2);
  const raft::HardState& vote = node.promised_vote;
  if (image.hard.term < node.promised_term) {
    fire(Rung::R2, node.id, "recovered term ", image.hard.term, ", had sent a promise in term ",
         node.promised_term);
  } else if (image.hard.term == vote.term && image.hard.voted_for != vote.voted_for) {
    fire(Rung::R2, node.id, "recovered vote n", image.hard.voted_for, " of term ", image.hard.term,
         ", had promised it to n", vote.voted_for);
  }
}

}  // namespace raftlab::invariants
