#include "tools/diskeyval/process_audit.hpp"
#include "tools/diskeyval/process_cluster.hpp"
#include "tools/diskeyval/process_load.hpp"
#include "tools/diskeyval/process_waits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

/// Real processes over mutual TLS, under load, with faults from outside. What the clients were told is judged by the exact
/// search; a test in which the fault did not strike, or hardly anything was done, fails.
///
/// DISKEYVAL_KILLS=50: how often the leader is killed (3 if not set).
namespace raftlab::diskeyval {
namespace {

using namespace test;

int kills() {
  const char* text = std::getenv("DISKEYVAL_KILLS");
  return text == nullptr ? 3 : std::max(1, std::atoi(text));
}

TEST(Processes, TheLeaderIsKilledAgainAndAgainUnderLoadAndNothingIsLost) {
  ProcessCluster cluster(3);
  ASSERT_NE(wait_for_leader(cluster), 0U) << cluster.said(1);
  Load load(cluster, 4);
  ASSERT_TRUE(goes_on(load, 50));
  const int times = kills();
  for (int i = 0; i < times; ++i) {
    const std::uint32_t leads = wait_for_leader(cluster);
    ASSERT_NE(leads, 0U);
    cluster.kill(leads);
    EXPECT_TRUE(goes_on(load, 50)) << "after kill " << i << "\n" << cluster.said(leads % 3 + 1);
    cluster.start(leads);
    EXPECT_TRUE(wait_until_ready(cluster, leads)) << cluster.said(leads);
  }
  expect_audited(cluster, load.end(), static_cast<std::size_t>(times) * 50);
}

TEST(Processes, ALeaderThatSleepsBeyondItsTimeServesNothingStaleWhenItWakes) {
  ProcessCluster cluster(3);
  ASSERT_NE(wait_for_leader(cluster), 0U) << cluster.said(1);
  Load load(cluster, 4);
  ASSERT_TRUE(goes_on(load, 50));
  const std::uint32_t sleeps = wait_for_leader(cluster);
  cluster.signal(sleeps, SIGSTOP);
  EXPECT_NE(wait_for_leader_at(cluster, sleeps % 3 + 1, [&](std::uint32_t leads) { return leads != sleeps; }),
            0U);
  EXPECT_TRUE(goes_on(load, 50));
  cluster.signal(sleeps, SIGCONT);
  EXPECT_TRUE(goes_on(load, 200));
  expect_audited(cluster, load.end(), 300);
}

TEST(Processes, RestartedOneAfterTheOtherTheyGoOnAnswering) {
  ProcessCluster cluster(3);
  ASSERT_NE(wait_for_leader(cluster), 0U) << cluster.said(1);
  Load load(cluster, 4);
  for (std::uint32_t id = 1; id <= 3; ++id) {
    ASSERT_TRUE(goes_on(load, 50));
    const bool led = cluster.leader() == id;
    EXPECT_EQ(cluster.end(id), 0) << cluster.said(id);
    if (led) {
      EXPECT_NE(cluster.said(id).find("\"role\":\"follower\""), std::string::npos) << cluster.said(id);
    }
    EXPECT_TRUE(goes_on(load, 50));
    cluster.start(id);
    EXPECT_TRUE(wait_until_ready(cluster, id)) << cluster.said(id);
  }
  expect_audited(cluster, load.end(), 300);
}

/// What must never be done to a node is found by the audit, and not only when it does harm.
TEST(Processes, ANodeWhoseDataWasRemovedBehindItsBackBreaksARung) {
  ProcessCluster cluster(3);
  const std::uint32_t leads = wait_for_leader(cluster);
  ASSERT_NE(leads, 0U) << cluster.said(1);
  Load load(cluster, 2);
  ASSERT_TRUE(goes_on(load, 50));
  const std::uint32_t follows = leads % 3 + 1;
  cluster.kill(follows);
  fs::remove_all(cluster.data(follows));
  cluster.start(follows);
  ASSERT_TRUE(goes_on(load, 50));
  EXPECT_TRUE(wait_until_ready(cluster, follows)) << cluster.said(follows);

  const reports::AuditReport report = audited(cluster, load.end());
  EXPECT_EQ(report.verdict(), invariants::AuditVerdict::violated)
      << reports::audit_text(report, reports::Colour::off);
  const auto& findings = report.nodes.findings;
  for (const invariants::Rung rung : {invariants::Rung::R1, invariants::Rung::R3})
    EXPECT_TRUE(std::ranges::any_of(findings, [&](const auto& finding) { return finding.rung == rung; }))
        << invariants::info(rung).id;
}

}  // namespace
}  // namespace raftlab::diskeyval
