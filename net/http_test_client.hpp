#pragma once

#include "net/test_pki.hpp"
#include "net/test_stranger.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

/// A client that sends whatever bytes a test wants, on the test's own thread: nothing of it waits.
namespace raftlab::net::test {

struct HttpTestAnswer {
  unsigned status = 0;
  std::map<std::string, std::string> headers;
  std::string body;

  [[nodiscard]] std::string header(const std::string& name) const {
    const auto at = headers.find(name);
    return at == headers.end() ? std::string() : at->second;
  }
};

class HttpTestClient {
 public:
  explicit HttpTestClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in address = loopback(port);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
      throw std::runtime_error("connect");
    ::fcntl(socket_, F_SETFL, O_NONBLOCK);
  }
  HttpTestClient(const HttpTestClient&) = delete;
  HttpTestClient& operator=(const HttpTestClient&) = delete;
  ~HttpTestClient() { close(); }

  /// From now on with TLS, with a certificate or without one.
  void begin_tls(const Issued* issued, const Tune& tune = nullptr) {
    context_.reset(SSL_CTX_new(TLS_method()));
    SSL_CTX_set_security_level(context_.get(), 0);
    if (issued != nullptr) {
      const auto chain = certificates_of(issued->certificate);
      require(SSL_CTX_use_certificate(context_.get(), chain.front().get()) == 1, "using a certificate");
      require(SSL_CTX_use_PrivateKey(context_.get(), key_of(issued->key).get()) == 1, "using a key");
    }
    if (tune) tune(*context_);
    session_.reset(SSL_new(context_.get()));
    SSL_set_fd(session_.get(), socket_);
    SSL_set_connect_state(session_.get());
  }

  void send(std::string_view bytes) { out_ += bytes; }
  /// Writes and reads what can be written and read now.
  void pump() {
    if (socket_ < 0) return;
    const WithoutSignal guard;
    ERR_clear_error();
    while (!out_.empty() && !ended_) {
      const ssize_t count = write_some();
      if (count <= 0) break;
      out_.erase(0, static_cast<std::size_t>(count));
    }
    while (reads && !ended_) {
      std::array<char, 16384> room{};
      const ssize_t count = read_some(room);
      if (count <= 0) break;
      received.append(room.data(), static_cast<std::size_t>(count));
    }
  }

  [[nodiscard]] bool sent() const { return out_.empty(); }
  /// The server has closed the connection, or has refused it.
  [[nodiscard]] bool ended() const { return ended_; }
  /// The number of the alert that the server has sent; 0: none.
  [[nodiscard]] int alert() const { return alert_; }
  [[nodiscard]] SSL& session() { return *session_; }

  /// The first answer that has not been taken yet; none: it is not there as a whole. `head_only`: to a HEAD.
  std::optional<HttpTestAnswer> take(bool head_only = false) {
    const std::size_t end = received.find("\r\n\r\n");
    if (end == std::string::npos) return std::nullopt;
    HttpTestAnswer answer;
    std::string_view head = std::string_view(received).substr(0, end + 2);
    const std::string_view line = head.substr(0, head.find("\r\n"));
    if (!line.starts_with("HTTP/1.1 ") || line.size() < 12) throw std::runtime_error("no status line");
    std::from_chars(line.data() + 9, line.data() + 12, answer.status);
    for (head.remove_prefix(line.size() + 2); !head.empty();) {
      const std::string_view field = head.substr(0, head.find("\r\n"));
      const std::size_t colon = field.find(": ");
      if (colon == std::string_view::npos) throw std::runtime_error("no field");
      answer.headers[std::string(field.substr(0, colon))] = field.substr(colon + 2);
      head.remove_prefix(field.size() + 2);
    }
    std::size_t length = 0;
    if (answer.status >= 200 && !head_only) length = std::stoul(answer.header("Content-Length"));
    if (received.size() < end + 4 + length) return std::nullopt;
    answer.body = received.substr(end + 4, length);
    received.erase(0, end + 4 + length);
    return answer;
  }

  void close() {
    session_.reset();
    std::string().swap(out_);  // with its memory
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  /// With a reset, and not with an orderly end.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close();
  }
  /// Says that nothing more will be sent.
  void end_output() const { ::shutdown(socket_, SHUT_WR); }
  void set_receive_buffer(int bytes) const {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
  }

  std::string received;  ///< and not taken
  bool reads = true;

 private:
  ssize_t write_some() {
    if (!session_) return ended_by(::send(socket_, out_.data(), out_.size(), MSG_NOSIGNAL));
    const int count = SSL_write(session_.get(), out_.data(), static_cast<int>(out_.size()));
    return count > 0 ? count : tls_ended_by(count);
  }
  ssize_t read_some(std::span<char> room) {
    if (!session_) {
      const ssize_t count = ::recv(socket_, room.data(), room.size(), 0);
      ended_ = ended_ || count == 0;
      return ended_by(count);
    }
    const int count = SSL_read(session_.get(), room.data(), static_cast<int>(room.size()));
    return count > 0 ? count : tls_ended_by(count);
  }
  ssize_t ended_by(ssize_t count) {
    if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) ended_ = true;
    return count;
  }
  ssize_t tls_ended_by(int count) {
    const int error = SSL_get_error(session_.get(), count);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return 0;
    while (const unsigned long code = ERR_get_error()) {
      const int reason = ERR_GET_REASON(code);
      if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET)
        alert_ = reason - SSL_AD_REASON_OFFSET;
    }
    ended_ = true;
    return -1;
  }

  int socket_;
  ContextPointer context_;
  SessionPointer session_;
  std::string out_;
  bool ended_ = false;
  int alert_ = 0;
};

}  // namespace raftlab::net::test
