#include "reports/junit.hpp"

#include "reports/fabricated.hpp"

#include <gtest/gtest.h>

namespace raftlab::reports {
namespace {

TEST(Junit, HasATestCaseForEachSeed) {
  JunitReport junit("3f1c2ab");
  junit.add(holding(1), "", "");
  junit.add(violated(2), "out/2.trace", "raftlab replay out/2.trace");
  junit.add(inconclusive(3), "", "raftlab explore --seed 3 && true");
  EXPECT_EQ(junit.text(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\" time=\"0.370370\">\n"
            "  <testsuite name=\"raftlab explore\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\" "
            "time=\"0.370370\">\n"
            "    <testcase classname=\"raftlab.explore\" name=\"seed 1\" time=\"0.123456\"/>\n"
            "    <testcase classname=\"raftlab.explore\" name=\"seed 2\" time=\"0.123456\">\n"
            "      <properties>\n"
            "        <property name=\"seed\" value=\"2\"/>\n"
            "        <property name=\"commit\" value=\"3f1c2ab\"/>\n"
            "        <property name=\"trace\" value=\"out/2.trace\"/>\n"
            "      </properties>\n"
            "      <failure type=\"N18\" message=\"N18 nothing-leaves-early at step 41180: n2 granted its "
            "vote of term 7 to n1 "
            "before write 212 was durable\"/>\n"
            "      <system-out>raftlab replay out/2.trace</system-out>\n"
            "    </testcase>\n"
            "    <testcase classname=\"raftlab.explore\" name=\"seed 3\" time=\"0.123456\">\n"
            "      <properties>\n"
            "        <property name=\"seed\" value=\"3\"/>\n"
            "        <property name=\"commit\" value=\"3f1c2ab\"/>\n"
            "      </properties>\n"
            "      <skipped message=\"inconclusive: nothing was committed\"/>\n"
            "      <system-out>raftlab explore --seed 3 &amp;&amp; true</system-out>\n"
            "    </testcase>\n"
            "  </testsuite>\n"
            "</testsuites>\n");
}

TEST(Junit, EscapesWhatXmlCannotHold) {
  EXPECT_EQ(escape_xml("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;'");
  EXPECT_EQ(escape_xml(std::string("\0\x01\x1b\r", 4)), "????");
  EXPECT_EQ(escape_xml("a\nb\tc"), "a&#10;b&#9;c");
  EXPECT_EQ(escape_xml("·…\xf0\x9f\x98\x80"), "·…\xf0\x9f\x98\x80");
  EXPECT_EQ(escape_xml("\xff\xc0\x80\xed\xa0\x80\xef\xbf\xbf\xe2\x82"), "???????????");
}

TEST(Junit, WithoutASeedItIsAReportAllTheSame) {
  EXPECT_EQ(JunitReport("c").text(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites tests=\"0\" failures=\"0\" errors=\"0\" skipped=\"0\" time=\"0.000000\">\n"
            "  <testsuite name=\"raftlab explore\" tests=\"0\" failures=\"0\" errors=\"0\" skipped=\"0\" "
            "time=\"0.000000\">\n"
            "  </testsuite>\n"
            "</testsuites>\n");
}

TEST(Junit, TheTextOfAFindingIsEscapedInItsAttribute) {
  SeedReport report = violated(1);
  report.result.findings.resize(1);
  report.result.findings[0].text = "a<b & \"c\"\n\x1b</failure>";
  JunitReport junit("c");
  junit.add(report, "", "");
  EXPECT_NE(junit.text().find("step 41207: a&lt;b &amp; &quot;c&quot;&#10;?&lt;/failure&gt;\"/>"),
            std::string::npos)
      << junit.text();
}

TEST(Junit, PathCommitAndCommandAreEscaped) {
  JunitReport junit("<commit>");
  junit.add(violated(1), "out/a&b.trace", "raftlab replay 'out/a&b.trace' < \"x\"");
  const std::string text = junit.text();
  EXPECT_NE(text.find("name=\"commit\" value=\"&lt;commit&gt;\""), std::string::npos) << text;
  EXPECT_NE(text.find("name=\"trace\" value=\"out/a&amp;b.trace\""), std::string::npos) << text;
  EXPECT_NE(text.find("<system-out>raftlab replay 'out/a&amp;b.trace' &lt; &quot;x&quot;</system-out>"),
            std::string::npos)
      << text;
}

TEST(Junit, AViolationWithoutAFindingIsAFailureAllTheSame) {
  SeedReport report = violated(1);
  report.result.findings.clear();
  JunitReport junit("c");
  junit.add(report, "", "");
  EXPECT_NE(junit.text().find("<failure type=\"\" message=\"\"/>"), std::string::npos) << junit.text();
  EXPECT_NE(junit.text().find(" failures=\"1\""), std::string::npos);
}

TEST(Junit, TimesAreSumsOfWhatTheSeedsTook) {
  JunitReport junit("c");
  SeedReport report = holding(1);
  report.cpu_ns = 61'000'000'000;
  junit.add(report, "", "");
  report.cpu_ns = 1'999;
  junit.add(report, "", "");
  EXPECT_NE(junit.text().find("name=\"seed 1\" time=\"61.000000\"/>"), std::string::npos) << junit.text();
  EXPECT_NE(junit.text().find("name=\"seed 1\" time=\"0.000001\"/>"), std::string::npos) << junit.text();
  EXPECT_NE(junit.text().find("skipped=\"0\" time=\"61.000001\""), std::string::npos) << junit.text();
}

TEST(Junit, XmlHoldsTheCharactersThatItMay) {
  EXPECT_EQ(escape_xml(""), "");
  EXPECT_EQ(escape_xml("plain ~ text"), "plain ~ text");
  EXPECT_EQ(escape_xml("]]>"), "]]&gt;");
  // The last ones before and the first ones behind the surrogates, and the last of all.
  for (const char* character : {"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbf"})
    EXPECT_EQ(escape_xml(character), character);
}

TEST(Junit, XmlDoesNotHoldWhatLiesOutsideOfUnicode) {
  EXPECT_EQ(escape_xml("\xf4\x90\x80\x80"), "????");
  EXPECT_EQ(escape_xml("\xf0\x80\x80\x80"), "????");
  EXPECT_EQ(escape_xml("\xe0\x80\x80"), "???");
  EXPECT_EQ(escape_xml("\xf5"), "?");
  EXPECT_EQ(escape_xml("\xc3"), "?");
  EXPECT_EQ(escape_xml("\xc3"
                       "a"),
            "?a");
}

}  // namespace
}  // namespace raftlab::reports
