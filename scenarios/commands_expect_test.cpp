#include "scenarios/script_fixture.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

/// Expectations: when they hold, and what they say when they do not.
namespace raftlab::scenarios {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// n1 leads term 2 with 1:config 2:noop 2:a=1, everywhere committed and applied.
const std::string agreed = "cluster 3\nelect n1\nstabilize\npropose n1 a 1\nstabilize\n";
/// The same, and 2:b on n1 only.
const std::string ahead = agreed + "propose n1 b\ndrop all\n";

/// Each line holds.
void expect_holds(const std::string& before, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) EXPECT_EQ(passed(before + "expect " + line + "\n"), "none") << line;
}

// ---- Numbers ----------------------------------------------------------------------------------------------

TEST(ExpectNumber, holds_when_the_comparison_does) {
  expect_holds(agreed, {"n1 term 2", "n1 term = 2", "n1 term != 3", "n1 term < 3", "n1 term <= 2",
                        "n1 term > 1", "n1 term >= 2", "n1 term != 18446744073709551615"});
  expect_failed(agreed, {{"expect n1 ^term 3", "term of n1 is 2"},
                         {"expect n1 ^term != 2", "term of n1 is 2"},
                         {"expect n1 ^term < 2", "term of n1 is 2"},
                         {"expect n1 ^term <= 1", "term of n1 is 2"},
                         {"expect n1 ^term > 2", "term of n1 is 2"},
                         {"expect n1 ^term >= 3", "term of n1 is 2"}});
}

TEST(ExpectNumber, looks_at_the_field_that_is_named) {
  expect_holds(ahead, {"n1 term 2", "n1 commit 3", "n1 applied 3", "n1 durable 4", "n1 last 4",
                       "n1 last-term 2", "n1 dropped 0", "n1 reads 0", "n2 last 3", "n2 durable 3"});
  expect_failed(ahead, {{"expect n1 ^commit 9", "commit of n1 is 3"},
                        {"expect n1 ^applied 9", "applied of n1 is 3"},
                        {"expect n1 ^durable 9", "durable of n1 is 4"},
                        {"expect n1 ^last 9", "last of n1 is 4"},
                        {"expect n1 ^last-term 9", "last-term of n1 is 2"},
                        {"expect n1 ^dropped 9", "dropped of n1 is 0"},
                        {"expect n1 ^reads 9", "reads of n1 is 0"}});
  expect_holds(agreed + "get n1 a\nget n1 a\n", {"n1 reads 2"});
}

TEST(ExpectNumber, can_be_the_index_of_a_key) {
  expect_holds(ahead, {"n1 last index of b", "n1 commit index of a", "n1 commit < index of b",
                       "n2 last = index of a", "n1 peer n2 match index of a"});
  expect_failed(ahead, {{"expect n1 ^commit index of b", "commit of n1 is 3, index of b is 4"},
                        {"expect n2 last ^index of b", "n2 has no entry that sets b"},
                        {"expect n1 last ^index of c", "n1 has no entry that sets c"}});
}

TEST(ExpectNumber, of_a_key_means_the_last_entry_that_sets_it) {
  const std::string often = agreed + "propose n1 a 2\ncas n1 a 2 3\nbatch n1 x=1 a=4\ndelete n1 a\n";
  expect_holds(often, {"n1 last 7", "n1 last > index of a", "n1 durable = 7"});
  expect_failed(often, {{"expect n1 ^last index of a", "last of n1 is 7, index of a is 6"}});
}

TEST(ExpectNumber, that_differs_shows_the_nodes_status) {
  EXPECT_THAT(failed(agreed + "expect n2 term 7\n"),
              HasSubstr("\n    n2 T2 follower vote n1 leader n1 C/A/D/last 3/3/3/(2,3)"));
}

// ---- Nodes ------------------------------------------------------------------------------------------------

