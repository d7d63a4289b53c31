#include "raft/replica/replica_fixture.hpp"
#include "raft/wal/test_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

/// Disks that fail, processes that end, and the lives after.
namespace raftlab::raft {
namespace {

using namespace raftlab::raft::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::uint32_t nothing_survives(std::uint32_t /*count*/) { return 0; }
/// Names and bytes that were not synced are all there.
std::uint32_t everything_survives(std::uint32_t count) { return count == 1 ? 0 : 1; }

AppendEntries append_of_nothing() { return AppendEntries{id(1, 1), Index(1), ReadSeq{}, Slice()}; }
AppendEntries append_of_entries() { return AppendEntries{id(1, 1), Index(1), ReadSeq{}, entries(2, {2, 2})}; }

// ---- A write that fails -----------------------------------------------------------------------------------

void fail_next_change(Host& host) { host.disk.fail_at = wal::OperationId(host.disk.asked() + 1); }

TEST(ReplicaFault, is_told_when_a_write_fails) {
  Host host(1);
  lead_alone(host);
  fail_next_change(host);
  host.propose(1, "a");
  EXPECT_FALSE(host.out.fault);
  host.disk_step();
  ASSERT_TRUE(host.out.fault);
  EXPECT_EQ(*host.out.fault, Fault::write_failed);
  EXPECT_TRUE(host.replica->view().faulty);
}

TEST(ReplicaFault, follows_from_a_change_that_failed_long_before_its_sync) {
  // The write is an append and a sync; the append's own failure is already the end.
  Host host(1);
  lead_alone(host);
  fail_next_change(host);
  host.propose(1, "a");
  ASSERT_GT(host.disk.waiting(), 1U);
  host.disk_step();
  EXPECT_TRUE(host.out.fault);
  host.settle();
  EXPECT_EQ(host.machine.applied.back(), "2:noop") << "the sync behind it succeeds and proves nothing";
}

TEST(ReplicaFault, is_followed_by_silence) {
  Host host(3);
  lead_of_three(host);
  fail_next_change(host);
  host.propose(1, "a");
  host.disk_step();
  ASSERT_TRUE(host.out.fault);
  host.settle();
  const std::uint64_t asked = host.disk.asked();
  host.sent.clear();
  host.accepted.clear();
  for (int i = 0; i < 100; ++i) host.replica->tick();
  host.propose(2, "b");
  host.replica->read_barrier(3);
  host.replica->campaign();
  host.step();
  host.receive(2, 2, AppendReply{Index(3), ReadSeq{}});
  host.receive(3, 9, append_of_nothing());
  EXPECT_TRUE(host.out.fault) << "told in each step";
  EXPECT_THAT(host.sent, IsEmpty());
  EXPECT_THAT(host.accepted, IsEmpty());
  EXPECT_THAT(host.out.rejected, IsEmpty());
  EXPECT_THAT(host.reads, IsEmpty());
  EXPECT_EQ(host.machine.applied.back(), "2:noop");
  EXPECT_EQ(host.disk.asked(), asked) << "nor is the disk asked for anything";
}

TEST(ReplicaFault, withholds_what_the_same_step_would_have_sent) {
  Host host(3);
  lead_of_three(host);
  fail_next_change(host);
  host.propose(1, "a");
  host.sent.clear();
  host.replica->propose(2, bytes("b"));
  const std::uint64_t asked = host.disk.asked();
  host.disk_step();
  EXPECT_TRUE(host.out.fault);
  EXPECT_THAT(host.out.messages, IsEmpty());
  EXPECT_THAT(host.out.accepted, IsEmpty());
  EXPECT_EQ(host.disk.asked(), asked);
}

TEST(ReplicaFault, is_what_no_room_for_the_recovered_log_leads_to) {
  Host host(3);
  host.disk.fail_at = wal::OperationId(1);
  host.disk.fail_with = wal::DiskError::no_space;
  ASSERT_TRUE(host.start());
  host.disk_step();
  EXPECT_TRUE(host.out.fault);
}

/// A short life of a single voter, to its end.
void live(Host& host) {
  ASSERT_TRUE(host.start());
  host.settle();
  host.replica->campaign();
  host.step();
  host.settle();
  for (const char* command : {"a", "b", "c"}) {
    host.propose(1, command);
    host.settle();
  }
}

TEST(ReplicaFault, anywhere_loses_nothing_that_was_applied) {
  Host healthy(1);
  live(healthy);
  ASSERT_THAT(healthy.machine.applied, SizeIs(5));
  for (std::uint64_t failing = 1; failing <= healthy.disk.asked(); ++failing) {
    Host host(1);
    host.disk.fail_at = wal::OperationId(failing);
    live(host);
    ASSERT_TRUE(host.out.fault) << failing;
    const auto applied = host.machine.applied;
    host.disk.fail_at = wal::OperationId();
    host.lose_power(nothing_survives);
    lead_alone(host);
    ASSERT_GE(host.machine.applied.size(), applied.size()) << failing;
    EXPECT_TRUE(std::equal(applied.begin(), applied.end(), host.machine.applied.begin())) << failing;
  }
}

TEST(Replica, needs_no_core_step_for_a_change_that_ends_no_write) {
  Host host(1);
  lead_alone(host);
  host.propose(1, "a");
  ASSERT_GT(host.disk.waiting(), 1U);
  host.disk_step();
  EXPECT_EQ(host.observer.last_inputs, 0U);
  host.settle();
  EXPECT_EQ(host.observer.last_inputs, 1U) << "Written, at the sync";
}

TEST(Replica, ignores_the_completion_of_a_change_that_it_did_not_ask_for) {
  Host host(1);
  lead_alone(host);
  host.replica->complete(wal::DiskCompletion{wal::OperationId(100'000), wal::DiskError::io});
  host.step();
  EXPECT_FALSE(host.out.fault);
}

TEST(Replica, writes_one_watermark_when_it_has_been_idle) {
  Host host(3, 2);
  ASSERT_TRUE(host.start());
  host.settle();
  host.receive(1, 2, append_of_entries());
  host.settle();
  const std::uint64_t asked = host.disk.asked();
  for (std::uint32_t i = 1; i < host.options.wal.idle_ticks; ++i) host.replica->tick();
  EXPECT_EQ(host.disk.asked(), asked);
  host.replica->tick();
  EXPECT_GT(host.disk.asked(), asked);
  host.settle();
  const std::uint64_t then = host.disk.asked();
  for (std::uint32_t i = 0; i < 10 * host.options.wal.idle_ticks; ++i) {
    host.replica->tick();
    host.settle();
  }
  EXPECT_EQ(host.disk.asked(), then);
}

// ---- A second life ----------------------------------------------------------------------------------------

TEST(ReplicaRecovery, replays_the_log_to_an_empty_state_machine) {
  Host host(1);
  lead_alone(host);
  for (const char* command : {"a", "b"}) host.propose(1, command);
  host.settle();
  host.kill();
  ASSERT_TRUE(host.start());
  host.settle();
  EXPECT_THAT(host.machine.applied, IsEmpty()) << "what is committed is not known yet";
  host.lead();
  EXPECT_THAT(host.machine.applied, ElementsAre("1:config", "2:noop", "3:a", "4:b", "5:noop"));
}

TEST(ReplicaRecovery, prefers_the_log_on_disk_to_what_an_empty_directory_starts_from) {
  Host host(1);
  lead_alone(host);
  host.propose(1, "a");
  host.settle();
  host.kill();
  host.when_empty = bootstrap(voters_up_to(5));
  ASSERT_TRUE(host.start());
  EXPECT_EQ(host.state().last, id(2, 3));
  EXPECT_THAT(host.replica->view().configurations.back().configuration.voters, SizeIs(1));
}

TEST(ReplicaRecovery, keeps_term_and_vote) {
  Host host(3);
  ASSERT_TRUE(host.start());
  host.settle();
  host.receive(3, 7, RequestVote{id(1, 1), false, false});
  host.settle();
  host.lose_power(nothing_survives);
  ASSERT_TRUE(host.start());
  EXPECT_EQ(host.state().hard, (HardState{Term(7), node(3)}));
  EXPECT_EQ(host.replica->recovered().hard, (HardState{Term(7), node(3)}));
  host.settle();
  host.sent.clear();
  host.receive(2, 7, RequestVote{id(1, 1), false, false});
  host.settle();
  ASSERT_EQ(host.all_sent<VoteReply>().size(), 1U);
  EXPECT_FALSE(host.all_sent<VoteReply>()[0].granted) << "it votes once in a term";
}

TEST(ReplicaRecovery, keeps_the_log_that_overwrote_another_one) {
  Host host(3);
  lead_of_three(host);
  host.propose(1, "lost");
  host.settle();
  host.receive(2, 3, AppendEntries{id(2, 2), Index(2), ReadSeq{}, entries(3, {3, 3})});
  host.settle();
  host.lose_power(nothing_survives);
  ASSERT_TRUE(host.start());
  EXPECT_THAT(terms_of(*host.replica->view().log), ElementsAre(1, 2, 3, 3));
}

TEST(ReplicaRecovery, forgets_what_was_never_on_disk) {
  Host host(1);
  lead_alone(host);
  host.propose(1, "a");
  host.lose_power(nothing_survives);
  ASSERT_TRUE(host.start());
  EXPECT_EQ(host.state().last, id(2, 2));
}

TEST(ReplicaRecovery, says_that_it_cut_off_a_torn_end) {
  Host host(1);
  lead_alone(host);
  host.propose(1, std::string(100, 'a'));
  while (host.disk.waiting() > 1) host.disk_step();
  // Of what was not synced half a record survives.
  host.lose_power([](std::uint32_t count) { return count == 2 ? 1U : count == 4 ? 2U : count / 2; });
  ASSERT_TRUE(host.start());
  EXPECT_TRUE(host.replica->torn_tail());
  EXPECT_EQ(host.state().last, id(2, 2));
  host.lead();
  EXPECT_THAT(host.machine.applied, ElementsAre("1:config", "2:noop", "3:noop"));
}

TEST(ReplicaRecovery, survives_power_losses_one_after_the_other) {
  Host host(1);
  std::vector<std::string> before;
  for (int life = 0; life < 8; ++life) {
    lead_alone(host);
    host.propose(1, "in life " + std::to_string(life));
    host.settle();
    ASSERT_GE(host.machine.applied.size(), before.size() + 2);
    EXPECT_TRUE(std::equal(before.begin(), before.end(), host.machine.applied.begin()));
    before = host.machine.applied;
    host.lose_power(nothing_survives);
  }
  EXPECT_THAT(before, SizeIs(1 + 2 * 8));
}

/// One life of a single voter that ends after so many changes of its disk. Returns what was applied in it.
std::vector<std::string> life_of(Host& host, std::uint64_t changes) {
  const auto run = [&] {
    for (; changes > 0 && !host.disk.idle(); --changes) host.disk_step();
    return changes > 0;
  };
  if (!host.start()) throw std::logic_error("refused");
  host.options.core.seed = Seed(host.options.core.seed.value() + 1);
  if (!run()) return host.machine.applied;
  host.replica->campaign();
  host.step();
  if (!run()) return host.machine.applied;
  for (const char* command : {"a", "b", "c", "d"}) {
    host.propose(1, command);
    if (!run()) return host.machine.applied;
  }
  return host.machine.applied;
}

class ReplicaCrash : public ::testing::TestWithParam<std::uint32_t (*)(std::uint32_t)> {};

TEST_P(ReplicaCrash, after_any_change_of_the_disk_keeps_what_was_applied) {
  std::size_t most = 0;
  for (std::uint64_t first = 0; first < 40; ++first) {
    Host host(1);
    const auto applied = life_of(host, first);
    host.lose_power(GetParam());
    // The second life ends somewhere, too: recovery itself can be interrupted.
    for (std::uint64_t second = 0; second < 8; ++second) {
      (void)life_of(host, second);
      host.lose_power(GetParam());
    }
    lead_alone(host);
    ASSERT_GE(host.machine.applied.size(), applied.size()) << first;
    EXPECT_TRUE(std::equal(applied.begin(), applied.end(), host.machine.applied.begin())) << first;
    most = std::max(most, applied.size());
  }
  EXPECT_EQ(most, 6U) << "the longest first life applied everything";
}

TEST_P(ReplicaCrash, after_any_change_of_the_disk_keeps_a_vote_that_was_told) {
  for (std::uint64_t changes = 0; changes < 12; ++changes) {
    Host host(3);
    ASSERT_TRUE(host.start());
    host.settle();
    host.receive(3, 5, RequestVote{id(1, 1), false, false});
    for (std::uint64_t i = 0; i < changes && !host.disk.idle(); ++i) host.disk_step();
    const bool told = !host.all_sent<VoteReply>().empty();
    host.lose_power(GetParam());
    ASSERT_TRUE(host.start());
    if (told) {
      EXPECT_EQ(host.state().hard, (HardState{Term(5), node(3)})) << changes;
    }
    if (changes == 11) {
      EXPECT_TRUE(told);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Survivors, ReplicaCrash, ::testing::Values(&nothing_survives, &everything_survives));

// ---- Refusals ---------------------------------------------------------------------------------------------

TEST(ReplicaRefusal, of_a_directory_that_is_taken) {
  Host host(1);
  ASSERT_TRUE(host.start());
  Host other(1);
  RecordingMachine machine;
  const auto second =
      Replica::open(host.options, Disks{&host.disk, &host.snapshot_disk}, machine, host.when_empty);
  ASSERT_TRUE(std::holds_alternative<wal::Refusal>(second));
  EXPECT_EQ(std::get<wal::Refusal>(second).code, wal::RefusalCode::locked);
}

TEST(ReplicaRefusal, of_the_log_of_another_node) {
  Host host(3);
  ASSERT_TRUE(host.start());
  host.settle();
  host.kill();
  host.options.identity.node = node(2);
  ASSERT_FALSE(host.start());
  EXPECT_EQ(host.refusal->code, wal::RefusalCode::wrong_identity);
}

TEST(ReplicaRefusal, of_a_log_that_cannot_be_read) {
  Host host(1);
  lead_alone(host);
  host.kill();
  host.disk.unreadable = host.disk.files().begin()->first;
  ASSERT_FALSE(host.start());
  EXPECT_EQ(host.refusal->code, wal::RefusalCode::unreadable);
  EXPECT_EQ(host.refusal->file, host.disk.unreadable);
}

TEST(ReplicaRefusal, of_an_empty_directory_without_a_configuration_is_none_but_nothing_happens) {
  Host host(1);
  host.when_empty.reset();
  ASSERT_TRUE(host.start());
  host.settle();
  for (int i = 0; i < 200; ++i) {
    host.replica->tick();
    host.step();
  }
  EXPECT_EQ(host.state().role, Role::follower) << "who is no voter does not stand";
  EXPECT_THAT(host.sent, IsEmpty());
}

TEST(ReplicaRefusal, of_options_that_no_core_takes_touches_no_file) {
  Host host(1);
  host.options.core.heartbeat_ticks = host.options.core.election_ticks_min;
  ASSERT_FALSE(host.start());
  EXPECT_EQ(host.refusal->code, wal::RefusalCode::bad_content);
  EXPECT_THAT(host.refusal->detail, HasSubstr("bad options"));
  EXPECT_EQ(host.disk.asked(), 0U);
}

/// Writes a log through the log storage alone, which does not know what a core makes of it.
void write_log(Host& host, const Recovered& recovered) {
  auto opened = wal::Wal::open(host.disk, host.options.identity, host.options.wal, recovered);
  ASSERT_TRUE(std::holds_alternative<wal::Wal::Opened>(opened));
  std::get<wal::Wal::Opened>(opened).wal.begin(recovered);
  (void)wal::testing::drive(std::get<wal::Wal::Opened>(opened).wal, host.disk);
  host.disk.kill();
}

TEST(ReplicaRefusal, of_a_log_that_cannot_be_a_nodes) {
  Slice entry = Slice::make(Index(1), 1, 16);
  ASSERT_TRUE(entry.append(Term(1), EntryKind::configuration, bytes("no config")));
  Recovered unreadable;
  unreadable.hard.term = Term(1);
  unreadable.entries.push_back(entry);
  Host host(1);
  write_log(host, unreadable);
  const wal::testing::Files files = host.disk.files();
  const std::uint64_t asked = host.disk.asked();
  for (int i = 0; i < 3; ++i) {
    ASSERT_FALSE(host.start());
    EXPECT_EQ(host.refusal->code, wal::RefusalCode::bad_content);
    EXPECT_THAT(host.refusal->detail, HasSubstr("the recovered log cannot be a node's"));
    EXPECT_THAT(host.refusal->detail, HasSubstr("configuration entry cannot be decoded"));
    EXPECT_EQ(host.disk.asked(), asked) << "who is refused changes nothing";
    host.kill();
  }
  EXPECT_EQ(host.disk.files(), files);
}

TEST(ReplicaRefusal, of_entries_of_a_term_that_the_node_never_reached) {
  Recovered early = bootstrap(voters_up_to(1));
  early.entries.push_back(entries(2, {4}));
  Host host(1);
  write_log(host, early);
  ASSERT_FALSE(host.start());
  EXPECT_EQ(host.refusal->code, wal::RefusalCode::bad_content);
}

}  // namespace
}  // namespace raftlab::raft
