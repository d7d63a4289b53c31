#include "scenarios/script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace raftlab::scenarios {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// The message, source line and caret of the first diagnostic, without further lines.
std::string first_diagnostic(const std::string& text, Outcome expected) {
  const ScriptResult result = run_script("t.scn", text);
  EXPECT_EQ(result.outcome, expected);
  if (result.diagnostics.empty()) return "none";
  return format(result.diagnostics.front());
}

std::string malformed(const std::string& text) { return first_diagnostic(text, Outcome::malformed); }
std::string failed(const std::string& text) { return first_diagnostic(text, Outcome::failed); }

// ---- Malformed scripts: nothing is run --------------------------------------------------------------------

TEST(MalformedScript, names_an_unknown_command_with_line_column_and_caret) {
  EXPECT_EQ(malformed("# prose\ncluster 3\n  tikc n1\n"),
            "t.scn:3:3: unknown command `tikc`\n    tikc n1\n    ^");
}

TEST(MalformedScript, names_a_node_that_is_not_there) {
  EXPECT_THAT(malformed("cluster 3\ntick n4\n"),
              StartsWith("t.scn:2:6: there is no node `n4`: the cluster has n1 to n3\n  tick n4\n       ^"));
  EXPECT_THAT(malformed("cluster 3\ntick n0\n"), StartsWith("t.scn:2:6: there is no node `n0`"));
  EXPECT_THAT(malformed("cluster 3\ntick x\n"),
              StartsWith("t.scn:2:6: expected a node, such as n1, found `x`"));
  EXPECT_THAT(malformed("cluster 3\ntick n99999999999999999999999\n"),
              StartsWith("t.scn:2:6: expected a node"));
}

TEST(MalformedScript, points_behind_the_line_for_a_missing_word) {
  EXPECT_THAT(malformed("cluster 3\ntick\n"),
              StartsWith("t.scn:2:5: missing a node, such as n1\n  tick\n      ^"));
  EXPECT_THAT(malformed("cluster 3\npropose n1   # what?\n"), StartsWith("t.scn:2:11: missing a key"));
  EXPECT_THAT(malformed("cluster\n"), StartsWith("t.scn:1:8: missing the number of nodes"));
}

TEST(MalformedScript, keeps_a_tab_before_the_caret) {
  EXPECT_THAT(malformed("cluster 3\n\ttick\tx\n"),
              StartsWith("t.scn:2:7: expected a node, such as n1, found `x`\n"
                         "  \ttick\tx\n  \t    \t^"));
}

TEST(MalformedScript, says_how_the_command_is_written) {
  EXPECT_THAT(malformed("cluster 3\nkill\n"), HasSubstr("written: kill NODE..."));
}

TEST(MalformedScript, begins_with_another_command_than_cluster) {
  EXPECT_THAT(malformed("tick n1\n"), StartsWith("t.scn:1:1: the first command must be `cluster N`"));
}

TEST(MalformedScript, names_numbers_out_of_range) {
  EXPECT_THAT(malformed("cluster 0\n"),
              StartsWith("t.scn:1:9: the number of nodes is 0; it must be from 1 to 9"));
  EXPECT_THAT(malformed("cluster 10\n"), StartsWith("t.scn:1:9: the number of nodes is 10"));
  EXPECT_THAT(malformed("cluster 3 election 5 heartbeat 5\n"),
              HasSubstr("shorter than the election timeout"));
  EXPECT_THAT(malformed("cluster 3\ntick n1 -4\n"), StartsWith("t.scn:2:9: expected a number of ticks"));
  EXPECT_THAT(malformed("cluster 3\ntick n1 4x\n"), StartsWith("t.scn:2:9: expected a number of ticks"));
}

TEST(MalformedScript, names_words_that_are_too_many) {
  EXPECT_THAT(malformed("cluster 3\ncampaign n1 now\n"),
              StartsWith("t.scn:2:13: unexpected `now` at the end"));
  EXPECT_THAT(malformed("cluster 3\nexpect n1 role leader now\n"),
              StartsWith("t.scn:2:23: unexpected `now`"));
}

