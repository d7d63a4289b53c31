#include "raft/wire/codec.hpp"

#include "raft/assert.hpp"
#include "raft/limits.hpp"
#include "raft/wire/messages.pb.h"

#include <limits>

namespace raftlab::raft::wire {
namespace {

namespace pb = ::raftlab::wire;

void put(const RequestVote& message, pb::Envelope& out) {
  pb::RequestVote& body = *out.mutable_request_vote();
  body.set_last_term(message.last.term.value());
  body.set_last_index(message.last.index.value());
  body.set_pre(message.pre);
  body.set_transfer(message.transfer);
}

void put(const VoteReply& message, pb::Envelope& out) {
  out.mutable_vote_reply()->set_pre(message.pre);
  out.mutable_vote_reply()->set_granted(message.granted);
}

/// Into a message that the encoder keeps: a body that the envelope owns would lose its memory with each change of body.
void put(const AppendEntries& message, pb::AppendEntries& body) {
  body.set_prev_term(message.prev.term.value());
  body.set_prev_index(message.prev.index.value());
  body.set_commit(message.commit.value());
  body.set_read(message.read.value());
  std::string& kinds = *body.mutable_kinds();
  std::string& payloads = *body.mutable_payloads();
  payloads.reserve(message.entries.payload_bytes());
  for (std::uint32_t position = 0; position < message.entries.size(); ++position) {
    const EntryView entry = message.entries.entry(position);
    body.add_terms(entry.id.term.value());
    kinds.push_back(static_cast<char>(entry.kind));
    body.add_sizes(static_cast<std::uint32_t>(entry.payload.size()));
    payloads.append(reinterpret_cast<const char*>(entry.payload.data()), entry.payload.size());
  }
}

void put(const AppendReply& message, pb::Envelope& out) {
  out.mutable_append_reply()->set_match(message.match.value());
  out.mutable_append_reply()->set_read(message.read.value());
}

void put(const AppendReject& message, pb::Envelope& out) {
  pb::AppendReject& body = *out.mutable_append_reject();
  body.set_rejected_prev(message.rejected_prev.value());
  body.set_hint_term(message.hint.term.value());
  body.set_hint_index(message.hint.index.value());
  body.set_read(message.read.value());
}

void put(const Heartbeat& message, pb::Envelope& out) {
  out.mutable_heartbeat()->set_commit(message.commit.value());
  out.mutable_heartbeat()->set_read(message.read.value());
}

void put(const HeartbeatReply& message, pb::Envelope& out) {
  out.mutable_heartbeat_reply()->set_read(message.read.value());
}

void put(const InstallSnapshot& message, pb::Envelope& out) {
  pb::InstallSnapshot& body = *out.mutable_install_snapshot();
  body.set_last_term(message.last.term.value());
  body.set_last_index(message.last.index.value());
  body.set_offset(message.offset);
  body.set_total(message.total);
  body.set_checksum(message.checksum);
  body.set_chunk(message.chunk.data(), message.chunk.size());
}

void put(const SnapshotReply& message, pb::Envelope& out) {
  pb::SnapshotReply& body = *out.mutable_snapshot_reply();
  body.set_last_index(message.last.value());
  body.set_received(message.received);
  body.set_installed(message.installed);
}

void put(const TimeoutNow&, pb::Envelope& out) { out.mutable_timeout_now(); }

void put(const ReadIndex& message, pb::Envelope& out) {
  out.mutable_read_index()->set_tag(message.tag);
  out.mutable_read_index()->set_incarnation(message.incarnation);
}

void put(const ReadIndexReply& message, pb::Envelope& out) {
  pb::ReadIndexReply& body = *out.mutable_read_index_reply();
  body.set_tag(message.tag);
  body.set_incarnation(message.incarnation);
  body.set_index(message.index.value());
}

using Taken = std::variant<Message, DecodeError>;

/// The columns are as long as each other, and short, before a block is allocated.
std::variant<Slice, DecodeError> take_entries(const pb::AppendEntries& body) {
  const auto count = static_cast<std::size_t>(body.terms_size());
  if (count > block_entries_max) return DecodeError::too_many_entries;
  if (body.kinds().size() != count || static_cast<std::size_t>(body.sizes_size()) != count) {
    return DecodeError::bad_entries;
  }
  if (body.prev_index() > std::numeric_limits<std::uint64_t>::max() - count) return DecodeError::bad_entries;
  std::uint64_t bytes = 0;
  for (const std::uint32_t size : body.sizes()) bytes += size;
  if (bytes != body.payloads().size()) return DecodeError::bad_entries;
  if (count == 0) return Slice();

  Slice entries = Slice::make(Index(body.prev_index() + 1), static_cast<std::uint32_t>(count),
                              static_cast<std::uint32_t>(bytes));
  Bytes rest = std::as_bytes(std::span(body.payloads()));
  std::uint64_t term_min = body.prev_term();
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t term = body.terms(static_cast<int>(i));
    const auto kind = static_cast<unsigned char>(body.kinds()[i]);
    if (term < term_min || term == 0 || kind < static_cast<unsigned char>(EntryKind::noop) ||
        kind > static_cast<unsigned char>(EntryKind::configuration)) {
      return DecodeError::bad_entries;
    }
    const std::uint32_t size = body.sizes(static_cast<int>(i));
    RAFTLAB_ASSERT(entries.append(Term(term), static_cast<EntryKind>(kind), rest.first(size)), i, size);
    rest = rest.subspan(size);
    term_min = term;
  }
  return entries;
}

Taken take(const pb::AppendEntries& body) {
  std::variant<Slice, DecodeError> entries = take_entries(body);
  if (const auto* error = std::get_if<DecodeError>(&entries)) return *error;
  return AppendEntries{LogId{Term(body.prev_term()), Index(body.prev_index())}, Index(body.commit()),
                       ReadSeq(body.read()), std::move(std::get<Slice>(entries))};
}

/// A chunk lies within the snapshot.
Taken take(const pb::InstallSnapshot& body) {
  const std::string& chunk = body.chunk();
  if (body.offset() > body.total() || chunk.size() > body.total() - body.offset())
    return DecodeError::bad_field;
  InstallSnapshot message{LogId{Term(body.last_term()), Index(body.last_index())},
                          body.offset(),
                          body.total(),
                          body.checksum(),
                          {}};
  const Bytes bytes = std::as_bytes(std::span(chunk));
  message.chunk.assign(bytes.begin(), bytes.end());
  return message;
}

Taken take_body(const pb::Envelope& in) {
  switch (in.body_case()) {
    case pb::Envelope::kRequestVote: {
      const pb::RequestVote& body = in.request_vote();
      return RequestVote{LogId{Term(body.last_term()), Index(body.last_index())}, body.pre(),
                         body.transfer()};
    }
    case pb::Envelope::kVoteReply: return VoteReply{in.vote_reply().pre(), in.vote_reply().granted()};
    case pb::Envelope::kAppendEntries: return take(in.append_entries());
    case pb::Envelope::kAppendReply:
      return AppendReply{Index(in.append_reply().match()), ReadSeq(in.append_reply().read())};
    case pb::Envelope::kAppendReject: {
      const pb::AppendReject& body = in.append_reject();
      return AppendReject{Index(body.rejected_prev()),
                          LogId{Term(body.hint_term()), Index(body.hint_index())}, ReadSeq(body.read())};
    }
    case pb::Envelope::kHeartbeat:
      return Heartbeat{Index(in.heartbeat().commit()), ReadSeq(in.heartbeat().read())};
    case pb::Envelope::kHeartbeatReply: return HeartbeatReply{ReadSeq(in.heartbeat_reply().read())};
    case pb::Envelope::kInstallSnapshot: return take(in.install_snapshot());
    case pb::Envelope::kSnapshotReply: {
      const pb::SnapshotReply& body = in.snapshot_reply();
      return SnapshotReply{Index(body.last_index()), body.received(), body.installed()};
    }
    case pb::Envelope::kTimeoutNow: return TimeoutNow{};
    case pb::Envelope::kReadIndex: return ReadIndex{in.read_index().tag(), in.read_index().incarnation()};
    case pb::Envelope::kReadIndexReply: {
      const pb::ReadIndexReply& body = in.read_index_reply();
      return ReadIndexReply{body.tag(), body.incarnation(), Index(body.index())};
    }
    case pb::Envelope::BODY_NOT_SET: break;
  }
  return DecodeError::unknown_message;
}

}  // namespace

