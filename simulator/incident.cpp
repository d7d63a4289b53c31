#include "simulator/incident.hpp"

#include <sstream>

namespace raftlab::simulator {

using raft::NodeId;

const char* name(IncidentKind kind) {
  switch (kind) {
    case IncidentKind::start: return "start";
    case IncidentKind::refusal: return "refusal";
    case IncidentKind::crash: return "crash";
    case IncidentKind::pause: return "pause";
    case IncidentKind::resume: return "resume";
    case IncidentKind::partition: return "partition";
    case IncidentKind::mend: return "mend";
    case IncidentKind::disk: return "disk";
    case IncidentKind::healing: return "healing";
    case IncidentKind::change: return "change";
  }
  return "?";
}

std::string crash_in_words(const Crash& how, const CrashDamage& damage) {
  std::string text;
  switch (how.kind) {
    case Crash::Kind::kill: text = "killed"; break;
    case Crash::Kind::power_loss: text = "power loss"; break;
    case Crash::Kind::power_loss_sectors: text = "power loss, any unsynced sector may be gone"; break;
  }
  if (damage.lost) text += ", unsynced bytes are gone";
  if (damage.torn) text += ", an append is torn";
  if (damage.entry_lost) text += ", a change of names is gone";
  return text;
}

std::string start_in_words(const Cluster& cluster, NodeId node) {
  std::ostringstream text;
  text << "life " << cluster.incarnation(node);
  if (cluster.life(node) == Life::refused) {
    text << ", " << cluster.refusal(node);
    return text.str();
  }
  const raft::Replica& replica = cluster.service(node).replica();
  const raft::State state = replica.view().state;
  text << " from T" << state.hard.term << " and a log to " << state.last.index;
  if (replica.torn_tail()) text << ", a torn end was cut off";
  return text.str();
}

std::string configuration_in_words(const raft::Configuration& configuration) {
  std::string words = "voters";
  for (const raft::NodeId node : configuration.voters) words += " n" + std::to_string(node.value());
  if (!configuration.learners.empty()) words += ", learners";
  for (const raft::NodeId node : configuration.learners) words += " n" + std::to_string(node.value());
  return words;
}

std::string length_in_words(Time length) { return std::to_string(length / millisecond) + " ms"; }

}  // namespace raftlab::simulator
