#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>
#include <utility>

namespace raftlab::diskeyval::test {

/// A port of this machine that nobody else takes, also while the node that it is for is down: a socket of ours is bound to it,
/// and lets in only who says that the address may be shared, as nodes do and who asks for any port does not.
class ReservedPort {
 public:
  ReservedPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const at = reinterpret_cast<sockaddr*>(&address);
    socklen_t length = sizeof(address);
    const int yes = 1;
    if (socket_ < 0 || ::bind(socket_, at, length) != 0 || ::getsockname(socket_, at, &length) != 0 ||
        ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0)
      throw std::runtime_error("no port is free");
    number_ = ntohs(address.sin_port);
  }
  ReservedPort(ReservedPort&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), number_(other.number_) {}
  ReservedPort& operator=(ReservedPort&&) = delete;
  ~ReservedPort() {
    if (socket_ >= 0) ::close(socket_);
  }

  [[nodiscard]] std::uint16_t number() const { return number_; }

 private:
  int socket_;
  std::uint16_t number_ = 0;
};

}  // namespace raftlab::diskeyval::test
