#pragma once

#include "raft/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace raftlab::raft {

/// A node of the cluster as a configuration entry binds it: a number that is never used again, with its name
/// and the address under which its peers reach it.
struct Member {
  NodeId id;
  std::string name;
  std::string address;
  friend bool operator==(const Member&, const Member&) = default;
};

/// Who decides and who listens (§6, thesis §4.3). Simple when `outgoing` is empty, joint otherwise: then a
/// decision needs a majority of `voters` and one of `outgoing`. All lists are sorted by id, without
/// duplicates.
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

/// None when the bytes are not a configuration as `encode` writes it, or break its rules: unsorted or
/// duplicate ids, no voter, members other than the listed nodes, learners that are also voters of a side,
/// nodes in `learners_next` that do not leave the voters. So a joint configuration that can be read can be
/// left.
[[nodiscard]] std::optional<Configuration> decode_configuration(Bytes bytes);

/// Halfway from a simple configuration to another one (thesis §4.3): both sides decide. Who only learns in
/// the target and votes in the present goes on voting. Nodes of both are as the target describes them.
[[nodiscard]] Configuration joint_of(const Configuration& present, const Configuration& target);

/// Where a joint configuration leads: its incoming side alone.
[[nodiscard]] Configuration incoming_side(const Configuration& joint);

/// A simple configuration of voters 1..count, named "n1".., without addresses.
[[nodiscard]] Configuration voters_up_to(std::uint32_t count);

}  // namespace raftlab::raft
