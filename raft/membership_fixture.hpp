#pragma once

#include "raft/core_fixture.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

/// Helpers of the tests of membership and transfer: configurations in one line, and leaders in them.
namespace raftlab::raft::testing {

using Ids = std::vector<std::uint32_t>;

inline std::vector<NodeId> nodes(const Ids& ids) {
  std::vector<NodeId> out;
  for (const std::uint32_t id : ids) out.push_back(node(id));
  return out;
}

/// A simple configuration; members are named as `voters_up_to` names them.
inline Configuration simple(const Ids& voters, const Ids& learners = {}) {
  Configuration configuration;
  configuration.voters = nodes(voters);
  configuration.learners = nodes(learners);
  Ids all = voters;
  all.insert(all.end(), learners.begin(), learners.end());
  std::ranges::sort(all);
  for (const std::uint32_t id : all)
    configuration.members.push_back(Member{node(id), std::string("n").append(std::to_string(id)), ""});
  return configuration;
}

inline Slice configuration_entry(std::uint64_t index, std::uint64_t term,
                                 const Configuration& configuration) {
  const std::vector<std::byte> payload = encode(configuration);
  Slice entry = Slice::make(Index(index), 1, static_cast<std::uint32_t>(payload.size()));
  if (!entry.append(Term(term), EntryKind::configuration, payload)) throw std::logic_error("no room");
  return entry;
}

/// A log of configurations alone, at 1, 2, 3 ..., all of term 1.
inline Recovered recovered_history(std::initializer_list<Configuration> history) {
  Recovered recovered;
  recovered.hard = HardState{Term(1), NodeId{}};
  std::uint64_t index = 1;
  for (const Configuration& configuration : history)
    recovered.entries.push_back(configuration_entry(index++, 1, configuration));
  return recovered;
}

/// Node 1 leads in term 2; its no-op at 2 is committed, and every member has everything.
inline Driver leader_in(const Configuration& configuration, const Options& options = plain()) {
  Driver driver(options, bootstrap(configuration));
  driver.lead();
  for (const Member& member : configuration.members) {
    if (member.id != options.id) driver.acknowledge_all(member.id.value());
  }
  driver.sent.clear();
  return driver;
}

inline const Configuration& last_configuration(const Driver& driver) {
  return driver.view().configurations.back().configuration;
}

inline Ids tracked(const Driver& driver) {
  Ids ids;
  for (const Progress& peer : driver.view().peers) ids.push_back(peer.id.value());
  return ids;
}

/// Asks for a change, and its first entry is durable.
inline void change(Driver& leader, const Configuration& target, bool force = false) {
  leader.step(ProposeConfiguration{7, target, force});
  leader.settle();
}

/// The one rejection of the last step; none when there was another number of them.
inline std::optional<Rejection> rejection(const Driver& driver) {
  if (driver.out.rejected.size() != 1) return std::nullopt;
  return driver.out.rejected.front().reason;
}

}  // namespace raftlab::raft::testing
