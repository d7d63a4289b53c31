#include "raft/hash.hpp"
#include "raft/membership_fixture.hpp"
#include "raft/quorum.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>

/// Random executions in which the configuration changes and leadership is handed over, under loss,
/// reordering, duplication and crashes. RC_PARAMS="seed=..." replays a failure.
namespace raftlab::raft::testing {
namespace {

constexpr std::uint32_t nodes_max = 6;

/// So many random decisions, then only zeros.
class Choices {
 public:
  Choices(std::uint64_t seed, std::uint32_t length) : seed_(seed), length_(length) {}
  [[nodiscard]] bool more() const { return at_ < length_; }
  std::uint32_t below(std::size_t bound) {
    if (!more() || bound == 0) return 0;
    return static_cast<std::uint32_t>(Hasher(seed_).add(std::uint64_t{at_++}).value() % bound);
  }

 private:
  std::uint64_t seed_;
  std::uint32_t length_;
  std::uint32_t at_ = 0;
};

Choices schedule(std::uint32_t length_max) {
  const auto seed = *rc::gen::noShrink(rc::gen::arbitrary<std::uint64_t>()).as("seed");
  return Choices(seed, length_max - *rc::gen::inRange(0U, length_max).as("decisions left out"));
}

std::uint64_t hash_entry(std::uint64_t before, const EntryView& entry) {
  return Hasher(before).add(entry.id).add(static_cast<std::uint64_t>(entry.kind)).add(entry.payload).value();
}

struct Image {
  HardState hard;
  std::vector<Slice> log;  // one entry each; entry i at index i + 1

  void carry_out(const Write& write) {
    if (write.hard) hard = *write.hard;
    if (write.truncate_from) log.resize(write.truncate_from.value() - 1);
    for (const Slice& slice : write.entries) {
      RC_ASSERT(slice.first_index().value() == log.size() + 1);
      for (Index at = slice.first_index(); at <= slice.last_index(); at = at.next())
        log.push_back(slice.sub(at, at));
    }
  }
};

/// Nodes 1..6 with their disks. Some begin as the cluster's, the others without anything.
class Cluster {
 public:
  Cluster(std::uint32_t founders, bool guards)
      : nodes_(nodes_max), links_(nodes_max, true), newest_committed_(voters_up_to(founders)) {
    for (std::uint32_t i = 0; i < nodes_max; ++i) {
      nodes_[i].options = guards ? guarded(i + 1) : plain(i + 1);
      nodes_[i].options.election_ticks_min = 6;
      nodes_[i].options.heartbeat_ticks = 2;
      nodes_[i].options.limits.window_messages = 3;
      nodes_[i].options.limits.promotion_lag_entries_max = 3;
      if (i < founders) {
        const Recovered start = bootstrap(voters_up_to(founders));
        nodes_[i].disk.hard = start.hard;
        nodes_[i].disk.log = start.entries;
      }
      start(i);
    }
  }

  void happen(Choices& choices) {
    const std::uint32_t what = choices.below(40);
    const std::uint32_t at = choices.below(nodes_.size());
    if (what < 18) {
      deliver(choices.below(std::min<std::size_t>(network_.size(), 12)), true, true);
    } else if (what == 18) {
      deliver(choices.below(network_.size()), true, false);
    } else if (what == 19) {
      deliver(choices.below(network_.size()), false, true);
    } else if (what < 26) {
      step(at, {Tick{}});
    } else if (what < 33) {
      complete(at, 1 + choices.below(nodes_[at].pending.size()));
    } else if (what == 33) {
      step(at, {Propose{++tag_, bytes("p" + std::to_string(tag_))}});
    } else if (what == 34) {
      reconfigure(choices);
    } else if (what == 35) {
      transfer(choices);
    } else if (what == 36) {
      step(at, {Applied{nodes_[at].core->view().state.handed}, Read{++tag_}});
    } else if (what == 37) {
      if (choices.below(8) == 0) step(at, {Campaign{}});
    } else if (what == 38) {
      links_[at] = !links_[at] || choices.below(3) != 0;
    } else if (choices.below(3) == 0) {
      crash(at, choices.below(nodes_[at].pending.size() + 1));
    }
  }