TEST(MalformedScript, names_what_a_selection_does_not_know) {
  EXPECT_THAT(malformed("cluster 3\ndeliver n1 > n2\n"), StartsWith("t.scn:2:12: expected `->`, found `>`"));
  EXPECT_THAT(malformed("cluster 3\ndeliver ->\n"), StartsWith("t.scn:2:11: a direction needs a node"));
  EXPECT_THAT(malformed("cluster 3\ndeliver n1 -> n2 apend\n"),
              StartsWith("t.scn:2:18: expected one of pre-vote,"));
}

TEST(MalformedScript, names_requests_sessions_and_rungs_that_are_not_there) {
  EXPECT_THAT(malformed("cluster 3\nexpect answer w ok\n"), StartsWith("t.scn:2:15: there is no request w"));
  EXPECT_THAT(malformed("cluster 3\npropose n1 x 1 in s\n"), StartsWith("t.scn:2:19: there is no session s"));
  EXPECT_THAT(malformed("cluster 3\npropose n1 x as w\npropose n1 y as w\n"),
              StartsWith("t.scn:3:14: there is a request w already"));
  EXPECT_THAT(malformed("cluster 3\nexpect rung G99 holds\n"),
              StartsWith("t.scn:2:13: there is no rung `G99`"));
}

TEST(MalformedScript, names_every_line_that_is_wrong) {
  const ScriptResult result = run_script("t.scn", "cluster 3\ntick\nelect n1\nfoo\nkill n9\n");
  ASSERT_EQ(result.diagnostics.size(), 3U);
  EXPECT_EQ(result.diagnostics[1].line, 4U);
  EXPECT_EQ(result.commands, 0U) << "nothing was run";
}

TEST(MalformedScript, is_one_without_commands) {
  EXPECT_EQ(malformed(""), "t.scn: the script is empty");
  EXPECT_EQ(malformed("# nothing\n"), "t.scn: the script has no command, only comments");
}

TEST(MalformedScript, is_told_for_each_command_without_its_words) {
  for (const std::string& usage : command_usages()) {
    const std::string name = usage.substr(0, usage.find(' '));
    const bool needs_words = usage.find(' ') != std::string::npos && usage[name.size() + 1] != '[';
    if (!needs_words || name == "cluster") continue;
    EXPECT_THAT(malformed("cluster 3\n" + name + "\n"),
                StartsWith("t.scn:2:" + std::to_string(name.size() + 1) + ": "))
        << usage;
  }
}

TEST(MalformedScript, is_what_a_changed_byte_makes_or_the_script_still_ends_well_defined) {
  const std::string text =
      "cluster 3\nelect n1\nsettle\npropose n1 a 1 as w\nsettle\nexpect answer w ok\nstatus "
      "n1\n----\nx\n\nkill n2\n";
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char replacement : {'\0', ' ', '\n', '#', '-', '9', 'n', '\xff'}) {
      std::string changed = text;
      changed[at] = replacement;
      const ScriptResult result = run_script("t.scn", changed);
      EXPECT_TRUE(result.outcome == Outcome::passed || !result.diagnostics.empty());
      EXPECT_TRUE(result.findings.empty());
    }
  }
}

// ---- Expectations that do not hold ------------------------------------------------------------------------

TEST(FailedScript, points_at_the_expectation) {
  EXPECT_THAT(failed("cluster 3\nelect n1\nexpect n1 role follower   # not so\n"),
              StartsWith("t.scn:3:11: n1 is leader\n  expect n1 role follower   # not so\n            ^"));
}

TEST(FailedScript, stops_at_the_first_failure) {
  const ScriptResult result = run_script("t.scn", "cluster 3\nexpect n1 term 2\nexpect n1 term 3\n");
  EXPECT_EQ(result.diagnostics.size(), 1U);
  EXPECT_EQ(result.commands, 2U);
}

TEST(FailedScript, tells_what_is_in_flight_when_no_message_is_selected) {
  EXPECT_THAT(failed("cluster 3\ndeliver n1 -> n2\n"),
              StartsWith("t.scn:2:9: no such message can be delivered: n1 -> n2"));
  EXPECT_THAT(failed("cluster 3\ncampaign n1\ndeliver vote\n"), HasSubstr("n1 -> n2 pre-vote T2 last (1,1)"));
}

