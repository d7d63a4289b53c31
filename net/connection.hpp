#pragma once

#include "net/frame.hpp"
#include "net/reason.hpp"
#include "net/tls_stream.hpp"
#include "net/watchdog.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

/// For the .cpp files of net/.
namespace raftlab::net {

/// Why a connection is over. Not an aggregate: within a coroutine g++ 12 copies a braced temporary with a string in it byte
/// by byte, and two strings own the same memory.
class Failure {
 public:
  explicit Failure(Reason why, std::string_view what = {}) : reason(why), detail(what) {}

  Reason reason;
  std::string detail;
};

/// What an error on a connection means; `session` is null where there is no TLS.
[[nodiscard]] Failure failure_of(const boost::system::error_code& error, const SSL* session);

/// What both ends of a link have in common: frames over TLS over TCP, and deadlines. The first failure is the one that
/// counts; after it nothing more is read or written. Who awaits one of its functions keeps it alive.
class Connection {
 public:
  using Duration = std::chrono::milliseconds;

  explicit Connection(boost::asio::io_context& io);

  /// Until then only `open_by`, `fail` and `close` are of use.
  void set_socket(boost::asio::ip::tcp::socket socket, SSL_CTX& context);
  /// An absolute deadline for everything up to `set_deadlines`.
  void open_by(Clock::time_point deadline);
  /// From now on: for the rest of a frame that has begun, for the next frame to begin, and for a write.
  void set_deadlines(Duration frame, Duration idle, Duration write);
  void set_body_bytes_max(std::uint32_t bytes) { parser_.set_body_bytes_max(bytes); }

  /// True, or it has failed. As with the functions below a failure closes nothing, so that the peer can be told.
  boost::asio::awaitable<bool> handshake(Side side);
  /// None: it has failed. The body of a frame is there until the next call.
  boost::asio::awaitable<std::optional<Frame>> read();
  boost::asio::awaitable<bool> write(raft::Bytes bytes);
  /// Nothing more will be written; waits so long for the peer to have read what was, and to close.
  boost::asio::awaitable<void> linger(Duration longest);

  /// No effect after the first failure.
  void fail(Reason reason, std::string_view detail = {});
  /// Ends what is under way; a connection that has not failed was `stopped`.
  void close();
  void end(Reason reason, std::string_view detail = {}) {
    fail(reason, detail);
    close();
  }

  [[nodiscard]] bool failed() const { return failure_.has_value(); }
  [[nodiscard]] const Failure& failure() const { return *failure_; }
  [[nodiscard]] SSL& session() { return stream_->session(); }

  std::function<void()> closed;  ///< called by `close`, for what else has to end; may be empty

 private:
  struct Deadlines {
    Duration frame;
    Duration idle;
    Duration write;
  };

  void arm_reading();
  void fail_by(const boost::system::error_code& error);

  std::optional<TlsStream> stream_;
  FrameParser parser_{hello_bytes_max};
  Watchdog reading_;
  Watchdog writing_;
  std::optional<Deadlines> deadlines_;
  std::optional<Clock::time_point> frame_begun_;
  std::optional<Failure> failure_;
};

/// "192.0.2.7:7401", "[2001:db8::1]:7401"; "" when the socket has no peer any more.
[[nodiscard]] std::string remote_of(const boost::asio::ip::tcp::socket& socket);

/// What every socket to a peer has: no delay for small frames, little unsent in the kernel (what waits there cannot be
/// overtaken by a heartbeat), and an end when the peer acknowledges nothing for so long.
void set_up(boost::asio::ip::tcp::socket& socket, Connection::Duration unacknowledged);

}  // namespace raftlab::net
