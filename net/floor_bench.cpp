#include "net/openssl.hpp"
#include "net/test_pki.hpp"
#include "net/test_stranger.hpp"

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <variant>

/// What no durable write can do without, on this machine: a client's round trip over TLS, one to a peer, and an append that is
/// synced before the answer. Two round trips and a sync are the floor of a write that nobody shares.
namespace raftlab::net {
namespace {

constexpr int message_bytes = 300;  // of a small request, or an entry with 256 bytes

void require(bool done, const char* what) {
  if (done) return;
  std::perror(what);
  std::abort();
}

/// Two ends of a connection over loopback.
std::array<int, 2> connection() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = test::loopback(0);
  auto* const at = reinterpret_cast<sockaddr*>(&address);
  socklen_t length = sizeof(address);
  require(::bind(listener, at, length) == 0 && ::listen(listener, 1) == 0 &&
              ::getsockname(listener, at, &length) == 0,
          "listen");
  const int dialed = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(::connect(dialed, at, length) == 0, "connect");
  const int accepted = ::accept(listener, nullptr, nullptr);
  require(accepted >= 0, "accept");
  ::close(listener);
  const int yes = 1;
  for (const int end : {dialed, accepted}) ::setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  return {dialed, accepted};
}

bool read_all(SSL& session, std::array<char, message_bytes>& message) {
  for (int have = 0; have < message_bytes;) {
    const int count = SSL_read(&session, message.data() + have, message_bytes - have);
    if (count <= 0) return false;
    have += count;
  }
  return true;
}

/// There and back, between two threads.
void tls_round_trip(benchmark::State& bench) {
  const test::Pki pki;
  const auto loaded = TlsContexts::load(pki.files(1), test::self(1));
  require(std::holds_alternative<std::shared_ptr<const TlsContexts>>(loaded), "certificates");
  const auto& contexts = std::get<std::shared_ptr<const TlsContexts>>(loaded);
  const auto ends = connection();
  std::thread echo([&] {
    const SessionPointer session(SSL_new(contexts->listening()));
    SSL_set_fd(session.get(), ends[1]);
    require(SSL_accept(session.get()) == 1, "accepting TLS");
    for (std::array<char, message_bytes> message{}; read_all(*session, message);)
      SSL_write(session.get(), message.data(), message_bytes);
  });
  {
    const SessionPointer session(SSL_new(contexts->dialing()));
    SSL_set_fd(session.get(), ends[0]);
    require(SSL_connect(session.get()) == 1, "TLS");
    std::array<char, message_bytes> message{};
    for (auto _ : bench) {
      SSL_write(session.get(), message.data(), message_bytes);
      require(read_all(*session, message), "reading");
    }
    SSL_shutdown(session.get());
  }
  echo.join();
  for (const int end : ends) ::close(end);
}
BENCHMARK(tls_round_trip)->UseRealTime()->Unit(benchmark::kMicrosecond);

/// In the directory in which it is run.
void append_and_sync(benchmark::State& bench) {
  std::string name = "floor_bench.XXXXXX";
  const int file = ::mkstemp(name.data());
  require(file >= 0, "a file in this directory");
  ::unlink(name.c_str());
  constexpr off_t room = 64 << 20;
  require(::posix_fallocate(file, 0, room) == 0, "room in the file");
  const std::array<char, message_bytes> message{};
  off_t at = 0;
  for (auto _ : bench) {
    require(::pwrite(file, message.data(), message_bytes, at) == message_bytes && ::fdatasync(file) == 0,
            "fdatasync");
    at = (at + message_bytes) % (room - message_bytes);
  }
  ::close(file);
}
BENCHMARK(append_and_sync)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace raftlab::net
