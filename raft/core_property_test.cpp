#include "raft/core_fixture.hpp"
#include "raft/hash.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>

/// Random executions of real cores. RC_PARAMS="seed=..." replays a failure.
namespace raftlab::raft::testing {
namespace {

/// A schedule of random decisions, so many of them, then only zeros: a seed and a length tell it all, and
/// shrinking the length shortens the execution.
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

/// What is on a disk: hard state and entries, as a sequence of writes made it.
struct Image {
  HardState hard;
  std::vector<EntryView> log;  // entry i stands at index i + 1; payloads live in `blocks`
  std::vector<Slice> blocks;

  void carry_out(const Write& write) {
    if (write.hard) hard = *write.hard;
    if (write.truncate_from) log.resize(write.truncate_from.value() - 1);
    for (const Slice& slice : write.entries) {
      RC_ASSERT(slice.first_index().value() == log.size() + 1);
      for (std::uint32_t i = 0; i < slice.size(); ++i) log.push_back(slice.entry(i));
      blocks.push_back(slice);
    }
  }
};

/// Nodes 1..n with their disks, and the messages between them.
class Cluster {
 public:
  Cluster(std::uint32_t nodes, bool guards) : nodes_(nodes) {
    for (std::uint32_t i = 0; i < nodes; ++i) {
      nodes_[i].options = guards ? guarded(i + 1) : plain(i + 1);
      nodes_[i].options.election_ticks_min = 4;
      nodes_[i].options.heartbeat_ticks = 2;
      nodes_[i].options.limits.window_messages = 3;
      const Recovered start = recovered(nodes);
      nodes_[i].durable.hard = start.hard;
      Write first;
      first.entries = start.entries;
      nodes_[i].durable.carry_out(first);
      restart(i, 0);
    }
  }

  /// One thing happens, whatever the schedule says.
  void happen(Choices& choices) {
    const std::uint32_t what = choices.below(20);
    const std::uint32_t at = choices.below(nodes_.size());
    if (what < 7) {
      deliver(choices.below(network_.size()), Fate::taken);
    } else if (what == 7) {
      deliver(choices.below(network_.size()), Fate::doubled);
    } else if (what == 8) {
      deliver(choices.below(network_.size()), Fate::lost);
    } else if (what < 12) {
      step(at, {Tick{}});
    } else if (what < 15) {
      complete(at, 1 + choices.below(nodes_[at].pending.size()));
    } else if (what == 15) {
      propose(at);
    } else if (what == 16) {
      step(at, {Applied{nodes_[at].core->view().state.handed}, Read{++tag_}});
    } else if (what == 17) {
      several_at_once(at, choices);
    } else if (what == 18) {
      step(at, {choices.below(2) == 0 ? Input(Campaign{})
                                      : Input(Unreachable{node(choices.below(nodes_.size()) + 1)})});
    } else {
      restart(at, choices.below(nodes_[at].pending.size() + 1));
    }
  }

  /// No more faults: everything arrives, every disk works. True when all nodes hold and commit the same log
  /// in which a new proposal stands.
  bool heals() {
    bool proposed = false;
    for (int round = 0; round < 400; ++round) {
      for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
        complete(i, nodes_[i].pending.size());
        step(i, {Tick{}});
      }
      while (!network_.empty()) deliver(0, Fate::taken);
      for (std::uint32_t i = 0; i < nodes_.size() && round > 200 && !proposed; ++i) {
        if (nodes_[i].core->view().state.role != Role::leader) continue;
        propose(i);
        proposed = true;
      }
    }
    const State first = nodes_[0].core->view().state;
    return proposed && std::ranges::all_of(nodes_, [&](const Node& node) {
             const State state = node.core->view().state;
             return state.last == first.last && state.commit == first.last.index &&
                    state.handed == state.commit && state.hard.term == first.hard.term;
           });
  }

 private:
  enum class Fate { taken, doubled, lost };

  struct Node {
    Options options;
    std::unique_ptr<Core> core;
    Output out;
    Image durable;  // survives everything
    std::deque<Write>
        pending;  // issued, perhaps on the disk; in front what was recovered, while it is not durable
    std::vector<Write> recovered_from;  // what write 1 stands for
    Index commit;
    Index handed;
  };

