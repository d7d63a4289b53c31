#include "invariants/rungs.hpp"
#include "reports/format.hpp"
#include "tools/raftlab/cli_fixture.hpp"
#include "tools/raftlab/completion.hpp"

namespace raftlab::tool {
namespace {

using testing::HasSubstr;
using testing::Not;

// ---- ladder -----------------------------------------------------------------------------------------------

class Ladder : public CliTest {
 protected:
  /// Without the layout: words that are separated by one blank.
  static std::string words(const std::string& text) {
    std::istringstream stream(text);
    std::string result;
    for (std::string word; stream >> word;) result += word + " ";
    return result;
  }
};

TEST_F(Ladder, ListsEveryRungWithItsSentenceInOrder) {
  const Ran ran = run({"ladder"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");
  const std::string text = words(ran.out);
  std::size_t at = 0;
  for (const invariants::RungInfo& rung : invariants::rungs()) {
    at = text.find(words(std::string(rung.id) + " " + rung.name + " " + rung.sentence), at);
    ASSERT_NE(at, std::string::npos) << rung.id;
  }
}

TEST_F(Ladder, EndsWithTheNumberOfRungs) {
  EXPECT_EQ(lines(run({"ladder"}).out).back(),
            "all " + std::to_string(invariants::rung_count) + " rungs are active");
}

TEST_F(Ladder, NoLineIsWiderThan100Columns) {
  for (const std::string& line : lines(run({"ladder"}).out)) EXPECT_LE(reports::columns(line), 100U) << line;
}

TEST_F(Ladder, AFullDeviceBehindStdoutEndsWith74) { EXPECT_EQ(run_on_full_device({"ladder"}).code, 74); }

// ---- bench ------------------------------------------------------------------------------------------------

class BenchCommand : public CliTest {};

TEST_F(BenchCommand, PrintsABlockForEachProfile) {
  write("a.toml", std::string("name = \"first\"\n") + inconclusive_toml);
  write("b.toml", small_toml);
  const Ran ran = run({"bench", "--profile", "a.toml", "b.toml", "--repetitions", "1"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(ran.out, HasSubstr("\nfirst · 3 nodes · sync "));
  EXPECT_THAT(ran.out, HasSubstr("\nsmall · 3 nodes · sync "));
  EXPECT_THAT(ran.out, HasSubstr(" · median of 1\n"));
  EXPECT_THAT(ran.out, HasSubstr("checks off       checks on\n"));
}

TEST_F(BenchCommand, AViolationEndsWith1) {
  write("violated.toml", violated_toml);
  EXPECT_EQ(run({"bench", "--profile", "violated.toml", "--repetitions", "1"}).code, 1);
}

TEST_F(BenchCommand, WithoutTheWorkloadsItSaysWhatIsMissing) {
  expect_refused(74, "scenarios/profiles/w1.toml: cannot be read", {"bench"});
}

TEST_F(BenchCommand, ABrokenProfileIsNamedBeforeAnythingIsMeasured) {
  write("small.toml", small_toml);
  write("broken.toml", "nodes =\n");
  expect_refused(65, "broken.toml:1:", {"bench", "--profile", "small.toml", "broken.toml"});
}

// ---- completions ------------------------------------------------------------------------------------------

class Completion : public CliTest {
 protected:
  static std::string script(const char* shell) {
    const Ran ran = run({"__complete", shell});
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.err, "");
    return ran.out;
  }
};

TEST_F(Completion, EveryShellKnowsTheSubcommandsThatAreNotHidden) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string text = script(shell);
    for (const char* command : {"explore", "run", "replay", "show", "audit", "ladder", "bench"})
      EXPECT_THAT(text, HasSubstr(command)) << shell;
    // The one occurrence is the line that says where the file comes from.
    EXPECT_EQ(text.find("__complete"), text.rfind("__complete")) << shell;
  }
}

TEST_F(Completion, EveryShellKnowsTheFlagsOfExplore) {
  for (const char* flag : {"seed", "seeds", "nodes", "profile", "checks", "jobs", "time-budget", "shard",
                           "trace", "json", "junit", "out", "keep-going"}) {
    EXPECT_THAT(script("bash"), HasSubstr(std::string("--") + flag));
    EXPECT_THAT(script("zsh"), HasSubstr(std::string("'--") + flag + "["));
    EXPECT_THAT(script("fish"), HasSubstr(std::string(" -l ") + flag + " "));
  }
}

TEST_F(Completion, ZshAndFishKnowWhichFlagTakesAValue) {
  EXPECT_THAT(script("zsh"), testing::ContainsRegex("'--junit\\[[^]]*\\]:value:_files'"));
  EXPECT_THAT(script("zsh"), testing::ContainsRegex("'--json\\[[^]]*\\]'"));
  EXPECT_THAT(script("fish"), HasSubstr(" -l junit -r -d "));
  EXPECT_THAT(script("fish"), HasSubstr(" -l json -d "));
}

TEST_F(Completion, ADescriptionCannotLeaveItsQuotes) {
  CompletedCommand command;
  command.name = "it";
  command.description = "what's \\ it: [x]";
  command.flags = {{"--flag", "it's [a]: \\b", true}};
  command.takes_files = true;
  const std::string zsh = completion_script("zsh", {command});
  EXPECT_THAT(zsh, HasSubstr("'it:what'\\''s \\\\ it\\: \\[x\\]'"));
  EXPECT_THAT(zsh, HasSubstr("'--flag[it'\\''s \\[a\\]\\: \\\\b]:value:_files'"));
  EXPECT_THAT(zsh, HasSubstr("'*:file:_files'"));
  const std::string fish = completion_script("fish", {command});
  EXPECT_THAT(fish, HasSubstr("-l flag -r -d 'it'\\''s [a]: \\\\b'\n"));
  EXPECT_THAT(completion_script("bash", {command}), Not(HasSubstr("what's")));
}

}  // namespace
}  // namespace raftlab::tool