TEST(FailedScript, cannot_use_a_node_that_is_down_or_paused) {
  EXPECT_THAT(failed("cluster 3\nkill n1\ntick n1\n"), StartsWith("t.scn:3:6: n1 is down"));
  EXPECT_THAT(failed("cluster 3\npause n1\ntick n1\n"), StartsWith("t.scn:3:6: n1 is paused"));
  EXPECT_THAT(failed("cluster 3\nrestart n1\n"), StartsWith("t.scn:2:9: n1 is not down"));
}

TEST(FailedScript, shows_the_status_when_nodes_do_not_settle) {
  const std::string text = failed("cluster 3\ncrash n2 n3\nstabilize\n");
  EXPECT_THAT(text, StartsWith("t.scn:3:1: the nodes do not settle: nobody leads"));
  EXPECT_THAT(text, HasSubstr("n1 T1 pre-candidate"));
}

TEST(FailedScript, points_at_the_first_byte_of_output_that_differs) {
  EXPECT_THAT(failed("cluster 1\nstatus\n----\nn1 T1 follower vote n2\n"),
              StartsWith("t.scn:4:22: the output differs; printed was:\n  n1 T1 follower vote n2\n           "
                         "            ^"));
  EXPECT_THAT(failed("cluster 1\nmessages\n----\n\nstatus\n"),
              StartsWith("t.scn:4:1: the output differs; printed was:\n    no message in flight"));
  EXPECT_THAT(failed("cluster 1\nmessages\n----\nno message in flight\nand more\n"),
              StartsWith("t.scn:5:1: less output than expected"));
}

TEST(FailedScript, is_one_whose_expected_finding_does_not_come) {
  EXPECT_EQ(failed("cluster 3\nexpect rung G1 broken\n"),
            "t.scn:2:13: G1 holds\n  expect rung G1 broken\n              ^");
}

// ---- What commands mean -----------------------------------------------------------------------------------

std::string passed(const std::string& text) { return first_diagnostic(text, Outcome::passed); }

TEST(Script, runs_and_counts) {
  const ScriptResult result = run_script("t.scn", "cluster 3\nelect n1\nstabilize\n");
  EXPECT_EQ(result.outcome, Outcome::passed);
  EXPECT_EQ(result.commands, 3U);
  EXPECT_GT(result.steps, 10U);
  EXPECT_NE(result.digest, 0U);
  EXPECT_TRUE(result.findings.empty());
}

TEST(Script, gives_another_digest_when_something_else_happens) {
  const ScriptResult a = run_script("t.scn", "cluster 3\nelect n1\nstabilize\n");
  const ScriptResult b = run_script("t.scn", "cluster 3\nelect n2\nstabilize\n");
  EXPECT_NE(a.digest, b.digest);
}

TEST(Script, holds_messages_until_they_are_released) {
  EXPECT_EQ(passed("cluster 3\nelect n1\nhold n1 -> n2 append\nsettle\nexpect n2 last 1\nexpect n3 last 2\n"
                   "release all\nsettle\nexpect n2 last 2\n"),
            "none");
}

TEST(Script, keeps_messages_of_a_cut_until_it_heals_and_loses_those_sent_meanwhile) {
  EXPECT_EQ(
      passed("cluster 3\nelect n1\ncut n1 -> n2\nsettle\nexpect n2 last 1\nheal\nsettle\nexpect n2 last 2\n"
             "cut n1 -> n2\npropose n1 a\nexpect no message n1 -> n2\nheal\nsettle\nexpect n2 last 2\n"),
      "none");
}

TEST(Script, completes_syncs_only_when_told_on_a_manual_disk) {
  EXPECT_EQ(passed("cluster 1\ndisk n1 manual\ncampaign n1\nexpect n1 role candidate\ndisk n1 auto\n"
                   "expect n1 role leader\n"),
            "none");
}

