#include "tools/raftlab/cli_fixture.hpp"
#include "tools/version/version.hpp"

namespace raftlab::tool {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int usage = 64;
const std::vector<std::string> commands = {"explore", "run", "replay", "show", "audit", "ladder", "bench"};

/// What the command line is taken for: nothing here runs a seed.
class Usage : public CliTest {
 protected:
  void expect_bad_values(const std::string& flag, const std::vector<std::string>& values) const {
    for (const std::string& value : values) {
      expect_refused(usage, flag, {"explore", flag, value});
      expect_refused(usage, flag, {"explore", flag + "=" + value});
    }
  }
};

TEST_F(Usage, WithoutASubcommandTheHelpIsTheError) {
  const Ran ran = run({});
  EXPECT_EQ(ran.code, usage);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("a subcommand is missing"));
  for (const std::string& command : commands) EXPECT_THAT(ran.err, HasSubstr("  " + command + " "));
}

TEST_F(Usage, TheHelpListsSubcommandsAndExitCodes) {
  for (const char* flag : {"--help", "-h"}) {
    const Ran ran = run({flag});
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.err, "");
    for (const std::string& command : commands) EXPECT_THAT(ran.out, HasSubstr("  " + command + " "));
    for (const char* code : {"0 holds", "1 violated", "2 inconclusive", "3 a replay differs", "64 usage",
                             "65 bad or empty", "70 internal", "74 input or output", "130 and 143"}) {
      EXPECT_THAT(ran.out, HasSubstr(code));
    }
  }
}

TEST_F(Usage, TheCommandOfTheShellsIsNotInTheHelp) { EXPECT_THAT(run({"--help"}).out, Not(HasSubstr("__"))); }

TEST_F(Usage, EverySubcommandHasAHelp) {
  for (const std::string& command : commands) {
    const Ran ran = run({command, "--help"});
    EXPECT_EQ(ran.code, 0) << command;
    EXPECT_EQ(ran.err, "") << command;
    EXPECT_THAT(ran.out, HasSubstr("Usage: raftlab " + command));
  }
}

TEST_F(Usage, TheHelpNamesEveryFlagOfExplore) {
  const std::string help = run({"explore", "--help"}).out;
  for (const char* flag : {"--seed", "--seeds", "--nodes", "--profile", "--checks", "--jobs", "--time-budget",
                           "--shard", "--trace", "--json", "--junit", "--out", "--keep-going"}) {
    EXPECT_THAT(help, HasSubstr(std::string("  ") + flag + " "));
  }
}

TEST_F(Usage, TheVersionTellsTheBuildAndTheFormats) {
  const Ran ran = run({"--version"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(ran.out, "raftlab " + version::line() + "\nformats: trace 2, node trace 1, wal 1\n");
}

TEST_F(Usage, HelpThatCannotBePrintedIsAnError) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, {"--version"}, {"explore", "--help"}, {"__complete", "bash"}}) {
    const Ran ran = run_on_full_device(arguments);
    EXPECT_EQ(ran.code, 74) << arguments.front();
    EXPECT_EQ(ran.err, "raftlab: stdout: cannot be written\n") << arguments.front();
  }
}

TEST_F(Usage, AnUnknownSubcommandIsNamed) {
  expect_refused(usage, "'bogus' is no subcommand", {"bogus"});
  expect_refused(usage, "'explor' is no subcommand", {"explor", "--seed", "1"});
  expect_refused(usage, "'' is no subcommand", {""});
}

TEST_F(Usage, AnUnknownFlagIsNamedForEverySubcommand) {
  expect_refused(usage, "--bogus", {"--bogus"});
  for (const std::string& command : commands) {
    expect_refused(usage, "--bogus", {command, "--bogus", "x"});
    expect_refused(usage, "see raftlab " + command + " --help", {command, "--bogus", "x"});
  }
}

TEST_F(Usage, AFlagIsNotAbbreviated) {
  expect_refused(usage, "--see", {"explore", "--see", "1"});
  expect_refused(usage, "--keep", {"explore", "--keep"});
}

TEST_F(Usage, AFlagOfAnotherSubcommandIsUnknown) {
  expect_refused(usage, "--around", {"replay", "t", "--around", "1"});
  expect_refused(usage, "--json", {"replay", "t", "--json"});
  expect_refused(usage, "--seed", {"ladder", "--seed", "1"});
  expect_refused(usage, "--rewrite", {"explore", "--rewrite"});
}

TEST_F(Usage, AFlagWithoutItsValueIsNamed) {
  for (const char* flag : {"--seed", "--seeds", "--nodes", "--profile", "--checks", "--jobs", "--time-budget",
                           "--shard", "--junit", "--out"}) {
    expect_refused(usage, flag, {"explore", flag});
  }
  expect_refused(usage, "--trace", {"explore", "--seed", "1", "--trace"});
  for (const char* flag : {"--around", "--context", "--node", "--last"})
    expect_refused(usage, flag, {"show", "t", flag});
}

