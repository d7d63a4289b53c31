#pragma once

#include "invariants/search.hpp"
#include "tools/diskeyval/process_cluster.hpp"
#include "tools/diskeyval/process_load.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>

/// What tests of processes wait for, and how they judge. Deadlines are for what has gone wrong, not for slow machines.
namespace raftlab::diskeyval::test {

template <class Condition>
bool wait_for(Condition condition, std::chrono::seconds longest = std::chrono::seconds(60)) {
  const auto end = std::chrono::steady_clock::now() + longest;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

inline std::uint32_t wait_for_leader(const ProcessCluster& cluster, std::uint32_t other_than = 0) {
  std::uint32_t leads = 0;
  EXPECT_TRUE(wait_for([&] {
    leads = cluster.leader();
    return leads != 0 && leads != other_than;
  }));
  return leads;
}

/// Until this node takes one for the leader that pleases; 0: never.
template <class Pleases>
std::uint32_t wait_for_leader_at(const ProcessCluster& cluster, std::uint32_t node, Pleases pleases) {
  const auto asking = cluster.client(std::chrono::milliseconds(1000));
  std::uint32_t leads = 0;
  EXPECT_TRUE(wait_for([&] {
    const Reply reply = asking->ask_one(cluster.endpoint(node), "GET", "/status", "");
    leads = reply.status == 200 && reply.body.at("leader").is_number()
                ? reply.body.at("leader").get<std::uint32_t>()
                : 0;
    return leads != 0 && pleases(leads);
  })) << cluster.said(node);
  return leads;
}

/// Until the node says that it knows a leader and has applied what it knows to be committed.
inline bool wait_until_ready(const ProcessCluster& cluster, std::uint32_t node) {
  const auto asking = cluster.client(std::chrono::milliseconds(1000));
  return wait_for(
      [&] { return asking->ask_one(cluster.endpoint(node), "GET", "/readyz", "").status == 200; });
}

/// So many operations more are answered.
inline bool goes_on(const Load& load, std::uint64_t operations) {
  const std::uint64_t before = load.answered();
  return wait_for([&] { return load.answered() >= before + operations; });
}

/// `least` counts operations that succeeded: a history of refusals proves nothing.
inline void expect_linearizable(const invariants::History& history, std::size_t least) {
  const auto succeeded = std::ranges::count_if(history.entries, [](const invariants::HistoryEntry& entry) {
    return entry.fate == invariants::Fate::ok;
  });
  EXPECT_GE(static_cast<std::size_t>(succeeded), least);
  const invariants::SearchResult result = invariants::search(history);
  EXPECT_EQ(result.verdict, invariants::SearchVerdict::holds) << result.text;
}

}  // namespace raftlab::diskeyval::test
