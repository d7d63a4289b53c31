#pragma once

#include "simulator/chooser.hpp"
#include "simulator/clients.hpp"
#include "simulator/cluster.hpp"
#include "simulator/event_queue.hpp"
#include "simulator/incident.hpp"
#include "simulator/liveness.hpp"
#include "simulator/network.hpp"
#include "simulator/one_way_cut.hpp"
#include "simulator/operator.hpp"
#include "simulator/profile.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace raftlab::simulator {

/// The healing phase: faults have stopped, and the cluster must come to rest and serve once more. Liveness is
/// checked, not assumed (rungs V1 to V11).
///
/// Where the profile asks for it, one cut in one direction stays at first: under it the cluster must serve a
/// write and a read (V10). Then it is mended, and everybody must come to rest.
class Healing {
 public:
  Healing(const Profile& profile, Chooser& chooser, Cluster& cluster, Network& network, Clients& clients,
          const Operator& caretaker);

  /// `faults_gone`: from then on nothing is on its way that a fault has delayed, and no process stands still.
  void begin(Time now, Time faults_gone);
  [[nodiscard]] bool begun() const { return begun_ != 0; }
  /// Has a look from time to time, and starts the last operations when the cluster has come to rest.
  void look(Time now);
  /// At rest with the last operations done, or out of time.
  [[nodiscard]] bool done() const { return done_; }
  /// Files what did not come true. `fired`: what happened in the fault phase, for who must have recovered from it.
  void report(Time now, const FaultCounts& fired);

  /// May be empty. Nothing that happens depends on it.
  IncidentSink on_incident;

 private:
  enum class UnderCut : std::uint8_t { not_judged, progress, no_progress };

  [[nodiscard]] Sightings sight();
  [[nodiscard]] bool is_member(raft::NodeId node) const;
  [[nodiscard]] static bool destroyed_member(Sightings all);
  [[nodiscard]] bool settled(raft::NodeId leader) const;
  [[nodiscard]] raft::NodeId only_leader() const;
  [[nodiscard]] bool logs_equal(raft::NodeId leader) const;
  [[nodiscard]] bool at_rest(Sightings all) const;
  [[nodiscard]] std::string unrest(Sightings all) const;
  [[nodiscard]] bool out_of_time(Time now) const { return now - begun_ > profile_->healing_ns_max; }
  void look_under_cut(Time now, Sightings all);
  void mend(Time now, UnderCut outcome);
  void file(invariants::Rung rung, std::uint64_t evaluated, const std::optional<Objection>& objection);

  const Profile* profile_;
  Chooser* chooser_;
  Cluster* cluster_;
  Network* network_;
  Clients* clients_;
  const Operator* operator_;
  std::vector<Sighting> sightings_;
  NoDisruption no_disruption_;
  BackToReplicate back_to_replicate_;
  Bounded bounded_;
  std::optional<OneWayCut> cut_;  // while it is in force
  UnderCut under_cut_ = UnderCut::not_judged;
  std::string cut_text_;
  Time begun_ = 0;  // of the phase, and again when the cut is mended
  Time faults_gone_ = 0;
  Time next_look_ = 0;
  bool last_begun_ = false;
  bool done_ = false;
  bool in_time_ = false;
};

}  // namespace raftlab::simulator