TEST_F(Usage, AFlagIsGivenOnce) {
  expect_refused(usage, "--seed", {"explore", "--seed", "1", "--seed", "2"});
  expect_refused(usage, "--jobs", {"explore", "--jobs", "1", "--jobs", "2"});
}

TEST_F(Usage, AnArgumentTooManyIsNamed) {
  expect_refused(usage, "extra", {"explore", "--seed", "1", "extra"});
  expect_refused(usage, "extra", {"replay", "t", "extra"});
  expect_refused(usage, "extra", {"show", "t", "extra"});
  expect_refused(usage, "extra", {"ladder", "extra"});
}

TEST_F(Usage, AMissingArgumentIsNamed) {
  expect_refused(usage, "path", {"run"});
  expect_refused(usage, "trace", {"replay"});
  expect_refused(usage, "trace", {"show"});
  expect_refused(usage, "shell", {"__complete"});
}

TEST_F(Usage, ASeedIsANumberOf64Bits) {
  expect_bad_values("--seed", {"", " ", "-1", "+1", "1.5", "12x", "0x", "0xg", "x", "18446744073709551616"});
}

TEST_F(Usage, SeedsAreARangeInOrder) {
  expect_bad_values("--seeds", {"", "0", "..", "1..", "..9", "9..1", "1..x", "1-9", "1..2..3", "-5..5"});
}

TEST_F(Usage, ANumberIsDecimalOrHexadecimalAndNeverOctal) {
  // 010 would be 8 otherwise, which is in range.
  expect_refused(usage, "--nodes", {"explore", "--nodes", "0100"});
  expect_refused(usage, "--nodes", {"explore", "--nodes", "0x41"});
  expect_refused(74, "t: cannot be read", {"show", "t", "--around", "0xff", "--last", "09"});
}

TEST_F(Usage, NodesAreFrom1To64) { expect_bad_values("--nodes", {"", "0", "65", "-3", "three", "3.5"}); }

TEST_F(Usage, JobsAreFrom1To256) { expect_bad_values("--jobs", {"", "0", "257", "-1", "two", "1.5"}); }

TEST_F(Usage, ChecksAreFullOrOff) { expect_bad_values("--checks", {"", "some", "FULL", "on", "0"}); }

TEST_F(Usage, AShardLiesBelowTheirNumber) {
  expect_bad_values("--shard", {"", "1", "2/2", "3/2", "0/0", "-1/2", "1/-2", "a/b", "1/2/3", "0.5/2"});
}

TEST_F(Usage, ATimeBudgetIsANumberWithAUnit) {
  expect_bad_values("--time-budget", {"", "0", "0s", "-1s", "5x", "5 s", "1.5m", "s", "100000h"});
}

TEST_F(Usage, AFileNameIsNotEmpty) {
  for (const char* flag : {"--profile", "--junit", "--out"})
    expect_refused(usage, std::string(flag) + ": the name is empty", {"explore", "--seed", "1", flag, ""});
  expect_refused(usage, "--trace: the name is empty", {"explore", "--seed", "1", "--trace", ""});
}

TEST_F(Usage, ASeedAndARangeExcludeEachOther) {
  expect_refused(usage, "--seeds", {"explore", "--seed", "1", "--seeds", "1..2"});
  expect_refused(usage, "--seed", {"explore", "--seeds", "1..2", "--seed", "1"});
}

TEST_F(Usage, ATraceIsOfOneSeed) {
  expect_refused(usage, "--seed", {"explore", "--trace", "t"});
  expect_refused(usage, "--seed", {"explore", "--seeds", "1..1", "--trace", "t"});
}

TEST_F(Usage, AShardWithoutASeedOfTheRangeIsRefused) {
  expect_refused(usage, "no seed of 1 is in shard 0/2", {"explore", "--seed", "1", "--shard", "0/2"});
  expect_refused(usage, "no seed of 6..8 is in shard 1/4", {"explore", "--seeds=6..8", "--shard=1/4"});
}

TEST_F(Usage, TheStepsToShowAreNumbers) {
  for (const char* flag : {"--around", "--context", "--node", "--last"}) {
    for (const char* value : {"", "x", "-1", "1.5", "99999999999999999999"})
      expect_refused(usage, flag, {"show", "t", flag, value});
  }
}

TEST_F(Usage, ABenchRepeatsFrom1To100Times) {
  for (const char* value : {"0", "101", "-1", "x"})
    expect_refused(usage, "--repetitions", {"bench", "--repetitions", value});
}

TEST_F(Usage, OnlyKnownShellsHaveCompletions) { expect_refused(usage, "tcsh", {"__complete", "tcsh"}); }

}  // namespace
}  // namespace raftlab::tool