TEST(ExpectNode, has_a_role) {
  expect_holds("cluster 3\n", {"n1 role follower"});
  expect_holds("cluster 3\ncampaign n1\n", {"n1 role pre-candidate"});
  expect_holds("cluster 3 pre-vote off\ncampaign n1\n", {"n1 role candidate"});
  expect_holds(agreed, {"n1 role leader"});
  expect_failed(agreed, {{"expect n1 ^role follower", "n1 is leader"},
                         {"expect n2 ^role pre-candidate", "n2 is follower"}});
}

TEST(ExpectNode, has_voted_and_follows) {
  expect_holds("cluster 3\n", {"n1 vote none", "n1 leader none"});
  expect_holds(agreed, {"n2 vote n1", "n3 leader n1", "n1 vote n1"});
  expect_failed(agreed, {{"expect n2 ^vote none", "the vote of n2 is n1"},
                         {"expect n2 ^leader n3", "the leader of n2 is n1"}});
}

TEST(ExpectNode, lives_or_does_not) {
  expect_holds("cluster 3\nkill n2\n", {"n1 up", "n2 down"});
  expect_failed("cluster 3\nkill n2\n", {{"expect ^n1 down", "n1 is up"},
                                         {"expect ^n2 up", "n2 is down"},
                                         {"expect ^n2 faulty", "n2 is down"},
                                         {"expect ^n1 faulty", "n1 is up"}});
  const std::string faulty = "cluster 1\nfail sync n1\nelect n1\n";
  EXPECT_THAT(failed(faulty), HasSubstr("n1 was not elected"));
  const std::string stopped = "cluster 1\nfail sync n1\ncampaign n1\n";
  expect_holds(stopped, {"n1 faulty"});
  expect_failed(stopped, {{"expect ^n1 up", "n1 is faulty"}});
}

TEST(ExpectPeer, tells_what_a_leader_knows) {
  expect_holds(ahead, {"n1 peer n2 match 3", "n1 peer n2 next 5", "n1 peer n3 window 1",
                       "n1 peer n2 replicate", "n1 peer n1 match 4", "n1 peer n2 match < 4"});
  const char* known = "for n1, n2 is in replicate with match 3, next 5, window 1";
  expect_failed(ahead, {{"expect n1 ^peer n2 match 4", known},
                        {"expect n1 ^peer n2 next 4", known},
                        {"expect n1 ^peer n2 window 0", known},
                        {"expect n1 ^peer n2 probe", known},
                        {"expect n2 ^peer n1 match 3", "n2 does not lead"}});
  expect_holds("cluster 3\nelect n1\n", {"n1 peer n2 probe"});
}

// ---- Logs and stores --------------------------------------------------------------------------------------

TEST(ExpectLog, holds_for_exactly_these_entries) {
  expect_holds(agreed,
               {"n1 log 1:config 2:noop 2:a=1", "n3 log 1:config   2:noop 2:a=1   # spaces do not count"});
  const char* found = "the log of n1 is 1:config 2:noop 2:a=1";
  expect_failed(agreed, {{"expect n1 ^log 1:config 2:noop", found},
                         {"expect n1 ^log 1:config 2:noop 2:a=1 2:b", found},
                         {"expect n1 ^log 1:config 2:noop 2:a", found}});
}

TEST(ExpectLog, is_the_same_on_nodes_that_are_named) {
  expect_holds(ahead, {"same log n2 n3", "same log n1"});
  expect_failed(ahead,
                {{"expect same log ^n1 n2", "the logs differ"}, {"expect same log ^all", "the logs differ"}});
  EXPECT_THAT(failed(ahead + "expect same log n1 n3\n"),
              HasSubstr("\n    n1 1:config 2:noop 2:a=1 2:b\n    n3 1:config 2:noop 2:a=1"));
}

TEST(ExpectHas, looks_into_the_state_machine_and_not_into_the_log) {
  expect_holds(ahead, {"n1 has a 1", "n1 has b none", "n2 has a 1"});
  expect_failed(ahead, {{"expect n1 ^has a 2", "on n1, a is 1"},
                        {"expect n1 ^has b b", "on n1, b is none"},
                        {"expect n1 ^has a none", "on n1, a is 1"}});
}

// ---- What is committed ------------------------------------------------------------------------------------

