#pragma once

#include "raft/messages.hpp"
#include "raft/types.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

/// Messages as bytes: one protobuf `raftlab.wire.Envelope` for each frame. The length of a frame, and who may send what
/// over which connection, are the transport's. The format is in docs/wire.md.
namespace raftlab::raft::wire {

/// A frame that is longer is refused unseen. Room for one entry of the largest proposal, with a margin.
inline constexpr std::uint32_t frame_bytes_max = 4U << 20U;

enum class DecodeError : std::uint8_t {
  too_large,         ///< more than frame_bytes_max
  malformed,         ///< not protobuf
  bad_address,       ///< from or to is 0
  unknown_message,   ///< no body that this version knows
  too_many_entries,  ///< more than one block holds
  bad_entries,  ///< columns of different lengths, an unknown kind, a falling term, an index beyond 64 bits
  bad_field,    ///< a value that no correct node sends
};
[[nodiscard]] const char* name(DecodeError error);

/// Reuses its protobuf message: steady use does not allocate. One thread.
class Encoder {
 public:
  Encoder();
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;
  ~Encoder();

  /// Appends the bytes of the message to `out`.
  void encode(const Envelope& envelope, std::vector<std::byte>& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Every byte is taken for hostile. The entries of a decoded message are one block of the right size. One thread.
class Decoder {
 public:
  Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;
  ~Decoder();

  [[nodiscard]] std::variant<Envelope, DecodeError> decode(Bytes bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// For single use.
void encode(const Envelope& envelope, std::vector<std::byte>& out);
[[nodiscard]] std::variant<Envelope, DecodeError> decode(Bytes bytes);

}  // namespace raftlab::raft::wire
