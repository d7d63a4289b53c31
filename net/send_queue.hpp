#pragma once

#include "net/frame.hpp"
#include "raft/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <variant>
#include <vector>

namespace raftlab::net {

struct SendQueueLimits {
  std::size_t messages_max = 4096;
  std::size_t bytes_max = 16U << 20U;
  std::size_t chunks_max = 16;  ///< of snapshots, which have a lane and bounds of their own
  std::size_t chunk_bytes_max = 8U << 20U;
  std::size_t batch_bytes = 128U << 10U;  ///< a batch is closed when it is as long
  std::uint32_t batches_per_chunk = 16;   ///< so many batches overtake a chunk of a snapshot, no more
};

/// What waits to be written to one peer, in two lanes: chunks of snapshots are large and in no hurry, and hold up neither
/// heartbeats nor appends. Messages keep their order within a lane. They wait as values (entries are shared, not copied) and
/// become bytes when they are written. One thread.
class SendQueue {
 public:
  explicit SendQueue(const SendQueueLimits& limits)
      : limits_(limits),
        urgent_{limits.messages_max, limits.bytes_max},
        chunks_{limits.chunks_max, limits.chunk_bytes_max} {}

  /// False, and nothing has changed, when the lane has no room. An empty lane takes any message.
  [[nodiscard]] bool push(raft::Envelope&& envelope);
  /// Likewise, in the first lane.
  [[nodiscard]] bool push(FrameKind kind, std::vector<std::byte>&& body);

  /// Moves what goes next into the batch: all that fits of the first lane; or, when there is nothing in it or it has had its
  /// turns, one chunk.
  void take(FrameBatch& batch);

  /// Forgets everything; returns how many messages that were.
  std::size_t clear();

  [[nodiscard]] bool empty() const { return urgent_.messages.empty() && chunks_.messages.empty(); }
  [[nodiscard]] std::size_t messages() const { return urgent_.messages.size() + chunks_.messages.size(); }
  [[nodiscard]] std::size_t bytes() const { return urgent_.bytes + chunks_.bytes; }

 private:
  struct Other {
    FrameKind kind;
    std::vector<std::byte> body;
  };
  struct Waiting {
    std::variant<raft::Envelope, Other> what;
    std::size_t bytes;
  };
  struct Lane {
    std::size_t messages_max;
    std::size_t bytes_max;
    std::deque<Waiting> messages{};
    std::size_t bytes = 0;
  };

  [[nodiscard]] static bool push(Lane& lane, Waiting&& waiting);
  static void take_one(Lane& lane, FrameBatch& batch);

  SendQueueLimits limits_;
  Lane urgent_;
  Lane chunks_;
  std::uint32_t batches_since_chunk_ = 0;
};

}  // namespace raftlab::net
