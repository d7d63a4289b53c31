#include "net/judge.hpp"

#include "raft/limits.hpp"
#include "raft/log.hpp"

#include <gtest/gtest.h>

namespace raftlab::net {
namespace {

using raft::Index;
using raft::LogId;
using raft::NodeId;
using raft::Term;

/// Node 1, in term 5 under node 2, with entries of the terms 1, 1, 3, 3, 5, of which the first three are committed.
class Judge : public ::testing::Test {
 protected:
  Judge() {
    for (const std::uint64_t term : {1U, 1U, 3U, 3U, 5U}) log.append(Term(term), raft::EntryKind::noop, {});
    view.id = NodeId(1);
    view.log = &log;
    view.state.hard.term = Term(5);
    view.state.leader = NodeId(2);
    view.state.role = raft::Role::follower;
    view.state.commit = Index(3);
    view.state.last = log.last_id();
  }
  [[nodiscard]] std::optional<Reason> of(std::uint32_t from, std::uint64_t term,
                                         raft::Message message) const {
    return objection_to({NodeId(from), NodeId(1), Term(term), std::move(message)}, view);
  }
  static raft::AppendEntries append(std::uint64_t term, std::uint64_t index,
                                    const std::vector<std::uint64_t>& entries = {}) {
    raft::AppendEntries append;
    append.prev = LogId{Term(term), Index(index)};
    append.entries = raft::Slice::make(Index(index + 1), 16, 64);
    for (const std::uint64_t each : entries)
      EXPECT_TRUE(append.entries.append(Term(each), raft::EntryKind::noop, {}));
    return append;
  }

  raft::Log log;
  raft::View view;
};

TEST_F(Judge, TermsThatNoElectionsLeadTo) {
  for (const std::uint64_t term :
       {~std::uint64_t{0}, raft::term_max + 1, raft::term_max, 6 + term_lead_max}) {
    for (const raft::Message& message : std::vector<raft::Message>{
             raft::RequestVote{}, raft::VoteReply{}, append(1, 1), raft::AppendReply{}, raft::Heartbeat{},
             raft::InstallSnapshot{}, raft::TimeoutNow{}, raft::ReadIndex{}})
      EXPECT_EQ(of(3, term, message), Reason::term_impossible) << term;
  }
  EXPECT_EQ(of(3, 5 + term_lead_max, raft::RequestVote{}), std::nullopt);
  EXPECT_EQ(of(3, 0, raft::RequestVote{}), std::nullopt);
  view.state.hard.term = Term(raft::term_max);
  EXPECT_EQ(of(3, raft::term_max, raft::RequestVote{}), std::nullopt);
  EXPECT_EQ(of(3, raft::term_max + 1, raft::RequestVote{}), Reason::term_impossible);
}

TEST_F(Judge, ATermHasOneLeader) {
  for (const raft::Message& message :
       std::vector<raft::Message>{append(5, 5), raft::Heartbeat{}, raft::InstallSnapshot{}}) {
    EXPECT_EQ(of(3, 5, message), Reason::two_leaders);
    EXPECT_EQ(of(2, 5, message), std::nullopt);
    EXPECT_EQ(of(3, 4, message), std::nullopt) << "late, and answered with our term";
    EXPECT_EQ(of(3, 6, message), std::nullopt) << "the next leader";
  }
  EXPECT_EQ(of(3, 5, raft::RequestVote{}), std::nullopt) << "whoever stands does not lead";
  view.state.leader = NodeId(1);
  view.state.role = raft::Role::leader;
  EXPECT_EQ(of(2, 5, raft::Heartbeat{}), Reason::two_leaders) << "we lead";
  view.state.leader = NodeId();
  EXPECT_EQ(of(3, 5, raft::Heartbeat{}), std::nullopt) << "nobody is known to lead";
}

TEST_F(Judge, ALeaderHasWhatIsCommitted) {
  EXPECT_EQ(of(2, 5, append(2, 3)), Reason::committed_conflict);
  EXPECT_EQ(of(2, 5, append(1, 2, {1})), Reason::committed_conflict);
  EXPECT_EQ(of(2, 5, append(0, 0, {1, 2})), Reason::committed_conflict);
  EXPECT_EQ(of(3, 6, append(4, 2)), Reason::committed_conflict) << "a later leader, too";
  for (const auto& fine : {append(1, 2, {3, 4}), append(0, 0, {1, 1, 3, 4}), append(4, 4), append(9, 9),
                           append(5, 5, {5}), append(3, 3), append(0, 0)})
    EXPECT_EQ(of(2, 5, fine), std::nullopt) << fine.prev.index.value();
  EXPECT_EQ(of(2, 4, append(2, 3)), std::nullopt) << "late: it did not have to";
}

TEST_F(Judge, WhatWasCompactedAwayIsNotJudged) {
  log.compact(Index(2));
  EXPECT_EQ(of(2, 5, append(7, 1)), std::nullopt);
  EXPECT_EQ(of(2, 5, append(7, 2)), Reason::committed_conflict) << "the base is known";
  EXPECT_EQ(of(2, 5, append(1, 1, {1, 4})), Reason::committed_conflict);
  EXPECT_EQ(of(2, 5, append(0, 0, {7, 1, 3})), std::nullopt);
}

}  // namespace
}  // namespace raftlab::net
