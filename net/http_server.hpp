#pragma once

#include "net/http_counters.hpp"
#include "net/http_options.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace boost::asio {
class io_context;
}

namespace raftlab::net {

struct HttpState;
class HttpAcceptor;

/// Why a server does not start.
struct HttpError {
  enum class Kind : std::uint8_t {
    plain_not_loopback,  ///< without TLS only on a loopback address
    listen_failed,       ///< the address, or what the system says of it
    tls_failed,          ///< the certificates; `tls` says what
  };
  Kind kind = Kind::listen_failed;
  std::string detail;
  std::optional<TlsErrorKind> tls;
};

/// The client port: `Api` over HTTP/1.1, under TLS 1.3 or, on a loopback address, without. What it says and refuses is in
/// docs/http-api.md, and who may what in docs/security.md.
///
/// Everything happens on the one thread that runs the io_context, the end of the server too. The loop and the API must outlive
/// the server, and the loop must run on afterwards for connections to be let go of. What the API still owes when a connection
/// or the server has gone does nothing.
class HttpServer {
 public:
  /// Listens at once.
  [[nodiscard]] static std::variant<std::unique_ptr<HttpServer>, HttpError> make(boost::asio::io_context& io,
                                                                                 Api& api,
                                                                                 HttpOptions options);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// Ends every connection.
  ~HttpServer();

  /// Accepts nobody any more, answers what is under way, and closes; what is left after `longest` is ended. `stopped` is called
  /// once, when no connection is left, and never from within the call; not at all when the server ends before. To be called
  /// once.
  void stop(std::chrono::milliseconds longest, std::function<void()> stopped);

  /// Reads the certificates again. New connections use the new ones; connections whose client these would not let in are
  /// closed, all others stay. An error: nothing has changed. Without TLS nothing happens.
  [[nodiscard]] std::optional<TlsError> reload();

  [[nodiscard]] std::uint16_t port() const;
  /// A copy of the numbers of now.
  [[nodiscard]] HttpCounters counters() const;
  /// What is in use, for those who want to know when it expires; null without TLS.
  [[nodiscard]] std::shared_ptr<const TlsContexts> contexts() const;

 private:
  HttpServer(std::shared_ptr<HttpState> state, std::shared_ptr<HttpAcceptor> acceptor);

  struct Stopping;
  std::shared_ptr<HttpState> state_;
  std::shared_ptr<HttpAcceptor> acceptor_;
  std::unique_ptr<Stopping> stopping_;
};

}  // namespace raftlab::net