  void step(std::uint32_t at, const std::vector<Input>& inputs) {
    Node& node = nodes_[at];
    const std::unique_ptr<Core> copy = std::make_unique<Core>(*node.core);
    const Core before = *node.core;
    Output copied_out;
    node.core->step(inputs, node.out);
    copy->step(inputs, copied_out);
    RC_ASSERT(*copy == *node.core);  // D20
    RC_ASSERT(copy->hash() == node.core->hash());
    // What a step changes, be it one counter, the fingerprint tells: digests of runs rest on it.
    RC_ASSERT((before == *node.core) == (before.fingerprint() == node.core->fingerprint()));
    RC_ASSERT(copied_out.messages == node.out.messages);
    RC_ASSERT(copied_out.write.entries == node.out.write.entries);
    RC_ASSERT(copied_out.apply == node.out.apply);

    check(node);
    for (const Envelope& envelope : node.out.messages) network_.push_back(envelope);
    if (node.out.write.seq) node.pending.push_back(node.out.write);
  }

  void deliver(std::uint32_t at, Fate fate) {
    if (network_.empty()) return;
    const Envelope envelope = network_[at];
    if (fate != Fate::doubled) network_.erase(network_.begin() + at);
    if (fate != Fate::lost) step(envelope.to.value() - 1, {Receive{envelope}});
  }

