#pragma once

#include "invariants/ladder.hpp"
#include "raft/configuration.hpp"
#include "raft/core.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Steps made by hand, for the tests of the ladder: a fake node does whatever a test says, right or wrong.
namespace raftlab::invariants {

/// What a step of a fake node puts out. The closure of a test fills it in.
struct FakeTurn {
  raft::Output out;
  raft::Index truncated_from;
  raft::Index appended_from;
  std::optional<raft::Index> commit_configuration;
  bool installed = false;
  bool checkpoint_due = false;
};

struct FakeNode {
  raft::NodeId id;
  raft::State state;
  raft::Log log;
  std::vector<raft::ConfigurationAt> configurations;
  std::vector<raft::Progress> peers;
  std::vector<raft::NodeId> granted;
  std::vector<raft::NodeId> refused;
  std::vector<raft::PendingRead> reads;
  std::vector<raft::ForwardedRead> forwarded;
  std::uint64_t uncommitted_bytes = 0;
  raft::NodeId transferee;
  bool faulty = false;
  bool derives_last = true;   ///< state.last follows the log
  bool writes_itself = true;  ///< a correct write follows from each change

  raft::HardState submitted_hard;
  raft::Index submitted_last;
  raft::Index truncated_unsubmitted;

  [[nodiscard]] raft::View view() const {
    raft::View view;
    view.id = id;
    view.state = state;
    view.log = &log;
    view.configurations = configurations;
    view.peers = peers;
    view.granted = granted;
    view.refused = refused;
    view.reads = reads;
    view.forwarded = forwarded;
    view.uncommitted_bytes = uncommitted_bytes;
    view.transferee = transferee;
    view.faulty = faulty;
    return view;
  }
  [[nodiscard]] raft::Term term() const { return state.hard.term; }
  [[nodiscard]] const raft::Configuration& configuration() const {
    return configurations.back().configuration;
  }
  [[nodiscard]] raft::Progress* find_peer(std::uint32_t number) {
    for (raft::Progress& peer : peers) {
      if (peer.id.value() == number) return &peer;
    }
    return nullptr;
  }
  [[nodiscard]] raft::Progress& peer(std::uint32_t number) { return *find_peer(number); }
};

/// A cluster of fake nodes that can do an election and replicate correctly, and of which a test then breaks a step.
class LadderTest : public testing::Test {
 protected:
  using Change = std::function<void(FakeTurn&)>;

  explicit LadderTest(std::uint32_t count = 3, bool pre_vote = false,
                      std::uint32_t uncommitted_bytes_max = 50, bool leases = false)
      : ladder_(options(pre_vote, uncommitted_bytes_max, leases)) {
    configuration_ = raft::voters_up_to(count);
    nodes_.resize(count);
    for (std::uint32_t at = 0; at < count; ++at) start(nodes_[at], at + 1, raft::bootstrap(configuration_));
    for (FakeNode& node : nodes_) sync(node);
  }

  static Ladder::Options options(bool pre_vote, std::uint32_t uncommitted_bytes_max, bool leases = false) {
    Ladder::Options options;
    options.leases = leases;
    options.pre_vote = pre_vote;
    options.check_quorum = true;
    options.election_ticks_min = 10;
    options.limits.window_messages = 4;
    options.limits.window_bytes = 100;
    options.limits.uncommitted_bytes_max = uncommitted_bytes_max;
    options.limits.proposal_bytes_max = 20;
    options.scan_every_steps = std::uint64_t{1} << 40U;
    return options;
  }

  FakeNode& n(std::uint32_t number) { return nodes_.at(number - 1); }
  raft::NodeId id(std::uint32_t number) { return raft::NodeId(number); }

