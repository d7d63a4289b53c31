#include "scenarios/script_fixture.hpp"

#include <gtest/gtest.h>

#include <string>

/// Which messages a selection means, and what becomes of them.
namespace raftlab::scenarios {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string plain_cluster = "cluster 3 pre-vote off check-quorum off\n";
/// Two requests in flight: n1 -> n2, then n1 -> n3.
const std::string voting = plain_cluster + "campaign n1\n";
/// The same of a second candidate behind them: n2 -> n1, then n2 -> n3.
const std::string crowded = voting + "campaign n2\n";

const std::string vote_12 = "n1 -> n2 vote T2 last (1,1)";
const std::string vote_13 = "n1 -> n3 vote T2 last (1,1)";
const std::string vote_21 = "n2 -> n1 vote T2 last (1,1)";
const std::string vote_23 = "n2 -> n3 vote T2 last (1,1)";

// ---- Selections -------------------------------------------------------------------------------------------

TEST(Selection, without_words_is_everything_oldest_first) {
  EXPECT_THAT(output_of(crowded + "drop"), ElementsAre(vote_12, vote_13, vote_21, vote_23));
}

TEST(Selection, by_direction) {
  EXPECT_THAT(output_of(crowded + "drop n1 -> n3"), ElementsAre(vote_13));
  EXPECT_THAT(output_of(crowded + "drop -> n3"), ElementsAre(vote_13, vote_23));
  EXPECT_THAT(output_of(crowded + "drop n2 ->"), ElementsAre(vote_21, vote_23));
}

TEST(Selection, by_kind) {
  const std::string begin = crowded + "deliver n1 -> n3\n";
  EXPECT_THAT(output_of(begin + "drop vote-reply"), ElementsAre("n3 -> n1 vote-reply T2 granted"));
  EXPECT_THAT(output_of(begin + "drop vote"), ElementsAre(vote_12, vote_21, vote_23));
  EXPECT_THAT(output_of(begin + "drop n2 -> vote"), ElementsAre(vote_21, vote_23));
}

TEST(Selection, by_term) {
  const std::string begin = voting + "campaign n1\n";
  EXPECT_THAT(output_of(begin + "drop term 3"),
              ElementsAre("n1 -> n2 vote T3 last (1,1)", "n1 -> n3 vote T3 last (1,1)"));
  EXPECT_THAT(output_of(begin + "drop -> n3 vote term 2"), ElementsAre(vote_13));
}

TEST(Selection, by_number_is_the_first_so_many) {
  EXPECT_THAT(output_of(crowded + "drop 1"), ElementsAre(vote_12));
  EXPECT_THAT(output_of(crowded + "drop 3"), ElementsAre(vote_12, vote_13, vote_21));
  EXPECT_THAT(output_of(crowded + "drop -> n3 2"), ElementsAre(vote_13, vote_23));
}

TEST(Selection, by_position) {
  EXPECT_THAT(output_of(crowded + "drop nth 1"), ElementsAre(vote_12));
  EXPECT_THAT(output_of(crowded + "drop nth 3"), ElementsAre(vote_21));
  EXPECT_THAT(output_of(crowded + "drop n2 -> nth 2"), ElementsAre(vote_23));
  EXPECT_THAT(output_of(crowded + "drop last"), ElementsAre(vote_23));
  EXPECT_THAT(output_of(crowded + "drop n1 -> last"), ElementsAre(vote_13));
}

TEST(Selection, reversed_begins_with_the_youngest_of_those_that_are_meant) {
  EXPECT_THAT(output_of(crowded + "drop reversed"), ElementsAre(vote_23, vote_21, vote_13, vote_12));
  EXPECT_THAT(output_of(crowded + "drop 2 reversed"), ElementsAre(vote_13, vote_12));
}

TEST(Selection, of_all_may_be_empty) {
  EXPECT_THAT(output_of(crowded + "drop heartbeat all"), IsEmpty());
  EXPECT_THAT(output_of(plain_cluster + "drop all"), IsEmpty());
  EXPECT_THAT(output_of(crowded + "drop nth 9 all"), IsEmpty());
  EXPECT_THAT(output_of(crowded + "drop 9 all"), ElementsAre(vote_12, vote_13, vote_21, vote_23));
}

TEST(Selection, otherwise_needs_as_many_as_it_says) {
  expect_failed(crowded, {{"drop ^heartbeat", "no such message is in flight: heartbeat"},
                          {"drop ^term 3", "no such message is in flight: term 3"},
                          {"drop ^nth 5", "no such message is in flight: nth 5"},
                          {"drop ^5", "only 4 such messages are in flight: 5"},
                          {"deliver ^n3 ->", "no such message can be delivered: n3 ->"},
                          {"deliver ^-> n3 3", "only 2 such messages can be delivered: -> n3 3"},
                          {"release ^1", "no such message is held: 1"},
                          {"hold nth 1\nrelease ^2", "only 1 such messages are held: 2"},
                          {"duplicate ^append last", "no such message is in flight: append last"}});
}

TEST(Selection, that_finds_nothing_shows_what_is_in_flight) {
  const std::string shown = failed(crowded + "hold -> n3\ncut n2 -> n1\ndrop append\n");
  EXPECT_THAT(shown, HasSubstr("\n    " + vote_12 + "\n    " + vote_13 + "  held\n    " + vote_21 +
                               "  cut\n    " + vote_23 + "  held"));
  EXPECT_THAT(failed(plain_cluster + "deliver\n"), HasSubstr("\n    no message in flight"));
}

// ---- deliver ----------------------------------------------------------------------------------------------

TEST(Deliver, prints_what_arrives_and_what_it_leads_to) {
  EXPECT_THAT(output_of(voting + "deliver"),
              ElementsAre(vote_12, vote_13, "n2 follower of term 2", "n3 follower of term 2"));
}

TEST(Deliver, takes_the_messages_out_of_flight_in_the_order_that_is_said) {
  EXPECT_EQ(passed(voting + "deliver nth 2\nexpect messages 1 vote\nexpect messages 1 vote-reply\n"
                            "expect n3 vote n1\nexpect n2 vote none\n"),
            "none");
  // Whose request arrives first has the vote.
  EXPECT_EQ(passed(crowded + "deliver -> n3\nexpect n3 vote n1\n"), "none");
  EXPECT_EQ(passed(crowded + "deliver -> n3 reversed\nexpect n3 vote n2\n"), "none");
}

TEST(Deliver, together_is_one_step_of_each_node) {
  const std::string appends = plain_cluster + "elect n1\nsettle\npropose n1 a\npropose n1 b\npropose n1 c\n";
  const auto steps = [](const std::string& text) { return run_script("t.scn", text).steps; };
  const std::uint64_t before = steps(appends);
  const std::uint64_t single = steps(appends + "deliver -> n2\n") - before;
  const std::uint64_t together = steps(appends + "deliver -> n2 together\n") - before;
  EXPECT_EQ(single, 3 * together);
  EXPECT_EQ(passed(appends + "deliver -> n2 together\nexpect n2 last 5\nexpect messages 3 append-reply\n"),
            "none");
}

TEST(Deliver, to_a_node_that_is_down_loses_the_message) {
  for (const std::string end : {"kill n2\n", "crash n2\n", "pause n2\nkill n2\n", "pause n2\ncrash n2\n"}) {
    EXPECT_EQ(passed(voting + end + "deliver -> n2\nexpect no message -> n2\n"), "none") << end;
  }
}

TEST(Deliver, reaches_no_paused_node) {
  EXPECT_THAT(failed(voting + "pause n2\ndeliver -> n2\n"), HasSubstr("no such message can be delivered"));
  EXPECT_EQ(passed(voting + "pause n2\ndeliver all\nexpect messages 1 -> n2\nresume n2\ndeliver -> n2\n"),
            "none");
}

TEST(Deliver, reaches_nobody_behind_a_cut) {
  EXPECT_THAT(failed(voting + "cut n1 -> n2\ndeliver -> n2\n"),
              HasSubstr("no such message can be delivered"));
  EXPECT_EQ(passed(voting + "cut n2 -> n1\ndeliver -> n2\n"), "none") << "the other direction";
}

// ---- drop, duplicate, hold, release -----------------------------------------------------------------------

TEST(Drop, takes_messages_behind_a_cut_too_and_none_that_is_held) {
  EXPECT_EQ(passed(voting + "cut n1 -> n2\ndrop -> n2\nexpect no message -> n2\n"), "none");
  EXPECT_THAT(failed(voting + "hold all\ndrop\n"), HasSubstr("no such message is in flight"));
}

TEST(Duplicate, puts_the_copy_behind_everything) {
  EXPECT_THAT(output_of(voting + "duplicate nth 1\nmessages"), ElementsAre(vote_12, vote_13, vote_12));
  EXPECT_EQ(passed(voting + "duplicate -> n2\ndeliver -> n2\nexpect messages 2 vote-reply\n"), "none");
}

TEST(Duplicate, is_not_held_when_the_first_one_is_held_later) {
  EXPECT_THAT(output_of(voting + "duplicate nth 1\nhold nth 1\nmessages"),
              ElementsAre(vote_12 + "  held", vote_13, vote_12));
}

TEST(Duplicate, fails_when_too_many_are_in_flight) {
  std::string text = voting;
  for (int i = 0; i < 16; ++i) text += "duplicate\n";  // 131,072
  EXPECT_THAT(failed(text), HasSubstr("t.scn:18:1: more than 100000 messages are in flight"));
}

TEST(Hold, keeps_messages_from_arriving_until_they_are_released) {
  EXPECT_EQ(passed(voting + "hold\nsettle\nexpect n2 term 1\nrelease -> n2\nsettle\nexpect n2 term 2\n"
                            "expect n2 vote n1\n"),
            "none");
}

TEST(Hold, releases_those_that_are_selected_in_their_old_order) {
  EXPECT_THAT(output_of(crowded + "hold\nrelease n2 ->\nmessages"),
              ElementsAre(vote_12 + "  held", vote_13 + "  held", vote_21, vote_23));
  EXPECT_THAT(output_of(crowded + "hold\nrelease last"), ElementsAre(vote_23));
}

TEST(Hold, is_no_matter_of_messages_that_are_held_already) {
  EXPECT_THAT(failed(voting + "hold\nhold\n"), HasSubstr("no such message is in flight"));
  EXPECT_EQ(passed(voting + "hold\nhold all\nexpect messages 0\n"), "none");
}

TEST(Messages, are_listed_oldest_first_with_what_keeps_them) {
  EXPECT_THAT(output_of(plain_cluster + "messages"), ElementsAre("no message in flight"));
  EXPECT_THAT(output_of(voting + "hold nth 1\ncut n1 <-> n2\nmessages"),
              ElementsAre(vote_12 + "  held  cut", vote_13));
}

TEST(Messages, are_written_with_all_of_their_fields) {
  EXPECT_THAT(output_of("cluster 3\ncampaign n1\nmessages"),
              ElementsAre("n1 -> n2 pre-vote T2 last (1,1)", "n1 -> n3 pre-vote T2 last (1,1)"));
  EXPECT_THAT(output_of("cluster 3\ncampaign n1\ndeliver -> n2\nmessages"),
              ElementsAre("n1 -> n3 pre-vote T2 last (1,1)", "n2 -> n1 pre-vote-reply T2 granted"));
  const std::string led = plain_cluster + "elect n1\n";
  EXPECT_THAT(output_of(led + "drop -> n3\nmessages"),
              ElementsAre("n1 -> n2 append T2 prev (1,1) commit 0 entries 2:noop"));
  EXPECT_THAT(output_of(led + "drop -> n3\ndeliver -> n2\nmessages"),
              ElementsAre("n2 -> n1 append-reply T2 match 2"));
  EXPECT_THAT(output_of(led + "settle\ntick n1 5\ndrop -> n3\nmessages"),
              ElementsAre("n1 -> n2 heartbeat T2 commit 2"));
  EXPECT_THAT(output_of(led + "settle\nget n1 a\ndrop -> n3\ndeliver\nmessages"),
              ElementsAre("n2 -> n1 heartbeat-reply T2 read 1"));
}

}  // namespace
}  // namespace raftlab::scenarios
