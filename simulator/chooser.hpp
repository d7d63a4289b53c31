#pragma once

#include "raft/hash.hpp"
#include "raft/types.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <vector>

/// One source of choice. Whatever is not determined by the code under test is asked of a `Chooser`, under a key made
/// of the meaning of the decision, so that a recorded run survives a change of the code that does not touch it.
namespace raftlab::simulator {

using raft::NodeId;
using raft::Seed;

/// What is being decided. The numbers are part of the trace format: append only.
enum class Choice : std::uint8_t {
  profile = 1,
  core_seed,
  tick_phase,
  clock_drift,
  message_loss,
  message_duplicate,
  message_delay,
  message_late,
  message_late_delay,
  message_codec,
  duplicate_delay,
  span_joined,
  sync_time,
  sync_slow,
  sync_fails,
  page_fate,
  crash_fate,
  crash_cut,
  entry_fate,
  nemesis_strikes,
  nemesis_target,
  nemesis_shape,
  nemesis_duration,
  rot_place,
  client_operation,
  client_key,
  client_node,
  client_think,
  client_delay,
  client_loss,
  client_policy,
  healing_cut,
  sync_fails_in_parts,
  operator_notices,
  operator_looks,
  operator_way,
};

/// The identity of one decision: what is decided, about which subject. Equal keys get equal answers.
struct Key {
  Choice choice;
  std::uint64_t subject;

  [[nodiscard]] constexpr std::uint64_t hash() const {
    return raft::combine(subject, static_cast<std::uint64_t>(choice));
  }
};

/// A subject from the fields that identify it.
template <class... Fields>
[[nodiscard]] constexpr std::uint64_t subject(Fields... fields) {
  raft::Hasher hasher;
  (hasher.add(fields), ...);
  return hasher.value();
}

inline constexpr std::uint32_t million = 1'000'000;

class Chooser {
 public:
  virtual ~Chooser() = default;
  /// A number below `range` (which is at least 1). 0 always means the tamest outcome: no fault, the least delay.
  [[nodiscard]] virtual std::uint64_t choose(Key key, std::uint64_t range) = 0;
  /// True with a probability of `per_million` parts per million.
  [[nodiscard]] virtual bool happens(Key key, std::uint32_t per_million) = 0;

  /// A number from `least` to `most`, both included.
  [[nodiscard]] std::int64_t between(Key key, std::int64_t least, std::int64_t most) {
    if (most <= least) return least;
    return least + static_cast<std::int64_t>(choose(key, static_cast<std::uint64_t>(most - least) + 1));
  }
};

/// Random exploration: the answer is a hash of (seed, key), so there is no generator state and no order of draws.
class RandomChooser final : public Chooser {
 public:
  explicit RandomChooser(Seed seed) : seed_(raft::combine(0x7261'6674'6c61'62ULL, seed.value())) {}
  [[nodiscard]] std::uint64_t choose(Key key, std::uint64_t range) override;
  [[nodiscard]] bool happens(Key key, std::uint32_t per_million) override;

 private:
  std::uint64_t seed_;
};

struct Decision {
  std::uint64_t key;    ///< Key::hash
  std::uint64_t value;  ///< never 0: what is not recorded is 0
};

/// Passes the questions on and keeps the answers that are not 0.
class RecordingChooser final : public Chooser {
 public:
  explicit RecordingChooser(Chooser& source) : source_(&source) {}
  [[nodiscard]] std::uint64_t choose(Key key, std::uint64_t range) override;
  [[nodiscard]] bool happens(Key key, std::uint32_t per_million) override;
  [[nodiscard]] std::vector<Decision>& decisions() { return decisions_; }

 private:
  Chooser* source_;
  std::vector<Decision> decisions_;
};

/// Answers as recorded, and 0 to every question that was not recorded. Never draws.
class ReplayChooser final : public Chooser {
 public:
  void add(Decision decision) { values_[decision.key] = decision.value; }
  [[nodiscard]] std::uint64_t choose(Key key, std::uint64_t range) override;
  [[nodiscard]] bool happens(Key key, std::uint32_t per_million) override;
  [[nodiscard]] std::size_t size() const { return values_.size(); }

 private:
  boost::unordered_flat_map<std::uint64_t, std::uint64_t> values_;
};

}  // namespace raftlab::simulator
