#include "net/http_state.hpp"

#include "net/http_session.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace raftlab::net {

HttpState::HttpState(boost::asio::io_context& context, Api& served, HttpOptions given,
                     std::shared_ptr<const TlsContexts> contexts)
    : io(context),
      api(served),
      options(std::move(given)),
      tls(std::move(contexts)),
      events(options.observer, counters.events_suppressed) {}

void HttpState::event(const std::string& remote, Reason reason, const std::string& detail) {
  if (!ended) events.tell(Clock::now(), raft::NodeId(), remote, reason, detail);
}

void HttpState::forget(const std::shared_ptr<HttpSession>& session) {
  sessions.erase(session);
  counters.connections = sessions.size();
  look_whether_stopped();
}

void HttpState::look_whether_stopped() {
  if (!stopping || !sessions.empty()) return;
  boost::asio::post(io, [self = shared_from_this()] {
    if (self->ended) return;
    if (const auto tell = std::exchange(self->stopped, nullptr)) tell();
  });
}

bool HttpState::evict() {
  std::shared_ptr<HttpSession> longest;
  for (const std::shared_ptr<HttpSession>& session : sessions) {
    if (session->idle_since() && (!longest || *session->idle_since() < *longest->idle_since()))
      longest = session;
  }
  if (!longest) return false;
  ++counters.evicted;
  longest->close();
  return true;
}

}  // namespace raftlab::net
