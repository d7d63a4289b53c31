#include "raft/wal/crc32c.hpp"
#include "simulator/trace.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace raftlab::simulator {
namespace {

using raft::Index;
using raft::NodeId;
using raft::Role;
using raft::Term;
using Bytes = std::vector<std::byte>;

constexpr std::size_t preamble_bytes = 12;
constexpr std::size_t seed_offset = preamble_bytes + 9;

TraceStep step_of(std::uint64_t number, std::uint32_t node) {
  TraceStep step;
  step.number = number;
  step.time = static_cast<Time>(number) * 3 * millisecond;
  step.node = NodeId(node);
  step.digest = 0x9e37'79b9'7f4a'7c15ULL * number;
  step.role = node == 1 ? Role::leader : Role::follower;
  step.term = Term(7);
  step.vote = NodeId(1);
  step.commit = Index(number);
  step.applied = Index(number / 2);
  step.durable = Index(number + 1);
  step.last = Index(number + 2);
  step.what = "tick  -> n2 Heartbeat C" + std::to_string(number);
  return step;
}

Incident incident_of(std::uint64_t after_step, std::uint32_t node, IncidentKind kind, std::string what) {
  return Incident{after_step, static_cast<Time>(after_step) * 3 * millisecond + 1, NodeId(node), kind,
                  std::move(what)};
}

Trace small_trace() {
  Trace trace;
  trace.header.seed = 8123;
  trace.header.version = "0.1.0";
  trace.header.commit = "3f1c2ab";
  trace.header.compiler = "GNU 12.2.0";
  trace.header.build_type = "Release";
  trace.header.profile.nodes = 3;
  trace.header.profile.rate(Fault::power_loss) = 17;
  trace.decisions = {{1, 1}, {0xffff'ffff'ffff'ffffULL, 0xffff'ffff'ffff'ffffULL}, {1, 300}};
  trace.steps = {step_of(1, 1), step_of(2, 2), step_of(3, 1), step_of(9, 3)};
  trace.steps[3].commit = Index(0);
  trace.steps[3].term = Term(~std::uint64_t{0});
  trace.incidents = {incident_of(0, 1, IncidentKind::start, "life 1"),
                     incident_of(2, 3, IncidentKind::crash, "power loss"),
                     incident_of(2, 0, IncidentKind::partition, "halves, n1 | n2 n3"),
                     incident_of(9, 64, IncidentKind::healing, "")};
  trace.verdict = Verdict::violated;
  trace.reason = "";
  trace.findings = {
      {invariants::Rung::E2, 3, 9'000'000, NodeId(2), "n2 voted n1 in term 7, then n3 in term 7"},
      {invariants::Rung::N18, 2, 6'000'000, NodeId(2), "n2 granted its vote of term 7 too early"}};
  trace.digest = 0x1234'5678'9abc'def0ULL;
  return trace;
}

bool same(const invariants::Finding& a, const invariants::Finding& b) {
  return a.rung == b.rung && a.step == b.step && a.time_ns == b.time_ns && a.node == b.node &&
         a.text == b.text;
}

void expect_same(const Trace& found, const Trace& expected) {
  EXPECT_EQ(found.header.seed, expected.header.seed);
  EXPECT_EQ(found.header.version, expected.header.version);
  EXPECT_EQ(found.header.commit, expected.header.commit);
  EXPECT_EQ(found.header.compiler, expected.header.compiler);
  EXPECT_EQ(found.header.build_type, expected.header.build_type);
  EXPECT_EQ(found.header.checks, expected.header.checks);
  EXPECT_EQ(found.header.profile, expected.header.profile);
  ASSERT_EQ(found.decisions.size(), expected.decisions.size());
  for (std::size_t i = 0; i < found.decisions.size(); ++i) {
    EXPECT_EQ(found.decisions[i].key, expected.decisions[i].key);
    EXPECT_EQ(found.decisions[i].value, expected.decisions[i].value);
  }
  EXPECT_EQ(found.steps, expected.steps);
  EXPECT_EQ(found.incidents, expected.incidents);
  EXPECT_EQ(found.verdict, expected.verdict);
  EXPECT_EQ(found.reason, expected.reason);
  EXPECT_EQ(found.digest, expected.digest);
  ASSERT_EQ(found.findings.size(), expected.findings.size());
  for (std::size_t i = 0; i < found.findings.size(); ++i)
    EXPECT_TRUE(same(found.findings[i], expected.findings[i])) << i;
}

Trace decoded(const Bytes& bytes) {
  auto result = decode_trace(bytes);
  if (const auto* error = std::get_if<TraceError>(&result)) {
    ADD_FAILURE() << error->message;
    return Trace{};
  }
  return std::move(std::get<Trace>(result));
}

TraceError refused(const Bytes& bytes) {
  const auto result = decode_trace(bytes);
  if (std::holds_alternative<TraceError>(result)) return std::get<TraceError>(result);
  ADD_FAILURE() << "accepted";
  return TraceError{};
}

std::uint32_t load32(const Bytes& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= std::to_integer<std::uint32_t>(bytes[at + i]) << (8 * i);
  return value;
}

/// Gives the chunk that starts at `at` the checksum that it should have.
void renew_checksum(Bytes& bytes, std::size_t at) {
  const std::uint32_t length = load32(bytes, at + 1);
  const raft::Bytes all(bytes);
  const std::uint32_t sum =
      raft::wal::crc32c(raft::wal::crc32c(0, all.subspan(at, 5)), all.subspan(at + 9, length));
  for (std::size_t i = 0; i < 4; ++i) bytes[at + 5 + i] = static_cast<std::byte>(sum >> (8 * i));
}

TEST(TraceCodec, ReadsBackWhatItWrote) { expect_same(decoded(encode(small_trace())), small_trace()); }

TEST(TraceCodec, ReadsBackMoreThanAChunkOfEverything) {
  Trace trace = small_trace();
  trace.decisions.clear();
  trace.steps.clear();
  trace.incidents.clear();
  for (std::uint64_t i = 1; i <= 10'000; ++i) {
    trace.decisions.push_back(Decision{i * 77, i});
    trace.steps.push_back(step_of(i, static_cast<std::uint32_t>(i % 5 + 1)));
    trace.incidents.push_back(incident_of(i, static_cast<std::uint32_t>(i % 6),
                                          static_cast<IncidentKind>(i % (incident_kind_max + 1)), "what"));
  }
  expect_same(decoded(encode(trace)), trace);
}

TEST(TraceCodec, ReadsBackARunInWhichNothingHappened) { expect_same(decoded(encode(Trace{})), Trace{}); }

TEST(TraceCodec, GoldenPreambleAndHeadOfTheHeader) {
  const Bytes bytes = encode(small_trace());
  const std::string start(reinterpret_cast<const char*>(bytes.data()), 13);
  EXPECT_EQ(start, std::string("RLTRACE\n\x02\0\0\0\x01", 13));
  EXPECT_EQ(load32(bytes, seed_offset), 8123U);
}

TEST(TraceCodec, AnEmptyFileIsEmpty) { EXPECT_EQ(refused({}).code, TraceErrorCode::empty); }

TEST(TraceCodec, AnotherFileIsNoTrace) {
  const std::string text = "seed = 1\nnodes = 3\n";
  const auto bytes = std::as_bytes(std::span(text));
  EXPECT_EQ(refused(Bytes(bytes.begin(), bytes.end())).code, TraceErrorCode::not_a_trace);
}

TEST(TraceCodec, AnotherVersionIsRefusedByNamingBothNumbers) {
  for (const unsigned version : {0U, 1U, 3U}) {
    Bytes bytes = encode(small_trace());
    bytes[8] = static_cast<std::byte>(version);
    const TraceError error = refused(bytes);
    EXPECT_EQ(error.code, TraceErrorCode::other_version);
    EXPECT_EQ(error.message,
              "the trace has format version " + std::to_string(version) + ", this raftlab reads version 2");
  }
}

TEST(TraceCodec, ATraceCutAnywhereIsDamaged) {
  const Bytes whole = encode(small_trace());
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const TraceError error = refused(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    EXPECT_EQ(error.code, TraceErrorCode::damaged) << size;
    EXPECT_LE(error.offset, size);
  }
}

TEST(TraceCodec, ATraceWithAnyBitChangedIsRefused) {
  const Bytes whole = encode(small_trace());
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes changed = whole;
      changed[at] ^= static_cast<std::byte>(1U << bit);
      const TraceErrorCode code = refused(changed).code;
      if (at < 8) {
        EXPECT_EQ(code, TraceErrorCode::not_a_trace) << at;
      } else if (at < preamble_bytes) {
        EXPECT_EQ(code, TraceErrorCode::other_version) << at;
      } else {
        EXPECT_EQ(code, TraceErrorCode::damaged) << at;
      }
    }
  }
}

