#include "net/admission.hpp"

#include <gtest/gtest.h>

namespace raftlab::net {
namespace {

TEST(Admission, LetsInAsManyAsThereIsRoomFor) {
  Admission admission(3, 2);
  EXPECT_EQ(admission.enter(1, "a"), std::nullopt);
  EXPECT_EQ(admission.enter(2, "a"), std::nullopt);
  EXPECT_EQ(admission.enter(3, "b"), std::nullopt);
  EXPECT_EQ(admission.size(), 3U);
}

TEST(Admission, TheOldestOfAnAddressGivesWayToItsNewest) {
  Admission admission(10, 2);
  static_cast<void>(admission.enter(1, "b"));
  static_cast<void>(admission.enter(2, "a"));
  static_cast<void>(admission.enter(3, "a"));
  EXPECT_EQ(admission.enter(4, "a"), 2U);
  EXPECT_EQ(admission.enter(5, "a"), 3U);
  EXPECT_EQ(admission.size(), 3U);
}

TEST(Admission, WhoHasMostGivesWayWhenAllPlacesAreTaken) {
  Admission admission(4, 4);
  static_cast<void>(admission.enter(1, "b"));
  static_cast<void>(admission.enter(2, "a"));
  static_cast<void>(admission.enter(3, "a"));
  static_cast<void>(admission.enter(4, "c"));
  EXPECT_EQ(admission.enter(5, "d"), 2U);
  EXPECT_EQ(admission.enter(6, "e"), 1U) << "all have one: the oldest";
  EXPECT_EQ(admission.size(), 4U);
}

TEST(Admission, WhoLeavesMakesRoom) {
  Admission admission(2, 1);
  static_cast<void>(admission.enter(1, "a"));
  admission.leave(1);
  admission.leave(1);
  EXPECT_EQ(admission.enter(2, "a"), std::nullopt);
}

}  // namespace
}  // namespace raftlab::net
