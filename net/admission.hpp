#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace raftlab::net {

/// Accepted connections that have not yet said who they are. There is room for so many in total and from one address; beyond
/// that the oldest gives way to the newest. Refusing the newest instead would let a stranger with a handful of silent
/// connections keep the members out; this way he must fill all places within the few milliseconds that a handshake takes.
class Admission {
 public:
  using Id = std::uint64_t;

  Admission(std::size_t total_max, std::size_t per_address_max)
      : total_max_(total_max), per_address_max_(per_address_max) {}

  /// Who has to give way, if anybody: the oldest from this address when it has too many; otherwise, when there are too many
  /// in total, the oldest from the address that has most (of several such, of that whose oldest is oldest).
  [[nodiscard]] std::optional<Id> enter(Id id, const std::string& address);
  /// The connection said who it is, or is gone. No effect when it has left before.
  void leave(Id id);

  [[nodiscard]] std::size_t size() const { return pending_.size(); }

 private:
  struct Pending {
    Id id;
    std::string address;
  };

  [[nodiscard]] std::size_t count(const std::string& address) const;

  std::size_t total_max_;
  std::size_t per_address_max_;
  std::vector<Pending> pending_;  ///< oldest first; at most total_max_
};

}  // namespace raftlab::net
