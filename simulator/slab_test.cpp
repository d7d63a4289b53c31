#include "simulator/slab.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

namespace raftlab::simulator {
namespace {

TEST(SlabTest, WhatIsPutIsTaken) {
  Slab<std::string> slab;
  const std::uint32_t a = slab.put("a");
  const std::uint32_t b = slab.put("b");
  EXPECT_NE(a, b);
  EXPECT_EQ(slab.take(a), "a");
  EXPECT_EQ(slab.take(b), "b");
}

TEST(SlabTest, SlotsAreUsedAgain) {
  Slab<std::string> slab;
  const std::uint32_t a = slab.put("a");
  static_cast<void>(slab.put("b"));
  static_cast<void>(slab.take(a));
  EXPECT_EQ(slab.put("c"), a);
  EXPECT_EQ(slab.take(a), "c");
}

TEST(SlabTest, ThingsThatCannotBeCopiedAreMoved) {
  Slab<std::unique_ptr<int>> slab;
  const std::uint32_t slot = slab.put(std::make_unique<int>(7));
  EXPECT_EQ(*slab.take(slot), 7);
}

TEST(SlabTest, WhatIsAcquiredIsAsItsLastUserLeftIt) {
  Slab<std::string> slab;
  const std::uint32_t slot = slab.put("left behind");
  slab.release(slot);
  EXPECT_EQ(slab[slot], "left behind") << "until the next slot is acquired";
  ASSERT_EQ(slab.acquire(), slot);
  EXPECT_EQ(slab[slot], "left behind") << "its memory is used again";
  EXPECT_NE(slab.acquire(), slot);
}

TEST(SlabTest, ItBehavesAsAMap) {
  Slab<std::uint64_t> slab;
  std::map<std::uint32_t, std::uint64_t> model;
  std::uint64_t random = 1;
  for (std::uint64_t i = 0; i < 2'000; ++i) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    if (model.empty() || (random >> 60U) < 9) {
      EXPECT_TRUE(model.emplace(slab.put(i), i).second) << "a slot that is in use";
    } else {
      auto it = model.begin();
      std::advance(it, static_cast<std::ptrdiff_t>((random >> 32U) % model.size()));
      EXPECT_EQ(slab.take(it->first), it->second);
      model.erase(it);
    }
  }
}

}  // namespace
}  // namespace raftlab::simulator
