#include "net/frame.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace raftlab::net {
namespace {

using Bodies = std::vector<std::vector<std::uint8_t>>;

/// The bodies of the frames in these bytes, which come in pieces of these sizes; the last outcome is "none" or a reason.
struct Parsed {
  Bodies bodies;
  std::string end;
  friend bool operator==(const Parsed&, const Parsed&) = default;
};

Parsed parse(raft::Bytes input, const std::vector<std::size_t>& pieces, std::size_t buffer_bytes) {
  FrameParser parser(1'000, buffer_bytes);
  Parsed parsed;
  std::size_t piece = 0;
  for (;;) {
    auto next = parser.next();
    if (const auto* frame = std::get_if<Frame>(&next)) {
      auto& body = parsed.bodies.emplace_back();
      for (const std::byte byte : frame->body) body.push_back(std::to_integer<std::uint8_t>(byte));
      continue;
    }
    if (const auto* reason = std::get_if<Reason>(&next)) {
      parsed.end = name(*reason);
      return parsed;
    }
    if (input.empty()) {
      parsed.end = parser.in_frame() ? "in a frame" : "between frames";
      return parsed;
    }
    const auto room = parser.room();
    const std::size_t wanted = pieces.empty() ? input.size() : pieces[piece++ % pieces.size()];
    const std::size_t count = std::min({room.size(), input.size(), std::max<std::size_t>(wanted, 1)});
    std::copy_n(input.begin(), count, room.begin());
    parser.filled(count);
    input = input.subspan(count);
  }
}

RC_GTEST_PROP(FrameProperty, AnySplitOfTheStreamGivesTheSameFrames,
              (const Bodies& bodies, const std::vector<std::uint8_t>& tail)) {
  FrameBatch batch;
  for (const auto& body : bodies) batch.add(FrameKind::envelope, std::as_bytes(std::span(body)));
  std::vector<std::byte> stream(batch.bytes().begin(), batch.bytes().end());
  for (const std::uint8_t byte : tail) stream.push_back(static_cast<std::byte>(byte));
  const auto pieces = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, 40));
  const auto buffer_bytes = *rc::gen::inRange<std::size_t>(frame_header_bytes, 80);

  const Parsed at_once = parse(stream, {}, 100'000);
  RC_ASSERT(parse(stream, pieces, buffer_bytes) == at_once);
  RC_ASSERT(parse(stream, {1}, buffer_bytes) == at_once);
  RC_ASSERT(at_once.bodies.size() >= bodies.size());
  RC_ASSERT(std::equal(bodies.begin(), bodies.end(), at_once.bodies.begin()));
}

RC_GTEST_PROP(FrameProperty, AnyBytesGiveFramesOrAReason, (const std::vector<std::uint8_t>& noise)) {
  const Parsed at_once = parse(std::as_bytes(std::span(noise)), {}, 100'000);
  RC_ASSERT(parse(std::as_bytes(std::span(noise)), {1}, frame_header_bytes) == at_once);
}

}  // namespace
}  // namespace raftlab::net