struct Encoder::State {
  pb::Envelope envelope;
  std::unique_ptr<pb::AppendEntries> append;  // lent to the envelope while it is encoded
};

Encoder::Encoder() : state_(std::make_unique<State>()) {}
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;
Encoder::~Encoder() = default;

void Encoder::encode(const Envelope& envelope, std::vector<std::byte>& out) {
  pb::Envelope& message = state_->envelope;
  message.Clear();
  message.set_from(envelope.from.value());
  message.set_to(envelope.to.value());
  message.set_term(envelope.term.value());
  const auto* append = std::get_if<AppendEntries>(&envelope.message);
  if (append != nullptr) {
    if (state_->append == nullptr) state_->append = std::make_unique<pb::AppendEntries>();
    state_->append->Clear();
    put(*append, *state_->append);
    message.set_allocated_append_entries(state_->append.release());
  } else {
    std::visit(
        [&](const auto& body) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(body)>, AppendEntries>) put(body, message);
        },
        envelope.message);
  }
  const std::size_t size = message.ByteSizeLong();
  RAFTLAB_ASSERT(size <= frame_bytes_max, size);
  const std::size_t start = out.size();
  out.resize(start + size);
  message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out.data() + start));
  if (append != nullptr) state_->append.reset(message.release_append_entries());
}

struct Decoder::State {
  pb::Envelope envelope;
};

Decoder::Decoder() : state_(std::make_unique<State>()) {}
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;
Decoder::~Decoder() = default;

std::variant<Envelope, DecodeError> Decoder::decode(Bytes bytes) {
  if (bytes.size() > frame_bytes_max) return DecodeError::too_large;
  pb::Envelope& message = state_->envelope;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return DecodeError::malformed;
  if (message.from() == 0 || message.to() == 0) return DecodeError::bad_address;
  Taken body = take_body(message);
  if (const auto* error = std::get_if<DecodeError>(&body)) return *error;
  return Envelope{NodeId(message.from()), NodeId(message.to()), Term(message.term()),
                  std::move(std::get<Message>(body))};
}

void encode(const Envelope& envelope, std::vector<std::byte>& out) { Encoder().encode(envelope, out); }

std::variant<Envelope, DecodeError> decode(Bytes bytes) { return Decoder().decode(bytes); }

const char* name(DecodeError error) {
  switch (error) {
    case DecodeError::too_large: return "too_large";
    case DecodeError::malformed: return "malformed";
    case DecodeError::bad_address: return "bad_address";
    case DecodeError::unknown_message: return "unknown_message";
    case DecodeError::too_many_entries: return "too_many_entries";
    case DecodeError::bad_entries: return "bad_entries";
    case DecodeError::bad_field: return "bad_field";
  }
  return "?";
}

}  // namespace raftlab::raft::wire
