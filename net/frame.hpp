#pragma once

#include "net/reason.hpp"
#include "raft/types.hpp"
#include "raft/wire/codec.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

/// Frames on a link: four bytes with the length of what follows (little-endian, never 0), one byte with the kind, and the
/// body. No I/O; one thread.
namespace raftlab::net {

enum class FrameKind : std::uint8_t {
  hello = 1,         ///< the first one of who dialled
  hello_answer = 2,  ///< the first one of who was dialled
  envelope = 3,      ///< one message, from who dialled
  keepalive = 4,     ///< no body; who was dialled answers with the same
  request = 5,       ///< of a client of who dialled, to the service of who was dialled
  answer = 6,        ///< to a request that who dialled was asked over the link of the other direction
};

inline constexpr std::size_t frame_header_bytes = 5;
/// Of the body of a hello and of its answer, and of everything that comes before a hello was accepted.
inline constexpr std::uint32_t hello_bytes_max = 256;

struct Frame {
  FrameKind kind;
  raft::Bytes body;  ///< in the parser's buffer
};

/// Cuts a stream of bytes into frames. Of a frame that it has not yet seen the end of it holds at most twice what has come,
/// whatever length the peer has announced.
class FrameParser {
 public:
  /// What is longer than `body_bytes_max` is refused once its header is there.
  explicit FrameParser(std::uint32_t body_bytes_max, std::size_t buffer_bytes = buffer_bytes_default);

  /// Where to put bytes; never empty. Frames that were returned before are gone.
  [[nodiscard]] std::span<std::byte> room();
  /// So many bytes were put there.
  void filled(std::size_t count);

  /// The next frame, none when it is not complete, or why there will never be one: `frame_empty`, `frame_too_large` or
  /// `frame_unknown`.
  [[nodiscard]] std::variant<Frame, std::monostate, Reason> next();

  /// Part of a frame is here, and the rest is not. True only after `next` returned none.
  [[nodiscard]] bool in_frame() const { return begin_ != end_; }
  void set_body_bytes_max(std::uint32_t body_bytes_max) { body_bytes_max_ = body_bytes_max; }
  [[nodiscard]] std::size_t buffer_bytes() const { return buffer_.size(); }

  static constexpr std::size_t buffer_bytes_default = 64U << 10U;

 private:
  std::uint32_t body_bytes_max_;
  std::size_t buffer_bytes_;  ///< of a buffer that holds no long frame
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;  ///< begin_ <= end_ <= buffer_.size(): what has come and was not yet returned
  std::size_t end_ = 0;
};

/// Many frames behind each other in one block of memory, to be written at once. Keeps its memory.
class FrameBatch {
 public:
  /// A message that is too large for a frame is a programmer's error: the limits of the core keep far below.
  void add(const raft::Envelope& envelope);
  void add(FrameKind kind, raft::Bytes body);

  void clear();
  [[nodiscard]] raft::Bytes bytes() const { return bytes_; }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] std::uint32_t frames() const { return frames_; }

 private:
  std::size_t begin_frame(FrameKind kind);
  void end_frame(std::size_t begin);

  raft::wire::Encoder encoder_;
  std::vector<std::byte> bytes_;
  std::uint32_t frames_ = 0;
};

}  // namespace raftlab::net
