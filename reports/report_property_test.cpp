#include "reports/fabricated.hpp"
#include "reports/format.hpp"
#include "reports/json.hpp"
#include "reports/junit.hpp"
#include "reports/text.hpp"

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>

namespace raftlab::reports {
namespace {

using boost::property_tree::ptree;
using invariants::Rung;
using simulator::Verdict;

/// Any bytes, with those of markup, of terminals and of broken UTF-8 among them.
rc::Gen<std::string> hostile() {
  return rc::gen::container<std::string>(rc::gen::oneOf(
      rc::gen::arbitrary<char>(), rc::gen::elementOf(std::string("<>&\"'\n\t\r\x1b\x9b\xc2\xe2\xff]] \\a"))));
}

/// A text that XML can hold, without characters that a reader of attributes may change.
rc::Gen<std::string> markup() {
  return rc::gen::container<std::string>(rc::gen::elementOf(std::string("<>&\"'ab/=]![-?;#")));
}

rc::Gen<SeedReport> any_report() {
  return rc::gen::exec([] {
    const auto kind = *rc::gen::inRange(0, 3);
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    SeedReport report = kind == 0 ? holding(seed) : kind == 1 ? violated(seed) : inconclusive(seed);
    report.cpu_ns = *rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000);
    report.result.reason = kind == 2 ? *hostile() : "";
    for (invariants::Finding& finding : report.result.findings) {
      finding.rung = static_cast<Rung>(*rc::gen::inRange<std::size_t>(0, invariants::rung_count));
      finding.step = *rc::gen::arbitrary<std::uint64_t>();
      finding.text = *hostile();
    }
    for (std::size_t i = 0; i < simulator::faults; ++i) {
      report.profile.rates[i] = *rc::gen::inRange<std::uint32_t>(0, 3);
      report.result.fired[i] = *rc::gen::inRange<std::uint64_t>(0, 3);
    }
    return report;
  });
}

ptree parse_xml(const std::string& text) {
  std::istringstream stream(text);
  ptree tree;
  read_xml(stream, tree);
  return tree;
}

void expect_narrow(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) RC_ASSERT(columns(line) <= line_columns);
}

RC_GTEST_PROP(ReportProperty, ASeedIsAlwaysOneObjectOnOneLine, ()) {
  const SeedReport report = *any_report();
  const std::string line = json_seed(report);
  RC_ASSERT(line.find('\n') == std::string::npos);
  const auto json = nlohmann::json::parse(line);
  RC_ASSERT(json.size() == 14U);
  RC_ASSERT(json["seed"] == report.seed);
  RC_ASSERT(json["verdict"] == simulator::name(report.result.verdict));
  RC_ASSERT(json["rung"].is_null() == report.result.findings.empty());
  RC_ASSERT(json["step"].is_null() == report.result.findings.empty());
}

RC_GTEST_PROP(ReportProperty, ATraceOfAnyTextsIsJson, ()) {
  simulator::Trace trace;
  trace.header.version = *hostile();
  trace.header.commit = *hostile();
  trace.header.compiler = *hostile();
  trace.header.build_type = *hostile();
  trace.reason = *hostile();
  trace.findings = (*any_report()).result.findings;
  simulator::TraceStep step;
  step.what = *hostile();
  for (const std::string& line : {json_trace_header(trace), json_trace_step(step), json_trace_end(trace)}) {
    RC_ASSERT(line.find('\n') == std::string::npos);
    RC_ASSERT(nlohmann::json::parse(line).is_object());
  }
}

RC_GTEST_PROP(ReportProperty, SumsDoNotDependOnTheOrderOfTheSeeds, ()) {
  const auto reports = *rc::gen::container<std::vector<SeedReport>>(any_report());
  Campaign forwards;
  Campaign backwards;
  for (const SeedReport& report : reports) forwards.add(report);
  for (auto report = reports.rbegin(); report != reports.rend(); ++report) backwards.add(*report);
  RC_ASSERT(json_summary(forwards, "") == json_summary(backwards, ""));
}

RC_GTEST_PROP(ReportProperty, TheVerdictFollowsTheThreeRules, ()) {
  const auto reports = *rc::gen::container<std::vector<SeedReport>>(any_report());
  Campaign campaign;
  for (const SeedReport& report : reports) campaign.add(report);
  const auto count = [&](Verdict verdict) {
    return static_cast<std::uint64_t>(
        std::count_if(reports.begin(), reports.end(),
                      [&](const SeedReport& report) { return report.result.verdict == verdict; }));
  };
  bool silent_fault = false;
  for (std::size_t i = 0; i < simulator::faults; ++i) {
    std::uint64_t drawn = 0;
    std::uint64_t fired = 0;
    for (const SeedReport& report : reports) {
      drawn += report.profile.rates[i] != 0 ? 1 : 0;
      fired += report.result.fired[i];
    }
    silent_fault = silent_fault || (drawn >= 20 && fired == 0);
  }
  const bool nothing = reports.empty();
  const bool many = count(Verdict::inconclusive) * 100 > reports.size() * 5;
  const Verdict expected = count(Verdict::violated) > 0      ? Verdict::violated
                           : nothing || many || silent_fault ? Verdict::inconclusive
                                                             : Verdict::holds;
  RC_ASSERT(campaign.verdict() == expected);
  RC_ASSERT(campaign.reasons().empty() == (expected != Verdict::inconclusive));
  RC_ASSERT(campaign.seeds() == reports.size());
}

