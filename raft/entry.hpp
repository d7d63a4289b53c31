#pragma once

#include "raft/assert.hpp"
#include "raft/types.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

/// Entries live in immutable shared blocks. Copying a core, sending entries to four peers and handing them to the
/// log storage copies no payload: all hold slices of the same blocks. A truncation drops slices and never changes
/// a published slot, so whatever a socket, a write or an apply still holds stays valid.
namespace raftlab::raft {

/// What an entry carries. The values are those of the wire and the log on disk.
enum class EntryKind : std::uint8_t {
  noop = 1,           ///< appended by each new leader (§8, thesis §6.4)
  command = 2,        ///< payload of the state machine
  configuration = 3,  ///< payload is an encoded `Configuration` (thesis §4.1: effective when appended)
};

/// One entry, seen in place. Valid as long as the slice it was read from.
struct EntryView {
  LogId id;
  EntryKind kind = EntryKind::noop;
  Bytes payload;
};

class Slice;

/// A reference-counted run of entries with consecutive indices, in one allocation. Only the last reference frees it.
/// The count is not atomic: a block belongs to the thread of its node.
class Block {
 public:
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  [[nodiscard]] Index base() const { return base_; }
  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] std::uint32_t capacity() const { return capacity_; }

  [[nodiscard]] EntryView entry(std::uint32_t position) const {
    RAFTLAB_ASSERT(position < size_, position, size_);
    const Slot& slot = slots()[position];
    const std::uint32_t start = start_of(position);
    return EntryView{LogId{slot.term, base_.plus(position)}, slot.kind,
                     Bytes(payload() + start, slot.end - start)};
  }
  [[nodiscard]] Term term(std::uint32_t position) const { return slots()[position].term; }
  /// Bytes of payload in [first, first + count).
  [[nodiscard]] std::uint32_t payload_bytes(std::uint32_t first, std::uint32_t count) const;

 private:
  friend class Slice;

  struct Slot {
    Term term;
    std::uint32_t end;  ///< one past the payload, from the start of the payload area
    EntryKind kind;
  };

  Block(Index base, std::uint32_t capacity, std::uint32_t payload_capacity)
      : base_(base), capacity_(capacity), payload_capacity_(payload_capacity) {}

  [[nodiscard]] Slot* slots() { return reinterpret_cast<Slot*>(this + 1); }
  [[nodiscard]] const Slot* slots() const { return reinterpret_cast<const Slot*>(this + 1); }
  [[nodiscard]] std::byte* payload() { return reinterpret_cast<std::byte*>(slots() + capacity_); }
  [[nodiscard]] const std::byte* payload() const {
    return reinterpret_cast<const std::byte*>(slots() + capacity_);
  }
  [[nodiscard]] std::uint32_t start_of(std::uint32_t position) const {
    return position == 0 ? 0 : slots()[position - 1].end;
  }

  Index base_;
  std::uint32_t references_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_;
  std::uint32_t payload_capacity_;
};

/// Some consecutive entries of one block, kept alive by this slice. Empty by default. Copying costs one increment.
class Slice {
 public:
  Slice() = default;
  Slice(const Slice& other) : block_(other.block_), first_(other.first_), count_(other.count_) { retain(); }
  Slice(Slice&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        first_(std::exchange(other.first_, 0)),
        count_(std::exchange(other.count_, 0)) {}
  Slice& operator=(Slice other) noexcept {
    std::swap(block_, other.block_);
    std::swap(first_, other.first_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~Slice() { release(); }

  /// An empty slice of a new block that has room for entries from index `base` on.
  [[nodiscard]] static Slice make(Index base, std::uint32_t entries_max, std::uint32_t payload_bytes_max);

  /// Puts an entry behind this slice, in place. False when the block is full, or when somebody else has already
  /// put another entry there: then the caller opens a new block.
  [[nodiscard]] bool append(Term term, EntryKind kind, Bytes payload);

  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::uint32_t size() const { return count_; }
  [[nodiscard]] Index first_index() const { return block_ ? block_->base().plus(first_) : Index{}; }
  /// Index of the last entry; one before the first when empty.
  [[nodiscard]] Index last_index() const {
    return block_ ? Index(block_->base().value() + first_ + count_ - 1) : Index{};
  }
  [[nodiscard]] EntryView entry(std::uint32_t position) const { return block_->entry(first_ + position); }
  [[nodiscard]] EntryView at(Index index) const { return block_->entry(position_of(index)); }
  [[nodiscard]] Term term_at(Index index) const { return block_->term(position_of(index)); }
  [[nodiscard]] std::uint32_t payload_bytes() const {
    return block_ ? block_->payload_bytes(first_, count_) : 0;
  }

  /// The entries with first <= index <= last, which must lie inside.
  [[nodiscard]] Slice sub(Index first, Index last) const;
  /// True when `next` holds the entries directly behind these, in the same block.
  [[nodiscard]] bool is_continued_by(const Slice& next) const {
    return block_ != nullptr && block_ == next.block_ && first_ + count_ == next.first_;
  }
  /// Takes over the entries of a slice for which `is_continued_by` holds.
  void extend_by(const Slice& next) { count_ += next.count_; }
  /// True when no entry of the block stands before this slice.
  [[nodiscard]] bool starts_block() const { return first_ == 0; }
  /// Room for entries in the block that holds this slice.
  [[nodiscard]] std::uint32_t block_capacity() const { return block_ ? block_->capacity() : 0; }

  /// Equal when index, terms, kinds and payloads are, wherever they are stored.
  friend bool operator==(const Slice& a, const Slice& b);

 private:
  Slice(Block* block, std::uint32_t first, std::uint32_t count)
      : block_(block), first_(first), count_(count) {
    retain();
  }
  [[nodiscard]] std::uint32_t position_of(Index index) const {
    RAFTLAB_ASSERT(block_ != nullptr && index >= first_index() && index <= last_index(), index, first_index(),
                   count_);
    return static_cast<std::uint32_t>(index.value() - block_->base().value());
  }
  void retain() {
    if (block_ != nullptr) ++block_->references_;
  }
  void release() {
    if (block_ != nullptr && --block_->references_ == 0) destroy(block_);
  }
  static void destroy(Block* block);

  Block* block_ = nullptr;
  std::uint32_t first_ = 0;
  std::uint32_t count_ = 0;
};

}  // namespace raftlab::raft
