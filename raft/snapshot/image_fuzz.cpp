#include "raft/snapshot/image.hpp"

#include <algorithm>
#include <cstdlib>
#include <span>

/// Any bytes are either no image, or exactly those that the encoder writes for what was read. In one part or
/// byte by byte makes no difference.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace raftlab::raft;
  using namespace raftlab::raft::snapshot;
  if (size < header_fixed_bytes) return 0;
  const Bytes image = std::as_bytes(std::span(data, size));
  std::uint64_t cluster = 0;
  for (std::size_t i = 0; i < 8; ++i) cluster |= std::to_integer<std::uint64_t>(image[16 + i]) << (8 * i);

  std::vector<std::byte> content;
  Verifier verifier(cluster);
  const bool intact = verifier.feed(image, &content) && verifier.complete();
  Verifier slow(cluster);
  bool slowly_intact = true;
  for (std::size_t at = 0; at < size && slowly_intact; ++at) slowly_intact = slow.feed(image.subspan(at, 1));
  if ((slowly_intact && slow.complete()) != intact) std::abort();
  if (!intact) return 0;

  std::vector<std::byte> again;
  Encoder encoder(*verifier.header(), again);
  encoder.write(content, again);
  encoder.finish(again);
  if (!std::ranges::equal(again, image)) std::abort();
  return 0;
}
