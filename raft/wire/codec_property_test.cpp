#include "raft/wire/codec.hpp"

#include "raft/limits.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace raftlab::raft::wire {
namespace {

std::uint64_t number() {
  return *rc::gen::oneOf(rc::gen::arbitrary<std::uint64_t>(), rc::gen::inRange<std::uint64_t>(0, 300));
}
bool flag() { return *rc::gen::arbitrary<bool>(); }
LogId log_id() { return LogId{Term(number()), Index(number())}; }

std::vector<std::byte> some_bytes() {
  const auto text = *rc::gen::arbitrary<std::string>();
  const Bytes bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

AppendEntries append_entries() {
  const auto count = *rc::gen::inRange<std::uint32_t>(0, block_entries_max + 1);
  AppendEntries append;
  // Room above for the entries: their terms and indices do not overflow.
  append.prev = LogId{Term(number() >> 8U), Index(number() >> 8U)};
  append.commit = Index(number());
  append.read = ReadSeq(number());
  if (count == 0) return append;
  std::vector<std::vector<std::byte>> payloads;
  std::size_t bytes = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    payloads.push_back(some_bytes());
    bytes += payloads.back().size();
  }
  append.entries = Slice::make(append.prev.index.next(), count, static_cast<std::uint32_t>(bytes));
  Term term(std::max<std::uint64_t>(1, append.prev.term.value()));
  for (const auto& payload : payloads) {
    term = term.plus(*rc::gen::inRange<std::uint64_t>(0, 3));
    const auto kind = static_cast<EntryKind>(*rc::gen::inRange(1, 4));
    RC_ASSERT(append.entries.append(term, kind, payload));
  }
  return append;
}

InstallSnapshot install_snapshot() {
  InstallSnapshot install{log_id(), number() >> 1U, 0, number(), some_bytes()};
  install.total = install.offset + install.chunk.size() + *rc::gen::inRange<std::uint64_t>(0, 100);
  return install;
}

Message message_of(MessageKind kind) {
  switch (kind) {
    case MessageKind::request_vote: return RequestVote{log_id(), flag(), flag()};
    case MessageKind::vote_reply: return VoteReply{flag(), flag()};
    case MessageKind::append_entries: return append_entries();
    case MessageKind::append_reply: return AppendReply{Index(number()), ReadSeq(number())};
    case MessageKind::append_reject: return AppendReject{Index(number()), log_id(), ReadSeq(number())};
    case MessageKind::heartbeat: return Heartbeat{Index(number()), ReadSeq(number())};
    case MessageKind::heartbeat_reply: return HeartbeatReply{ReadSeq(number())};
    case MessageKind::install_snapshot: return install_snapshot();
    case MessageKind::snapshot_reply: return SnapshotReply{Index(number()), number(), flag()};
    case MessageKind::timeout_now: return TimeoutNow{};
    case MessageKind::read_index: return ReadIndex{number(), number()};
    case MessageKind::read_index_reply: return ReadIndexReply{number(), number(), Index(number())};
  }
  return TimeoutNow{};
}

Envelope envelope_of(MessageKind kind) {
  const auto node = rc::gen::inRange<std::uint32_t>(1, 0xffffffff);
  return Envelope{NodeId(*node), NodeId(*node), Term(number()), message_of(kind)};
}

RC_GTEST_PROP(CodecProperty, EveryMessageComesBackEqual, ()) {
  Encoder encoder;
  Decoder decoder;
  for (std::size_t kind = 0; kind < message_kinds; ++kind) {
    const Envelope envelope = envelope_of(static_cast<MessageKind>(kind));
    std::vector<std::byte> bytes;
    encoder.encode(envelope, bytes);
    const auto decoded = decoder.decode(bytes);
    RC_ASSERT(std::holds_alternative<Envelope>(decoded));
    RC_ASSERT(std::get<Envelope>(decoded) == envelope);
    // A used encoder leaves nothing of one message in the next.
    std::vector<std::byte> fresh;
    encode(envelope, fresh);
    RC_ASSERT(fresh == bytes);
  }
}

RC_GTEST_PROP(CodecProperty, NoPartOfAMessageIsAMessageEqualToIt, ()) {
  const Envelope envelope =
      envelope_of(static_cast<MessageKind>(*rc::gen::inRange<std::size_t>(0, message_kinds)));
  std::vector<std::byte> bytes;
  encode(envelope, bytes);
  Decoder decoder;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<std::byte> part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    const auto decoded = decoder.decode(part);
    const auto* message = std::get_if<Envelope>(&decoded);
    const bool equal = message != nullptr && *message == envelope;
    RC_ASSERT(!equal);
  }
}

RC_GTEST_PROP(CodecProperty, ArbitraryBytesAreAnErrorOrAMessageThatComesBackEqual,
              (const std::vector<std::uint8_t>& noise)) {
  const auto decoded = decode(std::as_bytes(std::span(noise)));
  if (const auto* envelope = std::get_if<Envelope>(&decoded)) {
    std::vector<std::byte> bytes;
    encode(*envelope, bytes);
    RC_ASSERT(std::get<Envelope>(decode(bytes)) == *envelope);
  }
}

}  // namespace
}  // namespace raftlab::raft::wire
