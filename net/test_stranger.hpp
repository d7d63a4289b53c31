#pragma once

#include "net/frame.hpp"
#include "net/hello.hpp"
#include "net/test_pki.hpp"
#include "raft/configuration.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <string_view>

/// A peer without manners: blocking sockets and OpenSSL, under the full control of a test.
namespace raftlab::net::test {

inline constexpr timeval stranger_patience{10, 0};

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline raft::Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// OpenSSL writes to sockets without asking for no signal. Here that is the stranger's own trouble; the node's threads are
/// not protected by it.
class WithoutSignal {
 public:
  WithoutSignal() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  WithoutSignal(const WithoutSignal&) = delete;
  WithoutSignal& operator=(const WithoutSignal&) = delete;
  ~WithoutSignal() {
    const int kept = errno;
    const timespec now{};
    while (::sigtimedwait(&pipe_, nullptr, &now) > 0) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = kept;
  }

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

/// What a test changes in the stranger's TLS.
using Tune = std::function<void(SSL_CTX&)>;

class Stranger {
 public:
  /// Dials.
  explicit Stranger(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    ++sockets_;
    const sockaddr_in address = loopback(port);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
      throw std::runtime_error("connect");
    set_up();
  }
  struct Accepted {
    int socket;
  };
  explicit Stranger(Accepted accepted) : socket_(accepted.socket) {
    ++sockets_;
    set_up();
  }
  Stranger(Stranger&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)),
        context_(std::move(other.context_)),
        session_(std::move(other.session_)) {}
  ~Stranger() { close(); }

  void close() {
    session_.reset();
    if (socket_ < 0) return;
    ::close(std::exchange(socket_, -1));
    --sockets_;
  }
  /// Descriptors that strangers have open, all together.
  [[nodiscard]] static std::size_t sockets() { return sockets_; }
  /// With a reset, and not with an orderly end.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close();
  }

  void write_plain(raft::Bytes bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;  // it has hung up: for the test to see
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }
  /// Everything up to the end; false when it does not come.
  bool ends_plain() const {
    std::array<char, 4096> buffer{};
    for (;;) {
      const ssize_t count = ::recv(socket_, buffer.data(), buffer.size(), 0);
      if (count == 0) return true;
      if (count < 0) return errno == ECONNRESET || errno == EPIPE;
    }
  }
  /// The end is not there yet.
  [[nodiscard]] bool is_open() const {
    char byte = 0;
    const ssize_t count = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count > 0 || (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
  }

  /// As a client (or as a server), with a certificate or without one. False when the handshake failed here.
  bool handshake(const Issued* issued, const Tune& tune = nullptr, bool server = false) {
    context_.reset(SSL_CTX_new(TLS_method()));
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_mode(context_.get(), SSL_MODE_AUTO_RETRY);
    if (issued != nullptr) {
      const auto chain = certificates_of(issued->certificate);
      require(SSL_CTX_use_certificate(context_.get(), chain.front().get()) == 1, "using a certificate");
      for (std::size_t i = 1; i < chain.size(); ++i) SSL_CTX_add1_chain_cert(context_.get(), chain[i].get());
      require(SSL_CTX_use_PrivateKey(context_.get(), key_of(issued->key).get()) == 1, "using a key");
    }
    if (server) SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
    if (tune) tune(*context_);
    session_.reset(SSL_new(context_.get()));
    SSL_set_fd(session_.get(), socket_);
    if (before_handshake) before_handshake(*session_);
    ERR_clear_error();
    const WithoutSignal guard;
    const bool done = (server ? SSL_accept(session_.get()) : SSL_connect(session_.get())) == 1;
    if (!done) note_error();
    return done;
  }

  void write(raft::Bytes bytes) {
    const WithoutSignal guard;
    while (!bytes.empty()) {
      const int count = SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size()));
      if (count <= 0) return;
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }
  void write(FrameKind kind, raft::Bytes body) {
    FrameBatch batch;
    batch.add(kind, body);
    write(batch.bytes());
  }
  void write(const raft::Envelope& envelope) {
    FrameBatch batch;
    batch.add(envelope);
    write(batch.bytes());
  }
  std::optional<Frame> read() {
    for (;;) {
      const auto next = parser_.next();
      if (const auto* frame = std::get_if<Frame>(&next)) return *frame;
      if (std::holds_alternative<Reason>(next)) return std::nullopt;
      const auto room = parser_.room();
      const WithoutSignal guard;
      const int count = SSL_read(session_.get(), room.data(), static_cast<int>(room.size()));
      if (count <= 0) {
        note_error();
        return std::nullopt;
      }
      parser_.filled(static_cast<std::size_t>(count));
    }
  }
  /// Reads to the end; false when it does not come.
  bool ends() {
    timed_out_ = false;
    while (read()) {
    }
    return !timed_out_;
  }

  /// Hello, and what comes back. None: nothing.
  std::optional<HelloAnswer> greet(const Hello& hello) {
    write(FrameKind::hello, encode(hello));
    const std::optional<Frame> frame = read();
    if (!frame || frame->kind != FrameKind::hello_answer) return std::nullopt;
    return decode_hello_answer(frame->body);
  }
  /// The number of the alert that the other side has sent; 0: none.
  [[nodiscard]] int alert() const { return alert_; }
  [[nodiscard]] SSL& session() { return *session_; }
  [[nodiscard]] int socket() const { return socket_; }

  std::function<void(SSL&)> before_handshake;

 private:
  void set_up() const {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &stranger_patience, sizeof(stranger_patience));
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &stranger_patience, sizeof(stranger_patience));
  }
  void note_error() {
    const bool again = errno == EAGAIN || errno == EWOULDBLOCK;
    bool any = false;
    while (const unsigned long error = ERR_get_error()) {
      any = true;
      const int reason = ERR_GET_REASON(error);
      if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET)
        alert_ = reason - SSL_AD_REASON_OFFSET;
    }
    timed_out_ = !any && again;
    errno = 0;
  }

  static inline std::size_t sockets_ = 0;

  int socket_;
  ContextPointer context_;
  SessionPointer session_;
  FrameParser parser_{raft::wire::frame_bytes_max};
  int alert_ = 0;
  bool timed_out_ = false;
};

/// A place where a node takes a stranger for a peer.
class StrangersDoor {
 public:
  StrangersDoor() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        ::listen(socket_, 16) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("listen");
    port_ = ntohs(address.sin_port);
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &stranger_patience, sizeof(stranger_patience));
  }
  StrangersDoor(const StrangersDoor&) = delete;
  StrangersDoor& operator=(const StrangersDoor&) = delete;
  ~StrangersDoor() { ::close(socket_); }

  [[nodiscard]] Stranger accept() const {
    const int accepted = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted < 0) throw std::runtime_error("nobody came");
    return Stranger(Stranger::Accepted{accepted});
  }
  [[nodiscard]] int socket() const { return socket_; }
  [[nodiscard]] raft::Member member(std::uint32_t number) const {
    return {raft::NodeId(number), "n" + std::to_string(number), "127.0.0.1:" + std::to_string(port_)};
  }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

}  // namespace raftlab::net::test
