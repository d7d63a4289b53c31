#include "scenarios/script_fixture.hpp"

#include <gtest/gtest.h>

#include <string>

/// What clients ask, and what they are told.
namespace raftlab::scenarios {
namespace {

using ::testing::ElementsAre;

/// Its log is (1,1) configuration, (2,2) no-op.
const std::string alone = "cluster 1\nelect n1\n";
/// n1 leads, everybody agrees.
const std::string led = "cluster 3\nelect n1\nstabilize\n";
const std::string with_session = alone + "session n1 s\n";

// ---- Changes ----------------------------------------------------------------------------------------------

TEST(Propose, puts_a_value_and_prints_the_answer) {
  EXPECT_THAT(output_of(alone + "propose n1 a 1 as w"), ElementsAre("w: ok at 3"));
  EXPECT_EQ(passed(alone + "propose n1 a 1\nexpect n1 has a 1\nexpect n1 log 1:config 2:noop 2:a=1\n"),
            "none");
}

TEST(Propose, puts_a_key_to_its_own_name_without_a_value) {
  EXPECT_EQ(passed(alone + "propose n1 a\nexpect n1 has a a\nexpect n1 log 1:config 2:noop 2:a\n"), "none");
  for (const std::string tail : {"as w", "deadline 5", "deadline 5 as w"})
    EXPECT_EQ(passed(alone + "propose n1 a " + tail + "\nexpect n1 has a a\n"), "none") << tail;
}

TEST(Propose, to_a_follower_is_answered_with_the_leader) {
  EXPECT_THAT(output_of(led + "propose n2 a as w"), ElementsAre("w: not-leader, ask n1"));
  EXPECT_THAT(output_of("cluster 3\npropose n2 a as w"), ElementsAre("w: not-leader"));
}

TEST(Propose, without_a_name_gets_one_by_its_number) {
  EXPECT_THAT(output_of(alone + "propose n1 a\npropose n1 b as w\npropose n1 c"),
              ElementsAre("op2: ok at 5"));
  EXPECT_EQ(passed(alone + "propose n1 a\nexpect answer op1 ok\n"), "none");
}

TEST(Delete, takes_a_key_away) {
  EXPECT_EQ(passed(alone + "propose n1 a 1\ndelete n1 a as w\nexpect answer w ok\nexpect n1 has a none\n"
                           "expect n1 log 1:config 2:noop 2:a=1 2:delete(a)\n"),
            "none");
}

TEST(CompareAndSwap, replaces_the_expected_value_only) {
  const std::string one = alone + "propose n1 a 1\n";
  EXPECT_EQ(passed(one + "cas n1 a 1 2 as w\nexpect answer w ok\nexpect n1 has a 2\n"), "none");
  EXPECT_THAT(output_of(one + "cas n1 a 7 2 as w"), ElementsAre("w: compare-failed found 1 at 4"));
  EXPECT_EQ(passed(one + "cas n1 a 7 2\nexpect n1 has a 1\n"), "none");
}

TEST(CompareAndSwap, of_none_expects_that_there_is_no_value) {
  EXPECT_EQ(
      passed(alone + "cas n1 a none 2\nexpect n1 has a 2\nexpect n1 log 1:config 2:noop 2:cas(a:none->2)\n"),
      "none");
  EXPECT_THAT(output_of(alone + "cas n1 a 1 2 as w"), ElementsAre("w: compare-failed found none at 3"));
}

TEST(Batch, puts_all_of_its_keys_in_one_entry) {
  EXPECT_EQ(passed(alone + "batch n1 a=1 b=2 c=\nexpect n1 has a 1\nexpect n1 has b 2\n"
                           "expect n1 log 1:config 2:noop 2:batch(a=1,b=2,c=)\n"),
            "none");
  EXPECT_EQ(passed(alone + "batch n1 a=1=2 as w\nexpect answer w ok\nexpect n1 has a 1=2\n"), "none")
      << "the first `=` ends the key";
}

// ---- Reads ------------------------------------------------------------------------------------------------

TEST(Get, prints_the_value_or_that_there_is_none) {
  EXPECT_THAT(output_of(alone + "propose n1 a 1\nget n1 a as r"), ElementsAre("r: ok 1 at 3"));
  EXPECT_THAT(output_of(alone + "get n1 b as r"), ElementsAre("r: ok none at 2"));
}

TEST(Get, waits_until_a_quorum_has_confirmed_the_leader) {
  EXPECT_EQ(passed(led + "get n1 a as r\nexpect answer r pending\nsettle n1 n2\nexpect answer r ok none\n"),
            "none");
  EXPECT_EQ(passed(led + "get n1 a linearizable as r\nexpect answer r pending\n"), "none");
}

TEST(Get, of_a_follower_asks_its_leader_unless_it_may_be_stale) {
  const std::string behind = led + "propose n1 a 1\ndeliver -> n3\n";
  EXPECT_THAT(output_of(behind + "get n2 a as r"), ElementsAre());
  EXPECT_EQ(passed(behind + "get n2 a as r\nexpect messages 1 n2 -> n1 read-index\n"), "none");
  EXPECT_THAT(output_of(behind + "get n2 a stale as r"), ElementsAre("r: ok none at 2"));
}

TEST(Mget, answers_all_keys_at_once_in_their_order) {
  EXPECT_THAT(output_of(alone + "batch n1 a=1 b=2\nmget n1 b x a as r"), ElementsAre("r: ok 2 none 1 at 3"));
  EXPECT_THAT(output_of(alone + "mget n1 a b stale as r"), ElementsAre("r: ok none none at 2"));
  EXPECT_THAT(output_of(alone + "mget n1 a b deadline 5 as r"), ElementsAre("r: ok none none at 2"));
}

// ---- Sessions and retries ---------------------------------------------------------------------------------

TEST(Session, is_open_when_its_entry_is_committed) {
  EXPECT_THAT(output_of(alone + "session n1 s"), ElementsAre("s: ok at 3"));
  EXPECT_EQ(passed(with_session + "expect answer s ok\nexpect n1 log 1:config 2:noop 2:session\n"), "none");
}

TEST(Session, that_was_refused_is_not_open) {
  expect_failed(led + "session n2 s\n", {{"propose ^n1 a in s", "session s is not open"}});
  expect_failed(led + "session n1 s\n", {{"propose ^n1 a in s", "session s is not open"}});
}

TEST(Session, numbers_its_operations_itself) {
  EXPECT_EQ(passed(with_session + "propose n1 a 1 in s\npropose n1 a 2 in s as w\nexpect answer w ok\n"
                                  "cas n1 a 2 3 in s as c\nexpect answer c ok\ndelete n1 a in s\n"
                                  "batch n1 a=4 in s as b\nexpect answer b ok\nexpect n1 has a 4\n"),
            "none");
}

TEST(Session, answers_an_old_number_with_the_old_answer) {
  EXPECT_THAT(output_of(with_session + "propose n1 a 1 in s number 7\npropose n1 a 1 in s number 7 as w"),
              ElementsAre("w: ok duplicate at 4"));
  EXPECT_EQ(passed(with_session + "propose n1 a 1 in s number 7\npropose n1 b 1\n"
                                  "propose n1 a 1 in s number 7 as w\nexpect answer w ok duplicate\n"),
            "none");
}

TEST(Retry, in_a_session_takes_effect_once) {
  const std::string twice = with_session + "propose n1 a 1 in s as w\npropose n1 a 2\n";
  EXPECT_THAT(output_of(twice + "retry n1 w as w2"), ElementsAre("w2: ok duplicate at 4"));
  EXPECT_EQ(passed(twice + "retry n1 w\nexpect n1 has a 2\n"), "none");
}

TEST(Retry, without_a_session_is_another_change) {
  EXPECT_EQ(passed(alone + "propose n1 a 1 as w\npropose n1 a 2\nretry n1 w as w2\nexpect answer w2 ok\n"
                           "expect n1 has a 1\n"),
            "none");
}

TEST(Retry, of_a_read_reads_anew_at_the_node_that_is_named) {
  EXPECT_THAT(output_of(alone + "get n1 a as r\npropose n1 a 1\nretry n1 r as r2"),
              ElementsAre("r2: ok 1 at 3"));
  EXPECT_THAT(output_of(led + "get n2 a as r\nretry n1 r as r2\nsettle"),
              ElementsAre("r2: ok none at 2", "r: ok none at 2"));
}

// ---- What becomes of requests -----------------------------------------------------------------------------

TEST(Request, is_lost_with_the_process_that_has_it) {
  EXPECT_EQ(passed(led + "propose n1 a as w\nexpect answer w pending\nkill n1\nexpect answer w lost\n"),
            "none");
}

TEST(Request, that_was_answered_is_not_lost_any_more) {
  EXPECT_EQ(passed(alone + "propose n1 a as w\nkill n1\nexpect answer w ok\n"), "none");
}

TEST(Request, ends_at_its_deadline) {
  EXPECT_EQ(passed(led + "propose n1 a deadline 3 as w\ntick n1 2\nexpect answer w pending\n"), "none");
  EXPECT_THAT(output_of(led + "propose n1 a deadline 3 as w\ntick n1 3"), ElementsAre("w: timed-out"));
}

TEST(Request, that_another_leader_overwrites_is_answered_so) {
  EXPECT_EQ(passed("cluster 3 pre-vote off check-quorum off\nelect n1\nstabilize\nisolate n1\n"
                   "propose n1 a as w\nelect n2\nheal\nstabilize n1 n2 n3\nexpect not committed a\n"
                   "expect n1 role follower\nexpect no findings\n"),
            "none");
}

TEST(Answer, of_a_request_that_is_still_open_is_told_where_it_stands) {
  expect_failed(led + "propose n1 a as w\n", {{"expect answer ^w ok", "the answer to w is pending"},
                                              {"expect answer ^w lost", "the answer to w is pending"}});
  expect_failed(alone + "propose n1 a as w\n", {{"expect answer ^w pending", "the answer to w is ok at 3"},
                                                {"expect answer ^w ok at 4", "the answer to w is ok at 3"},
                                                {"expect answer ^w ok 1", "the answer to w is ok at 3"}});
}

TEST(Answer, may_be_expected_with_or_without_its_index_and_leader) {
  EXPECT_EQ(passed(alone + "propose n1 a as w\nexpect answer w ok\nexpect answer w ok at 3\n"), "none");
  EXPECT_EQ(passed(led + "propose n2 a as w\nexpect answer w not-leader\n"), "none");
}

}  // namespace
}  // namespace raftlab::scenarios
