#include "net/fresh_number.hpp"

#include <sys/random.h>

#include <cerrno>
#include <system_error>

namespace raftlab::net {

std::uint64_t fresh_number() {
  std::uint64_t number = 0;
  while (::getrandom(&number, sizeof(number), 0) != sizeof(number)) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "no random numbers");
  }
  return number;
}

}  // namespace raftlab::net
