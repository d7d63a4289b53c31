#pragma once

#include "raft/limits.hpp"
#include "raft/state.hpp"
#include "simulator/cluster.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// What a cluster without faults owes, beyond coming to rest: judges of the rungs V6, V8 and V9. They are
/// shown every node from time to time, and know nothing else; docs/invariants.md has the formulas.
namespace raftlab::simulator {

/// What is seen of a node at one look. The view is valid until the node steps again; of a node that is not up
/// it is empty.
struct Sighting {
  NodeId node;
  Life life = Life::up;
  std::uint32_t incarnation = 1;
  raft::View view;
  std::size_t waiting = 0;  ///< requests that the service has yet to answer
  bool member = true;       ///< of the cluster: of others nothing is expected
};

/// Every node of the cluster, by number.
using Sightings = std::span<const Sighting>;

/// The member that leads the greatest term of all members that are up; null when nobody leads it.
[[nodiscard]] const Sighting* leader_of(Sightings all);
/// `node` is up and follows that leader in its term, or is that leader.
[[nodiscard]] bool follows(const Sighting& node, const Sighting& leader);

/// What a judge found: the first thing that was wrong, and where.
struct Objection {
  NodeId node;
  std::string what;
};

/// V6: while a majority hears a leader and the leader hears a majority, who comes back with a term that is
/// not above the leader's does not raise it. Holds with pre-vote and check-quorum only, and in times without
/// faults.
class NoDisruption {
 public:
  explicit NoDisruption(std::uint32_t heartbeat_ticks) : heartbeat_ticks_(heartbeat_ticks) {}

  void look(Sightings all);
  /// How often somebody came back and then followed.
  [[nodiscard]] std::uint64_t evaluated() const { return evaluated_; }
  [[nodiscard]] const std::optional<Objection>& objection() const { return objection_; }

 private:
  struct Reign {
    NodeId leader;
    raft::Term term;
    std::vector<std::uint32_t> lives;  // of all nodes: who ends in between has an election coming
  };

  void begin(Sightings all);

  std::uint32_t heartbeat_ticks_;
  std::optional<Reign> reign_;  // that somebody has yet to follow
  std::uint64_t evaluated_ = 0;
  std::optional<Objection> objection_;
};

/// V8: a peer that its leader probes, and whose log ends below what is committed, is sent to at full speed in
/// the end.
class BackToReplicate {
 public:
  void look(Sightings all);
  /// Nobody who is up is still probed, or lacks an acknowledgement.
  [[nodiscard]] static bool all_replicate(Sightings all);
  /// At the end: who lagged and is up must be in replicate.
  void conclude(Sightings all);
  [[nodiscard]] std::uint64_t evaluated() const { return evaluated_; }
  [[nodiscard]] const std::optional<Objection>& objection() const { return objection_; }

 private:
  std::vector<bool> lagged_;  // by node number - 1
  std::uint64_t evaluated_ = 0;
  std::optional<Objection> objection_;
};

/// V9: what a node holds in memory is within its limits at every look, and nothing is left over at rest.
class Bounded {
 public:
  struct Limits {
    raft::Limits core;
    std::size_t requests_max = 0;
  };
  explicit Bounded(const Limits& limits) : limits_(limits) {}

  void look(Sightings all);
  /// Nothing waits: no message for a disk, no write, no append for its acknowledgement, no read, no request.
  [[nodiscard]] static bool at_rest(Sightings all);
  /// At the end: what still waits is left over.
  void conclude(Sightings all);
  [[nodiscard]] std::uint64_t evaluated() const { return evaluated_; }
  [[nodiscard]] const std::optional<Objection>& objection() const { return objection_; }

 private:
  void object(NodeId node, const char* what, std::uint64_t found, std::uint64_t most);

  Limits limits_;
  std::uint64_t evaluated_ = 0;
  std::optional<Objection> objection_;
};

}  // namespace raftlab::simulator
