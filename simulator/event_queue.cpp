#include "simulator/event_queue.hpp"

#include "raft/assert.hpp"

#include <algorithm>

namespace raftlab::simulator {

EventQueue::EventQueue() : wheel_(buckets) {}

void EventQueue::push(Event event) {
  event.order = next_order_++;
  ++size_;
  RAFTLAB_ASSERT(bucket_of(event.time) >= current_, event.time, current_);
  if (bucket_of(event.time) >= current_ + buckets) {
    far_.push(event);
  } else {
    place(event);
  }
}

void EventQueue::place(const Event& event) {
  std::vector<Event>& bucket = wheel_[bucket_of(event.time) % buckets];
  if (bucket_of(event.time) != current_) {
    bucket.push_back(event);
    return;
  }
  bucket.insert(std::lower_bound(bucket.begin(), bucket.end(), event, Later{}), event);
}

Event EventQueue::pop() {
  RAFTLAB_ASSERT(size_ > 0);
  while (wheel_[current_ % buckets].empty()) {
    ++current_;
    while (!far_.empty() && bucket_of(far_.top().time) < current_ + buckets) {
      wheel_[bucket_of(far_.top().time) % buckets].push_back(far_.top());
      far_.pop();
    }
    std::ranges::sort(wheel_[current_ % buckets], Later{});
  }
  std::vector<Event>& bucket = wheel_[current_ % buckets];
  const Event event = bucket.back();
  bucket.pop_back();
  --size_;
  return event;
}

}  // namespace raftlab::simulator
