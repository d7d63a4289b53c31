#pragma once

#include "net/reason.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>

/// For the .cpp files of net/.
namespace raftlab::net {

using Clock = std::chrono::steady_clock;

/// A deadline that is moved often and missed rarely: moving it to later touches no timer. Its callback is not called after
/// it was destroyed.
class Watchdog {
 public:
  Watchdog(boost::asio::io_context& io, std::function<void(Reason)> missed);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Replaces the deadline before.
  void arm(Clock::time_point deadline, Reason reason);
  void disarm();

 private:
  struct State;
  static void wait(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;
};

}  // namespace raftlab::net
