#include "raft/messages.hpp"

#include "raft/core_fixture.hpp"
#include "raft/hash.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <map>
#include <set>
#include <vector>

namespace raftlab::raft::testing {
namespace {

Envelope envelope(Message message) { return Envelope{node(1), node(2), Term(3), std::move(message)}; }

AppendEntries append(LogId prev, std::uint64_t commit, std::uint64_t read, Slice entries) {
  return AppendEntries{prev, Index(commit), ReadSeq(read), std::move(entries)};
}

Slice one_entry(std::uint64_t index, std::uint64_t term, EntryKind kind, std::string_view payload) {
  Slice slice = Slice::make(Index(index), 1, 64);
  EXPECT_TRUE(slice.append(Term(term), kind, bytes(payload)));
  return slice;
}

/// One of each kind, and beside it every message that differs from it in one field.
const std::vector<std::vector<Message>>& families() {
  static const std::vector<std::vector<Message>> families = {
      {RequestVote{id(1, 2)}, RequestVote{id(9, 2)}, RequestVote{id(1, 9)}, RequestVote{id(1, 2), true},
       RequestVote{id(1, 2), false, true}},
      {VoteReply{}, VoteReply{true, false}, VoteReply{false, true}},
      {append(id(1, 2), 3, 4, one_entry(3, 2, EntryKind::command, "x")),
       append(id(9, 2), 3, 4, one_entry(3, 2, EntryKind::command, "x")),
       append(id(1, 9), 3, 4, one_entry(3, 2, EntryKind::command, "x")),
       append(id(1, 2), 9, 4, one_entry(3, 2, EntryKind::command, "x")),
       append(id(1, 2), 3, 9, one_entry(3, 2, EntryKind::command, "x")), append(id(1, 2), 3, 4, {}),
       append(id(1, 2), 3, 4, one_entry(9, 2, EntryKind::command, "x")),
       append(id(1, 2), 3, 4, one_entry(3, 9, EntryKind::command, "x")),
       append(id(1, 2), 3, 4, one_entry(3, 2, EntryKind::configuration, "x")),
       append(id(1, 2), 3, 4, one_entry(3, 2, EntryKind::command, "y")),
       append(id(1, 2), 3, 4, one_entry(3, 2, EntryKind::command, std::string_view("x\0", 2))),
       append(id(1, 2), 3, 4, entries(3, {2, 2}))},
      {AppendReply{Index(1), ReadSeq(2)}, AppendReply{Index(9), ReadSeq(2)},
       AppendReply{Index(1), ReadSeq(9)}},
      {AppendReject{Index(1), id(2, 3), ReadSeq(4)}, AppendReject{Index(9), id(2, 3), ReadSeq(4)},
       AppendReject{Index(1), id(9, 3), ReadSeq(4)}, AppendReject{Index(1), id(2, 9), ReadSeq(4)},
       AppendReject{Index(1), id(2, 3), ReadSeq(9)}},
      {Heartbeat{Index(1), ReadSeq(2)}, Heartbeat{Index(9), ReadSeq(2)}, Heartbeat{Index(1), ReadSeq(9)}},
      {HeartbeatReply{ReadSeq(1)}, HeartbeatReply{ReadSeq(9)}},
      {InstallSnapshot{id(1, 2), 3, 4, 5, bytes("x")}, InstallSnapshot{id(9, 2), 3, 4, 5, bytes("x")},
       InstallSnapshot{id(1, 9), 3, 4, 5, bytes("x")}, InstallSnapshot{id(1, 2), 9, 4, 5, bytes("x")},
       InstallSnapshot{id(1, 2), 3, 9, 5, bytes("x")}, InstallSnapshot{id(1, 2), 3, 4, 9, bytes("x")},
       InstallSnapshot{id(1, 2), 3, 4, 5, bytes("y")}, InstallSnapshot{id(1, 2), 3, 4, 5, {}}},
      {SnapshotReply{Index(1), 2, false}, SnapshotReply{Index(9), 2, false},
       SnapshotReply{Index(1), 9, false}, SnapshotReply{Index(1), 2, true}},
      {TimeoutNow{}},
      {ReadIndex{1, 2}, ReadIndex{9, 2}, ReadIndex{1, 9}},
      {ReadIndexReply{1, 2, Index(3)}, ReadIndexReply{9, 2, Index(3)}, ReadIndexReply{1, 9, Index(3)},
       ReadIndexReply{1, 2, Index(9)}},
  };
  return families;
}

TEST(Messages, EachKindIsOfTheFamilyInItsPlace) {
  ASSERT_EQ(families().size(), message_kinds);
  std::set<std::string> names;
  for (std::size_t kind = 0; kind < message_kinds; ++kind) {
    for (const Message& message : families()[kind]) EXPECT_EQ(message.index(), kind);
    EXPECT_EQ(envelope(families()[kind].front()).kind(), static_cast<MessageKind>(kind));
    EXPECT_STREQ(name(families()[kind].front()), name(static_cast<MessageKind>(kind)));
    EXPECT_TRUE(names.insert(name(static_cast<MessageKind>(kind))).second);
  }
}

TEST(Messages, PreVotesHaveNamesOfTheirOwn) {
  EXPECT_STREQ(name(Message(RequestVote{id(1, 1), true})), "PreVote");
  EXPECT_STREQ(name(Message(VoteReply{true, true})), "PreVoteReply");
}

TEST(Messages, AnyFieldChangedAloneChangesTheHash) {
  std::map<std::uint64_t, std::string> seen;
  for (const auto& family : families()) {
    for (std::size_t i = 0; i < family.size(); ++i) {
      const std::string what = std::string(name(family[i])) + " #" + std::to_string(i);
      const auto [at, fresh] = seen.emplace(hash(envelope(family[i])), what);
      EXPECT_TRUE(fresh) << what << " and " << at->second;
    }
  }
}

TEST(Messages, TheEnvelopeIsPartOfTheHash) {
  std::set<std::uint64_t> hashes;
  for (const Envelope& changed :
       {Envelope{node(1), node(2), Term(3), TimeoutNow{}}, Envelope{node(9), node(2), Term(3), TimeoutNow{}},
        Envelope{node(1), node(9), Term(3), TimeoutNow{}},
        Envelope{node(1), node(2), Term(9), TimeoutNow{}}}) {
    EXPECT_TRUE(hashes.insert(hash(changed)).second);
  }
}

TEST(Messages, EqualMessagesHaveEqualHashesWhereverTheirEntriesAreStored) {
  const Slice whole = entries(2, {1, 1, 1});
  const AppendEntries shared = append(id(1, 2), 3, 4, whole.sub(Index(3), Index(4)));
  const AppendEntries copied = append(id(1, 2), 3, 4, entries(3, {1, 1}));
  EXPECT_EQ(shared, copied);
  EXPECT_EQ(hash(envelope(shared)), hash(envelope(copied)));
}

TEST(Hash, HasTheseValuesOnEveryMachine) {
  EXPECT_EQ(Hasher().add(std::uint64_t{1}).add(std::uint64_t{2}).value(), 14039240626593482713U);
  EXPECT_EQ(hash_bytes(0, bytes("0123456789")), 15392348456372830364U);
}

TEST(Hash, DependsOnTheOrderOfFields) {
  EXPECT_NE(Hasher().add(Index(1)).add(Index(2)).value(), Hasher().add(Index(2)).add(Index(1)).value());
}

TEST(Hash, TellsBytesFromTheirZeroPaddedForm) {
  EXPECT_NE(hash_bytes(0, bytes("a")), hash_bytes(0, bytes(std::string_view("a\0", 2))));
  EXPECT_NE(hash_bytes(0, Bytes{}), 0U);
}

/// Its last words overlap: no length must leave a byte out.
TEST(Hash, EveryBitOfEveryLengthCounts) {
  std::set<std::uint64_t> hashes;
  for (std::size_t length = 0; length <= 40; ++length) {
    std::vector<std::byte> text(length, std::byte{'x'});
    EXPECT_TRUE(hashes.insert(hash_bytes(0, text)).second) << length;
    for (std::size_t bit = 0; bit < 8 * length; ++bit) {
      text[bit / 8] ^= std::byte{1} << (bit % 8);
      EXPECT_TRUE(hashes.insert(hash_bytes(0, text)).second) << "bit " << bit << " of " << length << " bytes";
      text[bit / 8] ^= std::byte{1} << (bit % 8);
    }
  }
}

TEST(Hash, TwoFieldsAtOnceKeepTheirOrder) {
  EXPECT_NE(Hasher().add(Index(1), Index(2)).value(), Hasher().add(Index(2), Index(1)).value());
  EXPECT_NE(Hasher().add(Index(1), Index(0)).value(), Hasher().add(Index(0), Index(1)).value());
  EXPECT_NE(Hasher(1).add(Index(2), Index(0)).value(), Hasher(2).add(Index(1), Index(0)).value())
      << "what was hashed before is no field";
}

TEST(Hash, MixFoldsTheWholeProduct) {
  EXPECT_EQ(mix(3, 5), 15U);
  EXPECT_EQ(mix(1ULL << 63U, 2), 1U) << "the upper half counts";
}

}  // namespace
}  // namespace raftlab::raft::testing
