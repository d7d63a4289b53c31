#include "scenarios/script_fixture.hpp"

#include <gtest/gtest.h>

#include <string>

/// Changes of the members, transfers, snapshots: what becomes of them, and what can be expected.
namespace raftlab::scenarios {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// n1 leads three voters; n4 stands aside.
const std::string led = "cluster 4 spares 1\nelect n1 votes n2 n3\nstabilize\n";

// ---- Spares -----------------------------------------------------------------------------------------------

TEST(Spares, start_with_nothing_and_are_not_asked) {
  EXPECT_EQ(passed(led + "expect n4 voters none\nexpect n4 last 0\nexpect n1 voters n1 n2 n3\n"
                         "expect n4 leader none\nexpect n4 term 0\n"),
            "none");
  EXPECT_EQ(passed("cluster 3 spares 0\nexpect n3 voters n1 n2 n3\n"), "none");
  EXPECT_THAT(output_of("cluster 2 spares 1\nlog"), ElementsAre("n1 1:config", "n2 nothing"));
}

// ---- Changes of the members -------------------------------------------------------------------------------

TEST(Reconfigure, prints_where_the_change_stands_in_the_log) {
  EXPECT_THAT(output_of(led + "reconfigure n1 n1 n2 n3 n4 as c"), ElementsAre("c: accepted at 3"));
  EXPECT_THAT(output_of(led + "reconfigure n1 all"), ElementsAre("op1: accepted at 3"));
}

TEST(Reconfigure, goes_through_a_joint_configuration) {
  EXPECT_EQ(passed(led + "reconfigure n1 n4 n2 n1\nexpect n1 voters n1 n2 n4\nexpect n1 outgoing n1 n2 n3\n"
                         "expect n1 log 1:config 2:noop 2:joint\nstabilize\nexpect n1 outgoing none\n"
                         "expect n4 log 1:config 2:noop 2:joint 2:config\nexpect n4 voters n4 n2 n1\n"),
            "none");
}

TEST(Reconfigure, makes_learners) {
  EXPECT_EQ(passed(led + "reconfigure n1 n1 n2 n3 learners n4 as c\nexpect answer c accepted\nstabilize\n"
                         "expect n4 learners n4\nexpect n1 learners n4\nexpect n1 voters n1 n2 n3\n"),
            "none");
}

TEST(Reconfigure, is_refused_for_a_reason) {
  const auto answer = [](const std::string& asked) { return output_of(led + asked + " as c"); };
  EXPECT_THAT(answer("reconfigure n2 n1 n2"), ElementsAre("c: rejected not-leader, ask n1"));
  EXPECT_THAT(answer("reconfigure n4 n4"), ElementsAre("c: rejected not-leader"));
  EXPECT_THAT(answer("reconfigure n1 n1 n2 learners n2"),
              ElementsAre("c: rejected bad-configuration, ask n1"));
  EXPECT_THAT(answer("reconfigure n1 n1 n2\nreconfigure n1 n1"),
              ElementsAre("c: rejected change-in-flight, ask n1"));
  EXPECT_THAT(output_of("cluster 3\nelect n1\nreconfigure n1 n1 as c"),
              ElementsAre("c: rejected not-ready, ask n1"));
}

TEST(Reconfigure, is_lost_with_the_process_that_has_it) {
  EXPECT_EQ(passed(led + "transfer n1 -> n2 as c\nexpect answer c pending\nkill n1\nexpect answer c lost\n"),
            "none");
  EXPECT_EQ(passed(led + "reconfigure n1 n1 as c\nkill n1\nexpect answer c accepted\n"), "none");
}

TEST(Reconfigure, needs_a_node_whose_process_runs) {
  expect_failed(led + "kill n1\npause n2\n", {{"reconfigure ^n1 n1", "n1 is down"},
                                              {"reconfigure ^n2 n1", "n2 is paused"},
                                              {"transfer ^n1 -> n2", "n1 is down"},
                                              {"snapshot ^n1", "n1 is down"}});
}

// ---- Transfers --------------------------------------------------------------------------------------------

TEST(Transfer, tells_the_target_to_stand) {
  EXPECT_THAT(output_of(led + "transfer n1 -> n2"), IsEmpty());
  EXPECT_THAT(output_of(led + "transfer n1 -> n2\nmessages"), ElementsAre("n1 -> n2 timeout-now T2"));
  EXPECT_EQ(passed(led + "transfer n1 -> n2 as c\ndeliver n1 -> n2 timeout-now\nexpect n2 role candidate\n"
                         "stabilize\nexpect n2 role leader\nexpect answer c transferred\n"),
            "none");
}

TEST(Transfer, is_refused_for_a_reason) {
  EXPECT_THAT(output_of(led + "transfer n1 -> n1 as c"), ElementsAre("c: rejected bad-target, ask n1"));
  EXPECT_THAT(output_of(led + "transfer n1 -> n4 as c"), ElementsAre("c: rejected bad-target, ask n1"));
  EXPECT_THAT(output_of(led + "transfer n2 -> n3 as c"), ElementsAre("c: rejected not-leader, ask n1"));
  EXPECT_THAT(output_of(led + "transfer n1 -> n2\ntransfer n1 -> n3 as c"),
              ElementsAre("c: rejected transferring, ask n1"));
  EXPECT_THAT(output_of(led + "transfer n1 -> n2 as c\ntick n1 15"),
              ElementsAre("c: rejected timed-out, ask n1"));
}

// ---- Expectations -----------------------------------------------------------------------------------------

TEST(ExpectMembers, of_the_last_configuration_in_any_order) {
  const std::string joint = led + "reconfigure n1 n2 n1 learners n4\n";
  EXPECT_EQ(passed(joint + "expect n1 voters n2 n1\nexpect n1 outgoing n3 n1 n2\nexpect n1 learners n4\n"
                           "expect n2 outgoing none\nexpect n2 learners none\n"),
            "none");
  expect_failed(joint, {{"expect n1 ^voters n1 n2 n3", "the voters on n1 are n1 n2"},
                        {"expect n1 ^voters none", "the voters on n1 are n1 n2"},
                        {"expect n1 ^outgoing none", "the outgoing on n1 are n1 n2 n3"},
                        {"expect n1 ^learners n3", "the learners on n1 are n4"},
                        {"expect n2 ^learners n4", "the learners on n2 are none"},
                        {"expect n4 ^voters n1", "the voters on n4 are none"}});
  expect_failed(led + "kill n2\n", {{"expect n2 ^voters n1", "n2 is down"}});
}

TEST(ExpectAnswer, to_a_change) {
  expect_failed(led + "transfer n1 -> n2 as c\n",
                {{"expect answer ^c transferred", "the answer to c is pending"},
                 {"expect answer ^c rejected timed-out", "the answer to c is pending"}});
  expect_failed(led + "reconfigure n2 n1 as c\n",
                {{"expect answer ^c accepted", "the answer to c is rejected not-leader, ask n1"},
                 {"expect answer ^c rejected not-ready", "the answer to c is rejected not-leader, ask n1"},
                 {"expect answer ^c pending", "the answer to c is rejected not-leader, ask n1"}});
  EXPECT_EQ(passed(led + "reconfigure n2 n1 as c\nexpect answer c rejected not-leader\n"), "none");
}

// ---- Stabilizing ------------------------------------------------------------------------------------------

TEST(Stabilize, asks_nothing_of_who_is_no_member) {
  EXPECT_EQ(passed(led + "propose n1 a\nstabilize all\nexpect n4 last 0\n"), "none");
  EXPECT_EQ(passed(led + "isolate n3\nreconfigure n1 n1 n2\npropose n1 a\nstabilize\nexpect n3 has a none\n"),
            "none");
}

TEST(Stabilize, asks_learners_too) {
  expect_failed(led + "isolate n4\nreconfigure n1 n1 n2 n3 learners n4\n",
                {{"^stabilize", "the nodes do not settle: n4 is in another term than leader n1"}});
}

TEST(Stabilize, waits_until_a_joint_configuration_is_left) {
  EXPECT_EQ(passed(led + "reconfigure n1 n1 n2 n4\nstabilize n1 n2 n4\nexpect n1 outgoing none\n"
                         "expect n1 commit 4\n"),
            "none");
  EXPECT_EQ(passed(led + "reconfigure n1 n1\nstabilize n1 n2\nexpect n1 outgoing none\n"), "none");
}

// ---- Snapshots --------------------------------------------------------------------------------------------

TEST(Snapshot, compacts_the_log_and_goes_to_who_needs_it) {
  const std::string compacted =
      "cluster 3 tail 0\nelect n1\nstabilize\nisolate n3\npropose n1 a 1\nsettle n1 n2\nsnapshot n1\n";
  EXPECT_EQ(passed(compacted + "expect n1 snapshot 3\nexpect n1 base 3\nexpect n1 log nothing\n"
                               "expect n2 snapshot 0\nexpect n2 base 0\n"),
            "none");
  EXPECT_EQ(passed(compacted + "heal\ntick n1 5\ndeliver n1 -> n3 heartbeat\n"
                               "deliver n3 -> n1 heartbeat-reply\ndeliver n1 -> n3 append\n"
                               "deliver n3 -> n1 append-reject\nexpect n1 peer n3 snapshot\n"
                               "expect n1 peer n3 offset 0\nstabilize\nexpect n3 snapshot 3\n"
                               "expect n3 has a 1\nexpect n1 peer n3 replicate\n"),
            "none");
  expect_failed(compacted,
                {{"expect n1 ^snapshot 2", "snapshot of n1 is 3"}, {"expect n2 ^base 1", "base of n2 is 0"}});
}

}  // namespace
}  // namespace raftlab::scenarios
