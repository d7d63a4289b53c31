#pragma once

#include "net/http_counters.hpp"
#include "net/http_options.hpp"
#include "net/link_event.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <memory>
#include <set>
#include <string>

/// For the .cpp files of net/.
namespace raftlab::net {

class HttpSession;

/// One coroutine waits here until another looks after it. Who is told while nobody waits tells nobody: the condition is looked
/// at before each wait.
class HttpSignal {
 public:
  explicit HttpSignal(boost::asio::io_context& io) : timer_(io) {}

  boost::asio::awaitable<void> wait() {
    boost::system::error_code ignored;
    timer_.expires_at(boost::asio::steady_timer::time_point::max());
    co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
  }
  void notify() { timer_.cancel(); }

 private:
  boost::asio::steady_timer timer_;
};

/// What the parts of one server share. It is kept alive by them, and the server's end takes them apart.
struct HttpState : std::enable_shared_from_this<HttpState> {
  HttpState(boost::asio::io_context& context, Api& served, HttpOptions given,
            std::shared_ptr<const TlsContexts> contexts);

  boost::asio::io_context& io;
  Api& api;  ///< not to be touched once `ended`
  const HttpOptions options;
  std::shared_ptr<const TlsContexts> tls;  ///< null without TLS
  HttpCounters counters;
  LinkEvents events;
  std::set<std::shared_ptr<HttpSession>> sessions;
  std::size_t bodies_bytes = 0;   ///< of all requests that are being read
  std::size_t answers_bytes = 0;  ///< of all that are not written
  bool stopping = false;          ///< no connection is accepted any more
  bool ended = false;             ///< no request is taken any more
  std::function<void()> stopped;  ///< told when `stopping` and no session is left, and then forgotten

  void event(const std::string& remote, Reason reason, const std::string& detail);
  /// Tells `stopped` if it is time, and never from within the call.
  void look_whether_stopped();
  /// The session is over.
  void forget(const std::shared_ptr<HttpSession>& session);
  /// Ends the session that has been idle for the longest; false: none is.
  bool evict();
};

}  // namespace raftlab::net
