#include "simulator/event_queue.hpp"

#include "simulator/chooser.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

namespace raftlab::simulator {
namespace {

/// The queue as one would write it without any thought of speed.
class NaiveQueue {
 public:
  void push(Time time, std::uint32_t slot) {
    events_.emplace_back(time, slot);
    std::ranges::stable_sort(events_, {}, &std::pair<Time, std::uint32_t>::first);
  }
  std::pair<Time, std::uint32_t> pop() {
    const auto first = events_.front();
    events_.erase(events_.begin());
    return first;
  }
  [[nodiscard]] std::size_t size() const { return events_.size(); }

 private:
  std::vector<std::pair<Time, std::uint32_t>> events_;
};

RC_GTEST_PROP(EventQueueProperty, ItIsAStableSort, ()) {
  RandomChooser random{Seed(*rc::gen::noShrink(rc::gen::arbitrary<std::uint64_t>()).as("seed"))};
  const auto turns = *rc::gen::inRange<std::uint64_t>(1, 400).as("turns");
  EventQueue queue;
  NaiveQueue naive;
  Time now = 0;
  // Within a bucket, a wheel, and far beyond it; few different instants, so that ties are common.
  constexpr Time steps[] = {
      0, 1, 20'000, 65'536, 3 * millisecond, 268 * millisecond, 270 * millisecond, 2 * second};
  const auto pop = [&] {
    const auto expected = naive.pop();
    const Event event = queue.pop();
    RC_ASSERT(event.time == expected.first);
    RC_ASSERT(event.slot == expected.second);
    now = event.time;
  };
  for (std::uint64_t turn = 0; turn < turns; ++turn) {
    const auto draw = [&](std::uint64_t field, std::uint64_t range) {
      return random.choose(Key{Choice::profile, subject(turn, field)}, range);
    };
    if (draw(0, 5) < 3 || naive.size() == 0) {
      Event event;
      event.time = now + steps[draw(1, std::size(steps))] * static_cast<Time>(1 + draw(2, 3));
      event.slot = static_cast<std::uint32_t>(turn);
      queue.push(event);
      naive.push(event.time, event.slot);
    } else {
      pop();
    }
    RC_ASSERT(queue.size() == naive.size());
  }
  while (naive.size() != 0) pop();
  RC_ASSERT(queue.empty());
}

}  // namespace
}  // namespace raftlab::simulator
