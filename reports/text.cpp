#include "reports/text.hpp"

#include "reports/format.hpp"

#include <algorithm>

namespace raftlab::reports {
namespace {

using invariants::Finding;
using invariants::RungInfo;
using simulator::Fault;
using simulator::Verdict;

constexpr std::size_t label_columns = 10;  // "  root    "

std::string label(std::string_view word) { return "  " + left(word, label_columns - 2); }

/// A line of the block of a violation: label, text, broken at 100 columns.
std::string labelled(std::string_view word, std::string_view text) {
  return label(word) + wrap(printable(text), label_columns) + "\n";
}

/// A command or a path stays in one piece, to be copied; two commands may stand on two lines, as a shell reads them.
std::string copied(std::string_view text, std::size_t indent) {
  constexpr std::string_view both = " && ";
  const std::size_t at = text.find(both);
  if (indent + columns(text) <= line_columns || at == std::string_view::npos) return std::string(text);
  return std::string(text.substr(0, at)) + " && \\\n" + std::string(indent, ' ') +
         std::string(text.substr(at + both.size()));
}

std::string command(std::string_view word, std::string_view text) {
  return text.empty() ? "" : label(word) + copied(text, label_columns) + "\n";
}

std::string name_of(const Finding& finding) {
  const RungInfo& rung = invariants::info(finding.rung);
  return std::string(rung.id) + " " + rung.name;
}

std::string distance(std::uint64_t step, std::uint64_t root_step) {
  if (step == root_step) return "at the same step";
  const std::uint64_t steps = step > root_step ? step - root_step : root_step - step;
  return counted(steps, "step", "steps") + (step > root_step ? " later" : " earlier");
}

std::string findings(const simulator::RunResult& result) {
  const Finding* root = simulator::root(result);
  if (root == nullptr) return "";
  std::vector<const Finding*> others;
  std::size_t name_columns = columns(name_of(*root));
  std::size_t distance_columns = 0;
  for (const Finding& finding : result.findings) {
    if (&finding == root) continue;
    others.push_back(&finding);
    name_columns = std::max(name_columns, columns(name_of(finding)));
    distance_columns = std::max(distance_columns, columns(distance(finding.step, root->step)));
  }
  std::stable_sort(others.begin(), others.end(),
                   [](const Finding* a, const Finding* b) { return a->step < b->step; });

  const std::size_t indent = label_columns + name_columns + 2;
  const auto line = [&](std::string_view word, const Finding& finding, const std::string& when) {
    const std::string before = when.empty() ? "" : right(when, distance_columns) + "  ";
    return label(word) + left(name_of(finding), name_columns + 2) +
           wrap(before + printable(finding.text), indent) + "\n";
  };
  std::string text = line("root", *root, "");
  for (const Finding* other : others) text += line("then", *other, distance(other->step, root->step));
  return text;
}

std::string fault_kinds(const Campaign& campaign) {
  if (campaign.fault_kinds_drawn() == simulator::faults &&
      campaign.fault_kinds_fired() == simulator::faults) {
    return "every fault kind fired";
  }
  return std::to_string(campaign.fault_kinds_fired()) + " of " +
         std::to_string(campaign.fault_kinds_drawn()) + " fault kinds drawn fired";
}

std::uint64_t per_cpu_second(std::uint64_t count, std::int64_t cpu_ns) {
  const std::int64_t ms = cpu_ns / 1'000'000;
  return ms <= 0 ? 0 : count * 1000 / static_cast<std::uint64_t>(ms);
}

/// How many times faster than real time, in tenths below 10.
std::string speed(std::int64_t virtual_ns, std::int64_t cpu_ns) {
  if (cpu_ns < 1'000) return "x0";
  const auto factor = static_cast<std::uint64_t>(virtual_ns / (cpu_ns / 1'000));  // thousandths
  return factor < 10'000 ? "x" + tenths(factor / 100) : "x" + grouped(factor / 1000);
}

std::string figures(const Campaign& campaign, const std::string& indent) {
  const Campaign::Totals& totals = campaign.totals();
  std::string text = indent + span(totals.virtual_ns) + " of virtual time in " + span(totals.cpu_ns) +
                     " of CPU time (" + speed(totals.virtual_ns, totals.cpu_ns) + ") · " +
                     rounded(totals.steps) + " steps (" +
                     rounded(per_cpu_second(totals.steps, totals.cpu_ns)) + "/CPU-s)\n";
  text += indent + counted(totals.committed, "entry", "entries") + " committed · " +
          counted(totals.elections, "election", "elections") + " · " +
          counted(totals.unknown, "operation", "operations") + " unknown to their clients\n";
  text += indent + "slowest seed " + std::to_string(campaign.slowest_seed()) + " (" +
          span(campaign.slowest_cpu_ns()) + " of CPU time)\n";
  return text;
}

/// Active rungs without a single evaluation: what this campaign says nothing about.
std::string idle_rungs(const Campaign& campaign, std::size_t indent) {
  if (campaign.rungs_evaluated() == 0) return "";
  const auto idle = campaign.rungs_idle();
  if (idle.empty()) return "";
  std::string text = "never evaluated:";
  for (const RungInfo* rung : idle) text += std::string(" ") + rung->id;
  return std::string(indent, ' ') + wrap(text, indent) + "\n";
}

constexpr std::size_t rarest_marks_told = 5;

/// Of one seed every mark that it came by; of many how many were reached, and the rarest.
std::string marks(const Campaign& campaign, std::size_t indent) {
  const std::vector<simulator::Mark> reached = campaign.marks_reached();
  const std::string before(indent, ' ');
  std::string text;
  if (!reached.empty()) {
    const bool one = campaign.seeds() == 1;
    std::string line = std::to_string(reached.size()) + " of " + std::to_string(simulator::mark_count) +
                       (one ? " marks:" : " marks reached, in the fewest seeds:");
    const std::size_t told = one ? reached.size() : std::min(reached.size(), rarest_marks_told);
    for (std::size_t i = 0; i < told; ++i) {
      const std::uint64_t number = one ? campaign.tally(reached[i]).fired : campaign.tally(reached[i]).seeds;
      line += std::string(i == 0 ? " " : ", ") + simulator::info(reached[i]).name + " " + grouped(number);
    }
    text += before + wrap(line, indent) + "\n";
  }
  if (const auto missed = campaign.marks_missed(); !missed.empty()) {
    std::string line = "never came by:";
    for (const simulator::Mark mark : missed) line += std::string(" ") + simulator::info(mark).name;
    text += before + wrap(line, indent) + "\n";
  }
  return text;
}

}  // namespace

std::string verdict_word(Verdict verdict, Colour colour, std::size_t width) {
  std::string word = left(name(verdict), width);
  if (colour == Colour::off) return word;
  const char* code = verdict == Verdict::holds      ? "\x1b[32m"
                     : verdict == Verdict::violated ? "\x1b[31m"
                                                    : "\x1b[33m";
  return code + word + "\x1b[0m";
}

std::string violation(const SeedReport& report, const NextSteps& next, Colour colour) {
  const Finding* root = simulator::root(report.result);
  std::string text = verdict_word(Verdict::violated, colour) + "  seed " + std::to_string(report.seed);
  if (root != nullptr) text += " at step " + grouped(root->step) + ", " + seconds(root->time_ns);
  text += "\n\n" + findings(report.result) + "\n";
  text += labelled("profile", simulator::summary(report.profile));
  text += command("trace", next.trace);
  text += command("replay", next.replay);
  text += command("show", next.show);
  if (!next.note.empty()) text += labelled("note", next.note);
  return text;
}

std::string conclusion(const Campaign& campaign, std::string_view seeds, std::string_view replay,
                       std::string_view interrupted, Colour colour) {
  const Verdict verdict = campaign.verdict();
  const std::string word = verdict_word(verdict, colour, verdict == Verdict::holds ? 6 : 0);
  const std::size_t width = verdict == Verdict::holds ? 8 : columns(name(verdict)) + 2;
  const std::string indent(width, ' ');
  std::string text = word + "  " + std::string(seeds);
  if (verdict == Verdict::violated) {
    text += ": " + grouped(campaign.violated()) + " of " + grouped(campaign.seeds()) + " violated";
  } else if (campaign.seeds() != 0) {
    text += ", " +
            (campaign.rungs_evaluated() == 0
                 ? std::string("checks off")
                 : counted(campaign.rungs_evaluated(), "rung", "rungs") + " evaluated") +
            ", " + fault_kinds(campaign);
  }
  text += "\n";
  for (const std::string& reason : campaign.reasons()) text += indent + wrap(reason, width) + "\n";
  for (const Campaign::Example& example : campaign.inconclusive_examples()) {
    text += indent +
            wrap("seed " + std::to_string(example.seed) + " is inconclusive: " + printable(example.reason),
                 width) +
            "\n";
  }
  if (!interrupted.empty()) text += indent + "interrupted by " + std::string(interrupted) + "\n";
  if (campaign.seeds() != 0) {
    text += figures(campaign, indent);
    text += idle_rungs(campaign, width);
    text += marks(campaign, width);
  }
  if (!replay.empty()) text += left("replay", width) + copied(replay, width) + "\n";
  return text;
}

std::string progress(const Campaign& campaign) {
  const Campaign::Totals& totals = campaign.totals();
  const auto fired = [&](Fault fault) { return campaign.tally(fault).fired; };
  const std::uint64_t crashes =
      fired(Fault::process_kill) + fired(Fault::power_loss) + fired(Fault::lost_sectors);
  std::uint64_t partitions = 0;
  for (auto fault = static_cast<std::size_t>(Fault::partition_halves);
       fault <= static_cast<std::size_t>(Fault::partition_flapping); ++fault) {
    partitions += fired(static_cast<Fault>(fault));
  }
  return fit("  seeds " + grouped(campaign.seeds()) + "   " +
                 counted(campaign.violated(), "violation", "violations") + "   steps " +
                 rounded(totals.steps) + "   virtual " + span(totals.virtual_ns) + " (" +
                 speed(totals.virtual_ns, totals.cpu_ns) + ")   crashes " + grouped(crashes) +
                 "   partitions " + grouped(partitions),
             line_columns - 1);
}

}  // namespace raftlab::reports
