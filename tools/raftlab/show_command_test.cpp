#include "reports/format.hpp"
#include "tools/raftlab/cli_fixture.hpp"

#include <nlohmann/json.hpp>

namespace raftlab::tool {
namespace {

using nlohmann::json;
using simulator::Trace;
using testing::HasSubstr;
using testing::StartsWith;

class ShowCommand : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    simulator::Profile profile = small_profile();
    profile.healing_ns_max = 0;
    profile.rate(simulator::Fault::message_loss) = 50'000;
    trace_ = recorded(profile);
    write("t", encode(trace_));
  }

  /// What happened between the steps has a star in place of a number.
  static bool is_incident(const std::string& line) {
    const std::size_t first = line.find_first_not_of(' ');
    return first != std::string::npos && line[first] == '*';
  }

  /// The lines of the steps, without the heading and without what happened between them.
  static std::vector<std::string> show(std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"show", "t"});
    const Ran ran = run(flags);
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.err, "");
    std::vector<std::string> all = lines(ran.out);
    EXPECT_THAT(all.at(0), HasSubstr("step"));
    EXPECT_THAT(all.at(0), HasSubstr("what"));
    all.erase(all.begin());
    std::erase_if(all, is_incident);
    return all;
  }

  /// The header, the steps and the end.
  static std::vector<std::string> show_json() {
    const Ran ran = run({"show", "t", "--json"});
    EXPECT_EQ(ran.code, 0);
    std::vector<std::string> all = lines(ran.out);
    std::erase_if(all, [](const std::string& line) { return line.starts_with("{\"incident\""); });
    return all;
  }

  /// A line of show begins with the number of its step.
  static std::uint64_t step_of(std::string line) {
    line.erase(std::remove(line.begin(), line.end(), ','), line.end());
    return std::stoull(line);
  }

  [[nodiscard]] const char* first_rung() const { return invariants::info(trace_.findings.at(0).rung).id; }

  Trace trace_;
};

TEST_F(ShowCommand, PrintsALineForEachStep) {
  const auto steps = show({});
  ASSERT_EQ(steps.size(), trace_.steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(step_of(steps[i]), trace_.steps[i].number);
}

TEST_F(ShowCommand, WhatHappenedBetweenTheStepsIsALineToo) {
  const auto all = lines(run({"show", "t"}).out);
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count_if(all, is_incident)), trace_.incidents.size());
  EXPECT_THAT(all, testing::Contains(HasSubstr("healing: no more faults")));
}

TEST_F(ShowCommand, NoLineIsWiderThan100Columns) {
  for (const std::string& line : lines(run({"show", "t"}).out))
    EXPECT_LE(reports::columns(line), 100U) << line;
  for (const std::string& line : lines(run({"show", "t", "--long"}).out))
    EXPECT_LE(reports::columns(line), 100U) << line;
}

TEST_F(ShowCommand, TheStepAtWhichARungFellIsMarked) {
  const std::uint64_t at = trace_.findings.at(0).step;
  const auto steps = show({"--around", std::to_string(at), "--context", "0"});
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_THAT(steps[0], HasSubstr(std::string("! ") + first_rung()));
}

TEST_F(ShowCommand, AroundAStepThereAreTenOnEitherSide) {
  const std::uint64_t middle = trace_.steps[trace_.steps.size() / 2].number;
  const auto steps = show({"--around", std::to_string(middle)});
  ASSERT_EQ(steps.size(), 21U);
  EXPECT_EQ(step_of(steps[10]), middle);
  EXPECT_EQ(show({"--around", std::to_string(middle), "--context", "3"}).size(), 7U);
}

TEST_F(ShowCommand, ANodeIsShownAlone) {
  for (const std::string& line : show({"--node", "2"})) EXPECT_THAT(line, HasSubstr("s  n2  "));
  std::size_t steps = 0;
  for (const char* node : {"1", "2", "3"}) steps += show({"--node", node}).size();
  EXPECT_EQ(steps, trace_.steps.size());
}

TEST_F(ShowCommand, TheLastOnesAreShown) {
  const auto steps = show({"--last", "4"});
  ASSERT_EQ(steps.size(), 4U);
  EXPECT_EQ(step_of(steps[3]), trace_.steps.back().number);
  EXPECT_EQ(show({"--last", "0"}).size(), 0U);
  EXPECT_EQ(show({"--last", "18446744073709551615"}).size(), trace_.steps.size());
}

TEST_F(ShowCommand, ANodeThatIsNotThereIsRefused) {
  expect_refused(64, "--node: the trace has nodes 1 to 3", {"show", "t", "--node", "4"});
  expect_refused(64, "--node: the trace has nodes 1 to 3", {"show", "t", "--node", "0"});
}

TEST_F(ShowCommand, JsonIsAHeaderTheStepsAndTheEnd) {
  const auto all = show_json();
  ASSERT_EQ(all.size(), trace_.steps.size() + 2);
  EXPECT_THAT(all.front(), StartsWith("{\"schema\":\"raftlab-trace-2\",\"seed\":7,"));
  for (std::size_t i = 1; i + 1 < all.size(); ++i) {
    const json step = json::parse(all[i]);
    const simulator::TraceStep& recorded_step = trace_.steps[i - 1];
    EXPECT_EQ(step["step"], recorded_step.number);
    EXPECT_EQ(step["node"], recorded_step.node.value());
    EXPECT_EQ(step["state"]["term"], recorded_step.term.value());
    EXPECT_EQ(step["what"], recorded_step.what);
  }
  const json end = json::parse(all.back());
  EXPECT_EQ(end["end"], true);
  EXPECT_EQ(end["verdict"], "violated");
  EXPECT_EQ(end["findings"].size(), trace_.findings.size());
  EXPECT_EQ(end["findings"][0]["rung"], first_rung());
}

TEST_F(ShowCommand, JsonHoldsTheChosenStepsOnly) {
  const auto all = lines(run({"show", "t", "--json", "--node", "2", "--last", "3"}).out);
  ASSERT_EQ(all.size(), 5U);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(json::parse(all[i])["node"], 2);
}

TEST_F(ShowCommand, TheProfileInTheHeaderIsAFileThatExploreReads) {
  const json header = json::parse(lines(run({"show", "t", "--json", "--last", "0"}).out).at(0));
  write("profile.toml", header["profile"].get<std::string>());
  const Ran ran = run({"explore", "--profile", "profile.toml", "--seed", "7", "--trace", "again"});
  EXPECT_EQ(ran.code, 1);
  write("t", read("again"));
  EXPECT_EQ(show({}).size(), trace_.steps.size());
}

TEST_F(ShowCommand, WhatATraceSaysCannotSteerTheTerminal) {
  trace_.steps[0].what =
      "\x1b[2J\xc2\x9b"
      "31m\x9b\x07\r\n";
  write("t", encode(trace_));
  const std::string line = show({}).at(0);
  for (const char* control : {"\x1b", "\x9b", "\x07", "\r"}) EXPECT_EQ(line.find(control), std::string::npos);
}

TEST_F(ShowCommand, JsonHoldsWhateverATraceSays) {
  trace_.steps[0].what = "\x1b \xff \xc2\x9b \" \\ \n \xe2\x82\xac";
  write("t", encode(trace_));
  const auto all = show_json();
  ASSERT_EQ(all.size(), trace_.steps.size() + 2);
  EXPECT_EQ(json::parse(all[1])["what"], "\x1b \xef\xbf\xbd \xc2\x9b \" \\ \n \xe2\x82\xac");
}

}  // namespace
}  // namespace raftlab::tool
