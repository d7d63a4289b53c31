#pragma once

#include "raft/entry.hpp"
#include "raft/types.hpp"

#include <cstdint>
#include <variant>
#include <vector>

/// What nodes say to each other. A reply to a request of an older term carries the replier's own term, so that
/// the sender learns of it (§5.1).
namespace raftlab::raft {

/// Figure 2, RequestVote. A PreVote (thesis §9.6) asks in advance: its envelope carries the term that the sender would
/// stand in, and it changes nothing at the receiver.
struct RequestVote {
  LogId last;        ///< the end of the candidate's log
  bool pre = false;  ///< a PreVote
  bool transfer =
      false;  ///< the candidate was told to stand by its leader (thesis §3.10); leases do not hold it up
  friend bool operator==(const RequestVote&, const RequestVote&) = default;
};

/// A granted PreVote echoes the term of the request; every other reply carries the term of its sender.
struct VoteReply {
  bool pre = false;
  bool granted = false;
  friend bool operator==(const VoteReply&, const VoteReply&) = default;
};

/// Figure 2, AppendEntries. The entries are one slice of one block and follow directly behind `prev`.
struct AppendEntries {
  LogId prev;
  Index commit;   ///< the leader's commit index
  ReadSeq read;   ///< latest read round; the reply echoes it
  Slice entries;  ///< may be empty
  friend bool operator==(const AppendEntries&, const AppendEntries&) = default;
};

/// Accepted: the log of the sender holds on stable storage everything up to `match` of the request that it answers.
struct AppendReply {
  Index match;
  ReadSeq read;
  friend bool operator==(const AppendReply&, const AppendReply&) = default;
};

/// Refused because `rejected_prev` does not match. `hint` is the last entry of the sender at or below it whose term
/// is not above the term that the leader has there: everything the leader has behind it with a higher term can be skipped.
struct AppendReject {
  Index rejected_prev;
  LogId hint;
  ReadSeq read;
  friend bool operator==(const AppendReject&, const AppendReject&) = default;
};

/// Says "I lead" and carries a commit index that the receiver is known to hold; needs no disk.
struct Heartbeat {
  Index commit;  ///< never above the leader's match index of the receiver
  ReadSeq read;
  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

struct HeartbeatReply {
  ReadSeq read;
  friend bool operator==(const HeartbeatReply&, const HeartbeatReply&) = default;
};

/// Figure 13 (§7), InstallSnapshot: one chunk of the image of a snapshot, which is a file as docs/snapshots.md describes it.
/// The configuration at `last` stands in the image itself.
struct InstallSnapshot {
  LogId last;                  ///< the last entry that the snapshot covers
  std::uint64_t offset = 0;    ///< of the chunk in the image
  std::uint64_t total = 0;     ///< bytes of the image
  std::uint64_t checksum = 0;  ///< of the whole image
  std::vector<std::byte> chunk;
  friend bool operator==(const InstallSnapshot&, const InstallSnapshot&) = default;
};

/// Of a chunk that was stored, or of the snapshot as a whole once it is durable and the log starts from it.
struct SnapshotReply {
  Index last;
  std::uint64_t received = 0;  ///< the offset expected next
  bool installed = false;
  friend bool operator==(const SnapshotReply&, const SnapshotReply&) = default;
};

/// Thesis §3.10: the receiver stands for election at once.
struct TimeoutNow {
  friend bool operator==(const TimeoutNow&, const TimeoutNow&) = default;
};

/// A follower asks its leader for a read index (thesis §6.4). The incarnation keeps a late answer from
/// satisfying a read of a later life of the same node.
struct ReadIndex {
  std::uint64_t tag = 0;
  std::uint64_t incarnation = 0;
  friend bool operator==(const ReadIndex&, const ReadIndex&) = default;
};

struct ReadIndexReply {
  std::uint64_t tag = 0;
  std::uint64_t incarnation = 0;
  Index index;  ///< 0: refused
  friend bool operator==(const ReadIndexReply&, const ReadIndexReply&) = default;
};

using Message =
    std::variant<RequestVote, VoteReply, AppendEntries, AppendReply, AppendReject, Heartbeat, HeartbeatReply,
                 InstallSnapshot, SnapshotReply, TimeoutNow, ReadIndex, ReadIndexReply>;

/// The alternatives of `Message`, in order.
enum class MessageKind : std::uint8_t {
  request_vote,
  vote_reply,
  append_entries,
  append_reply,
  append_reject,
  heartbeat,
  heartbeat_reply,
  install_snapshot,
  snapshot_reply,
  timeout_now,
  read_index,
  read_index_reply,
};
inline constexpr std::size_t message_kinds = std::variant_size_v<Message>;

/// The paper's name of a message: "RequestVote", "AppendEntries" ...; PreVotes have names of their own.
[[nodiscard]] const char* name(const Message& message);
[[nodiscard]] const char* name(MessageKind kind);

struct Envelope {
  NodeId from;
  NodeId to;
  Term term;
  Message message;

  [[nodiscard]] MessageKind kind() const { return static_cast<MessageKind>(message.index()); }
  friend bool operator==(const Envelope&, const Envelope&) = default;
};

/// Hash of every field, the payloads of entries included.
[[nodiscard]] std::uint64_t hash(const Envelope& envelope);

}  // namespace raftlab::raft
