#include "raft/snapshot/image.hpp"

#include "raft/assert.hpp"
#include "raft/hash.hpp"
#include "raft/wal/crc32c.hpp"

#include <algorithm>
#include <string_view>

namespace raftlab::raft::snapshot {
namespace {

using wal::crc32c;

constexpr std::string_view magic = "RAFTSNP\n";

// Offsets in the header.
constexpr std::size_t at_version = 8;
constexpr std::size_t at_configuration_bytes = 12;
constexpr std::size_t at_cluster = 16;
constexpr std::size_t at_term = 24;
constexpr std::size_t at_index = 32;

// Offsets in the trailer, behind the size 0 with which it begins.
constexpr std::size_t at_content_bytes = 0;
constexpr std::size_t at_bytes = 8;
constexpr std::size_t at_checksum = 16;

template <class Unsigned>
void put(Unsigned number, std::vector<std::byte>& out) {
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i) out.push_back(static_cast<std::byte>(number >> (8 * i)));
}

std::uint32_t get_u32(Bytes bytes, std::size_t offset) {
  return static_cast<std::uint32_t>(little_endian<std::uint32_t>(bytes.subspan(offset, 4).data()));
}

std::uint64_t get_u64(Bytes bytes, std::size_t offset) {
  return little_endian<std::uint64_t>(bytes.subspan(offset, 8).data());
}

}  // namespace

// ---- Writing ----------------------------------------------------------------------------------------------

Encoder::Encoder(const Header& header, std::vector<std::byte>& out) {
  const std::vector<std::byte> configuration = encode(header.configuration);
  RAFTLAB_ASSERT(header.last.index && header.last.term, header.last);
  RAFTLAB_ASSERT(decode_configuration(configuration) && configuration.size() <= configuration_bytes_max,
                 configuration.size());
  const std::size_t start = out.size();
  for (const char character : magic) out.push_back(static_cast<std::byte>(character));
  put(format_version, out);
  put(static_cast<std::uint32_t>(configuration.size()), out);
  put(header.cluster, out);
  put(header.last.term.value(), out);
  put(header.last.index.value(), out);
  out.insert(out.end(), configuration.begin(), configuration.end());
  chain_ = crc32c(0, Bytes(out).subspan(start));
  put(chain_, out);
  bytes_ = out.size() - start;
}

void Encoder::write(Bytes content, std::vector<std::byte>& out) {
  while (!content.empty()) {
    if (pending_.empty() && content.size() >= block_bytes) {
      put_block(content.first(block_bytes), out);
      content = content.subspan(block_bytes);
      continue;
    }
    const Bytes part = content.first(std::min(content.size(), block_bytes - pending_.size()));
    pending_.insert(pending_.end(), part.begin(), part.end());
    content = content.subspan(part.size());
    if (pending_.size() < block_bytes) continue;
    put_block(pending_, out);
    pending_.clear();
  }
}

void Encoder::finish(std::vector<std::byte>& out) {
  if (!pending_.empty()) put_block(pending_, out);
  pending_.clear();
  const std::size_t start = out.size();
  put(std::uint32_t{0}, out);
  put(content_bytes_, out);
  put(bytes_ + trailer_bytes, out);
  chain_ = crc32c(chain_, Bytes(out).subspan(start));
  put(chain_, out);
}

/// A stored checksum is left out of the chain: with it, the chain would forget what came before.
void Encoder::put_block(Bytes content, std::vector<std::byte>& out) {
  const std::size_t start = out.size();
  put(static_cast<std::uint32_t>(content.size()), out);
  out.insert(out.end(), content.begin(), content.end());
  chain_ = crc32c(chain_, Bytes(out).subspan(start));
  put(chain_, out);
  content_bytes_ += content.size();
  bytes_ += content.size() + block_frame_bytes;
}

// ---- Reading ----------------------------------------------------------------------------------------------

bool Verifier::feed(Bytes bytes, std::vector<std::byte>* content) {
  while (!bytes.empty() && part_ != Part::damaged) {
    if (part_ == Part::end) {
      part_ = Part::damaged;
      break;
    }
    const std::size_t missing = part_ == Part::block ? wanted_ : wanted_ - field_.size();
    const Bytes taken = bytes.first(std::min(bytes.size(), missing));
    bytes = bytes.subspan(taken.size());
    bytes_ += taken.size();
    if (part_ == Part::block) {
      chain_ = crc32c(chain_, taken);
      content_bytes_ += taken.size();
      wanted_ -= taken.size();
      if (content != nullptr) content->insert(content->end(), taken.begin(), taken.end());
      if (wanted_ == 0) expect(Part::block_checksum, checksum_bytes);
    } else {
      field_.insert(field_.end(), taken.begin(), taken.end());
      if (field_.size() == wanted_ && !judge()) part_ = Part::damaged;
    }
  }
  return part_ != Part::damaged;
}

void Verifier::expect(Part part, std::size_t bytes) {
  part_ = part;
  wanted_ = bytes;
  field_.clear();
}

bool Verifier::judge() {
  switch (part_) {
    case Part::header: return judge_header();
    case Part::configuration: return judge_configuration();
    case Part::block_size: return judge_block_size();
    case Part::block_checksum:
      if (get_u32(field_, 0) != chain_) return false;
      expect(Part::block_size, 4);
      return true;
    case Part::trailer: return judge_trailer();
    case Part::block:
    case Part::end:
    case Part::damaged: break;
  }
  return false;
}

/// Only as much as is needed to know where the header ends: its checksum comes behind the configuration.
bool Verifier::judge_header() {
  if (!std::ranges::equal(Bytes(field_).first(magic.size()), std::as_bytes(std::span(magic)))) return false;
  if (get_u32(field_, at_version) != format_version) return false;
  const std::uint32_t configuration_bytes = get_u32(field_, at_configuration_bytes);
  if (configuration_bytes > configuration_bytes_max) return false;
  part_ = Part::configuration;
  wanted_ = header_fixed_bytes + configuration_bytes + checksum_bytes;
  return true;
}

bool Verifier::judge_configuration() {
  const Bytes covered = Bytes(field_).first(wanted_ - checksum_bytes);
  chain_ = crc32c(0, covered);
  if (get_u32(field_, covered.size()) != chain_) return false;
  auto configuration = decode_configuration(covered.subspan(header_fixed_bytes));
  Header header;
  header.cluster = get_u64(field_, at_cluster);
  header.last = LogId{Term(get_u64(field_, at_term)), Index(get_u64(field_, at_index))};
  if (!configuration || header.cluster != cluster_ || !header.last.term || !header.last.index) return false;
  header.configuration = std::move(*configuration);
  header_ = std::move(header);
  expect(Part::block_size, 4);
  return true;
}

/// One image per content: no block may follow one that is not full, and none is empty.
bool Verifier::judge_block_size() {
  const std::uint32_t size = get_u32(field_, 0);
  chain_ = crc32c(chain_, field_);
  if (size == 0) {
    expect(Part::trailer, trailer_bytes - 4);
    return true;
  }
  if (last_block_ || size > block_bytes) return false;
  last_block_ = size < block_bytes;
  expect(Part::block, size);
  return true;
}

bool Verifier::judge_trailer() {
  chain_ = crc32c(chain_, Bytes(field_).first(at_checksum));
  if (get_u32(field_, at_checksum) != chain_) return false;
  if (get_u64(field_, at_content_bytes) != content_bytes_ || get_u64(field_, at_bytes) != bytes_)
    return false;
  expect(Part::end, 0);
  return true;
}

}  // namespace raftlab::raft::snapshot