  void start(FakeNode& node, std::uint32_t number, const raft::Recovered& recovered) {
    node = FakeNode{};
    node.id = raft::NodeId(number);
    node.log = raft::Log(recovered.base);
    node.configurations.push_back(
        {recovered.snapshot.index, recovered.snapshot_configuration.value_or(raft::Configuration{})});
    node.state.snapshot = recovered.snapshot;
    node.state.base = recovered.base;
    node.state.commit = node.state.applied = node.state.handed = recovered.snapshot.index;
    for (const raft::Slice& slice : recovered.entries) {
      node.log.append(slice);
      for (std::uint32_t at = 0; at < slice.size(); ++at) {
        if (slice.entry(at).kind != raft::EntryKind::configuration ||
            slice.entry(at).id.index <= recovered.snapshot.index) {
          continue;
        }
        node.configurations.push_back(
            {slice.entry(at).id.index, *raft::decode_configuration(slice.entry(at).payload)});
      }
    }
    node.state.hard = recovered.hard;
    node.state.last = node.log.last_id();
    node.state.durable = recovered.durable;
    node.state.issued = raft::WriteSeq(1);
    node.state.deadline_ticks = 15;
    node.submitted_hard = recovered.hard;
    node.submitted_last = node.log.last();
    ladder_.started(node.id, recovered, node.view());
  }

  /// One step of one input: `change` is what the input does, `flush` what the flush does behind the write.
  void step(FakeNode& node, const raft::Input& input, const Change& change = {}, const Change& flush = {}) {
    FakeTurn turn;
    turn.out.trace = true;
    if (change) change(turn);
    note_delta(node, turn, 0);
    if (node.writes_itself) write(node, turn);
    if (flush) flush(turn);
    note_delta(node, turn, 1);
    observe(node, std::vector<raft::Input>{input}, turn.out);
  }

  void observe(FakeNode& node, const std::vector<raft::Input>& inputs, const raft::Output& output) {
    ladder_.at(++steps_, 0);
    ladder_.stepped(raft::trace::Step{node.id, inputs, output, node.view()});
  }

  static void note_delta(FakeNode& node, FakeTurn& turn, std::uint32_t input) {
    if (node.derives_last) {
      node.state.last = node.log.last_id();
      node.state.base = node.log.base();
    }
    if (turn.truncated_from) node.truncated_unsubmitted = turn.truncated_from;
    raft::Delta& delta = turn.out.deltas.emplace_back();
    delta.input = input;
    delta.after = node.state;
    delta.truncated_from = std::exchange(turn.truncated_from, raft::Index{});
    delta.appended_from = std::exchange(turn.appended_from, raft::Index{});
    delta.commit_configuration = std::exchange(turn.commit_configuration, std::nullopt);
    delta.installed = std::exchange(turn.installed, false);
  }

  /// The write that a correct node submits now.
  static void write(FakeNode& node, FakeTurn& turn) {
    if (turn.checkpoint_due) return write_checkpoint(node, turn);
    raft::Index from = node.submitted_last.next();
    if (node.truncated_unsubmitted && node.truncated_unsubmitted <= node.submitted_last) {
      turn.out.write.truncate_from = from = node.truncated_unsubmitted;
    }
    node.truncated_unsubmitted = raft::Index{};
    if (node.state.hard != node.submitted_hard) turn.out.write.hard = node.state.hard;
    if (node.log.last() >= from) node.log.slices(from, node.log.last(), turn.out.write.entries);
    if (!turn.out.write.hard && !turn.out.write.truncate_from && turn.out.write.entries.empty()) return;
    node.state.issued = node.state.issued.next();
    turn.out.write.seq = node.state.issued;
    node.submitted_hard = node.state.hard;
    node.submitted_last = node.log.last();
  }

  static void write_checkpoint(FakeNode& node, FakeTurn& turn) {
    node.truncated_unsubmitted = raft::Index{};
    node.state.issued = node.state.issued.next();
    turn.out.write.seq = node.state.issued;
    turn.out.write.checkpoint =
        raft::Checkpoint{node.state.snapshot, node.configurations.front().configuration, node.log.base()};
    turn.out.write.hard = node.state.hard;
    node.log.slices(node.log.first(), node.log.last(), turn.out.write.entries);
    node.submitted_hard = node.state.hard;
    node.submitted_last = node.log.last();
  }

  /// Everything submitted is on the disk, and the core hears of it.
  void sync(FakeNode& node, const Change& then = {}) {
    ladder_.durable(node.id, node.state.issued);
    told(node, then);
  }
  /// The core hears of a write, whatever the disk says.
  void told(FakeNode& node, const Change& then = {}) {
    step(node, raft::Written{node.state.issued}, [&](FakeTurn& turn) {
      node.state.written = node.state.issued;
      node.state.durable = node.log.last();
      if (node.state.role == raft::Role::leader) {
        if (raft::Progress* own = node.find_peer(node.id.value()); own != nullptr) {
          own->match = node.state.durable;
          own->next = std::max(own->next, own->match.next());
        }
      }
      if (then) then(turn);
    });
  }

