#include "net/attack_host_fixture.hpp"
#include "raft/limits.hpp"

#include <gtest/gtest.h>

namespace raftlab::net {
namespace {

using namespace test;

/// Members that say what no correct member says, or say again what was said before.
class AttackConsensus : public AttackHost {
 protected:
  static std::vector<raft::Message> one_of_each() {
    raft::InstallSnapshot install;
    install.last = at(1, 1);
    return {raft::RequestVote{at(9, 99), false, false},
            raft::RequestVote{at(9, 99), true, false},
            raft::VoteReply{false, true},
            append(at(5, 5), {5}, 6),
            raft::AppendReply{raft::Index(5), {}},
            raft::AppendReject{raft::Index(5), at(1, 1), {}},
            raft::Heartbeat{raft::Index(5), {}},
            raft::HeartbeatReply{},
            install,
            raft::SnapshotReply{raft::Index(5), 0, true},
            raft::TimeoutNow{},
            raft::ReadIndex{1, 1},
            raft::ReadIndexReply{1, 1, raft::Index(5)}};
  }
};

TEST_F(AttackConsensus, P35_ATermThatNoElectionsLeadToEndsTheLink) {
  begin();
  for (const std::uint64_t term : {~std::uint64_t{0}, raft::term_max + 1, raft::term_max})
    for (const raft::Message& message : one_of_each())
      expect_closed(3, from(3, term, message), Reason::term_impossible);
  EXPECT_LE(events(Reason::term_impossible), counters().closed(Reason::term_impossible))
      << "one line a second";
  // Whoever hears a leader is moved by no term of a candidate.
  expect_ignored(member(3), {from(3, 1'000'000, raft::RequestVote{at(9, 99), false, false}),
                             from(3, 1'000'000, raft::RequestVote{at(9, 99), true, false})});
  expect_ignored(leader(), {from(2, base_term, raft::Heartbeat{})});
}

TEST_F(AttackConsensus, P36_WhatIsOfAnEarlierTermChangesNothing) {
  begin();
  Stranger& stranger = member(3);
  for (const std::uint64_t term : {0U, 1U, 4U})
    for (const raft::Message& message : one_of_each()) expect_ignored(stranger, {from(3, term, message)});
}

TEST_F(AttackConsensus, P36_WhatWasSaidBeforeChangesNothingWhenItIsSaidAgain) {
  begin();
  const std::vector<raft::Envelope> captured = {
      from(2, base_term, append(at(5, 5), {5, 5}, 5)), from(2, base_term, append(at(5, 7), {5}, 6)),
      from(2, base_term, append(at(5, 8), {}, 8)), from(2, base_term, raft::Heartbeat{raft::Index(8), {}})};
  say(leader(), captured);
  ASSERT_TRUE(eventually([&] { return now().applied == raft::Index(8); }));
  // Again, twice as often, in any order, and over a new link.
  std::vector<raft::Envelope> again = captured;
  again.push_back(from(2, base_term, append(at(1, 1), {5, 5, 5, 5}, 4)));
  std::ranges::sort(again, {}, [](const raft::Envelope& envelope) { return raft::hash(envelope); });
  std::vector<raft::Envelope> flood = again;
  flood.insert(flood.end(), again.rbegin(), again.rend());
  expect_ignored(leader(), flood);
  expect_ignored(member(2), flood);
}

TEST_F(AttackConsensus, P37_WhatIsCommittedIsNeverCut) {
  begin();
  for (const raft::AppendEntries& bad : {append(at(4, 4), {5}, 4), append(at(3, 2), {}, 4),
                                         append(at(1, 1), {4, 4, 4, 4}, 5), append(at(0, 0), {2, 5}, 5)}) {
    expect_closed(2, from(2, base_term, bad), Reason::committed_conflict);
  }
  // Nor by who claims to lead the next term.
  for (const raft::AppendEntries& bad : {append(at(4, 4), {6}, 5), append(at(5, 3), {6}, 4)})
    expect_closed(3, from(3, base_term + 1, bad), Reason::committed_conflict);
  // What lies beyond the log is refused by the core, as it must be, and the link lives on.
  expect_ignored(member(2), {from(2, base_term, append(at(5, 99), {5}, 4))});
}

TEST_F(AttackConsensus, P37_WhatIsNotCommittedMayBeCut) {
  begin();
  say(member(3), {from(3, base_term + 1, append(at(5, 4), {6}, 4))});
  EXPECT_TRUE(eventually([&] { return now().last == at(6, 5); }));
  EXPECT_EQ(counters().closed(Reason::committed_conflict), 0U);
}

TEST_F(AttackConsensus, P38_ASecondLeaderOfTheTermLosesItsLink) {
  begin();
  raft::InstallSnapshot install;
  install.last = at(5, 9);
  install.total = 1'000;
  install.chunk.resize(100);
  for (const raft::Message& message : std::vector<raft::Message>{
           raft::Heartbeat{raft::Index(5), {}}, append(at(5, 5), {5}, 6), append(at(1, 1), {}, 0), install})
    expect_closed(3, from(3, base_term, message), Reason::two_leaders);
  expect_ignored(leader(), {from(2, base_term, raft::Heartbeat{})});
}

TEST_F(AttackConsensus, P39_AFloodOfVotesIsNotAFloodOfWrites) {
  begin();
  // In the next term nobody is known to lead, so that votes count.
  say(member(3), {from(3, base_term + 1, raft::HeartbeatReply{})});
  ASSERT_FALSE(now().leader);
  const raft::WriteSeq before = now().issued;
  std::vector<raft::Envelope> flood;
  for (std::uint64_t i = 0; i < 10'000; ++i)
    flood.push_back(from(3, base_term + 2 + i, raft::RequestVote{at(9, 99), false, false}));
  say(member(3), flood);
  EXPECT_TRUE(eventually([&] { return now().hard.term == raft::Term(base_term + 10'001); }));
  EXPECT_LT(now().issued.value() - before.value(), 2'000U);
  // Those of the same term, and those that only ask, cost none.
  const raft::WriteSeq written = now().issued;
  for (std::uint64_t i = 0; i < flood.size(); ++i)
    flood[i] = from(3, base_term + 10'001, raft::RequestVote{at(9, 99), i % 2 == 0, false});
  say(member(3), flood);
  EXPECT_EQ(now().issued, written);
}

}  // namespace
}  // namespace raftlab::net
