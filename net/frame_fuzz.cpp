#include "net/frame.hpp"

#include "net/hello.hpp"

#include <algorithm>
#include <cstdlib>

/// Any bytes are frames, or a reason; however they come, they are the same; and what stands in them is decoded or refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace raftlab;
  if (size == 0) return 0;
  // The first byte says how the rest is cut.
  const std::size_t piece = std::size_t{data[0]} + 1;
  const raft::Bytes input = std::as_bytes(std::span(data, size)).subspan(1);
  std::size_t taken = 0;
  net::FrameParser parser(raft::wire::frame_bytes_max, 16);
  raft::wire::Decoder decoder;
  for (raft::Bytes rest = input;;) {
    const auto next = parser.next();
    if (std::holds_alternative<net::Reason>(next)) return 0;
    if (const auto* frame = std::get_if<net::Frame>(&next)) {
      if (!std::equal(frame->body.begin(), frame->body.end(),
                      input.begin() + static_cast<std::ptrdiff_t>(taken + net::frame_header_bytes)))
        std::abort();
      taken += net::frame_header_bytes + frame->body.size();
      const auto hello = net::decode_hello(frame->body);
      if (hello && net::decode_hello(net::encode(*hello)) != hello) std::abort();
      const auto answer = net::decode_hello_answer(frame->body);
      if (answer && net::decode_hello_answer(net::encode(*answer)) != answer) std::abort();
      static_cast<void>(decoder.decode(frame->body));
      continue;
    }
    if (parser.buffer_bytes() > 2 * size + 32) std::abort();
    if (rest.empty()) return 0;
    const auto room = parser.room();
    const std::size_t count = std::min({piece, room.size(), rest.size()});
    std::copy_n(rest.begin(), count, room.begin());
    parser.filled(count);
    rest = rest.subspan(count);
  }
}
