#include "reports/format.hpp"
#include "tools/raftlab/cli_fixture.hpp"

#include <nlohmann/json.hpp>

#include <map>

namespace raftlab::tool {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

class Explore : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    write("small.toml", small_toml);
    write("violated.toml", violated_toml);
    write("inconclusive.toml", inconclusive_toml);
  }

  static Ran explore(const std::string& profile, std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"explore", "--profile", profile + ".toml"});
    return run(flags);
  }

  /// One object per line.
  static std::vector<Json> objects(const std::string& text) {
    std::vector<Json> result;
    for (const std::string& line : lines(text)) result.push_back(Json::parse(line));
    return result;
  }

  /// The seeds of a campaign, without the CPU time, and without the summary.
  static std::vector<std::string> seeds(const std::string& profile, std::vector<std::string> flags) {
    flags.emplace_back("--json");
    const Ran ran = explore(profile, std::move(flags));
    std::vector<std::string> result;
    for (Json& object : objects(ran.out)) {
      if (!object.contains("seed")) continue;
      object.erase("cpu_seconds");
      result.push_back(object.dump());
    }
    return result;
  }

  static std::vector<std::uint64_t> numbers(const std::vector<std::string>& seeds) {
    std::vector<std::uint64_t> result;
    result.reserve(seeds.size());
    for (const std::string& seed : seeds) result.push_back(Json::parse(seed)["seed"]);
    return result;
  }

  /// The rest of the line of a report that begins with the word.
  static std::string told(const std::string& report, const std::string& word) {
    for (const std::string& line : lines(report)) {
      if (line.starts_with("  " + word + " ")) return line.substr(10);
    }
    ADD_FAILURE() << "no line " << word << " in:\n" << report;
    return "";
  }

  /// The directories below raftlab-out that are no links.
  static std::vector<std::string> directories() {
    std::vector<std::string> result;
    for (const auto& entry : fs::directory_iterator("raftlab-out")) {
      if (!entry.is_symlink() && entry.path().filename() != "latest")
        result.push_back(entry.path().filename().string());
    }
    std::sort(result.begin(), result.end());
    return result;
  }
};

// ---- verdicts and exit codes ------------------------------------------------------------------------------

