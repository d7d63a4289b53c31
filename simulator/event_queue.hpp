#pragma once

#include <array>
#include <cstdint>
#include <queue>
#include <vector>

namespace raftlab::simulator {

/// Virtual time in nanoseconds since the start of a run.
using Time = std::int64_t;

inline constexpr Time microsecond = 1'000;
inline constexpr Time millisecond = 1'000'000;
inline constexpr Time second = 1'000'000'000;

enum class EventKind : std::uint8_t {
  tick,
  deliver,
  disk,
  snapshot_disk,
  nemesis,
  restart,
  resume,
  unblock,
  client,
  request,
  answer,
  load,
  pause_ends,
  replace
};

struct Event {
  Time time = 0;
  std::uint64_t order = 0;  ///< of being scheduled: breaks ties
  EventKind kind = EventKind::tick;
  std::uint32_t node = 0;   ///< or client
  std::uint32_t slot = 0;   ///< meaning by kind
  std::uint32_t life = 0;   ///< incarnation of the node that it is meant for
  std::uint64_t extra = 0;  ///< meaning by kind
};

/// The future, as a timing wheel: events of the next quarter of a second in buckets, later ones in a heap. Pops in order of
/// (time, order of scheduling).
class EventQueue {
 public:
  EventQueue();
  void push(Event event);
  /// The next event; there must be one.
  [[nodiscard]] Event pop();
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static constexpr unsigned bucket_bits = 18;  // 262 microseconds
  static constexpr std::uint64_t buckets = 1024;

  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.time != b.time ? a.time > b.time : a.order > b.order;
    }
  };

  [[nodiscard]] static std::uint64_t bucket_of(Time time) {
    return static_cast<std::uint64_t>(time) >> bucket_bits;
  }
  void place(const Event& event);
  /// Goes to the next bucket that holds something.
  void advance();
  void mark(std::uint64_t bucket) { occupied_[bucket % buckets / 64] |= std::uint64_t{1} << (bucket % 64); }
  void unmark(std::uint64_t bucket) {
    occupied_[bucket % buckets / 64] &= ~(std::uint64_t{1} << (bucket % 64));
  }
  [[nodiscard]] std::uint64_t next_occupied() const;

  std::vector<std::vector<Event>> wheel_;
  std::array<std::uint64_t, buckets / 64> occupied_{};  // a bit for each bucket that may hold something
  std::priority_queue<Event, std::vector<Event>, Later> far_;
  std::uint64_t current_ = 0;  // the bucket being emptied: sorted, next event at its back
  std::uint64_t next_order_ = 0;
  std::size_t size_ = 0;
};

}  // namespace raftlab::simulator