TEST(TraceCodec, BytesBehindTheEndAreDamage) {
  Bytes bytes = encode(small_trace());
  const std::uint64_t size = bytes.size();
  bytes.push_back(std::byte{0});
  EXPECT_EQ(refused(bytes).code, TraceErrorCode::damaged);
  EXPECT_EQ(refused(bytes).offset, size);
}

TEST(TraceCodec, AChangedPayloadWithARenewedChecksumNeverCrashes) {
  const Bytes whole = encode(small_trace());
  std::size_t accepted = 0;
  std::size_t damaged = 0;
  for (std::size_t chunk = preamble_bytes; chunk < whole.size(); chunk += 9 + load32(whole, chunk + 1)) {
    for (std::size_t at = chunk + 9; at < chunk + 9 + load32(whole, chunk + 1); ++at) {
      for (const unsigned value : {0x00U, 0x7fU, 0x80U, 0xffU}) {
        Bytes changed = whole;
        changed[at] = static_cast<std::byte>(value);
        renew_checksum(changed, chunk);
        ++(std::holds_alternative<Trace>(decode_trace(changed)) ? accepted : damaged);
      }
    }
  }
  EXPECT_GT(accepted, 0U);
  EXPECT_GT(damaged, 0U);
}

TEST(TraceCodec, AChunkThatIsMissingOrDoubledIsDamage) {
  const Bytes whole = encode(small_trace());
  std::size_t chunks = 0;
  for (std::size_t chunk = preamble_bytes; chunk < whole.size(); ++chunks) {
    const std::size_t size = 9 + load32(whole, chunk + 1);
    const auto first = static_cast<std::ptrdiff_t>(chunk);
    const auto last = static_cast<std::ptrdiff_t>(chunk + size);
    Bytes without = whole;
    without.erase(without.begin() + first, without.begin() + last);
    EXPECT_EQ(refused(without).code, TraceErrorCode::damaged);
    Bytes twice = whole;
    twice.insert(twice.begin() + last, whole.begin() + first, whole.begin() + last);
    EXPECT_EQ(refused(twice).code, TraceErrorCode::damaged);
    chunk += size;
  }
  EXPECT_EQ(chunks, 5U);
}

