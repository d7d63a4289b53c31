#include "tools/diskeyval/bench_session.hpp"

#include "tools/diskeyval/client_tls.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <utility>

namespace raftlab::diskeyval {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Error = boost::system::error_code;
using Socket = asio::ip::tcp::socket;

namespace {

constexpr std::uint64_t reply_bytes_max = 16ULL << 20U;
constexpr std::chrono::milliseconds pause_after_refusal{10};
constexpr std::chrono::milliseconds pause_after_loss{100};

}  // namespace

struct BenchSession::Connection {
  // Deadlines are those of `check`: no timer is set and cancelled for each operation, which costs what is measured.
  explicit Connection(const BenchShared& shared) : plain(*shared.loop) {
    if (shared.tls != nullptr) secure = std::make_unique<asio::ssl::stream<Socket&>>(plain, *shared.tls);
  }
  template <class Use>
  void use(Use use) {
    if (secure) {
      use(*secure);
    } else {
      use(plain);
    }
  }

  Socket plain;
  std::unique_ptr<asio::ssl::stream<Socket&>> secure;
  bool open = false;
  boost::beast::flat_buffer buffer;
  std::optional<http::response_parser<http::string_body>> parser;
};

BenchSession::BenchSession(BenchShared& shared, std::size_t endpoint)
    : shared_(shared), endpoint_(endpoint), pause_(*shared.loop) {}
BenchSession::~BenchSession() = default;

void BenchSession::start(std::function<void()> ended) {
  ended_ = std::move(ended);
  begin();
}

void BenchSession::begin() {
  operation_ = shared_.work->next(std::chrono::steady_clock::now());
  if (!operation_) {
    connection_.reset();
    ended_();
    return;
  }
  given_up_ = nullptr;
  shared_.requests->write(*operation_, shared_.endpoints[endpoint_].name, request_);
  if (connection_) {
    write();
  } else {
    connect();
  }
}

void BenchSession::connect() {
  connection_ = std::make_unique<Connection>(shared_);
  asio::async_connect(connection_->plain, shared_.endpoints[endpoint_].addresses,
                      [self = shared_from_this()](const Error& error, const auto& /*endpoint*/) {
                        if (error) return self->lost("cannot connect", error);
                        Error ignored;
                        self->connection_->plain.set_option(asio::ip::tcp::no_delay(true), ignored);
                        if (self->connection_->secure) return self->handshake();
                        self->write();
                      });
}

void BenchSession::handshake() {
  connection_->secure->async_handshake(
      asio::ssl::stream_base::client, [self = shared_from_this()](const Error& error) {
        if (error) return self->lost("no TLS", error);
        const SSL& session = *self->connection_->secure->native_handle();
        if (self->shared_.cluster && !is_node_of(*self->shared_.cluster, session))
          return self->lost("no node of this cluster", error);
        self->write();
      });
}

void BenchSession::write() {
  connection_->use([&](auto& stream) {
    asio::async_write(stream, asio::buffer(request_),
                      [self = shared_from_this()](const Error& error, std::size_t /*bytes*/) {
                        if (error) return self->lost("connection lost", error);
                        self->read();
                      });
  });
}

void BenchSession::read() {
  connection_->parser.emplace();
  connection_->parser->body_limit(reply_bytes_max);
  connection_->use([&](auto& stream) {
    http::async_read(stream, connection_->buffer, *connection_->parser,
                     [self = shared_from_this()](const Error& error, std::size_t /*bytes*/) {
                       if (error) return self->lost("connection lost", error);
                       self->answered();
                     });
  });
}

void BenchSession::answered() {
  const auto now = std::chrono::steady_clock::now();
  const auto& message = connection_->parser->get();
  const std::string kind = shared_.requests->error_in(*operation_, message.result_int(), message.body());
  if (!connection_->parser->keep_alive()) connection_.reset();
  if (!kind.empty()) return failed(kind, pause_after_refusal);
  shared_.work->finished(*operation_, now, "");
  begin();
}

void BenchSession::lost(const char* kind, const Error& error) {
  // Of what was said by the other end or the system, only what does not depend on bytes of strangers.
  std::string why = given_up_ != nullptr ? given_up_ : kind;
  if (given_up_ == nullptr && error.category() == boost::system::system_category())
    why += " (" + error.message() + ")";
  connection_.reset();
  endpoint_ = (endpoint_ + 1) % shared_.endpoints.size();
  failed(why, pause_after_loss);
}

void BenchSession::failed(const std::string& kind, std::chrono::milliseconds pause) {
  shared_.work->finished(*operation_, std::chrono::steady_clock::now(), kind);
  operation_.reset();
  pause_.expires_after(pause);
  pause_.async_wait([self = shared_from_this()](const Error& /*cancelled*/) { self->begin(); });
}

void BenchSession::check(std::chrono::steady_clock::time_point now) {
  if (!operation_ || !connection_ || now - operation_->began < shared_.timeout) return;
  if (given_up_ == nullptr) given_up_ = "timed out";
  Error ignored;
  connection_->plain.close(ignored);  // what is under way ends with an error
}

void BenchSession::interrupt() {
  if (!operation_ || !connection_) return;
  given_up_ = "interrupted";
  Error ignored;
  connection_->plain.close(ignored);
}

}  // namespace raftlab::diskeyval
