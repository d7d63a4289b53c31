#include "scenarios/script.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

/// Every scenario of the repository is a test of its own: a failure names file, line and column.
namespace raftlab::scenarios {
namespace {

namespace fs = std::filesystem;

const fs::path root = RAFTLAB_SOURCE_DIR;

std::vector<std::string> scenario_files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(root / "scenarios")) {
    if (entry.path().extension() == ".scn") files.push_back(fs::relative(entry.path(), root).string());
  }
  std::ranges::sort(files);
  return files;
}

std::string read(const std::string& file) {
  std::ifstream in(root / file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string all_of(const ScriptResult& result) {
  std::string text;
  for (const Diagnostic& diagnostic : result.diagnostics) text += format(diagnostic) + "\n";
  return text;
}

class Scenario : public testing::TestWithParam<std::string> {};

TEST_P(Scenario, passes) {
  const ScriptResult result = run_script(GetParam(), read(GetParam()));
  EXPECT_EQ(result.outcome, Outcome::passed) << all_of(result);
  EXPECT_TRUE(result.findings.empty() || result.outcome == Outcome::passed);
}

TEST_P(Scenario, gives_the_same_digest_twice_and_without_checks) {
  const std::string text = read(GetParam());
  const ScriptResult first = run_script(GetParam(), text);
  EXPECT_EQ(first.digest, run_script(GetParam(), text).digest);
  // Rungs that a script expects to break cannot break when nobody looks.
  if (first.findings.empty()) {
    EXPECT_EQ(first.digest, run_script(GetParam(), text, RunScriptOptions{false, true}).digest);
  }
}

TEST_P(Scenario, rewritten_is_the_file_as_it_was_committed) {
  const std::string text = read(GetParam());
  const RewriteResult result = rewrite_script(GetParam(), text);
  EXPECT_EQ(result.run.outcome, Outcome::passed) << all_of(result.run);
  EXPECT_EQ(result.text, text);
}

TEST_P(Scenario, cut_anywhere_never_crashes) {
  const std::string text = read(GetParam());
  const bool breaks_rungs = !run_script(GetParam(), text).findings.empty();
  for (std::size_t size = 0; size < text.size(); size += 7) {
    const ScriptResult result = run_script(GetParam(), std::string_view(text).substr(0, size));
    EXPECT_EQ(result.outcome == Outcome::passed, result.diagnostics.empty());
    // A cut may take an expectation or a fault away, and never makes correct code break a rung.
    EXPECT_TRUE(breaks_rungs || result.findings.empty()) << all_of(result);
  }
}

/// "scenarios/paper/figure_7a.scn" gives "paper_figure_7a".
std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param.substr(std::string("scenarios/").size());
  name.resize(name.size() - std::string(".scn").size());
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Files, Scenario, testing::ValuesIn(scenario_files()), test_name);

TEST(Documentation, has_an_example_that_passes) {
  const std::string page = read("docs/scenarios.md");
  const std::size_t from = page.find("```\n") + 4;
  const ScriptResult result =
      run_script("docs/scenarios.md", page.substr(from, page.find("```\n", from) - from));
  EXPECT_EQ(result.outcome, Outcome::passed) << all_of(result);
}

TEST(Documentation, names_every_command) {
  const std::string page = read("docs/scenarios.md");
  for (const std::string& usage : command_usages()) {
    const std::string name = usage.substr(0, usage.find(' '));
    EXPECT_NE(page.find("`" + name), std::string::npos) << name;
  }
}

TEST(ScenarioFiles, use_every_command) {
  std::string all;
  for (const std::string& file : scenario_files()) all += "\n" + read(file);
  for (const std::string& usage : command_usages()) {
    const std::string name = usage.substr(0, usage.find(' '));
    const bool used =
        all.find("\n" + name + " ") != std::string::npos || all.find("\n" + name + "\n") != std::string::npos;
    EXPECT_TRUE(used) << name;
  }
}

TEST(ScenarioFiles, are_at_least_thirty_and_each_begins_with_a_line_of_prose) {
  const std::vector<std::string> files = scenario_files();
  EXPECT_GE(files.size(), 30U);
  for (const std::string& file : files) {
    const std::string text = read(file);
    EXPECT_TRUE(text.starts_with("# ")) << file;
    EXPECT_GE(text.find('\n'), 20U) << file;
  }
}

}  // namespace
}  // namespace raftlab::scenarios
