#include "kv/service.hpp"

#include "kv/test_cluster.hpp"

#include <gtest/gtest.h>

namespace raftlab::kv {
namespace {

using test::ask;
using test::Cluster;
using test::only;
using test::read;
using test::write;
using test::write_in;

// ---- A leader that works
// ---------------------------------------------------------------------------------------

class OneNode : public ::testing::Test {
 protected:
  OneNode() : cluster_(1) { cluster_.elect(1); }
  Cluster cluster_;
};

TEST_F(OneNode, a_write_is_answered_with_its_index) {
  const Answer answer = ask(cluster_, 1, write(7, Put{"k", "v"}));
  EXPECT_EQ(answer.status, Status::ok);
  EXPECT_EQ(answer.index, cluster_.service(1).store().applied());
  EXPECT_FALSE(answer.duplicate);
  EXPECT_EQ(cluster_.service(1).store().get("k"), "v");
  EXPECT_EQ(cluster_.service(1).waiting(), 0U);
}

TEST_F(OneNode, a_failed_compare_tells_what_it_found) {
  ask(cluster_, 1, write(1, Put{"k", "v"}));
  const Answer answer = ask(cluster_, 1, write(2, CompareAndSwap{"k", "other", "new"}));
  EXPECT_EQ(answer.status, Status::compare_failed);
  EXPECT_EQ(answer.found, "v");
}

TEST_F(OneNode, a_retry_in_a_session_gets_the_first_answer) {
  const ClientId client = ask(cluster_, 1, write(1, OpenSession{})).client;
  EXPECT_TRUE(client);
  const Answer first = ask(cluster_, 1, write_in(2, client, 1, CompareAndSwap{"k", "old", "new"}));
  EXPECT_EQ(first.status, Status::compare_failed);
  ask(cluster_, 1, write(3, Put{"k", "old"}));
  const Answer second = ask(cluster_, 1, write_in(4, client, 1, CompareAndSwap{"k", "old", "new"}));
  EXPECT_EQ(second.status, Status::compare_failed);
  EXPECT_TRUE(second.duplicate);
  EXPECT_EQ(second.found, first.found);
  EXPECT_EQ(second.index, first.index);
}

TEST_F(OneNode, C16_another_command_under_a_number_that_was_used_is_refused) {
  const ClientId client = ask(cluster_, 1, write(1, OpenSession{})).client;
  EXPECT_EQ(ask(cluster_, 1, write_in(2, client, 1, Put{"k", "v"})).status, Status::ok);
  const Answer refused = ask(cluster_, 1, write_in(3, client, 1, Put{"k", "w"}));
  EXPECT_EQ(refused.status, Status::bad_request);
  EXPECT_EQ(refused.error, CommandError::sequence_reused);
  EXPECT_FALSE(refused.duplicate);
  EXPECT_EQ(cluster_.service(1).store().get("k"), "v");
  EXPECT_TRUE(ask(cluster_, 1, write_in(4, client, 1, Put{"k", "v"})).duplicate);
}

TEST_F(OneNode, a_session_that_is_not_there_is_expired) {
  EXPECT_EQ(ask(cluster_, 1, write_in(1, ClientId(1), 1, Put{"k", "v"})).status, Status::session_expired);
  EXPECT_EQ(cluster_.service(1).store().size(), 0U);
}

TEST_F(OneNode, reads_see_the_keys_at_one_index) {
  ask(cluster_, 1, write(1, PutBatch{{Put{"a", "1"}, Put{"b", ""}}}));
  for (const ReadPolicy policy : {ReadPolicy::stale, ReadPolicy::read_index}) {
    const Answer answer =
        ask(cluster_, 1, read(2 + static_cast<std::uint64_t>(policy), {"b", "none", "a"}, policy));
    EXPECT_EQ(answer.status, Status::ok);
    EXPECT_EQ(answer.index, cluster_.service(1).store().applied());
    EXPECT_EQ(answer.values, (std::vector<std::optional<std::string>>{"", std::nullopt, "1"}));
  }
}

TEST_F(OneNode, what_cannot_be_a_command_is_a_bad_request) {
  auto error_of = [&, tag = std::uint64_t{0}](Request request) mutable {
    request.tag = ++tag;
    const Answer answer = ask(cluster_, 1, request);
    EXPECT_EQ(answer.status, Status::bad_request);
    return answer.error;
  };
  const raft::Index before = cluster_.service(1).replica().view().state.last.index;
  EXPECT_EQ(error_of(write(0, Put{"", "v"})), CommandError::empty_key);
  EXPECT_EQ(error_of(write(0, PutBatch{})), CommandError::empty_batch);
  EXPECT_EQ(error_of(write_in(0, ClientId(1), 0, Put{"k", "v"})), CommandError::no_sequence);
  EXPECT_EQ(error_of(write_in(0, ClientId(1), 1, OpenSession{})), CommandError::open_in_session);
  EXPECT_EQ(error_of(write(0, PutBatch{{Put{"a", std::string(value_bytes_max, 'v')},
                                        Put{"b", std::string(value_bytes_max, 'v')}}})),
            CommandError::command_too_large);
  EXPECT_EQ(error_of(read(0, {})), CommandError::empty_batch);
  EXPECT_EQ(error_of(read(0, {"a", ""})), CommandError::empty_key);
  EXPECT_EQ(error_of(read(0, std::vector<std::string>(batch_entries_max + 1, "k"))),
            CommandError::batch_too_large);
  EXPECT_EQ(cluster_.service(1).replica().view().state.last.index, before) << "nothing was proposed";
}

TEST_F(OneNode, a_tag_may_be_used_twice_at_a_time) {
  cluster_.request(1, write(1, Put{"a", "1"}));
  cluster_.request(1, write(1, Put{"b", "1"}));
  cluster_.settle();
  EXPECT_EQ(cluster_.answers(1, 1).size(), 2U);
}

// ---- Waiting
// ---------------------------------------------------------------------------------------------------

TEST_F(OneNode, a_write_is_not_answered_before_it_is_durable) {
  cluster_.node(1).disk.slow = true;
  cluster_.request(1, write(1, Put{"k", "v"}));
  cluster_.settle();
  EXPECT_TRUE(cluster_.answers(1, 1).empty());
  EXPECT_EQ(cluster_.service(1).waiting(), 1U);
  cluster_.node(1).disk.slow = false;
  cluster_.settle();
  EXPECT_EQ(only(cluster_, 1, 1).status, Status::ok);
}

TEST_F(OneNode, a_deadline_counts_from_the_request) {
  cluster_.tick_all(3);
  cluster_.node(1).disk.slow = true;
  cluster_.request(1, write(1, Put{"k", "v"}, 2));
  cluster_.request(1, write(2, Put{"k", "v"}, 0));
  cluster_.request(1, write(3, Put{"k", "v"}, 1000));
  cluster_.settle();
  EXPECT_EQ(cluster_.service(1).waiting(), 3U);
  cluster_.tick_all(1);
  EXPECT_TRUE(cluster_.answers(1, 1).empty());
  EXPECT_EQ(only(cluster_, 1, 2).status, Status::timed_out) << "0 counts as 1";
  cluster_.tick_all(1);
  EXPECT_EQ(only(cluster_, 1, 1).status, Status::timed_out);
  cluster_.tick_all(997);
  EXPECT_TRUE(cluster_.answers(1, 3).empty());
  cluster_.tick_all(1);
  EXPECT_EQ(only(cluster_, 1, 3).status, Status::timed_out);
  EXPECT_EQ(cluster_.service(1).waiting(), 0U);
  cluster_.node(1).disk.slow = false;
  cluster_.settle();
  EXPECT_EQ(cluster_.node(1).answers.size(), 3U);
  EXPECT_EQ(cluster_.service(1).store().get("k"), "v") << "a write that timed out may take effect later";
}

TEST_F(OneNode, several_ticks_in_one_step_pass_several_deadlines) {
  cluster_.node(1).disk.slow = true;
  for (std::uint32_t deadline = 1; deadline <= 5; ++deadline)
    cluster_.request(1, write(deadline, Put{"k", "v"}, deadline));
  for (int i = 0; i < 4; ++i) cluster_.service(1).tick();
  cluster_.step(1);
  EXPECT_EQ(cluster_.node(1).answers.size(), 4U);
  EXPECT_TRUE(cluster_.answers(1, 5).empty());
}

TEST(Service, refuses_more_requests_than_may_wait) {
  Cluster cluster(1, [](ServiceOptions& options) { options.requests_max = 2; });
  cluster.elect(1);
  cluster.node(1).disk.slow = true;
  for (std::uint64_t tag = 1; tag <= 3; ++tag) cluster.request(1, write(tag, Put{"k", "v"}));
  cluster.settle();
  EXPECT_EQ(only(cluster, 1, 3).status, Status::overloaded);
  EXPECT_EQ(ask(cluster, 1, read(4, {"k"}, ReadPolicy::stale)).status, Status::overloaded);
  cluster.node(1).disk.slow = false;
  cluster.settle();
  EXPECT_EQ(only(cluster, 1, 1).status, Status::ok);
  EXPECT_EQ(only(cluster, 1, 2).status, Status::ok);
  EXPECT_EQ(ask(cluster, 1, write(5, Put{"k", "v"})).status, Status::ok) << "room is made again";
}

TEST(Service, passes_on_that_the_log_is_full) {
  Cluster cluster(1, [](ServiceOptions& options) { options.replica.core.limits.uncommitted_bytes_max = 40; });
  cluster.elect(1);
  cluster.node(1).disk.slow = true;
  cluster.request(1, write(1, Put{"k", std::string(20, 'v')}));
  cluster.request(1, write(2, Put{"k", std::string(20, 'v')}));
  cluster.settle();
  EXPECT_EQ(only(cluster, 1, 2).status, Status::overloaded);
}

// ---- No leader, another leader
// ---------------------------------------------------------------------------------

TEST(Service, without_a_leader_nothing_is_done_and_nobody_is_named) {
  Cluster cluster(3);
  cluster.settle();
  for (const Answer& answer : {ask(cluster, 1, write(1, Put{"k", "v"})), ask(cluster, 1, read(2, {"k"}))}) {
    EXPECT_EQ(answer.status, Status::not_leader);
    EXPECT_FALSE(answer.leader);
  }
  EXPECT_EQ(ask(cluster, 1, read(3, {"k"}, ReadPolicy::stale)).status, Status::ok);
}

TEST(Service, a_follower_names_the_leader) {
  Cluster cluster(3);
  cluster.elect(2);
  const Answer answer = ask(cluster, 1, write(1, Put{"k", "v"}));
  EXPECT_EQ(answer.status, Status::not_leader);
  EXPECT_EQ(answer.leader, raft::NodeId(2));
}

TEST(Service, a_new_leader_is_not_ready_for_reads_before_it_has_committed) {
  Cluster cluster(3);
  cluster.settle();
  cluster.service(1).campaign();
  for (int i = 0; i < 100 && cluster.service(1).replica().view().state.role != raft::Role::leader; ++i) {
    for (std::uint32_t id = 1; id <= 3; ++id) cluster.step(id);
    while (cluster.messages() > 0) cluster.deliver(0);
  }
  ASSERT_EQ(cluster.service(1).replica().view().state.role, raft::Role::leader);
  cluster.request(1, read(1, {"k"}));
  cluster.step(1);
  EXPECT_EQ(only(cluster, 1, 1).status, Status::not_ready);
  cluster.settle();
  EXPECT_EQ(ask(cluster, 1, read(2, {"k"})).status, Status::ok);
}

TEST(Service, a_proposal_that_was_overwritten_is_answered_as_soon_as_that_is_certain) {
  Cluster cluster(3);
  cluster.elect(1);
  cluster.cut_off = {1};
  cluster.request(1, write(1, Put{"k", "lost"}, 1000));
  cluster.request(1, write(2, Put{"k", "lost"}, 1000));
  cluster.request(1, write(3, Put{"k", "lost"}, 1000));
  cluster.settle();
  cluster.tick_all(60);
  EXPECT_TRUE(cluster.answers(1, 1).empty()) << "the loss of leadership tells nothing";
  cluster.cut_off = {};
  cluster.elect(2);
  cluster.tick_all(60);
  for (std::uint64_t tag = 1; tag <= 3; ++tag) {
    const Answer answer = only(cluster, 1, tag);
    EXPECT_EQ(answer.status, Status::not_leader)
        << "only one entry of the new term stands in the way of three";
    EXPECT_TRUE(answer.leader);
  }
  EXPECT_EQ(cluster.service(1).store().get("k"), std::nullopt);
  EXPECT_EQ(cluster.service(1).store().digest(), cluster.service(2).store().digest());
}

TEST(Service, a_proposal_that_another_leader_commits_is_answered_with_its_result) {
  Cluster cluster(3);
  cluster.elect(1);
  // The followers hold the entry, the leader does not learn of it.
  cluster.request(1, write(1, Put{"k", "v"}, 1000));
  cluster.step(1);
  while (cluster.messages() > 0) cluster.deliver(0);
  cluster.step(2);
  cluster.step(3);
  cluster.cut_off = {1};
  cluster.settle();
  EXPECT_TRUE(cluster.answers(1, 1).empty());
  cluster.tick_all(60);
  cluster.cut_off = {};
  cluster.tick_all(60);
  EXPECT_EQ(only(cluster, 1, 1).status, Status::ok);
  for (std::uint32_t id = 1; id <= 3; ++id) EXPECT_EQ(cluster.service(id).store().get("k"), "v");
}

/// Like figure 8: the entry of the first leader is overwritten there by the second, and committed by the
/// third, who had received it. That it was cut from the log here must not be taken for its end.
TEST(Service, a_proposal_that_was_cut_from_the_log_here_may_still_be_committed) {
  Cluster cluster(5);
  cluster.elect(1);
  const auto all_step = [&] {
    for (std::uint32_t id = 1; id <= 5; ++id) cluster.step(id);
  };
  const auto wait_alone = [&] {
    for (int i = 0; i < 40; ++i) {
      for (std::uint32_t id = 2; id <= 5; ++id) cluster.service(id).tick();
      all_step();
      cluster.deliver_only([](const raft::Envelope&) { return false; });
    }
  };
  const auto is_vote = [](const raft::Envelope& envelope) {
    return envelope.kind() == raft::MessageKind::request_vote ||
           envelope.kind() == raft::MessageKind::vote_reply;
  };
  /// Elects a node by the votes of 4 and 5; what else it sends is lost, except what `passes` lets through.
  const auto elect_by_minor_voters = [&](std::uint32_t candidate, const auto& passes) {
    wait_alone();
    const auto leads = [&] {
      return cluster.service(candidate).replica().view().state.role == raft::Role::leader;
    };
    for (int i = 0; i < 200 && !leads(); ++i) {
      if (i % 20 == 0) cluster.service(candidate).campaign();
      all_step();
      cluster.deliver_only([&](const raft::Envelope& envelope) {
        const auto among = [&](raft::NodeId node) { return node.value() == candidate || node.value() >= 4; };
        return (is_vote(envelope) && among(envelope.from) && among(envelope.to)) || passes(envelope);
      });
    }
    ASSERT_TRUE(leads()) << candidate;
  };

  cluster.request(1, write(1, Put{"k", "v"}, 10'000));
  cluster.step(1);
  cluster.deliver_only([](const raft::Envelope& envelope) { return envelope.to == raft::NodeId(2); });
  const raft::LogId proposed = cluster.service(1).replica().view().state.last;

  elect_by_minor_voters(3, [](const raft::Envelope&) { return false; });
  for (int i = 0; i < 12; ++i) {
    cluster.service(3).tick();
    all_step();
    cluster.deliver_only([](const raft::Envelope& envelope) {
      return envelope.from.value() + envelope.to.value() == 4 && envelope.from != raft::NodeId(2);
    });
  }
  ASSERT_GT(cluster.service(1).replica().view().state.last.term, proposed.term)
      << "the proposal was overwritten";
  EXPECT_TRUE(cluster.answers(1, 1).empty());

  elect_by_minor_voters(2, [](const raft::Envelope&) { return false; });
  cluster.tick_all(60);
  const Answer answer = only(cluster, 1, 1);
  EXPECT_EQ(answer.status, Status::ok);
  EXPECT_EQ(answer.index, proposed.index);
  EXPECT_EQ(cluster.service(1).store().get("k"), "v");
}

TEST(Service, a_read_of_a_leader_that_was_deposed_is_not_answered_from_its_store) {
  Cluster cluster(3);
  cluster.elect(1);
  EXPECT_EQ(ask(cluster, 1, write(1, Put{"k", "old"})).status, Status::ok);
  cluster.cut_off = {1};
  cluster.request(1, read(2, {"k"}));
  cluster.settle();
  EXPECT_TRUE(cluster.answers(1, 2).empty()) << "no quorum has confirmed it";
  cluster.tick_all(99);
  const Status status = only(cluster, 1, 2).status;
  EXPECT_TRUE(status == Status::not_leader || status == Status::timed_out) << name(status);
}

TEST(Service, a_read_at_a_follower_is_forwarded_and_sees_what_was_acknowledged) {
  Cluster cluster(3);
  cluster.elect(1);
  const Answer put = ask(cluster, 1, write(1, Put{"k", "v"}));
  ASSERT_EQ(put.status, Status::ok);
  ASSERT_LT(cluster.service(2).store().applied(), put.index) << "it does not know of the commit yet";
  cluster.request(2, read(2, {"k"}));
  cluster.tick_all(10);
  const Answer answer = only(cluster, 2, 2);
  EXPECT_EQ(answer.status, Status::ok);
  EXPECT_EQ(answer.values.at(0), "v");
  EXPECT_GE(answer.index, put.index);
}

TEST(Service, a_read_that_the_leader_does_not_answer_times_out_before_its_deadline) {
  Cluster cluster(3);
  cluster.elect(1);
  cluster.tick_all(10);
  cluster.request(2, read(2, {"k"}, ReadPolicy::read_index, 1000));
  for (int tick = 0; tick < 30 && cluster.answers(2, 2).empty(); ++tick) {
    for (std::uint32_t id = 1; id <= 3; ++id) cluster.service(id).tick();
    for (int round = 0; round < 10; ++round) {
      for (std::uint32_t id = 1; id <= 3; ++id) cluster.step(id);
      cluster.deliver_only([](const raft::Envelope& envelope) {
        return envelope.kind() != raft::MessageKind::read_index_reply;
      });
    }
  }
  EXPECT_EQ(only(cluster, 2, 2).status, Status::timed_out);
}

TEST(Service, a_lease_read_takes_no_message) {
  Cluster cluster(3, [](ServiceOptions& options) { options.replica.core.lease_drift_ppm = 1000; });
  cluster.tick_all(30);  // promises of earlier lives end
  for (std::uint32_t tick = 0; tick < 60; ++tick) cluster.tick_all();
  std::uint32_t leader = 0;
  for (std::uint32_t id = 1; id <= 3; ++id) {
    if (cluster.service(id).replica().view().state.role == raft::Role::leader) leader = id;
  }
  ASSERT_NE(leader, 0U);
  cluster.request(leader, read(1, {"k"}, ReadPolicy::lease));
  cluster.step(leader);
  EXPECT_EQ(only(cluster, leader, 1).status, Status::ok);
  EXPECT_EQ(cluster.messages(), 0U);
  cluster.request(leader, read(2, {"k"}));
  cluster.step(leader);
  EXPECT_TRUE(cluster.answers(leader, 2).empty());
  EXPECT_NE(cluster.messages(), 0U) << "without a lease it asks the others";
}

TEST(Service, the_read_policy_can_be_switched_at_run_time) {
  Cluster cluster(3);
  cluster.elect(1);
  EXPECT_EQ(ask(cluster, 1, write(1, Put{"k", "v"})).status, Status::ok);
  cluster.tick_all(10);
  cluster.cut_off = {2};
  const auto pending = [&](const Request& request) {
    cluster.request(2, request);
    cluster.settle();
    return cluster.answers(2, request.tag).empty();
  };
  EXPECT_TRUE(pending(read(2, {"k"}))) << "nobody answers it";
  cluster.service(2).set_read_policy(ReadPolicy::stale);
  EXPECT_EQ(ask(cluster, 2, read(3, {"k"})).values.at(0), "v");
  EXPECT_TRUE(pending(read(4, {"k"}, ReadPolicy::read_index))) << "a request decides";
  cluster.request(2, read(5, {"k"}));
  cluster.service(2).set_read_policy(ReadPolicy::read_index);
  cluster.settle();
  EXPECT_EQ(only(cluster, 2, 5).status, Status::ok) << "the policy of the time of the request counts";
  EXPECT_TRUE(pending(read(6, {"k"})));
}

// ---- Faults
// ----------------------------------------------------------------------------------------------------

TEST_F(OneNode, after_a_fault_everything_is_answered) {
  cluster_.node(1).disk.slow = true;
  cluster_.request(1, write(1, Put{"k", "v"}));
  cluster_.settle();
  cluster_.node(1).disk.failing = true;
  cluster_.request(1, write(2, Put{"k", "w"}));
  cluster_.settle();
  cluster_.node(1).disk.slow = false;
  cluster_.request(1, write(3, Put{"k", "x"}));
  cluster_.request(1, read(4, {"k"}));
  cluster_.request(1, read(5, {"k"}, ReadPolicy::stale));
  cluster_.settle();
  ASSERT_TRUE(cluster_.node(1).out.fault);
  EXPECT_EQ(only(cluster_, 1, 2).status, Status::unknown);
  EXPECT_EQ(cluster_.service(1).waiting(), 0U);
  cluster_.request(1, write(6, Put{"k", "y"}));
  cluster_.request(1, read(7, {"k"}, ReadPolicy::stale));
  cluster_.request(1, write(8, Put{"", "y"}));
  cluster_.step(1);
  for (std::uint64_t tag = 6; tag <= 8; ++tag) EXPECT_EQ(only(cluster_, 1, tag).status, Status::not_ready);
  EXPECT_EQ(cluster_.node(1).answers.size(), 8U);
}

TEST_F(OneNode, a_fault_tells_what_was_proposed_from_what_was_not) {
  cluster_.node(1).disk.slow = true;
  cluster_.node(1).disk.failing = true;
  cluster_.request(1, write(1, Put{"k", "v"}));
  cluster_.step(1);
  cluster_.node(1).disk.slow = false;
  cluster_.request(1, write(2, Put{"k", "x"}));
  cluster_.request(1, read(3, {"k"}));
  cluster_.request(1, read(4, {"k"}, ReadPolicy::stale));
  cluster_.step(1);
  ASSERT_TRUE(cluster_.node(1).out.fault);
  EXPECT_EQ(only(cluster_, 1, 1).status, Status::unknown);
  for (std::uint64_t tag = 2; tag <= 4; ++tag) EXPECT_EQ(only(cluster_, 1, tag).status, Status::not_ready);
}

// ---- The operator's requests -----------------------------------------------------------------------------------

class Changes : public ::testing::Test {
 protected:
  Changes() : cluster_(3) { cluster_.elect(1); }

  ChangeAnswer only_change(std::uint32_t node) {
    cluster_.settle();
    const std::vector<ChangeAnswer> changes = std::exchange(cluster_.node(node).changes, {});
    EXPECT_EQ(changes.size(), 1U);
    return changes.empty() ? ChangeAnswer{} : changes.front();
  }

  Cluster cluster_;
};

TEST_F(Changes, a_leader_takes_other_members_and_says_where) {
  cluster_.service(1).reconfigure(7, raft::voters_up_to(2), false);
  const ChangeAnswer answer = only_change(1);
  EXPECT_EQ(answer.tag, 7U);
  EXPECT_EQ(answer.outcome, ChangeAnswer::Outcome::accepted);
  const raft::View view = cluster_.service(1).replica().view();
  EXPECT_EQ(view.configurations.back().configuration, raft::voters_up_to(2));
  EXPECT_EQ(view.configurations.back().index, answer.index.next()) << "the joint configuration was left";
}

TEST_F(Changes, what_makes_no_sense_is_rejected_with_a_reason) {
  raft::Configuration nobody;
  cluster_.service(1).reconfigure(1, nobody, false);
  EXPECT_EQ(only_change(1).reason, raft::Rejection::bad_configuration);
  cluster_.service(1).transfer(2, raft::NodeId(1));
  EXPECT_EQ(only_change(1).reason, raft::Rejection::bad_target);
}

TEST_F(Changes, a_follower_names_the_leader) {
  cluster_.service(2).reconfigure(1, raft::voters_up_to(2), false);
  ChangeAnswer answer = only_change(2);
  EXPECT_EQ(answer.outcome, ChangeAnswer::Outcome::rejected);
  EXPECT_EQ(answer.reason, raft::Rejection::not_leader);
  EXPECT_EQ(answer.leader, raft::NodeId(1));
  cluster_.service(2).transfer(2, raft::NodeId(3));
  answer = only_change(2);
  EXPECT_EQ(answer.tag, 2U);
  EXPECT_EQ(answer.reason, raft::Rejection::not_leader);
}

TEST_F(Changes, a_transfer_ends_with_another_leader) {
  cluster_.service(1).transfer(3, raft::NodeId(2));
  EXPECT_EQ(only_change(1).outcome, ChangeAnswer::Outcome::transferred);
  EXPECT_EQ(cluster_.service(2).replica().view().state.role, raft::Role::leader);
  EXPECT_EQ(ask(cluster_, 2, write(1, Put{"k", "v"})).status, Status::ok);
}

TEST_F(Changes, a_transfer_to_who_is_not_there_is_given_up_and_writes_go_on) {
  cluster_.cut_off = {2};
  cluster_.service(1).transfer(3, raft::NodeId(2));
  cluster_.settle();
  EXPECT_EQ(ask(cluster_, 1, write(1, Put{"k", "v"})).status, Status::not_ready);
  cluster_.tick_all(test::options_of(raft::NodeId(1)).replica.core.election_ticks_min);
  const ChangeAnswer answer = only_change(1);
  EXPECT_EQ(answer.outcome, ChangeAnswer::Outcome::rejected);
  EXPECT_EQ(answer.reason, raft::Rejection::timed_out);
  EXPECT_EQ(ask(cluster_, 1, write(2, Put{"k", "v"})).status, Status::ok);
}

/// What an observer hears, one line for each command.
class Lines final : public ApplyObserver {
 public:
  void applied(raft::Index index, const CommandView& command, const Result& result) override {
    lines.push_back(std::to_string(index.value()) + " " + std::to_string(command.change.index()) + " " +
                    name(result.effect));
  }
  void restored(raft::Index index) override { lines.push_back("restored " + std::to_string(index.value())); }

  std::vector<std::string> lines;
};

TEST(Service, an_observer_hears_of_what_is_applied_here_in_log_order) {
  Lines heard;
  Cluster cluster(3, [&](ServiceOptions& options) {
    if (options.replica.core.id == raft::NodeId(2)) options.observer = &heard;
  });
  cluster.elect(1);
  EXPECT_EQ(ask(cluster, 1, write(1, Put{"k", "v"})).status, Status::ok);
  EXPECT_EQ(ask(cluster, 1, write(2, CompareAndSwap{"k", "w", "x"})).status, Status::compare_failed);
  EXPECT_EQ(ask(cluster, 1, read(3, {"k"})).status, Status::ok);
  cluster.tick_all(10);  // the follower hears what is committed
  EXPECT_EQ(heard.lines, (std::vector<std::string>{"3 0 done", "4 2 compare failed"}));
}

TEST(Service, options_that_no_core_takes_are_refused) {
  test::TestDisk disk;
  test::TestDisk snapshots;
  ServiceOptions options = test::options_of(raft::NodeId(1));
  options.replica.core.heartbeat_ticks = 0;
  const auto opened = Service::open(options, {&disk, &snapshots}, raft::bootstrap(raft::voters_up_to(1)));
  ASSERT_TRUE(std::holds_alternative<raft::wal::Refusal>(opened));
}

TEST(Service, a_restart_applies_the_log_to_an_empty_store) {
  test::TestDisk disk;
  test::TestDisk snapshots;
  const ServiceOptions options = test::options_of(raft::NodeId(1));
  const auto open = [&] {
    auto opened = Service::open(options, {&disk, &snapshots}, raft::bootstrap(raft::voters_up_to(1)));
    return std::move(std::get<std::unique_ptr<Service>>(opened));
  };
  const auto run = [&](Service& service) {
    ServiceOutput out;
    std::vector<Answer> answers;
    for (int i = 0; i < 20; ++i) {
      for (const auto& completion : disk.take()) service.complete(completion);
      service.step(out);
      answers.insert(answers.end(), out.answers.begin(), out.answers.end());
    }
    return answers;
  };
  auto service = open();
  run(*service);
  service->campaign();
  run(*service);
  service->request(write(1, Put{"k", "v"}));
  EXPECT_EQ(run(*service).size(), 1U);

  service = open();
  EXPECT_EQ(service->store().size(), 0U);
  run(*service);
  service->campaign();
  EXPECT_TRUE(run(*service).empty());
  EXPECT_EQ(service->store().get("k"), "v");
}

}  // namespace
}  // namespace raftlab::kv
