#include "invariants/audit_history.hpp"

#include <gtest/gtest.h>

namespace raftlab::invariants {
namespace {

/// Client 100 writes a key twice, another one reads it; and the log that goes with it.
class AuditHistory : public testing::Test {
 protected:
  AuditHistory() {
    write(1, "a", 0, 10, 6);
    write(2, "b", 20, 30, 8);
    HistoryEntry read;
    read.id = OpId{7, 1};
    read.op = Get{"k"};
    read.fate = Fate::ok;
    read.outcome = Outcome::read(Value("b"));
    read.invoked_ns = 40;
    read.returned_ns = 50;
    read.index = raft::Index(8);
    history.entries.push_back(read);
    CommittedCommand session;
    session.index = raft::Index(5);
    session.opens_session = true;
    log = {command(1), command(2), command(3), command(4), session};
    log.push_back(command(6, OpId{5, 1}, Put{"k", "a"}));
    log.push_back(command(7));
    log.push_back(command(8, OpId{5, 2}, Put{"k", "b"}));
    for (HistoryEntry& entry : history.entries) {
      if (!is_read(entry.op)) entry.id.client = 5;
    }
  }
  void write(std::uint64_t sequence, const std::string& value, std::int64_t invoked, std::int64_t returned,
             std::uint64_t index) {
    HistoryEntry entry;
    entry.id = OpId{5, sequence};
    entry.op = Put{"k", value};
    entry.fate = Fate::ok;
    entry.outcome = Outcome::done();
    entry.invoked_ns = invoked;
    entry.returned_ns = returned;
    entry.index = raft::Index(index);
    history.entries.push_back(entry);
  }
  static CommittedCommand command(std::uint64_t index, std::optional<OpId> id = std::nullopt,
                                  Operation op = {}) {
    CommittedCommand one;
    one.index = raft::Index(index);
    one.id = id;
    one.op = std::move(op);
    return one;
  }
  [[nodiscard]] HistoryAudit judged() const {
    HistoryAuditOptions options;
    options.model.sessions_max = 10'000;
    return audit_history(history, log, options);
  }

  History history;
  std::vector<CommittedCommand> log;
};

TEST_F(AuditHistory, WhatIsInTheLogAndWasReadHolds) {
  const HistoryAudit result = judged();
  EXPECT_EQ(result.verdict, AuditVerdict::holds) << result.text;
  EXPECT_EQ(result.operations, 3U);
  EXPECT_GT(result.acknowledged_stays, 0U);
  EXPECT_GT(result.applied_once, 0U);
  EXPECT_EQ(result.linearizable, 3U);
}

TEST_F(AuditHistory, WhatWasAcknowledgedAndIsInNoLogBreaksE6) {
  log.pop_back();
  log.push_back(command(8));
  const HistoryAudit result = judged();
  EXPECT_EQ(result.verdict, AuditVerdict::violated);
  EXPECT_TRUE(result.text.starts_with("E6 ")) << result.text;
}

TEST_F(AuditHistory, WhatWasRefusedAndIsInTheLogBreaksE6) {
  history.entries.pop_back();
  history.entries.back().fate = Fate::fail;
  const HistoryAudit result = judged();
  EXPECT_EQ(result.verdict, AuditVerdict::violated);
  EXPECT_TRUE(result.text.starts_with("E6 refused, yet in the log")) << result.text;
}

TEST_F(AuditHistory, AReadThatSawWhatWasOverwrittenBreaksE8) {
  history.entries.back().outcome = Outcome::read(Value("a"));
  const HistoryAudit result = judged();
  EXPECT_EQ(result.verdict, AuditVerdict::violated);
  EXPECT_TRUE(result.text.starts_with("E8 ")) << result.text;
}

TEST_F(AuditHistory, WhatIsUnknownMayBeInTheLogOrNot) {
  history.entries[1].fate = Fate::unknown;
  EXPECT_EQ(judged().verdict, AuditVerdict::holds) << judged().text;
  history.entries.pop_back();
  log.pop_back();
  EXPECT_EQ(judged().verdict, AuditVerdict::holds) << judged().text;
}

TEST_F(AuditHistory, WithoutTheWholeLogOnlyE8IsJudged) {
  HistoryAuditOptions options;
  options.log_is_known = false;
  const HistoryAudit result = audit_history(history, {}, options);
  EXPECT_EQ(result.verdict, AuditVerdict::holds);
  EXPECT_EQ(result.acknowledged_stays, 0U);
  EXPECT_EQ(result.linearizable, 3U);
}

TEST_F(AuditHistory, WhenTheSearchGivesUpTheLogIsTheWitness) {
  HistoryAuditOptions options;
  options.model.sessions_max = 10'000;
  options.search.states_max = 1;
  const HistoryAudit witnessed = audit_history(history, log, options);
  EXPECT_EQ(witnessed.verdict, AuditVerdict::holds) << witnessed.text;
  EXPECT_GT(witnessed.linearizable, 0U);
  options.log_is_known = false;
  EXPECT_EQ(audit_history(history, {}, options).verdict, AuditVerdict::inconclusive);
}

TEST_F(AuditHistory, OtherClientsMayHaveUsedTheLog) {
  log.push_back(command(9, OpId{4, 1}, Put{"other", "x"}));
  EXPECT_EQ(judged().verdict, AuditVerdict::holds) << judged().text;
}

TEST_F(AuditHistory, AnOperationThatIsThereTwiceLeavesItUndecided) {
  history.entries[1].id = history.entries[0].id;
  EXPECT_EQ(judged().verdict, AuditVerdict::inconclusive);
}

}  // namespace
}  // namespace raftlab::invariants
