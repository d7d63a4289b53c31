#include "tools/diskeyval/bench_work.hpp"

#include <gtest/gtest.h>

#include <set>

namespace raftlab::diskeyval {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = BenchOperation::Kind;

const BenchWork::Time start{seconds(1'000)};

BenchOptions short_run() {
  BenchOptions options;
  options.duration = seconds(10);
  options.warm_up = seconds(2);
  options.keys = 10;
  return options;
}

TEST(BenchWork, CountsWhatBeganInTheTimeThatIsMeasuredWheneverItEnds) {
  const BenchOptions options = short_run();
  BenchWork work(options, start);
  const auto warming = work.next(start + milliseconds(1'999));
  const auto first = work.next(start + milliseconds(2'000));
  const auto last = work.next(start + milliseconds(11'999));
  ASSERT_TRUE(warming && first && last);
  EXPECT_FALSE(work.next(start + milliseconds(12'000)));
  work.finished(*warming, start + milliseconds(2'500), "");
  work.finished(*first, start + milliseconds(2'010), "");
  work.finished(*last, start + milliseconds(14'999), "");
  const BenchResult result = work.result();
  EXPECT_EQ(result.writes.latencies.count(), 2U);
  EXPECT_EQ(result.writes.latencies.least(), milliseconds(10));
  EXPECT_EQ(result.writes.latencies.greatest(), seconds(3));
  EXPECT_EQ(result.measured, seconds(10));
}

TEST(BenchWork, CountsErrorsByKindAndNotAsFastOperations) {
  BenchOptions options = short_run();
  options.warm_up = milliseconds(0);
  BenchWork work(options, start);
  for (const char* error : {"timed out", "503 no_leader", "timed out"}) {
    const auto operation = work.next(start);
    ASSERT_TRUE(operation);
    work.finished(*operation, start + milliseconds(1), error);
  }
  const BenchResult result = work.result();
  EXPECT_EQ(result.operations(), 0U);
  EXPECT_EQ(result.writes.errors, 3U);
  EXPECT_EQ(result.errors_by_kind.at("timed out"), 2U);
  EXPECT_EQ(result.errors_by_kind.at("503 no_leader"), 1U);
}

TEST(BenchWork, HasNoMoreKindsOfErrorsThanItCanShow) {
  BenchOptions options = short_run();
  options.warm_up = milliseconds(0);
  BenchWork work(options, start);
  for (int i = 0; i < 1'000; ++i) {
    const auto operation = work.next(start);
    ASSERT_TRUE(operation);
    work.finished(*operation, start, std::to_string(i));
  }
  EXPECT_LE(work.result().errors_by_kind.size(), 51U);
  EXPECT_EQ(work.result().errors_by_kind.at("others"), 950U);
}

TEST(BenchWork, WritesAllKeysBeforeItReadsThem) {
  BenchOptions options = short_run();
  options.keys = 250;
  options.reads_percent = 100;
  BenchWork work(options, start);
  std::set<std::uint64_t> written;
  std::vector<BenchOperation> fills;
  for (int i = 0; i < 3; ++i) {
    const auto operation = work.next(start);
    ASSERT_TRUE(operation);
    ASSERT_EQ(operation->kind, Kind::fill);
    fills.push_back(*operation);
    for (std::uint64_t key = 0; key < operation->keys; ++key) written.insert(operation->key + key);
  }
  EXPECT_EQ(written.size(), 250U);
  EXPECT_FALSE(work.ends());
  work.finished(fills[0], start + seconds(1), "503 no_leader");
  work.finished(fills[1], start + seconds(1), "");
  work.finished(fills[2], start + seconds(1), "");
  EXPECT_FALSE(work.ends());
  const auto again = work.next(start + seconds(1));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->key, fills[0].key);
  work.finished(*again, start + seconds(5), "");
  EXPECT_EQ(work.ends(), start + seconds(17));
  const auto read = work.next(start + seconds(8));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->kind, Kind::read);
}

TEST(BenchWork, GivesUpWhenTheKeysCannotBeWritten) {
  BenchOptions options = short_run();
  options.reads_percent = 50;
  BenchWork work(options, start);
  const auto operation = work.next(start);
  ASSERT_TRUE(operation);
  work.finished(*operation, start + seconds(16), "503 no_leader");
  EXPECT_FALSE(work.next(start + seconds(16)));
  ASSERT_TRUE(work.failed());
  EXPECT_EQ(work.failed()->code, ExitCode::unavailable);
}

TEST(BenchWork, EndsEarlyWithWhatItHas) {
  const BenchOptions options = short_run();
  BenchWork work(options, start);
  const auto operation = work.next(start + seconds(3));
  ASSERT_TRUE(operation);
  work.end(start + seconds(4));
  EXPECT_FALSE(work.next(start + seconds(4)));
  work.finished(*operation, start + seconds(5), "");
  EXPECT_EQ(work.result().operations(), 1U);
  EXPECT_EQ(work.result().measured, seconds(2));
}

TEST(BenchWork, ThatEndsDuringTheWarmUpHasMeasuredNothing) {
  const BenchOptions options = short_run();
  BenchWork work(options, start);
  work.end(start + seconds(1));
  EXPECT_EQ(work.result().measured, seconds(0));
  const auto failed = objection_to(work.result());
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->code, ExitCode::unavailable);
}

TEST(BenchWork, DrawsReadsAndWritesAsManyAsWereAskedFor) {
  BenchOptions options = short_run();
  options.reads_percent = 30;
  BenchWork work(options, start);
  const auto fill = work.next(start);
  ASSERT_TRUE(fill);
  work.finished(*fill, start, "");
  int reads = 0;
  std::set<std::uint64_t> keys;
  for (int i = 0; i < 10'000; ++i) {
    const auto operation = work.next(start + seconds(3));
    ASSERT_TRUE(operation);
    reads += operation->kind == Kind::read ? 1 : 0;
    keys.insert(operation->key);
  }
  EXPECT_NEAR(reads, 3'000, 200);
  EXPECT_EQ(keys.size(), 10U);
  EXPECT_EQ(*keys.rbegin(), 9U);
}

}  // namespace
}  // namespace raftlab::diskeyval
