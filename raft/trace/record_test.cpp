#include "raft/trace/record.hpp"

#include "raft/core_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace raftlab::raft::trace {
namespace {

using namespace raftlab::raft::testing;
using End = EndOfRecords;

/// One of each kind, and of `Receive` one for each kind of message.
std::vector<Input> every_input() {
  Configuration odd = voters_up_to(3);
  odd.learners = {NodeId(9), NodeId(4)};  // nobody would accept it, but somebody may ask
  odd.members[1].address = "127.0.0.1:80";
  std::vector<Input> inputs = {
      Tick{},
      Propose{7, bytes("x")},
      Propose{1ULL << 63U, {}},
      ProposeConfiguration{8, odd, true},
      Read{9, ReadMode::lease},
      Read{10, ReadMode::read_index},
      Transfer{11, NodeId(2)},
      Campaign{},
      Written{WriteSeq(12)},
      WriteFailed{WriteSeq(13)},
      Fetched{14, entries(5, {2, 2, 3})},
      Fetched{15, Slice()},
      Applied{Index(16)},
      SnapshotTaken{id(2, 17)},
      ChunkStored{NodeId(3), id(2, 18), 19},
      SnapshotStored{id(2, 20), voters_up_to(2)},
      SnapshotRestored{id(2, 21)},
      SnapshotFailed{id(2, 22)},
      Unreachable{NodeId(3)},
  };
  for (const Message& message : std::vector<Message>{
           RequestVote{id(2, 3), true, false}, VoteReply{true, true},
           AppendEntries{id(2, 4), Index(3), ReadSeq(2), entries(5, {2, 3})},
           AppendReply{Index(4), ReadSeq(1)}, AppendReject{Index(4), id(1, 2), ReadSeq(1)},
           Heartbeat{Index(4), ReadSeq(3)}, HeartbeatReply{ReadSeq(3)},
           InstallSnapshot{id(2, 9), 4, 10, 77, bytes("abc")}, SnapshotReply{Index(9), 7, true}, TimeoutNow{},
           ReadIndex{1, 2}, ReadIndexReply{1, 2, Index(3)}}) {
    inputs.emplace_back(Receive{Envelope{NodeId(2), NodeId(1), Term(5), message}});
  }
  return inputs;
}

StartRecord some_start() {
  StartRecord start;
  start.cluster = 0xfedcba9876543210ULL;
  start.time_ns = -5;
  start.previous = 4;
  start.options = guarded(3);
  start.options.priority = Priority::high;
  start.options.lease_drift_ppm = 0;
  start.options.incarnation = 1ULL << 63U;
  start.options.limits.tail_bytes = 1ULL << 40U;
  start.recovered = recovered(3, {1, 1, 2}, 2, 3);
  start.recovered.durable = Index(3);
  return start;
}

std::vector<std::byte> some_file() {
  std::vector<std::byte> file;
  RecordWriter writer;
  writer.start(some_start(), file);
  const std::vector<Input> inputs = {Tick{}, Propose{1, bytes("a")}};
  writer.step(StepHead{100, 1, Index(2), 3}, inputs, file);
  writer.step(StepHead{200, 4, Index(5), 6}, {}, file);
  return file;
}

/// Two inputs are compared by what they become as bytes again.
std::vector<std::byte> encoded(std::span<const Input> inputs) {
  std::vector<std::byte> out;
  RecordWriter().step(StepHead{}, inputs, out);
  return out;
}

/// Steps up to the end, and how it ended.
struct Contents {
  bool started = false;
  std::size_t steps = 0;
  std::optional<End> end;
  std::optional<RecordError> error;
};
Contents read(Bytes file) {
  Contents contents;
  RecordReader reader(file);
  const auto start = reader.start();
  if (const auto* end = std::get_if<End>(&start)) contents.end = *end;
  if (const auto* error = std::get_if<RecordError>(&start)) contents.error = *error;
  contents.started = std::holds_alternative<StartRecord>(start);
  for (StepRecord step; contents.started && !contents.end && !contents.error;) {
    const auto next = reader.next(step);
    if (const auto* end = std::get_if<End>(&next)) contents.end = *end;
    if (const auto* error = std::get_if<RecordError>(&next)) contents.error = *error;
    if (std::holds_alternative<std::monostate>(next)) ++contents.steps;
  }
  return contents;
}

TEST(Record, every_kind_of_input_comes_back) {
  const std::vector<Input> inputs = every_input();
  std::vector<bool> kinds(std::variant_size_v<Input>);
  for (const Input& input : inputs) kinds[input.index()] = true;
  EXPECT_TRUE(std::ranges::all_of(kinds, [](bool there) { return there; }));

  std::vector<std::byte> file;
  RecordWriter writer;
  writer.start(some_start(), file);
  writer.step(StepHead{-1, 2, Index(3), 4}, inputs, file);
  RecordReader reader(file);
  ASSERT_TRUE(std::holds_alternative<StartRecord>(reader.start()));
  StepRecord step;
  ASSERT_TRUE(std::holds_alternative<std::monostate>(reader.next(step)));
  EXPECT_EQ(step.time_ns, -1);
  EXPECT_EQ(step.fingerprint, 2U);
  EXPECT_EQ(step.applied, Index(3));
  EXPECT_EQ(step.store_digest, 4U);
  ASSERT_EQ(step.inputs.size(), inputs.size());
  for (std::size_t at = 0; at < inputs.size(); ++at) {
    EXPECT_EQ(step.inputs[at].index(), inputs[at].index()) << at;
    EXPECT_EQ(encoded(std::span(step.inputs).subspan(at, 1)), encoded(std::span(inputs).subspan(at, 1)))
        << at;
    const auto* sent = std::get_if<Receive>(&inputs[at]);
    if (sent == nullptr) continue;
    EXPECT_EQ(std::get<Receive>(step.inputs[at]).envelope, sent->envelope) << at;
    EXPECT_EQ(hash(std::get<Receive>(step.inputs[at]).envelope), hash(sent->envelope)) << at;
  }
  EXPECT_EQ(std::get<Fetched>(step.inputs[10]).entries, entries(5, {2, 2, 3}));
  EXPECT_EQ(std::get<ProposeConfiguration>(step.inputs[3]).target,
            std::get<ProposeConfiguration>(inputs[3]).target);
}

TEST(Record, the_start_comes_back_as_a_core_needs_it) {
  const StartRecord wrote = some_start();
  const std::vector<std::byte> file = some_file();
  RecordReader reader(file);
  const auto read = reader.start();
  const auto& start = std::get<StartRecord>(read);
  EXPECT_EQ(start.cluster, wrote.cluster);
  EXPECT_EQ(start.time_ns, wrote.time_ns);
  EXPECT_EQ(start.previous, wrote.previous);
  EXPECT_EQ(start.options, wrote.options);
  EXPECT_EQ(recover(start.options, start.recovered), recover(wrote.options, wrote.recovered));
}

TEST(Record, a_snapshot_and_a_log_of_many_entries_come_back) {
  StartRecord wrote = some_start();
  wrote.recovered = Recovered{};
  wrote.recovered.hard = HardState{Term(4), NodeId()};
  wrote.recovered.snapshot = id(2, 30);
  wrote.recovered.snapshot_configuration = voters_up_to(3);
  wrote.recovered.base = id(2, 20);
  Slice all = Slice::make(Index(21), 200, 4000);
  for (int entry = 0; entry < 200; ++entry)
    ASSERT_TRUE(all.append(Term(entry < 10 ? 2 : 3), EntryKind::command, bytes("payload")));
  wrote.recovered.entries.push_back(all);
  std::vector<std::byte> file;
  RecordWriter().start(wrote, file);
  RecordReader reader(file);
  const auto read = reader.start();
  const auto& start = std::get<StartRecord>(read);
  EXPECT_EQ(start.recovered.entries.size(), 4U);  // in portions that a decoder takes
  EXPECT_EQ(recover(start.options, start.recovered), recover(wrote.options, wrote.recovered));
}

TEST(Record, a_file_that_was_cut_off_gives_what_is_whole_and_says_so) {
  const std::vector<std::byte> file = some_file();
  std::size_t whole = 0;
  for (std::size_t size = 0; size <= file.size(); ++size) {
    const Contents contents = read(Bytes(file).first(size));
    ASSERT_TRUE(contents.end) << size << (contents.error ? contents.error->what : "");
    if (contents.started && !contents.end->torn) ++whole;
    if (size < file.size()) {
      EXPECT_LT(contents.steps, 2U) << size;
    }
  }
  EXPECT_EQ(whole, 3U);  // behind the start and behind each step
  EXPECT_EQ(read(file).steps, 2U);
}

TEST(Record, no_changed_bit_goes_unnoticed) {
  const std::vector<std::byte> file = some_file();
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    std::vector<std::byte> changed = file;
    changed[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const Contents contents = read(changed);
    ASSERT_TRUE(contents.error) << "bit " << bit;
    EXPECT_LE(contents.error->offset, bit / 8) << "bit " << bit;
  }
}

TEST(Record, records_that_change_places_are_noticed) {
  const std::vector<std::byte> file = some_file();
  std::vector<std::byte> start;
  RecordWriter().start(some_start(), start);
  // The same again behind the end.
  std::vector<std::byte> doubled = file;
  doubled.insert(doubled.end(), file.begin() + static_cast<std::ptrdiff_t>(start.size()), file.end());
  const Contents contents = read(doubled);
  ASSERT_TRUE(contents.error);
  EXPECT_EQ(contents.error->offset, file.size());
  EXPECT_EQ(contents.steps, 2U);
}

TEST(Record, tells_another_version_and_another_file) {
  std::vector<std::byte> file = some_file();
  file[7] = std::byte{2};
  ASSERT_TRUE(read(file).error);
  EXPECT_EQ(read(file).error->what, "version 2, and this program reads version 1");
  ASSERT_TRUE(read(bytes("RLTRACE\n and more")).error);
  EXPECT_EQ(read(bytes("RLTRACE\n and more")).error->what, "this is no trace of a node");
}

}  // namespace
}  // namespace raftlab::raft::trace
