#pragma once

#include "simulator/chooser.hpp"
#include "simulator/cluster.hpp"
#include "simulator/destruction.hpp"
#include "simulator/event_queue.hpp"
#include "simulator/faults.hpp"
#include "simulator/incident.hpp"
#include "simulator/links.hpp"
#include "simulator/network.hpp"
#include "simulator/profile.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace raftlab::simulator {

/// What strikes a run from outside: partitions, crashes, pauses, full disks, bit rot. In each of its turns every kind of fault
/// that the profile has may strike once. What destroys data for good strikes only where `Destruction` allows for it.
class Nemesis {
 public:
  Nemesis(const Profile& profile, Chooser& chooser, EventQueue& queue, Cluster& cluster,
          Destruction& destruction, Network& network, FaultCounts& fired);

  void begin(Time now);
  void turn(const Event& event);
  /// The end of a cut, or the next turn of a flapping one.
  void unblock(const Event& event);
  void restart(const Event& event);
  void free_disk(const Event& event);
  void pause_ends(const Event& event);

  /// A process has ended by itself (a fault of its core): count it as the fault of its disk, restart it later.
  void process_ended(NodeId node, Time now);
  /// No more strikes: cuts are mended, disks have room, nodes that are down come back.
  void calm_down(Time now);

  [[nodiscard]] Time paused_until(NodeId node) const { return paused_until_[node.value()]; }
  /// When the last process that was paused so far goes on.
  [[nodiscard]] Time pauses_end() const { return *std::ranges::max_element(paused_until_); }
  /// The fate of a sync that ends now.
  [[nodiscard]] SimulatedDisk::SyncFate sync_fate(NodeId node, std::uint64_t about);
  [[nodiscard]] Time sync_time(NodeId node, std::uint64_t about);

  /// May be empty. Nothing that happens depends on it.
  IncidentSink on_incident;

 private:
  void set_full(NodeId node, bool full);
  void reconfigure(std::uint64_t about);
  void transfer(std::uint64_t about);
  void strike(Fault fault, Time now, std::uint64_t about);
  void partition(Fault fault, Time now, std::uint64_t about);
  void apply_cuts(bool on);
  [[nodiscard]] raft::Configuration draw_members(std::uint64_t about);
  void crash(Fault fault, NodeId node, Time now, std::uint64_t about);
  void schedule_restart(NodeId node, Time now, std::uint64_t about);
  [[nodiscard]] std::vector<Link> shape(Fault fault, std::uint64_t about);
  [[nodiscard]] NodeId target(std::uint64_t about);
  [[nodiscard]] bool rolls(Fault fault, Choice choice, std::uint64_t about);
  void tell(IncidentKind kind, NodeId node, const std::string& what) const {
    if (on_incident) on_incident(kind, node, what);
  }
  void count(Fault fault) { ++fired_->at(static_cast<std::size_t>(fault)); }
  void start(NodeId node, Time now);

  const Profile* profile_;
  Chooser* chooser_;
  EventQueue* queue_;
  Cluster* cluster_;
  Destruction* destruction_;
  Network* network_;
  FaultCounts* fired_;
  std::vector<Link> cuts_;        // of the present partition
  Fault shape_{};                 // theirs
  bool cut_ = false;              // they are in force now
  std::uint32_t turns_left_ = 0;  // of a flapping one
  std::uint32_t generation_ = 0;  // of partitions
  std::vector<Time> paused_until_;
  std::vector<std::uint32_t> fulls_;
  std::uint64_t turn_ = 0;
  bool calm_ = false;
};

}  // namespace raftlab::simulator