  static void send(FakeTurn& turn, const FakeNode& from, std::uint32_t to, raft::Message message) {
    turn.out.messages.push_back({from.id, raft::NodeId(to), from.term(), std::move(message)});
  }
  static raft::Receive received(const FakeNode& from, const FakeNode& to, raft::Message message) {
    return raft::Receive{raft::Envelope{from.id, to.id, from.term(), std::move(message)}};
  }

  // ---- A correct election and replication ----

  void stand(FakeNode& node) {
    step(node, raft::Campaign{}, [&](FakeTurn&) { stand_now(node); });
    sync(node, [&](FakeTurn& turn) {
      node.granted = {node.id};
      for (FakeNode& other : nodes_) {
        if (other.id != node.id)
          send(turn, node, other.id.value(), raft::RequestVote{node.log.last_id(), false, false});
      }
    });
  }
  static void stand_now(FakeNode& node) {
    node.state.hard = raft::HardState{node.term().next(), node.id};
    node.state.role = raft::Role::candidate;
    node.state.leader = raft::NodeId{};
    node.state.elapsed_ticks = 0;
    node.state.deadline_ticks = 15;
    node.peers.clear();
  }

  static void grant_now(FakeNode& voter, const FakeNode& candidate) {
    voter.state.hard = raft::HardState{candidate.term(), candidate.id};
    voter.state.role = raft::Role::follower;
    voter.state.leader = raft::NodeId{};
    voter.state.elapsed_ticks = 0;
    voter.state.deadline_ticks = 15;
    voter.peers.clear();
  }
  void grant(FakeNode& voter, FakeNode& candidate) {
    voter.state.elapsed_ticks = 12;  // it has not heard from a leader for long
    step(voter, raft::Applied{}, {});
    step(voter, received(candidate, voter, raft::RequestVote{candidate.log.last_id(), false, false}),
         [&](FakeTurn&) { grant_now(voter, candidate); });
    sync(voter, [&](FakeTurn& turn) {
      send(turn, voter, candidate.id.value(), raft::VoteReply{false, true});
    });
  }

  static void track_members(FakeNode& node) {
    std::vector<raft::Progress> known = std::exchange(node.peers, {});
    for (const raft::Member& member : node.configuration().members) {
      const auto found = std::find_if(known.begin(), known.end(),
                                      [&](const raft::Progress& peer) { return peer.id == member.id; });
      if (found != known.end()) {
        node.peers.push_back(std::move(*found));
        continue;
      }
      raft::Progress& peer = node.peers.emplace_back();
      peer.id = member.id;
      peer.next = node.log.last().next();
      if (member.id == node.id) peer.match = node.state.durable;
    }
  }
  void lead_now(FakeNode& node, FakeTurn& turn) {
    node.state.role = raft::Role::leader;
    node.state.leader = node.id;
    node.state.deadline_ticks = 0;
    node.state.elapsed_ticks = 0;
    node.granted.clear();
    node.refused.clear();
    node.peers.clear();
    node.uncommitted_bytes = 0;
    track_members(node);
    propose_now(node, turn, raft::EntryKind::noop, 0);
  }
  static void propose_now(FakeNode& node, FakeTurn& turn, raft::EntryKind kind, std::size_t bytes,
                          int fill = 7) {
    node.log.append(node.term(), kind, std::vector<std::byte>(bytes, std::byte(fill)));
    turn.appended_from = node.log.last();
    node.uncommitted_bytes += bytes;
  }
  static void append_configuration_now(FakeNode& node, FakeTurn& turn,
                                       const raft::Configuration& configuration) {
    const std::vector<std::byte> payload = raft::encode(configuration);
    node.log.append(node.term(), raft::EntryKind::configuration, payload);
    turn.appended_from = node.log.last();
    node.uncommitted_bytes += payload.size();
    node.configurations.push_back({node.log.last(), configuration});
    track_members(node);
  }
  void win(FakeNode& node, const FakeNode& voter) {
    step(node, received(voter, node, raft::VoteReply{false, true}),
         [&](FakeTurn& turn) { lead_now(node, turn); });
  }
  void step_down(FakeNode& node) {
    step(node, raft::Tick{}, [&](FakeTurn&) {
      node.state.role = raft::Role::follower;
      node.state.leader = raft::NodeId{};
      node.state.deadline_ticks = 15;
      node.peers.clear();
    });
  }
  /// n(leader) wins the next term by the vote of n(voter).
  void elect(std::uint32_t leader, std::uint32_t voter) {
    stand(n(leader));
    grant(n(voter), n(leader));
    win(n(leader), n(voter));
    sync(n(leader));
  }

