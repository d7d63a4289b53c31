#include "kv/command.hpp"
#include "raft/core.hpp"
#include "raft/hash.hpp"
#include "raft/trace/record.hpp"
#include "tools/raftlab/cli_fixture.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>

namespace raftlab::tool {
namespace {

namespace trace = raft::trace;
using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

/// The only node of a cluster, whose disk is at once, and what it writes down: a file for each life.
class LoneNode {
 public:
  raft::HardState hard{raft::Term(1), raft::NodeId()};
  std::vector<raft::Slice> entries = raft::bootstrap(raft::voters_up_to(1)).entries;

  void begin() {
    trace::StartRecord start;
    start.cluster = 3;
    start.time_ns = ++time_ns_;
    start.previous = incarnation_;
    start.options.id = raft::NodeId(1);
    start.options.incarnation = ++incarnation_;
    start.recovered.hard = hard;
    start.recovered.entries = entries;
    core_ = std::get<raft::Core>(raft::Core::recover(start.options, start.recovered));
    writer_ = trace::RecordWriter();
    bytes_.clear();
    writer_.start(start, bytes_);
    applied_ = digest_ = 0;
    step(raft::Written{raft::WriteSeq(1)});
  }
  void lead() {
    step(raft::Campaign{});
    settle();
    settle();
  }
  void propose(const kv::Command& command) {
    std::vector<std::byte> payload;
    kv::encode(command, payload);
    step(raft::Propose{1, std::move(payload)});
    settle();
  }
  void save(const std::string& directory) const {
    std::filesystem::create_directories(directory);
    std::ofstream out(directory + "/node-1-" + std::to_string(incarnation_) + ".rlnode", std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes_.data()), static_cast<std::streamsize>(bytes_.size()));
  }
  std::uint64_t wrong_fingerprint = 0;

 private:
  void settle() {
    while (core_->view().state.written < core_->view().state.issued)
      step(raft::Written{core_->view().state.issued});
    step(raft::Applied{raft::Index(applied_)});
  }
  void step(raft::Input input) {
    std::vector<raft::Input> inputs;
    inputs.push_back(std::move(input));
    writer_.step(
        trace::StepHead{++time_ns_, core_->fingerprint() ^ wrong_fingerprint, raft::Index(applied_), digest_},
        inputs, bytes_);
    core_->step(inputs, out_);
    if (out_.write.hard) hard = *out_.write.hard;
    for (const raft::Slice& slice : out_.write.entries) entries.push_back(slice);
    for (const raft::Slice& slice : out_.apply) {
      applied_ = slice.last_index().value();
      digest_ = raft::combine(digest_, applied_);
    }
  }

  std::optional<raft::Core> core_;
  trace::RecordWriter writer_;
  std::vector<std::byte> bytes_;
  raft::Output out_;
  std::int64_t time_ns_ = 0;
  std::uint64_t incarnation_ = 0;
  std::uint64_t applied_ = 0;
  std::uint64_t digest_ = 0;
};

kv::Command put(std::uint64_t client, std::uint64_t sequence, std::string value) {
  return kv::Command{kv::ClientId(client), kv::Sequence(sequence), kv::Put{"k", std::move(value)}};
}

class AuditCommand : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    node.begin();
    node.lead();
    node.propose(kv::Command{kv::ClientId(), kv::Sequence(), kv::OpenSession{}});  // index 3
    node.propose(put(3, 1, "a"));
    node.propose(put(3, 2, "b"));
    node.save("traces");
  }
  LoneNode node;
};

constexpr const char* history =
    R"({"client":3,"sequence":1,"op":"put","key":"k","value":"a","fate":"ok","invoked_ns":1,"returned_ns":2,"index":4}
{"client":3,"sequence":2,"op":"put","key":"k","value":"b","fate":"ok","invoked_ns":3,"returned_ns":4,"index":5}
{"client":9,"sequence":1,"op":"get","key":"k","fate":"ok","invoked_ns":5,"returned_ns":6,"read":"b","index":5}
)";

TEST_F(AuditCommand, WhatHoldsEndsWith0AndListsEveryRung) {
  const Ran ran = run({"audit", "traces"});
  EXPECT_EQ(ran.code, 0) << ran.out;
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(ran.out, StartsWith("holds   1 node, 1 life, "));
  EXPECT_THAT(lines(ran.out).at(0), HasSubstr("5 entries committed"));
  for (const invariants::RungInfo& rung : invariants::rungs()) EXPECT_THAT(ran.out, HasSubstr(rung.id));
  EXPECT_THAT(ran.out, HasSubstr("E6 E7 E8: needs the clients' history"));
  EXPECT_EQ(run({"audit", "traces/node-1-1.rlnode"}).code, 0);
}

