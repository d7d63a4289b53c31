#pragma once

#include "net/reason.hpp"
#include "raft/types.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace raftlab::net {

/// Something that an operator may want to read about a link, or about a connection of a client. Texts are printable ASCII and short, whatever the peer said.
struct LinkEvent {
  raft::NodeId peer;   ///< 0: not known, or nobody in particular
  std::string remote;  ///< "192.0.2.7:7401", or the address as configured; may be empty
  Reason reason = Reason::connected;
  std::string detail;            ///< may be empty
  std::uint64_t suppressed = 0;  ///< events of the same reason that were not told since the last one
};

/// Hears of events, on the node's thread. Must not throw, and must not call the transport.
using LinkObserver = std::function<void(const LinkEvent&)>;

/// Passes on at most one event for each reason and second: a stranger who knocks all day fills no log.
class LinkEvents {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `suppressed` counts those that are not told; it must outlive this.
  LinkEvents(LinkObserver observer, std::uint64_t& suppressed)
      : observer_(std::move(observer)), suppressed_(suppressed) {}

  /// Escapes the texts.
  void tell(Time now, raft::NodeId peer, std::string_view remote, Reason reason, std::string_view detail);

 private:
  struct Last {
    std::optional<Time> told;
    std::uint64_t suppressed = 0;
  };

  LinkObserver observer_;
  std::uint64_t& suppressed_;
  std::array<Last, reasons> last_{};
};

}  // namespace raftlab::net