  void propose(FakeNode& leader, std::size_t bytes = 4, int fill = 7) {
    step(leader, raft::Propose{1, {}},
         [&](FakeTurn& turn) { propose_now(leader, turn, raft::EntryKind::command, bytes, fill); });
  }

  /// All that the follower lacks, cut at `last`; where its log conflicts, from there on.
  static raft::AppendEntries append_for(const FakeNode& leader, const FakeNode& follower,
                                        raft::Index commit) {
    raft::Index prev = std::min(follower.log.last(), leader.log.last());
    while (follower.log.term_at(prev) != leader.log.term_at(prev)) prev = prev.previous();
    raft::AppendEntries append;
    append.prev = raft::LogId{leader.log.term_at(prev), prev};
    append.commit = commit;
    if (prev < leader.log.last()) append.entries = leader.log.slice_from(prev.next(), 1U << 20U);
    return append;
  }
  static void follow_now(FakeNode& follower, const FakeNode& leader) {
    if (follower.term() < leader.term()) follower.state.hard = raft::HardState{leader.term(), raft::NodeId{}};
    follower.state.role = raft::Role::follower;
    follower.state.leader = leader.id;
    follower.state.elapsed_ticks = 0;
    follower.state.deadline_ticks = 15;
    follower.peers.clear();
    follower.granted.clear();
    follower.refused.clear();
  }
  static void take_now(FakeNode& follower, const FakeNode& leader, const raft::AppendEntries& append,
                       FakeTurn& turn) {
    follow_now(follower, leader);
    const raft::Index from = append.prev.index.next();
    if (!append.entries.empty()) {
      if (from <= follower.log.last()) {
        follower.log.truncate(from);
        while (follower.configurations.back().index >= from) follower.configurations.pop_back();
        follower.state.durable = std::min(follower.state.durable, from.previous());
        turn.truncated_from = from;
      }
      follower.log.append(append.entries);
      turn.appended_from = from;
      for (std::uint32_t at = 0; at < append.entries.size(); ++at) {
        const raft::EntryView entry = append.entries.entry(at);
        if (entry.kind != raft::EntryKind::configuration) continue;
        if (auto decoded = raft::decode_configuration(entry.payload))
          follower.configurations.push_back({entry.id.index, *std::move(decoded)});
      }
    }
    const raft::Index end(append.prev.index.value() + append.entries.size());
    follower.state.commit = std::max(follower.state.commit, std::min(append.commit, end));
  }
  void replicate(FakeNode& leader, FakeNode& follower) {
    const raft::AppendEntries append = append_for(leader, follower, leader.state.commit);
    step(follower, received(leader, follower, append),
         [&](FakeTurn& turn) { take_now(follower, leader, append, turn); });
    sync(follower, [&](FakeTurn& turn) {
      send(turn, follower, leader.id.value(), raft::AppendReply{follower.log.last(), raft::ReadSeq{}});
    });
    acknowledge(leader, follower, follower.log.last());
  }
  void acknowledge(FakeNode& leader, const FakeNode& follower, raft::Index match) {
    step(leader, received(follower, leader, raft::AppendReply{match, raft::ReadSeq{}}), [&](FakeTurn& turn) {
      acknowledge_now(leader, follower.id.value(), match);
      commit_now(leader, turn);
    });
  }
  static void acknowledge_now(FakeNode& leader, std::uint32_t number, raft::Index match) {
    raft::Progress& peer = leader.peer(number);
    peer.match = std::max(peer.match, match);
    peer.next = std::max(peer.next, peer.match.next());
    peer.state = raft::ProgressState::replicate;
  }
  static void commit_now(FakeNode& leader, FakeTurn& turn) {
    raft::Index agreed;
    for (const raft::Progress& peer : leader.peers) {
      NodeSet holders = 0;
      for (const raft::Progress& other : leader.peers) {
        if (other.match >= peer.match) holders |= set_of(other.id);
      }
      if (voter_sets(0, leader.configuration()).majority(holders)) agreed = std::max(agreed, peer.match);
    }
    if (agreed <= leader.state.commit || leader.log.term_at(agreed) != leader.term()) return;
    commit_to(leader, turn, agreed);
  }
  static void commit_to(FakeNode& leader, FakeTurn& turn, raft::Index index) {
    for (raft::Index at = leader.state.commit.next(); at <= index; at = at.next()) {
      const raft::EntryView entry = leader.log.entry(at);
      if (entry.id.term == leader.term()) leader.uncommitted_bytes -= entry.payload.size();
    }
    leader.state.commit = index;
    turn.commit_configuration = leader.configurations.back().index;
  }

