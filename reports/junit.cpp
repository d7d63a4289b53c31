#include "reports/junit.hpp"

#include "reports/format.hpp"

#include <cstddef>

namespace raftlab::reports {
namespace {

/// Length of the UTF-8 character at the start of the text that XML may hold; 0 when there is none.
std::size_t xml_character_bytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x20) return first == '\t' || first == '\n' ? 1 : 0;
  if (text.starts_with("\xef\xbf\xbe") || text.starts_with("\xef\xbf\xbf")) return 0;  // U+FFFE and U+FFFF
  return character_bytes(text);
}

std::string in_seconds(std::int64_t ns) {
  const std::string rest = std::to_string(ns / 1'000 % 1'000'000);
  return std::to_string(ns / 1'000'000'000) + "." + std::string(6 - rest.size(), '0') + rest;
}

std::string property(std::string_view name, std::string_view value) {
  return "        <property name=\"" + std::string(name) + "\" value=\"" + escape_xml(value) + "\"/>\n";
}

}  // namespace

std::string escape_xml(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t size = xml_character_bytes(text);
    if (size == 0)
      result += '?';
    else if (text[0] == '&')
      result += "&amp;";
    else if (text[0] == '<')
      result += "&lt;";
    else if (text[0] == '>')
      result += "&gt;";
    else if (text[0] == '"')
      result += "&quot;";
    else if (text[0] == '\n')
      result += "&#10;";
    else if (text[0] == '\t')
      result += "&#9;";
    else
      result += text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return result;
}

void JunitReport::add(const SeedReport& report, std::string_view trace, std::string_view replay) {
  const simulator::RunResult& result = report.result;
  ++tests_;
  cpu_ns_ += report.cpu_ns;
  cases_ += "    <testcase classname=\"raftlab.explore\" name=\"seed " + std::to_string(report.seed) +
            "\" time=\"" + in_seconds(report.cpu_ns) + "\"";
  if (result.verdict == simulator::Verdict::holds) {
    cases_ += "/>\n";
    return;
  }
  cases_ +=
      ">\n      <properties>\n" + property("seed", std::to_string(report.seed)) + property("commit", commit_);
  if (!trace.empty()) cases_ += property("trace", trace);
  cases_ += "      </properties>\n";
  const invariants::Finding* found = simulator::root(result);
  if (result.verdict == simulator::Verdict::violated) {
    ++failures_;
    const invariants::RungInfo* rung = found != nullptr ? &invariants::info(found->rung) : nullptr;
    cases_ += "      <failure type=\"" + escape_xml(rung != nullptr ? rung->id : "") + "\" message=\"";
    if (rung != nullptr) {
      cases_ += escape_xml(std::string(rung->id) + " " + rung->name + " at step " +
                           std::to_string(found->step) + ": " + found->text);
    }
    cases_ += "\"/>\n";
  } else {
    ++skipped_;
    cases_ += "      <skipped message=\"" + escape_xml("inconclusive: " + result.reason) + "\"/>\n";
  }
  cases_ += "      <system-out>" + escape_xml(replay) + "</system-out>\n    </testcase>\n";
}

std::string JunitReport::text() const {
  const std::string counts = " tests=\"" + std::to_string(tests_) + "\" failures=\"" +
                             std::to_string(failures_) + "\" errors=\"0\" skipped=\"" +
                             std::to_string(skipped_) + "\" time=\"" + in_seconds(cpu_ns_) + "\"";
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" + counts +
         ">\n  <testsuite name=\"raftlab explore\"" + counts + ">\n" + cases_ +
         "  </testsuite>\n</testsuites>\n";
}

}  // namespace raftlab::reports
