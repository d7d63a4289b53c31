#pragma once

#include "net/counters.hpp"
#include "net/host.hpp"
#include "net/http_counters.hpp"
#include "net/latencies.hpp"
#include "net/tls_transport.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What a monitoring system reads, in the text format of Prometheus 0.0.4. Names and labels are listed in docs/diskeyval.md;
/// no key and no client is ever one of them.
namespace raftlab::diskeyval {

/// What a node's events add up to.
struct Tally {
  std::uint64_t elections = 0;  ///< that this node stood in
  std::uint64_t terms_led = 0;
  std::uint64_t leader_changes = 0;  ///< that it saw
};

/// A node as it is now.
struct Measured {
  net::HostStatus status;
  Tally tally;
  net::Latencies latencies;
  net::Counters peers;
  std::vector<net::PeerQueue> queues;
  net::HttpCounters clients;
  std::int64_t certificate_expires_s = 0;  ///< seconds since 1970 UTC
  std::optional<std::int64_t> revocations_expire_s;
};

[[nodiscard]] std::string metrics_text(const Measured& measured);

}  // namespace raftlab::diskeyval
