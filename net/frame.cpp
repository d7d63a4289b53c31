#include "net/frame.hpp"

#include "raft/assert.hpp"
#include "raft/hash.hpp"

#include <algorithm>

namespace raftlab::net {
namespace {

constexpr std::size_t length_bytes = 4;
constexpr std::size_t kind_bytes = frame_header_bytes - length_bytes;

std::optional<FrameKind> kind_of(std::byte byte) {
  const auto number = std::to_integer<std::uint8_t>(byte);
  if (number < static_cast<std::uint8_t>(FrameKind::hello) ||
      number > static_cast<std::uint8_t>(FrameKind::answer))
    return std::nullopt;
  return static_cast<FrameKind>(number);
}

}  // namespace

FrameParser::FrameParser(std::uint32_t body_bytes_max, std::size_t buffer_bytes)
    : body_bytes_max_(body_bytes_max), buffer_bytes_(buffer_bytes), buffer_(buffer_bytes) {
  RAFTLAB_ASSERT(buffer_bytes >= frame_header_bytes);
}

std::span<std::byte> FrameParser::room() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    // A long frame is an exception: its memory is not kept for as long as the link lives.
    if (buffer_.size() > buffer_bytes_) std::vector<std::byte>(buffer_bytes_).swap(buffer_);
  } else if (begin_ > 0) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);
  return std::span(buffer_).subspan(end_);
}

void FrameParser::filled(std::size_t count) {
  RAFTLAB_ASSERT(count <= buffer_.size() - end_);
  end_ += count;
}

std::variant<Frame, std::monostate, Reason> FrameParser::next() {
  const std::size_t size = end_ - begin_;
  if (size < length_bytes) return std::monostate();
  const std::byte* at = buffer_.data() + begin_;
  const std::uint64_t length = raft::little_endian<std::uint32_t>(at);
  if (length == 0) return Reason::frame_empty;
  if (length > kind_bytes + std::uint64_t{body_bytes_max_}) return Reason::frame_too_large;
  if (size < frame_header_bytes) return std::monostate();
  const std::optional<FrameKind> kind = kind_of(at[length_bytes]);
  if (!kind) return Reason::frame_unknown;
  if (size < length_bytes + length) return std::monostate();
  begin_ += length_bytes + length;
  return Frame{*kind, raft::Bytes(at + frame_header_bytes, length - kind_bytes)};
}

void FrameBatch::add(const raft::Envelope& envelope) {
  const std::size_t begin = begin_frame(FrameKind::envelope);
  // Behind the header, in place: the message is written once.
  encoder_.encode(envelope, bytes_);
  end_frame(begin);
}

void FrameBatch::add(FrameKind kind, raft::Bytes body) {
  RAFTLAB_ASSERT(body.size() <= raft::wire::frame_bytes_max);
  const std::size_t begin = begin_frame(kind);
  bytes_.insert(bytes_.end(), body.begin(), body.end());
  end_frame(begin);
}

void FrameBatch::clear() {
  // A batch with a large message is an exception, and its memory is not kept for as long as the link lives.
  if (bytes_.capacity() > (1U << 20U)) std::vector<std::byte>().swap(bytes_);
  bytes_.clear();
  frames_ = 0;
}

std::size_t FrameBatch::begin_frame(FrameKind kind) {
  const std::size_t begin = bytes_.size();
  bytes_.resize(begin + frame_header_bytes);
  bytes_[begin + length_bytes] = static_cast<std::byte>(kind);
  return begin;
}

void FrameBatch::end_frame(std::size_t begin) {
  auto length = static_cast<std::uint32_t>(bytes_.size() - begin - length_bytes);
  for (std::size_t i = 0; i < length_bytes; ++i, length >>= 8U)
    bytes_[begin + i] = static_cast<std::byte>(length & 0xffU);
  ++frames_;
}

}  // namespace raftlab::net
