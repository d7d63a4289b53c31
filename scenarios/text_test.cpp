#include "scenarios/text.hpp"

#include "raft/core_fixture.hpp"
#include "scenarios/arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

/// How the language writes things down.
namespace raftlab::scenarios {
namespace {

using raft::Index;
using raft::NodeId;
using raft::ReadSeq;
using raft::Term;
using raft::testing::id;

std::string shown(raft::Message message) {
  return text_of(raft::Envelope{NodeId(1), NodeId(2), Term(3), std::move(message)});
}

raft::Slice slice_of(const std::vector<kv::Command>& commands) {
  raft::Slice slice = raft::Slice::make(Index(4), 8, 4096);
  EXPECT_TRUE(slice.append(Term(2), raft::EntryKind::noop, {}));
  for (const kv::Command& command : commands) {
    std::vector<std::byte> payload;
    kv::encode(command, payload);
    EXPECT_TRUE(slice.append(Term(3), raft::EntryKind::command, payload));
  }
  return slice;
}

kv::Command change(kv::Change change) { return kv::Command{{}, {}, std::move(change)}; }

TEST(Text, of_a_node_is_n_and_its_number) {
  EXPECT_EQ(name(NodeId(7)), "n7");
  EXPECT_EQ(name(NodeId()), "none");
}

TEST(Text, of_a_command) {
  EXPECT_EQ(text_of(change(kv::Put{"a", "1"})), "a=1");
  EXPECT_EQ(text_of(change(kv::Put{"a", "a"})), "a");
  EXPECT_EQ(text_of(change(kv::Put{"a", ""})), "a=");
  EXPECT_EQ(text_of(change(kv::Delete{"a"})), "delete(a)");
  EXPECT_EQ(text_of(change(kv::CompareAndSwap{"a", "1", "2"})), "cas(a:1->2)");
  EXPECT_EQ(text_of(change(kv::CompareAndSwap{"a", std::nullopt, "2"})), "cas(a:none->2)");
  EXPECT_EQ(text_of(change(kv::PutBatch{{{"a", "1"}, {"b", "b"}}})), "batch(a=1,b=b)");
  EXPECT_EQ(text_of(change(kv::OpenSession{})), "session");
}

TEST(Text, of_an_entry_begins_with_its_term) {
  const raft::Slice slice = slice_of({change(kv::Put{"a", "1"})});
  EXPECT_EQ(with_term(slice.entry(0)), "2:noop");
  EXPECT_EQ(with_term(slice.entry(1)), "3:a=1");
  EXPECT_EQ(with_term(raft::bootstrap(raft::voters_up_to(3)).entries[0].entry(0)), "1:config");
}

TEST(Text, of_an_entry_that_no_client_wrote_says_so) {
  const auto payload = raft::testing::bytes("what?");
  EXPECT_EQ(text_of(raft::EntryView{id(1, 1), raft::EntryKind::command, payload}), "malformed");
}

TEST(Text, of_a_log) {
  EXPECT_EQ(log_text(raft::Log()), "nothing");
  EXPECT_EQ(log_text(raft::Log(id(2, 7))), "nothing");
  raft::Log log(id(2, 3));
  log.append(slice_of({change(kv::Delete{"x"})}));
  EXPECT_EQ(log_text(log), "2:noop 3:delete(x)");
}

TEST(Text, of_what_a_command_sets) {
  EXPECT_THAT(puts_of(change(kv::Put{"a", "a"})), testing::ElementsAre("a=a"));
  EXPECT_THAT(puts_of(change(kv::CompareAndSwap{"a", "1", "2"})), testing::ElementsAre("a=2"));
  EXPECT_THAT(puts_of(change(kv::PutBatch{{{"a", "1"}, {"b", "2"}}})), testing::ElementsAre("a=1", "b=2"));
  EXPECT_THAT(puts_of(change(kv::Delete{"a"})), testing::IsEmpty());
  EXPECT_THAT(puts_of(change(kv::OpenSession{})), testing::IsEmpty());
}

TEST(Text, of_votes) {
  EXPECT_EQ(shown(raft::RequestVote{id(2, 5), false, false}), "n1 -> n2 vote T3 last (2,5)");
  EXPECT_EQ(shown(raft::RequestVote{id(2, 5), true, false}), "n1 -> n2 pre-vote T3 last (2,5)");
  EXPECT_EQ(shown(raft::VoteReply{false, true}), "n1 -> n2 vote-reply T3 granted");
  EXPECT_EQ(shown(raft::VoteReply{true, false}), "n1 -> n2 pre-vote-reply T3 refused");
}

TEST(Text, of_an_append_lists_its_entries) {
  EXPECT_EQ(shown(raft::AppendEntries{id(2, 3), Index(3), ReadSeq(), slice_of({change(kv::Put{"a", "1"})})}),
            "n1 -> n2 append T3 prev (2,3) commit 3 entries 2:noop 3:a=1");
  EXPECT_EQ(shown(raft::AppendEntries{id(2, 3), Index(3), ReadSeq(), {}}),
            "n1 -> n2 append T3 prev (2,3) commit 3");
}

TEST(Text, of_a_message_names_the_round_of_reads_if_it_carries_one) {
  EXPECT_EQ(shown(raft::AppendEntries{id(2, 3), Index(3), ReadSeq(4), {}}),
            "n1 -> n2 append T3 prev (2,3) commit 3 read 4");
  EXPECT_EQ(shown(raft::AppendReply{Index(5), ReadSeq(4)}), "n1 -> n2 append-reply T3 match 5 read 4");
  EXPECT_EQ(shown(raft::AppendReply{Index(5), ReadSeq()}), "n1 -> n2 append-reply T3 match 5");
  EXPECT_EQ(shown(raft::AppendReject{Index(5), id(1, 2), ReadSeq(4)}),
            "n1 -> n2 append-reject T3 prev 5 hint (1,2) read 4");
  EXPECT_EQ(shown(raft::Heartbeat{Index(5), ReadSeq(4)}), "n1 -> n2 heartbeat T3 commit 5 read 4");
  EXPECT_EQ(shown(raft::HeartbeatReply{ReadSeq(4)}), "n1 -> n2 heartbeat-reply T3 read 4");
  EXPECT_EQ(shown(raft::HeartbeatReply{}), "n1 -> n2 heartbeat-reply T3");
}

TEST(Text, of_a_chunk_and_of_its_answer) {
  EXPECT_EQ(shown(raft::InstallSnapshot{id(2, 7), 10, 25, 0, raft::testing::bytes("12345")}),
            "n1 -> n2 snapshot T3 last (2,7) bytes 10..15 of 25");
  EXPECT_EQ(shown(raft::SnapshotReply{Index(7), 15, false}), "n1 -> n2 snapshot-reply T3 last 7 received 15");
  EXPECT_EQ(shown(raft::SnapshotReply{Index(7), 0, true}), "n1 -> n2 snapshot-reply T3 last 7 installed");
  EXPECT_EQ(shown(raft::TimeoutNow{}), "n1 -> n2 timeout-now T3");
}

TEST(Text, of_a_question_for_a_read_index_and_of_its_answer) {
  EXPECT_EQ(shown(raft::ReadIndex{}), "n1 -> n2 read-index T3");
  EXPECT_EQ(shown(raft::ReadIndexReply{}), "n1 -> n2 read-index-reply T3");
}

TEST(Text, of_kinds_is_what_a_selection_calls_them) {
  std::set<std::string_view> found;
  for (const raft::Message& message :
       {raft::Message(raft::RequestVote{}), raft::Message(raft::RequestVote{{}, true, false}),
        raft::Message(raft::VoteReply{}), raft::Message(raft::VoteReply{true, false}),
        raft::Message(raft::AppendEntries{}), raft::Message(raft::AppendReply{}),
        raft::Message(raft::AppendReject{}), raft::Message(raft::Heartbeat{}),
        raft::Message(raft::HeartbeatReply{}), raft::Message(raft::InstallSnapshot{}),
        raft::Message(raft::SnapshotReply{}), raft::Message(raft::TimeoutNow{}),
        raft::Message(raft::ReadIndex{}), raft::Message(raft::ReadIndexReply{})}) {
    found.insert(kind_of(message));
  }
  EXPECT_EQ(found, std::set<std::string_view>(kinds().begin(), kinds().end()));
}

TEST(Text, of_a_configuration_tells_whether_two_sides_decide) {
  const auto shown_as = [](const raft::Configuration& configuration) {
    return with_term(raft::EntryView{id(2, 3), raft::EntryKind::configuration, raft::encode(configuration)});
  };
  EXPECT_EQ(shown_as(raft::voters_up_to(3)), "2:config");
  EXPECT_EQ(shown_as(raft::joint_of(raft::voters_up_to(3), raft::voters_up_to(4))), "2:joint");
  const auto payload = raft::testing::bytes("what?");
  EXPECT_EQ(text_of(raft::EntryView{id(2, 3), raft::EntryKind::configuration, payload}), "malformed");
}

TEST(Text, of_the_answer_to_a_change) {
  kv::ChangeAnswer answer;
  EXPECT_EQ(text_of(answer), "rejected not-leader");
  answer.leader = NodeId(2);
  EXPECT_EQ(text_of(answer), "rejected not-leader, ask n2");
  answer.outcome = kv::ChangeAnswer::Outcome::accepted;
  answer.index = Index(3);
  EXPECT_EQ(text_of(answer), "accepted at 3");
  answer.outcome = kv::ChangeAnswer::Outcome::transferred;
  EXPECT_EQ(text_of(answer), "transferred");
}

TEST(Text, of_a_rejection_is_one_word_and_no_other_has_it) {
  std::set<std::string> words;
  for (std::uint8_t reason = 0; reason <= static_cast<std::uint8_t>(rejection_last); ++reason) {
    const std::string word = rejection_word(static_cast<raft::Rejection>(reason));
    EXPECT_EQ(word.find_first_of(" _?"), std::string::npos) << word;
    EXPECT_TRUE(words.insert(word).second) << word;
  }
}

TEST(Text, of_an_answer) {
  kv::Answer answer;
  answer.index = Index(3);
  EXPECT_EQ(text_of(answer), "ok at 3");
  answer.duplicate = true;
  EXPECT_EQ(text_of(answer), "ok duplicate at 3");
  answer.duplicate = false;
  answer.values = {"1", std::nullopt};
  EXPECT_EQ(text_of(answer), "ok 1 none at 3");
}

TEST(Text, of_an_answer_that_refuses) {
  kv::Answer answer;
  answer.status = kv::Status::not_leader;
  EXPECT_EQ(text_of(answer), "not-leader");
  answer.leader = NodeId(2);
  EXPECT_EQ(text_of(answer), "not-leader, ask n2");
  answer = {};
  answer.status = kv::Status::compare_failed;
  EXPECT_EQ(text_of(answer), "compare-failed found none");
  answer.found = "1";
  answer.index = Index(4);
  EXPECT_EQ(text_of(answer), "compare-failed found 1 at 4");
  answer = {};
  answer.status = kv::Status::bad_request;
  answer.error = kv::CommandError::empty_key;
  EXPECT_EQ(text_of(answer), std::string("bad-request: ") + kv::name(kv::CommandError::empty_key));
}

TEST(Text, of_a_status_is_one_word) {
  for (std::uint8_t status = 0; status <= static_cast<std::uint8_t>(kv::Status::timed_out); ++status)
    EXPECT_EQ(status_word(static_cast<kv::Status>(status)).find_first_of(" _"), std::string::npos);
}

TEST(Text, of_a_view) {
  raft::testing::Driver driver = raft::testing::leader_of(3);
  EXPECT_EQ(text_of(driver.view(), Index(1)), "n1 T2 leader vote n1 leader n1 C/A/D/last 2/1/2/(2,2)");
  driver.step(raft::WriteFailed{raft::WriteSeq(9)});
  EXPECT_EQ(text_of(driver.view(), Index(2)), "n1 T2 leader vote n1 leader n1 C/A/D/last 2/2/2/(2,2) faulty");
}

TEST(Text, of_a_rung_is_found_by_its_identifier_only) {
  for (const invariants::RungInfo& info : invariants::rungs()) EXPECT_EQ(rung_named(info.id), info.rung);
  for (const char* wrong : {"", "G", "g1", "G1 ", "election-safety"})
    EXPECT_FALSE(rung_named(wrong)) << wrong;
}

TEST(Number, of_the_language_has_digits_only) {
  EXPECT_EQ(to_number("0"), 0U);
  EXPECT_EQ(to_number("007"), 7U);
  EXPECT_EQ(to_number("18446744073709551615"), UINT64_MAX);
  for (const char* wrong : {"", "18446744073709551616", "-1", "+1", " 1", "1 ", "1x", "0x1", "1e3", "1.0"})
    EXPECT_FALSE(to_number(wrong)) << wrong;
}

}  // namespace
}  // namespace raftlab::scenarios
