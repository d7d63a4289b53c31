#include "raft/wire/codec.hpp"

#include "raft/limits.hpp"
#include "raft/wire/messages.pb.h"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <string_view>

namespace raftlab::raft::wire {
namespace {

namespace pb = ::raftlab::wire;

std::string hex(Bytes bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += digits[std::to_integer<unsigned>(byte) >> 4U];
    text += digits[std::to_integer<unsigned>(byte) & 0xfU];
  }
  return text;
}

Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

Envelope from_1_to_2(Message message) { return Envelope{NodeId(1), NodeId(2), Term(3), std::move(message)}; }

Slice two_entries() {
  Slice entries = Slice::make(Index(8), 2, 3);
  RAFTLAB_ASSERT(entries.append(Term(2), EntryKind::command, bytes_of("abc")));
  RAFTLAB_ASSERT(entries.append(Term(3), EntryKind::noop, {}));
  return entries;
}

struct Golden {
  const char* title;
  Message message;
  std::string body;  ///< behind from, to and term
};

std::vector<Golden> golden() {
  const auto chunk = bytes_of("xyz");
  return {
      {"RequestVote", RequestVote{LogId{Term(2), Index(300)}, false, true}, "2207080210ac022001"},
      {"PreVote", RequestVote{LogId{Term(2), Index(300)}, true, false}, "2207080210ac021801"},
      {"VoteReply", VoteReply{true, true}, "2a0408011001"},
      {"AppendEntries", AppendEntries{LogId{Term(2), Index(7)}, Index(6), ReadSeq(5), two_entries()},
       "3219"
       "0802"
       "1007"
       "1806"
       "2005"
       "2a020203"
       "32020201"
       "3a020300"
       "4203616263"},
      {"AppendEntries, empty", AppendEntries{LogId{}, Index(), ReadSeq(), Slice()}, "3200"},
      {"AppendReply", AppendReply{Index(9), ReadSeq(5)}, "3a0408091005"},
      {"AppendReject", AppendReject{Index(9), LogId{Term(2), Index(4)}, ReadSeq(5)}, "42080809100218042005"},
      {"Heartbeat", Heartbeat{Index(9), ReadSeq(5)}, "4a0408091005"},
      {"HeartbeatReply", HeartbeatReply{ReadSeq(5)}, "52020805"},
      {"InstallSnapshot",
       InstallSnapshot{LogId{Term(2), Index(300)}, 4, 7, 0x1122334455667788, {chunk.begin(), chunk.end()}},
       "5a17"
       "0802"
       "10ac02"
       "1804"
       "2007"
       "298877665544332211"
       "320378797a"},
      {"SnapshotReply", SnapshotReply{Index(300), 7, true}, "620708ac0210071801"},
      {"TimeoutNow", TimeoutNow{}, "6a00"},
      {"ReadIndex", ReadIndex{5, 0x1122334455667788}, "720b0805118877665544332211"},
      {"ReadIndexReply", ReadIndexReply{5, 0x1122334455667788, Index(9)}, "7a0d08051188776655443322111809"},
  };
}

TEST(Codec, EachMessageHasTheseBytes) {
  Encoder encoder;
  Decoder decoder;
  std::vector<bool> seen(message_kinds);
  for (const Golden& example : golden()) {
    const Envelope envelope = from_1_to_2(example.message);
    std::vector<std::byte> bytes;
    encoder.encode(envelope, bytes);
    EXPECT_EQ(hex(bytes), "080110021803" + example.body) << example.title;
    const auto decoded = decoder.decode(bytes);
    ASSERT_TRUE(std::holds_alternative<Envelope>(decoded)) << example.title;
    EXPECT_EQ(std::get<Envelope>(decoded), envelope) << example.title;
    seen.at(example.message.index()) = true;
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), static_cast<std::ptrdiff_t>(message_kinds));
}

TEST(Codec, EncodingAppends) {
  std::vector<std::byte> bytes(3, std::byte{0xaa});
  encode(from_1_to_2(TimeoutNow{}), bytes);
  EXPECT_EQ(hex(bytes), "aaaaaa0801100218036a00");
}

/// A frame says how long it is, so the transport never hands over a part. Should it, the answer is an error or a message.
TEST(Codec, ATruncatedMessageIsAnErrorOrAMessageThatLostItsLastFields) {
  for (const Golden& example : golden()) {
    const Envelope envelope = from_1_to_2(example.message);
    std::vector<std::byte> bytes;
    encode(envelope, bytes);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const std::vector<std::byte> part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      const auto decoded = decode(part);
      // The body is the last field of the envelope and says its length: no part of a message is one.
      ASSERT_TRUE(std::holds_alternative<DecodeError>(decoded)) << example.title << " cut at " << size;
    }
  }
}

TEST(Codec, AFlippedBitNeverCrashes) {
  for (const Golden& example : golden()) {
    std::vector<std::byte> bytes;
    encode(from_1_to_2(example.message), bytes);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      auto flipped = bytes;
      flipped[bit / 8] ^= std::byte{1} << (bit % 8);
      const auto decoded = decode(flipped);
      if (const auto* envelope = std::get_if<Envelope>(&decoded)) {
        std::vector<std::byte> again;
        encode(*envelope, again);
        EXPECT_EQ(std::get<Envelope>(decode(again)), *envelope) << example.title << ' ' << bit;
      }
    }
  }
}

DecodeError error_of(const pb::Envelope& message) {
  const std::string text = message.SerializeAsString();
  const auto decoded = decode(bytes_of(text));
  EXPECT_TRUE(std::holds_alternative<DecodeError>(decoded));
  const auto* error = std::get_if<DecodeError>(&decoded);
  return error != nullptr ? *error : DecodeError{255};
}

