#include "tools/raftlab/cli_fixture.hpp"

namespace raftlab::tool {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* passing = "cluster 3\nelect n1\nexpect n1 role leader\n";
constexpr const char* failing = "cluster 3\nelect n1\nexpect n2 role leader\n";
constexpr const char* malformed = "cluster 3\n  tikc n1\n";
constexpr const char* printing = "# prose stays\ncluster 1\nelect n1\nstatus\n----\n";

class RunCommand : public CliTest {};

TEST_F(RunCommand, AScenarioThatPassesEndsWith0) {
  write("a.scn", passing);
  const Ran ran = run({"run", "a.scn"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(ran.out, StartsWith("holds  1 scenario passed · 3 commands · "));
}

TEST_F(RunCommand, AnExpectationThatDoesNotHoldEndsWith1AndNamesThePlace) {
  write("a.scn", failing);
  const Ran ran = run({"run", "a.scn"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(ran.out, StartsWith("violated  a.scn\n\na.scn:3:"));
  EXPECT_THAT(ran.out, HasSubstr("\n  expect n2 role leader\n"));
  EXPECT_THAT(ran.out, HasSubstr("\nviolated  0 scenarios passed, 1 failed · "));
}

TEST_F(RunCommand, AScriptThatIsNoneEndsWith65AndNamesThePlaceOnStderr) {
  write("a.scn", malformed);
  const Ran ran = run({"run", "a.scn"});
  EXPECT_EQ(ran.code, 65);
  EXPECT_THAT(ran.err, StartsWith("a.scn:2:3: unknown command `tikc`\n    tikc n1\n    ^"));
  EXPECT_THAT(ran.out, StartsWith("violated  0 scenarios passed, 1 malformed · 0 commands"));
}

TEST_F(RunCommand, ABinaryFileIsMalformed) {
  write("a.scn", std::string_view("\xff\x00\x1b[2J\n", 7));
  const Ran ran = run({"run", "a.scn"});
  EXPECT_EQ(ran.code, 65);
  EXPECT_THAT(ran.err, StartsWith("a.scn:1:"));
  EXPECT_THAT(ran.err, Not(HasSubstr("\x1b")));
}

TEST_F(RunCommand, AFileOfProseAloneIsMalformed) {
  write("a.scn", "# nothing but prose\n");
  EXPECT_EQ(run({"run", "a.scn"}).code, 65);
}

TEST_F(RunCommand, AFailureWinsOverAMalformedScript) {
  write("a.scn", malformed);
  write("b.scn", failing);
  write("c.scn", passing);
  const Ran ran = run({"run", "a.scn", "b.scn", "c.scn"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("violated  1 scenario passed, 1 failed, 1 malformed · "));
}

TEST_F(RunCommand, AMissingFileEndsWith74) {
  expect_refused(74, "missing.scn: cannot be read: ", {"run", "missing.scn"});
  expect_refused(74, ": cannot be read: ", {"run", ""});
}

TEST_F(RunCommand, AnEmptyFileEndsWith65) {
  write("a.scn", "");
  expect_refused(65, "a.scn: the file is empty", {"run", "a.scn"});
}

TEST_F(RunCommand, ADirectoryIsSearchedForScenariosInTheOrderOfTheirNames) {
  fs::create_directories("all/deep");
  write("all/z.scn", failing);
  write("all/a.scn", failing);
  write("all/deep/m.scn", failing);
  write("all/readme.txt", "cluster 0\n");
  write("all/scn", "cluster 0\n");
  fs::create_directory("all/trap.scn");
  const Ran ran = run({"run", "all"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.err, "");
  const std::size_t a = ran.out.find("violated  all/a.scn\n");
  const std::size_t m = ran.out.find("violated  all/deep/m.scn\n");
  const std::size_t z = ran.out.find("violated  all/z.scn\n");
  EXPECT_LT(a, m);
  EXPECT_LT(m, z);
  EXPECT_LT(z, ran.out.size());
  EXPECT_THAT(ran.out, HasSubstr(" 3 failed · "));
}

TEST_F(RunCommand, ADirectoryWithoutAScenarioEndsWith65) {
  fs::create_directory("nothing");
  write("nothing/readme.txt", "prose");
  expect_refused(65, "nothing: there is no scenario (*.scn) in this directory", {"run", "nothing"});
}

TEST_F(RunCommand, OutputThatDiffersFails) {
  write("a.scn", std::string(printing) + "something else\n");
  const Ran ran = run({"run", "a.scn"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("a.scn:"));
}

TEST_F(RunCommand, RewritePutsTheOutputInPlaceAndChangesNothingElse) {
  write("a.scn", std::string(printing) + "something else\n\nexpect n1 role leader\n");
  EXPECT_EQ(run({"run", "--rewrite", "a.scn"}).code, 0);
  const std::string rewritten = read("a.scn");
  EXPECT_THAT(rewritten, StartsWith(std::string(printing) + "n1 T"));
  EXPECT_THAT(rewritten, testing::EndsWith("\n\nexpect n1 role leader\n"));
  EXPECT_THAT(rewritten, Not(HasSubstr("something else")));
  EXPECT_EQ(run({"run", "a.scn"}).code, 0);
  EXPECT_EQ(files(), std::vector<std::string>{"a.scn"});
}

TEST_F(RunCommand, RewriteDoesNotTouchAFileThatIsUpToDate) {
  write("a.scn", printing);
  run({"run", "--rewrite", "a.scn"});
  // A second name shows whether the file was replaced.
  fs::create_hard_link("a.scn", "same");
  EXPECT_EQ(run({"run", "--rewrite", "a.scn"}).code, 0);
  EXPECT_EQ(fs::hard_link_count("a.scn"), 2U);
}

TEST_F(RunCommand, RewriteLeavesWhatDoesNotPassAsItIs) {
  const std::string fails = std::string(printing) + "something else\n\nexpect n1 role follower\n";
  write("fails.scn", fails);
  write("malformed.scn", malformed);
  EXPECT_EQ(run({"run", "--rewrite", "fails.scn"}).code, 1);
  EXPECT_EQ(run({"run", "--rewrite", "malformed.scn"}).code, 65);
  EXPECT_EQ(read("fails.scn"), fails);
  EXPECT_EQ(read("malformed.scn"), malformed);
}

TEST_F(RunCommand, AFullDeviceBehindStdoutEndsWith74) {
  write("a.scn", passing);
  const Ran ran = run_on_full_device({"run", "a.scn"});
  EXPECT_EQ(ran.code, 74);
  EXPECT_EQ(ran.err, "raftlab: stdout: cannot be written\n");
}

}  // namespace
}  // namespace raftlab::tool
