#include "net/trace_recorder.hpp"

#include "net/host.hpp"
#include "net/test_network.hpp"
#include "net/test_pki.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <set>

namespace raftlab::net {
namespace {

namespace fs = std::filesystem;
namespace trace = raft::trace;

class TraceRecorderTest : public testing::Test {
 protected:
  HostOptions options() {
    HostOptions options;
    options.id = raft::NodeId(1);
    options.cluster = 77;
    options.tick = std::chrono::milliseconds(5);
    options.first_members = {raft::Member{raft::NodeId(1), "n1", ""}};
    options.data = scratch / "data";
    options.trace = scratch / "traces";
    return options;
  }

  struct Life {
    explicit Life(TraceRecorderTest& test, const HostOptions& options, HostEvents events = {})
        : wire(test.network, options.id), host(test.loop, options, wire, std::move(events)) {
      wire.start(host.handlers());
      host.start();
    }
    ~Life() {
      wire.stop();
      host.stop();
    }
    test::Network::Wire wire;
    Host host;
  };

  /// True when the write was answered.
  bool put(Life& life, const std::string& value) {
    Wish wish;
    wish.what = kv::Change{kv::Put{"key", value}};
    std::optional<kv::Answer> answer;
    life.host.request(wish, [&](const kv::Answer& given) { answer = given; });
    return test::run_until(loop, [&] { return answer.has_value(); }) && answer->status == kv::Status::ok;
  }

  [[nodiscard]] std::set<fs::path> files() const {
    std::set<fs::path> found;
    for (const auto& entry : fs::directory_iterator(scratch / "traces")) found.insert(entry.path());
    return found;
  }
  static std::vector<std::byte> content(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
  }

  test::TestDirectory directory;
  fs::path scratch = directory.path();
  boost::asio::io_context loop{1};
  test::Network network{loop};
};

/// How many steps the core of a file takes again, each from the same state as when it was written down.
std::uint64_t executed_again(const std::vector<std::byte>& file, trace::StartRecord& start) {
  trace::RecordReader reader(file);
  auto started = reader.start();
  if (!std::holds_alternative<trace::StartRecord>(started)) return 0;
  start = std::get<trace::StartRecord>(std::move(started));
  auto core = std::get<raft::Core>(raft::Core::recover(start.options, start.recovered));
  raft::Output out;
  std::uint64_t steps = 0;
  for (trace::StepRecord step; std::holds_alternative<std::monostate>(reader.next(step)); ++steps) {
    EXPECT_EQ(core.fingerprint(), step.fingerprint) << "before step " << steps;
    core.step(step.inputs, out);
  }
  return steps;
}

TEST_F(TraceRecorderTest, WhatItWritesDownCanBeExecutedAgain) {
  {
    Life life(*this, options());
    ASSERT_TRUE(put(life, "a"));
    ASSERT_TRUE(put(life, "b"));
  }
  const std::set<fs::path> first = files();
  ASSERT_EQ(first.size(), 1U);
  trace::StartRecord start;
  EXPECT_GT(executed_again(content(*first.begin()), start), 5U);
  EXPECT_EQ(start.cluster, 77U);
  EXPECT_EQ(start.previous, 0U);
  EXPECT_EQ(start.options.id, raft::NodeId(1));
  struct stat status {};
  ASSERT_EQ(::stat(first.begin()->c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);

  // The next life has a file of its own, and names the one before.
  const std::uint64_t incarnation = start.options.incarnation;
  {
    Life life(*this, options());
    ASSERT_TRUE(put(life, "c"));
  }
  std::set<fs::path> second = files();
  second.erase(*first.begin());
  ASSERT_EQ(second.size(), 1U);
  EXPECT_GT(executed_again(content(*second.begin()), start), 3U);
  EXPECT_EQ(start.previous, incarnation);
  EXPECT_NE(start.options.incarnation, incarnation);
  EXPECT_FALSE(start.recovered.entries.empty());
}

TEST_F(TraceRecorderTest, WithoutADirectoryNothingIsWrittenDown) {
  HostOptions without = options();
  without.trace.reset();
  Life life(*this, without);
  ASSERT_TRUE(put(life, "a"));
  EXPECT_FALSE(fs::exists(scratch / "traces"));
}

TEST_F(TraceRecorderTest, ADirectoryThatCannotBeMadeIsToldOnceAndTheNodeGoesOn) {
  HostOptions wrong = options();
  std::ofstream(scratch / "file") << "in the way";
  wrong.trace = scratch / "file" / "traces";
  std::vector<std::string> told;
  HostEvents events;
  events.trace_failed = [&](const std::string& why) { told.push_back(why); };
  Life life(*this, wrong, events);
  ASSERT_TRUE(put(life, "a"));
  ASSERT_TRUE(put(life, "b"));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_NE(told.front().find("cannot be made"), std::string::npos) << told.front();
}

TEST_F(TraceRecorderTest, AFullDiskEndsTheRecordingAndNotTheNode) {
  HostOptions in_memory = options();
  in_memory.data.reset();
  std::vector<std::string> told;
  HostEvents events;
  events.trace_failed = [&](const std::string& why) { told.push_back(why); };
  Life life(*this, in_memory, events);
  ASSERT_TRUE(put(life, "a"));
  ASSERT_TRUE(told.empty());

  // Files may grow no more: the next record is written in part, or not at all.
  std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit none = before;
  none.rlim_cur = fs::file_size(*files().begin()) + 10;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  const bool went_on = put(life, "b") && put(life, "c");
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_TRUE(went_on);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_NE(told.front().find("cannot be written"), std::string::npos) << told.front();
  trace::StartRecord start;
  EXPECT_GT(executed_again(content(*files().begin()), start), 2U);
}

}  // namespace
}  // namespace raftlab::net
