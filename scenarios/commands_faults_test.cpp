#include "scenarios/script_fixture.hpp"

#include <gtest/gtest.h>

#include <string>

/// Cuts in the network, processes that end or stand still, and disks.
namespace raftlab::scenarios {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const std::string five = "cluster 5 pre-vote off check-quorum off\n";

/// The directions in which nothing gets through, as the requests of candidates that do not arrive show.
std::string cuts_after(const std::string& commands) {
  std::string cuts;
  for (const std::string from : {"n1", "n2", "n3", "n4"}) {
    const std::string text =
        "cluster 4 pre-vote off check-quorum off\n" + commands + "campaign " + from + "\n";
    const auto sent = output_of(text + "messages");
    for (const std::string to : {"n1", "n2", "n3", "n4"}) {
      if (from == to) continue;
      const bool arrives = std::ranges::any_of(
          sent, [&](const std::string& line) { return line.starts_with(from + " -> " + to + " "); });
      if (!arrives) cuts += (cuts.empty() ? "" : " ") + from + to;
    }
  }
  return cuts;
}

// ---- Network ----------------------------------------------------------------------------------------------

TEST(Network, is_whole_at_first) { EXPECT_EQ(cuts_after(""), ""); }

TEST(Network, is_cut_in_one_direction_or_both) {
  EXPECT_EQ(cuts_after("cut n1 -> n2\n"), "n1n2");
  EXPECT_EQ(cuts_after("cut n1 <-> n2\n"), "n1n2 n2n1");
}

TEST(Network, is_cut_between_groups) {
  EXPECT_EQ(cuts_after("partition n1 n2 | n3 n4\n"), "n1n3 n1n4 n2n3 n2n4 n3n1 n3n2 n4n1 n4n2");
  EXPECT_EQ(cuts_after("partition n1 | n2 | n3\n"), "n1n2 n1n3 n2n1 n2n3 n3n1 n3n2");
}

TEST(Network, leaves_a_bridge_to_who_is_in_no_group) {
  EXPECT_EQ(cuts_after("partition n1 | n2\n"), "n1n2 n2n1") << "n3 and n4 reach both";
}

TEST(Network, isolates_a_node_from_all_others) {
  EXPECT_EQ(cuts_after("isolate n3\n"), "n1n3 n2n3 n3n1 n3n2 n3n4 n4n3");
}

TEST(Network, adds_one_cut_to_another) {
  EXPECT_EQ(cuts_after("cut n1 -> n2\npartition n3 | n4\n"), "n1n2 n3n4 n4n3");
}

TEST(Network, heals_at_once_or_in_one_direction_or_between_two) {
  EXPECT_EQ(cuts_after("isolate n3\nheal\n"), "");
  EXPECT_EQ(cuts_after("cut n1 <-> n2\nheal n1 -> n2\n"), "n2n1");
  EXPECT_EQ(cuts_after("partition n1 | n2 n3\nheal n2 <-> n1\n"), "n1n3 n3n1");
  EXPECT_EQ(cuts_after("cut n1 -> n2\nheal n3 -> n4\n"), "n1n2") << "no cut there";
}

TEST(Network, loses_what_is_sent_across_a_cut_and_keeps_what_was_in_flight_before) {
  EXPECT_EQ(passed(five + "campaign n1\ncut n1 -> n2\ncampaign n1\nexpect messages 1 -> n2\n"
                          "expect messages 2 -> n3\nheal\ndeliver -> n2\nexpect n2 term 2\n"),
            "none");
}

// ---- Processes --------------------------------------------------------------------------------------------

TEST(Process, that_has_ended_is_told_at_the_first_node_of_the_list) {
  const std::string down = "cluster 3\nkill n2\n";
  expect_failed(down, {{"tick ^n2", "n2 is down"},
                       {"tick ^n1 n2", "n2 is down"},
                       {"campaign ^n2", "n2 is down"},
                       {"elect ^n2", "n2 is down"},
                       {"elect ^n1 votes n2", "n2 is down"},
                       {"kill ^n2", "n2 is down"},
                       {"crash ^n2", "n2 is down"},
                       {"pause ^n2", "n2 is down"},
                       {"resume ^n2", "n2 is down"},
                       {"sync ^n2", "n2 is down"},
                       {"fail sync ^n2", "n2 is down"},
                       {"propose ^n2 a", "n2 is down"},
                       {"get ^n2 a", "n2 is down"},
                       {"session ^n2 s", "n2 is down"},
                       {"peers ^n2", "n2 is down"},
                       {"expect n2 ^term 1", "n2 is down"},
                       {"expect n2 ^role follower", "n2 is down"},
                       {"expect n2 ^log 1:config", "n2 is down"},
                       {"expect n2 ^has a 1", "n2 is down"},
                       {"expect n2 ^peer n1 probe", "n2 is down"},
                       {"expect n2 ^vote none", "n2 is down"},
                       {"expect same log ^n1 n2", "n2 is down"},
                       {"restart ^n1", "n1 is not down"},
                       {"restart ^n2 n1", "n1 is not down"}});
}

TEST(Process, that_stands_still_can_be_asked_but_not_stepped) {
  const std::string paused = "cluster 3\npause n2\n";
  expect_failed(paused, {{"tick ^n2", "n2 is paused"},
                         {"campaign ^n2", "n2 is paused"},
                         {"elect ^n2", "n2 is paused"},
                         {"elect ^n1 votes n2", "n2 is paused"},
                         {"sync ^n2", "n2 is paused"},
                         {"fail sync ^n2", "n2 is paused"},
                         {"propose ^n2 a", "n2 is paused"},
                         {"pause ^n2", "n2 is paused"},
                         {"resume ^n1", "n1 is not paused"}});
  EXPECT_EQ(passed(paused + "expect n2 term 1\nstatus n2\nexpect n2 up\nresume n2\ntick n2\n"), "none");
}

TEST(Process, that_stands_still_is_left_out_of_elections_and_of_settling) {
  EXPECT_EQ(passed("cluster 3\npause n2\nelect n1\nsettle\nexpect n2 term 1\nexpect messages 1 -> n2\n"
                   "resume n2\nsettle\nexpect n2 term 2\n"),
            "none");
}

TEST(Process, begins_its_next_life_running) {
  EXPECT_EQ(passed("cluster 3\npause n2\nkill n2\nrestart n2\ntick n2\nexpect n2 up\n"), "none");
}

TEST(Process, of_a_list_ends_and_begins_for_each_node) {
  EXPECT_EQ(passed("cluster 3\nkill all\nexpect n1 down\nexpect n3 down\nrestart n3 n1\nexpect n1 up\n"
                   "expect n2 down\nexpect n3 up\n"),
            "none");
}

// ---- What a crash leaves ----------------------------------------------------------------------------------

/// A leader alone whose command is on its way to the disk.
const std::string unsynced = "cluster 1\nelect n1\ndisk n1 manual\npropose n1 a\nexpect n1 durable 2\n";

TEST(Crash, loses_what_was_not_synced) {
  EXPECT_EQ(passed(unsynced + "crash n1\nrestart n1\nexpect n1 last 2\n"), "none");
}

TEST(Crash, may_keep_all_of_it) {
  EXPECT_EQ(passed(unsynced + "crash n1 keep\nrestart n1\nexpect n1 last 3\n"), "none");
}

TEST(Crash, may_keep_every_second_sector) {
  EXPECT_EQ(passed(unsynced + "crash n1 sectors\nrestart n1\nexpect n1 last 2\n"), "none")
      << "the first sector is lost";
}

TEST(Crash, of_the_process_alone_keeps_what_was_written) {
  EXPECT_EQ(passed(unsynced + "kill n1\nrestart n1\nexpect n1 last 3\n"), "none");
}

TEST(Crash, keeps_what_was_synced) {
  for (const std::string how : {"kill n1", "crash n1", "crash n1 keep", "crash n1 sectors"}) {
    EXPECT_EQ(passed(unsynced + "sync n1\n" + how + "\nrestart n1\nexpect n1 last 3\n"), "none") << how;
  }
}

TEST(Tear, cuts_the_end_of_the_record_at_the_next_crash) {
  for (const std::string tear : {"tear n1 1", "tear n1 1 zeros", "tear n1 5", "tear n1 1048576"}) {
    EXPECT_EQ(passed(unsynced + tear + "\ncrash n1\nrestart n1\nexpect n1 last 2\n"), "none") << tear;
  }
}

TEST(Tear, is_over_with_that_crash) {
  EXPECT_EQ(passed(unsynced +
                   "tear n1 1\ncrash n1\nrestart n1\nelect n1\ndisk n1 manual\n"
                   "propose n1 b\ncrash n1 keep\nrestart n1\nexpect n1 log 1:config 2:noop 3:noop 3:b\n"),
            "none");
}

// ---- Disks ------------------------------------------------------------------------------------------------

TEST(Disk, in_manual_mode_ends_no_sync_by_itself) {
  EXPECT_EQ(passed(unsynced + "expect n1 commit 2\nsync n1\nexpect n1 commit 3\n"), "none");
  EXPECT_EQ(passed(unsynced + "disk n1 auto\nexpect n1 commit 3\npropose n1 b\nexpect n1 commit 4\n"),
            "none");
}

TEST(Disk, ends_as_many_syncs_as_are_asked_for) {
  const std::string two = unsynced + "propose n1 b\npropose n1 c\n";
  EXPECT_EQ(passed(two + "sync n1 1\nexpect n1 commit 3\nsync n1\nexpect n1 commit 5\n"), "none");
  expect_failed(two, {{"sync ^n1 9", "n1 has no pending sync"}});
  expect_failed("cluster 1\n", {{"sync ^n1", "n1 has no pending sync"}});
}

TEST(Disk, may_be_in_manual_mode_from_the_start_of_a_life) {
  EXPECT_EQ(
      passed("cluster 3\nkill n2\nrestart n2 manual\nexpect n2 durable 0\nsync n2\nexpect n2 durable 1\n"),
      "none");
}

TEST(Disk, ends_no_sync_of_a_process_that_stands_still) {
  EXPECT_EQ(passed(unsynced + "pause n1\ndisk n1 auto\nexpect n1 commit 2\nresume n1\nexpect n1 commit 3\n"),
            "none");
  EXPECT_EQ(passed(unsynced + "pause n1\nresume n1\nexpect n1 commit 2\n"), "none") << "still in manual mode";
}

TEST(Disk, shows_pending_syncs_in_the_status) {
  EXPECT_THAT(output_of(unsynced + "status"),
              ElementsAre("n1 T2 leader vote n1 leader n1 C/A/D/last 2/2/2/(2,3) syncs pending 1"));
}

TEST(FailSync, stops_the_node_and_says_so_once) {
  EXPECT_THAT(output_of(unsynced + "fail sync n1"), ElementsAre("n1 stops: a write failed", "op1: unknown"));
  EXPECT_THAT(output_of(unsynced + "fail sync n1\ntick n1 3"), IsEmpty());
  EXPECT_EQ(passed(unsynced + "fail sync n1\nexpect n1 faulty\nexpect n1 commit 2\n"), "none");
}

TEST(FailSync, without_a_pending_sync_strikes_the_next_one) {
  EXPECT_EQ(passed("cluster 1\nelect n1\nfail sync n1\nexpect n1 up\npropose n1 a\nexpect n1 faulty\n"),
            "none");
}

TEST(FailSync, leaves_of_the_data_what_it_says) {
  EXPECT_EQ(passed(unsynced + "fail sync n1 durable\ncrash n1\nrestart n1\nexpect n1 last 3\n"), "none");
  EXPECT_EQ(passed(unsynced + "fail sync n1 dropped\nkill n1\nrestart n1\nexpect n1 last 2\n"), "none");
  EXPECT_EQ(passed(unsynced + "fail sync n1 cached\ncrash n1\nrestart n1\nexpect n1 last 2\n"), "none");
  EXPECT_EQ(passed(unsynced + "fail sync n1 cached\nkill n1\nrestart n1\nexpect n1 last 3\n"), "none");
}

TEST(Rot, needs_a_record_with_another_one_behind_it) {
  expect_failed("cluster 1\n", {{"wipe ^n1", "n1 is up: its disk is in use"}});
  expect_failed("cluster 1\nkill n1\nwipe n1\n",
                {{"rot ^n1", "n1 has no record with another one behind it"}});
}

/// A node that cannot read its log any more.
const std::string rotten =
    "cluster 3\nelect n1\nsettle\npropose n1 a\nsettle\nstabilize\ncrash n2\nrot n2\nrestart n2\n";

TEST(Refused, node_is_shown_and_expected_as_such) {
  EXPECT_EQ(passed(rotten + "expect refused n2\nexpect refused n2 corrupt\n"), "none");
  EXPECT_THAT(output_of(rotten + "status n2").front(), StartsWith("n2 refused to start: corrupt"));
  EXPECT_THAT(output_of(rotten).front(), StartsWith("n2 refuses to start: corrupt"));
  expect_failed(rotten, {{"expect ^n2 up", "n2 is refused"},
                         {"expect ^n2 down", "n2 is refused"},
                         {"expect refused ^n1", "n1 did start"},
                         {"tick ^n2", "n2 refused to start"}});
  EXPECT_THAT(failed(rotten + "expect refused n2 locked\n"), HasSubstr("n2 refused to start: corrupt"));
}

TEST(Restore, puts_the_last_backup_back_on_a_node_that_is_down) {
  const std::string changed = "cluster 3\nelect n1\nstabilize\ncrash n2\nbackup n2\nrestart n2\n";
  EXPECT_EQ(passed(changed + "propose n1 a\nstabilize\ncrash n2\nrestore n2\nrestart n2\n"
                             "expect rung R1 broken\nexpect rung R3 broken\n"
                             "expect rung R6 broken\nexpect n2 last 2\n"),
            "none");
  expect_failed(changed, {{"backup ^n2", "n2 is up: its disk is in use"},
                          {"restore ^n2", "n2 is up: its disk is in use"}});
  expect_failed("cluster 1\nkill n1\n", {{"restore ^n1", "there is no backup of n1"}});
}

TEST(Refused, node_can_be_wiped) { EXPECT_EQ(passed(rotten + "wipe n2\nexpect refused n2\n"), "none"); }

}  // namespace
}  // namespace raftlab::scenarios
