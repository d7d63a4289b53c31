#include "raft/messages.hpp"

#include "raft/hash.hpp"

namespace raftlab::raft {
namespace {

struct FieldHasher {
  Hasher& hasher;

  void operator()(const RequestVote& m) const {
    hasher.add(m.last).add(std::uint64_t{m.pre}).add(std::uint64_t{m.transfer});
  }
  void operator()(const VoteReply& m) const {
    hasher.add(std::uint64_t{m.pre}).add(std::uint64_t{m.granted});
  }
  void operator()(const AppendEntries& m) const {
    hasher.add(m.prev).add(m.commit, m.read).add(std::uint64_t{m.entries.size()});
    for (std::uint32_t i = 0; i < m.entries.size(); ++i) {
      const EntryView entry = m.entries.entry(i);
      const std::uint64_t index_and_kind =
          entry.id.index.value() << 8U | static_cast<std::uint64_t>(entry.kind);
      hasher.add(entry.id.term.value(), index_and_kind).add(entry.payload);
    }
  }
  void operator()(const AppendReply& m) const { hasher.add(m.match, m.read); }
  void operator()(const AppendReject& m) const { hasher.add(m.hint).add(m.rejected_prev, m.read); }
  void operator()(const Heartbeat& m) const { hasher.add(m.commit, m.read); }
  void operator()(const HeartbeatReply& m) const { hasher.add(m.read); }
  void operator()(const InstallSnapshot& m) const {
    hasher.add(m.last).add(m.offset).add(m.total).add(m.checksum).add(Bytes(m.chunk));
  }
  void operator()(const SnapshotReply& m) const {
    hasher.add(m.last).add(m.received).add(std::uint64_t{m.installed});
  }
  void operator()(const TimeoutNow& /*m*/) const {}
  void operator()(const ReadIndex& m) const { hasher.add(m.tag).add(m.incarnation); }
  void operator()(const ReadIndexReply& m) const { hasher.add(m.tag).add(m.incarnation).add(m.index); }
};

}  // namespace

const char* name(MessageKind kind) {
  switch (kind) {
    case MessageKind::request_vote: return "RequestVote";
    case MessageKind::vote_reply: return "VoteReply";
    case MessageKind::append_entries: return "AppendEntries";
    case MessageKind::append_reply: return "AppendReply";
    case MessageKind::append_reject: return "AppendReject";
    case MessageKind::heartbeat: return "Heartbeat";
    case MessageKind::heartbeat_reply: return "HeartbeatReply";
    case MessageKind::install_snapshot: return "InstallSnapshot";
    case MessageKind::snapshot_reply: return "SnapshotReply";
    case MessageKind::timeout_now: return "TimeoutNow";
    case MessageKind::read_index: return "ReadIndex";
    case MessageKind::read_index_reply: return "ReadIndexReply";
  }
  return "?";
}

const char* name(const Message& message) {
  if (const auto* request = std::get_if<RequestVote>(&message); request != nullptr && request->pre)
    return "PreVote";
  if (const auto* reply = std::get_if<VoteReply>(&message); reply != nullptr && reply->pre)
    return "PreVoteReply";
  return name(static_cast<MessageKind>(message.index()));
}

std::uint64_t hash(const Envelope& envelope) {
  Hasher hasher;
  const std::uint64_t header = std::uint64_t{envelope.from.value()} << 32U | envelope.to.value();
  hasher.add(header, envelope.term.value() << 8U | envelope.message.index());
  std::visit(FieldHasher{hasher}, envelope.message);
  return hasher.value();
}

}  // namespace raftlab::raft
