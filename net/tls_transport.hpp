#pragma once

#include "net/counters.hpp"
#include "net/link_event.hpp"
#include "net/send_queue.hpp"
#include "net/tls.hpp"
#include "net/transport.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace raftlab::net {

struct TransportState;

/// What has to be said is the identity, the address and the files; everything else has its value.
struct TlsTransportOptions {
  NodeIdentity self;
  std::string listen;  ///< an IP address and a port; port 0: any free one
  TlsFiles files;
  LinkObserver observer;                  ///< may be empty
  std::function<std::uint64_t()> random;  ///< any 64 bits; needed. Spreads reconnects, decides nothing else
  /// Of a node that keeps nothing on disk: a number that no other life of it has, told to its peers, which refuse every other
  /// one from then on. 0: what it has promised it knows after a restart, too.
  std::uint64_t life = 0;

  using Duration = std::chrono::milliseconds;
  Duration handshake_timeout{
      5'000};                     ///< from connect or accept to the accepted hello, whatever the peer does
  Duration frame_timeout{5'000};  ///< from the first byte of a frame to its last
  Duration write_timeout{5'000};  ///< for one batch
  Duration keepalive_interval{2'000};  ///< at which who dialled asks for a sign of life
  Duration idle_timeout{10'000};       ///< without one
  Duration linger{200};                ///< for a refused peer to read why
  Duration backoff_first{50};
  Duration backoff_longest{3'000};

  std::size_t pending_max = 64;              ///< connections that have not said who they are
  std::size_t pending_per_address_max = 16;  ///< of them from one address
  SendQueueLimits queue;                     ///< for each peer
};

/// What waits to be written to a peer.
struct PeerQueue {
  raft::NodeId peer;
  std::size_t messages = 0;
  std::size_t bytes = 0;
};

/// Links between nodes over mutual TLS 1.3: one for each ordered pair. A node sends on the links it dialled, and receives
/// on those it accepted. See docs/peer-protocol.md and docs/security.md.
///
/// Everything happens on the one thread that runs the io_context, which must outlive the transport, and must run on after
/// `stop` for connections to be let go of. An exception out of a handler leaves io_context::run.
class TlsTransport final : public Transport {
 public:
  /// Reads the certificates. An error is about them; nothing was opened.
  [[nodiscard]] static std::variant<std::unique_ptr<TlsTransport>, TlsError> make(
      boost::asio::io_context& io, TlsTransportOptions options);

  ~TlsTransport() override;

  void start(Handlers handlers) override;
  void send(raft::Envelope&& envelope) override;
  void send(raft::NodeId to, const kv::Request& request) override;
  void send(raft::NodeId to, const kv::Answer& answer) override;
  void set_members(const std::vector<raft::Member>& members) override;
  void stop() override;

  /// Reads the certificates again. New links use the new ones; links whose peer these would not let in are closed, all
  /// others stay. An error: nothing has changed.
  [[nodiscard]] std::optional<TlsError> reload();

  /// Where it listens; 0 before `start`.
  [[nodiscard]] std::uint16_t port() const;
  /// A copy of the numbers of now.
  [[nodiscard]] Counters counters() const;
  /// Of each member, by number.
  [[nodiscard]] std::vector<PeerQueue> queues() const;
  /// What is in use, for those who want to know when it expires.
  [[nodiscard]] std::shared_ptr<const TlsContexts> contexts() const;

 private:
  explicit TlsTransport(std::shared_ptr<TransportState> state);
  template <class... What>
  void send_to(raft::NodeId to, What&&... what);

  std::shared_ptr<TransportState> state_;
};

}  // namespace raftlab::net
