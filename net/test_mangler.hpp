#pragma once

#include "net/test_stranger.hpp"

#include <poll.h>

#include <atomic>
#include <thread>
#include <vector>

/// Stands between two nodes and passes on what they say, but for a bit now and then. TCP knows nothing of it: its
/// checksums are right on both sides.
namespace raftlab::net::test {

class Mangler {
 public:
  explicit Mangler(std::uint16_t target) : target_(target), thread_([this] { run(); }) {}
  Mangler(const Mangler&) = delete;
  Mangler& operator=(const Mangler&) = delete;
  ~Mangler() {
    ends_ = true;
    thread_.join();
    for (const Pair& pair : pairs_) {
      ::close(pair.dialled);
      ::close(pair.accepted);
    }
  }

  /// Flips a bit of what comes next from who dialled (or from who was dialled).
  void flip(bool dialler) { (dialler ? flips_forth_ : flips_back_) = true; }
  [[nodiscard]] std::uint64_t flipped() const { return flipped_; }
  [[nodiscard]] raft::Member member(std::uint32_t number) const { return door_.member(number); }

 private:
  struct Pair {
    int accepted;
    int dialled;
  };

  void run() {
    while (!ends_) {
      std::vector<pollfd> all{{door_.socket(), POLLIN, 0}};
      for (const Pair& pair : pairs_) {
        all.push_back({pair.accepted, POLLIN, 0});
        all.push_back({pair.dialled, POLLIN, 0});
      }
      if (::poll(all.data(), all.size(), 5) <= 0) continue;
      std::vector<Pair> left;
      for (std::size_t i = 0; i < pairs_.size(); ++i) {
        const Pair pair = pairs_[i];
        if (pass(all[2 * i + 1], pair.dialled, flips_forth_) &&
            pass(all[2 * i + 2], pair.accepted, flips_back_)) {
          left.push_back(pair);
        } else {
          ::close(pair.accepted);
          ::close(pair.dialled);
        }
      }
      pairs_ = std::move(left);
      if ((all[0].revents & POLLIN) != 0) take();
    }
  }
  void take() {
    const int accepted = ::accept4(door_.socket(), nullptr, nullptr, SOCK_CLOEXEC);
    const int dialled = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(target_);
    if (accepted < 0 ||
        ::connect(dialled, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      ::close(dialled);
      if (accepted >= 0) ::close(accepted);
      return;
    }
    pairs_.push_back({accepted, dialled});
  }
  /// False when this direction is over.
  bool pass(const pollfd& from, int to, std::atomic<bool>& flips) {
    if (from.revents == 0) return true;
    std::array<char, 16384> buffer{};
    const ssize_t count = ::recv(from.fd, buffer.data(), buffer.size(), 0);
    if (count <= 0) return false;
    if (flips.exchange(false)) {
      buffer[static_cast<std::size_t>(count) - 1] =
          static_cast<char>(buffer[static_cast<std::size_t>(count) - 1] ^ 4);
      ++flipped_;
    }
    for (ssize_t sent = 0; sent < count;) {
      const ssize_t more =
          ::send(to, buffer.data() + sent, static_cast<std::size_t>(count - sent), MSG_NOSIGNAL);
      if (more <= 0) return false;
      sent += more;
    }
    return true;
  }

  StrangersDoor door_;
  std::uint16_t target_;
  std::vector<Pair> pairs_;
  std::atomic<bool> flips_forth_ = false;
  std::atomic<bool> flips_back_ = false;
  std::atomic<std::uint64_t> flipped_ = 0;
  std::atomic<bool> ends_ = false;
  std::thread thread_;
};

}  // namespace raftlab::net::test
