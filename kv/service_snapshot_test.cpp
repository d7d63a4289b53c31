#include "kv/test_cluster.hpp"

#include <gtest/gtest.h>

/// What a service answers when a snapshot of another node takes the place of what it waits for.
namespace raftlab::kv {

using test::ask;
using test::Cluster;
using test::only;
using test::read;
using test::write;

/// Node 1 led, holds proposals, and is cut off; the others go on without it, and then it takes over a
/// snapshot of what they have applied. It stays cut off: what its core makes of a snapshot is not the
/// service's.
class ServiceSnapshotTest : public ::testing::Test {
 protected:
  ServiceSnapshotTest() : cluster_(3) { cluster_.elect(1); }

  ClientId open() { return ask(cluster_, 1, write(next_tag_++, OpenSession{})).client; }
  /// A write that waits at node 1 and reaches nobody; its tag.
  std::uint64_t propose_alone(Command command) {
    cluster_.cut_off = {1};
    const std::uint64_t tag = next_tag_++;
    cluster_.request(1, Request{tag, 10'000, std::move(command)});
    cluster_.settle();
    EXPECT_TRUE(cluster_.answers(1, tag).empty());
    return tag;
  }
  /// A write that the others hold, and of which node 1 does not learn that they do; its tag.
  std::uint64_t propose_to_others(Command command) {
    const std::uint64_t tag = next_tag_++;
    cluster_.request(1, Request{tag, 10'000, std::move(command)});
    cluster_.step(1);
    while (cluster_.messages() > 0) cluster_.deliver(0);
    cluster_.step(2);
    cluster_.step(3);
    cluster_.cut_off = {1};
    cluster_.settle();
    EXPECT_TRUE(cluster_.answers(1, tag).empty());
    return tag;
  }
  /// Elects one of the others.
  std::uint32_t go_on() {
    cluster_.tick_all(60);
    for (const std::uint32_t id : {2U, 3U}) {
      if (leads(id)) return id;
    }
    ADD_FAILURE() << "nobody leads";
    return 2;
  }
  bool leads(std::uint32_t node) {
    return cluster_.service(node).replica().view().state.role == raft::Role::leader;
  }
  Answer at_others(std::uint32_t leader, Command command) {
    const std::uint64_t tag = next_tag_++;
    return ask(cluster_, leader, Request{tag, 10'000, std::move(command)});
  }
  raft::StateMachine& machine(std::uint32_t node) { return cluster_.service(node).state_machine(); }
  std::vector<std::byte> snapshot_of(std::uint32_t node) {
    std::vector<std::byte> bytes;
    machine(node).begin_snapshot();
    while (!machine(node).write_snapshot(100, bytes)) {
    }
    return bytes;
  }
  bool restore_from(std::uint32_t node) {
    const bool restored = machine(1).restore(cluster_.service(node).store().applied(), snapshot_of(node));
    EXPECT_EQ(cluster_.service(1).store().digest(), cluster_.service(node).store().digest());
    return restored;
  }
  /// What node 1 says to a tag in its next step, and nothing more later.
  Answer answer_of(std::uint64_t tag) {
    cluster_.step(1);
    Answer answer = only(cluster_, 1, tag);
    cluster_.tick_all(100);
    EXPECT_EQ(cluster_.answers(1, tag).size(), 1U);
    return answer;
  }
  static Command in_session(ClientId client, std::uint64_t sequence, Change change) {
    return Command{client, Sequence(sequence), std::move(change)};
  }
  static Command plain(Change change) { return Command{ClientId(), Sequence(), std::move(change)}; }

  Cluster cluster_;
  std::uint64_t next_tag_ = 1;
};

TEST_F(ServiceSnapshotTest, replaces_the_store) {
  ask(cluster_, 1, write(next_tag_++, Put{"k", "old"}));
  cluster_.tick_all(10);
  cluster_.cut_off = {1};
  const std::uint32_t leader = go_on();
  at_others(leader, plain(Put{"k", "new"}));
  EXPECT_TRUE(restore_from(leader));
  EXPECT_EQ(cluster_.service(1).store().get("k"), "new");
  EXPECT_EQ(ask(cluster_, 1, read(next_tag_, {"k"}, ReadPolicy::stale)).values.at(0), "new");
}

TEST_F(ServiceSnapshotTest, the_outcome_of_a_write_without_a_session_is_unknown) {
  const std::uint64_t lost = propose_alone(plain(Put{"lost", "v"}));
  EXPECT_TRUE(restore_from(go_on()));
  EXPECT_EQ(answer_of(lost).status, Status::unknown);
}

TEST_F(ServiceSnapshotTest, the_outcome_of_a_write_without_a_session_is_unknown_though_it_took_effect) {
  const std::uint64_t tag = propose_to_others(plain(Put{"k", "v"}));
  EXPECT_TRUE(restore_from(go_on()));
  EXPECT_EQ(cluster_.service(1).store().get("k"), "v");
  EXPECT_EQ(answer_of(tag).status, Status::unknown);
}

TEST_F(ServiceSnapshotTest, a_session_proves_that_its_last_command_took_effect) {
  const ClientId client = open();
  const std::uint64_t tag = propose_to_others(in_session(client, 1, Put{"k", "v"}));
  const raft::Index proposed = cluster_.service(1).replica().view().state.last.index;
  EXPECT_TRUE(restore_from(go_on()));
  const Answer answer = answer_of(tag);
  EXPECT_EQ(answer.status, Status::ok);
  EXPECT_EQ(answer.index, proposed);
  EXPECT_FALSE(answer.duplicate);
}

TEST_F(ServiceSnapshotTest, a_session_proves_that_its_last_compare_failed) {
  ask(cluster_, 1, write(next_tag_++, Put{"k", "found"}));
  const ClientId client = open();
  const std::uint64_t tag = propose_to_others(in_session(client, 1, CompareAndSwap{"k", "other", "x"}));
  EXPECT_TRUE(restore_from(go_on()));
  const Answer answer = answer_of(tag);
  EXPECT_EQ(answer.status, Status::compare_failed);
  EXPECT_EQ(answer.found, "found");
}

TEST_F(ServiceSnapshotTest, a_session_answers_with_another_attempt_of_the_same_command) {
  const ClientId client = open();
  const std::uint64_t tag = propose_alone(in_session(client, 1, Put{"k", "v"}));
  const std::uint32_t leader = go_on();
  const Answer elsewhere = at_others(leader, in_session(client, 1, Put{"k", "v"}));
  EXPECT_EQ(elsewhere.status, Status::ok);
  EXPECT_TRUE(restore_from(leader));
  const Answer answer = answer_of(tag);
  EXPECT_EQ(answer.status, Status::ok);
  EXPECT_TRUE(answer.duplicate);
  EXPECT_EQ(answer.index, elsewhere.index);
}

TEST_F(ServiceSnapshotTest, C16_a_session_that_had_another_command_under_the_number_says_so) {
  const ClientId client = open();
  const std::uint64_t tag = propose_alone(in_session(client, 1, Put{"k", "v"}));
  const std::uint32_t leader = go_on();
  at_others(leader, in_session(client, 1, Put{"k", "w"}));
  EXPECT_TRUE(restore_from(leader));
  const Answer answer = answer_of(tag);
  EXPECT_EQ(answer.status, Status::bad_request);
  EXPECT_EQ(answer.error, CommandError::sequence_reused);
}

TEST_F(ServiceSnapshotTest, a_session_that_has_gone_on_tells_nothing) {
  const ClientId client = open();
  const std::uint64_t tag = propose_to_others(in_session(client, 1, Put{"k", "v"}));
  const std::uint32_t leader = go_on();
  at_others(leader, in_session(client, 2, Put{"k", "w"}));
  EXPECT_TRUE(restore_from(leader));
  EXPECT_EQ(answer_of(tag).status, Status::unknown);
}

TEST_F(ServiceSnapshotTest, a_session_that_has_not_heard_of_the_command_tells_nothing) {
  const ClientId client = open();
  const std::uint64_t tag = propose_alone(in_session(client, 1, Put{"k", "v"}));
  EXPECT_TRUE(restore_from(go_on()));
  EXPECT_EQ(answer_of(tag).status, Status::unknown);
}

TEST_F(ServiceSnapshotTest, a_session_that_another_opened_at_the_same_index_is_not_given_away) {
  const std::uint64_t first = propose_alone(plain(Put{"k", "v"}));
  const std::uint64_t opening = propose_alone(plain(OpenSession{}));
  const raft::Index proposed = cluster_.service(1).replica().view().state.last.index;
  const std::uint32_t leader = go_on();  // with an entry of its own in the place of the first
  const ClientId client = at_others(leader, plain(OpenSession{})).client;
  ASSERT_EQ(client.value(), proposed.value());
  EXPECT_TRUE(restore_from(leader));
  EXPECT_EQ(answer_of(opening).status, Status::unknown);
  EXPECT_EQ(only(cluster_, 1, first).status, Status::unknown);
}

TEST_F(ServiceSnapshotTest, a_proposal_behind_the_snapshot_waits_on) {
  const std::uint64_t skipped = propose_alone(plain(Put{"k", "1"}));
  const std::uint64_t behind = propose_alone(plain(Put{"k", "2"}));
  const raft::Index proposed = cluster_.service(1).replica().view().state.last.index;
  const std::uint32_t leader = go_on();
  ASSERT_EQ(cluster_.service(leader).store().applied(), proposed.previous());
  EXPECT_TRUE(restore_from(leader));
  EXPECT_EQ(answer_of(skipped).status, Status::unknown);
  EXPECT_TRUE(cluster_.answers(1, behind).empty());
  EXPECT_EQ(cluster_.service(1).waiting(), 1U);
}

TEST_F(ServiceSnapshotTest, a_proposal_that_is_accepted_in_the_step_of_the_restore_is_unknown) {
  cluster_.cut_off = {1};
  // Time passes for the others alone, so that node 1 still takes itself for the leader.
  for (int i = 0; i < 200 && !leads(2); ++i) {
    for (const std::uint32_t id : {2U, 3U}) cluster_.service(id).tick();
    cluster_.service(2).campaign();
    cluster_.settle();
  }
  ASSERT_TRUE(leads(1) && leads(2));
  const std::uint32_t leader = 2;
  for (int i = 0; i < 5; ++i) at_others(leader, plain(Put{"k", std::to_string(i)}));
  const std::uint64_t tag = next_tag_++;
  cluster_.request(1, Request{tag, 10'000, plain(Put{"k", "v"})});
  EXPECT_TRUE(restore_from(leader));
  cluster_.step(1);
  EXPECT_EQ(only(cluster_, 1, tag).status, Status::unknown);
}

TEST_F(ServiceSnapshotTest, a_refused_snapshot_changes_nothing) {
  const std::uint64_t tag = propose_alone(plain(Put{"k", "v"}));
  const std::uint32_t leader = go_on();
  const std::uint64_t before = cluster_.service(1).store().digest();
  std::vector<std::byte> bytes = snapshot_of(leader);
  bytes.pop_back();
  EXPECT_FALSE(machine(1).restore(cluster_.service(leader).store().applied(), bytes));
  EXPECT_EQ(cluster_.service(1).store().digest(), before);
  cluster_.tick_all(5);
  EXPECT_TRUE(cluster_.answers(1, tag).empty());
  EXPECT_EQ(cluster_.service(1).waiting(), 1U);
}

TEST_F(ServiceSnapshotTest, a_read_that_waits_is_answered_once_and_not_from_the_snapshot) {
  cluster_.cut_off = {1};
  const std::uint64_t tag = next_tag_++;
  cluster_.request(1, read(tag, {"k"}, ReadPolicy::read_index, 1000));
  cluster_.settle();
  EXPECT_TRUE(cluster_.answers(1, tag).empty());
  EXPECT_TRUE(restore_from(go_on()));
  EXPECT_EQ(answer_of(tag).status, Status::not_leader);
}

TEST_F(ServiceSnapshotTest, everything_that_waits_is_answered_once) {
  const ClientId client = open();
  for (int i = 0; i < 50; ++i) propose_alone(plain(Put{"k", std::to_string(i)}));
  const std::uint32_t leader = go_on();
  for (int i = 0; i < 60; ++i)
    at_others(leader, in_session(client, static_cast<std::uint64_t>(i) + 1, Put{"k", "v"}));
  EXPECT_TRUE(restore_from(leader));
  cluster_.step(1);
  EXPECT_EQ(cluster_.service(1).waiting(), 0U);
  for (std::uint64_t tag = 2; tag <= 51; ++tag) EXPECT_EQ(only(cluster_, 1, tag).status, Status::unknown);
}

TEST_F(ServiceSnapshotTest, one_is_taken_while_commands_are_applied) {
  ask(cluster_, 1, write(next_tag_++, Put{"k", "old"}));
  const raft::Index begun = cluster_.service(1).store().applied();
  const std::uint64_t digest = cluster_.service(1).store().digest();
  machine(1).begin_snapshot();
  std::vector<std::byte> bytes;
  EXPECT_FALSE(machine(1).write_snapshot(0, bytes));
  ask(cluster_, 1, write(next_tag_++, Put{"k", "new"}));
  while (!machine(1).write_snapshot(0, bytes)) {
  }
  Store store;
  EXPECT_TRUE(store.restore(begun, bytes));
  EXPECT_EQ(store.digest(), digest);
  machine(1).begin_snapshot();
  machine(1).abandon_snapshot();
  machine(1).begin_snapshot();
}

}  // namespace raftlab::kv
