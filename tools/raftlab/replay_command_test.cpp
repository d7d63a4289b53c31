#include "tools/raftlab/cli_fixture.hpp"

namespace raftlab::tool {
namespace {

using simulator::Trace;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ReplayCommand : public CliTest {
 protected:
  static Ran replay(const Trace& trace) {
    write("t", encode(trace));
    return run({"replay", "t"});
  }

  static std::string name_of(const invariants::Finding& finding) {
    const invariants::RungInfo& rung = invariants::info(finding.rung);
    return std::string(rung.id) + " " + rung.name;
  }

  /// A trace that is intact and says something else than the run: place, field and both values are told.
  static void expect_differs(const Trace& trace, std::uint64_t step, const std::string& field,
                             const std::string& recorded_text, const std::string& found) {
    SCOPED_TRACE(field);
    const Ran ran = replay(trace);
    EXPECT_EQ(ran.code, 3);
    EXPECT_EQ(ran.err, "");
    EXPECT_THAT(ran.out, StartsWith("differs  seed 7 at step " + std::to_string(step) + ": " + field + "\n"));
    EXPECT_THAT(ran.out, HasSubstr("\n  recorded  " + recorded_text + "\n"));
    EXPECT_THAT(ran.out, HasSubstr("\n  now       " + found));
    EXPECT_THAT(ran.out, HasSubstr("raftlab show t --around " + std::to_string(step) + "\n"));
  }
};

// ---- an intact trace --------------------------------------------------------------------------------------

TEST_F(ReplayCommand, AnIdenticalRunEndsWith0AndTellsTheVerdict) {
  const Trace trace = recorded();
  const Ran ran = replay(trace);
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(ran.out, StartsWith("identical  seed 7, " + std::to_string(trace.steps.size()) + " steps"));
  EXPECT_THAT(ran.out, HasSubstr("\nholds  seed 7, all checks on\n  profile 3 nodes\n"));
}

TEST_F(ReplayCommand, TellsWhoRecordedTheTrace) {
  Trace trace = recorded();
  trace.header.version = "9.8.7";
  trace.header.commit = "cafe";
  trace.header.compiler = "another 1.2";
  trace.header.build_type = "Strange";
  const Ran ran = replay(trace);
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("recorded by raftlab 9.8.7 (commit cafe, another 1.2, Strange)\n"));
}

TEST_F(ReplayCommand, AnInconclusiveRunIsRepeatedWithItsReason) {
  simulator::Profile profile = small_profile();
  profile.steps_max = 5;
  const Trace trace = recorded(profile);
  const Ran ran = replay(trace);
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("\ninconclusive  seed 7, all checks on\n  " + trace.reason + "\n"));
}

TEST_F(ReplayCommand, AViolatedRunIsRepeatedWithItsRootAndHowToLookAtIt) {
  simulator::Profile profile = small_profile();
  profile.healing_ns_max = 0;
  const Trace trace = recorded(profile);
  const Ran ran = replay(trace);
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("\nviolated  seed 7 at step "));
  EXPECT_THAT(ran.out, HasSubstr("\n  root    " + name_of(trace.findings.front()) + " "));
  EXPECT_THAT(ran.out, HasSubstr("\n  show    raftlab show t --around " +
                                 std::to_string(trace.findings.front().step) + "\n"));
}

TEST_F(ReplayCommand, ATraceRecordedWithoutChecksIsReplayedWithoutThem) {
  simulator::Profile profile = small_profile();
  profile.healing_ns_max = 0;
  simulator::RandomChooser chooser{simulator::Seed(7)};
  const Ran ran = replay(simulator::record(trace_header(7, profile, false), chooser));
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("\nholds  seed 7, checks off\n"));
}

TEST_F(ReplayCommand, AnotherSeedInTheHeaderChangesNothing) {
  Trace trace = recorded();
  trace.header.seed = 99;
  const Ran ran = replay(trace);
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, StartsWith("identical  seed 99, "));
}

TEST_F(ReplayCommand, WhatATraceSaysCannotSteerTheTerminal) {
  Trace trace = recorded();
  trace.header.version = trace.header.commit = trace.header.compiler = "\x1b[2J\xc2\x9b\x07";
  const Ran ran = replay(trace);
  EXPECT_EQ(ran.code, 0);
  for (const char* control : {"\x1b", "\xc2\x9b", "\x07"}) EXPECT_THAT(ran.out, Not(HasSubstr(control)));
}

// ---- a run that differs -----------------------------------------------------------------------------------

TEST_F(ReplayCommand, TheFirstStepThatDiffersIsNamedWithItsField) {
  const Trace original = recorded();
  const std::size_t middle = original.steps.size() / 2;
  const simulator::TraceStep& step = original.steps[middle];
  const auto number = [](auto value) { return std::to_string(value.value()); };

  Trace trace = original;
  trace.steps[middle].term = raft::Term(99);
  trace.steps[middle + 1].node = raft::NodeId(9);  // comes later
  expect_differs(trace, step.number, "term", "99", number(step.term));
  trace = original;
  trace.steps[middle].commit = raft::Index(9999);
  expect_differs(trace, step.number, "commit", "9999", number(step.commit));
  trace = original;
  trace.steps[middle].time = 5;
  expect_differs(trace, step.number, "time", "5", std::to_string(step.time));
  trace = original;
  trace.steps[middle].digest = 0xabc;
  expect_differs(trace, step.number, "digest", "abc", "");
}