pb::Envelope append_message(int entries) {
  pb::Envelope message;
  message.set_from(1);
  message.set_to(2);
  pb::AppendEntries& append = *message.mutable_append_entries();
  append.set_prev_term(4);
  append.set_prev_index(10);
  for (int i = 0; i < entries; ++i) {
    append.add_terms(5);
    append.mutable_kinds()->push_back(2);
    append.add_sizes(1);
    append.mutable_payloads()->push_back('x');
  }
  return message;
}

TEST(Codec, RefusesAFrameBeyondTheLimitUnseen) {
  const std::vector<std::byte> bytes(frame_bytes_max + 1);
  EXPECT_EQ(std::get<DecodeError>(decode(bytes)), DecodeError::too_large);
}

TEST(Codec, RefusesMissingAddressesAndUnknownMessages) {
  pb::Envelope message;
  EXPECT_EQ(error_of(message), DecodeError::bad_address);
  message.set_from(1);
  EXPECT_EQ(error_of(message), DecodeError::bad_address);
  message.set_to(2);
  EXPECT_EQ(error_of(message), DecodeError::unknown_message);
  message.clear_from();
  message.mutable_timeout_now();
  EXPECT_EQ(error_of(message), DecodeError::bad_address);
  EXPECT_EQ(std::get<DecodeError>(decode(bytes_of("\x08\x01\x10\x02\x82\x01"))), DecodeError::malformed);
}

TEST(Codec, RefusesColumnsThatDoNotFitTogether) {
  pb::Envelope message = append_message(3);
  message.mutable_append_entries()->mutable_kinds()->push_back(2);
  EXPECT_EQ(error_of(message), DecodeError::bad_entries);
  message = append_message(3);
  message.mutable_append_entries()->add_sizes(0);
  EXPECT_EQ(error_of(message), DecodeError::bad_entries);
  message = append_message(3);
  message.mutable_append_entries()->mutable_payloads()->push_back('x');
  EXPECT_EQ(error_of(message), DecodeError::bad_entries);
  message = append_message(3);
  message.mutable_append_entries()->set_sizes(1, 0xffffffff);
  message.mutable_append_entries()->set_sizes(2, 3);  // the sum is right only in 32 bits
  EXPECT_EQ(error_of(message), DecodeError::bad_entries);
}

TEST(Codec, RefusesUnknownKindsFallingTermsAndIndicesBeyondTheLast) {
  for (const char kind : {'\0', '\4', '\377'}) {
    pb::Envelope message = append_message(3);
    (*message.mutable_append_entries()->mutable_kinds())[1] = kind;
    EXPECT_EQ(error_of(message), DecodeError::bad_entries);
  }
  for (const std::uint64_t term : {std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{4}}) {
    pb::Envelope message = append_message(3);
    message.mutable_append_entries()->set_terms(1, term);
    EXPECT_EQ(error_of(message), DecodeError::bad_entries) << term;
  }
  pb::Envelope message = append_message(3);
  message.mutable_append_entries()->set_prev_index(std::numeric_limits<std::uint64_t>::max() - 2);
  EXPECT_EQ(error_of(message), DecodeError::bad_entries);
}

TEST(Codec, TakesAsManyEntriesAsABlockHoldsAndNoMore) {
  const auto full = append_message(static_cast<int>(block_entries_max)).SerializeAsString();
  const auto decoded = decode(bytes_of(full));
  ASSERT_TRUE(std::holds_alternative<Envelope>(decoded));
  const Slice& entries = std::get<AppendEntries>(std::get<Envelope>(decoded).message).entries;
  EXPECT_EQ(entries.size(), block_entries_max);
  EXPECT_EQ(entries.block_capacity(), block_entries_max) << "one block of the right size";
  EXPECT_EQ(entries.first_index(), Index(11));
  EXPECT_EQ(error_of(append_message(static_cast<int>(block_entries_max) + 1)), DecodeError::too_many_entries);
}

TEST(Codec, RefusesAChunkThatReachesBeyondItsSnapshot) {
  pb::Envelope message;
  message.set_from(1);
  message.set_to(2);
  pb::InstallSnapshot& snapshot = *message.mutable_install_snapshot();
  snapshot.set_offset(5);
  snapshot.set_total(7);
  snapshot.set_chunk("abc");
  EXPECT_EQ(error_of(message), DecodeError::bad_field);
  snapshot.set_offset(8);
  snapshot.clear_chunk();
  EXPECT_EQ(error_of(message), DecodeError::bad_field);
  snapshot.set_offset(std::numeric_limits<std::uint64_t>::max());
  snapshot.set_chunk("abc");
  EXPECT_EQ(error_of(message), DecodeError::bad_field);
}

TEST(Codec, AProposalOfTheLargestSizeFitsAFrame) {
  const std::vector<std::byte> payload(Limits{}.proposal_bytes_max, std::byte{1});
  Slice entries = Slice::make(Index(1), 1, static_cast<std::uint32_t>(payload.size()));
  ASSERT_TRUE(entries.append(Term(1), EntryKind::command, payload));
  const Envelope envelope = from_1_to_2(AppendEntries{LogId{}, Index(), ReadSeq(), entries});
  std::vector<std::byte> bytes;
  encode(envelope, bytes);
  EXPECT_LE(bytes.size(), frame_bytes_max);
  EXPECT_EQ(std::get<Envelope>(decode(bytes)), envelope);
}

}  // namespace
}  // namespace raftlab::raft::wire