TEST(Script, elects_with_exactly_the_votes_that_are_named) {
  EXPECT_EQ(
      passed("cluster 5\nelect n1 votes n2 n3\nexpect n4 term 1\nexpect n5 term 1\nexpect n2 vote n1\n"),
      "none");
  EXPECT_THAT(failed("cluster 5\nelect n1 votes n2\n"), StartsWith("t.scn:2:7: n1 was not elected"));
}

TEST(Script, reports_rungs_that_break_on_the_line_that_breaks_them) {
  // A disk that comes back empty has lost what it had acknowledged: no code can save that, and the ladder
  // notices.
  const std::string text = "cluster 3\nelect n1\nstabilize\ncrash n2\nwipe n2\nrestart n2\n";
  EXPECT_THAT(failed(text), StartsWith("t.scn:6:1: broken: N17 submitted-is-memory: "));
  EXPECT_THAT(failed(text), HasSubstr("\n    broken: R3 recovered-acknowledged: "));
  EXPECT_THAT(failed(text + "expect rung N17 broken\n"), StartsWith("t.scn:6:1: broken: R"));
  const ScriptResult unchecked = run_script("t.scn", text, RunScriptOptions{false, true});
  EXPECT_EQ(unchecked.outcome, Outcome::passed);
  EXPECT_TRUE(unchecked.findings.empty());
}

// ---- rewrite ----------------------------------------------------------------------------------------------

TEST(Rewrite, fills_in_the_output_and_keeps_everything_else) {
  const std::string text =
      "# prose   \ncluster 1   # one\n\n\nstatus\n----\nwrong\nmore\n\nmessages\n----\n\nlog   # the "
      "end\n----";
  const std::string expected =
      "# prose   \ncluster 1   # one\n\n\nstatus\n----\nn1 T1 follower vote none leader none C/A/D/last "
      "0/0/1/(1,1)\n\n"
      "messages\n----\nno message in flight\n\nlog   # the end\n----\nn1 1:config\n";
  const RewriteResult result = rewrite_script("t.scn", text);
  EXPECT_EQ(result.text, expected);
  EXPECT_EQ(rewrite_script("t.scn", expected).text, expected);
  EXPECT_EQ(run_script("t.scn", expected).outcome, Outcome::passed);
}

TEST(Rewrite, keeps_a_missing_line_feed_at_the_end) {
  EXPECT_EQ(rewrite_script("t.scn", "cluster 1\nstatus").text, "cluster 1\nstatus");
}

TEST(Rewrite, changes_nothing_when_the_script_is_malformed_or_fails) {
  const std::string bad = "cluster 1\nstatus\n----\nx\n\nfoo\n";
  EXPECT_EQ(rewrite_script("t.scn", bad).text, bad);
  EXPECT_EQ(rewrite_script("t.scn", bad).run.outcome, Outcome::malformed);
  const std::string failing = "cluster 1\nstatus\n----\nx\n\nexpect n1 term 7\n";
  EXPECT_EQ(rewrite_script("t.scn", failing).text, failing);
  EXPECT_EQ(rewrite_script("t.scn", failing).run.outcome, Outcome::failed);
}

TEST(Rewrite, writes_output_that_needs_no_blank_line_of_its_own) {
  const std::string text = "cluster 3\nelect n1\ndeliver append\n----\n\nstatus\n----\n\n";
  const std::string once = rewrite_script("t.scn", text).text;
  EXPECT_EQ(rewrite_script("t.scn", once).text, once);
  EXPECT_EQ(run_script("t.scn", once).outcome, Outcome::passed);
}

TEST(Format, has_no_caret_without_a_column_and_no_line_for_a_file) {
  EXPECT_EQ(format(Diagnostic{"f", 0, 0, "m", ""}), "f: m");
  EXPECT_EQ(format(Diagnostic{"f", 3, 0, "m", "text"}), "f:3: m\n  text");
  EXPECT_EQ(format(Diagnostic{"f", 3, 2, "m\ndetail", "text"}), "f:3:2: m\n  text\n   ^\n    detail");
}

}  // namespace
}  // namespace raftlab::scenarios
