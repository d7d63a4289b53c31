#include "net/requests.hpp"

#include "raft/assert.hpp"

#include <algorithm>
#include <utility>

namespace raftlab::net {

using kv::Status;

namespace {

/// The tag of an attempt: that of the wish above, its own number below.
constexpr std::uint32_t attempt_bits = 16;
constexpr std::uint32_t attempts_max = (1U << attempt_bits) - 1;

kv::Answer answer_of(Status status) {
  kv::Answer answer;
  answer.status = status;
  return answer;
}

}  // namespace

void RequestsOutput::clear() {
  attempts.clear();
  outcomes.clear();
}

bool Requests::is_write(const Flight& flight) const {
  return std::holds_alternative<kv::Change>(flight.wish.what);
}

void Requests::wish(std::uint64_t id, Wish&& wish) {
  if (flights_.size() >= options_.wishes_max) {
    out_.outcomes.push_back(Outcome{id, answer_of(Status::overloaded)});
    return;
  }
  Flight flight;
  flight.id = id;
  flight.deadline = now_ + std::max<std::uint32_t>(wish.deadline_ticks, 1);
  flight.wish = std::move(wish);
  const auto at = flights_.emplace_hint(flights_.end(), ++last_, std::move(flight));
  proceed(at->first, at->second);
}

/// A write needs a session, and then a leader; a read needs neither: the service asks the leader itself.
void Requests::proceed(std::uint64_t tag, Flight& flight) {
  const auto* change = std::get_if<kv::Change>(&flight.wish.what);
  if (change != nullptr && !flight.wish.forward && leader_ != self_) {
    kv::Answer answer = answer_of(Status::not_leader);
    answer.leader = leader_;
    return end(flights_.find(tag), std::move(answer));
  }
  const bool needs_session = change != nullptr && !flight.wish.client && !flight.lease &&
                             !std::holds_alternative<kv::OpenSession>(*change);
  if (needs_session && !(flight.lease = sessions_.take())) {
    flight.waits = Waits::for_session;
    for_session_.push_back(tag);
    open_session();
    return;
  }
  if (change != nullptr && !leader_) {
    flight.waits = Waits::for_leader;
    flight.again_at = now_ + options_.backoff_ticks;
    return;
  }
  attempt(tag, flight);
}

void Requests::attempt(std::uint64_t tag, Flight& flight) {
  ++flight.attempts;
  flight.waits = Waits::for_answer;
  const bool elsewhere = is_write(flight) && leader_ != self_;
  const auto left = static_cast<std::uint32_t>(flight.deadline - now_);
  const std::uint32_t patience = elsewhere ? std::min(left, options_.attempt_ticks) : left;
  flight.again_at = now_ + patience + 1;  // the service's own answer comes first
  Attempt attempt;
  attempt.at = flight.asked = elsewhere ? leader_ : raft::NodeId{};
  attempt.request.tag = tag << attempt_bits | flight.attempts;
  attempt.request.deadline_ticks = std::max<std::uint32_t>(patience, 1);
  if (const auto* change = std::get_if<kv::Change>(&flight.wish.what)) {
    kv::Command command{flight.wish.client, flight.wish.sequence, *change};
    if (flight.lease) {
      command.client = flight.lease->client;
      command.sequence = flight.lease->sequence;
    }
    attempt.request.what = std::move(command);
  } else {
    attempt.request.what = std::get<kv::GetKeys>(flight.wish.what);
  }
  out_.attempts.push_back(std::move(attempt));
}

void Requests::answered(kv::Answer&& answer) {
  const auto at = flights_.find(answer.tag >> attempt_bits);
  if (at == flights_.end()) return;
  Flight& flight = at->second;
  const bool latest = (answer.tag & attempts_max) == flight.attempts && flight.waits == Waits::for_answer;
  switch (answer.status) {
    case Status::ok:
    case Status::compare_failed:
      return end(at, std::move(answer));  // also of an attempt that counted as lost
    default: break;
  }
  if (!latest) return;
  switch (answer.status) {
    case Status::bad_request: return end(at, std::move(answer));
    case Status::session_expired:
      // In a new session the change would be a new one: only who knows that it has not happened may do that.
      if (!flight.lease || flight.may_have_happened) {
        if (std::exchange(flight.lease, std::nullopt)) sessions_.lost();
        return end(at, flight.wish.client ? std::move(answer) : answer_of(Status::unknown));
      }
      flight.lease.reset();
      sessions_.lost();
      return proceed(at->first, flight);
    case Status::overloaded:
      if (!flight.may_have_happened) return end(at, std::move(answer));
      return again(flight, options_.backoff_ticks);
    case Status::not_leader:
      if (!flight.wish.forward) return end(at, std::move(answer));
      // Who was asked knows better than this node, or knows nothing either.
      if (answer.leader && answer.leader != leader_) leader_ = answer.leader;
      return again(flight, options_.backoff_ticks);
    case Status::unknown:
    case Status::timed_out:
      flight.may_have_happened = flight.may_have_happened || is_write(flight);
      return again(flight, 1);
    default: return again(flight, options_.backoff_ticks);
  }
}

void Requests::again(Flight& flight, std::uint32_t ticks) const {
  flight.waits = Waits::for_leader;
  flight.again_at = now_ + ticks;
}

void Requests::end(Flights::iterator at, kv::Answer answer) {
  Flight flight = std::move(at->second);
  flights_.erase(at);
  if (flight.opens_session) {
    answer.status == Status::ok ? sessions_.opened(answer.client) : sessions_.not_opened();
    return session_is_free();
  }
  out_.outcomes.push_back(Outcome{flight.id, std::move(answer)});
  if (!flight.lease) return;
  sessions_.give_back(*flight.lease);
  session_is_free();
}

/// What no attempt can have done, or what was never asked, is certain not to have happened.
void Requests::expire(Flights::iterator at) {
  const Flight& flight = at->second;
  const bool asked = flight.waits == Waits::for_answer;
  const bool open = is_write(flight) ? flight.may_have_happened || asked : flight.attempts != 0;
  end(at, answer_of(open ? Status::timed_out : Status::not_ready));
}

/// Serves those that wait in their order; who has given up meanwhile is passed over.
void Requests::session_is_free() {
  while (!for_session_.empty()) {
    const auto at = flights_.find(for_session_.front());
    if (at != flights_.end() && at->second.waits == Waits::for_session) {
      const auto lease = sessions_.take();
      if (!lease) return open_session();
      at->second.lease = lease;
      for_session_.pop_front();
      proceed(at->first, at->second);
    } else {
      for_session_.pop_front();
    }
  }
}

void Requests::open_session() {
  if (!sessions_.begin_opening()) return;
  Flight flight;
  flight.opens_session = true;
  flight.wish.what = kv::Change{kv::OpenSession{}};
  flight.deadline = now_ + flight.wish.deadline_ticks;
  const auto at = flights_.emplace_hint(flights_.end(), ++last_, std::move(flight));
  proceed(at->first, at->second);
}

void Requests::leader(raft::NodeId leader) {
  if (std::exchange(leader_, leader) == leader || !leader) return;
  for (auto& [tag, flight] : flights_) {
    // Who led before may be gone for good: a new attempt costs less than to wait for its answer, which still counts.
    const bool overtaken = flight.waits == Waits::for_answer && flight.asked && flight.asked != leader;
    if (flight.waits == Waits::for_leader || overtaken) flight.again_at = now_;
  }
}

void Requests::tick() {
  ++now_;
  for (auto at = flights_.begin(); at != flights_.end();) {
    const auto next = std::next(at);
    Flight& flight = at->second;
    if (flight.deadline <= now_) {
      expire(at);
    } else if (flight.waits != Waits::for_session && flight.again_at <= now_) {
      flight.may_have_happened =
          flight.may_have_happened || (flight.waits == Waits::for_answer && is_write(flight));
      if (flight.attempts == attempts_max) {
        expire(at);
      } else {
        proceed(at->first, flight);
      }
    }
    at = next;
  }
}

void Requests::give_up() {
  for_session_.clear();
  while (!flights_.empty()) expire(flights_.begin());
}

void Requests::take(RequestsOutput& out) {
  std::ranges::move(out_.attempts, std::back_inserter(out.attempts));
  std::ranges::move(out_.outcomes, std::back_inserter(out.outcomes));
  out_.clear();
}

}  // namespace raftlab::net
