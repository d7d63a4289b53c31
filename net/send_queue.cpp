#include "net/send_queue.hpp"

#include <utility>

namespace raftlab::net {
namespace {

/// About what a message costs in memory and on the wire: its payload, and what stands around it.
std::size_t bytes_of(const raft::Envelope& envelope) {
  std::size_t bytes = sizeof(raft::Envelope);
  if (const auto* append = std::get_if<raft::AppendEntries>(&envelope.message)) {
    constexpr std::size_t bytes_per_entry = 16;
    bytes += append->entries.payload_bytes() + append->entries.size() * bytes_per_entry;
  } else if (const auto* snapshot = std::get_if<raft::InstallSnapshot>(&envelope.message)) {
    bytes += snapshot->chunk.size();
  }
  return bytes;
}

}  // namespace

bool SendQueue::push(raft::Envelope&& envelope) {
  Lane& lane = envelope.kind() == raft::MessageKind::install_snapshot ? chunks_ : urgent_;
  const std::size_t bytes = bytes_of(envelope);
  return push(lane, {std::move(envelope), bytes});
}

bool SendQueue::push(FrameKind kind, std::vector<std::byte>&& body) {
  const std::size_t bytes = sizeof(Waiting) + body.size();
  return push(urgent_, {Other{kind, std::move(body)}, bytes});
}

bool SendQueue::push(Lane& lane, Waiting&& waiting) {
  const bool full = lane.messages.size() >= lane.messages_max || lane.bytes + waiting.bytes > lane.bytes_max;
  if (full && !lane.messages.empty()) return false;
  lane.bytes += waiting.bytes;
  lane.messages.push_back(std::move(waiting));
  return true;
}

void SendQueue::take_one(Lane& lane, FrameBatch& batch) {
  const Waiting& next = lane.messages.front();
  if (const auto* envelope = std::get_if<raft::Envelope>(&next.what)) {
    batch.add(*envelope);
  } else {
    const auto& other = std::get<Other>(next.what);
    batch.add(other.kind, other.body);
  }
  lane.bytes -= next.bytes;
  lane.messages.pop_front();
}

void SendQueue::take(FrameBatch& batch) {
  const bool chunk_is_due = urgent_.messages.empty() || batches_since_chunk_ >= limits_.batches_per_chunk;
  if (!chunks_.messages.empty() && chunk_is_due) {
    batches_since_chunk_ = 0;
    return take_one(chunks_, batch);
  }
  while (!urgent_.messages.empty() && batch.bytes().size() < limits_.batch_bytes) take_one(urgent_, batch);
  if (!chunks_.messages.empty()) ++batches_since_chunk_;
}

std::size_t SendQueue::clear() {
  const std::size_t count = messages();
  for (Lane* lane : {&urgent_, &chunks_}) {
    lane->messages.clear();
    lane->bytes = 0;
  }
  return count;
}

}  // namespace raftlab::net
