#pragma once

#include "simulator/profile.hpp"
#include "simulator/run.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

/// What a campaign of seeds adds up to, and what it may conclude from it.
namespace raftlab::reports {

/// What became of one seed.
struct SeedReport {
  std::uint64_t seed = 0;
  simulator::Profile profile;
  simulator::RunResult result;
  std::int64_t cpu_ns = 0;
};

struct FaultTally {
  std::uint64_t drawn = 0;        ///< seeds whose profile has a rate above 0
  std::uint64_t fired_seeds = 0;  ///< seeds in which it happened
  std::uint64_t fired = 0;        ///< how often it happened
};

struct MarkTally {
  std::uint64_t seeds = 0;  ///< in which it fired
  std::uint64_t fired = 0;
};

/// A campaign of so many seeds is expected to come by every mark.
inline constexpr std::uint64_t marks_seeds_min = 500;

/// More than one inconclusive seed in so many makes the campaign inconclusive.
inline constexpr std::uint64_t inconclusive_one_in = 20;
/// A fault kind that was drawn in so many seeds must have fired in one.
inline constexpr std::uint64_t drawn_seeds_min = 20;

/// Sums over seeds, which come in any order: the sums do not depend on it, except that of equally slow seeds the first
/// counts.
class Campaign {
 public:
  void add(const SeedReport& report);

  [[nodiscard]] std::uint64_t seeds() const { return holds_ + violated_ + inconclusive_; }
  [[nodiscard]] std::uint64_t holds() const { return holds_; }
  [[nodiscard]] std::uint64_t violated() const { return violated_; }
  [[nodiscard]] std::uint64_t inconclusive() const { return inconclusive_; }
  /// A violation wins. `inconclusive` when too many seeds are, when a fault kind never fires, or without any seed.
  [[nodiscard]] simulator::Verdict verdict() const;
  /// Why it is inconclusive, one sentence each; empty otherwise.
  [[nodiscard]] std::vector<std::string> reasons() const;

  [[nodiscard]] const FaultTally& tally(simulator::Fault fault) const {
    return faults_[static_cast<std::size_t>(fault)];
  }
  /// How often a rung was evaluated for real.
  [[nodiscard]] const std::array<std::uint64_t, invariants::rung_count>& evaluations() const {
    return evaluations_;
  }
  [[nodiscard]] std::uint64_t rungs_evaluated() const;
  /// Rungs that were never evaluated for real.
  [[nodiscard]] std::vector<const invariants::RungInfo*> rungs_idle() const;
  [[nodiscard]] const MarkTally& tally(simulator::Mark mark) const {
    return marks_[static_cast<std::size_t>(mark)];
  }
  /// Marks that fired in some seed, the one with the fewest seeds first.
  [[nodiscard]] std::vector<simulator::Mark> marks_reached() const;
  /// Marks that never fired, although the campaign was long enough and its checks were on.
  [[nodiscard]] std::vector<simulator::Mark> marks_missed() const;
  /// Kinds that were drawn, and of these the ones that fired.
  [[nodiscard]] std::uint64_t fault_kinds_drawn() const;
  [[nodiscard]] std::uint64_t fault_kinds_fired() const;

  struct Example {
    std::uint64_t seed;
    std::string reason;
  };
  /// The first few inconclusive seeds, in the order of `add`.
  [[nodiscard]] const std::vector<Example>& inconclusive_examples() const { return examples_; }

  struct Totals {
    std::uint64_t steps = 0;
    std::int64_t virtual_ns = 0;
    std::int64_t cpu_ns = 0;
    std::uint64_t messages = 0;
    std::uint64_t committed = 0;
    std::uint64_t elections = 0;
    std::uint64_t ok = 0;
    std::uint64_t failed = 0;
    std::uint64_t unknown = 0;
  };
  [[nodiscard]] const Totals& totals() const { return totals_; }
  [[nodiscard]] std::uint64_t slowest_seed() const { return slowest_seed_; }
  [[nodiscard]] std::int64_t slowest_cpu_ns() const { return slowest_cpu_ns_; }

 private:
  std::uint64_t holds_ = 0;
  std::uint64_t violated_ = 0;
  std::uint64_t inconclusive_ = 0;
  std::array<FaultTally, simulator::faults> faults_{};
  std::array<MarkTally, simulator::mark_count> marks_{};
  std::array<std::uint64_t, invariants::rung_count> evaluations_{};
  static constexpr std::size_t examples_max = 3;

  Totals totals_;
  std::vector<Example> examples_;
  std::uint64_t slowest_seed_ = 0;
  std::int64_t slowest_cpu_ns_ = -1;
};

}  // namespace raftlab::reports