const std::string several =
    agreed + "batch n1 x=1 y=2\npropose n1 a 2\ncas n1 a 2 3\nstabilize\npropose n1 late\n";

TEST(ExpectCommitted, in_the_order_of_the_log) {
  expect_holds(several, {"committed a", "committed a=1 a=2 a=3", "committed x a=2", "committed y=2",
                         "committed a=1 x=1 a=3"});
}

TEST(ExpectCommitted, otherwise_shows_everything_that_is) {
  const char* all =
      "late is not committed; these are: 1:config 2:noop 2:a=1 2:batch(x=1,y=2) 2:a=2 2:cas(a:2->3)";
  expect_failed(several, {{"expect committed ^late", all}, {"expect committed a ^late", all}});
  EXPECT_THAT(failed(several + "expect committed a=2 a=1\n"),
              HasSubstr(": a=1 is not committed; these are:"));
  EXPECT_THAT(failed(several + "expect committed x y\n"), HasSubstr(": y is not committed; these are:"))
      << "one entry is one step in the order";
}

TEST(ExpectCommitted, never_means_at_no_index) {
  expect_holds(several, {"not committed late", "not committed a=4", "not committed late b c"});
  EXPECT_THAT(failed(several + "expect not committed late a=1\n"),
              HasSubstr("t.scn:11:27: a=1 is committed; these are: 1:config"));
}

TEST(ExpectCommitted, does_not_take_a_key_for_the_beginning_of_another_one) {
  EXPECT_EQ(passed("cluster 1\nelect n1\npropose n1 ab 1\nexpect not committed a\nexpect committed ab\n"),
            "none");
}

// ---- Messages, rungs, findings ----------------------------------------------------------------------------

TEST(ExpectMessages, counts_those_that_are_selected_and_not_held) {
  const std::string voting = "cluster 3 pre-vote off\ncampaign n1\n";
  expect_holds(voting, {"messages 2", "messages 1 -> n2", "messages 2 n1 -> vote term 2", "messages 0 append",
                        "no message append", "no message n2 ->", "messages 1 last", "messages 0 term 3"});
  expect_failed(voting, {{"expect messages ^1", "there are 2"},
                         {"expect messages ^0 vote", "there are 2"},
                         {"expect no ^message", "there is n1 -> n2 vote T2 last (1,1)"},
                         {"expect no ^message -> n3", "there is n1 -> n3 vote T2 last (1,1)"}});
  expect_holds(voting + "hold -> n2\n", {"messages 1", "no message -> n2"});
}

/// A disk that comes back empty breaks rungs: what it had acknowledged is lost.
const std::string broken = "cluster 3\nelect n1\nstabilize\ncrash n2\nwipe n2\nrestart n2\n";

TEST(ExpectRung, holds_on_a_run_that_keeps_it) {
  expect_holds(agreed, {"rung G1 holds", "rung R3 holds", "no findings"});
  expect_failed(agreed, {{"expect rung ^R3 broken", "R3 holds"}});
}

TEST(ExpectRung, that_is_expected_to_break_does_not_end_the_script) {
  const ScriptResult result = run_script("t.scn", broken);
  ASSERT_EQ(result.outcome, Outcome::failed);
  std::set<std::string> ids;
  for (const invariants::Finding& finding : result.findings) ids.insert(invariants::info(finding.rung).id);
  ASSERT_THAT(ids, ::testing::Contains("R3"));
  std::string expectations;
  for (const std::string& id : ids) expectations += "expect rung " + id + " broken\n";
  EXPECT_EQ(passed(broken + expectations), "none");
  EXPECT_THAT(failed(broken + expectations + "expect no findings\n"), HasSubstr("\n  expect no findings\n"));
  EXPECT_THAT(failed(broken + expectations + "expect rung R3 holds\n"), HasSubstr(": R3 is broken: "));
}

// ---- Time and elections -----------------------------------------------------------------------------------

