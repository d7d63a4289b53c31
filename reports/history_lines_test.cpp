#include "reports/history_lines.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace raftlab::reports {
namespace {

using namespace invariants;

History some_history() {
  HistoryRecorder recorder;
  recorder.invoke(OpId{5, 1}, 10, Put{"k", "v\n\"1\""});
  recorder.invoke(OpId{5, 2}, 11, Delete{"k"});
  recorder.invoke(OpId{5, 3}, 12, CompareAndSwap{"k", std::nullopt, "x"});
  recorder.invoke(OpId{5, 4}, 13, CompareAndSwap{"k", "a", "x"});
  recorder.invoke(OpId{5, 5}, 14, Append{"k", "more"});
  recorder.invoke(OpId{6, 1}, 15, PutBatch{{Put{"a", "1"}, Put{"b", ""}}});
  recorder.invoke(OpId{6, 2}, 16, Get{"k"});
  recorder.invoke(OpId{6, 3}, 17, Get{"none"});
  recorder.invoke(OpId{6, 4}, 18, MultiGet{{"a", "none"}});
  recorder.invoke(OpId{6, 5}, 19, Put{"never", "answered"});
  recorder.ok(OpId{5, 1}, 20, Outcome::done(), raft::Index(3));
  recorder.fail(OpId{5, 2}, 21);
  recorder.ok(OpId{5, 3}, 22, Outcome::compare_failed("found"), raft::Index(4));
  recorder.ok(OpId{5, 4}, 23, Outcome::compare_failed_untold(), raft::Index(5));
  recorder.unknown(OpId{5, 5}, 24);
  recorder.ok(OpId{6, 1}, 25, Outcome::done(), raft::Index(~std::uint64_t{0}));
  recorder.ok(OpId{6, 2}, 26, Outcome::read(Value("v")), raft::Index(5), ReadClaim::stale);
  recorder.ok(OpId{6, 3}, 27, Outcome::read(Value()), raft::Index());
  recorder.ok(OpId{6, 4}, 28, Outcome::read({Value("1"), Value()}), raft::Index(6));
  return recorder.history();
}

TEST(HistoryLines, ComeBackAsTheyWere) {
  const History wrote = some_history();
  const std::string lines = history_lines(wrote);
  EXPECT_EQ(std::ranges::count(lines, '\n'), 10);
  const auto read = read_history_lines(lines + "\n");
  ASSERT_TRUE(std::holds_alternative<History>(read)) << std::get<HistoryLineError>(read).what;
  EXPECT_EQ(std::get<History>(read).entries, wrote.entries);
}

TEST(HistoryLines, AreThese) {
  HistoryRecorder recorder;
  recorder.invoke(OpId{5, 1}, 10, Put{"k", "v"});
  recorder.ok(OpId{5, 1}, 20, Outcome::done(), raft::Index(3));
  EXPECT_EQ(history_lines(recorder.history()),
            R"({"client":5,"sequence":1,"op":"put","key":"k","value":"v","fate":"ok","invoked_ns":10,)"
            R"("returned_ns":20,"index":3})"
            "\n");
}

TEST(HistoryLines, NameTheLineThatIsWrong) {
  const std::string good = history_lines(some_history());
  for (
      const char* bad :
      {"{", "[]", "{}", R"({"client":1,"sequence":1,"op":"fly","fate":"ok","invoked_ns":30})",
       R"({"client":1,"sequence":1,"op":"get","key":"k","fate":"lost","invoked_ns":30})",
       R"({"client":1,"sequence":1,"op":"get","key":"k","fate":"ok","invoked_ns":30,"returned_ns":31})",
       R"({"client":1,"sequence":1,"op":"delete","key":"k","fate":"ok","invoked_ns":30,"returned_ns":29})",
       R"({"client":1,"sequence":1,"op":"mget","keys":["a","b"],"fate":"ok","invoked_ns":30,"returned_ns":31,"read":["x"]})",
       R"({"client":1,"sequence":1,"op":"delete","key":"k","fate":"unknown","invoked_ns":3})",
       R"({"client":-1,"sequence":"x","op":"delete","key":"k","fate":"unknown","invoked_ns":30})"}) {
    const auto read = read_history_lines(good + bad + "\n");
    const auto* error = std::get_if<HistoryLineError>(&read);
    ASSERT_NE(error, nullptr) << bad;
    EXPECT_EQ(error->line, 11U) << bad;
    EXPECT_FALSE(error->what.empty());
  }
}

}  // namespace
}  // namespace raftlab::reports
