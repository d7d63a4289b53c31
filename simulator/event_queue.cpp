#include "simulator/event_queue.hpp"

#include "raft/assert.hpp"

#include <algorithm>
#include <bit>

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
    mark(bucket_of(event.time));
    bucket.push_back(event);
    return;
  }
  bucket.insert(std::lower_bound(bucket.begin(), bucket.end(), event, Later{}), event);
}

std::uint64_t EventQueue::next_occupied() const {
  const std::uint64_t from = (current_ + 1) % buckets;
  std::uint64_t word = occupied_[from / 64] & (~std::uint64_t{0} << (from % 64));
  for (std::uint64_t passed = 0, at = from / 64; passed <= buckets / 64; ++passed) {
    if (word != 0) {
      const std::uint64_t bucket = at * 64 + static_cast<std::uint64_t>(std::countr_zero(word));
      return current_ + 1 + (bucket + buckets - from) % buckets;
    }
    at = (at + 1) % occupied_.size();
    word = occupied_[at];
  }
  return current_ + buckets;  // nothing but far events
}

void EventQueue::advance() {
  unmark(current_);
  current_ = far_.empty() ? next_occupied() : std::min(next_occupied(), bucket_of(far_.top().time));
  while (!far_.empty() && bucket_of(far_.top().time) < current_ + buckets) {
    const std::uint64_t bucket = bucket_of(far_.top().time);
    mark(bucket);
    wheel_[bucket % buckets].push_back(far_.top());
    far_.pop();
  }
  std::vector<Event>& bucket = wheel_[current_ % buckets];
  if (bucket.size() > 1) std::ranges::sort(bucket, Later{});
}

Event EventQueue::pop() {
  RAFTLAB_ASSERT(size_ > 0);
  while (wheel_[current_ % buckets].empty()) advance();
  std::vector<Event>& bucket = wheel_[current_ % buckets];
  const Event event = bucket.back();
  bucket.pop_back();
  --size_;
  return event;
}

}  // namespace raftlab::simulator
