#include "raft/snapshot/image.hpp"

#include "raft/snapshot/test_files.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace raftlab::raft::snapshot {
namespace {

using namespace testing;

RC_GTEST_PROP(SnapshotImageProperty, DoesNotDependOnThePartsInWhichContentComes, (std::uint64_t seed)) {
  Random random(seed);
  const Example one = example(at(1 + random(1000), 1 + random(9)), random(200'000), seed);
  std::vector<std::byte> image;
  Encoder encoder(one.header(), image);
  for (Bytes rest = one.content; !rest.empty();) {
    const Bytes part =
        rest.first(std::min<std::size_t>(rest.size(), random(random(4) == 0 ? 150'000 : 5000)));
    encoder.write(part, image);
    rest = rest.subspan(part.size());
  }
  encoder.finish(image);
  RC_ASSERT(image == one.image);
}

RC_GTEST_PROP(SnapshotImageProperty, IsReadInAnyParts, (std::uint64_t seed)) {
  Random random(seed);
  const Example one = example(at(1 + random(1000), 1 + random(9)), random(150'000), seed);
  std::vector<std::byte> content;
  Verifier verifier(cluster);
  for (Bytes rest = one.image; !rest.empty();) {
    RC_ASSERT(!verifier.complete());
    const Bytes part = rest.first(std::min<std::size_t>(rest.size(), random(random(2) == 0 ? 50 : 20'000)));
    RC_ASSERT(verifier.feed(part, &content));
    rest = rest.subspan(part.size());
  }
  RC_ASSERT(verifier.complete());
  RC_ASSERT(verifier.bytes() == one.image.size());
  RC_ASSERT(verifier.header() == one.header());
  RC_ASSERT(content == one.content);
}

}  // namespace
}  // namespace raftlab::raft::snapshot
