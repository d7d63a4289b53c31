#include "reports/campaign.hpp"

#include "reports/format.hpp"

#include <algorithm>

namespace raftlab::reports {

using simulator::Fault;
using simulator::Verdict;

void Campaign::add(const SeedReport& report) {
  const simulator::RunResult& result = report.result;
  switch (result.verdict) {
    case Verdict::holds: ++holds_; break;
    case Verdict::violated: ++violated_; break;
    case Verdict::inconclusive:
      ++inconclusive_;
      if (examples_.size() < examples_max) examples_.push_back(Example{report.seed, result.reason});
      break;
  }
  for (std::size_t i = 0; i < simulator::faults; ++i) {
    if (report.profile.rates[i] != 0) ++faults_[i].drawn;
    if (result.fired[i] != 0) ++faults_[i].fired_seeds;
    faults_[i].fired += result.fired[i];
  }
  const std::size_t rungs = std::min(result.evaluations.size(), evaluations_.size());
  for (std::size_t i = 0; i < rungs; ++i) evaluations_[i] += result.evaluations[i];
  for (std::size_t i = 0; i < simulator::mark_count; ++i) {
    if (result.marks[i] != 0) ++marks_[i].seeds;
    marks_[i].fired += result.marks[i];
  }
  totals_.steps += result.steps;
  totals_.virtual_ns += result.virtual_ns;
  totals_.cpu_ns += report.cpu_ns;
  totals_.messages += result.messages_sent;
  totals_.committed += result.committed;
  totals_.elections += result.elections;
  totals_.ok += result.operations_ok;
  totals_.failed += result.operations_failed;
  totals_.unknown += result.operations_unknown;
  if (report.cpu_ns > slowest_cpu_ns_) {
    slowest_cpu_ns_ = report.cpu_ns;
    slowest_seed_ = report.seed;
  }
}

Verdict Campaign::verdict() const {
  if (violated_ != 0) return Verdict::violated;
  return reasons().empty() ? Verdict::holds : Verdict::inconclusive;
}

std::vector<std::string> Campaign::reasons() const {
  std::vector<std::string> result;
  if (violated_ != 0) return result;
  if (seeds() == 0) result.emplace_back("no seed was run to its end");
  if (inconclusive_ * inconclusive_one_in > seeds()) {
    result.push_back(grouped(inconclusive_) + " of " + counted(seeds(), "seed is", "seeds are") +
                     " inconclusive, more than 5 %");
  }
  for (std::size_t i = 0; i < simulator::faults; ++i) {
    if (faults_[i].drawn < drawn_seeds_min || faults_[i].fired != 0) continue;
    result.push_back(std::string(name(static_cast<Fault>(i))) + " was drawn in " +
                     counted(faults_[i].drawn, "seed", "seeds") + " and fired in none");
  }
  return result;
}

std::uint64_t Campaign::rungs_evaluated() const {
  return static_cast<std::uint64_t>(std::count_if(evaluations_.begin(), evaluations_.end(),
                                                  [](std::uint64_t count) { return count != 0; }));
}

std::vector<const invariants::RungInfo*> Campaign::rungs_idle() const {
  std::vector<const invariants::RungInfo*> result;
  for (const invariants::RungInfo& rung : invariants::rungs()) {
    if (evaluations_[static_cast<std::size_t>(rung.rung)] == 0) result.push_back(&rung);
  }
  return result;
}

std::vector<simulator::Mark> Campaign::marks_reached() const {
  std::vector<simulator::Mark> result;
  for (const simulator::MarkInfo& mark : simulator::marks()) {
    if (tally(mark.mark).fired != 0) result.push_back(mark.mark);
  }
  std::ranges::stable_sort(result, {}, [this](simulator::Mark mark) { return tally(mark).seeds; });
  return result;
}

std::vector<simulator::Mark> Campaign::marks_missed() const {
  std::vector<simulator::Mark> result;
  if (seeds() < marks_seeds_min || rungs_evaluated() == 0) return result;
  for (const simulator::MarkInfo& mark : simulator::marks()) {
    if (tally(mark.mark).fired == 0) result.push_back(mark.mark);
  }
  return result;
}

std::uint64_t Campaign::fault_kinds_drawn() const {
  return static_cast<std::uint64_t>(std::count_if(faults_.begin(), faults_.end(),
                                                  [](const FaultTally& fault) { return fault.drawn != 0; }));
}

std::uint64_t Campaign::fault_kinds_fired() const {
  return static_cast<std::uint64_t>(
      std::count_if(faults_.begin(), faults_.end(),
                    [](const FaultTally& fault) { return fault.drawn != 0 && fault.fired != 0; }));
}

}  // namespace raftlab::reports
