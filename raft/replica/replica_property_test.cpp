#include "raft/replica/replica_fixture.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

/// Three replicas on disks that lose power, behind a network that loses, repeats and reorders: whatever
/// happens, their state machines are given the same entries in the same order, life after life.
namespace raftlab::raft {
namespace {

using namespace raftlab::raft::testing;

/// A small generator whose whole life follows from its seed.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint32_t operator()(std::uint32_t count) {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111eb;
    return static_cast<std::uint32_t>((mixed ^ (mixed >> 31U)) % count);
  }

 private:
  std::uint64_t state_;
};

constexpr std::uint32_t nodes = 3;

class Replicas {
 public:
  explicit Replicas(std::uint64_t seed) : random_(seed) {
    for (std::uint32_t number = 1; number <= nodes; ++number) {
      hosts_.push_back(std::make_unique<Host>(nodes, number));
      Host& host = *hosts_.back();
      host.options.core.election_ticks_min = 4;
      host.options.core.heartbeat_ticks = 1;
      host.options.core.pre_vote = random_(2) == 0;
      host.options.core.check_quorum = random_(2) == 0;
      host.options.core.limits.append_bytes_max = 1 + random_(40);
      host.options.wal.segment_bytes = 200 + random_(2000);
      host.machine.on_apply = [this, &host](const EntryView& entry) { check(host, entry); };
      start(host);
    }
  }

  void run(std::uint32_t turns) {
    for (std::uint32_t turn = 0; turn < turns; ++turn) act();
  }

  /// Everything heals: all nodes must come to agree, and what was applied once is applied everywhere.
  void heal() {
    faults_ = false;
    for (const auto& host : hosts_) {
      if (!host->replica) start(*host);
    }
    for (std::uint32_t round = 0; round < 400 && !agreed(); ++round) {
      for (const auto& host : hosts_) {
        host->replica->tick();
        step(*host);
      }
      while (!network_.empty() || !disks_idle()) {
        for (const auto& host : hosts_) {
          while (!host->disk.idle()) finish_change(*host);
        }
        if (!network_.empty()) deliver(0);
      }
    }
    RC_ASSERT(agreed());
    for (const auto& host : hosts_) RC_ASSERT(host->machine.applied == truth_);
  }

  [[nodiscard]] std::size_t applied() const { return truth_.size(); }
  [[nodiscard]] std::uint32_t crashes() const { return crashes_; }
  [[nodiscard]] std::uint64_t answered() const { return answered_; }

 private:
  void act() {
    Host& host = *hosts_[random_(nodes)];
    const std::uint32_t what = random_(100);
    if (!host.replica) {
      if (what < 20) start(host);
      return;
    }
    if (what < 40) {
      if (!network_.empty()) deliver(random_(static_cast<std::uint32_t>(network_.size())));
    } else if (what < 65) {
      if (!host.disk.idle()) finish_change(host);
    } else if (what < 80) {
      host.replica->tick();
      step(host);
    } else if (what < 90) {
      ++tags_;
      host.replica->propose(tags_, bytes("c" + std::to_string(tags_)));
      step(host);
    } else if (what < 95) {
      const std::uint64_t tag = ++tags_;
      reads_[tag] = truth_.size();
      host.replica->read_barrier(tag);
      step(host);
    } else if (what < 97) {
      host.replica->unreachable(node(1 + random_(nodes)));
      step(host);
    } else if (what == 97 && random_(4) == 0) {
      crash(host);
    }
  }

  void start(Host& host) {
    host.options.core.seed = Seed(random_(1'000'000));
    ++host.options.core.incarnation;
    RC_ASSERT(host.start());
    step(host);
  }

  void crash(Host& host) {
    ++crashes_;
    if (random_(3) == 0) {
      host.kill();
    } else {
      host.lose_power([this](std::uint32_t count) { return random_(count); });
    }
  }

  void finish_change(Host& host) {
    host.replica->complete(host.disk.step());
    step(host);
  }

  void deliver(std::uint32_t position) {
    Envelope envelope = network_[position];
    const bool again = faults_ && random_(20) == 0;
    const bool lost = faults_ && random_(20) == 0;
    if (!again) network_.erase(network_.begin() + position);
    Host& to = *hosts_[envelope.to.value() - 1];
    if (lost || !to.replica) return;
    to.replica->receive(std::move(envelope));
    step(to);
  }

  void step(Host& host) {
    host.step();
    RC_ASSERT(!host.out.fault);
    for (Envelope& envelope : host.out.messages) network_.push_back(std::move(envelope));
    host.sent.clear();
    for (const ReadReady& read : host.out.reads) {
      // Whoever asked had seen so much applied somewhere; the answer must not be older.
      RC_ASSERT(host.machine.applied.size() >= reads_.at(read.tag));
      RC_ASSERT(host.machine.applied.size() >= read.index.value());
      ++answered_;
    }
  }

  /// Called before the entry is counted among the host's applied ones.
  void check(Host& host, const EntryView& entry) {
    const State state = host.state();
    RC_ASSERT(entry.id.index.value() == host.machine.applied.size() + 1);
    RC_ASSERT(entry.id.index <= state.commit);
    RC_ASSERT(entry.id.index <= state.durable);
    std::string what = text(entry.payload);
    if (entry.kind == EntryKind::noop) what = "noop";
    if (entry.kind == EntryKind::configuration) what = "config";
    what = std::to_string(entry.id.index.value()) + ":" + what;
    const std::size_t position = entry.id.index.value() - 1;
    if (position == truth_.size()) {
      truth_.push_back(what);
    } else {
      RC_ASSERT(position < truth_.size());
      RC_ASSERT(truth_[position] == what);
    }
  }

  [[nodiscard]] bool disks_idle() const {
    return std::ranges::all_of(hosts_, [](const auto& host) { return host->disk.idle(); });
  }
  [[nodiscard]] bool agreed() const {
    const bool led = std::ranges::any_of(
        hosts_, [](const auto& host) { return host->replica && host->state().role == Role::leader; });
    return led && std::ranges::all_of(hosts_, [&](const auto& host) {
             return host->replica && host->state().last.index.value() == truth_.size() &&
                    host->machine.applied.size() == truth_.size();
           });
  }

  Random random_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::deque<Envelope> network_;
  std::vector<std::string> truth_;              // what was applied first at each index
  std::map<std::uint64_t, std::size_t> reads_;  // how much was applied somewhere when a read was asked for
  std::uint64_t tags_ = 0;
  std::uint64_t answered_ = 0;
  std::uint32_t crashes_ = 0;
  bool faults_ = true;
};

RC_GTEST_PROP(ReplicaProperty, ReplicasApplyTheSameEntriesThroughCrashesAndLosses, ()) {
  Replicas replicas(*rc::gen::arbitrary<std::uint64_t>());
  replicas.run(3000);
  replicas.heal();
  RC_TAG(replicas.crashes() > 0 ? "with crashes" : "without a crash");
}

TEST(ReplicaProperty, runs_are_long_enough_to_mean_something) {
  std::size_t applied = 0;
  std::uint64_t answered = 0;
  std::uint32_t crashes = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Replicas replicas(seed);
    replicas.run(3000);
    applied += replicas.applied();
    answered += replicas.answered();
    crashes += replicas.crashes();
    replicas.heal();
  }
  EXPECT_GT(applied, 200U);
  EXPECT_GT(answered, 20U);
  EXPECT_GT(crashes, 40U);
}

}  // namespace
}  // namespace raftlab::raft