  /// Faults stop, and who is removed is stopped: there is one leader, its configuration is simple and
  /// committed, all its members have its log, transfers have ended, and a proposal, a read and a change of
  /// the configuration succeed.
  void heal() {
    links_.assign(nodes_max, true);
    run(300);
    const auto leader = the_leader();
    RC_ASSERT(leader.has_value());
    const std::uint64_t tag = ++tag_;
    step(*leader, {Propose{tag, bytes("healed")}});
    RC_ASSERT(nodes_[*leader].out.accepted.size() == 1U);  // V5
    run(30);
    check_agreement(*leader);
    // V4 again, from a quiet state: to all nodes, and then to one that does not lead.
    step(*leader, {ProposeConfiguration{++tag_, voters_up_to(nodes_max), true}});
    RC_ASSERT(nodes_[*leader].out.accepted.size() == 1U);
    run(100);
    check_agreement(the_leader().value());
    const std::uint32_t other = *the_leader() == 0 ? 2 : 1;
    step(the_leader().value(), {ProposeConfiguration{++tag_, simple({other}), true}});
    run(300);
    RC_ASSERT(the_leader() == other - 1);
    check_agreement(other - 1);
  }

  [[nodiscard]] const std::map<std::string, int>& seen() const { return seen_; }

 private:
  struct Node {
    Options options;
    std::unique_ptr<Core> core;
    Output out;
    Image disk;                 // survives everything
    std::deque<Write> pending;  // in front what was recovered, as write 1, while it is not durable
    Image recovered;            // what write 1 stands for
    Index commit;
    Index handed;
  };

  void start(std::uint32_t at) {
    Node& node = nodes_[at];
    Recovered image;
    image.hard = node.recovered.hard = node.disk.hard;
    image.entries = node.recovered.log = node.disk.log;
    node.options.seed = node.options.seed.next();
    ++node.options.incarnation;
    node.core = std::make_unique<Core>(recover(node.options, image));
    Write first;
    first.seq = WriteSeq(1);
    node.pending.assign(1, first);
    node.commit = node.handed = Index{};
  }

  /// The first `kept` of the writes on their way reach the disk; that they did is not known.
  void crash(std::uint32_t at, std::size_t kept) {
    Node& node = nodes_[at];
    carry_out(node, kept);
    start(at);
    ++seen_["crash"];
  }

  static std::optional<WriteSeq> carry_out(Node& node, std::size_t count) {
    std::optional<WriteSeq> last;
    for (; count > 0 && !node.pending.empty(); --count) {
      last = node.pending.front().seq;
      if (last != WriteSeq(1)) node.disk.carry_out(node.pending.front());
      node.pending.pop_front();
    }
    return last;
  }

  void complete(std::uint32_t at, std::size_t count) {
    if (const auto seq = carry_out(nodes_[at], count)) step(at, {Written{*seq}});
  }

  void step(std::uint32_t at, const std::vector<Input>& inputs) {
    Node& node = nodes_[at];
    const Core before = *node.core;
    Core copy = before;
    Output copied_out;
    node.core->step(inputs, node.out);
    copy.step(inputs, copied_out);
    RC_ASSERT(copy == *node.core);  // D20
    RC_ASSERT(copied_out.messages == node.out.messages);
    RC_ASSERT((before == *node.core) == (before.fingerprint() == node.core->fingerprint()));
    check(node, before.view());
    for (const Envelope& envelope : node.out.messages) {
      if (std::holds_alternative<TimeoutNow>(envelope.message)) ++seen_["timeout now"];
      network_.push_back(envelope);
    }
    if (node.out.write.seq) node.pending.push_back(node.out.write);
    for (const Accepted& accepted : node.out.accepted) {
      if (node.core->view().log->entry(accepted.id.index).kind == EntryKind::configuration) ++seen_["change"];
    }
    for ([[maybe_unused]] const std::uint64_t tag : node.out.transferred) ++seen_["transferred"];
  }

  void deliver(std::uint32_t at, bool taken, bool arrives) {
    if (network_.empty()) return;
    const Envelope envelope = network_[at];
    if (taken) network_.erase(network_.begin() + at);
    const std::uint32_t to = envelope.to.value() - 1;
    if (arrives && links_[to] && links_[envelope.from.value() - 1]) step(to, {Receive{envelope}});
  }

