#include "simulator/event_queue.hpp"

#include "raft/assert.hpp"

#include <gtest/gtest.h>

namespace raftlab::simulator {
namespace {

Event at(Time time, std::uint32_t slot = 0) {
  Event event;
  event.time = time;
  event.slot = slot;
  return event;
}

TEST(EventQueueTest, EventsComeInOrderOfTime) {
  EventQueue queue;
  for (const Time time : {5 * millisecond, Time{0}, 2 * second, 70 * microsecond, 300 * millisecond})
    queue.push(at(time));
  EXPECT_EQ(queue.size(), 5U);
  for (const Time time : {Time{0}, 70 * microsecond, 5 * millisecond, 300 * millisecond, 2 * second}) {
    EXPECT_EQ(queue.pop().time, time);
  }
  EXPECT_TRUE(queue.empty());
}

TEST(EventQueueTest, EventsOfOneInstantComeInTheOrderInWhichTheyWereScheduled) {
  EventQueue queue;
  for (std::uint32_t i = 0; i < 50; ++i) queue.push(at(millisecond, i));
  for (std::uint32_t i = 0; i < 25; ++i) EXPECT_EQ(queue.pop().slot, i);
  for (std::uint32_t i = 50; i < 60; ++i)
    queue.push(at(millisecond, i));  // in the bucket that is being emptied
  for (std::uint32_t i = 25; i < 60; ++i) EXPECT_EQ(queue.pop().slot, i);
}

TEST(EventQueueTest, AnEventFarAwayIsNotOvertakenByALaterOneThatWasScheduledWhenItWasNear) {
  EventQueue queue;
  queue.push(at(second, 1));  // beyond the wheel
  queue.push(at(900 * millisecond, 0));
  EXPECT_EQ(queue.pop().slot, 0U);
  queue.push(at(second, 2));  // the same instant, now within the wheel
  queue.push(at(second - 1, 3));
  EXPECT_EQ(queue.pop().slot, 3U);
  EXPECT_EQ(queue.pop().slot, 1U);
  EXPECT_EQ(queue.pop().slot, 2U);
}

TEST(EventQueueTest, AnEventNowComesBeforeThoseOfTheSameBucketThatAreLater) {
  EventQueue queue;
  queue.push(at(100));
  queue.push(at(300));
  EXPECT_EQ(queue.pop().time, 100);
  queue.push(at(200));
  queue.push(at(100));
  EXPECT_EQ(queue.pop().time, 100);
  EXPECT_EQ(queue.pop().time, 200);
  EXPECT_EQ(queue.pop().time, 300);
}

TEST(EventQueueTest, EverythingInAnEventComesBack) {
  EventQueue queue;
  queue.push(Event{7, 0, EventKind::answer, 1, 2, 3, 4});
  const Event event = queue.pop();
  EXPECT_EQ(event.time, 7);
  EXPECT_EQ(event.kind, EventKind::answer);
  EXPECT_EQ(event.node, 1U);
  EXPECT_EQ(event.slot, 2U);
  EXPECT_EQ(event.life, 3U);
  EXPECT_EQ(event.extra, 4U);
}

TEST(EventQueueTest, ThePastAndAnEmptyQueueAreMistakes) {
  EventQueue queue;
  EXPECT_THROW(static_cast<void>(queue.pop()), raft::AssertionError);
  queue.push(at(second));
  static_cast<void>(queue.pop());
  EXPECT_THROW(queue.push(at(second / 2)), raft::AssertionError);
}

}  // namespace
}  // namespace raftlab::simulator
