#pragma once

#include "raft/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace raftlab::raft {

/// A node of the cluster as a configuration entry binds it: a number that is never used again, with its name and
/// the address under which its peers reach it.
struct Member {
  NodeId id;
  std::string name;
  std::string address;
  friend bool operator==(const Member&, const Member&) = default;
};

/// Who decides and who listens (§6, thesis §4.3). Simple when `outgoing` is empty, joint otherwise: then a decision
/// needs a majority of `voters` and one of `outgoing`. All lists are sorted by id, without duplicates.
struct Configuration {
  std::vector<Member> members;        ///< everybody named in one of the lists below
  std::vector<NodeId> voters;         ///< of a joint configuration the incoming side, C_new
  std::vector<NodeId> outgoing;       ///< C_old of a joint configuration
  std::vector<NodeId> learners;       ///< receive the log, decide nothing
  std::vector<NodeId> learners_next;  ///< voters of C_old that become learners when the joint phase is left

  [[nodiscard]] bool empty() const { return voters.empty(); }
  [[nodiscard]] bool joint() const { return !outgoing.empty(); }
  [[nodiscard]] bool is_voter(NodeId node) const;
  [[nodiscard]] bool is_member(NodeId node) const;

  friend bool operator==(const Configuration&, const Configuration&) = default;
};

/// The payload of a configuration entry. Little-endian, self-delimiting, one encoding per value.
[[nodiscard]] std::vector<std::byte> encode(const Configuration& configuration);

/// None when the bytes are not a configuration as `encode` writes it, or break its rules (unsorted or duplicate ids,
/// a listed node that is no member, voters that are also learners).
[[nodiscard]] std::optional<Configuration> decode_configuration(Bytes bytes);

/// A simple configuration of voters 1..count, named "n1".., without addresses.
[[nodiscard]] Configuration voters_up_to(std::uint32_t count);

}  // namespace raftlab::raft
