#pragma once

#include <cstdint>

namespace raftlab::net {

/// A number that nobody has had before: 64 bits from the system. Any thread. Throws `std::system_error` when it has none.
[[nodiscard]] std::uint64_t fresh_number();

}  // namespace raftlab::net
