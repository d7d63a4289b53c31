#include "net/watchdog.hpp"

#include <optional>
#include <utility>

namespace raftlab::net {

struct Watchdog::State {
  State(boost::asio::io_context& io, std::function<void(Reason)> callback)
      : timer(io), missed(std::move(callback)) {}

  boost::asio::steady_timer timer;
  std::function<void(Reason)> missed;  // empty once the watchdog is gone
  std::optional<Clock::time_point> deadline;
  std::optional<Clock::time_point> waking;  // when the timer looks at the deadline again
  Reason reason = Reason::handshake_timeout;
};

Watchdog::Watchdog(boost::asio::io_context& io, std::function<void(Reason)> missed)
    : state_(std::make_shared<State>(io, std::move(missed))) {}

Watchdog::~Watchdog() {
  state_->missed = nullptr;
  state_->deadline.reset();
  state_->timer.cancel();
}

void Watchdog::arm(Clock::time_point deadline, Reason reason) {
  state_->deadline = deadline;
  state_->reason = reason;
  if (!state_->waking || deadline < *state_->waking) wait(state_);
}

void Watchdog::disarm() { state_->deadline.reset(); }

void Watchdog::wait(const std::shared_ptr<State>& state) {
  state->waking = state->deadline;
  state->timer.expires_at(*state->deadline);
  state->timer.async_wait([state](const boost::system::error_code& error) {
    if (error) return;  // replaced by an earlier deadline, or gone
    state->waking.reset();
    if (!state->deadline) return;
    if (Clock::now() < *state->deadline) return wait(state);
    state->deadline.reset();
    if (state->missed) state->missed(state->reason);
  });
}

}  // namespace raftlab::net
