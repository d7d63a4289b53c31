#include "simulator/trace.hpp"

#include <gtest/gtest.h>

namespace raftlab::simulator {
namespace {

using raft::Envelope;
using raft::Index;
using raft::LogId;
using raft::NodeId;
using raft::Term;
using raft::WriteSeq;

LogId id(std::uint64_t term, std::uint64_t index) { return LogId{Term(term), Index(index)}; }

raft::Slice entries(std::uint64_t first, std::uint64_t count) {
  raft::Slice slice = raft::Slice::make(Index(first), 8, 64);
  for (std::uint64_t i = 0; i < count; ++i) EXPECT_TRUE(slice.append(Term(3), raft::EntryKind::noop, {}));
  return slice;
}

Envelope envelope(std::uint32_t from, std::uint32_t to, raft::Message message) {
  return Envelope{NodeId(from), NodeId(to), Term(7), std::move(message)};
}

std::string text_of(std::vector<raft::Input> inputs, const raft::Output& output) {
  return describe(raft::trace::Step{NodeId(2), inputs, output, raft::View{}});
}

TEST(TraceText, NamesTheInputTheAnswerAndTheWrite) {
  raft::Output output;
  output.write.seq = WriteSeq(212);
  output.write.entries = {entries(18, 2)};
  output.messages = {envelope(2, 1, raft::AppendReply{Index(19), {}})};
  EXPECT_EQ(
      text_of({raft::Receive{envelope(1, 2, raft::AppendEntries{id(3, 17), Index(16), {}, entries(18, 2)})}},
              output),
      "<- n1 AppendEntries (3,17)+2 C16  write 212: entries 18..19  -> n1 AppendReply 19");
}

TEST(TraceText, NamesTheTermOfAVote) {
  raft::Output output;
  output.write.seq = WriteSeq(3);
  output.write.hard = raft::HardState{Term(7), NodeId(1)};
  output.role = raft::RoleChange{raft::Role::follower, Term(7), {}};
  EXPECT_EQ(text_of({raft::Receive{envelope(1, 2, raft::RequestVote{id(6, 40)})}}, output),
            "<- n1 RequestVote T7 (6,40)  follower of T7  write 3: T7 V=n1");
}

TEST(TraceText, PutsEqualThingsTogether) {
  raft::Output output;
  output.messages = {envelope(2, 1, raft::Heartbeat{Index(5), {}}),
                     envelope(2, 3, raft::Heartbeat{Index(4), {}}),
                     envelope(2, 4, raft::Heartbeat{Index(5), {}})};
  EXPECT_EQ(text_of({raft::Tick{}, raft::Tick{}, raft::Written{WriteSeq(9)}}, output),
            "tick x2  written 9  -> n1 n4 Heartbeat C5  -> n3 Heartbeat C4");
}

TEST(TraceText, AStepThatDidNothingIsItsInput) { EXPECT_EQ(text_of({raft::Tick{}}, raft::Output{}), "tick"); }

TEST(TraceText, NamesAFault) {
  raft::Output output;
  output.fault = raft::Fault::write_failed;
  EXPECT_EQ(text_of({raft::WriteFailed{WriteSeq(4)}}, output),
            "write 4 failed  fault: a write failed, frozen");
}

}  // namespace
}  // namespace raftlab::simulator
