#include "raft/entry.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace raftlab::raft {

std::uint32_t Block::payload_bytes(std::uint32_t first, std::uint32_t count) const {
  return count == 0 ? 0 : slots()[first + count - 1].end - start_of(first);
}

Slice Slice::make(Index base, std::uint32_t entries_max, std::uint32_t payload_bytes_max) {
  const std::size_t size = sizeof(Block) + entries_max * sizeof(Block::Slot) + payload_bytes_max;
  return Slice(new (::operator new(size)) Block(base, entries_max, payload_bytes_max), 0, 0);
}

bool Slice::append(Term term, EntryKind kind, Bytes payload) {
  if (block_ == nullptr || first_ + count_ != block_->size_ || block_->size_ == block_->capacity_)
    return false;
  const std::uint32_t start = block_->start_of(block_->size_);
  if (payload.size() > block_->payload_capacity_ - start) return false;
  const auto end = static_cast<std::uint32_t>(start + payload.size());
  if (!payload.empty()) std::memcpy(block_->payload() + start, payload.data(), payload.size());
  new (block_->slots() + block_->size_) Block::Slot{term, end, kind};
  ++block_->size_;
  ++count_;
  return true;
}

Slice Slice::sub(Index first, Index last) const {
  if (last < first) return Slice();
  const std::uint32_t from = position_of(first);
  return Slice(block_, from, position_of(last) - from + 1);
}

void Slice::destroy(Block* block) {
  block->~Block();
  ::operator delete(static_cast<void*>(block));
}

bool operator==(const Slice& a, const Slice& b) {
  if (a.count_ != b.count_) return false;
  if (a.count_ == 0 || (a.block_ == b.block_ && a.first_ == b.first_)) return true;
  for (std::uint32_t position = 0; position < a.count_; ++position) {
    const EntryView x = a.entry(position);
    const EntryView y = b.entry(position);
    if (x.id != y.id || x.kind != y.kind || !std::ranges::equal(x.payload, y.payload)) return false;
  }
  return true;
}

}  // namespace raftlab::raft
