#include "simulator/starting_state.hpp"

#include <algorithm>
#include <utility>

namespace raftlab::simulator {

using raft::Configuration;
using raft::NodeId;
using raft::Term;

namespace {

/// The old log was written in so many terms.
constexpr std::uint64_t old_terms = 4;

Configuration first_configuration(const Profile& profile) {
  const std::uint32_t members = profile.nodes - profile.spares;
  const std::uint32_t voters = members - std::min(profile.learners, members - 1);
  Configuration configuration = raft::voters_up_to(members);
  const auto first_learner = configuration.voters.begin() + voters;
  configuration.learners.assign(first_learner, configuration.voters.end());
  configuration.voters.erase(first_learner, configuration.voters.end());
  return configuration;
}

/// The last voter is leaving, and a spare takes its place, where there is one that is not kept for the operator. None when nobody
/// would vote.
std::optional<Configuration> change_under_way(const Profile& profile, const Configuration& present) {
  Configuration target = present;
  const NodeId leaving = target.voters.back();
  target.voters.pop_back();
  std::erase_if(target.members, [&](const raft::Member& member) { return member.id == leaving; });
  if (profile.spares > profile.replacements) {
    const NodeId joining(profile.nodes - profile.spares + 1);
    target.voters.push_back(joining);
    target.members.push_back(raft::Member{joining, "n" + std::to_string(joining.value()), ""});
  }
  if (target.voters.empty()) return std::nullopt;
  return joint_of(present, target);
}

/// Terms that rise from 1 to the last one.
Term term_of(const Profile& profile, std::uint64_t entry) {
  const std::uint64_t part = entry * old_terms / (profile.first_entries + 1);
  return Term(1 + (profile.first_term - 1) / old_terms * part);
}

/// Some nodes have everything, some lag, each by as much in every run.
std::uint64_t lag_of(const Profile& profile, NodeId node) {
  return node.value() % 2 == 1 ? 0 : node.value() * 7 % (profile.first_lag + 1);
}

}  // namespace

std::vector<raft::ConfigurationAt> starting_configurations(const Profile& profile) {
  std::vector<raft::ConfigurationAt> all = {{raft::Index(1), first_configuration(profile)}};
  if (!profile.first_joint) return all;
  if (const auto joint = change_under_way(profile, all.front().configuration))
    all.push_back({raft::Index(1 + profile.first_entries + 1), *joint});
  return all;
}

std::optional<raft::Recovered> starting_state(const Profile& profile, NodeId node) {
  if (node.value() > profile.nodes - profile.spares) return std::nullopt;
  const std::vector<raft::ConfigurationAt> configurations = starting_configurations(profile);
  const Configuration& configuration = configurations.front().configuration;
  raft::Recovered state = raft::bootstrap(configuration);
  state.hard.term = Term(profile.first_term);
  raft::Log log;
  log.append(Term(1), raft::EntryKind::configuration, raft::encode(configuration));
  for (std::uint64_t entry = 1; entry <= profile.first_entries; ++entry)
    log.append(term_of(profile, entry), raft::EntryKind::noop, {});
  for (std::size_t i = 1; i < configurations.size(); ++i)
    log.append(Term(profile.first_term), raft::EntryKind::configuration,
               raft::encode(configurations[i].configuration));
  const std::uint64_t last = log.last().value();
  const std::uint64_t ends = last - std::min(lag_of(profile, node), last - 1);
  state.entries.clear();
  log.slices(raft::Index(1), raft::Index(ends), state.entries);
  return state;
}

}  // namespace raftlab::simulator