  /// n1 leads term 2, and has committed its first entry with n2.
  void lead_and_commit() {
    elect(1, 2);
    replicate(n(1), n(2));
  }

  // ---- Snapshots ----

  /// Hands out and applies what is committed and durable.
  void apply_all(FakeNode& node) {
    step(node, raft::Applied{node.state.applied}, {}, [&](FakeTurn& turn) {
      const raft::Index ready = std::min(node.state.commit, node.state.durable);
      node.log.slices(node.state.handed.next(), ready, turn.out.apply);
      node.state.handed = ready;
    });
    step(node, raft::Applied{node.state.handed}, [&](FakeTurn&) { node.state.applied = node.state.handed; });
  }
  static void start_behind(FakeNode& node, raft::LogId last, raft::Configuration configuration,
                           raft::Index base, FakeTurn& turn) {
    node.log.compact(base);
    std::erase_if(node.configurations,
                  [&](const raft::ConfigurationAt& at) { return at.index <= last.index; });
    node.configurations.insert(node.configurations.begin(), {last.index, std::move(configuration)});
    node.state.snapshot = last;
    turn.checkpoint_due = true;
  }
  /// A snapshot up to `index` is there, and the log up to `base` goes.
  static void take_snapshot_now(FakeNode& node, raft::Index index, raft::Index base, FakeTurn& turn) {
    const raft::LogId last{node.log.term_at(index), index};
    raft::Configuration configuration;
    for (const raft::ConfigurationAt& at : node.configurations) {
      if (at.index <= index) configuration = at.configuration;
    }
    start_behind(node, last, std::move(configuration), base, turn);
  }
  void take_snapshot(FakeNode& node, raft::Index index, raft::Index base, const Change& then = {}) {
    step(node, raft::SnapshotTaken{{node.log.term_at(index), index}}, [&](FakeTurn& turn) {
      take_snapshot_now(node, index, base, turn);
      for (raft::Progress& peer : node.peers) {
        if (peer.id != node.id && peer.next <= base) peer.become_snapshot(node.state.snapshot);
      }
      if (then) then(turn);
    });
  }
  static void install_now(FakeNode& node, raft::LogId last, const raft::Configuration& configuration,
                          FakeTurn& turn) {
    if (!node.log.matches(last)) {
      if (node.log.last() > node.state.commit) turn.truncated_from = node.state.commit.next();
      node.state.durable = std::min(node.state.durable, node.state.commit);
      node.log = raft::Log(last);
    }
    start_behind(node, last, configuration, std::max(node.log.base().index, node.state.base.index), turn);
    node.state.commit = node.state.handed = last.index;
    turn.out.restore = last;
    turn.installed = true;
  }
  void install(FakeNode& node, raft::LogId last, const Change& then = {}) {
    step(node, raft::SnapshotStored{last, configuration_}, [&](FakeTurn& turn) {
      install_now(node, last, configuration_, turn);
      if (then) then(turn);
    });
  }
  void restored(FakeNode& node) {
    step(node, raft::SnapshotRestored{node.state.snapshot},
         [&](FakeTurn&) { node.state.applied = std::max(node.state.applied, node.state.snapshot.index); });
  }
  /// n1 has led and committed up to index 6 with n2, and has a snapshot up to 5 behind the base 4; n3 follows and has no entries.
  void lead_and_compact() {
    lead_and_commit();
    for (int i = 0; i < 4; ++i) propose(n(1), 2, i);
    sync(n(1));
    replicate(n(1), n(2));
    apply_all(n(1));
    take_snapshot(n(1), raft::Index(5), raft::Index(4));
    step(n(3), received(n(1), n(3), raft::Heartbeat{}), [&](FakeTurn&) { follow_now(n(3), n(1)); });
    sync(n(3));
  }
  /// n1 as it was before the compaction, as far as n2 has its log.
  FakeNode uncompacted() {
    FakeNode node = n(2);
    node.id = id(1);
    return node;
  }

