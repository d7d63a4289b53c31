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

}  // namespace
}  // namespace raftlab::reports
