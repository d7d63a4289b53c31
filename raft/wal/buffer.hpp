#pragma once

#include "raft/types.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

namespace raftlab::raft::wal {

/// Bytes that grow at the end and keep their memory. Unlike a vector it does not clear what is about to be
/// written.
class Buffer {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::byte* data() { return bytes_.get(); }
  [[nodiscard]] Bytes from(std::size_t start) const { return Bytes(bytes_.get() + start, size_ - start); }
  void clear() { size_ = 0; }

  /// Room for `count` more bytes at the end, to be written by the caller.
  [[nodiscard]] std::byte* grow(std::size_t count) {
    if (capacity_ - size_ < count) enlarge(count);
    std::byte* at = bytes_.get() + size_;
    size_ += count;
    return at;
  }

 private:
  void enlarge(std::size_t count) {
    const std::size_t capacity = std::max<std::size_t>({256, capacity_ * 2, size_ + count});
    auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity);
    if (size_ != 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace raftlab::raft::wal
