#pragma once

#include "simulator/clients.hpp"
#include "simulator/cluster.hpp"
#include "simulator/event_queue.hpp"
#include "simulator/profile.hpp"

#include <cstdint>

namespace raftlab::simulator {

/// The healing phase: faults have stopped, and the cluster must come to rest. Liveness is checked, not assumed (rungs V1 to V7).
class Healing {
 public:
  Healing(const Profile& profile, Cluster& cluster, Clients& clients)
      : profile_(&profile), cluster_(&cluster), clients_(&clients) {}

  void begin(Time now);
  [[nodiscard]] bool begun() const { return begun_ != 0; }
  /// Has a look from time to time, and starts the last operations when the cluster has come to rest.
  void look(Time now);
  /// At rest with the last operations done, or out of time.
  [[nodiscard]] bool done() const { return done_; }
  /// Files what did not come true.
  void report(Time now);

 private:
  [[nodiscard]] raft::NodeId only_leader() const;
  [[nodiscard]] bool logs_equal(raft::NodeId leader) const;

  const Profile* profile_;
  Cluster* cluster_;
  Clients* clients_;
  Time begun_ = 0;
  Time next_look_ = 0;
  bool last_begun_ = false;
  bool done_ = false;
  bool in_time_ = false;
};

}  // namespace raftlab::simulator