  [[nodiscard]] std::vector<std::uint32_t> leaders() const {
    std::vector<std::uint32_t> found;
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].core->view().state.role == Role::leader) found.push_back(i);
    }
    return found;
  }

  /// Asks a leader, when there is one, for any set of voters and learners.
  void reconfigure(Choices& choices) {
    Ids voters;
    Ids learners;
    for (std::uint32_t id = 1; id <= nodes_max; ++id) {
      const std::uint32_t part = choices.below(4);
      if (part < 2) voters.push_back(id);
      if (part == 2) learners.push_back(id);
    }
    const auto among = leaders();
    if (voters.empty() || among.empty()) return;
    step(among[choices.below(among.size())],
         {ProposeConfiguration{++tag_, simple(voters, learners), choices.below(2) == 0}});
  }

  void transfer(Choices& choices) {
    const auto among = leaders();
    if (among.empty()) return;
    step(among[choices.below(among.size())], {Transfer{++tag_, node(choices.below(nodes_max) + 1)}});
  }

  /// Who leads in the greatest term, without faults, and the members of its configuration; nobody else takes
  /// part.
  void run(int rounds) {
    for (int round = 0; round < rounds; ++round) {
      for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
        complete(i, nodes_[i].pending.size());
        if (!stopped(i)) step(i, {Tick{}});
      }
      for (std::size_t count = network_.size(); count > 0 && !network_.empty(); --count) {
        if (stopped(network_[0].from.value() - 1) || stopped(network_[0].to.value() - 1)) {
          deliver(0, true, false);
        } else {
          deliver(0, true, true);
        }
      }
    }
  }

  /// Without guards a removed node disturbs the others for ever (thesis §4.2.3), so that an operator must
  /// stop it: when the committed configuration does not have it, nor one that a leader or a member of the
  /// committed one has.
  [[nodiscard]] bool stopped(std::uint32_t at) const {
    const NodeId id = node(at + 1);
    if (nodes_[at].options.check_quorum || newest_committed_.is_member(id)) return false;
    return std::ranges::none_of(nodes_, [&](const Node& other) {
      const View view = other.core->view();
      return (view.state.role == Role::leader || newest_committed_.is_member(view.id)) &&
             view.configurations.back().configuration.is_member(id);
    });
  }

  [[nodiscard]] std::optional<std::uint32_t> the_leader() const {
    const auto all = leaders();
    RC_ASSERT(all.size() == 1U);
    return all.front();
  }

  void check_agreement(std::uint32_t leader) const {
    const View view = nodes_[leader].core->view();
    const ConfigurationAt& last = view.configurations.back();
    RC_ASSERT(!last.configuration.joint());  // V4
    RC_ASSERT(last.index <= view.state.commit);
    RC_ASSERT(last.configuration.is_voter(view.id));
    RC_ASSERT(view.transferee == NodeId{});
    for (const Member& member : last.configuration.members) {  // V2
      const State state = nodes_[member.id.value() - 1].core->view().state;
      RC_ASSERT(state.last == view.state.last);
      RC_ASSERT(state.commit == view.state.last.index);
      RC_ASSERT(state.handed == state.commit);
    }
  }

  // ---- What must hold after each step --------------------------------------------------------------------

  void check(Node& node, const View& before) {
    const View view = node.core->view();
    const State& state = view.state;
    RC_ASSERT(view.dropped == 0);
    RC_ASSERT(state.commit >= node.commit);
    RC_ASSERT(state.commit <= state.last.index);
    node.commit = state.commit;
    check_configurations(view);
    if (state.role != Role::follower) RC_ASSERT(may_stand(view));               // N6, N7
    for (const std::span<const NodeId> votes : {view.granted, view.refused}) {  // N14
      for (const NodeId voter : votes) RC_ASSERT(view.configurations.back().configuration.is_voter(voter));
    }
    if (state.role == Role::leader) check_leader(view, before);
    check_log(view);
    for (const Slice& slice : node.out.apply) {
      for (std::uint32_t i = 0; i < slice.size(); ++i) {
        RC_ASSERT(slice.entry(i).id.index == node.handed.next());
        node.handed = slice.entry(i).id.index;
        RC_ASSERT(committed_.contains(node.handed.value()));
      }
    }
  }

  static bool may_stand(const View& view) {
    bool may = false;
    for (const ConfigurationAt& at : view.configurations) {
      if (at.index <= view.state.commit)
        may = false;  // older ones than that of the commit index count no more
      may = may || at.configuration.is_voter(view.id);
    }
    return may;
  }

  /// N9, N10.
  void check_configurations(const View& view) {
    std::size_t at = 1;  // behind the empty one from before the log
    for (Index index = view.log->first(); index <= view.log->last(); index = index.next()) {
      const EntryView entry = view.log->entry(index);
      if (entry.kind != EntryKind::configuration) continue;
      RC_ASSERT(at < view.configurations.size());
      RC_ASSERT(view.configurations[at].index == index);
      RC_ASSERT(view.configurations[at].configuration == *decode_configuration(entry.payload));
      // G15, and that neighbours have quorums that meet (G12): a joint one stands between two that have other
      // voters.
      const Configuration& was = view.configurations[at - 1].configuration;
      const Configuration& is = view.configurations[at].configuration;
      if (is.joint()) {
        RC_ASSERT(!was.joint());
        RC_ASSERT(is.outgoing == was.voters);
      } else if (!was.empty()) {
        RC_ASSERT(is.voters == was.voters);
      }
      if (was.joint()) RC_ASSERT(is == incoming_side(was));
      if (index <= view.state.commit && index > newest_committed_at_) {
        newest_committed_at_ = index;
        newest_committed_ = is;
      }
      ++at;
    }
    RC_ASSERT(at == view.configurations.size());
  }

  void check_leader(const View& view, const View& before) {
    const State& state = view.state;
    const auto [leader, first] = leaders_.emplace(state.hard.term, view.id);  // G1
    RC_ASSERT(leader->second == view.id);
    if (first && !view.configurations.back().configuration.is_voter(view.id)) ++seen_["outsider elected"];
    if (first) {  // G9
      for (const auto& [index, hash] : committed_) {
        RC_ASSERT(Index(index) <= state.last.index);
        RC_ASSERT(prefix_hash(*view.log, Index(index)) == hash);
      }
    }
    const Configuration& last = view.configurations.back().configuration;
    RC_ASSERT(view.peers.size() == last.members.size());  // N12
    for (std::size_t i = 0; i < view.peers.size(); ++i) {
      const Progress& peer = view.peers[i];
      RC_ASSERT(peer.id == last.members[i].id);
      RC_ASSERT(peer.match < peer.next);
      RC_ASSERT(peer.next <= state.last.index.next());
      if (peer.id == view.id) RC_ASSERT(peer.match == state.durable);
    }
    const auto held = [&](NodeId node) {
      return std::ranges::find(view.peers, node, &Progress::id)->match.value();
    };
    const Index agreed(quorum_number(last, held));  // N13
    RC_ASSERT(agreed <= state.commit || view.log->term_at(agreed) != state.hard.term);
    if (view.log->term_at(state.commit) != state.hard.term) return;
    // N11, and that a joint configuration is left without delay.
    RC_ASSERT(!(last.joint() && view.configurations.back().index <= state.commit));
    if (view.configurations.size() > 1)
      RC_ASSERT(view.configurations[view.configurations.size() - 2].index <= state.commit);
    if (before.state.role == Role::leader && before.transferee && view.transferee) {
      for (Index at = before.state.last.index.next(); at <= state.last.index; at = at.next())
        RC_ASSERT(view.log->entry(at).kind == EntryKind::configuration);  // nothing but a leave
    }
  }

  /// G3, G4.
  void check_log(const View& view) {
    std::uint64_t hash = 0;
    for (Index at = view.log->first(); at <= view.log->last(); at = at.next()) {
      const EntryView entry = view.log->entry(at);
      hash = hash_entry(hash, entry);
      const auto [known, fresh] = chains_.emplace(std::pair(entry.id.term, at), hash);
      RC_ASSERT(known->second == hash);
      if (at > view.state.commit) continue;
      const auto [committed, first] = committed_.emplace(at.value(), hash);
      RC_ASSERT(committed->second == hash);
    }
  }

  static std::uint64_t prefix_hash(const Log& log, Index to) {
    std::uint64_t hash = 0;
    for (Index at = log.first(); at <= to; at = at.next()) hash = hash_entry(hash, log.entry(at));
    return hash;
  }

  std::vector<Node> nodes_;
  std::vector<bool> links_;
  std::vector<Envelope> network_;
  std::uint64_t tag_ = 0;
  std::map<Term, NodeId> leaders_;
  std::map<std::pair<Term, Index>, std::uint64_t> chains_;
  std::map<std::uint64_t, std::uint64_t> committed_;
  Index newest_committed_at_;
  Configuration newest_committed_;
  std::map<std::string, int> seen_;
};

RC_GTEST_PROP(MembershipProperty, ChangesAndTransfersAreSafeUnderAnySchedule, ()) {
  Choices choices = schedule(8000);
  Cluster cluster(1 + choices.below(4), choices.below(2) == 0);
  while (choices.more()) cluster.happen(choices);
  for (const auto& [what, count] : cluster.seen()) RC_TAG(what);
}

RC_GTEST_PROP(MembershipProperty, ClustersSettleInOneSimpleConfigurationWhenFaultsStop, ()) {
  Choices choices = schedule(3000);
  Cluster cluster(1 + choices.below(4), choices.below(2) == 0);
  while (choices.more()) cluster.happen(choices);
  cluster.heal();
}

}  // namespace
}  // namespace raftlab::raft::testing