  // ---- Crashes ----

  void crash(FakeNode& node) { ladder_.crashed(node.id, true); }
  /// What a node finds at start: this hard state, and of its log the entries up to `last`.
  static raft::Recovered recovered(const FakeNode& node, raft::HardState hard, raft::Index last) {
    raft::Recovered result;
    result.hard = hard;
    if (node.state.snapshot.index) {
      result.snapshot = node.state.snapshot;
      result.snapshot_configuration = node.configurations.front().configuration;
    }
    result.base = node.log.base();
    node.log.slices(node.log.first(), last, result.entries);
    return result;
  }
  void restart(FakeNode& node, raft::HardState hard, raft::Index last) {
    const raft::Recovered found = recovered(node, hard, last);
    start(node, node.id.value(), found);
  }

  /// A node that nobody elected: number, term, and the log of `like` up to `last`, behind it one entry of its own.
  static FakeNode pretender(std::uint32_t number, std::uint64_t term, const FakeNode& like, raft::Index last,
                            int fill = 9) {
    FakeNode node;
    node.id = raft::NodeId(number);
    node.state.hard = raft::HardState{raft::Term(term), node.id};
    std::vector<raft::Slice> slices;
    like.log.slices(raft::Index(1), last, slices);
    for (const raft::Slice& slice : slices) node.log.append(slice);
    node.log.append(raft::Term(term), raft::EntryKind::command, std::vector<std::byte>(4, std::byte(fill)));
    return node;
  }
  /// The follower takes what the other node offers.
  void take(FakeNode& follower, const FakeNode& leader, raft::Index commit) {
    const raft::AppendEntries append = append_for(leader, follower, commit);
    step(follower, received(leader, follower, append),
         [&](FakeTurn& turn) { take_now(follower, leader, append, turn); });
  }

  // ---- What the ladder says ----

  [[nodiscard]] std::string told_text() const {
    std::string text;
    for (const Finding& finding : ladder_.findings()) {
      text += std::string(info(finding.rung).id) + " n" + std::to_string(finding.node.value()) + ": " +
              finding.text + "\n";
    }
    return text;
  }
  [[nodiscard]] bool fired(Rung rung) const {
    for (const Finding& finding : ladder_.findings()) {
      if (finding.rung == rung) return true;
    }
    return false;
  }
  void expect_sound() const { EXPECT_FALSE(ladder_.broken()) << told_text(); }
  /// The rung broke and no lower one did.
  void expect_root(Rung rung) const {
    ASSERT_TRUE(ladder_.broken()) << "nothing fired";
    EXPECT_TRUE(fired(rung)) << told_text();
    EXPECT_STREQ(info(ladder_.root()->rung).id, info(rung).id) << told_text();
    EXPECT_GT(ladder_.evaluations(rung), 0U);
    EXPECT_FALSE(ladder_.root()->text.empty());
  }
  /// The rung broke, together with a lower one that cannot but break as well.
  void expect_above(Rung rung, Rung root) const {
    EXPECT_TRUE(fired(rung)) << told_text();
    ASSERT_TRUE(ladder_.broken());
    EXPECT_STREQ(info(ladder_.root()->rung).id, info(root).id) << told_text();
  }

  raft::Configuration configuration_;
  std::vector<FakeNode> nodes_;
  Ladder ladder_;
  std::uint64_t steps_ = 0;
};

}  // namespace raftlab::invariants
