#include "raft/snapshot/image.hpp"

#include "raft/hash.hpp"
#include "raft/snapshot/images.hpp"
#include "raft/snapshot/test_files.hpp"
#include "raft/wal/crc32c.hpp"

#include <gtest/gtest.h>

#include <cstdio>

namespace raftlab::raft::snapshot {
namespace {

using namespace testing;

std::string hex(Bytes bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    char digits[3];
    (void)std::snprintf(digits, sizeof digits, "%02x", std::to_integer<unsigned>(byte));
    text += digits;
  }
  return text;
}

/// What an image says, when it is intact.
std::optional<std::vector<std::byte>> content_in(Bytes image, const Header& header) {
  std::vector<std::byte> content;
  Verifier verifier(header.cluster);
  if (!verifier.feed(image, &content) || !verifier.complete() || verifier.header() != header)
    return std::nullopt;
  return content;
}

void put_u32(std::vector<std::byte>& bytes, std::size_t offset, std::uint32_t number) {
  for (std::size_t i = 0; i < 4; ++i) bytes[offset + i] = static_cast<std::byte>(number >> (8 * i));
}

/// Byte for byte as docs/snapshots.md has it.
TEST(SnapshotImage, GoldenBytes) {
  const Header header{0x1122334455667788, at(300, 7), voters_up_to(1)};
  const std::string_view text = "abc";
  const auto image = image_of(header, std::as_bytes(std::span(text)));
  const std::vector<std::byte> configuration = encode(header.configuration);
  EXPECT_EQ(hex(Bytes(image).first(header_fixed_bytes)),
            "52414654534e500a"    // RAFTSNP\n
            "01000000"            // version
            "26000000"            // bytes of the configuration
            "8877665544332211"    // cluster
            "0700000000000000"    // term
            "2c01000000000000");  // index
  EXPECT_EQ(hex(Bytes(image).subspan(header_fixed_bytes, configuration.size())), hex(configuration));
  EXPECT_EQ(hex(Bytes(image).subspan(header_fixed_bytes + configuration.size())),
            "e9719b61"          // checksum of the header
            "03000000"          // bytes of the block
            "616263"            // abc
            "2f2066a8"          // chain
            "00000000"          // the trailer
            "0300000000000000"  // bytes of the content
            "7500000000000000"  // bytes of the image
            "359194b4");        // chain: the checksum of the image
}

TEST(SnapshotImage, TheChecksumIsTheChainAtTheEnd) {
  const Example one = example(at(300), 100);
  const std::size_t header = header_fixed_bytes + encode(one.header().configuration).size();
  const Bytes image = one.image;
  std::uint32_t chain = wal::crc32c(0, image.first(header));
  chain = wal::crc32c(chain, image.subspan(header + 4, 104));
  chain = wal::crc32c(chain, image.subspan(header + 4 + 108, 20));
  EXPECT_EQ(one.checksum, chain);
  EXPECT_EQ(little_endian<std::uint32_t>(image.last(4).data()), chain);
}

TEST(SnapshotImage, SizesAroundABlockComeBack) {
  for (const std::size_t blocks : {0U, 1U, 2U}) {
    for (const int more : {-1, 0, 1}) {
      if (blocks == 0 && more < 0) continue;
      const std::size_t bytes = blocks * block_bytes + static_cast<std::size_t>(more);
      const Example one = example(at(5), bytes);
      EXPECT_EQ(content_in(one.image, one.header()), one.content) << bytes;
      const std::size_t frames = (bytes + block_bytes - 1) / block_bytes;
      EXPECT_EQ(one.image.size(), header_fixed_bytes + encode(one.header().configuration).size() +
                                      checksum_bytes + bytes + frames * block_frame_bytes + trailer_bytes);
    }
  }
}

TEST(SnapshotImage, EveryCutIsIncomplete) {
  const Example one = example(at(9, 2), 200);
  for (std::size_t size = 0; size < one.image.size(); ++size) {
    Verifier verifier(cluster);
    EXPECT_TRUE(verifier.feed(Bytes(one.image).first(size))) << size;
    EXPECT_FALSE(verifier.complete()) << size;
  }
}

TEST(SnapshotImage, EveryFlippedBitIsNoticed) {
  const Example one = example(at(9, 2), 200);
  for (std::size_t bit = 0; bit < one.image.size() * 8; ++bit) {
    auto damaged = one.image;
    damaged[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_EQ(content_in(damaged, one.header()), std::nullopt) << bit;
  }
}

TEST(SnapshotImage, NothingMayFollow) {
  Example one = example(at(9, 2), 200);
  one.image.push_back(std::byte{0});
  EXPECT_EQ(content_in(one.image, one.header()), std::nullopt);
}

TEST(SnapshotImage, IsRefusedInAnotherCluster) {
  const Example one = example(at(9, 2), 200);
  Verifier verifier(cluster + 1);
  EXPECT_FALSE(verifier.feed(one.image));
  EXPECT_FALSE(verifier.header());
}

TEST(SnapshotImage, OnceDamagedItStaysSo) {
  const Example one = example(at(9, 2), 200);
  Verifier verifier(cluster);
  EXPECT_FALSE(verifier.feed(Bytes(one.image).subspan(1)));
  EXPECT_FALSE(verifier.feed(one.image));
  EXPECT_FALSE(verifier.feed({}));
}

/// Each of these has checksums that are right.
class WithRightChecksums {
 public:
  WithRightChecksums() : image_(example(at(9, 2), 200).image) {
    header_ = header_fixed_bytes + encode(voters_up_to(3)).size();
  }
  void set_u32(std::size_t offset, std::uint32_t number) { put_u32(image_, offset, number); }
  [[nodiscard]] std::size_t block() const { return header_ + checksum_bytes; }
  [[nodiscard]] std::size_t trailer() const { return image_.size() - trailer_bytes; }

  [[nodiscard]] bool accepted() {
    std::uint32_t chain = wal::crc32c(0, Bytes(image_).first(header_));
    put_u32(image_, header_, chain);
    chain = wal::crc32c(chain, Bytes(image_).subspan(block(), trailer() - block() - checksum_bytes));
    put_u32(image_, trailer() - checksum_bytes, chain);
    chain = wal::crc32c(chain, Bytes(image_).subspan(trailer(), trailer_bytes - checksum_bytes));
    put_u32(image_, image_.size() - checksum_bytes, chain);
    Verifier verifier(cluster);
    return verifier.feed(image_) && verifier.complete();
  }

 private:
  std::vector<std::byte> image_;
  std::size_t header_ = 0;
};

TEST(SnapshotImage, FieldsThatMakeNoSenseAreRefusedThoughTheirChecksumsAreRight) {
  EXPECT_TRUE(WithRightChecksums().accepted());
  const auto refused = [](const char* what, std::size_t offset, std::uint32_t number) {
    WithRightChecksums image;
    image.set_u32(offset, number);
    EXPECT_FALSE(image.accepted()) << what;
  };
  const WithRightChecksums image;
  refused("magic", 0, 0);
  refused("version 2", 8, 2);
  refused("version 0", 8, 0);
  refused("term 0", 24, 0);
  refused("index 0", 32, 0);
  refused("no members", header_fixed_bytes, 0);
  refused("bytes of content", image.trailer() + 4, 201);
  refused("bytes of the image", image.trailer() + 12, 201);
}

TEST(SnapshotImage, LengthsAreJudgedBeforeAnythingIsKept) {
  const Example one = example(at(9, 2), 200);
  auto image = one.image;
  put_u32(image, 12, configuration_bytes_max + 1);
  EXPECT_FALSE(Verifier(cluster).feed(Bytes(image).first(header_fixed_bytes)));

  image = one.image;
  const std::size_t block = header_fixed_bytes + encode(one.header().configuration).size() + checksum_bytes;
  put_u32(image, block, block_bytes + 1);
  EXPECT_FALSE(Verifier(cluster).feed(Bytes(image).first(block + 4)));
}

/// Otherwise the same state could have several images.
TEST(SnapshotImage, OnlyTheLastBlockMayBeShort) {
  const Header header = header_of(at(9));
  std::vector<std::byte> image;
  const Encoder encoder(header, image);
  auto chain = static_cast<std::uint32_t>(little_endian<std::uint32_t>(Bytes(image).last(4).data()));
  for (int block = 0; block < 2; ++block) {
    const std::size_t start = image.size();
    image.resize(start + 4 + 10);
    put_u32(image, start, 10);
    chain = wal::crc32c(chain, Bytes(image).subspan(start));
    image.resize(image.size() + 4);
    put_u32(image, image.size() - 4, chain);
    EXPECT_EQ(Verifier(cluster).feed(image), block == 0);
  }
}

TEST(SnapshotImage, BlocksThatChangePlacesAreNoticed) {
  const Example one = example(at(9), std::size_t{2} * block_bytes);
  auto image = one.image;
  const std::size_t first = header_fixed_bytes + encode(one.header().configuration).size() + checksum_bytes;
  const auto begin = image.begin() + static_cast<std::ptrdiff_t>(first);
  std::swap_ranges(begin, begin + block_bytes + block_frame_bytes, begin + block_bytes + block_frame_bytes);
  EXPECT_NE(image, one.image);
  EXPECT_EQ(content_in(image, one.header()), std::nullopt);
}

TEST(SnapshotImage, TheGreatestConfigurationFits) {
  Configuration configuration = voters_up_to(64);
  for (Member& member : configuration.members) {
    member.name = std::string(1024, 'n');
    member.address = std::string(1024, 'a');
  }
  // Everybody votes, and half of them will only learn.
  configuration.outgoing = configuration.voters;
  configuration.learners_next.assign(configuration.voters.begin() + 32, configuration.voters.end());
  configuration.voters.resize(32);
  const Header header{cluster, at(9), configuration};
  const auto image = image_of(header, content_of(10));
  EXPECT_EQ(content_in(image, header), content_of(10));
}

TEST(SnapshotImage, OfWhatCannotBeReadBackIsNeverWritten) {
  std::vector<std::byte> out;
  EXPECT_THROW(Encoder(Header{cluster, at(9), {}}, out), AssertionError);
  EXPECT_THROW(Encoder(header_of(at(0)), out), AssertionError);
  EXPECT_THROW(Encoder(header_of(at(1, 0)), out), AssertionError);
}

}  // namespace
}  // namespace raftlab::raft::snapshot
