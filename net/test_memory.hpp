#pragma once

#include <malloc.h>

#include <cstddef>

/// What an attack may cost for good: nothing.
namespace raftlab::net::test {

/// What the process has allocated and not given back; 0 under sanitizers, which have heaps of their own.
inline std::size_t heap_bytes() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}
/// What the strangers of a test, which live in the same process, may still have.
inline constexpr std::size_t heap_bytes_slack = 2U << 20U;

}  // namespace raftlab::net::test