/// Where the chunk of this type starts.
std::size_t chunk_of(const Bytes& bytes, unsigned type) {
  std::size_t chunk = preamble_bytes;
  while (std::to_integer<unsigned>(bytes[chunk]) != type) chunk += 9 + load32(bytes, chunk + 1);
  return chunk;
}

TEST(TraceCodec, AnUnknownKindOfIncidentIsDamageAtItsPlace) {
  Bytes bytes = encode(small_trace());
  const std::size_t chunk = chunk_of(bytes, 4);
  // Position and count; then of the first incident the step, the time and the node, one byte each, and the
  // kind.
  const std::size_t kind = chunk + 9 + 2 + 3;
  ASSERT_EQ(bytes[kind], static_cast<std::byte>(IncidentKind::start));
  bytes[kind] = static_cast<std::byte>(incident_kind_max + 1);
  renew_checksum(bytes, chunk);
  const TraceError error = refused(bytes);
  EXPECT_EQ(error.code, TraceErrorCode::damaged);
  EXPECT_NE(error.message.find("kind of an incident"), std::string::npos) << error.message;
}

TEST(TraceCodec, AnIncidentOfAnImpossibleNodeIsDamage) {
  Bytes bytes = encode(small_trace());
  const std::size_t chunk = chunk_of(bytes, 4);
  bytes[chunk + 9 + 2 + 2] = std::byte{65};
  renew_checksum(bytes, chunk);
  EXPECT_NE(refused(bytes).message.find("node of an incident"), std::string::npos);
}

TEST(TraceCodec, TheSeedMayBeZeroedWhenTheChecksumIsRenewed) {
  Bytes bytes = encode(small_trace());
  std::fill_n(bytes.begin() + seed_offset, 8, std::byte{0});
  EXPECT_EQ(refused(bytes).code, TraceErrorCode::damaged);
  renew_checksum(bytes, preamble_bytes);
  Trace expected = small_trace();
  expected.header.seed = 0;
  expect_same(decoded(bytes), expected);
}

}  // namespace
}  // namespace raftlab::simulator
