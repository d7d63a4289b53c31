#pragma once

#include "net/http_client.hpp"
#include "net/http_parser.hpp"
#include "net/http_state.hpp"
#include "net/http_stream.hpp"
#include "net/watchdog.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

/// For the .cpp files of net/.
namespace raftlab::net {

/// One connection of a client. Reads that come in one go run beside each other, everything else runs after what was before it;
/// answers leave in the order of the requests, whichever is there first. One coroutine reads and one writes; both keep the session alive, and an answer that
/// the API still owes does not.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(std::shared_ptr<HttpState> state, boost::asio::ip::tcp::socket socket);
  ~HttpSession();
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  void start();
  /// Takes no more requests; closes when those under way are answered.
  void finish();
  /// Ends it here and now.
  void close();
  /// Closes the connection if these certificates would not let its client in.
  void verify_again(const TlsContexts& contexts);
  /// Since when there has been no request, not even a byte of one; none: there is.
  [[nodiscard]] std::optional<Clock::time_point> idle_since() const;

 private:
  /// A request and its answer; or the answer alone.
  struct Exchange {
    std::optional<ApiReply> reply;
    bool interim = false;    ///< "100 Continue", the true answer comes behind it
    bool head_only = false;  ///< asked for with HEAD
    std::size_t bytes = 0;   ///< of the request's body; of the reply's, once it is there
  };
  enum class Pace : std::uint8_t { on, full };

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<bool> handshake();
  void handshake_failed(const boost::system::error_code& error);
  void identify();
  void start_writing();
  boost::asio::awaitable<void> read_requests();
  boost::asio::awaitable<void> write_answers();
  boost::asio::awaitable<bool> write(const std::string& bytes);
  /// Reads what nobody will look at, so that the client gets to read our last answer: closing a socket that has bytes unread
  /// resets the connection.
  boost::asio::awaitable<void> drain();

  /// Takes what is to be taken from the bytes that are here.
  Pace begin_requests();
  void look_at_head();
  void begin_request();
  bool serve_metrics(const ApiRequest& request);
  void account_for_body();
  void answered(std::uint64_t id, ApiReply reply);
  void refuse(const HttpRefusal& refusal, Reason reason);
  /// Moves answers that may go out now to `out_` and `body_`; false: there is none.
  bool gather();
  void input_ended(const boost::system::error_code& error);
  void arm_reading();
  void missed(Reason reason);
  [[nodiscard]] bool is_full() const;
  [[nodiscard]] bool may_begin();
  void forget_written();

  std::shared_ptr<HttpState> state_;
  HttpStream stream_;
  std::string remote_;
  std::shared_ptr<const TlsContexts> tls_;  ///< those of the handshake
  HttpClient client_;
  HttpParser parser_;
  Watchdog reading_;
  Watchdog writing_;
  HttpSignal room_;  ///< for the reader: fewer exchanges
  HttpSignal work_;  ///< for the writer: an answer, or an end

  std::deque<Exchange> exchanges_;
  std::uint64_t first_id_ = 0;       ///< of the first exchange
  std::size_t exchanged_bytes_ = 0;  ///< sum over the exchanges
  std::size_t accounted_bytes_ = 0;  ///< of the body that is being read, in `state_->bodies_bytes`
  std::size_t answers_bytes_ = 0;    ///< that are not written, in `state_->answers_bytes`
  std::string out_;
  std::string body_;  ///< of a long answer, behind `out_`

  Clock::time_point waiting_since_;                 ///< for a request to begin
  std::optional<Clock::time_point> request_begun_;  ///< its first byte
  std::optional<Clock::time_point> body_begun_;
  bool is_open_ = false;  ///< the handshake is over
  bool has_asked_ = false;
  bool head_only_ = false;    ///< the request that is being read asks with HEAD
  bool has_to_wait_ = false;  ///< a request is here as a whole, and may not begin yet
  bool all_are_safe_ = true;  ///< all requests under way
  bool takes_requests_ = true;
  bool input_closed_ = false;
  bool output_closed_ = false;
  bool closed_ = false;
};

}  // namespace raftlab::net