TEST_F(ReplayCommand, ARunThatGoesOnBehindTheRecordingDiffers) {
  Trace trace = recorded();
  const std::uint64_t step = trace.steps.back().number;
  trace.steps.pop_back();
  const std::string count = std::to_string(trace.steps.size());
  expect_differs(trace, step, "end", "the end after " + count + " steps", "step " + std::to_string(step));
}

TEST_F(ReplayCommand, ARunThatEndsBeforeTheRecordingDiffers) {
  Trace trace = recorded();
  const std::string count = std::to_string(trace.steps.size());
  trace.steps.push_back(trace.steps.back());
  ++trace.steps.back().number;
  const std::uint64_t step = trace.steps.back().number;
  expect_differs(trace, step, "end",
                 "step " + std::to_string(step) + " of n" + std::to_string(trace.steps.back().node.value()),
                 "the end after " + count + " steps");
}

TEST_F(ReplayCommand, AnotherVerdictDiffers) {
  Trace trace = recorded();
  trace.verdict = simulator::Verdict::inconclusive;
  trace.reason = "somebody said so";
  expect_differs(trace, trace.steps.back().number, "verdict", "inconclusive", "holds");
}

TEST_F(ReplayCommand, AFindingThatIsNotFoundAgainDiffers) {
  simulator::Profile profile = small_profile();
  profile.healing_ns_max = 0;
  Trace trace = recorded(profile);
  trace.findings.push_back(trace.findings.front());
  expect_differs(trace, trace.steps.back().number, "findings", std::to_string(trace.findings.size()),
                 std::to_string(trace.findings.size() - 1));
}

TEST_F(ReplayCommand, AnotherProfileDiffers) {
  Trace trace = recorded();
  trace.header.profile.heartbeat_ticks = 3;
  EXPECT_EQ(replay(trace).code, 3);
}

// ---- a file that is no trace ------------------------------------------------------------------------------

class DamagedTrace : public ReplayCommand {
 protected:
  void SetUp() override {
    ReplayCommand::SetUp();
    simulator::Profile profile = small_profile();
    profile.steps_max = 30;
    for (const std::byte byte : encode(recorded(profile))) content_ += static_cast<char>(byte);
  }

  /// The places that are tried: all of the header and the end, some of what lies between.
  [[nodiscard]] std::vector<std::size_t> places() const {
    std::vector<std::size_t> result;
    constexpr std::size_t edge = 64;
    for (std::size_t at = 0; at < content_.size(); at += at < edge || at + edge > content_.size() ? 1 : 13)
      result.push_back(at);
    return result;
  }

  static void expect_damaged(const std::string& content, const std::string& text) {
    write("changed", content);
    for (const char* command : {"replay", "show"})
      expect_refused(65, "changed: " + text, {command, "changed"});
  }

  std::string content_;
};

TEST_F(DamagedTrace, CutAnywhereItIsRefusedWithThePlace) {
  for (const std::size_t size : places()) {
    if (size == 0) continue;
    SCOPED_TRACE(size);
    expect_damaged(content_.substr(0, size), "the trace is damaged at byte ");
  }
}

TEST_F(DamagedTrace, WithOneByteChangedItIsRefusedWithThePlace) {
  constexpr std::size_t version_at = 8;
  constexpr std::size_t chunks_at = 12;
  for (const std::size_t at : places()) {
    SCOPED_TRACE(at);
    std::string changed = content_;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    expect_damaged(changed, at < version_at  ? "this is no raftlab trace"
                            : at < chunks_at ? "the trace has format version "
                                             : "the trace is damaged at byte ");
  }
}

TEST_F(DamagedTrace, OfAnotherVersionBothNumbersAreNamed) {
  content_[8] = 7;
  expect_damaged(content_, "the trace has format version 7, this raftlab reads version 2");
}

TEST_F(DamagedTrace, BytesBehindTheEndAreDamage) {
  expect_damaged(content_ + "x", "the trace is damaged at byte " + std::to_string(content_.size()));
  expect_damaged(content_ + content_, "the trace is damaged at byte " + std::to_string(content_.size()));
}

TEST_F(DamagedTrace, AnotherFileIsNoTrace) {
  expect_damaged(small_toml, "this is no raftlab trace");
  expect_damaged(std::string(1000, '\0'), "this is no raftlab trace");
}

TEST_F(DamagedTrace, AMissingOneIsAnErrorOfInput) {
  for (const char* command : {"replay", "show"}) {
    expect_refused(74, "missing: cannot be read: ", {command, "missing"});
    expect_refused(74, ".: cannot be read: ", {command, "."});
  }
}

TEST_F(DamagedTrace, AnEmptyOneIsToldToBeEmpty) { expect_damaged("", "the file is empty"); }

TEST_F(ReplayCommand, AFullDeviceBehindStdoutEndsWith74) {
  write("t", encode(recorded()));
  EXPECT_EQ(run_on_full_device({"replay", "t"}).code, 74);
  EXPECT_EQ(run_on_full_device({"show", "t"}).code, 74);
  EXPECT_EQ(run_on_full_device({"show", "t", "--json"}).code, 74);
}

}  // namespace
}  // namespace raftlab::tool
