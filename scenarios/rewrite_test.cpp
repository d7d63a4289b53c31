#include "scenarios/script_fixture.hpp"

#include <gtest/gtest.h>

#include <string>

/// What is compared with the output behind `----`, and what a rewrite makes of it.
namespace raftlab::scenarios {
namespace {

using ::testing::HasSubstr;

const std::string status_line = "n1 T1 follower vote none leader none C/A/D/last 0/0/1/(1,1)";

std::string rewritten(const std::string& text) {
  const RewriteResult result = rewrite_script("t.scn", text);
  EXPECT_EQ(result.run.outcome, Outcome::passed) << first_diagnostic(result.run);
  EXPECT_EQ(rewrite_script("t.scn", result.text).text, result.text) << "a second rewrite changes nothing";
  EXPECT_EQ(run_script("t.scn", result.text).outcome, Outcome::passed);
  return result.text;
}

TEST(RewriteOutput, is_put_in_where_there_was_none) {
  EXPECT_EQ(rewritten("cluster 1\nstatus\n----\n"), "cluster 1\nstatus\n----\n" + status_line + "\n");
  EXPECT_EQ(rewritten("cluster 1\nstatus\n----"), "cluster 1\nstatus\n----\n" + status_line + "\n");
  EXPECT_EQ(rewritten("cluster 1\nstatus\n----\n\n"), "cluster 1\nstatus\n----\n" + status_line + "\n\n");
}

TEST(RewriteOutput, is_taken_away_where_nothing_is_printed) {
  EXPECT_EQ(rewritten("cluster 1\ntick n1\n----\nold\n\nlog\n"), "cluster 1\ntick n1\n----\n\nlog\n");
  EXPECT_EQ(rewritten("cluster 1\n----\nold\n"), "cluster 1\n----\n");
}

TEST(RewriteOutput, that_is_right_already_stays_byte_for_byte) {
  const std::string text = "# prose\ncluster 1\n\n\nstatus  # why\n----\n" + status_line + "\n  \n\t\nlog\n";
  EXPECT_EQ(rewritten(text), text);
}

TEST(RewriteOutput, ends_at_a_line_of_spaces_which_is_kept) {
  EXPECT_EQ(rewritten("cluster 1\nstatus\n----\nold\n \t\n# next\nlog\n"),
            "cluster 1\nstatus\n----\n" + status_line + "\n \t\n# next\nlog\n");
}

TEST(RewriteOutput, replaces_lines_that_look_like_commands_comments_or_marks) {
  EXPECT_EQ(rewritten("cluster 1\nstatus\n----\n# x\n----\nkill n1\n\nexpect n1 up\n"),
            "cluster 1\nstatus\n----\n" + status_line + "\n\nexpect n1 up\n");
}

TEST(RewriteOutput, of_several_commands_is_each_in_its_place) {
  EXPECT_EQ(rewritten("cluster 1\nlog\n----\na\nb\n\nmessages\n----\n\nstatus\n----\nc"),
            "cluster 1\nlog\n----\nn1 1:config\n\nmessages\n----\nno message in flight\n\nstatus\n----\n" +
                status_line + "\n");
}

TEST(RewriteOutput, of_commands_without_a_mark_is_not_shown) {
  const std::string text = "cluster 1\nstatus\nlog\nelect n1";
  EXPECT_EQ(rewritten(text), text);
}

TEST(RewriteOutput, contains_what_a_command_leads_to) {
  EXPECT_EQ(rewritten("cluster 1\ncampaign n1\n----\n"),
            "cluster 1\ncampaign n1\n----\nn1 candidate of term 2\nn1 leader of term 2\n");
}

TEST(RewriteOutput, is_left_alone_when_an_expectation_or_a_rung_breaks) {
  for (const std::string end :
       {"expect n1 term 7\n", "tick n1 until leader\nkill n1\ntick n1\n", "nonsense\n"}) {
    const std::string text = "cluster 1\nstatus\n----\nold\n\n" + end;
    const RewriteResult result = rewrite_script("t.scn", text);
    EXPECT_NE(result.run.outcome, Outcome::passed);
    EXPECT_EQ(result.text, text);
  }
}

// ---- Comparing --------------------------------------------------------------------------------------------

TEST(CompareOutput, points_at_the_first_byte_that_differs) {
  expect_failed("cluster 1\nlog\n----\n", {{"n1 ^2:config\n", "the output differs; printed was:"},
                                           {"^ n1 1:config\n", "the output differs; printed was:"},
                                           {"n1 1:config^ \n", "the output differs; printed was:"}});
}

TEST(CompareOutput, points_at_the_line_that_is_missing_or_too_much) {
  const ScriptResult more = run_script("t.scn", "cluster 2\nlog\n----\nn1 1:config\n");
  ASSERT_EQ(more.diagnostics.size(), 1U);
  EXPECT_EQ(more.diagnostics[0].line, 5U);
  EXPECT_THAT(more.diagnostics[0].message,
              HasSubstr("the output differs; printed was:\nn1 1:config\nn2 1:config"));
  expect_failed("cluster 1\nlog\n----\n",
                {{"n1 1:config\n^n2 1:config\n", "less output than expected; printed was:"}});
  expect_failed("cluster 1\ntick n1\n----\n",
                {{"^something\n", "less output than expected; printed was: nothing"}});
}

TEST(CompareOutput, ends_the_script_at_that_command) {
  const ScriptResult result = run_script("t.scn", "cluster 1\nlog\n----\nx\n\nkill n1\nexpect n1 up\n");
  EXPECT_EQ(result.commands, 2U);
  EXPECT_EQ(result.diagnostics.size(), 1U);
}

TEST(CompareOutput, can_be_left_out) {
  const RunScriptOptions options{true, false};
  EXPECT_EQ(run_script("t.scn", "cluster 1\nlog\n----\nx\n", options).outcome, Outcome::passed);
}

}  // namespace
}  // namespace raftlab::scenarios