TEST_F(AuditCommand, PrintsJson) {
  write("history", history);
  const Ran ran = run({"audit", "traces", "--history", "history", "--json"});
  EXPECT_EQ(ran.code, 0) << ran.out;
  const json report = json::parse(ran.out);
  EXPECT_EQ(report["verdict"], "holds");
  EXPECT_EQ(report["committed"], 5);
  EXPECT_EQ(report["lives"].size(), 1U);
  EXPECT_EQ(report["clients"]["operations"], 3);
  EXPECT_EQ(report["evaluations"].size() + report["not_checked"].size(), invariants::rung_count);
  EXPECT_GT(report["evaluations"]["E8"], 0);
  EXPECT_TRUE(report["not_checked"].contains("E9"));
}

TEST_F(AuditCommand, AHistoryThatTheLogDoesNotHoldIsViolated) {
  write("history", history);
  EXPECT_EQ(run({"audit", "traces", "--history", "history"}).code, 0);
  std::string other = history;
  other.replace(other.find("\"read\":\"b\""), 10, "\"read\":\"a\"");
  write("history", other);
  const Ran stale = run({"audit", "traces", "--history", "history"});
  EXPECT_EQ(stale.code, 1);
  EXPECT_THAT(stale.out, StartsWith("violated "));
  EXPECT_THAT(stale.out, HasSubstr("E8 linearizable"));
  write(
      "history",
      R"({"client":3,"sequence":7,"op":"put","key":"j","value":"a","fate":"ok","invoked_ns":1,"returned_ns":2})");
  const Ran lost = run({"audit", "traces", "--history", "history"});
  EXPECT_EQ(lost.code, 1);
  EXPECT_THAT(lost.out, HasSubstr("E6 "));
}

TEST_F(AuditCommand, ANodeThatForgotItsLogIsViolated) {
  node.entries.resize(2);
  node.begin();
  node.save("traces");
  const Ran ran = run({"audit", "traces"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(lines(ran.out).at(1), HasSubstr("R1 recovered-prefix: n1 recovered"));
}

TEST_F(AuditCommand, OtherCodeEndsWith3) {
  node.wrong_fingerprint = 1;
  node.begin();
  node.save("traces");
  const Ran ran = run({"audit", "traces"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.out, StartsWith("differs "));
}

TEST_F(AuditCommand, ALifeWithoutATraceEndsWith2) {
  node.begin();
  node.begin();
  node.save("traces");
  const Ran ran = run({"audit", "traces"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.out, HasSubstr("of which there is no trace"));
}

TEST_F(AuditCommand, NamesWhatIsWrongWithItsInput) {
  std::filesystem::create_directories("nothing");
  expect_refused(64, "path", {"audit"});
  expect_refused(74, "missing: cannot be read", {"audit", "missing"});
  expect_refused(65, "nothing: there is no trace of a node", {"audit", "nothing"});
  expect_refused(74, "missing: cannot be read", {"audit", "traces", "--history", "missing"});
  write("bad", std::string(history) + "{\n");
  expect_refused(65, "bad:4: ", {"audit", "traces", "--history", "bad"});
  write("nothing/x.rlnode", "something else");
  expect_refused(65, "nothing/x.rlnode: damaged at byte 0: this is no trace of a node", {"audit", "nothing"});
  std::string content = read("traces/node-1-1.rlnode");
  content[content.size() - 3] ^= 1;
  write("traces/node-1-1.rlnode", content);
  expect_refused(65, "traces/node-1-1.rlnode: damaged at byte ", {"audit", "traces"});
}

TEST_F(AuditCommand, AFileThatWasCutOffIsToldAsSuch) {
  std::string content = read("traces/node-1-1.rlnode");
  write("traces/node-1-1.rlnode", content.substr(0, content.size() - 3));
  write("traces/node-1-2.rlnode", std::string_view());
  const Ran ran = run({"audit", "traces"});
  EXPECT_EQ(ran.code, 0) << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("node-1-1.rlnode (cut off within a record)"));
}

}  // namespace
}  // namespace raftlab::tool
