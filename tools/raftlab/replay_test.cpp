#include "raft/wal/crc32c.hpp"
#include "reports/format.hpp"
#include "simulator/trace.hpp"
#include "tools/raftlab/commands.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

/// `raftlab replay` on files as they may be found: whole, edited, damaged, of another version, or of other
/// code.
namespace raftlab::tool {
namespace {

namespace fs = std::filesystem;
using simulator::Trace;
using simulator::TraceStep;
using Bytes = std::vector<std::byte>;

constexpr std::size_t version_offset = 8;
constexpr std::size_t header_chunk = 12;
constexpr std::size_t chunk_head_bytes = 9;
constexpr std::size_t seed_offset = header_chunk + chunk_head_bytes;

/// A short run that comes to rest, with elections and a crash or two.
const Trace& small_trace() {
  static const Trace trace = [] {
    simulator::TraceHeader header;
    header.seed = 77;
    header.version = "0.0.1";
    header.commit = "abc1234";
    header.profile.nodes = 3;
    header.profile.fault_phase_ns = simulator::second;
    header.profile.rate(simulator::Fault::message_loss) = 50'000;
    header.profile.rate(simulator::Fault::power_loss) = 100'000;
    simulator::RandomChooser chooser{raft::Seed(header.seed)};
    return record(header, chooser);
  }();
  return trace;
}

void store32(Bytes& bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::byte>(value >> (8 * i));
}

/// Gives the header chunk the checksum that it should have.
void renew_header_checksum(Bytes& bytes) {
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < 4; ++i)
    length |= std::to_integer<std::uint32_t>(bytes[header_chunk + 1 + i]) << (8 * i);
  const raft::Bytes all(bytes);
  const std::uint32_t head = raft::wal::crc32c(0, all.subspan(header_chunk, 5));
  store32(bytes, header_chunk + 5, raft::wal::crc32c(head, all.subspan(seed_offset, length)));
}

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

class Replay : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = fs::path(::testing::TempDir()) /
            (std::string("raftlab_replay_") + test->name() + "_" + std::to_string(::getpid()));
  }
  void TearDown() override { fs::remove(path_); }

  [[nodiscard]] Outcome replayed(const Bytes& bytes) const {
    std::ofstream file(path_, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    file.close();
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Outcome outcome;
    outcome.code = replay(ReplayOptions{path_.string()});
    outcome.out = ::testing::internal::GetCapturedStdout();
    outcome.err = ::testing::internal::GetCapturedStderr();
    return outcome;
  }
  /// What a damaged file gives: exit code 65, one line that names file and place, and nothing on stdout.
  void expect_refused(const Bytes& bytes, const std::string& message, const std::string& what) const {
    const Outcome outcome = replayed(bytes);
    EXPECT_EQ(outcome.code, 65) << what;
    EXPECT_EQ(outcome.out, "") << what;
    EXPECT_NE(outcome.err.find(path_.string() + ": " + message), std::string::npos)
        << what << ": " << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << what;
  }

  fs::path path_;
};

TEST_F(Replay, AWholeTraceIsIdentical) {
  ASSERT_GT(small_trace().steps.size(), 300U);
  ASSERT_FALSE(small_trace().decisions.empty());
  const Outcome outcome = replayed(encode(small_trace()));
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with("identical  seed 77, ")) << outcome.out;
}

TEST_F(Replay, NothingIsDrawnFromTheSeed) {
  Bytes bytes = encode(small_trace());
  std::fill_n(bytes.begin() + seed_offset, 8, std::byte{0});
  expect_refused(bytes, "the trace is damaged at byte 12", "the checksum is still the old one");
  renew_header_checksum(bytes);
  const Outcome outcome = replayed(bytes);
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with("identical  seed 0, ")) << outcome.out;
}

/// The trace of code that did something else at one step, as far as a trace can tell: one field of the step
/// is another one, and all checksums are right.
TEST_F(Replay, TheStepAndTheFieldOfOtherCodeAreNamed) {
  const std::vector<std::pair<std::string, std::function<void(TraceStep&)>>> fields = {
      {"time", [](TraceStep& step) { ++step.time; }},
      {"node", [](TraceStep& step) { step.node = raft::NodeId(step.node.value() % 3 + 1); }},
      {"role", [](TraceStep& step) { step.role = raft::Role::pre_candidate; }},
      {"term", [](TraceStep& step) { step.term = raft::Term(step.term.value() + 1); }},
      {"vote", [](TraceStep& step) { step.vote = raft::NodeId(step.vote.value() % 3 + 1); }},
      {"commit", [](TraceStep& step) { step.commit = step.commit.next(); }},
      {"applied", [](TraceStep& step) { step.applied = step.applied.next(); }},
      {"durable", [](TraceStep& step) { step.durable = step.durable.next(); }},
      {"last", [](TraceStep& step) { step.last = step.last.next(); }},
      {"digest", [](TraceStep& step) { step.digest ^= 1; }},
  };
  const std::size_t count = small_trace().steps.size();
  for (const auto& [field, change] : fields) {
    for (const std::size_t at : {std::size_t{0}, count / 3, count - 1}) {
      Trace trace = small_trace();
      change(trace.steps[at]);
      const Outcome outcome = replayed(encode(trace));
      EXPECT_EQ(outcome.code, 3) << field;
      const std::string first = "differs  seed 77 at step " + reports::grouped(at + 1) + ": " + field + "\n";
      EXPECT_TRUE(outcome.out.starts_with(first)) << outcome.out;
      EXPECT_NE(outcome.out.find("  recorded  "), std::string::npos) << outcome.out;
      EXPECT_NE(outcome.out.find("recorded by raftlab 0.0.1 (commit abc1234"), std::string::npos);
      EXPECT_EQ(outcome.err, "");
    }
  }
}

/// Of several differences the first one counts: what follows is its consequence.
TEST_F(Replay, TheFirstDifferenceIsNamed) {
  Trace trace = small_trace();
  for (std::size_t i = 100; i < trace.steps.size(); ++i) trace.steps[i].digest ^= i;
  const Outcome outcome = replayed(encode(trace));
  EXPECT_EQ(outcome.code, 3);
  EXPECT_TRUE(outcome.out.starts_with("differs  seed 77 at step 101: digest\n")) << outcome.out;
}

TEST_F(Replay, ATraceThatIsCutAnywhereIsRefused) {
  const Bytes whole = encode(small_trace());
  const std::size_t stride = whole.size() / 60;
  for (std::size_t size = 1; size < whole.size(); size += size < 40 ? 1 : stride) {
    expect_refused(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)),
                   "the trace is damaged at byte ", "cut to " + std::to_string(size));
  }
  expect_refused({}, "the file is empty", "nothing");
}

TEST_F(Replay, ATraceWithAChangedByteIsRefused) {
  const Bytes whole = encode(small_trace());
  const std::size_t stride = whole.size() / 60;
  for (std::size_t at = 0; at < whole.size(); at += at < 40 ? 1 : stride) {
    Bytes changed = whole;
    changed[at] ^= std::byte{0x20};
    std::string message = "the trace is damaged at byte ";
    if (at < version_offset) message = "this is no raftlab trace";
    if (at >= version_offset && at < header_chunk) message = "the trace has format version ";
    expect_refused(changed, message, "changed at " + std::to_string(at));
  }
}

TEST_F(Replay, AnotherVersionIsNamed) {
  Bytes bytes = encode(small_trace());
  store32(bytes, version_offset, 1);
  expect_refused(bytes, "the trace has format version 1, this raftlab reads version 2", "an older one");
}

}  // namespace
}  // namespace raftlab::tool