  void several_at_once(std::uint32_t at, Choices& choices) {
    std::vector<Input> inputs;
    for (std::size_t i = 0; i < network_.size() && inputs.size() < 3; ++i) {
      if (network_[i].to != nodes_[at].options.id) continue;
      inputs.emplace_back(Receive{network_[i]});
      network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (choices.below(2) == 0) inputs.emplace_back(Tick{});
    if (choices.below(2) == 0) inputs.emplace_back(Propose{++tag_, bytes("p" + std::to_string(tag_))});
    step(at, inputs);
  }

  void propose(std::uint32_t at) { step(at, {Propose{++tag_, bytes("p" + std::to_string(tag_))}}); }

  /// The first `count` writes reach the platter.
  void complete(std::uint32_t at, std::size_t count) {
    Node& node = nodes_[at];
    WriteSeq seq;
    for (; count > 0 && !node.pending.empty(); --count) {
      seq = node.pending.front().seq;
      if (seq == WriteSeq(1)) {
        for (const Write& write : node.recovered_from) node.durable.carry_out(write);
        node.recovered_from.clear();
      } else {
        node.durable.carry_out(node.pending.front());
      }
      node.pending.pop_front();
    }
    if (seq) step(at, {Written{seq}});
  }

  /// A crash: the disk keeps what is durable and the first `kept` of the writes on their way, and the node
  /// starts from that. What was kept is not durable until write 1 is.
  void restart(std::uint32_t at, std::size_t kept) {
    Node& node = nodes_[at];
    std::vector<Write> survived;
    for (const Write& write : node.pending) {
      if (kept-- == 0) break;
      if (write.seq == WriteSeq(1)) {
        survived = node.recovered_from;
      } else {
        survived.push_back(write);
      }
    }
    Image found = node.durable;
    Index durable(found.log.size());
    for (const Write& write : survived) {
      if (write.truncate_from) durable = std::min(durable, write.truncate_from.previous());
      found.carry_out(write);
    }
    node.recovered_from = std::move(survived);
    node.pending.clear();
    Write first;
    first.seq = WriteSeq(1);
    node.pending.push_back(first);

    Recovered image;
    image.hard = found.hard;
    image.durable = durable;
    for (const EntryView& entry : found.log) {
      Slice slice = Slice::make(entry.id.index, 1, static_cast<std::uint32_t>(entry.payload.size()));
      RC_ASSERT(slice.append(entry.id.term, entry.kind, entry.payload));
      image.entries.push_back(slice);
    }
    node.options.seed = node.options.seed.next();
    ++node.options.incarnation;
    node.core = std::make_unique<Core>(recover(node.options, image));
    node.commit = node.handed = Index{};
  }

  void check(Node& node) {
    const View view = node.core->view();
    const State& state = view.state;
    RC_ASSERT(view.dropped == 0);                 // correct peers send nothing impossible
    RC_ASSERT(state.commit >= node.commit);       // D5
    RC_ASSERT(state.commit <= state.last.index);  // N1
    RC_ASSERT(state.durable <= state.last.index);
    node.commit = state.commit;
    if (state.role == Role::leader) {  // G1
      const auto [leader, first] = leaders_.emplace(state.hard.term, view.id);
      RC_ASSERT(leader->second == view.id);
      for (const auto& [index, hash] : first ? committed_ : decltype(committed_)()) {  // G9
        RC_ASSERT(Index(index) <= state.last.index);
        RC_ASSERT(prefix_hash(*view.log, Index(index)) == hash);
      }
      for (const Progress& peer : view.peers) {  // N12
        RC_ASSERT(peer.match < peer.next);
        RC_ASSERT(peer.next <= state.last.index.next());
        RC_ASSERT(peer.window.messages() <= node.options.limits.window_messages);
      }
    }
    check_log(view);
    for (const Slice& slice : node.out.apply) {  // D16, G10
      for (std::uint32_t i = 0; i < slice.size(); ++i) {
        const EntryView entry = slice.entry(i);
        RC_ASSERT(entry.id.index == node.handed.next());
        node.handed = entry.id.index;
        const auto [applied, first] = applied_.emplace(entry.id.index.value(), hash_entry(0, entry));
        RC_ASSERT(applied->second == hash_entry(0, entry));
      }
    }
    for (const Envelope& envelope : node.out.messages) check_durable(node, envelope);
  }

  /// G3, G4: an index and a term determine everything before; what is committed stays.
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

  /// N18: promises are kept by the platter, not by the memory.
  static void check_durable(const Node& node, const Envelope& envelope) {
    const Image& disk = node.durable;
    if (const auto* reply = std::get_if<VoteReply>(&envelope.message);
        reply != nullptr && reply->granted && !reply->pre) {
      RC_ASSERT(disk.hard == (HardState{envelope.term, envelope.to}));
    } else if (const auto* request = std::get_if<RequestVote>(&envelope.message);
               request != nullptr && !request->pre) {
      RC_ASSERT(disk.hard == (HardState{envelope.term, envelope.from}));
      RC_ASSERT(disk.log.back().id == request->last);
    } else if (const auto* ack = std::get_if<AppendReply>(&envelope.message)) {
      RC_ASSERT(disk.hard.term == envelope.term);
      RC_ASSERT(disk.log.size() >= ack->match.value());
      if (ack->match) {
        RC_ASSERT(disk.log[ack->match.value() - 1].id.term == node.core->view().log->term_at(ack->match));
      }
    } else if (std::holds_alternative<AppendEntries>(envelope.message) ||
               std::holds_alternative<Heartbeat>(envelope.message)) {
      RC_ASSERT(disk.hard == (HardState{envelope.term, envelope.from}));
    }
  }

  std::vector<Node> nodes_;
  std::vector<Envelope> network_;
  std::uint64_t tag_ = 0;
  std::map<Term, NodeId> leaders_;
  std::map<std::pair<Term, Index>, std::uint64_t> chains_;  // log matching
  std::map<std::uint64_t, std::uint64_t> committed_;        // index -> hash of the prefix
  std::map<std::uint64_t, std::uint64_t> applied_;
};

void run(std::uint32_t nodes, std::uint32_t length_max) {
  Choices choices = schedule(length_max);
  Cluster cluster(nodes, choices.below(2) == 0);
  while (choices.more()) cluster.happen(choices);
}

RC_GTEST_PROP(CoreProperty, ThreeNodesStaySafeUnderAnySchedule, ()) { run(3, 6000); }

RC_GTEST_PROP(CoreProperty, FourNodesStaySafeUnderAnySchedule, ()) { run(4, 6000); }

RC_GTEST_PROP(CoreProperty, ClustersConvergeWhenFaultsStop, ()) {
  Choices choices = schedule(2000);
  Cluster cluster(1 + choices.below(5), choices.below(2) == 0);
  while (choices.more()) cluster.happen(choices);
  RC_ASSERT(cluster.heals());
}

// ---- Bad input never asserts ------------------------------------------------------------------------------

std::uint64_t garbage_number(Choices& choices) {
  constexpr std::uint64_t extreme[] = {~0ULL, ~0ULL - 1, 1ULL << 63U, 1ULL << 62U, 1ULL << 32U, 64, 65};
  const std::uint32_t draw = choices.below(10);
  return draw == 9 ? extreme[choices.below(std::size(extreme))] : draw;
}

Slice garbage_entries(Choices& choices) {
  const std::uint32_t count = choices.below(5);
  if (count == 0) return Slice{};
  Slice slice = Slice::make(Index(garbage_number(choices)), count, 256);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto kind = static_cast<EntryKind>(choices.below(5));
    const bool readable = choices.below(2) == 0;
    const auto payload =
        kind == EntryKind::configuration && readable ? encode(voters_up_to(choices.below(4))) : bytes("x");
    if (!slice.append(Term(choices.below(6)), kind, payload)) break;
  }
  return slice;
}

Message garbage_message(Choices& choices) {
  const auto number = [&] { return garbage_number(choices); };
  const auto log_id = [&] {
    const Term term(choices.below(6));
    return LogId{term, Index(number())};
  };
  switch (choices.below(message_kinds)) {
    case 0: return RequestVote{log_id(), choices.below(2) == 0, choices.below(4) == 0};
    case 1: return VoteReply{choices.below(2) == 0, choices.below(2) == 0};
    case 2: {
      AppendEntries append{log_id(), Index(number()), ReadSeq(number()), garbage_entries(choices)};
      if (!append.entries.empty() && choices.below(2) == 0)
        append.prev.index = append.entries.first_index().previous();
      return append;
    }
    case 3: return AppendReply{Index(number()), ReadSeq(number())};
    case 4: return AppendReject{Index(number()), log_id(), ReadSeq(number())};
    case 5: return Heartbeat{Index(number()), ReadSeq(number())};
    case 6: return HeartbeatReply{ReadSeq(number())};
    case 7: return InstallSnapshot{log_id(), number(), number(), number(), bytes("x")};
    case 8: return SnapshotReply{Index(number()), number(), choices.below(2) == 0};
    case 9: return TimeoutNow{};
    case 10: return ReadIndex{number(), number()};
    default: return ReadIndexReply{number(), number(), Index(number())};
  }
}

Input garbage_input(Choices& choices) {
  switch (choices.below(24)) {
    case 0: return Propose{1, bytes("x")};
    case 1: return ProposeConfiguration{1, voters_up_to(2)};
    case 2: return Read{1, choices.below(2) == 0 ? ReadMode::lease : ReadMode::read_index};
    case 3: return Transfer{1, NodeId(choices.below(5))};
    case 4: return Campaign{};
    case 5: return Applied{Index(garbage_number(choices))};
    case 6: return Written{WriteSeq(garbage_number(choices))};
    case 7: return Unreachable{NodeId(choices.below(5))};
    case 8: return SnapshotTaken{LogId{Term(1), Index(garbage_number(choices))}};
    case 9: return Fetched{garbage_number(choices), garbage_entries(choices)};
    case 10: return Tick{};
    default: break;
  }
  const NodeId from(choices.below(5));
  const Term term(choices.below(20) == 0 ? garbage_number(choices) : choices.below(8));
  return Receive{Envelope{from, NodeId(1), term, garbage_message(choices)}};
}

/// Garbage from peers and host alike, with real writes and elections between, so that it hits every role.
RC_GTEST_PROP(CoreProperty, NoGarbageMakesACoreAssert, ()) {
  Choices choices = schedule(3000);
  Recovered image = recovered(3, {1, 2, 2}, 2);
  if (choices.below(3) == 0) {
    image.snapshot = image.base = id(1, 1);
    image.snapshot_configuration = voters_up_to(3);
    image.entries.erase(image.entries.begin());
  }
  Options options = choices.below(2) == 0 ? guarded() : plain();
  if (choices.below(2) == 0) options.lease_drift_ppm = choices.below(1000);
  options.incarnation = choices.below(3);
  Driver driver(options, image);
  while (choices.more()) {
    driver.step({garbage_input(choices), garbage_input(choices)});
    if (choices.below(3) == 0) driver.settle();
    const State state = driver.state();
    RC_ASSERT(state.commit <= state.last.index);
    RC_ASSERT(state.durable <= state.last.index);
    RC_ASSERT(state.handed <= std::min(state.commit, std::max(state.durable, state.handed)));
    RC_ASSERT(state.last.term <= state.hard.term);
    RC_ASSERT(!driver.view().configurations.empty());
  }
}

}  // namespace
}  // namespace raftlab::raft::testing