TEST(Tick, passes_for_the_nodes_that_are_named) {
  EXPECT_EQ(passed("cluster 3\ntick n1 100\nexpect n1 role pre-candidate\nexpect n2 role follower\n"),
            "none");
  EXPECT_EQ(passed("cluster 3 pre-vote off\ntick all 100\nexpect n1 term >= 2\nexpect n3 term >= 2\n"),
            "none");
}

TEST(Tick, passes_until_a_role_is_reached) {
  EXPECT_EQ(
      passed("cluster 3 pre-vote off\ntick n2 until candidate\nexpect n2 role candidate\nexpect n2 term 2\n"
             "tick n2 until candidate\nexpect n2 term 2\n"),
      "none");
  expect_failed("cluster 3 election 10\n", {{"tick ^n1 until leader", "n1 is no leader after 100 ticks"}});
}

TEST(Elect, fails_when_the_node_does_not_get_its_votes) {
  expect_failed("cluster 3\n", {{"isolate n1\nelect ^n1", "n1 was not elected: 1 votes, 0 refusals"}});
  expect_failed(agreed, {{"elect ^n1", "n1 leads already"}});
  EXPECT_THAT(failed(ahead + "elect n2 votes n1\n"), HasSubstr("n2 was not elected: 1 votes, 1 refusals"));
}

TEST(Elect, of_an_only_voter_needs_nobody) {
  EXPECT_EQ(passed("cluster 1\nelect n1\nexpect n1 role leader\nexpect no message\n"), "none");
}

TEST(Settle, delivers_among_the_nodes_that_are_named) {
  EXPECT_EQ(
      passed("cluster 3\nelect n1\nsettle n1 n3\nexpect n3 last 2\nexpect n2 last 1\nexpect n1 commit 2\n"
             "expect messages 1 -> n2\n"),
      "none");
}

TEST(Stabilize, brings_nodes_to_agree_and_says_what_is_amiss_otherwise) {
  EXPECT_EQ(passed("cluster 5\nstabilize\nexpect same log all\nexpect no message append\n"), "none");
  EXPECT_EQ(passed("cluster 5\npartition n1 n2 n3 | n4 n5\nstabilize n1 n2 n3\nexpect n4 term 1\n"), "none");
  expect_failed("cluster 3\nisolate n1\nelect n2\nstabilize n2 n3\n",
                {{"^stabilize", "the nodes do not settle: n1 is in another term than leader n2"}});
}

TEST(Failure, of_a_command_as_a_whole_points_at_its_first_word) {
  expect_failed("cluster 3\ncrash n2 n3\n", {{"   ^stabilize", "the nodes do not settle: nobody leads"}});
}

// ---- What is shown ----------------------------------------------------------------------------------------

TEST(Status, is_one_line_for_each_node_that_is_named) {
  EXPECT_THAT(output_of(agreed + "status"),
              ElementsAre("n1 T2 leader vote n1 leader n1 C/A/D/last 3/3/3/(2,3)",
                          "n2 T2 follower vote n1 leader n1 C/A/D/last 3/3/3/(2,3)",
                          "n3 T2 follower vote n1 leader n1 C/A/D/last 3/3/3/(2,3)"));
  EXPECT_THAT(output_of("cluster 3\nkill n3\npause n2\nstatus n3 n2"),
              ElementsAre("n3 down", "n2 T1 follower vote none leader none C/A/D/last 0/0/1/(1,1) paused"));
}

TEST(LogCommand, shows_the_entries_of_each_node) {
  EXPECT_THAT(output_of(ahead + "kill n3\nlog"),
              ElementsAre("n1 1:config 2:noop 2:a=1 2:b", "n2 1:config 2:noop 2:a=1", "n3 down"));
}

TEST(Peers, shows_what_a_leader_knows_of_the_others) {
  EXPECT_THAT(output_of(ahead + "peers n1"),
              ElementsAre("n2 replicate match 3 next 5 window 1", "n3 replicate match 3 next 5 window 1"));
  EXPECT_THAT(output_of(ahead + "peers n2"), ElementsAre("n2 does not lead"));
}

}  // namespace
}  // namespace raftlab::scenarios
