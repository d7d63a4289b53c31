#pragma once

#include "raft/configuration.hpp"
#include "raft/types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

/// The image of a snapshot: header, blocks, trailer; the tables are in docs/snapshots.md. One image per
/// header and content: nothing in it tells who wrote it, when, or in what parts the content came.
namespace raftlab::raft::snapshot {

/// What stands in an image besides the state machine's bytes.
struct Header {
  std::uint64_t cluster = 0;    ///< a snapshot of another cluster is refused
  LogId last;                   ///< the last entry that it covers
  Configuration configuration;  ///< at `last`
  friend bool operator==(const Header&, const Header&) = default;
};

inline constexpr std::uint32_t format_version = 1;
/// Of the encoded configuration: above what the greatest one takes; more is damage.
inline constexpr std::uint32_t configuration_bytes_max = 256U << 10U;
/// Content of a block. All are full but the last one.
inline constexpr std::uint32_t block_bytes = 64U << 10U;

inline constexpr std::size_t header_fixed_bytes = 40;  ///< before the configuration
inline constexpr std::size_t checksum_bytes = 4;
inline constexpr std::size_t block_frame_bytes = 4 + checksum_bytes;
inline constexpr std::size_t trailer_bytes = 20 + checksum_bytes;

/// Writes an image, in order. Holds less than a block.
class Encoder {
 public:
  /// Appends the header to `out`. The configuration must be one that can be decoded, `last` not zero.
  Encoder(const Header& header, std::vector<std::byte>& out);
  /// Appends the blocks that this content completes.
  void write(Bytes content, std::vector<std::byte>& out);
  /// Appends what is left, and the trailer.
  void finish(std::vector<std::byte>& out);

 private:
  void put_block(Bytes content, std::vector<std::byte>& out);

  std::vector<std::byte> pending_;
  std::uint64_t content_bytes_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint32_t chain_ = 0;
};

/// Reads an image in the parts in which it comes, believes nothing, and keeps no more of it than a header.
class Verifier {
 public:
  explicit Verifier(std::uint64_t cluster) : cluster_(cluster), wanted_(header_fixed_bytes) {}

  /// The next bytes. False when the image is damaged, or of another cluster: final. Content is appended to
  /// `content`, when that is wanted, before its checksum is known: it counts only once the image is complete.
  [[nodiscard]] bool feed(Bytes bytes, std::vector<std::byte>* content = nullptr);

  /// Every byte was there, and every checksum right; nothing may follow.
  [[nodiscard]] bool complete() const { return part_ == Part::end; }
  /// None until it was read and its checksum verified.
  [[nodiscard]] const std::optional<Header>& header() const { return header_; }
  /// So many were read.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// Of the image, once it is complete.
  [[nodiscard]] std::uint64_t checksum() const { return chain_; }

 private:
  enum class Part : std::uint8_t {
    header,
    configuration,
    block_size,
    block,
    block_checksum,
    trailer,
    end,
    damaged,
  };

  void expect(Part part, std::size_t bytes);
  [[nodiscard]] bool judge();
  [[nodiscard]] bool judge_header();
  [[nodiscard]] bool judge_configuration();
  [[nodiscard]] bool judge_block_size();
  [[nodiscard]] bool judge_trailer();

  std::uint64_t cluster_;
  Part part_ = Part::header;
  std::vector<std::byte> field_;  // what is there of the part, blocks excepted
  std::size_t wanted_;            // bytes of the field; of a block, those to come
  bool last_block_ = false;       // one that was not full was read
  std::uint64_t content_bytes_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint32_t chain_ = 0;
  std::optional<Header> header_;
};

}  // namespace raftlab::raft::snapshot
