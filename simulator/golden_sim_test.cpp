#include "simulator/run.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace raftlab::simulator::testing {
namespace {

/// The one golden digest of a whole run: three nodes, a virtual second, no faults. It changes when the core, the log on disk,
/// the store, the simulator or what the digest covers does, and says so before anybody wonders why an old trace differs. When
/// that was the intention, write down the new value.
TEST(GoldenSim, AQuietSecondHasThisDigest) {
  Profile profile;
  profile.nodes = 3;
  profile.fault_phase_ns = second;
  RandomChooser chooser{Seed(1)};
  const RunResult result = run(profile, chooser, {});
  EXPECT_EQ(result.verdict, Verdict::holds) << result.reason;
  EXPECT_EQ(result.digest, 0x9e36ed0a4d415ef4ULL) << std::hex << result.digest;
  EXPECT_EQ(result.steps, 1495U);
}

}  // namespace
}  // namespace raftlab::simulator::testing
