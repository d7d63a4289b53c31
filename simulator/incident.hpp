#pragma once

#include "raft/types.hpp"
#include "simulator/cluster.hpp"
#include "simulator/disk.hpp"
#include "simulator/event_queue.hpp"

#include <cstdint>
#include <functional>
#include <string>

/// What happens to a run from outside of its cores. A trace has it between the steps, because steps alone do
/// not tell why a node fell silent.
namespace raftlab::simulator {

/// The numbers are part of the trace format: append only.
enum class IncidentKind : std::uint8_t {
  start,      ///< a life of a node begins
  refusal,    ///< its log storage refuses to start
  crash,      ///< its life ends
  pause,      ///< its process stands still
  resume,     ///< and goes on
  partition,  ///< links are cut
  mend,       ///< and are there again
  disk,       ///< a disk is full, slow, or fails to sync
  healing,    ///< the faults end
  change,     ///< the operator asks for other members or another leader
};
inline constexpr std::uint8_t incident_kind_max = static_cast<std::uint8_t>(IncidentKind::change);

[[nodiscard]] const char* name(IncidentKind kind);

struct Incident {
  std::uint64_t after_step = 0;  ///< the step before it; 0: it came before the first
  Time time = 0;
  raft::NodeId node;  ///< 0: the cluster
  IncidentKind kind = IncidentKind::start;
  std::string what;  ///< in words: "power loss, unsynced bytes are gone"
  friend bool operator==(const Incident&, const Incident&) = default;
};

/// Who wants to hear of incidents. Where nobody does, no words are made.
using IncidentSink = std::function<void(IncidentKind, raft::NodeId, std::string)>;

// ---- Words ------------------------------------------------------------------------------------------------

[[nodiscard]] std::string crash_in_words(const Crash& how, const CrashDamage& damage);
/// Of the life that has just begun, or of the refusal.
[[nodiscard]] std::string start_in_words(const Cluster& cluster, raft::NodeId node);
/// "voters n1 n2 n3, learners n4".
[[nodiscard]] std::string configuration_in_words(const raft::Configuration& configuration);
/// "312 ms".
[[nodiscard]] std::string length_in_words(Time length);

}  // namespace raftlab::simulator
