#include "tools/diskeyval/metrics.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

namespace raftlab::diskeyval {
namespace {

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(Metrics, TellWhereANodeStands) {
  Measured measured;
  measured.status.state.hard.term = raft::Term(7);
  measured.status.state.role = raft::Role::leader;
  measured.status.state.leader = raft::NodeId(2);
  measured.status.state.commit = raft::Index(41);
  measured.status.state.last.index = raft::Index(42);
  measured.tally.elections = 3;
  measured.peers.links_out = 2;
  measured.peers.handshake_failures[static_cast<std::size_t>(net::Reason::cluster_mismatch)] = 5;
  measured.clients.answers[2] = 9;
  measured.certificate_expires_s = 1'900'000'000;
  const std::string text = metrics_text(measured);
  for (const char* line :
       {"# TYPE diskeyval_raft_term gauge", "diskeyval_raft_term 7", "diskeyval_raft_is_leader 1",
        "diskeyval_raft_leader 2", "diskeyval_raft_commit_index 41", "diskeyval_raft_last_index 42",
        "# TYPE diskeyval_raft_elections_total counter", "diskeyval_raft_elections_total 3",
        "diskeyval_peer_links{direction=\"out\"} 2",
        "diskeyval_handshake_failures_total{port=\"peers\",reason=\"cluster_mismatch\"} 5",
        "diskeyval_http_answers_total{code=\"2xx\"} 9",
        "diskeyval_tls_certificate_expiry_timestamp_seconds 1900000000"})
    EXPECT_TRUE(has_line(text, line)) << line << " in\n" << text;
  EXPECT_EQ(text.find("revocations"), std::string::npos);
}

TEST(Metrics, TellHowLongThingsTakeAndWhatWaits) {
  using namespace std::chrono_literals;
  Measured measured;
  measured.latencies.reads.note(200us);
  measured.latencies.reads.note(300us);
  measured.latencies.reads.note(20s);
  measured.latencies.writes.note(1ms);
  measured.latencies.log_writes.note(4ms);
  measured.queues = {{raft::NodeId(2), 3, 4096}, {raft::NodeId(3), 0, 0}};
  const std::string text = metrics_text(measured);
  for (const char* line :
       {"# TYPE diskeyval_request_seconds histogram", R"(diskeyval_request_seconds_count{kind="read"} 3)",
        R"(diskeyval_request_seconds_sum{kind="read"} 20.0005)",
        R"(diskeyval_request_seconds_bucket{kind="read",le="0.0001"} 0)",
        R"(diskeyval_request_seconds_bucket{kind="read",le="0.00025"} 1)",
        R"(diskeyval_request_seconds_bucket{kind="read",le="0.0005"} 2)",
        R"(diskeyval_request_seconds_bucket{kind="read",le="10"} 2)",
        R"(diskeyval_request_seconds_bucket{kind="read",le="+Inf"} 3)",
        R"(diskeyval_request_seconds_count{kind="write"} 1)", "# TYPE diskeyval_log_write_seconds histogram",
        R"(diskeyval_log_write_seconds_bucket{le="0.005"} 1)", R"(diskeyval_peer_queue_messages{peer="2"} 3)",
        R"(diskeyval_peer_queue_bytes{peer="2"} 4096)", R"(diskeyval_peer_queue_messages{peer="3"} 0)"})
    EXPECT_TRUE(has_line(text, line)) << line << " in\n" << text;
}

/// Each family once, with its help and its type, and every sample of a form that Prometheus reads.
TEST(Metrics, AreWellFormed) {
  const std::regex sample(R"(diskeyval_[a-z_]+(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? [0-9.e+-]+)");
  std::set<std::string> helps;
  std::set<std::string> types;
  std::istringstream lines(metrics_text(Measured{}));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      EXPECT_TRUE(helps.insert(line.substr(7, line.find(' ', 7) - 7)).second) << line;
    } else if (line.starts_with("# TYPE ")) {
      EXPECT_TRUE(types.insert(line.substr(7, line.find(' ', 7) - 7)).second) << line;
      EXPECT_EQ(line.find("_total ") != std::string::npos, line.ends_with(" counter")) << line;
    } else {
      EXPECT_TRUE(std::regex_match(line, sample)) << line;
    }
  }
  EXPECT_GT(types.size(), 20U);
  EXPECT_EQ(helps, types);
}

}  // namespace
}  // namespace raftlab::diskeyval
