#include "scenarios/parser.hpp"

#include <gtest/gtest.h>

#include <string>

namespace raftlab::scenarios {
namespace {

Script parsed(std::string_view text) {
  auto result = parse("t.scn", text);
  EXPECT_TRUE(std::holds_alternative<Script>(result)) << format(std::get<Diagnostic>(result));
  return std::get<Script>(std::move(result));
}

Diagnostic refused(std::string_view text) {
  auto result = parse("t.scn", text);
  EXPECT_TRUE(std::holds_alternative<Diagnostic>(result));
  return std::get<Diagnostic>(std::move(result));
}

TEST(Parser, a_line_is_a_command_and_its_words_have_columns) {
  const Script script = parsed("cluster 3\n  tick\tn1   4\n");
  ASSERT_EQ(script.statements.size(), 2U);
  const Statement& tick = script.statements[1];
  EXPECT_EQ(tick.line, 2U);
  ASSERT_EQ(tick.tokens.size(), 3U);
  EXPECT_EQ(tick.tokens[0].text, "tick");
  EXPECT_EQ(tick.tokens[0].column, 3U);
  EXPECT_EQ(tick.tokens[1].column, 8U);
  EXPECT_EQ(tick.tokens[2].text, "4");
  EXPECT_EQ(tick.tokens[2].column, 13U);
}

TEST(Parser, comments_stand_alone_or_behind_a_command) {
  const Script script = parsed("# prose\n\ncluster 3 # three\n   # more\nstatus n1#2\n");
  ASSERT_EQ(script.statements.size(), 2U);
  EXPECT_EQ(script.statements[0].tokens.size(), 2U);
  EXPECT_EQ(script.statements[1].tokens[1].text, "n1#2");
}

TEST(Parser, expected_output_reaches_to_the_next_blank_line) {
  const Script script = parsed("status\n----\nn1 up\n# no comment here\n  \nlog\n----\n\nlog\n");
  ASSERT_EQ(script.statements.size(), 3U);
  EXPECT_TRUE(script.statements[0].compares);
  EXPECT_EQ(script.statements[0].expected_from, 3U);
  ASSERT_EQ(script.statements[0].expected.size(), 2U);
  EXPECT_EQ(script.statements[0].expected[1], "# no comment here");
  EXPECT_TRUE(script.statements[1].compares);
  EXPECT_TRUE(script.statements[1].expected.empty());
  EXPECT_FALSE(script.statements[2].compares);
}

TEST(Parser, expected_output_may_end_with_the_file) {
  const Script script = parsed("status\n----\nn1 up");
  ASSERT_EQ(script.statements[0].expected.size(), 1U);
  EXPECT_FALSE(script.ends_with_newline);
}

TEST(Parser, refuses_what_holds_no_command) {
  EXPECT_EQ(format(refused("")), "t.scn: the script is empty");
  EXPECT_EQ(format(refused("# only prose\n\n")), "t.scn: the script has no command, only comments");
}

TEST(Parser, refuses_expected_output_without_a_command) {
  EXPECT_EQ(format(refused("cluster 3\n\n----\nx\n")),
            "t.scn:3:1: expected output without a command on the line before it\n  ----\n  ^");
  EXPECT_EQ(refused("# prose\n----\n").line, 2U);
}

TEST(Parser, refuses_bytes_that_are_no_text) {
  EXPECT_EQ(format(refused("cluster 3\r\n")),
            "t.scn:1:10: a carriage return: lines of a script end with a line feed alone\n  cluster 3\n      "
            "     ^");
  const Diagnostic diagnostic = refused(std::string_view("cluster 3\nti\0ck\n", 16));
  EXPECT_EQ(diagnostic.line, 2U);
  EXPECT_EQ(diagnostic.column, 3U);
}

TEST(Parser, refuses_bytes_that_are_no_text_in_expected_output_too) {
  EXPECT_EQ(format(refused("status\n----\nn1 up\r\n\nlog\n")),
            "t.scn:3:6: a carriage return: lines of a script end with a line feed alone\n  n1 up\n       ^");
  const Diagnostic diagnostic = refused(std::string_view("status\n----\nn1\0up\n", 18));
  EXPECT_EQ(diagnostic.line, 3U);
  EXPECT_EQ(diagnostic.column, 3U);
}

TEST(Parser, does_not_take_the_next_commands_for_output_because_of_a_carriage_return) {
  EXPECT_EQ(refused("status\n----\nn1 up\n\r\nexpect n1 down\n").line, 4U);
}

TEST(Parser, takes_a_line_with_spaces_behind_the_dashes_for_a_command) {
  const Script script = parsed("status\n---- \n-----\n");
  ASSERT_EQ(script.statements.size(), 3U);
  EXPECT_FALSE(script.statements[0].compares);
  EXPECT_EQ(script.statements[1].tokens[0].text, "----");
}

TEST(Parser, counts_columns_in_bytes) {
  const Script script = parsed("propose n1 \xc3\xa9\xc3\xa9 1\n");
  ASSERT_EQ(script.statements[0].tokens.size(), 4U);
  EXPECT_EQ(script.statements[0].tokens[2].text, "\xc3\xa9\xc3\xa9");
  EXPECT_EQ(script.statements[0].tokens[3].column, 17U);
}

TEST(Parser, keeps_every_line_as_it_stands) {
  const std::string text = "# a\n\n \t \ncluster 3  # b\nstatus\n----\n x \n\n";
  std::string again;
  for (const std::string_view line : parsed(text).lines) again += std::string(line) + "\n";
  EXPECT_EQ(again, text);
}

TEST(Parser, takes_a_script_of_the_greatest_size) {
  const std::string text = "cluster 3\n" + std::string(script_bytes_max - 10, ' ');
  EXPECT_EQ(text.size(), script_bytes_max);
  EXPECT_EQ(parsed(text).statements.size(), 1U);
}

TEST(Parser, refuses_a_script_that_is_too_large) {
  const std::string text(script_bytes_max + 1, ' ');
  EXPECT_EQ(refused(text).line, 0U);
}

}  // namespace
}  // namespace raftlab::scenarios
