#include "raft/replica/replica.hpp"

#include "raft/replica/replica_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace raftlab::raft {
namespace {

using namespace raftlab::raft::testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

AppendEntries append_of(std::uint64_t prev_term, std::uint64_t prev, Slice entries, std::uint64_t commit) {
  return AppendEntries{id(prev_term, prev), Index(commit), ReadSeq{}, std::move(entries)};
}

// ---- A first life -----------------------------------------------------------------------------------------

TEST(Replica, of_an_empty_directory_starts_from_what_it_is_given) {
  Host host(3);
  ASSERT_TRUE(host.start());
  EXPECT_EQ(host.state().hard, (HardState{Term(1), NodeId()}));
  EXPECT_EQ(host.state().last, id(1, 1));
  EXPECT_EQ(host.state().role, Role::follower);
  EXPECT_FALSE(host.replica->torn_tail());
  ASSERT_EQ(host.replica->recovered().entries.size(), 1U);
  EXPECT_EQ(host.replica->recovered().entries[0], host.when_empty->entries[0]);
  EXPECT_EQ(&host.replica->core().view().log->pieces(), &host.replica->view().log->pieces());
}

TEST(Replica, does_not_take_what_it_recovered_for_durable) {
  Host host(3);
  ASSERT_TRUE(host.start());
  host.step();
  EXPECT_EQ(host.state().durable, Index());
  EXPECT_EQ(host.state().written, WriteSeq());
  host.settle();
  EXPECT_EQ(host.state().durable, Index(1));
  EXPECT_EQ(host.state().written, WriteSeq(1));
}

TEST(Replica, does_nothing_by_itself) {
  Host host(3);
  ASSERT_TRUE(host.start());
  host.settle();
  const std::uint64_t asked = host.disk.asked();
  const std::uint64_t fingerprint = host.replica->core().fingerprint();
  for (int i = 0; i < 100; ++i) host.step();
  EXPECT_EQ(host.disk.asked(), asked);
  EXPECT_EQ(host.replica->core().fingerprint(), fingerprint);
  EXPECT_THAT(host.sent, IsEmpty());
  EXPECT_THAT(host.machine.applied, IsEmpty());
}

/// Writes down what it hears, and in which order.
class OrderObserver final : public trace::StepObserver {
 public:
  std::vector<std::string> heard;
  [[nodiscard]] bool wants_deltas() const override { return false; }
  void stepping(const Core& core, std::span<const Input> inputs) override {
    heard.push_back("stepping " + std::to_string(inputs.size()) + " at write " +
                    std::to_string(core.view().state.issued.value()));
  }
  void stepped(const trace::Step& step) override {
    heard.push_back("stepped " + std::to_string(step.inputs.size()) + " at write " +
                    std::to_string(step.view.state.issued.value()));
  }
};

TEST(Replica, tells_its_observer_of_each_step_before_it_is_taken_and_after) {
  Host host(1);
  lead_alone(host);
  host.step();
  OrderObserver observer;
  const std::uint64_t issued = host.state().issued.value();
  const auto payload = bytes("a");
  host.replica->propose(1, payload);
  host.replica->step(host.out, &observer);
  const std::string before = std::to_string(issued);
  const std::string after = std::to_string(issued + 1);
  EXPECT_THAT(observer.heard, ElementsAre("stepping 1 at write " + before, "stepped 1 at write " + after));

  // A read waits for what is applied: the replica goes on within the call, and each part is told by itself.
  observer.heard.clear();
  host.replica->complete(host.disk.step());
  while (!host.disk.idle()) host.replica->complete(host.disk.step());
  host.replica->read_barrier(2);
  host.replica->step(host.out, &observer);
  EXPECT_THAT(observer.heard, ElementsAre("stepping 2 at write " + after, "stepped 2 at write " + after,
                                          "stepping 1 at write " + after, "stepped 1 at write " + after));
}

TEST(Replica, can_be_moved_while_a_write_is_on_its_way) {
  Host host(1);
  ASSERT_TRUE(host.start());
  host.disk_step();
  Replica moved = std::move(*host.replica);
  host.replica.emplace(std::move(moved));
  host.lead();
  host.propose(1, "a");
  host.settle();
  EXPECT_THAT(host.machine.applied, ElementsAre("1:config", "2:noop", "3:a"));
}

// ---- Inputs -----------------------------------------------------------------------------------------------

TEST(Replica, hands_inputs_to_the_core_in_the_order_of_the_calls) {
  Host host(3);
  ASSERT_TRUE(host.start());
  host.settle();
  std::vector<std::size_t> kinds;
  host.observer.on_step = [&](const trace::Step& step) {
    for (const Input& input : step.inputs) kinds.push_back(input.index());
  };
  host.replica->read_barrier(5);
  host.replica->tick();
  host.replica->unreachable(node(2));
  host.replica->receive(Envelope{node(2), node(1), Term(1), Heartbeat{}});
  host.replica->propose(6, bytes("a"));
  host.replica->campaign();
  host.step();
  EXPECT_THAT(kinds,
              ElementsAre(Input(Read{}).index(), Input(Tick{}).index(), Input(Unreachable{}).index(),
                          Input(Receive{}).index(), Input(Propose{}).index(), Input(Campaign{}).index()));
}

TEST(Replica, handles_an_input_once) {
  Host host(3);
  ASSERT_TRUE(host.start());
  host.settle();
  host.replica->tick();
  host.step();
  EXPECT_EQ(host.state().elapsed_ticks, 1U);
  host.step();
  EXPECT_EQ(host.state().elapsed_ticks, 1U);
  EXPECT_EQ(host.observer.last_inputs, 0U);
}

TEST(Replica, stands_for_election_when_it_is_told) {
  Host host(3);
  ASSERT_TRUE(host.start());
  host.settle();
  host.replica->campaign();
  host.step();
  EXPECT_EQ(host.state().role, Role::candidate);
  ASSERT_TRUE(host.out.role);
  EXPECT_EQ(host.out.role->role, Role::candidate);
  EXPECT_EQ(host.out.role->term, Term(2));
  host.step();
  EXPECT_FALSE(host.out.role) << "a change is told once";
}

TEST(Replica, stands_for_election_when_its_time_has_passed) {
  Host host(3);
  ASSERT_TRUE(host.start());
  host.settle();
  const std::uint32_t deadline = host.state().deadline_ticks;
  for (std::uint32_t i = 1; i < deadline; ++i) {
    host.replica->tick();
    host.step();
  }
  EXPECT_EQ(host.state().role, Role::follower);
  host.replica->tick();
  host.step();
  EXPECT_EQ(host.state().role, Role::candidate);
}

TEST(Replica, probes_a_peer_whose_messages_are_being_lost) {
  Host host(3);
  lead_of_three(host);
  ASSERT_EQ(host.replica->view().peers[1].state, ProgressState::replicate);
  host.replica->unreachable(node(2));
  host.step();
  EXPECT_EQ(host.replica->view().peers[1].state, ProgressState::probe);
  EXPECT_EQ(host.replica->view().peers[2].state, ProgressState::replicate);
}

// ---- What leaves, and when --------------------------------------------------------------------------------

TEST(Replica, grants_a_vote_only_when_the_vote_is_on_disk) {
  Host host(3);
  ASSERT_TRUE(host.start());
  host.settle();
  host.receive(2, 2, RequestVote{id(1, 1), false, false});
  EXPECT_THAT(host.sent, IsEmpty());
  EXPECT_EQ(host.replica->view().held, 1U);
  while (host.disk.waiting() > 1) {
    host.disk_step();
    EXPECT_THAT(host.sent, IsEmpty()) << "only a finished sync makes it durable";
  }
  host.settle();
  ASSERT_EQ(host.all_sent<VoteReply>().size(), 1U);
  EXPECT_TRUE(host.all_sent<VoteReply>()[0].granted);
}

TEST(Replica, acknowledges_entries_only_when_they_are_on_disk) {
  Host host(3);
  ASSERT_TRUE(host.start());
  host.settle();
  host.receive(2, 2, append_of(1, 1, entries(2, {2, 2}), 0));
  EXPECT_EQ(host.state().last, id(2, 3));
  EXPECT_THAT(host.all_sent<AppendReply>(), IsEmpty());
  host.settle();
  ASSERT_EQ(host.all_sent<AppendReply>().size(), 1U);
  EXPECT_EQ(host.all_sent<AppendReply>()[0].match, Index(3));
}

TEST(Replica, sends_entries_to_its_peers_while_its_own_disk_still_writes) {
  Host host(3);
  lead_of_three(host);
  host.propose(1, "a");
  EXPECT_FALSE(host.disk.idle());
  const auto appends = host.all_sent<AppendEntries>();
  ASSERT_EQ(appends.size(), 2U);
  EXPECT_EQ(text(appends[0].entries.entry(0).payload), "a");
}

TEST(Replica, gives_messages_away_and_starts_the_next_step_without_them) {
  Host host(3);
  lead_of_three(host);
  host.propose(1, "a");
  EXPECT_EQ(host.out.messages.size(), 2U);
  EXPECT_EQ(host.out.accepted.size(), 1U);
  host.step();
  EXPECT_THAT(host.out.messages, IsEmpty());
  EXPECT_THAT(host.out.accepted, IsEmpty());
}

TEST(ReplicaOutput, is_cleared_of_everything_but_what_was_applied) {
  ReplicaOutput out;
  out.messages.resize(1);
  out.accepted.resize(1);
  out.rejected.resize(1);
  out.reads.resize(1);
  out.lost_from = Index(2);
  out.role = RoleChange{};
  out.fault = Fault::write_failed;
  out.applied = Index(7);
  out.clear();
  EXPECT_TRUE(out.messages.empty() && out.accepted.empty() && out.rejected.empty() && out.reads.empty());
  EXPECT_FALSE(out.lost_from || out.role || out.fault);
  EXPECT_EQ(out.applied, Index(7)) << "the state machine does not forget";
}

TEST(Replica, tells_from_where_on_accepted_proposals_were_overwritten) {
  Host host(3);
  lead_of_three(host);
  host.propose(1, "a");
  host.propose(2, "b");
  host.settle();
  ASSERT_EQ(host.state().last, id(2, 4));
  host.receive(2, 3, append_of(2, 2, entries(3, {3}), 2));
  ASSERT_TRUE(host.out.lost_from);
  EXPECT_EQ(*host.out.lost_from, Index(3));
  host.settle();
  EXPECT_FALSE(host.out.lost_from);
  EXPECT_EQ(host.state().last, id(3, 3));
}

// ---- Proposals --------------------------------------------------------------------------------------------

TEST(Replica, rejects_a_proposal_that_it_may_not_take_and_names_the_leader) {
  Host host(3);
  ASSERT_TRUE(host.start());
  host.settle();
  host.receive(3, 2, Heartbeat{Index(), ReadSeq{}});
  host.propose(7, "a");
  ASSERT_EQ(host.out.rejected.size(), 1U);
  EXPECT_EQ(host.out.rejected[0].tag, 7U);
  EXPECT_EQ(host.out.rejected[0].reason, Rejection::not_leader);
  EXPECT_EQ(host.out.rejected[0].leader, node(3));
  EXPECT_EQ(host.state().last, id(1, 1)) << "it left no trace";
}

TEST(Replica, rejects_a_proposal_over_the_limit) {
  Host host(1);
  host.options.core.limits.proposal_bytes_max = 3;
  lead_alone(host);
  host.propose(1, "four");
  ASSERT_EQ(host.out.rejected.size(), 1U);
  EXPECT_EQ(host.out.rejected[0].reason, Rejection::too_large);
  host.propose(2, "six");
  EXPECT_EQ(host.out.accepted.size(), 1U);
}

TEST(Replica, accepts_proposals_under_their_tags_in_their_order) {
  Host host(1);
  lead_alone(host);
  host.replica->propose(11, bytes("a"));
  host.replica->propose(12, bytes("b"));
  host.step();
  ASSERT_EQ(host.out.accepted.size(), 2U);
  EXPECT_EQ(host.out.accepted[0].tag, 11U);
  EXPECT_EQ(host.out.accepted[0].id, id(2, 3));
  EXPECT_EQ(host.out.accepted[1].tag, 12U);
  EXPECT_EQ(host.out.accepted[1].id, id(2, 4));
}

TEST(Replica, keeps_a_command_of_its_own) {
  Host host(1);
  lead_alone(host);
  auto command = bytes("kept");
  host.replica->propose(1, command);
  command.assign(command.size(), std::byte{0});
  host.step();
  host.settle();
  EXPECT_EQ(host.machine.applied.back(), "3:kept");
}

// ---- Applying ---------------------------------------------------------------------------------------------

TEST(Replica, applies_everything_in_log_order_no_ops_and_configurations_included) {
  Host host(1);
  lead_alone(host);
  for (const char* command : {"a", "b", "c"}) host.propose(1, command);
  host.settle();
  EXPECT_THAT(host.machine.applied, ElementsAre("1:config", "2:noop", "3:a", "4:b", "5:c"));
  EXPECT_EQ(host.out.applied, Index(5));
}

TEST(Replica, alone_commits_and_applies_as_soon_as_its_disk_has_the_entry) {
  Host host(1);
  lead_alone(host);
  host.propose(1, "a");
  EXPECT_EQ(host.state().commit, Index(2));
  EXPECT_EQ(host.machine.applied.size(), 2U);
  while (host.disk.waiting() > 1) {
    host.disk_step();
    EXPECT_EQ(host.machine.applied.size(), 2U) << "appended, not synced";
  }
  host.disk_step();
  EXPECT_EQ(host.state().commit, Index(3));
  EXPECT_EQ(host.machine.applied.back(), "3:a");
}

TEST(Replica, applies_nothing_that_is_durable_here_and_not_committed) {
  Host host(3);
  lead_of_three(host);
  host.propose(1, "a");
  host.settle();
  EXPECT_EQ(host.state().durable, Index(3));
  EXPECT_EQ(host.machine.applied.size(), 2U);
  host.acknowledge_all(3);
  EXPECT_EQ(host.machine.applied.back(), "3:a");
}

TEST(Replica, applies_nothing_that_is_committed_and_not_durable_here) {
  Host host(3);
  lead_of_three(host);
  host.propose(1, "a");
  host.acknowledge_all(2);
  host.acknowledge_all(3);
  EXPECT_EQ(host.state().commit, Index(3));
  EXPECT_EQ(host.machine.applied.size(), 2U);
  host.settle();
  EXPECT_EQ(host.machine.applied.back(), "3:a");
}

TEST(Replica, of_a_follower_applies_what_its_leader_says_is_committed) {
  Host host(3, 2);
  ASSERT_TRUE(host.start());
  host.settle();
  host.receive(1, 2, append_of(1, 1, entries(2, {2, 2}), 1));
  host.settle();
  EXPECT_THAT(host.machine.applied, ElementsAre("1:config"));
  host.receive(1, 2, Heartbeat{Index(3), ReadSeq{}});
  EXPECT_THAT(host.machine.applied, ElementsAre("1:config", "2:2@2", "3:3@2"));
}

TEST(Replica, tells_the_core_what_was_applied_with_the_next_step) {
  Host host(1);
  lead_alone(host);
  host.propose(1, "a");
  host.settle();
  EXPECT_EQ(host.state().handed, Index(3));
  EXPECT_EQ(host.state().applied, Index(2));
  host.step();
  EXPECT_EQ(host.state().applied, Index(3));
}

// ---- Reads ------------------------------------------------------------------------------------------------

TEST(Replica, rejects_a_read_when_it_does_not_lead) {
  Host host(3);
  ASSERT_TRUE(host.start());
  host.settle();
  host.replica->read_barrier(4);
  host.step();
  ASSERT_EQ(host.out.rejected.size(), 1U);
  EXPECT_EQ(host.out.rejected[0].tag, 4U);
  EXPECT_EQ(host.out.rejected[0].reason, Rejection::not_leader);
}

TEST(Replica, rejects_a_read_before_anything_of_its_term_is_committed) {
  Host host(3);
  ASSERT_TRUE(host.start());
  host.lead();
  host.replica->read_barrier(4);
  host.step();
  ASSERT_EQ(host.out.rejected.size(), 1U);
  EXPECT_EQ(host.out.rejected[0].reason, Rejection::not_ready);
}

TEST(Replica, alone_answers_a_read_in_the_same_step) {
  Host host(1);
  lead_alone(host);
  host.replica->read_barrier(9);
  host.step();
  ASSERT_EQ(host.out.reads.size(), 1U);
  EXPECT_EQ(host.out.reads[0].tag, 9U);
  EXPECT_EQ(host.out.reads[0].index, Index(2));
}

TEST(Replica, answers_a_read_only_when_a_quorum_has_confirmed_that_it_leads) {
  Host host(3);
  lead_of_three(host);
  host.replica->read_barrier(9);
  host.step();
  EXPECT_THAT(host.out.reads, IsEmpty());
  ASSERT_EQ(host.all_sent<Heartbeat>().size(), 2U);
  host.receive(2, 2, HeartbeatReply{host.all_sent<Heartbeat>()[0].read});
  ASSERT_EQ(host.out.reads.size(), 1U);
  EXPECT_EQ(host.out.reads[0].tag, 9U);
}

/// A leader with a confirmed read of an entry that its peers have committed and its own disk lacks.
void wait_with_a_read(Host& host) {
  lead_of_three(host);
  host.propose(1, "a");
  host.acknowledge_all(2);
  host.acknowledge_all(3);
  host.replica->read_barrier(9);
  host.step();
  const ReadSeq round = host.state().read_issued;
  host.receive(2, 2, HeartbeatReply{round});
}

TEST(Replica, answers_a_read_only_when_the_state_machine_is_recent_enough) {
  Host host(3);
  wait_with_a_read(host);
  EXPECT_TRUE(host.replica->core().waits_for_applied());
  EXPECT_THAT(host.reads, IsEmpty());
  host.settle();
  ASSERT_EQ(host.reads.size(), 1U);
  EXPECT_EQ(host.reads[0].index, Index(3));
  EXPECT_EQ(host.machine.applied.back(), "3:a");
}

TEST(Replica, answers_a_waiting_read_in_the_step_that_applies_what_it_waits_for) {
  Host host(3);
  wait_with_a_read(host);
  while (host.disk.waiting() > 1) host.disk_step();
  const std::uint64_t steps = host.observer.steps;
  host.disk_step();
  ASSERT_EQ(host.out.reads.size(), 1U);
  EXPECT_EQ(host.observer.steps, steps + 2) << "one core step for the sync, one for what it applied";
  EXPECT_EQ(host.state().applied, Index(3));
  EXPECT_FALSE(host.replica->core().waits_for_applied());
}

TEST(Replica, makes_one_core_step_when_no_read_waits_for_what_it_applies) {
  Host host(1);
  lead_alone(host);
  host.propose(1, "a");
  while (host.disk.waiting() > 1) host.disk_step();
  const std::uint64_t steps = host.observer.steps;
  host.disk_step();
  EXPECT_EQ(host.machine.applied.back(), "3:a");
  EXPECT_EQ(host.observer.steps, steps + 1);
}

TEST(Replica, gathers_the_messages_of_all_core_steps_of_one_call) {
  Host host(3);
  wait_with_a_read(host);
  while (host.disk.waiting() > 1) host.disk_step();
  // The proposal makes the first core step send appends; the second one, for the read, must not lose them.
  host.replica->propose(2, bytes("b"));
  host.disk_step();
  EXPECT_EQ(host.out.reads.size(), 1U);
  EXPECT_EQ(host.out.messages.size(), 2U);
  EXPECT_EQ(host.out.accepted.size(), 1U);
}

TEST(Replica, gathers_the_reads_of_all_core_steps_of_one_call) {
  // Two reads of one round: what the first one asks for is applied, the second one's entry not yet durable.
  Host host(3);
  lead_of_three(host);
  host.propose(1, "a");
  host.replica->read_barrier(8);
  for (const std::uint32_t peer : {2U, 3U})
    host.replica->receive(Envelope{node(peer), node(1), Term(2), AppendReply{Index(3), ReadSeq{}}});
  host.replica->read_barrier(9);
  host.step();
  ASSERT_EQ(host.state().commit, Index(3));
  ASSERT_EQ(host.replica->view().reads.size(), 2U);
  while (host.disk.waiting() > 1) host.disk_step();
  host.replica->receive(Envelope{node(2), node(1), Term(2), HeartbeatReply{host.state().read_issued}});
  host.disk_step();
  ASSERT_EQ(host.out.reads.size(), 2U);
  EXPECT_EQ(host.out.reads[0].tag, 8U);
  EXPECT_EQ(host.out.reads[1].tag, 9U);
}

// ---- The observer -----------------------------------------------------------------------------------------

TEST(ReplicaObserver, hears_of_a_step_after_its_write_was_handed_over_and_before_anything_is_applied) {
  Host host(1);
  lead_alone(host);
  std::vector<std::string> journal;
  host.machine.on_apply = [&](const EntryView& entry) {
    journal.push_back("apply " + std::to_string(entry.id.index.value()));
  };
  host.observer.on_step = [&](const trace::Step& step) {
    if (step.output.write.seq) {
      EXPECT_EQ(host.replica->wal().appended(), step.output.write.seq);
      journal.emplace_back("write");
    }
    for (const Slice& slice : step.output.apply)
      journal.push_back("to apply " + std::to_string(slice.last_index().value()));
  };
  host.propose(1, "a");
  host.settle();
  EXPECT_THAT(journal, ElementsAre("write", "to apply 3", "apply 3"));
}

TEST(ReplicaObserver, hears_of_each_core_step_once_with_its_node_inputs_and_the_state_after_it) {
  Host host(3, 2);
  ASSERT_TRUE(host.start());
  host.settle();
  const std::uint64_t steps = host.observer.steps;
  NodeId heard;
  Term term;
  host.observer.on_step = [&](const trace::Step& step) {
    heard = step.node;
    term = step.view.state.hard.term;
  };
  host.replica->tick();
  host.replica->campaign();
  host.step();
  EXPECT_EQ(host.observer.steps, steps + 1);
  EXPECT_EQ(host.observer.last_inputs, 2U);
  EXPECT_EQ(heard, node(2));
  EXPECT_EQ(term, Term(2));
}

TEST(ReplicaObserver, gets_a_delta_for_each_input_and_the_flush_when_it_wants_them) {
  Host host(3);
  ASSERT_TRUE(host.start());
  host.observer.deltas = true;
  host.replica->tick();
  host.replica->tick();
  host.step();
  EXPECT_EQ(host.observer.last_deltas, 3U);
  host.observer.deltas = false;
  host.replica->tick();
  host.step();
  EXPECT_EQ(host.observer.last_deltas, 0U);
}

TEST(ReplicaObserver, changes_nothing) {
  Host watched(1);
  watched.observer.deltas = true;
  lead_alone(watched);
  watched.propose(1, "a");
  watched.settle();

  Host alone(1);
  ASSERT_TRUE(alone.start());
  ReplicaOutput out;
  const auto settle = [&] {
    while (!alone.disk.idle()) {
      alone.replica->complete(alone.disk.step());
      alone.replica->step(out);
    }
  };
  settle();
  alone.replica->campaign();
  alone.replica->step(out);
  settle();
  alone.replica->step(out);
  alone.replica->propose(1, bytes("a"));
  alone.replica->step(out);
  settle();
  EXPECT_EQ(alone.replica->core().hash(), watched.replica->core().hash());
  EXPECT_EQ(alone.replica->wal().chain(), watched.replica->wal().chain());
  EXPECT_EQ(alone.machine.applied, watched.machine.applied);
}

}  // namespace
}  // namespace raftlab::raft
