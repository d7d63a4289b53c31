#include "net/target.hpp"
#include "tools/diskeyval/bench_command.hpp"
#include "tools/diskeyval/process_cluster.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <sstream>
#include <string>

/// The load generator against nodes that are processes, over mutual TLS.
namespace raftlab::diskeyval {
namespace {

using namespace test;
using std::chrono::milliseconds;
using std::chrono::seconds;

BenchOptions options_for(const ProcessCluster& cluster, std::uint32_t nodes) {
  BenchOptions options;
  for (std::uint32_t id = 1; id <= nodes; ++id) options.endpoints.push_back(cluster.endpoint(id));
  net::TlsFiles files;
  files.certificate = cluster.directory() / "admin-test.crt";
  files.key = cluster.directory() / "admin-test.key";
  files.authorities = cluster.directory() / "ca.crt";
  options.tls = files;
  options.timeout = seconds(20);
  options.clients = 4;
  options.duration = milliseconds(1'000);
  options.warm_up = milliseconds(100);
  options.keys = 20;
  return options;
}

nlohmann::ordered_json measured(const BenchOptions& options) {
  std::ostringstream out;
  const auto failed = bench(options, true, out);
  EXPECT_FALSE(failed) << failed->message;
  return nlohmann::ordered_json::parse(out.str(), nullptr, false);
}

void expect_consistent(const nlohmann::ordered_json& side) {
  EXPECT_GT(side["operations"], 0);
  double before = 0;
  for (const char* field : {"min", "p50", "p90", "p99", "p99_9", "max"}) {
    const double here = side["latency_us"][field];
    EXPECT_GE(here, before) << field;
    before = here;
  }
  EXPECT_GT(side["latency_us"]["min"], 0);
  EXPECT_GE(side["latency_us"]["mean"], side["latency_us"]["min"]);
  EXPECT_LE(side["latency_us"]["mean"], side["latency_us"]["max"]);
}

TEST(Bench, CountsWhatTheClusterHasDone) {
  const ProcessCluster cluster(3);
  BenchOptions options = options_for(cluster, 3);
  options.warm_up = milliseconds(0);
  const auto json = measured(options);
  ASSERT_TRUE(json.is_object());
  expect_consistent(json["writes"]);
  EXPECT_EQ(json["reads"]["operations"], 0);
  EXPECT_EQ(json["operations"], json["writes"]["operations"]);
  EXPECT_EQ(json["errors"], 0) << json.dump();

  // Every write is an entry of the log, and every key was drawn.
  const auto client = cluster.client();
  EXPECT_GE(client->ask("GET", "/status").body["applied"], json["writes"]["operations"]);
  for (std::uint64_t number = 0; number < options.keys; ++number) {
    const Reply reply = client->ask("GET", "/kv/" + net::escape_segment(bench_key(options, number)));
    ASSERT_EQ(reply.status, 200U) << number;
    EXPECT_EQ(reply.body["value"].get<std::string>().size(), options.value_size);
  }
}

TEST(Bench, ReadsAndWritesAtAllNodesAndTellsThemApart) {
  const ProcessCluster cluster(3);
  BenchOptions options = options_for(cluster, 3);
  options.reads_percent = 50;
  options.read = kv::ReadPolicy::read_index;
  options.spread = BenchSpread::all;
  options.keys = 300;  // more than one request that writes them first
  // With a leader from the beginning: the bench does not look for one here.
  BenchOptions first = options;
  first.spread = BenchSpread::leader;
  first.duration = milliseconds(50);
  static_cast<void>(measured(first));
  const auto json = measured(options);
  ASSERT_TRUE(json.is_object());
  expect_consistent(json["writes"]);
  expect_consistent(json["reads"]);
  EXPECT_EQ(json["operations"].get<std::uint64_t>(), json["writes"]["operations"].get<std::uint64_t>() +
                                                         json["reads"]["operations"].get<std::uint64_t>());
  EXPECT_EQ(json["errors"], 0) << json.dump();
}

TEST(Bench, AnOperationThatNobodyAnswersIsAnErrorAndNotAFastOne) {
  ProcessCluster cluster(3);
  BenchOptions options = options_for(cluster, 3);
  options.duration = milliseconds(50);
  static_cast<void>(measured(options));  // they run
  options.spread = BenchSpread::all;
  options.timeout = milliseconds(200);
  options.duration = milliseconds(600);
  for (std::uint32_t id = 1; id <= 3; ++id) cluster.signal(id, SIGSTOP);
  std::ostringstream out;
  const auto failed = bench(options, true, out);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->code, ExitCode::unavailable);
  const auto json = nlohmann::ordered_json::parse(out.str(), nullptr, false);
  ASSERT_TRUE(json.is_object()) << out.str();
  EXPECT_EQ(json["operations"], 0);
  EXPECT_GT(json["errors_by_kind"].value("timed out", 0), 0) << json.dump();
  EXPECT_GT(json["errors"], 0);
}

}  // namespace
}  // namespace raftlab::diskeyval
