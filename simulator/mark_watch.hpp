#pragma once

#include "kv/service.hpp"
#include "raft/trace/step.hpp"
#include "simulator/marks.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace raftlab::simulator {

/// Sees the marks of a run from outside: from what the nodes' steps did and show, from their starts and ends, from their
/// answers. It remembers of each node what the last step left, and changes nothing.
class MarkWatch {
 public:
  explicit MarkWatch(std::uint32_t nodes) : nodes_(nodes + 1) {}

  void started(raft::NodeId node, const raft::Recovered& recovered, bool torn_tail);
  void crashed(raft::NodeId node);
  /// After each step, with deltas.
  void stepped(const raft::trace::Step& step);
  void answered(const kv::Answer& answer);
  /// What somebody else has seen.
  void fire(Mark mark, std::uint64_t times = 1) { counts_[static_cast<std::size_t>(mark)] += times; }

  [[nodiscard]] const MarkCounts& counts() const { return counts_; }

 private:
  /// A node as of its last step.
  struct Seen {
    bool up = false;
    raft::State state;
    raft::Index configuration;  // where the one in effect stands
    bool joint = false;
    bool heir = false;           // leads with a joint configuration of another leader
    bool committed_own = false;  // leads, and has committed in its term
    bool counted_in_vain = false;
    bool reads = false;
    raft::HardState owed;      // a vote for another node that has not been sent yet
    raft::Term told_to_stand;  // it asks for the votes of this term because of a transfer
    raft::LogId receiving;     // a snapshot of which it has parts
  };
  /// Who led a term; of long runs the last ones.
  struct Reign {
    raft::Term term;
    raft::NodeId leader;
  };

  void hear(const Seen& seen, const raft::trace::Step& step);
  void see_messages(Seen& seen, const raft::trace::Step& step);
  void see_output(Seen& seen, const raft::trace::Step& step);
  void see_role(Seen& seen, const raft::trace::Step& step);
  void see_elected(Seen& seen, const raft::trace::Step& step);
  void see_deltas(const Seen& seen, const raft::trace::Step& step);
  void see_log(Seen& seen, const raft::trace::Step& step);
  void see_leader(Seen& seen, const raft::trace::Step& step);
  void see_committed(const raft::View& view);
  [[nodiscard]] bool later_leader(raft::Term term) const {
    return !reigns_.empty() && reigns_.back().term > term;
  }

  std::vector<Seen> nodes_;
  std::vector<Reign> reigns_;      // by rising term
  raft::Index committed_;          // greatest anywhere
  raft::ConfigurationAt members_;  // the last one that was seen committed
  MarkCounts counts_{};
};

}  // namespace raftlab::simulator