RC_GTEST_PROP(ReportProperty, JunitIsWellFormedAndCountsItsCases, ()) {
  const auto reports = *rc::gen::container<std::vector<SeedReport>>(any_report());
  JunitReport junit(*hostile());
  std::size_t failures = 0;
  std::size_t skipped = 0;
  for (const SeedReport& report : reports) {
    junit.add(report, *hostile(), *hostile());
    failures += report.result.verdict == Verdict::violated ? 1 : 0;
    skipped += report.result.verdict == Verdict::inconclusive ? 1 : 0;
  }
  const ptree suites = parse_xml(junit.text()).get_child("testsuites");
  const ptree suite = suites.get_child("testsuite");
  RC_ASSERT(suite.count("testcase") == reports.size());
  for (const ptree& counts : {suites, suite}) {
    RC_ASSERT(counts.get<std::size_t>("<xmlattr>.tests") == reports.size());
    RC_ASSERT(counts.get<std::size_t>("<xmlattr>.failures") == failures);
    RC_ASSERT(counts.get<std::size_t>("<xmlattr>.skipped") == skipped);
    RC_ASSERT(counts.get<std::size_t>("<xmlattr>.errors") == 0U);
  }
  std::size_t at = 0;
  for (const auto& [tag, test] : suite) {
    if (tag != "testcase") continue;
    const SeedReport& report = reports[at++];
    RC_ASSERT(test.get<std::string>("<xmlattr>.name") == "seed " + std::to_string(report.seed));
    RC_ASSERT(test.count("failure") == (report.result.verdict == Verdict::violated ? 1U : 0U));
    RC_ASSERT(test.count("skipped") == (report.result.verdict == Verdict::inconclusive ? 1U : 0U));
  }
}

RC_GTEST_PROP(ReportProperty, JunitKeepsTheTextOfAFinding, ()) {
  SeedReport report = violated(1);
  report.result.findings.resize(1);
  report.result.findings[0].text = *markup();
  const std::string replay = *markup();
  JunitReport junit("c");
  junit.add(report, "", replay);
  const ptree test = parse_xml(junit.text()).get_child("testsuites.testsuite.testcase");
  RC_ASSERT(test.get<std::string>("failure.<xmlattr>.message") ==
            "E2 vote-written-once at step 41207: " + report.result.findings[0].text);
  RC_ASSERT(test.get<std::string>("system-out") == replay);
}

RC_GTEST_PROP(ReportProperty, EscapedXmlHasNoMarkupAndNoControlCharacter, ()) {
  const std::string text = escape_xml(*hostile());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    RC_ASSERT(byte >= 0x20);
    RC_ASSERT(byte != '<' && byte != '>' && byte != '"');
    if (byte == '&') RC_ASSERT(text.find(';', at) != std::string::npos);
  }
}

RC_GTEST_PROP(ReportProperty, AViolationFitsTheTerminalAndCannotSteerIt, ()) {
  SeedReport report = *any_report();
  report.result.verdict = Verdict::violated;
  NextSteps next;
  next.note = *hostile();
  const std::string text = violation(report, next, Colour::off);
  expect_narrow(text);
  for (const char* control : {"\x1b", "\xc2\x9b", "\x07", "\r"})
    RC_ASSERT(text.find(control) == std::string::npos);
}

RC_GTEST_PROP(ReportProperty, AConclusionFitsTheTerminalAndCannotSteerIt, ()) {
  const auto reports = *rc::gen::container<std::vector<SeedReport>>(any_report());
  Campaign campaign;
  for (const SeedReport& report : reports) campaign.add(report);
  const std::string text = conclusion(campaign, "seeds 1..9", "", "SIGINT", Colour::off);
  expect_narrow(text);
  RC_ASSERT(text.starts_with(simulator::name(campaign.verdict())));
  for (const char* control : {"\x1b", "\xc2\x9b", "\x07", "\r"})
    RC_ASSERT(text.find(control) == std::string::npos);
  RC_ASSERT(columns(progress(campaign)) < line_columns);
}

}  // namespace
}  // namespace raftlab::reports
