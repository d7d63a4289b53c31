#pragma once

#include "net/api.hpp"
#include "net/http_head.hpp"
#include "net/link_event.hpp"
#include "net/tls.hpp"
#include "raft/limits.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace raftlab::net {

/// The longest body that a legal request needs: all bytes of a command as `\uXXXX`, and what JSON puts around them.
inline constexpr std::uint64_t http_body_bytes_max =
    std::uint64_t{6} * raft::Limits{}.proposal_bytes_max + (std::uint64_t{64} << 10U);

struct HttpTlsOptions {
  TlsFiles files;
  NodeIdentity self;  ///< whose certificate it is; its cluster is that of the clients
  /// False: who shows no certificate may ask for the node's health, and for nothing else.
  bool client_certificate_required = false;
};

struct HttpOptions {
  std::string listen;                    ///< an IP address and a port; port 0: any free one
  std::optional<HttpTlsOptions> tls;     ///< none: plain, and only on a loopback address
  ApiRole plain_role = ApiRole::admin;   ///< of everybody who comes without TLS
  std::vector<std::string> plain_names;  ///< names in Host besides localhost and addresses, without TLS
  LinkObserver observer;                 ///< may be empty
  /// The text of GET /metrics, for clients and administrators; empty: there is no such path.
  std::function<std::string()> metrics;

  HttpLimits limits{.body_bytes_max = http_body_bytes_max};
  std::size_t connections_max = 1024;
  std::size_t requests_ahead_max = 16;  ///< of one connection that are not answered; beyond: nothing is read
  std::size_t bytes_ahead_max = 2U << 20U;     ///< their bodies, or those of their answers; beyond: as above
  std::size_t bodies_bytes_max = 256U << 20U;  ///< of all requests that are being read; beyond: 503
  std::size_t answers_bytes_max = 256U
                                  << 20U;  ///< of all that are not written; beyond: a long one becomes 503

  using Duration = std::chrono::milliseconds;
  Duration handshake_timeout{5'000};
  Duration header_timeout{
      10'000};  ///< from the first byte of a request, or from the connection, to the end of the header
  Duration body_timeout{30'000};   ///< from there to the end of the body
  Duration write_timeout{10'000};  ///< for each 64 KiB of an answer
  Duration idle_timeout{60'000};   ///< between two requests
  Duration linger{2'000};          ///< for who is refused to read why
};

}  // namespace raftlab::net
