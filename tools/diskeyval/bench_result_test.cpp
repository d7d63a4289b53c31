#include "tools/diskeyval/bench_result.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sstream>

namespace raftlab::diskeyval {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

BenchResult measured() {
  BenchResult result;
  result.measured = seconds(2);
  for (int ms = 1; ms <= 100; ++ms) result.writes.latencies.add(milliseconds(ms));
  result.reads.errors = 3;
  result.errors_by_kind = {{"503 overloaded", 2}, {"timed out", 1}};
  return result;
}

TEST(BenchResult, AsJsonHasTheFieldsOfTheDocument) {
  BenchOptions options;
  options.reads_percent = 10;
  options.read = kv::ReadPolicy::read_index;
  const auto json = nlohmann::json::parse(bench_json(options, measured()));
  for (const char* field : {"target", "tls", "spread", "clients", "keys", "key_size", "value_size",
                            "reads_percent", "read_policy", "warm_up_ms", "measured_ms", "operations",
                            "operations_per_second", "errors", "errors_by_kind", "writes", "reads"})
    EXPECT_TRUE(json.contains(field)) << field;
  EXPECT_EQ(json["target"], "diskeyval");
  EXPECT_EQ(json["read_policy"], "read_index");
  EXPECT_EQ(json["measured_ms"], 2'000);
  EXPECT_EQ(json["operations"], 100);
  EXPECT_EQ(json["operations_per_second"], 50.0);
  EXPECT_EQ(json["errors"], 3);
  EXPECT_EQ(json["errors_by_kind"]["503 overloaded"], 2);
  EXPECT_EQ(json["writes"]["operations"], 100);
  EXPECT_EQ(json["writes"]["errors"], 0);
  EXPECT_EQ(json["writes"]["latency_us"]["min"], 1'000.0);
  EXPECT_EQ(json["writes"]["latency_us"]["mean"], 50'500.0);
  EXPECT_NEAR(json["writes"]["latency_us"]["p50"].get<double>(), 50'000, 400);
  EXPECT_EQ(json["writes"]["latency_us"]["max"], 100'000.0);
  for (const char* field : {"p90", "p99", "p99_9"})
    EXPECT_TRUE(json["writes"]["latency_us"].contains(field)) << field;
  EXPECT_TRUE(json["reads"]["latency_us"].is_null());
  EXPECT_EQ(json["reads"]["errors"], 3);
}

TEST(BenchResult, AsTextFitsOnATerminalAndNamesEveryKindOfError) {
  BenchOptions options;
  options.reads_percent = 10;
  options.clients = bench_clients_max;
  options.keys = bench_keys_max;
  options.key_size = 4'096;
  options.value_size = 1'000'000;
  options.spread = BenchSpread::all;
  options.tls.emplace();
  BenchResult result = measured();
  result.measured = seconds(86'400);
  for (int i = 0; i < 3; ++i) result.reads.latencies.add(seconds(3'600));
  const std::string text = bench_text(options, result);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
  EXPECT_NE(text.find("2 503 overloaded\n"), std::string::npos) << text;
  EXPECT_NE(text.find("1 timed out\n"), std::string::npos) << text;
}

TEST(BenchResult, IsAFailureWhenNothingSucceeded) {
  EXPECT_FALSE(objection_to(measured()));
  BenchResult nothing;
  nothing.writes.errors = 7;
  const auto failed = objection_to(nothing);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->code, ExitCode::unavailable);
  EXPECT_NE(failed->message.find("7 errors"), std::string::npos);
}

}  // namespace
}  // namespace raftlab::diskeyval
