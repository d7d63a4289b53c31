#pragma once

#include "kv/command.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace raftlab::net {

/// The store's sessions that a node has for requests that bring none: within a session a retry cannot take effect twice
/// (thesis §6.3), and a session has one operation under way at a time. One thread.
class Sessions {
 public:
  /// A session that is taken, with the number of its next operation.
  struct Lease {
    kv::ClientId client;
    kv::Sequence sequence;
  };

  /// `most`: sessions to have at once, those that are being opened among them.
  explicit Sessions(std::size_t most) : most_(most) {}

  /// A free one, the one used last: those that are not needed any more fall into disuse, and the store forgets them.
  [[nodiscard]] std::optional<Lease> take();
  /// The operation has ended, or was given up: the next one of the session makes sure that it does not happen later.
  void give_back(const Lease& lease) { free_.push_back(Lease{lease.client, lease.sequence.next()}); }
  /// The store does not know the session any more.
  void lost() { --open_; }

  /// True when one more may be opened for somebody who waits, and then it counts as being opened.
  [[nodiscard]] bool begin_opening();
  void opened(kv::ClientId client) { free_.push_back(Lease{client, kv::Sequence(1)}); }
  void not_opened() { --open_; }

  [[nodiscard]] std::size_t open() const { return open_; }

 private:
  std::size_t most_;
  std::size_t open_ = 0;  // free, taken and being opened
  std::vector<Lease> free_;
};

}  // namespace raftlab::net