TEST_F(Explore, SeedsThatHoldEndWith0AndLeaveNothingBehind) {
  const auto before = files();
  const Ran ran = explore("small", {"--seeds", "1..3"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(ran.out, StartsWith("raftlab "));
  EXPECT_THAT(ran.out, HasSubstr("\n3 nodes · profile small.toml · seeds 1..3 · "));
  EXPECT_THAT(ran.out, HasSubstr("\nholds   seeds 1..3, "));
  EXPECT_THAT(ran.out, HasSubstr("\nreplay  raftlab explore --seed "));
  EXPECT_EQ(files(), before);
}

TEST_F(Explore, TheLineThatReplaysAHoldingSeedIsACommandOfRaftlab) {
  const Ran ran = explore("small", {"--seeds", "3..3", "--nodes", "5", "--checks", "off"});
  EXPECT_THAT(ran.out, HasSubstr("\nreplay  raftlab explore --seed 3 --nodes 5 --profile small.toml "
                                 "--checks off --trace seed-3.trace && \\\n        raftlab replay "
                                 "seed-3.trace\n"));
  const Ran recorded = explore("small", {"--seed", "3", "--nodes", "5", "--trace", "seed-3.trace"});
  EXPECT_EQ(recorded.code, 0);
  EXPECT_EQ(run({"replay", "seed-3.trace"}).code, 0);
}

TEST_F(Explore, AViolatedSeedEndsWith1AndSaysWhereItsTraceIs) {
  const Ran ran = explore("violated", {"--seed", "4"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(ran.out, HasSubstr("\nviolated  seed 4 at step "));
  EXPECT_THAT(told(ran.out, "root"), MatchesRegex("V[0-9]+ .*"));
  EXPECT_THAT(
      told(ran.out, "trace"),
      MatchesRegex("raftlab-out/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}\\.[0-9]{2}\\.[0-9]{2}/4\\.trace"));
  EXPECT_EQ(told(ran.out, "replay"), "raftlab replay raftlab-out/latest/4.trace");
  EXPECT_THAT(told(ran.out, "show"), StartsWith("raftlab show raftlab-out/latest/4.trace --around "));
  EXPECT_THAT(ran.out, HasSubstr("\nviolated  seed 4: 1 of 1 violated\n"));
  EXPECT_EQ(read(told(ran.out, "trace")), read("raftlab-out/latest/4.trace"));
}

TEST_F(Explore, TheSavedTraceReplaysToTheSameViolation) {
  const Ran ran = explore("violated", {"--seed", "4"});
  const Ran again = run({"replay", "raftlab-out/latest/4.trace"});
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.out, StartsWith("identical  seed 4, "));
  EXPECT_THAT(again.out, HasSubstr("\nviolated  seed 4 at step "));
  EXPECT_EQ(told(again.out, "root"), told(ran.out, "root"));
}

TEST_F(Explore, AnInconclusiveSeedEndsWith2AndSaysWhy) {
  const Ran ran = explore("inconclusive", {"--seed", "4"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(ran.out, HasSubstr("\ninconclusive  seed 4, "));
  EXPECT_THAT(ran.out, HasSubstr("1 of 1 seed is inconclusive, more than 5 %"));
  EXPECT_THAT(ran.out, HasSubstr("seed 4 is inconclusive: "));
  EXPECT_FALSE(fs::exists("raftlab-out"));
}

TEST_F(Explore, WithChecksOffNothingIsViolatedAndTheRunIsTheSame) {
  const Ran ran = explore("violated", {"--seed", "4", "--checks", "off"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr(" · checks off\n"));
  const Json on = Json::parse(seeds("violated", {"--seed", "4"}).front());
  const Json off = Json::parse(seeds("violated", {"--seed", "4", "--checks", "off"}).front());
  EXPECT_EQ(on["digest"], off["digest"]);
  EXPECT_EQ(on["verdict"], "violated");
  EXPECT_EQ(off["verdict"], "holds");
}

TEST_F(Explore, NoLineOfTextIsWiderThan100Columns) {
  for (const char* profile : {"small", "violated", "inconclusive"}) {
    const Ran ran = explore(profile, {"--seeds", "1..2"});
    for (const std::string& line : lines(ran.out)) EXPECT_LE(reports::columns(line), 100U) << line;
  }
}

TEST_F(Explore, ASeedIsTheSameInHexadecimal) {
  EXPECT_EQ(seeds("small", {"--seed", "0x1f"}), seeds("small", {"--seed=31"}));
}

TEST_F(Explore, TheFlagWinsOverTheNodesOfTheProfile) {
  EXPECT_THAT(explore("small", {"--seed", "1", "--nodes", "5"}).out, HasSubstr("\n5 nodes · "));
  EXPECT_THAT(explore("small", {"--seed", "1", "--nodes", "1"}).out, HasSubstr("\n1 node · "));
}

// ---- order, shards, stopping ------------------------------------------------------------------------------

TEST_F(Explore, JsonComesInTheOrderOfTheSeedsForAnyNumberOfJobs) {
  const auto one = seeds("small", {"--seeds", "3..9", "--jobs", "1"});
  EXPECT_THAT(numbers(one), ElementsAre(3, 4, 5, 6, 7, 8, 9));
  EXPECT_EQ(seeds("small", {"--seeds", "3..9", "--jobs", "2"}), one);
  EXPECT_EQ(seeds("small", {"--seeds", "3..9", "--jobs", "16"}), one);
}

TEST_F(Explore, ACountMeansTheSeedsFrom1On) {
  EXPECT_THAT(numbers(seeds("small", {"--seeds", "2"})), ElementsAre(1, 2));
}

TEST_F(Explore, ShardsPartTheSeedsAndChangeNone) {
  std::map<std::uint64_t, std::string> together;
  for (const char* shard : {"0/3", "1/3", "2/3"}) {
    for (const std::string& seed : seeds("small", {"--seeds", "5..11", "--shard", shard})) {
      const std::uint64_t number = Json::parse(seed)["seed"];
      EXPECT_EQ(number % 3, static_cast<std::uint64_t>(shard[0] - '0'));
      EXPECT_TRUE(together.emplace(number, seed).second) << number;
    }
  }
  std::vector<std::string> merged;
  merged.reserve(together.size());
  for (const auto& [number, seed] : together) merged.push_back(seed);
  EXPECT_EQ(merged, seeds("small", {"--seeds", "5..11"}));
}

TEST_F(Explore, TheHeadingNamesTheShard) {
  const Ran ran = explore("small", {"--seeds", "1..4", "--shard", "1/3", "--jobs", "1"});
  EXPECT_THAT(ran.out, HasSubstr(" · seeds 1..4 shard 1/3 · 1 job\n"));
}

TEST_F(Explore, StopsAtTheLowestViolatedSeedForAnyNumberOfJobs) {
  for (const char* jobs : {"1", "3"})
    EXPECT_THAT(numbers(seeds("violated", {"--seeds", "2..6", "--jobs", jobs})), ElementsAre(2)) << jobs;
}

TEST_F(Explore, KeepsGoingWhenItIsTold) {
  const Ran ran = explore("violated", {"--seeds", "2..5", "--keep-going", "--jobs", "2"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("\nviolated  seeds 2..5: 4 of 4 violated\n"));
  for (const char* seed : {"2", "3", "4", "5"})
    EXPECT_TRUE(fs::exists("raftlab-out/latest/" + std::string(seed) + ".trace")) << seed;
  EXPECT_EQ(directories().size(), 1U);
}

TEST_F(Explore, ATimeBudgetEndsTheCampaignAndChangesNoVerdict) {
  const Ran ran = explore("small", {"--seeds", "1..100000000", "--time-budget", "1s"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr(" for 1.0 s · "));
  EXPECT_THAT(ran.out, HasSubstr("\nholds   seed"));
}

// ---- JSON -------------------------------------------------------------------------------------------------

TEST_F(Explore, JsonIsOneObjectForEachSeedAndThenASummary) {
  const Ran ran = explore("small", {"--seeds", "1..2", "--json"});
  EXPECT_EQ(ran.err, "");
  const std::vector<Json> all = objects(ran.out);
  ASSERT_EQ(all.size(), 3U);
  for (std::size_t i = 0; i < 2; ++i) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : all[i].items()) keys.push_back(key);
    EXPECT_THAT(keys,
                ElementsAre("seed", "verdict", "rung", "step", "digest", "virtual_seconds", "cpu_seconds",
                            "steps", "messages", "committed", "elections", "faults", "operations", "marks"));
  }
  EXPECT_EQ(all[2].size(), 1U);
  const Json& summary = all[2]["summary"];
  EXPECT_EQ(summary["verdict"], "holds");
  EXPECT_EQ(summary["seeds"], 2);
  EXPECT_EQ(summary["interrupted"], nullptr);
  EXPECT_EQ(summary["steps"].get<std::uint64_t>(),
            all[0]["steps"].get<std::uint64_t>() + all[1]["steps"].get<std::uint64_t>());
}

TEST_F(Explore, WithJsonAViolationIsToldOnStderrAsWell) {
  const Ran ran = explore("violated", {"--seed", "4", "--json"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, StartsWith("violated  seed 4 at step "));
  const std::vector<Json> all = objects(ran.out);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_THAT(all[0]["rung"].get<std::string>(), StartsWith("V"));
  EXPECT_EQ(all[1]["summary"]["verdict"], "violated");
}

// ---- JUnit ------------------------------------------------------------------------------------------------

TEST_F(Explore, JunitReplacesTheOlderFileAsAWhole) {
  write("junit.xml", std::string(100'000, 'x'));
  EXPECT_EQ(explore("small", {"--seeds", "1..2", "--junit", "junit.xml"}).code, 0);
  const std::string report = read("junit.xml");
  EXPECT_THAT(report, StartsWith("<?xml "));
  EXPECT_THAT(report, EndsWith("</testsuites>\n"));
  EXPECT_THAT(report, HasSubstr("tests=\"2\" failures=\"0\" errors=\"0\" skipped=\"0\""));
  EXPECT_THAT(files(), Not(testing::Contains(HasSubstr(".tmp-"))));
}

TEST_F(Explore, JunitNamesTheRungAndTheTraceOfAFailure) {
  EXPECT_EQ(explore("violated", {"--seed", "4", "--junit", "junit.xml"}).code, 1);
  const std::string report = read("junit.xml");
  EXPECT_THAT(report, testing::ContainsRegex("<failure type=\"(V[0-9]+)\" message=\"V[0-9]+ "));
  EXPECT_THAT(report, HasSubstr("<property name=\"trace\" value=\"raftlab-out/2"));
  EXPECT_THAT(report, HasSubstr("<system-out>raftlab replay raftlab-out/latest/4.trace</system-out>"));
}

TEST_F(Explore, JunitSkipsAnInconclusiveSeedAndSaysHowToRecordIt) {
  EXPECT_EQ(explore("inconclusive", {"--seed", "4", "--junit", "junit.xml"}).code, 2);
  const std::string report = read("junit.xml");
  EXPECT_THAT(report, HasSubstr("<skipped message=\"inconclusive: "));
  EXPECT_THAT(report, HasSubstr("<system-out>raftlab explore --seed 4 --profile inconclusive.toml --trace "
                                "seed-4.trace &amp;&amp; raftlab replay seed-4.trace</system-out>"));
}

// ---- traces and directories -------------------------------------------------------------------------------

TEST_F(Explore, ATraceThatIsNamedReplacesTheOlderOne) {
  write("t", "old");
  EXPECT_EQ(explore("small", {"--seed", "2", "--trace", "t"}).code, 0);
  EXPECT_THAT(read("t"), StartsWith("RLTRACE\n"));
  EXPECT_EQ(run({"replay", "t"}).code, 0);
  EXPECT_THAT(files(), Not(testing::Contains(HasSubstr(".tmp-"))));
}

TEST_F(Explore, ANamedTraceOfAViolatedSeedIsTheOnlyOne) {
  const Ran ran = explore("violated", {"--seed", "2", "--trace", "my trace"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(told(ran.out, "trace"), "my trace");
  EXPECT_EQ(told(ran.out, "replay"), "raftlab replay 'my trace'");
  EXPECT_FALSE(fs::exists("raftlab-out"));
}

TEST_F(Explore, EachCampaignHasADirectoryOfItsOwnAndLatestIsTheNewest) {
  explore("violated", {"--seed", "1"});
  const std::string first = read("raftlab-out/latest/1.trace");
  explore("violated", {"--seed", "2"});
  const auto names = directories();
  ASSERT_EQ(names.size(), 2U);
  // Two of one second are told apart by a number.
  EXPECT_EQ(fs::read_symlink("raftlab-out/latest"), names[1]);
  EXPECT_TRUE(fs::exists("raftlab-out/latest/2.trace"));
  EXPECT_EQ(read("raftlab-out/" + names[0] + "/1.trace"), first);
}

TEST_F(Explore, ALatestThatIsNoLinkStaysAsItIs) {
  fs::create_directories("raftlab-out/latest");
  const Ran ran = explore("violated", {"--seed", "1"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_TRUE(fs::is_empty("raftlab-out/latest"));
  EXPECT_EQ(told(ran.out, "replay"), "raftlab replay " + told(ran.out, "trace"));
}

TEST_F(Explore, InADirectoryThatIsGivenNothingIsOverwritten) {
  explore("violated", {"--seed", "1", "--out", "deep/out"});
  write("deep/out/1.trace", "precious");
  const Ran ran = explore("violated", {"--seed", "1", "--out", "deep/out"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(read("deep/out/1.trace"), "precious");
  EXPECT_EQ(told(ran.out, "trace"), "deep/out/1-2.trace");
  EXPECT_EQ(run({"replay", "deep/out/1-2.trace"}).code, 0);
  EXPECT_FALSE(fs::exists("raftlab-out"));
}

// ---- what cannot be read or written -----------------------------------------------------------------------

TEST_F(Explore, RefusesAProfileThatIsNone) {
  write("empty", "");
  write("broken.toml", "nodes =\n");
  write("unknown.toml", "nodes = 3\n\n[faults]\n  mesage_loss = 5\n");
  write("range.toml", "nodes = 99\n");
  write("binary", std::string_view("\xff\xfe\x00", 3));
  expect_refused(74, "missing: cannot be read", {"explore", "--seed", "1", "--profile", "missing"});
  expect_refused(74, ".: cannot be read", {"explore", "--seed", "1", "--profile", "."});
  expect_refused(65, "empty: the file is empty", {"explore", "--seed", "1", "--profile", "empty"});
  expect_refused(65, "broken.toml:1:", {"explore", "--seed", "1", "--profile", "broken.toml"});
  expect_refused(65, "unknown.toml:4:3: ", {"explore", "--seed", "1", "--profile", "unknown.toml"});
  expect_refused(65, "range.toml:1:9: ", {"explore", "--seed", "1", "--profile", "range.toml"});
  expect_refused(65, "binary:1:", {"explore", "--seed", "1", "--profile", "binary"});
}

TEST_F(Explore, FindsOutWhatCannotBeWrittenBeforeItRunsASeed) {
  fs::create_directory("directory");
  const std::vector<std::string> small = {"explore", "--profile", "small.toml", "--seed", "1"};
  const auto refused = [&](const std::string& text, const std::string& flag, const std::string& value) {
    std::vector<std::string> arguments = small;
    arguments.insert(arguments.end(), {flag, value});
    expect_refused(74, text, arguments);
  };
  for (const char* flag : {"--junit", "--trace"}) {
    refused("nowhere/file: cannot be written", flag, "nowhere/file");
    refused("directory: cannot be written", flag, "directory");
    refused("small.toml/file: cannot be written", flag, "small.toml/file");
  }
  refused("small.toml: cannot be written into", "--out", "small.toml");
  refused("small.toml: cannot be written into", "--out", "small.toml/deeper/still");
}

TEST_F(Explore, TheSameFileForTraceAndJunitIsRefused) {
  expect_refused(74, "both: cannot be written",
                 {"explore", "--profile", "small.toml", "--seed", "1", "--trace", "both", "--junit", "both"});
}

TEST_F(Explore, AFullDeviceBehindAReportEndsWith74) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full";
  const Ran junit = explore("small", {"--seed", "1", "--junit", "/dev/full"});
  EXPECT_EQ(junit.code, 74);
  EXPECT_THAT(junit.err, HasSubstr("raftlab: /dev/full: cannot be written"));
  EXPECT_THAT(junit.out, HasSubstr("\nholds   seed 1, "));
  EXPECT_EQ(explore("small", {"--seed", "1", "--trace", "/dev/full"}).code, 74);
}

TEST_F(Explore, AFullDeviceBehindStdoutEndsWith74) {
  const std::vector<std::string> flags = {"explore", "--profile", "small.toml", "--seed", "1"};
  EXPECT_EQ(run_on_full_device(flags).code, 74);
  std::vector<std::string> json = flags;
  json.emplace_back("--json");
  const Ran ran = run_on_full_device(json);
  EXPECT_EQ(ran.code, 74);
  EXPECT_EQ(ran.err, "raftlab: stdout: cannot be written\n");
}

TEST_F(Explore, AViolationWinsOverATraceThatCannotBeSaved) {
  // So many names are tried and no more.
  fs::create_directory("out");
  write("out/1.trace", "taken");
  for (int i = 2; i <= 1000; ++i) write("out/1-" + std::to_string(i) + ".trace", "taken");
  const Ran ran = explore("violated", {"--seed", "1", "--out", "out"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(told(ran.out, "note"), StartsWith("the trace was not saved: out/1.trace: cannot be written"));
  EXPECT_THAT(told(ran.out, "replay"), StartsWith("raftlab explore --seed 1 --profile violated.toml "));
  EXPECT_THAT(ran.err, HasSubstr("raftlab: out/1.trace: cannot be written"));
}

}  // namespace
}  // namespace raftlab::tool
